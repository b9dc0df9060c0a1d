"""Spreadsheets as offices keep them, made for a test, and a worker that does what the outbox holds."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from outreach.intake import operations
from outreach.intake.models import Import
from outreach.intake.rules import Verdict
from outreach.kernel import outbox
from outreach.kernel.database import db
from outreach.organisations.models import Account
from tests.conftest import NOW

SAMPLES = Path(__file__).parent.parent / "samples"


def a_workbook(
    *sheets: Sequence[Sequence[Any]],
    names: Sequence[str] = (),
    merged: Sequence[tuple[int, int, int, int]] = (),
    hidden: Sequence[int] = (),
) -> bytes:
    """An .xlsx file of these sheets; `merged` are ranges of the first: first row and column, last row and column."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"strings_to_numbers": False, "strings_to_formulas": False})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for place, rows in enumerate(sheets):
        sheet = book.add_worksheet(names[place] if names else None)
        if place in hidden:
            sheet.hide()
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, date | datetime):
                    sheet.write_datetime(number, column, cell, day)
                elif cell is not None:
                    sheet.write(number, column, cell)
        if place == 0:
            for first_row, first_column, last_row, last_column in merged:
                cell = rows[first_row][first_column]
                sheet.merge_range(first_row, first_column, last_row, last_column, cell)
    book.close()
    return held.getvalue()


def uploaded(content: bytes, account: Account, *, kind: str = "talents", filename: str = "台账.xlsx") -> Import:
    """A file of the account's, on its way in."""
    imported = operations.upload(
        kind=kind,
        filename=filename,
        content=content,
        account_id=account.id,
        account_name=account.name,
        organisation_id=account.organisation_id,
        by=account.actor,
        now=NOW,
    )
    db.session.commit()
    return imported


def work_off(now: datetime = NOW) -> None:
    """Do everything that is due."""
    while (work := outbox.claim(now=now)) is not None:
        outbox.perform(work, now=now)
        assert db.session.get_one(outbox.Work, work.id).error is None
    db.session.expire_all()


def previewed(content: bytes, account: Account, **about: str) -> Import:
    """A file that was uploaded, read and judged."""
    imported_id = uploaded(content, account, **about).id
    work_off()
    return db.session.get_one(Import, imported_id)


def landed(content: bytes, account: Account, **about: str) -> Import:
    """A file that was brought in, as far as it goes without the clerk."""
    imported = previewed(content, account, **about)
    operations.land(imported=imported, by=account.actor, now=NOW)
    db.session.commit()
    work_off()
    return db.session.get_one(Import, imported.id)


def rows_by_number(imported: Import) -> dict[int, tuple[Verdict | None, list[str]]]:
    """What each row is taken for, and the sentences of its reasons."""
    rows = db.session.scalars(db.select(operations.ImportRow).where(operations.ImportRow.import_id == imported.id))
    return {row.number: (row.verdict, [reason["sentence"] for reason in row.reasons or []]) for row in rows}
