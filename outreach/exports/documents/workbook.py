"""A list as an .xlsx file, as offices hand it on: title, filters, who took it, headings that stay, ready to print."""

import io
import re
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, BinaryIO

import xlsxwriter
from flask_babel import gettext
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from outreach.exports.documents.lines import filters_in_words, taken_by, warning
from outreach.exports.rules.offers import Mark
from outreach.exports.rules.texts import CUT, in_a_cell, width_of
from outreach.kernel.clock import local
from outreach.kernel.scratch import BUFFER, Scratch

SAMPLED = 300
NARROWEST, WIDEST = 6, 46
ARROW = 3
"""What the filter's arrow takes of a heading, in figures."""
FIRST_DAY = date(1900, 3, 1)
"""Excel takes 1900 for a leap year and knows nothing before it; earlier days are written as texts."""
NOUGHT = date(1899, 12, 30)
"""Day 0 of Excel's count, from its first of March 1900 on."""
MOST_DIGITS = 15
"""Of a number in Excel; more are written as text, or the last would turn into zeros."""
HEADING_ROW = 3
DIMENSION = re.compile(rb'<dimension ref="[^"]*"')
SHEET = "xl/worksheets/sheet1.xml"
A4, LANDSCAPE_INCHES = 9, (0.4, 0.4, 0.5, 0.6)

_ESCAPE = re.compile("(_x[0-9a-fA-F]{4}_)")
"""What a reader would take for an escaped character (ISO/IEC 29500, ST_Xstring)."""
_SPECIAL = re.compile(r"[&<>]|_x[0-9a-fA-F]{4}_|^\s|\s$|\n")


def write(file: BinaryIO, mark: Mark, labels: Sequence[str], rows: Iterable[Sequence[Any]], body: Scratch) -> None:
    """Write the rows under a heading block. Texts stay texts: no formula runs, 18 digits stay 18 digits.

    XlsxWriter's own way through `write_string` takes much longer for the same bytes, and takes a text that begins with
    <r> and ends with </r> for markup of its own. So it writes a book of headings, into which the rows are put.

    :param body: where the rows wait until it is known how many they are
    """
    rows = iter(rows)
    sample = list(islice(rows, SAMPLED))
    widths = _widths(labels, sample)
    headings = io.BytesIO()
    book = xlsxwriter.Workbook(headings, {"in_memory": True})
    sheet = book.add_worksheet(_sheet_name(mark.title))
    _properties(book, mark)
    _heading_block(book, sheet, mark, labels, sum(widths))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    wrapped = {column for column, width in enumerate(widths) if width == WIDEST}
    last = _write_body(body, chain(sample, rows), _Styles(book, len(labels), wrapped))
    sheet.freeze_panes(HEADING_ROW + 1, 1)
    sheet.autofilter(HEADING_ROW, 0, last, len(labels) - 1)
    _page(sheet, mark)
    book.close()
    body.rewind()
    _put_together(file, headings, body, f"A1:{xl_rowcol_to_cell(last, len(labels) - 1)}")


def _write_body(body: BinaryIO, rows: Iterable[Sequence[Any]], styles: "_Styles") -> int:
    """Write the rows below the headings as the XML they are; return where the last one stands, counted from 0."""
    at = HEADING_ROW
    for at, row in enumerate(rows, start=HEADING_ROW + 1):
        cells = [
            styles.cell(f"{column}{at + 1}", place, cell)
            for place, (column, cell) in enumerate(zip(styles.columns, row, strict=True))
            if cell is not None and cell != ""
        ]
        body.write(f'<row r="{at + 1}">{"".join(cells)}</row>'.encode())
    return at


def _put_together(file: BinaryIO, headings: BinaryIO, body: BinaryIO, reaches: str) -> None:
    with zipfile.ZipFile(headings) as made, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as whole:
        for part in made.infolist():
            content = made.read(part)
            if part.filename != SHEET:
                whole.writestr(part, content)
                continue
            before, end, after = content.partition(b"</sheetData>")
            before = DIMENSION.sub(f'<dimension ref="{reaches}"'.encode(), before, count=1)
            with whole.open(zipfile.ZipInfo(SHEET, part.date_time), "w") as out:
                out.write(before)
                shutil.copyfileobj(body, out, BUFFER)
                out.write(end + after)


class _Styles:
    """How cells of each kind look, by their numbers in the book."""

    def __init__(self, book: xlsxwriter.Workbook, width: int, wrapped: set[int]) -> None:
        def number(**values: Any) -> int:
            return book.add_format({"valign": "top"} | values)._get_xf_index()

        text, wrapping = number(num_format="@"), number(num_format="@", text_wrap=True)
        self.columns = [xl_col_to_name(column) for column in range(width)]
        self.texts = [wrapping if column in wrapped else text for column in range(width)]
        self.number = number()
        self.day = number(num_format="yyyy-mm-dd", align="left")
        self.moment = number(num_format="yyyy-mm-dd hh:mm", align="left")
        self.cut = gettext(CUT)

    def cell(self, name: str, column: int, cell: Any) -> str:
        """Return a cell that is not empty."""
        kind = type(cell)
        if kind is str:
            return self._text(name, column, cell)
        if kind is datetime or kind is date:
            days = cell.date() if kind is datetime else cell
            if days < FIRST_DAY:
                return self._text(name, column, cell.isoformat())
            serial = (days - NOUGHT).days
            if kind is datetime:
                return f'<c r="{name}" s="{self.moment}"><v>{serial + _share_of_day(cell)!r}</v></c>'
            return f'<c r="{name}" s="{self.day}"><v>{serial}</v></c>'
        if kind is int and len(str(abs(cell))) > MOST_DIGITS:
            return self._text(name, column, str(cell))
        return f'<c r="{name}" s="{self.number}"><v>{cell!r}</v></c>'

    def _text(self, name: str, column: int, text: str) -> str:
        text = in_a_cell(text, self.cut)
        if not _SPECIAL.search(text):
            return f'<c r="{name}" s="{self.texts[column]}" t="inlineStr"><is><t>{text}</t></is></c>'
        text = _ESCAPE.sub(r"_x005F\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return f'<c r="{name}" s="{self.texts[column]}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _share_of_day(moment: datetime) -> float:
    return (moment - datetime.combine(moment.date(), time())).total_seconds() / 86_400


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
            (_never_markup(mark.title), title, 30),
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


def _never_markup(text: str) -> str:
    """Return a text that XlsxWriter does not take for markup of its own, as it does what begins with <r>."""
    return f" {text}" if text.startswith("<r>") else text


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
