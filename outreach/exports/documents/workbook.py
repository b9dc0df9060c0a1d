"""A list as an .xlsx file, as offices hand it on: title, filters, who took it, headings that stay, ready to print."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import xlsxwriter
from flask_babel import gettext

from outreach.exports.documents.lines import filters_in_words, taken_by, warning
from outreach.exports.rules.offers import Mark
from outreach.exports.rules.texts import CUT, in_a_cell, width_of
from outreach.kernel.clock import local

SETTINGS = {
    "constant_memory": True,  # a row is written when the next one begins
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
SAMPLED = 300
NARROWEST, WIDEST = 6, 46
ARROW = 3
"""What the filter's arrow takes of a heading, in figures."""
FIRST_DAY = date(1900, 3, 1)
"""Excel takes 1900 for a leap year and knows nothing before it; earlier days are written as texts."""
MOST_DIGITS = 15
"""Of a number in Excel; more are written as text, or the last would turn into zeros."""
HEADING_ROW = 3
A4, LANDSCAPE_INCHES = 9, (0.4, 0.4, 0.5, 0.6)


def write(file: Path, mark: Mark, labels: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write the rows under a heading block. Texts stay texts: no formula runs, 18 digits stay 18 digits."""
    rows = iter(rows)
    sample = list(islice(rows, SAMPLED))
    widths = _widths(labels, sample)
    book = xlsxwriter.Workbook(str(file), SETTINGS | {"tmpdir": str(file.parent)})
    sheet = book.add_worksheet(_sheet_name(mark.title))
    try:
        _properties(book, mark)
        _heading_block(book, sheet, mark, labels, sum(widths))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        last = _rows(book, sheet, chain(sample, rows), {c for c, width in enumerate(widths) if width == WIDEST})
        sheet.freeze_panes(HEADING_ROW + 1, 1)
        sheet.autofilter(HEADING_ROW, 0, max(last, HEADING_ROW), len(labels) - 1)
        _page(sheet, mark)
        book.close()
    finally:
        sheet._opt_close()  # the file its rows wait in, which the book closes only when nothing went wrong


def _rows(book: Any, sheet: Any, rows: Iterable[Sequence[Any]], wrapped: set[int]) -> int:
    text = book.add_format({"num_format": "@", "valign": "top"})
    wrapping = book.add_format({"num_format": "@", "valign": "top", "text_wrap": True})
    number = book.add_format({"valign": "top"})
    day = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top", "align": "left"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "valign": "top", "align": "left"})
    cut, at = gettext(CUT), HEADING_ROW
    texts = [wrapping if column in wrapped else text for column in range(1 + max(wrapped, default=0))]
    for at, row in enumerate(rows, start=HEADING_ROW + 1):
        for column, cell in enumerate(row):
            kind = type(cell)
            if kind is str:
                if cell:
                    how = texts[column] if column < len(texts) else text
                    sheet.write_string(at, column, in_a_cell(cell, cut), how)
            elif cell is None:
                continue
            elif kind is datetime or kind is date:
                if (cell.date() if kind is datetime else cell) < FIRST_DAY:
                    sheet.write_string(at, column, cell.isoformat(), text)
                else:
                    sheet.write_datetime(at, column, cell, moment if kind is datetime else day)
            elif kind is int and len(str(abs(cell))) > MOST_DIGITS:
                sheet.write_string(at, column, str(cell), text)
            else:
                sheet.write_number(at, column, cell, number)
    return at


def _heading_block(book: Any, sheet: Any, mark: Mark, labels: Sequence[str], width: int) -> None:
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    note = book.add_format({"font_size": 10, "align": "left", "valign": "vcenter", "text_wrap": True})
    heading = book.add_format(
        {"bold": True, "align": "center", "valign": "vcenter", "border": 1, "bg_color": "#E8EEF0", "text_wrap": True}
    )
    words = gettext("Filters: %(filters)s", filters=filters_in_words(mark))
    said = taken_by(mark) + " " + warning(mark)
    for row, (line, how, height) in enumerate(
        (
            (mark.title, title, 30),
            (words, note, _height(words, width)),
            (said, note, _height(said, width)),
        )
    ):
        sheet.set_row(row, height)
        if len(labels) > 1:
            sheet.merge_range(row, 0, row, len(labels) - 1, "", how)
        sheet.write_string(row, 0, line, how)
    sheet.set_row(HEADING_ROW, 24)
    for column, label in enumerate(labels):
        sheet.write_string(HEADING_ROW, column, label, heading)


def _height(line: str, width: int) -> int:
    return 16 * (1 + width_of(line) // max(width, 1))


def _widths(labels: Sequence[str], sample: Sequence[Sequence[Any]]) -> list[int]:
    widths = []
    for column, label in enumerate(labels):
        widest = max((_width(row[column]) for row in sample), default=0)
        widths.append(min(max(widest + 1, width_of(label) + ARROW, NARROWEST), WIDEST))
    return widths


def _width(cell: Any) -> int:
    if cell is None:
        return 0
    if isinstance(cell, datetime):
        return 16
    return 10 if isinstance(cell, date) else width_of(str(cell)[:200])


def _properties(book: Any, mark: Mark) -> None:
    book.set_properties(
        {
            "title": mark.title,
            "author": f"{mark.by}（{mark.organisation}）",
            "company": mark.organisation,
            "keywords": mark.number,
            "comments": f"{taken_by(mark)} {warning(mark)}",
            "created": local(mark.at).replace(tzinfo=None),
        }
    )
    book.set_custom_property(gettext("Export number"), mark.number)
    book.set_custom_property(gettext("Taken by"), f"{mark.by}（{mark.organisation}）")


def _page(sheet: Any, mark: Mark) -> None:
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(*LANDSCAPE_INCHES)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADING_ROW)
    who = f"{mark.number}  {mark.by}".replace("&", "&&")[:120]
    pages = gettext("Page %(n)s of %(m)s", n="&P", m="&N")
    # the space ends the size: figures that follow at once would be a part of it
    sheet.set_footer(f"&L&9 {who}&R&9 {pages}")


def _sheet_name(title: str) -> str:
    # Excel refuses these signs, more than 31 characters, and an apostrophe at either end.
    plain = "".join(" " if sign in "[]:*?/\\" else sign for sign in title).strip("' ")
    while sum(2 if sign > "\uffff" else 1 for sign in plain) > 31:
        plain = plain[:-1]
    return plain.strip("' ") or "1"
