"""Words by which records are found: cut from what is written, and from what is asked for. Pure.

Chinese is not written in words, so it is cut into pairs of neighbouring characters (南华大学: 南华 华大 大学), and
names into single characters too. What is written in letters and digits stays whole and is found by its beginning.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

LONGEST_WORD = 40
MOST_WORDS = 12
"""A question has no more words than these; what follows is not looked at."""
SPELT = {"Ll", "Lu", "Lt", "Lm", "Nd"}
FIRST_IDEOGRAPH = "\u2e80"
NEWER_IDEOGRAPHS = "\U00020000"


@dataclass(frozen=True)
class Run:
    """Signs of one sort that stand together: characters (王小明), or letters and digits (byd, 5g)."""

    text: str
    spelt: bool

    @property
    def pairs(self) -> list[str]:
        """Return its neighbouring characters in pairs; what is spelt, or a single character, is whole."""
        if self.spelt or len(self.text) == 1:
            return [self.text]
        return list(dict.fromkeys(self.text[at : at + 2] for at in range(len(self.text) - 1)))


def folded(text: str) -> str:
    """Return a text so that two ways of writing it compare equal: one width, one case, no accents, no hidden signs."""
    plain = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in plain if unicodedata.category(sign) not in {"Mn", "Cf"})
    return unicodedata.normalize("NFC", bare).casefold()


def runs_of(text: str) -> list[Run]:
    """Return the runs of a text in its order; everything that is neither a letter, a digit nor a character divides."""
    runs: list[Run] = []
    begun = False
    for sign in folded(text):
        sort = _sort_of(sign)
        if sort is None:
            begun = False
        elif begun and runs[-1].spelt is sort:
            runs[-1] = Run(runs[-1].text + sign, sort)
        else:
            runs.append(Run(sign, sort))
            begun = True
    return runs


@lru_cache(maxsize=8192)  # many people have one employer, many events one host
def words_of(text: str | None, *, singly: bool = False) -> tuple[str, ...]:
    """Return the words a text is found by, each once; with `singly` every character by itself too."""
    words: list[str] = []
    for run in runs_of(text or ""):
        if singly and not run.spelt:
            words += run.text
        if run.spelt or len(run.text) > 1:
            words += (pair[:LONGEST_WORD] for pair in run.pairs)
    return tuple(dict.fromkeys(words))


def asked_for(text: str) -> list[Run]:
    """Return what a question asks for, each thing once."""
    runs = dict.fromkeys(Run(run.text[:LONGEST_WORD], run.spelt) for run in runs_of(text))
    return list(runs)[:MOST_WORDS]


def written(words: Iterable[str]) -> str:
    """Return words as one text, each between two spaces: « 王 小 王小 »; "" for none."""
    ordered = sorted(set(words))
    return f" {' '.join(ordered)} " if ordered else ""


def shared_beginnings(words: Iterable[str]) -> dict[str, int]:
    """Return how many signs each word's beginning shares with the word sorted before it; 0 for the first.

    Words that begin with a text of n signs stand together when sorted, and only the first of them shares fewer than n
    with its neighbour: by that a record of several such words is found once.
    """
    ordered = sorted(set(words))
    shared = dict.fromkeys(ordered[:1], 0)
    for before, word in pairwise(ordered):
        at = 0
        while at < min(len(before), len(word)) and before[at] == word[at]:
            at += 1
        shared[word] = at
    return shared


def _sort_of(sign: str) -> bool | None:
    """Tell whether a sign is spelt (True), a character (False), or divides (None)."""
    if sign >= NEWER_IDEOGRAPHS:
        return False
    if not sign.isalnum():
        return None
    return sign < FIRST_IDEOGRAPH and unicodedata.category(sign) in SPELT
