"""How alike two requests are, and what of an earlier one is shown to whoever answers the next. Pure."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.kernel.words import runs_of

COMPARED = 200
"""The latest answered requests of the topic; titles and words are sealed, so they are compared one by one."""
COMPARED_SIGNS = 300
"""Of each request: its title, and how its words begin."""
SHOWN = 3
ALIKE = 0.03
"""A phrase or two in common: the topic is the same already, and the best of many stand well above it."""
NAME_LEFT_OUT = "〇〇〇"
MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


class EarlierAnswerUnknown(Refused):
    """Only an answer to a like request can be taken over."""

    message = N_("This earlier answer is not there any more.")


def pairs_of(title: str, words: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters, and the words in letters, of a request."""
    return frozenset(pair for run in runs_of(f"{title} {words}"[:COMPARED_SIGNS]) for pair in run.pairs)


def likeness(one: Collection[str], other: Collection[str]) -> float:
    """Return the coefficient of Dice (1945) of two sets: twice what they share over what both have; 0 to 1."""
    both = len(one) + len(other)
    return 2 * len(frozenset(one) & frozenset(other)) / both if both else 0.0


def most_alike(wanted: Collection[str], others: Mapping[Any, Collection[str]]) -> list[Any]:
    """Return the keys of the SHOWN sets most like the wanted one, best first; of equals the one that stands first."""
    degrees = {key: likeness(wanted, pairs) for key, pairs in others.items()}
    near = [key for key, degree in degrees.items() if degree >= ALIKE]
    return sorted(near, key=lambda key: -degrees[key])[:SHOWN]


def without_person(text: str, names: Collection[str]) -> str:
    """Return a text without these names and without mobile numbers: another person is to read it."""
    for name in sorted((name for name in names if name), key=len, reverse=True):
        text = text.replace(name, NAME_LEFT_OUT)
    return MOBILE.sub(NAME_LEFT_OUT, text)


def taken_over(typed: str | None, text: str) -> str:
    """Return what was typed with an earlier answer below it; nothing typed is lost, nothing is taken twice."""
    begun, added = (typed or "").rstrip(), text.strip()
    if added in begun:
        return begun
    return f"{begun}\n\n{added}" if begun else added
