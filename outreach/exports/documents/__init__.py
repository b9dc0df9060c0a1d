"""What leaves the house: a list as a workbook, as text between commas, or on paper."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

from flask_babel import gettext

from outreach.exports.documents import delimited, paper, word, workbook
from outreach.exports.rules import Format
from outreach.exports.rules.offers import Asked, Column, FilledForm, Mark, Report
from outreach.exports.rules.texts import plain
from outreach.kernel.clock import local
from outreach.kernel.scratch import Scratch

Cell = str | int | float | date | datetime | None


def write_table(
    file: BinaryIO, kind: Format, mark: Mark, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], folder: Path
) -> None:
    """Write a list into a file, row by row.

    :param folder: where rows may wait until the file can be put together; nobody can read them there
    """
    labels = [gettext(column.label) for column in columns]
    if kind is Format.XLSX:
        with Scratch(folder) as body:
            workbook.write(file, mark, labels, rows, body)
    elif kind is Format.CSV:
        delimited.write(file, mark, labels, rows)
    else:
        numbered = ([str(number), *row] for number, row in enumerate(rows, start=1))
        paper.write_list(file, mark, [gettext("No."), *labels], [0, *(column.room for column in columns)], numbered)


def write_sheet(file: BinaryIO, kind: Format, mark: Mark, form: FilledForm | Report) -> None:
    """Write a form about one record, or a report, into a file; a report is always one for Word."""
    if isinstance(form, Report):
        word.write_report(file, mark, form)
    elif kind is Format.DOCX:
        word.write_form(file, mark, form)
    else:
        paper.write_form(file, mark, form)


def cells(columns: Sequence[Column], in_full: frozenset[str], asked: Asked) -> Callable[[Sequence[Any]], list[Cell]]:
    """Return what makes the cells of a row from what was read for it; what is sensitive is masked unless `in_full`."""
    makers, at = [], 0
    for column in columns:
        width = len(column.read(asked))
        makers.append(_maker(column, at, width, column.key in in_full, asked))
        at += width
    said = lru_cache(maxsize=1024, typed=True)(_said)

    def of_row(row: Sequence[Any]) -> list[Cell]:
        return [
            plain(cell) if type(cell := make(row)) is str else cell if cell is None else said(cell) for make in makers
        ]

    return of_row


def _maker(column: Column, at: int, width: int, in_full: bool, asked: Asked) -> Callable[[Sequence[Any]], Any]:
    shown = column.shown
    if column.dated:
        made = lambda row: shown(asked, *row[at : at + width])  # noqa: E731
    elif shown is not None:
        made = lambda row: shown(*row[at : at + width])  # noqa: E731
    elif width:
        made = itemgetter(at)
    else:
        made = lambda _row: None  # noqa: E731 -- room to write in by hand
    if column.sensitive is None or in_full:
        return made
    masked = column.sensitive.masked
    return lambda row: None if (value := made(row)) in (None, "") else masked(value)


def _said(value: Any) -> Cell:
    """Return a value as a cell holds it: enum members by their names, moments on the office's clocks, yes and no."""
    if hasattr(value, "label"):
        return gettext(value.label)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, datetime):
        return local(value).replace(tzinfo=None)
    return value
