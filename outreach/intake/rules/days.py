"""Days as offices write them. Pure."""

import re
import unicodedata
from datetime import date, datetime, timedelta

from outreach.intake.rules import Cell, plain_text

SERIAL_ZERO = date(1899, 12, 30)
"""Day 0 of spreadsheets (1900 system, after February of that year)."""
ISO = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
FIGURES = str.maketrans("〇零一二三四五六七八九", "00123456789")
CLOCK = r"(?:[\sT]+\d{1,2}[:点时]\d{2}(?:[:分]\d{2}(?:\.\d+)?秒?)?分?)?"


def day_said(cell: Cell) -> str | None:
    """Return a day in ISO form, as precise as it was given: 1979-03-19, 1970-12 or 1988; None if it is none.

    Understands days and serial numbers of spreadsheets, 1979-3-19, 1979.05, 1979/04/04 08:30, 1970年12月,
    二〇二六年五月, 19790319, 197903.
    """
    if type(cell) is str and ISO.fullmatch(cell) and _is_day(int(cell[:4]), int(cell[5:7]), int(cell[8:])):
        return cell  # so nearly all of a long list are written
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    text = unicodedata.normalize("NFKC", plain_text(cell)).strip()
    serial = re.fullmatch(r"\d{4,5}(\.\d+)?", text)
    if serial and not 1900 <= float(text) < 2101:
        return (SERIAL_ZERO + timedelta(days=int(float(text)))).isoformat()
    if isinstance(cell, float) and not cell.is_integer():
        # 1979.10 as a number is 1979.1: October or January, nobody can tell
        text = f"{cell:.2f}" if round(cell * 100) % 10 else str(int(cell))
    text = _in_figures(text)
    compact = re.fullmatch(r"(\d{4})(\d{2})(\d{2})?", text)
    found = compact or re.fullmatch(
        rf"(\d{{4}})(?:\s*[-./年]\s*(\d{{1,2}}))?(?:\s*[-./月]\s*(\d{{1,2}}))?\s*[年月日号生.]*{CLOCK}", text
    )
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    if not _is_day(year, month or 1, day or 1):
        return None
    return "-".join([f"{year:04}", *(f"{part:02}" for part in (month, day) if part)])


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _in_figures(text: str) -> str:
    if not re.search("[〇零一二三四五六七八九十]", text):
        return text
    text = re.sub("(?<=[一二三])十(?=[一二三四五六七八九])", "", text)  # 二十三: the figures stand already
    text = re.sub("(?<=[一二三])十", "0", text)
    text = re.sub("十(?=[一二三四五六七八九])", "1", text)
    return text.replace("十", "10").translate(FIGURES)
