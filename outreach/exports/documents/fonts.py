"""The fonts that documents are set with, and which characters they have.

The build copies them beside what browsers get (static/build.mjs); no font of the machine is used, so that a document
looks the same everywhere.
"""

import struct
from functools import lru_cache
from pathlib import Path

from outreach.config import ROOT

FOLDER = ROOT / "static" / "dist" / "fonts"
FAMILIES = ("Noto Sans S Chinese", "Noto Sans Japanese")
"""In this order: the second has characters of names that the first lacks, such as 𠮷."""
FILES = ("NotoSansHans-Regular.otf", "NotoSansJP-Regular.otf")
NOT_DRAWN = frozenset("\n\u200b")


def drawable(text: str) -> str:
    """Return a text in which every character that no font has stands as its code point: [U+2B740].

    An empty box would tell nobody which character is meant.
    """
    known = covered()
    if known.issuperset(text):
        return text
    return "".join(sign if sign in known else f"[U+{ord(sign):04X}]" for sign in text)


@lru_cache(maxsize=1)
def covered() -> frozenset[str]:
    """Return every character that one of the fonts has.

    :raises FileNotFoundError: before the front-end was built
    """
    return NOT_DRAWN.union(*(map(chr, _code_points(FOLDER / name)) for name in FILES))


def _code_points(file: Path) -> set[int]:
    """Read the character map of an OpenType font. Source: OpenType 1.9, «cmap», subtable format 12.

    :raises ValueError: if it has no such map; every font beyond the Basic Multilingual Plane has one
    """
    raw = file.read_bytes()
    tables = struct.iter_unpack(">4sLLL", raw[12 : 12 + 16 * struct.unpack_from(">H", raw, 4)[0]])
    cmap = next(offset for tag, _, offset, _ in tables if tag == b"cmap")
    for place in range(struct.unpack_from(">H", raw, cmap + 2)[0]):
        at = cmap + struct.unpack_from(">HHL", raw, cmap + 4 + 8 * place)[2]
        if struct.unpack_from(">H", raw, at)[0] == 12:
            groups = raw[at + 16 : at + 16 + 12 * struct.unpack_from(">L", raw, at + 12)[0]]
            return {point for first, last, _ in struct.iter_unpack(">LLL", groups) for point in range(first, last + 1)}
    raise ValueError(file.name)
