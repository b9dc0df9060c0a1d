"""A list as text between commas (RFC 4180), for other programs; Excel opens it too and recognises its UTF-8."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, BinaryIO

from flask_babel import gettext

from outreach.exports.rules.offers import Mark
from outreach.exports.rules.texts import inert, plain


def write(file: BinaryIO, mark: Mark, labels: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write the rows under one line of headings; the last column of each says which export it came from.

    A heading block would break the programs that read it; so the mark stands in every row, and a part of the file
    that turns up somewhere is traced as well as the whole.
    """
    held = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    out = csv.writer(held, lineterminator="\r\n")
    out.writerow([*(inert(plain(label)) for label in labels), gettext("Export number")])
    number = mark.number
    for row in rows:
        out.writerow([*map(_said, row), number])
    held.detach()


def _said(cell: Any) -> Any:
    if type(cell) is str:
        return inert(cell)
    return f"{cell:%Y-%m-%d %H:%M}" if type(cell) is datetime else cell
