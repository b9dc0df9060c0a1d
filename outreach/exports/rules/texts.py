"""Texts as files can hold them: nothing runs, nothing is lost that a reader would miss. Pure."""

import re
import unicodedata

from outreach.kernel.wording import N_

MOST_IN_A_CELL = 32_767
"""Of a worksheet's cell, counted in UTF-16, where 𠮷 takes two. Source: «Excel specifications and limits»."""
CUT = N_("… (cut: %(n)s characters in all)")

_UNFIT = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SUSPECT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
"""Either of the two: one look is enough for nearly all texts."""
_FORMULA = re.compile(r"'*[\s\u200b\ufeff]*[=+\-@\t\r＝＋－＠]")
_SIGNED_FIGURE = re.compile(r"[+-]\d{1,20}(?:\.\d{1,20})?")


def plain(text: str) -> str:
    """Return a text with line feeds as its only breaks, and � for what no reader shows (control characters).

    XML 1.0 has no such characters at all, and Excel calls a file with one of them damaged.
    """
    return _UNFIT.sub("\ufffd", _BREAKS.sub("\n", text)) if _SUSPECT.search(text) else text


def in_a_cell(text: str, cut: str) -> str:
    """Return a plain text that fits into a worksheet's cell; a longer one ends with the words of `cut`.

    :param cut: what says that it was cut, with %(n)s for how long it was
    """
    if len(text) * 2 <= MOST_IN_A_CELL or _units(text) <= MOST_IN_A_CELL:
        return text
    ending = cut % {"n": f"{len(text):,}"}
    kept = text[: MOST_IN_A_CELL - len(ending)]
    while _units(kept) > MOST_IN_A_CELL - len(ending):
        kept = kept[: len(kept) - max((_units(kept) - MOST_IN_A_CELL + len(ending)) // 2, 1)]
    return kept + ending


def inert(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula when it opens a .csv.

    An apostrophe goes before what would be one (OWASP, «CSV Injection»), full-width signs included. A signed figure
    or a telephone number (-12.5, +8613800000000) calculates nothing and stays as it is.
    """
    return f"'{text}" if _FORMULA.match(text) and not _SIGNED_FIGURE.fullmatch(text) else text


def as_meant(text: str) -> str:
    """Return what `inert` was given."""
    return text[1:] if text.startswith("'") and inert(text[1:]) == text else text


def in_two_lines(label: str) -> str:
    """Return a label of a form with what it says in brackets below: «单位负责人（签字）» would break anywhere."""
    return label.replace("（", "\n（")


def width_of(text: str) -> int:
    """Return how wide the longest line of a text is, in figures: a 汉字 is two wide."""
    return max(
        (sum(2 if unicodedata.east_asian_width(sign) in "WFA" else 1 for sign in line) for line in text.split("\n")),
        default=0,
    )


def _units(text: str) -> int:
    return len(text) + sum(sign > "\uffff" for sign in text)
