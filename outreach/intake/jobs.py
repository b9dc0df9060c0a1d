"""What a worker does with a file: read it, judge its rows, bring them in. Each commits in steps and may begin again."""

from datetime import datetime

from outreach.intake import imports, operations, queries
from outreach.intake.models import Import
from outreach.intake.rules import Errand, ImportState, Unreadable
from outreach.intake.rules.headings import SEARCHED, Sheet
from outreach.kernel import clock
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, still_at_it

READ_AT_ONCE = 1000
JUDGED_AT_ONCE = 500
LANDED_AT_ONCE = 50


def read(*, import_id: int, now: datetime, work: Work) -> None:
    """Read a file into rows, and go on to judge them where the columns are known."""
    content, work_id = operations.begin_reading(import_id=import_id), work.id
    db.session.commit()
    if not content:
        return
    found: list[Sheet] = []
    try:
        for number, source in enumerate(imports.sheets(content)):
            sheet = Sheet(name=source.name, number=number, hidden=source.hidden)
            found.append(sheet)
            if not source.hidden:
                _read_sheet(import_id, sheet, source, work_id)
    except Unreadable as unreadable:
        db.session.rollback()
        operations.cannot_be_read(import_id=import_id, problem=unreadable.problem, now=now)
    else:
        operations.end_reading(import_id=import_id, sheets=found, now=now)
    db.session.commit()


def judge(*, import_id: int, now: datetime, work: Work) -> None:
    """Judge every row of a file, from the first: what it repeats is known only from what came before it."""
    imported = db.session.get(Import, import_id)
    if imported is None or imported.state is not ImportState.JUDGING or imported.work_id != work.id:
        return
    errand, work_id = _errand(imported, now), work.id
    total, sheets = imported.rows_total, queries.taken_sheets(imported)
    done = 0
    for sheet in sheets:
        after = 0
        while rows := queries.batch_after(import_id, sheet.number, after, JUDGED_AT_ONCE):
            operations.judge_batch(import_id=import_id, sheet=sheet, rows=rows, errand=errand)
            after, done = rows[-1].number, done + len(rows)
            _step(work_id, done, total)
    operations.end_judging(import_id=import_id)
    db.session.commit()


def land(*, import_id: int, now: datetime, work: Work) -> None:
    """Bring in what is ready, a few rows at a time; what has landed is marked in the same step, so none lands twice."""
    imported = db.session.get(Import, import_id)
    if imported is None or imported.state is not ImportState.LANDING:
        return
    errand, work_id = _errand(imported, now), work.id
    total, done = queries.tally(import_id).ready, 0
    sheets = queries.taken_sheets(imported)
    for sheet in sheets:
        after = 0
        while rows := queries.batch_after(import_id, sheet.number, after, LANDED_AT_ONCE, ready=True):
            errand.seen.clear()
            operations.land_batch(imported=imported, sheet=sheet, rows=rows, errand=errand)
            after, done = rows[-1].number, done + len(rows)
            _step(work_id, done, total)
    operations.end_landing(import_id=import_id, now=now)
    db.session.commit()


def _read_sheet(import_id: int, sheet: Sheet, source: imports.SheetRead, work_id: int) -> None:
    batch: list[tuple[int, list[object]]] = []
    sheet.spans = [span for span in source.spans if span[0] <= SEARCHED or span[2] - span[1] > 1]
    for number, cells in enumerate(source.rows, start=1):
        if not any(cell is not None for cell in cells):
            sheet.blank += 1
            continue
        sheet.rows += 1
        if len(sheet.top) < SEARCHED:
            sheet.top[number] = cells
        batch.append((number, cells))
        if len(batch) == READ_AT_ONCE:
            operations.keep_rows(import_id=import_id, sheet_number=sheet.number, rows=batch)
            batch.clear()
            _step(work_id, sheet.rows, None)
    operations.keep_rows(import_id=import_id, sheet_number=sheet.number, rows=batch)
    _step(work_id, sheet.rows, None)


def _errand(imported: Import, now: datetime) -> Errand:
    return Errand(
        import_id=imported.id,
        account_id=imported.account_id,
        organisation_id=imported.organisation_id,
        by=imported.author,
        now=now,
    )


def _step(work_id: int, done: int, total: int | None) -> None:
    still_at_it(work_id, done=done, total=total, now=clock.now())
    db.session.commit()
