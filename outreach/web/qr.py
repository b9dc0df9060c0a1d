"""QR codes drawn into the page itself: no picture to load, nothing for a content policy to refuse."""

from functools import lru_cache

from flask import Flask
from markupsafe import Markup

QUIET = 2
"""Modules of white around the code. The standard asks for four; the frame it stands in gives the rest."""


def mount(app: Flask) -> None:
    """Offer `qr(text, label)` to templates."""
    app.add_template_global(qr)


def qr(text: str, label: str) -> Markup:
    """Return a text as a QR code: an SVG element, read aloud as its label."""
    side, path = _drawn(text)
    return Markup(
        '<svg class="o-qr" viewBox="0 0 {side} {side}" shape-rendering="crispEdges" role="img" aria-label="{label}">'
        '<path d="{path}"/></svg>'
    ).format(side=side, path=path, label=label)


@lru_cache(maxsize=256)
def _drawn(text: str) -> tuple[int, str]:
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415 -- slow import
    from qrcode.main import QRCode  # noqa: PLC0415 -- slow import

    code = QRCode(error_correction=ERROR_CORRECT_M, border=QUIET)
    code.add_data(text)
    matrix = code.get_matrix()
    return len(matrix), "".join(_row(y, row) for y, row in enumerate(matrix))


def _row(y: int, row: list[bool]) -> str:
    """Return the dark runs of one row as a path."""
    runs, x = [], 0
    while x < len(row):
        start = x
        while x < len(row) and row[x]:
            x += 1
        if x > start:
            runs.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
        x += 1
    return "".join(runs)
