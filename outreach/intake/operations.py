"""What is done with a file on its way in. Nothing outside this room changes before the clerk says so."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from outreach.intake import queries
from outreach.intake.models import Import, ImportFile, ImportRow
from outreach.intake.rules import (
    OPEN_STATES,
    ColumnTwice,
    Decision,
    Errand,
    HeadingMissing,
    ImportState,
    Judgement,
    NothingToLand,
    NotNow,
    OnlyChecked,
    Problem,
    Row,
    SheetImporter,
    Verdict,
    cells_as_json,
    importer_of,
)
from outreach.intake.rules.headings import Sheet, missing, not_data, read_headings, recognise, required_columns, row_of
from outreach.kernel import history, outbox
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, locked, one_at_a_time
from outreach.kernel.history import Subject
from outreach.kernel.outbox import WorkState
from outreach.kernel.refusals import Refused

PIECE = 1 << 20
UNFINISHED = OPEN_STATES | {ImportState.LANDING}


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
    _have_done(imported, "intake.read", now)
    return imported


def begin_reading(*, import_id: int) -> bytes:
    """Return the file of an import that waits to be read; empty if there is nothing to read any more.

    What an interrupted reading left behind is taken away first.
    """
    imported = db.session.scalar(locked(sa.select(Import).where(Import.id == import_id)))
    if imported is None or imported.state is not ImportState.UPLOADED:
        return b""
    db.session.execute(sa.delete(ImportRow).where(ImportRow.import_id == import_id))
    return queries.content_of(import_id)


def keep_rows(*, import_id: int, sheet_number: int, rows: Sequence[tuple[int, list[object]]]) -> None:
    """Keep rows as they stand in the file, by their numbers."""
    if rows:
        db.session.execute(
            sa.insert(ImportRow),
            [
                {"import_id": import_id, "sheet_number": sheet_number, "number": number, "cells": cells_as_json(cells)}
                for number, cells in rows
            ],
        )


def end_reading(*, import_id: int, sheets: Sequence[Sheet], now: datetime) -> None:
    """Say what was found; the file itself goes, and its rows are judged where their columns are known."""
    imported = _held(import_id)
    if imported.state is not ImportState.UPLOADED:
        return
    importer = importer_of(imported.kind)
    for sheet in sheets:
        if not sheet.hidden:
            recognise(sheet, importer)
    taken = [sheet for sheet in sheets if sheet.importer is not None]
    if not taken:
        first = next((sheet for sheet in sheets if sheet.rows and not sheet.hidden), None)
        if first is None:
            cannot_be_read(import_id=import_id, problem=Problem.EMPTY, now=now)
            return
        first.importer, first.heading = 0, (min(first.top), min(first.top))
        read_headings(first, importer.sheets[0].fields)
        taken = [first]
    imported.sheets = [sheet.as_json() for sheet in sheets]
    imported.rows_total = sum(sheet.rows for sheet in taken)
    _forget_file(import_id)
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


def cannot_be_read(*, import_id: int, problem: Problem, now: datetime) -> None:
    """Say why a file cannot be read; it goes."""
    imported = _held(import_id)
    imported.state = ImportState.UNREADABLE
    imported.problem = problem.value
    db.session.execute(sa.delete(ImportRow).where(ImportRow.import_id == import_id))
    _forget_file(import_id)
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


def judge_batch(*, import_id: int, sheet: Sheet, rows: Sequence[ImportRow], errand: Errand) -> None:
    """Say of some rows of one sheet what they are; the importer's memory of earlier rows is in the errand."""
    kind = importer_of(_kind_of(import_id)).sheets[sheet.importer]
    required = required_columns(sheet, kind)
    data: list[tuple[ImportRow, Row]] = []
    found: list[dict[str, object]] = []
    for row in rows:
        cells = queries.cells_of(row)
        skipped = not_data(cells, sheet, row.number, required)
        if skipped is not None:
            found.append(_as_columns(row, Judgement(Verdict.SKIPPED, (skipped,))))
        else:
            data.append((row, row_of(sheet, kind, row.number, cells)))
    if data:
        judgements = kind.judge([row for _, row in data], errand)
        found += [_as_columns(row, judged) for (row, _), judged in zip(data, judgements, strict=True)]
    if found:
        db.session.execute(sa.update(ImportRow), found)


def end_judging(*, import_id: int) -> None:
    """Every row has been judged: the clerk may look."""
    imported = _held(import_id)
    if imported.state is ImportState.JUDGING:
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
    given_up = imported.state is ImportState.LANDING and imported.work and imported.work.state is WorkState.FAILED
    if imported.state not in (ImportState.PREVIEWED, ImportState.LANDED) and not given_up:
        raise NotNow
    ready = queries.tally(imported.id).ready
    if not ready:
        raise NothingToLand
    imported.state = ImportState.LANDING
    history.write(subject=_subject(imported), act="confirmed", by=by, now=now, facts={"rows": ready})
    _have_done(imported, "intake.land", now)


def land_batch(*, imported: Import, sheet: Sheet, rows: Sequence[ImportRow], errand: Errand) -> None:
    """Bring in some rows of one sheet, in order.

    Each is judged once more first: what came into the system since the preview counts. A row that has become
    doubtful waits for the clerk; a row that repeats one that waits, waits with it.
    """
    one_at_a_time(f"intake.land.{imported.kind}")
    kind = importer_of(imported.kind).sheets[sheet.importer]
    seen = [row_of(sheet, kind, row.number, queries.cells_of(row)) for row in rows]
    judgements = kind.judge(seen, errand)
    earlier = queries.rows_at(
        imported,
        [(row.match_sheet, row.match_number) for row in rows if row.match_number is not None]
        + [(judged.match_row.sheet, judged.match_row.number) for judged in judgements if judged.match_row],
    )
    for row, plain, judged in zip(rows, seen, judgements, strict=True):
        _land_row(row, plain, judged, earlier, kind, errand)


def end_landing(*, import_id: int, now: datetime) -> None:
    """Everything that was ready has landed."""
    imported = _held(import_id)
    if imported.state is not ImportState.LANDING:
        return
    counted = queries.tally(import_id)
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
    imported.state = ImportState.ABANDONED
    imported.sheets = None
    db.session.execute(sa.delete(ImportRow).where(ImportRow.import_id == imported.id))
    _forget_file(imported.id)
    history.write(subject=_subject(imported), act="abandoned", by=by, now=now)


def note_download(*, imported: Import, by: Actor, now: datetime) -> None:
    """Write down that the refused rows left the house as a file."""
    history.write(subject=_subject(imported), act="refused_downloaded", by=by, now=now)


def _land_row(
    row: ImportRow,
    plain: Row,
    judged: Judgement,
    earlier: Mapping[tuple[int, int], ImportRow],
    kind: SheetImporter,
    errand: Errand,
) -> None:
    onto = _onto(row, judged, earlier)
    if onto is _WAIT:
        return
    try:
        with db.session.begin_nested():
            row.landed_id = kind.land(plain, onto, errand)
    except Refused as refused:
        row.landed_id = None
        row.verdict = Verdict.REFUSED
        row.reasons = [{"sentence": refused.message, "values": {k: str(v) for k, v in refused.values.items()}}]


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


def _as_columns(row: ImportRow, judged: Judgement) -> dict[str, object]:
    return {
        "id": row.id,
        "verdict": judged.verdict,
        "reasons": queries.reasons_as_json(judged),
        "match_id": judged.match_id,
        "match_sheet": judged.match_row.sheet if judged.match_row else None,
        "match_number": judged.match_row.number if judged.match_row else None,
        "fills": judged.fills,
    }


def _judge_anew(imported: Import, now: datetime) -> None:
    db.session.execute(
        sa.update(ImportRow)
        .where(ImportRow.import_id == imported.id)
        .values(verdict=None, reasons=None, match_id=None, match_sheet=None, match_number=None, fills=0, decision=None)
    )
    imported.state = ImportState.JUDGING
    _have_done(imported, "intake.judge", now)


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
            row.cells, row.reasons = [], None
            if row.landed_id is None:
                row.verdict, row.decision = Verdict.SKIPPED, None
    db.session.flush()
    return rows[-1][0].id if rows else None


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


def _kind_of(import_id: int) -> str:
    return db.session.scalars(sa.select(Import.kind).where(Import.id == import_id)).one()


def _forget_file(import_id: int) -> None:
    db.session.execute(sa.delete(ImportFile).where(ImportFile.import_id == import_id))


def _subject(imported: Import) -> Subject:
    return Subject("import", imported.id)
