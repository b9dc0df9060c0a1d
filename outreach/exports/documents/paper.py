"""Documents to print, set by typst: what comes from the database is data to it, never markup."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, BinaryIO

from flask_babel import gettext

from outreach.config import ROOT
from outreach.exports.documents import fonts
from outreach.exports.documents.lines import filters_in_words, taken_by, warning
from outreach.exports.rules.offers import Bar, FilledForm, Mark
from outreach.exports.rules.texts import in_two_lines, plain, width_of

TEMPLATES = ROOT / "templates"
NARROWEST, WIDEST = 6, 30
LONGEST_RUN = 20
"""Of signs between which no line breaks; longer ones (addresses) may be broken anywhere."""


def write_list(
    file: BinaryIO, mark: Mark, labels: Sequence[str], rooms: Sequence[int], rows: Iterable[Sequence[Any]]
) -> None:
    """Write a list to print on A4, lying, with its headings on every page.

    :param rooms: for each column, how many figures wide it is at least, to write in by hand
    """
    texts = [[_said(cell) for cell in row] for row in rows]
    widths = [
        min(max([width_of(label), NARROWEST, room, *(width_of(row[column]) for row in texts[:300])]), max(WIDEST, room))
        for column, (label, room) in enumerate(zip(labels, rooms, strict=True))
    ]
    data = {
        "labels": labels,
        "widths": widths,
        "by_hand": any(rooms),
        "rows": texts,
        "filters": gettext("Filters: %(filters)s", filters=filters_in_words(mark)),
    }
    file.write(typeset("exports/list.typ", mark, data))


def write_form(file: BinaryIO, mark: Mark, form: FilledForm) -> None:
    """Write a form about one record to print on A4, upright."""
    data = {
        "heading": form.heading,
        "record": form.number,
        "note": form.note,
        "lines": [
            {"fields": [(in_two_lines(label), text) for label, text in line.fields], "room": line.room}
            for line in form.lines
        ],
    }
    file.write(typeset("exports/form.typ", mark, data))


def typeset(template: str, mark: Mark, data: dict[str, Any]) -> bytes:
    """Return a PDF of a template below templates/, which finds the data and the mark in `sys.inputs.data`."""
    said = data | {
        "title": mark.title,
        "number": mark.number,
        "by": f"{mark.by}（{mark.organisation}）",
        "taken_by": taken_by(mark),
        "warning": warning(mark),
        "pages": gettext("Page %(n)s of %(m)s", n="{n}", m="{m}"),
        "fonts": fonts.FAMILIES,
    }
    return _compiled(template, said, format="pdf", timestamp=mark.at.replace(microsecond=0))


def picture_of(bars: Sequence[Bar]) -> bytes:
    """Return a drawing of bars as a picture (PNG), as wide as the text of an upright A4 page."""
    drawn = [{"label": bar.label, "share": min(max(bar.share, 0), 1), "text": bar.text} for bar in bars]
    return _compiled("exports/bars.typ", {"bars": drawn, "fonts": fonts.FAMILIES}, format="png", ppi=220)


def _compiled(template: str, data: dict[str, Any], **how: Any) -> bytes:
    import typst  # noqa: PLC0415 -- slow to load, and only documents need it

    return typst.compile(
        TEMPLATES / template,
        root=TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(_drawable(data), ensure_ascii=False)},
        **how,
    )


@lru_cache(maxsize=1)
def _fonts() -> Any:
    import typst  # noqa: PLC0415 -- as above

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[fonts.FOLDER])


def _drawable(value: Any) -> Any:
    if isinstance(value, str):
        return _breakable(fonts.drawable(plain(value).replace("\t", " ")))
    if isinstance(value, dict):
        return {name: _drawable(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_drawable(one) for one in value]
    return value


def _breakable(text: str) -> str:
    return re.sub(rf"[!-~]{{{LONGEST_RUN + 1},}}", lambda run: "\u200b".join(run[0]), text)


def _said(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)
