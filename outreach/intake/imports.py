"""Reading uploaded files: what they are by their content, and their sheets row by row."""

import codecs
import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from outreach.intake.rules import Cell, Problem, Unreadable, cells_as_json
from outreach.intake.rules.headings import SEARCHED, Sheet
from outreach.intake.rules.reading import KeptRow

MOST_COLUMNS = 500
MOST_UNPACKED = 300 * 1024 * 1024
MOST_CELLS = 10_000_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
REFERENCE = re.compile(rb'<c r="([A-Z]{1,3}\d{1,7})"')
LETTERS, DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789"
DITTO = frozenset({"同上", "〃", "″", "”", '"', "同 上"})


@dataclass(frozen=True)
class SheetRead:
    """One sheet: its rows from the first, with the cells of ranges merged downwards filled in."""

    name: str
    hidden: bool
    rows: Iterator[list[Cell]]
    spans: list[tuple[int, int, int]]  # merged sideways: row (from 1), first and last column (from 0)


@dataclass(frozen=True)
class WhatToRead:
    """The number of the last row of each sheet that is kept already, and how many rows are wanted at a time."""

    kept: Mapping[int, int]
    at_once: int


def read(wanted: WhatToRead, pieces: Iterator[bytes]) -> Iterator[tuple[Sheet, list[KeptRow]] | Problem]:
    """Yield what a file holds, some rows of a sheet at a time with all that is known of the sheet so far.

    What cannot be read ends with the problem.
    """
    try:
        for number, source in enumerate(sheets(b"".join(pieces))):
            sheet = Sheet(name=source.name, number=number, hidden=source.hidden)
            if source.hidden:
                yield sheet, []
            else:
                yield from _read_sheet(sheet, source, wanted.kept.get(number, 0), wanted.at_once)
    except Unreadable as unreadable:
        yield unreadable.problem


def _read_sheet(sheet: Sheet, source: SheetRead, kept: int, at_once: int) -> Iterator[tuple[Sheet, list[KeptRow]]]:
    batch: list[KeptRow] = []
    sheet.spans = [span for span in source.spans if span[0] <= SEARCHED or span[2] - span[1] > 1]
    for number, cells in enumerate(source.rows, start=1):
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            sheet.blank += 1
            continue
        if len(cells) > MOST_COLUMNS:
            raise Unreadable(Problem.TOO_WIDE)
        sheet.rows += 1
        if len(sheet.top) < SEARCHED:
            sheet.top[number] = cells
        if number > kept:
            batch.append((number, json.dumps(cells_as_json(cells), ensure_ascii=False)))
        if len(batch) == at_once:
            yield sheet, batch
            batch = []
    yield sheet, batch


def check(content: bytes) -> None:
    """Refuse at once what is no spreadsheet at all, or is locked, by its first bytes; never by its name.

    :raises Unreadable: with the problem
    """
    if not content.strip(b"\0 \t\r\n"):
        raise Unreadable(Problem.EMPTY)
    if content.startswith(b"PK\x03\x04"):
        _check_package(content)
    elif content.startswith(OLE):
        _check_compound(content)
    else:
        _text_of(content)


def sheets(content: bytes) -> Iterator[SheetRead]:
    """Yield the sheets of a file: .xlsx, .xls or delimited text, whatever it is called.

    :raises Unreadable: with the problem
    """
    import python_calamine  # noqa: PLC0415 -- most files are read beside whoever loads this

    check(content)
    if not content.startswith((b"PK\x03\x04", OLE)):
        yield SheetRead(name="", hidden=False, rows=_delimited(_text_of(content)), spans=[])
        return
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        for place, about in enumerate(book.sheets_metadata):
            if about.typ != python_calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_index(place)
            merged = sheet.merged_cell_ranges or []
            yield SheetRead(
                name=about.name,
                hidden=about.visible != python_calamine.SheetVisibleEnum.Visible,
                rows=_filled(sheet, merged),
                spans=[
                    (row + 1, left, right)
                    for (top, left), (bottom, right) in merged
                    if right > left
                    for row in range(top, min(bottom, top + 2) + 1)
                ],
            )
    except python_calamine.PasswordError:
        raise Unreadable(Problem.PASSWORD) from None
    except (python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError, OSError):
        raise Unreadable(Problem.BROKEN) from None


def _check_package(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = set(package.namelist())
            if "xl/workbook.bin" in names or "mimetype" in names:
                raise Unreadable(Problem.OLD_FORMAT)
            if not any(name.startswith("xl/") for name in names):
                raise Unreadable(Problem.NOT_A_SHEET)
            parts = [part for part in package.infolist() if part.filename.endswith((".xml", ".rels"))]
            if sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise Unreadable(Problem.TOO_LARGE)
            for part in parts:
                _check_part(package, part)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, ValueError, NotImplementedError):
        raise Unreadable(Problem.BROKEN) from None
    except RuntimeError:  # what zipfile says of an encrypted part
        raise Unreadable(Problem.PASSWORD) from None


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    # A sheet with two cells, far apart, would be unfolded into all the cells between them.
    in_sheet = part.filename.startswith("xl/worksheets/")
    rows = columns = read = 0
    with package.open(part) as stream:
        tail = b""
        while block := stream.read(1 << 20):
            read += len(block)
            if read > MOST_UNPACKED:
                raise Unreadable(Problem.TOO_LARGE)
            if in_sheet:
                text = tail + block
                if found := b" ".join(REFERENCE.findall(text)):
                    columns = max(columns, *map(_column, set(found.translate(None, DIGITS).split())))
                    rows = max(rows, *map(int, set(found.translate(None, LETTERS).split())))
                tail = block[-24:]
    if rows * columns > MOST_CELLS:
        raise Unreadable(Problem.TOO_LARGE)


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place


def _check_compound(content: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise Unreadable(Problem.PASSWORD)
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        raise Unreadable(Problem.NOT_A_SHEET)


def _filled(sheet: Any, merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> Iterator[list[Cell]]:
    offset = sheet.start[1] if sheet.start else 0
    down = sorted((top, bottom, left) for (top, left), (bottom, _) in merged if bottom > top)
    waiting, held = iter(down), {}
    following = next(waiting, None)
    last: list[Cell] = []
    for number, cells in enumerate(sheet.iter_rows()):
        row: list[Cell] = [None] * offset + [cell or None if type(cell) is str else _cell(cell) for cell in cells]
        for column in [column for column, (bottom, _) in held.items() if bottom < number]:
            del held[column]
        while following is not None and following[0] <= number:
            top, bottom, left = following
            if top == number and left < len(row):
                held[left] = (bottom, row[left])
            following = next(waiting, None)
        for column, (_, value) in held.items():
            if column < len(row) and row[column] is None:
                row[column] = value
        _repeat(row, last)
        last = row
        yield row


def _repeat(row: list[Cell], last: list[Cell]) -> None:
    for column, cell in enumerate(row):
        if type(cell) is str and cell.strip() in DITTO and column < len(last):
            row[column] = last[column]


def _cell(cell: Any) -> Cell:
    if isinstance(cell, time | timedelta):
        return str(cell)
    return cell


def _text_of(content: bytes) -> str:
    text = _decoded(content)
    start = text[:2000].lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<html", "<!doctype html", "<table", "<meta", "<head", "<?xml", "<style")):
        raise Unreadable(Problem.WEB_PAGE)
    if start.startswith(("<", "%pdf", "{\\rtf")) or _looks_binary(text):
        raise Unreadable(Problem.NOT_A_SHEET)
    return text


def _decoded(content: bytes) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                raise Unreadable(Problem.ENCODING) from None
    if b"\0" in content[:4096]:
        raise Unreadable(Problem.NOT_A_SHEET)
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable(Problem.ENCODING)


def _looks_binary(text: str) -> bool:
    sample = text[:4096]
    strange = sum(ord(sign) < 32 and sign not in "\t\r\n\f" for sign in sample)
    return strange > len(sample) // 100


def _delimited(text: str) -> Iterator[list[Cell]]:
    csv.field_size_limit(1 << 20)
    last: list[Cell] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)):
            row: list[Cell] = [_from_text(cell) for cell in cells]
            _repeat(row, last)
            last = row
            yield row
    except csv.Error:
        raise Unreadable(Problem.BROKEN) from None


def _from_text(cell: str) -> str | None:
    # ="199…" and a leading tab or ' keep long numbers whole in Excel; they are not part of the value
    plain = cell.strip(" \t\r\n\u3000\u00a0")
    wrapped = re.fullmatch(r'="(.*)"', plain)
    plain = wrapped[1] if wrapped else plain
    return re.sub(r"^'(?=[\d+])", "", plain) or None


def _delimiter(text: str) -> str:
    lines = [line for line in text[:20000].splitlines()[:40] if line.strip()]
    if len(text) > 20000:
        lines = lines[:-1] or lines
    counts = {sign: [line.count(sign) for line in lines] for sign in ",\t;|，"}

    def agreed(sign: str) -> tuple[int, int]:
        held = [count for count in counts[sign] if count]
        usual = max(set(held), key=held.count) if held else 0
        return (held.count(usual) * min(usual, 3), usual)

    best = max(counts, key=agreed)
    return best if any(counts[best]) else ","
