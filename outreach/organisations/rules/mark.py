"""A city's own mark: what may be uploaded as one. It is never shown as it came, but drawn anew (documents.py)."""

import re
import struct
from xml.parsers import expat

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

LARGEST_FILE = 512 * 1024
LEAST_PIXELS = 64
MOST_PIXELS = 4096
MOST_PARTS = 3000
DEEPEST = 40
SIDE = 512
"""Pixels of the side of the square that it is drawn into."""
PNG_BEGINS = b"\x89PNG\r\n\x1a\n"
GROUPS = frozenset({"svg", "g", "defs", "linearGradient", "radialGradient", "stop", "clipPath", "style"})
OUTLINES = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
NOTES = frozenset({"title", "desc", "metadata"})
"""What editors write beside the drawing; nobody draws it."""


class MarkTooLarge(Refused):
    """A mark is a small file."""

    message = N_("This file is too large for a mark: at most %(most)s KB. Export it smaller.")
    field = "picture"
    status = 422


class NotAMark(Refused):
    """Neither SVG nor PNG, whatever its name says."""

    message = N_("This is no SVG and no PNG that can be read. Export the mark again as one of the two.")
    field = "picture"
    status = 422


class MarkOfTheWrongSize(Refused):
    """Too coarse to be shown, or too large to be drawn."""

    message = N_("This picture is %(wide)s × %(high)s pixels. A mark has between %(least)s and %(most)s each way.")
    field = "picture"
    status = 422


class MarkNotOfShapes(Refused):
    """An SVG that carries more than a drawing: scripts, links, other pictures, letters of a font."""

    message = N_(
        "This SVG holds “%(what)s”. A mark is made of shapes only: turn letters into paths, and leave out scripts, "
        "links, effects and pictures."
    )
    field = "picture"
    status = 422


class MarkTooElaborate(Refused):
    """More shapes than a mark has."""

    message = N_("This drawing has too many parts for a mark. Simplify it, or take a PNG.")
    field = "picture"
    status = 422


def checked(content: bytes) -> str:
    """Return the ending of what may be drawn as a mark, "png" or "svg"; what a file is called tells nothing.

    :raises MarkTooLarge: over 512 KB
    :raises NotAMark: if it is neither
    :raises MarkOfTheWrongSize: for a PNG too small or too large
    :raises MarkNotOfShapes: for an SVG that holds more than shapes
    :raises MarkTooElaborate: for one of too many
    """
    if len(content) > LARGEST_FILE:
        raise MarkTooLarge(most=LARGEST_FILE // 1024)
    if content.startswith(PNG_BEGINS):
        _check_png(content)
        return "png"
    _check_svg(content)
    return "svg"


def _check_png(content: bytes) -> None:
    if len(content) < 33 or content[12:16] != b"IHDR":
        raise NotAMark
    wide, high = struct.unpack(">II", content[16:24])
    if not (LEAST_PIXELS <= wide <= MOST_PIXELS and LEAST_PIXELS <= high <= MOST_PIXELS):
        raise MarkOfTheWrongSize(wide=wide, high=high, least=LEAST_PIXELS, most=MOST_PIXELS)


def _check_svg(content: bytes) -> None:
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.StartElementHandler = reading.begin
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.ProcessingInstructionHandler = reading.instruction
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise NotAMark from error
    if not reading.shapes:
        raise NotAMark


class _Reading:
    """Walks through an SVG and refuses whatever is no shape."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.parts = self.shapes = 0

    def doctype(self, *_declared: object) -> None:
        raise MarkNotOfShapes(what="DOCTYPE")

    def instruction(self, target: str, _data: str) -> None:
        raise MarkNotOfShapes(what=target[:40])

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        space, _, tag = name.rpartition(" ")
        if not self.inside and (space, tag) != ("http://www.w3.org/2000/svg", "svg"):
            raise NotAMark
        if not NOTES.intersection(self.inside):
            if tag not in GROUPS | OUTLINES | NOTES:
                raise MarkNotOfShapes(what=tag[:40])
            self._check(attributes)
        self.inside.append(tag)
        self.parts += 1
        self.shapes += tag in OUTLINES
        if self.parts > MOST_PARTS or len(self.inside) > DEEPEST:
            raise MarkTooElaborate

    def end(self, _name: str) -> None:
        self.inside.pop()

    def text(self, words: str) -> None:
        if self.inside[-1] == "style" and _leads_away(words):
            raise MarkNotOfShapes(what="style")

    def _check(self, attributes: dict[str, str]) -> None:
        for name, value in attributes.items():
            plain = name.rpartition(" ")[2].lower()
            if plain.startswith("on") or (plain == "href" and not value.startswith("#")) or _leads_away(value):
                raise MarkNotOfShapes(what=plain[:40])


def _leads_away(text: str) -> bool:
    """Tell whether something is fetched from elsewhere; parts of the drawing itself may be named: url(#…)."""
    plain = re.sub(r"\s|\\", "", text.lower())
    return any(word in plain for word in ("@import", "javascript:", "expression(")) or bool(
        re.search(r"url\((?![\"']?#)", plain)
    )
