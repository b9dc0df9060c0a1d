"""What is done with a file on its way in. Nothing outside this room changes before the clerk says so."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from outreach.intake import queries
from outreach.intake.models import Import, ImportFile, ImportRow
from outreach.intake.rules import (
    BUSY,
    OPEN_STATES,
    ColumnTwice,
    Decision,
    Errand,
    HeadingMissing,
    ImportState,
    Judgement,
    Landed,
    Landing,
    NothingToLand,
    NotNow,
    OnlyChecked,
    Problem,
    Reason,
    RowKey,
    SheetImporter,
    Understanding,
    Verdict,
    importer_of,
)
from outreach.intake.rules.headings import Reader, Sheet, missing, read_headings, recognise
from outreach.intake.rules.reading import KeptRow, ReadRow
from outreach.kernel import history, outbox
from outreach.kernel.actor import SYSTEM, Actor
from outreach.kernel.database import NewRows, as_if, db, locked, one_at_a_time
from outreach.kernel.history import Subject
from outreach.kernel.outbox import Urgency
from outreach.kernel.refusals import Refused

PIECE = 1 << 18
UNFINISHED = OPEN_STATES | {ImportState.LANDING}
SWEPT_AT_ONCE = 1000
TRIED = 500
"""So many rows are taken out for a moment to see what would stay."""
BELOW_EVERY_ROW = (1 << 31) - 1
JOBS = {
    ImportState.UPLOADED: "intake.read",
    ImportState.JUDGING: "intake.judge",
    ImportState.LANDING: "intake.land",
    ImportState.UNDOING: "intake.undo",
}


def upload(
    *,
    kind: str,
    filename: str,
    content: bytes,
    account_id: int,
    account_name: str,
    organisation_id: int,
    by: Actor,
    now: datetime,
) -> Import:
    """Take a file in and have its rows read by a worker; it is kept sealed until then, and not longer."""
    imported = Import(
        kind=kind,
        filename=filename,
        account_id=account_id,
        account_name=account_name,
        organisation_id=organisation_id,
        created_at=now,
    )
    db.session.add(imported)
    db.session.flush()
    for position, start in enumerate(range(0, len(content), PIECE)):
        db.session.add(ImportFile(import_id=imported.id, position=position, content=content[start : start + PIECE]))
    history.write(subject=_subject(imported), act="uploaded", by=by, now=now, facts={"bytes": len(content)})
    _have_done(imported, JOBS[imported.state], now)
    return imported


def at_it(*, import_id: int, work_id: int, state: ImportState) -> Import | None:
    """Return an import whose row is held, if this piece of work is to go on with it; None if it was stopped or left.

    Every step of a job begins with it: whoever stops a file, lets it go or takes it over is heard at the next step.
    """
    imported = db.session.scalar(locked(sa.select(Import).where(Import.id == import_id)))
    going = imported is not None and imported.stopped_at is None
    return imported if going and imported.state is state and imported.work_id == work_id else None


_ROWS = NewRows(
    sa.table(
        "import_rows",
        *(sa.column(name, sa.Integer) for name in ("import_id", "sheet_number", "number", "fills")),
        sa.column("cells", queries.CELLS_AS_TEXT),
    ),
    ("import_id", "sheet_number", "number", "fills", "cells"),
)


def keep_rows(*, import_id: int, sheet_number: int, rows: Sequence[KeptRow]) -> None:
    """Keep rows as they stand in the file, by their numbers."""
    if rows:
        given = {"import_id": import_id, "sheet_number": sheet_number, "fills": 0}
        _ROWS.add(db.session.connection(), [given | {"number": number, "cells": cells} for number, cells in rows])


def end_reading(*, imported: Import, sheets: Sequence[Sheet], now: datetime) -> None:
    """Say what was found; the file itself goes, and its rows are judged where their columns are known."""
    importer = importer_of(imported.kind)
    for sheet in sheets:
        if not sheet.hidden:
            recognise(sheet, importer)
    taken = [sheet for sheet in sheets if sheet.importer is not None]
    if not taken:
        first = next((sheet for sheet in sheets if sheet.rows and not sheet.hidden), None)
        if first is None:
            cannot_be_read(imported=imported, problem=Problem.EMPTY, now=now)
            return
        first.importer, first.heading = 0, (min(first.top), min(first.top))
        read_headings(first, importer.sheets[0].fields)
        taken = [first]
    imported.sheets = [sheet.as_json() for sheet in sheets]
    imported.rows_total = sum(sheet.rows for sheet in taken)
    _forget_file(imported.id)
    complete = all(not missing(sheet, importer.sheets[sheet.importer]) for sheet in taken)
    history.write(
        subject=_subject(imported),
        act="read",
        by=imported.author,
        now=now,
        facts={"rows": imported.rows_total, "sheets": len(taken)},
    )
    if complete:
        _judge_anew(imported, now)
    else:
        imported.state = ImportState.MAPPED


def cannot_be_read(*, imported: Import, problem: Problem, now: datetime) -> None:
    """Say why a file cannot be read; it goes."""
    imported.state = ImportState.UNREADABLE
    imported.problem = problem.value
    _have_swept(imported, now)
    history.write(
        subject=_subject(imported),
        act="unreadable",
        by=imported.author,
        now=now,
        facts={"problem": problem.value},
    )


def set_columns(
    *,
    imported: Import,
    sheet_number: int,
    heading: tuple[int, int],
    kind: int,
    mapping: Mapping[int, str] | None,
    by: Actor,
    now: datetime,
) -> None:
    """Correct what a sheet is: its rows of headings, and which column is what; every row is judged anew.

    `mapping` is None where the headings moved: then they are recognised anew.
    :raises NotNow: once rows have landed, or the file was abandoned
    :raises HeadingMissing: if a field that is required has no column
    :raises ColumnTwice: if two columns are said to be one field that has but one
    """
    imported = _held(imported.id)
    if imported.state not in OPEN_STATES - {ImportState.UPLOADED}:
        raise NotNow
    importer = importer_of(imported.kind)
    sheets = queries.sheets_of(imported)
    sheet = next(sheet for sheet in sheets if sheet.number == sheet_number)
    fields = importer.sheets[kind].fields
    sheet.importer, sheet.heading = kind, heading
    if mapping is None:
        read_headings(sheet, fields)
    else:
        names = list(mapping.values())
        for wanted in fields:
            if not wanted.several and names.count(wanted.name) > 1:
                raise ColumnTwice(label=wanted)
        sheet.mapping = dict(mapping)
        for wanted in missing(sheet, importer.sheets[kind]):
            raise HeadingMissing(label=wanted)
    imported.sheets = [sheet.as_json() for sheet in sheets]
    history.write(
        subject=_subject(imported),
        act="columns_set",
        by=by,
        now=now,
        facts={"sheet": sheet_number, "heading": list(heading), "columns": len(sheet.mapping)},
    )
    if all(not missing(taken, importer.sheets[taken.importer]) for taken in queries.taken_sheets(imported)):
        _judge_anew(imported, now)
    else:
        imported.state = ImportState.MAPPED


def judged(*, imported: Import, sheet: Sheet, read: Sequence[ReadRow], errand: Errand) -> list[tuple[int, Judgement]]:
    """Return what some rows of one sheet are, by their numbers; the importer's memory of earlier rows is in the errand.

    Changes nothing.
    """
    kind = importer_of(imported.kind).sheets[sheet.importer]
    data = [(RowKey(sheet.number, number), one) for number, one in read if not isinstance(one, Reason)]
    if not data:
        judgements = iter(())
    elif isinstance(kind, Understanding):
        judgements = iter(kind.judge_understood(data, errand))
    else:
        judgements = iter(kind.judge([one for _, one in data], errand))
    return [
        (number, Judgement(Verdict.SKIPPED, (one,)) if isinstance(one, Reason) else next(judgements))
        for number, one in read
    ]


def keep_judgements(*, import_id: int, sheet_number: int, found: Sequence[tuple[int, Judgement]]) -> None:
    """Write down what rows of a sheet are, and forget what the clerk said of them before they were judged anew.

    `found` holds every row between its first number and its last, in order. Most are new and nothing is to be said of
    them: that is written for all at once, and what differs for each.
    """
    rows, connection = ImportRow.__table__, db.session.connection()
    among = sa.and_(
        rows.c.import_id == import_id,
        rows.c.sheet_number == sheet_number,
        rows.c.number.between(found[0][0], found[-1][0]),
    )
    plain = Judgement(Verdict.NEW)
    connection.execute(sa.update(rows).where(among).values(_as_kept(plain)))
    others = [{"its": number} | _as_kept(judged) for number, judged in found if judged != plain]
    if others:
        kept = {name: sa.bindparam(name) for name in _as_kept(plain)}
        of_sheet = sa.and_(rows.c.import_id == import_id, rows.c.sheet_number == sheet_number)
        connection.execute(sa.update(rows).where(of_sheet, rows.c.number == sa.bindparam("its")).values(kept), others)


def _as_kept(judgement: Judgement) -> dict[str, Any]:
    return {
        "verdict": judgement.verdict,
        "reasons": queries.reasons_as_json(judgement) or None,
        "match_id": judgement.match_id,
        "match_sheet": judgement.match_row.sheet if judgement.match_row else None,
        "match_number": judgement.match_row.number if judgement.match_row else None,
        "fills": judgement.fills,
        "decision": None,
    }


def forget_verdicts(*, import_id: int, sheet_number: int) -> None:
    """Forget what the rows of a sheet were taken for that is not taken any more."""
    db.session.execute(
        sa.update(ImportRow)
        .where(ImportRow.import_id == import_id, ImportRow.sheet_number == sheet_number, ImportRow.verdict.is_not(None))
        .values(verdict=None, reasons=None, match_id=None, match_sheet=None, match_number=None, fills=0, decision=None)
    )


def end_judging(*, imported: Import) -> None:
    """Every row has been judged: the clerk may look."""
    imported.state = ImportState.PREVIEWED


def decide(*, imported: Import, row: ImportRow, decision: Decision, by: Actor, now: datetime) -> None:
    """Keep what the clerk says of a doubtful row; it may be said anew until the row has landed.

    :raises NotNow: if the row is not doubtful any more
    """
    imported = _held(imported.id)
    if (
        imported.state not in (ImportState.PREVIEWED, ImportState.LANDED)
        or row.verdict is not Verdict.DOUBTFUL
        or row.landed_id is not None
    ):
        raise NotNow
    row.decision = decision
    history.write(
        subject=_subject(imported),
        act="decided",
        by=by,
        now=now,
        facts={"sheet": row.sheet_number, "row": row.number, "decision": decision.value},
    )


def land(*, imported: Import, by: Actor, now: datetime) -> None:
    """Have a worker bring in what is ready.

    :raises OnlyChecked: if rows of this kind have no place to land in yet
    :raises NotNow: if the file is not there yet, or on its way already
    :raises NothingToLand: if no row is ready
    """
    imported = _held(imported.id)
    if importer_of(imported.kind).lands_with is not None:
        raise OnlyChecked
    if imported.state not in (ImportState.PREVIEWED, ImportState.LANDED):
        raise NotNow
    ready = queries.tally(imported.id).ready
    if not ready:
        raise NothingToLand
    imported.state, imported.stopped_at = ImportState.LANDING, None
    history.write(subject=_subject(imported), act="confirmed", by=by, now=now, facts={"rows": ready})
    _have_done(imported, "intake.land", now)


def stop(*, imported: Import, by: Actor, now: datetime) -> None:
    """Have the worker leave a file alone after the step it is at; what was done until then stays.

    :raises NotNow: if nobody is at it
    """
    imported = _held(imported.id)
    if imported.state not in BUSY or imported.stopped_at is not None:
        raise NotNow
    imported.stopped_at = now
    history.write(subject=_subject(imported), act="stopped", by=by, now=now, facts={"at": imported.state.value})


def go_on(*, imported: Import, by: Actor, now: datetime) -> None:
    """Have a worker go on with a file that was stopped, or given up after errors, from where it was.

    :raises NotNow: if it does not stand still
    """
    imported = _held(imported.id)
    if not queries.stands_still(imported):
        raise NotNow
    imported.stopped_at = None
    history.write(subject=_subject(imported), act="went_on", by=by, now=now, facts={"at": imported.state.value})
    _have_done(imported, JOBS[imported.state], now)


def undo(*, imported: Import, by: Actor, now: datetime) -> None:
    """Have a worker take out again what a file brought in.

    :raises NotNow: if nothing of it is in, somebody is at it, or its rows were deleted after their time
    """
    imported = _held(imported.id)
    landed = queries.tally(imported.id).landed
    if not landed or not queries.can_be_undone(imported):
        raise NotNow
    imported.state, imported.stopped_at = ImportState.UNDOING, None
    history.write(subject=_subject(imported), act="undo_confirmed", by=by, now=now, facts={"rows": landed})
    _have_done(imported, JOBS[imported.state], now)


def undo_some(*, imported: Import, sheet: Sheet, before: int, most: int, errand: Errand) -> int | None:
    """Take out again what some rows of one sheet above a number brought in, the last first; a row that stays says why.

    Return the number of the first of them; None if there was nothing more.
    """
    rows = queries.rows_to_undo(imported.id, sheet.number, before, most)
    if not rows:
        return None
    one_at_a_time(f"intake.land.{imported.kind}")
    errand.seen.clear()
    kind = importer_of(imported.kind).sheets[sheet.importer]
    reasons = kind.undo([Landed(row.landed_id, row.trace or {}) for row in rows], errand)
    for row, reason in zip(rows, reasons, strict=True):
        if reason is None:
            row.landed_id, row.trace = None, None
        else:
            row.reasons = queries.reasons_as_json(Judgement(row.verdict, (reason,)))
    return rows[-1].number


@dataclass(frozen=True)
class Trial:
    """What undoing would do: how many rows were tried, and which of them would stay, and why."""

    rows: int
    stays: Mapping[tuple[int, int], Reason]  # by sheet and number


def try_undoing(*, imported: Import, now: datetime) -> Trial:
    """Say what would stay if a file were undone, of the rows that would be taken out first. Changes nothing."""
    tried, stays = 0, {}
    with as_if():
        imported = _held(imported.id)
        errand = queries.errand_of(imported, now)
        one_at_a_time(f"intake.land.{imported.kind}")
        for sheet in reversed(queries.taken_sheets(imported)):
            rows = queries.rows_to_undo(imported.id, sheet.number, BELOW_EVERY_ROW, TRIED - tried)
            if rows:
                kind = importer_of(imported.kind).sheets[sheet.importer]
                reasons = kind.undo([Landed(row.landed_id, row.trace or {}) for row in rows], errand)
                stays |= {(row.sheet_number, row.number): why for row, why in zip(rows, reasons, strict=True) if why}
                tried += len(rows)
    return Trial(tried, stays)


def end_undoing(*, imported: Import, now: datetime) -> None:
    """Everything that can be undone is."""
    imported.state, imported.undone_at = ImportState.UNDONE, now
    kept = queries.tally(imported.id).landed
    history.write(subject=_subject(imported), act="undone", by=imported.author, now=now, facts={"kept": kept})


def land_some(*, imported: Import, sheet: Sheet, after: int, most: int, errand: Errand) -> int | None:
    """Bring in some rows of one sheet beyond a number, in order; return the number of the last, None if none is left.

    Each is judged once more first: what came into the system since the preview counts. A row that has become
    doubtful waits for the clerk; a row that repeats one that waits, waits with it.
    """
    rows = queries.rows_to_land(imported.id, sheet.number, after, most)
    if not rows:
        return None
    errand.seen.clear()
    one_at_a_time(f"intake.land.{imported.kind}")
    kind = importer_of(imported.kind).sheets[sheet.importer]
    reader = Reader(sheet, kind.fields)
    seen = [reader.row(row.number, queries.cells_of(row)) for row in rows]
    judgements = kind.judge(seen, errand)
    earlier = queries.rows_at(
        imported,
        [(row.match_sheet, row.match_number) for row in rows if row.match_number is not None]
        + [(judged.match_row.sheet, judged.match_row.number) for judged in judgements if judged.match_row],
    )
    pending: dict[RowKey, tuple[ImportRow, Landing]] = {}
    for row, plain, judged in zip(rows, seen, judgements, strict=True):
        if RowKey(row.match_sheet, row.match_number) in pending or judged.match_row in pending:
            _land_together(pending.values(), kind, errand)
            pending = {}
        onto = _onto(row, judged, earlier)
        if onto is not _WAIT:
            pending[RowKey(row.sheet_number, row.number)] = row, Landing(plain, onto)
    _land_together(pending.values(), kind, errand)
    return rows[-1].number


def end_landing(*, imported: Import, now: datetime) -> None:
    """Everything that was ready has landed."""
    counted = queries.tally(imported.id)
    imported.state = ImportState.LANDED
    imported.landed_at = now
    history.write(
        subject=_subject(imported),
        act="landed",
        by=imported.author,
        now=now,
        facts={"landed": counted.landed, "created": counted.created, "refused": counted.refused},
    )


def abandon(*, imported: Import, by: Actor, now: datetime) -> None:
    """Let a file go; nothing has landed, and its rows are deleted.

    :raises NotNow: once rows have landed
    """
    imported = _held(imported.id)
    if imported.state not in OPEN_STATES:
        raise NotNow
    imported.state, imported.stopped_at = ImportState.ABANDONED, None
    imported.sheets = None
    _have_swept(imported, now)
    history.write(subject=_subject(imported), act="abandoned", by=by, now=now)


def sweep(*, import_id: int) -> bool:
    """Delete some rows and the pieces of the file of an import that was let go, unread, or kept long enough.

    Return whether there are more: a hundred thousand deleted at once would keep everybody from writing.
    """
    _forget_file(import_id)
    some = sa.select(ImportRow.id).where(ImportRow.import_id == import_id).limit(SWEPT_AT_ONCE)
    ids = db.session.scalars(some).all()
    if ids:
        db.session.execute(sa.delete(ImportRow).where(ImportRow.id.in_(ids)))
    return len(ids) == SWEPT_AT_ONCE


def note_download(*, imported: Import, by: Actor, now: datetime) -> None:
    """Write down that the refused rows left the house as a file."""
    history.write(subject=_subject(imported), act="refused_downloaded", by=by, now=now)


def one_by_one(rows: Sequence[Landing], land: Callable[[Landing], Landed]) -> list[Landed]:
    """Land rows each in a savepoint of its own, so that one that is refused takes nothing back but itself."""
    done = []
    for row in rows:
        try:
            with db.session.begin_nested():
                done.append(land(row))
        except Refused as refused:
            done.append(Landed(None, refused=refused))
    return done


def _land_together(pending: Collection[tuple[ImportRow, Landing]], kind: SheetImporter, errand: Errand) -> None:
    if not pending:
        return
    for (row, _), landed in zip(pending, kind.land([landing for _, landing in pending], errand), strict=True):
        if landed.refused is None:
            row.landed_id, row.trace = landed.record_id, dict(landed.trace)
        else:
            values = {name: str(value) for name, value in landed.refused.values.items()}
            row.verdict = Verdict.REFUSED
            row.reasons = [{"sentence": landed.refused.message, "values": values}]


_WAIT = -1


def _onto(row: ImportRow, judged: Judgement, earlier: Mapping[tuple[int, int], ImportRow]) -> int | None:
    """Return the record a row lands on, None for a new one, _WAIT if it does not land now."""
    now_is = judged.match_id
    if judged.match_row is not None:
        other = earlier.get((judged.match_row.sheet, judged.match_row.number))
        now_is = other.landed_id if other else None
    was = row.match_id
    if row.match_number is not None:
        other = earlier.get((row.match_sheet, row.match_number))
        was = other.landed_id if other else None
        if was is None and row.decision is not Decision.ANOTHER:
            return _WAIT
    if judged.verdict is Verdict.REFUSED:
        row.verdict, row.reasons = Verdict.REFUSED, queries.reasons_as_json(judged)
        return _WAIT
    if judged.verdict is Verdict.SAME and now_is is not None:
        return now_is
    if row.decision is Decision.SAME:
        return was
    if row.decision is Decision.ANOTHER or judged.verdict is Verdict.NEW:
        return None
    row.verdict, row.reasons = Verdict.DOUBTFUL, queries.reasons_as_json(judged)
    row.match_id, row.match_sheet, row.match_number = now_is, None, None
    return _WAIT


def _judge_anew(imported: Import, now: datetime) -> None:
    imported.state, imported.stopped_at = ImportState.JUDGING, None
    _have_done(imported, JOBS[imported.state], now)


def _have_swept(imported: Import, now: datetime) -> None:
    outbox.enqueue(job="intake.sweep", now=now, urgency=Urgency.BULK, import_id=imported.id)


class Traces(Protocol):
    """What tells one person, as far as this room needs to know: see people.rules.traces."""

    def struck_from(self, text: str) -> str:
        """Return words without the person."""

    def stands_in(self, texts: Iterable[object]) -> bool:
        """Tell whether the person is named there."""

    def certainly_stands_in(self, texts: Iterable[object]) -> bool:
        """Tell whether a number or an address of the person stands there."""


def erase_rows(*, traces: Traces, after_id: int, limit: int) -> int | None:
    """Empty the rows that tell of a person, among the next rows by id; return the last one looked at, None at the end.

    In a file that has not landed a name alone empties nothing: it may be a namesake's row that is still to land.
    """
    rows = db.session.execute(
        sa.select(ImportRow, Import.state)
        .join(Import, Import.id == ImportRow.import_id)
        .where(ImportRow.id > after_id)
        .order_by(ImportRow.id)
        .limit(limit)
    ).all()
    for row, state in rows:
        if traces.certainly_stands_in(row.cells) or (state not in UNFINISHED and traces.stands_in(row.cells)):
            row.cells, row.reasons, row.trace = [], None, None
            if row.landed_id is None:
                row.verdict, row.decision = Verdict.SKIPPED, None
    db.session.flush()
    return rows[-1][0].id if rows else None


def delete_rows(*, ids: Sequence[int], now: datetime) -> None:
    """Delete rows whose time is up; a file nobody brought in is closed, and nothing is left of what stood in it."""
    rows = sa.select(ImportRow.import_id).where(ImportRow.id.in_(ids)).distinct()
    for imported in db.session.scalars(sa.select(Import).where(Import.id.in_(rows)).order_by(Import.id)):
        if imported.state in OPEN_STATES:
            abandon(imported=imported, by=SYSTEM, now=now)
        elif imported.forgotten_at is None:
            imported.forgotten_at = now
            history.write(subject=_subject(imported), act="rows_forgotten", by=SYSTEM, now=now)
        imported.sheets = None
    db.session.flush()
    db.session.execute(sa.delete(ImportRow).where(ImportRow.id.in_(ids)))


def strike_from_files(*, traces: Traces) -> None:
    """Strike a person out of the names of files and out of their first rows, which are kept to find the headings."""
    for imported in db.session.scalars(sa.select(Import).order_by(Import.id)):
        if traces.stands_in([imported.filename]):
            imported.filename = traces.struck_from(imported.filename)
        if imported.sheets and traces.stands_in([imported.sheets]):
            imported.sheets = _struck(imported.sheets, traces)
    db.session.flush()


def _struck(value: Any, traces: Traces) -> Any:
    if isinstance(value, dict):
        return {key: _struck(one, traces) for key, one in value.items()}
    if isinstance(value, list):
        return [_struck(one, traces) for one in value]
    return traces.struck_from(value) if isinstance(value, str) else value


def _have_done(imported: Import, job: str, now: datetime) -> None:
    work = outbox.enqueue(job=job, now=now, import_id=imported.id)
    imported.work_id = work.id
    db.session.flush()


def _held(import_id: int) -> Import:
    return db.session.scalars(locked(sa.select(Import).where(Import.id == import_id))).one()


def _forget_file(import_id: int) -> None:
    db.session.execute(sa.delete(ImportFile).where(ImportFile.import_id == import_id))


def _subject(imported: Import) -> Subject:
    return Subject("import", imported.id)
