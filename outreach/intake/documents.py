"""What leaves the house: the rows that could not be taken, as a spreadsheet to put right and bring in again."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence

import xlsxwriter

from outreach.intake.models import ImportRow
from outreach.intake.rules import cells_from_json, plain_text
from outreach.intake.rules.headings import Sheet, letters

INERT = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""Cells are written as the text they are: a formula in one does not run, and 18 digits stay 18 digits."""
MOST_IN_A_CELL = 32767


def refused_workbook(
    sheets: Sequence[Sheet],
    rows: Iterable[ImportRow],
    *,
    titles: tuple[str, str],
    sentence: Callable[[Mapping[str, object]], str],
) -> bytes:
    """Return an .xlsx file with the rows as they stood, behind the number of each and why it cannot be taken.

    :param titles: the headings of those two columns in the reader's language
    :param sentence: what says a reason in the reader's language
    """
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, INERT)
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    by_number = {sheet.number: sheet for sheet in sheets}
    pages: dict[int, tuple[xlsxwriter.worksheet.Worksheet, int]] = {}
    for row in rows:
        sheet = by_number[row.sheet_number]
        if row.sheet_number not in pages:
            pages[row.sheet_number] = (_page(book, sheet, titles, bold), 0)
        page, last = pages[row.sheet_number]
        why = "；".join(sentence(reason) for reason in row.reasons or [])
        for column, cell in enumerate([str(row.number), why, *map(plain_text, cells_from_json(row.cells))]):
            if cell:
                page.write_string(last + 1, column, cell[:MOST_IN_A_CELL], text)
        pages[row.sheet_number] = (page, last + 1)
    if not pages:
        book.add_worksheet()
    book.close()
    return held.getvalue()


def _page(
    book: xlsxwriter.Workbook, sheet: Sheet, titles: tuple[str, str], bold: object
) -> xlsxwriter.worksheet.Worksheet:
    page = book.add_worksheet(_sheet_name(sheet))
    page.freeze_panes(1, 2)
    width = max([*sheet.headings, sheet.width - 1], default=0) + 1
    page.set_column(0, 0, 8)
    page.set_column(1, 1, 40)
    page.set_column(2, width + 1, 18)
    headings = [sheet.headings.get(column) or letters(column) for column in range(width)]
    for column, heading in enumerate([*titles, *headings]):
        page.write_string(0, column, heading, bold)
    return page


def _sheet_name(sheet: Sheet) -> str | None:
    # Excel refuses these signs, more than 31 characters, and an apostrophe at either end.
    plain = "".join("_" if sign in "[]:*?/\\" else sign for sign in sheet.name).strip("'")
    return plain[:28] + (f" {sheet.number + 1}" if sheet.number else "") if plain else None
