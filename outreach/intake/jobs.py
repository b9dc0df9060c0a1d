"""What a worker does with a file: read it, judge its rows, bring them in, take them out again.

Each commits in steps and bears being begun again, after an error, a kill, or when somebody had it stopped. A step
asks first whether the file is still to be gone on with; what takes time is thought about between the steps, where
nobody waits for it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from outreach.intake import imports, operations, queries
from outreach.intake.models import Import
from outreach.intake.rules import NO_ROOM, Errand, ImportState, Judgement, Problem
from outreach.intake.rules.headings import Sheet
from outreach.intake.rules.reading import KeptRow, read_rows
from outreach.kernel import beside, clock
from outreach.kernel.database import db, give_way, has_no_room, only_reading
from outreach.kernel.outbox import TryLater, Work, still_at_it

READ_AT_ONCE = 1000
JUDGED_AT_ONCE = 1000
LANDED_AT_ONCE = 200
LONG = 2000
"""From so many rows on they are understood in a process beside this one; one takes a quarter of a second to begin."""
AHEAD = 2
"""So many steps of rows wait for it, so that neither waits for the other."""
LONGEST_PAUSE = 0.11
"""Seconds between two steps in which others may write; no longer than half of what the step took.

Whoever has waited for SQLite's lock for a while asks every 100 ms (its busy handler): a shorter gap may be missed.
"""

T = TypeVar("T")


def read(*, import_id: int, now: datetime, work: Work) -> None:
    """Read a file into rows, and go on to judge them where the columns are known; rows that are kept are passed by."""
    step = _Step(import_id, work.id, ImportState.UPLOADED)
    with only_reading():
        pieces, kept = queries.pieces_of(import_id), queries.last_read_by_sheet(import_id)
    if not pieces:
        return
    wanted, found = imports.WhatToRead(kept, READ_AT_ONCE), {}
    with _to_its_end(), closing(_at_hand(imports.read, wanted, _content(import_id), long=pieces > 1)) as told:
        for one in told:
            if isinstance(one, Problem):
                step(lambda imported, one=one: operations.cannot_be_read(imported=imported, problem=one, now=now))
                return
            sheet, rows = one
            found[sheet.number] = sheet
            step(
                lambda _, sheet=sheet, rows=rows: operations.keep_rows(
                    import_id=import_id, sheet_number=sheet.number, rows=rows
                ),
                sheet.rows,
            )
        step(lambda imported: operations.end_reading(imported=imported, sheets=list(found.values()), now=now))


def judge(*, import_id: int, now: datetime, work: Work) -> None:
    """Judge every row of a file, from the first: what it repeats is known only from what came before it."""
    step = _Step(import_id, work.id, ImportState.JUDGING)
    with only_reading():
        imported = queries.import_by_id(import_id)
        errand, total, sheets = queries.errand_of(imported, now), imported.rows_total, queries.taken_sheets(imported)
        left_out = {sheet.number for sheet in queries.sheets_of(imported)} - {sheet.number for sheet in sheets}
    with _to_its_end():
        for number in sorted(left_out):
            step(lambda _, number=number: operations.forget_verdicts(import_id=import_id, sheet_number=number))
        done = 0
        for sheet in sheets:
            with closing(_judged(import_id, sheet, errand)) as judged:
                for found, count in judged:
                    done += count
                    step(
                        lambda _, sheet=sheet, found=found: operations.keep_judgements(
                            import_id=import_id, sheet_number=sheet.number, found=found
                        ),
                        done,
                        total,
                    )
        step(lambda imported: operations.end_judging(imported=imported), done, total)


def land(*, import_id: int, now: datetime, work: Work) -> None:
    """Bring in what is ready, a few rows at a time; what has landed is marked in the same step, so none lands twice."""
    step = _Step(import_id, work.id, ImportState.LANDING)
    with only_reading():
        imported, tally = queries.import_by_id(import_id), queries.tally(import_id)
        errand, sheets = queries.errand_of(imported, now), queries.taken_sheets(imported)
    done, total = tally.landed, tally.landed + tally.ready
    with _to_its_end():
        for sheet in sheets:
            place: int | None = 0
            while place is not None:
                done += LANDED_AT_ONCE
                place = step(
                    lambda imported, sheet=sheet, place=place: operations.land_some(
                        imported=imported, sheet=sheet, after=place, most=LANDED_AT_ONCE, errand=errand
                    ),
                    min(done, total),
                    total,
                )
        step(lambda imported: operations.end_landing(imported=imported, now=now), total, total)


def undo(*, import_id: int, now: datetime, work: Work) -> None:
    """Take out again what a file brought in, the last row first; what has to stay is said at its row."""
    step = _Step(import_id, work.id, ImportState.UNDOING)
    with only_reading():
        imported, total = queries.import_by_id(import_id), queries.tally(import_id).landed
        errand, sheets = queries.errand_of(imported, now), queries.taken_sheets(imported)
    done = 0
    with _to_its_end():
        for sheet in reversed(sheets):
            place: int | None = operations.BELOW_EVERY_ROW
            while place is not None:
                done += LANDED_AT_ONCE
                place = step(
                    lambda imported, sheet=sheet, place=place: operations.undo_some(
                        imported=imported, sheet=sheet, before=place, most=LANDED_AT_ONCE, errand=errand
                    ),
                    min(done, total),
                    total,
                )
        step(lambda imported: operations.end_undoing(imported=imported, now=now), total, total)


def sweep(*, import_id: int, now: datetime, work: Work) -> None:
    """Delete the rows of a file that was let go, could not be read, or was kept long enough."""
    work_id, more = work.id, True
    while more:
        db.session.rollback()
        more = operations.sweep(import_id=import_id)
        still_at_it(work_id, done=0, total=None, now=clock.now())
        db.session.commit()


@contextmanager
def _to_its_end() -> Iterator[None]:
    """Do the steps of a job; one that was left ends quietly, one without room on the disk waits for room."""
    try:
        yield
    except _Left:
        pass
    except sa.exc.OperationalError as error:
        if has_no_room(error):
            raise TryLater(NO_ROOM) from None
        raise


class _Left(Exception):  # noqa: N818 -- an instruction, not an error
    """The file is not this job's any more: it was stopped, let go, or somebody had it begun again."""


class _Step:
    """One transaction of a job: the import held, something done, and committed with how far the job is."""

    def __init__(self, import_id: int, work_id: int, state: ImportState) -> None:
        self.import_id = import_id
        self._work_id = work_id
        self._state = state

    def __call__(self, do: Callable[[Import], T], done: int = 0, total: int | None = None) -> T:
        """Do something with the import and return what it returns.

        :raises _Left: if the job is not to go on; nothing was done
        """
        db.session.rollback()
        began = time.monotonic()
        imported = operations.at_it(import_id=self.import_id, work_id=self._work_id, state=self._state)
        if imported is None:
            db.session.rollback()
            raise _Left
        result = do(imported)
        still_at_it(self._work_id, done=done, total=total, now=clock.now())
        db.session.commit()
        give_way(min((time.monotonic() - began) / 2, LONGEST_PAUSE))
        return result


def _at_hand(
    work: Callable[[Any, Iterator[Any]], Iterator[T]],
    given: Any,
    things: Iterator[Any],
    *,
    long: bool,
    ahead: int | None = None,
) -> Iterator[T]:
    """Have pure work done: beside this process where there is so much that beginning another is worth it."""
    return beside.done(work, given, things, ahead=ahead) if long else work(given, things)


def _content(import_id: int) -> Iterator[bytes]:
    with only_reading():
        yield from queries.content_of(import_id)


def _rows(import_id: int, sheet_number: int) -> Iterator[Sequence[KeptRow]]:
    """Yield the rows of a sheet, some at a time."""
    after = 0
    while True:
        with only_reading():
            rows = queries.rows_to_judge(import_id, sheet_number, after, JUDGED_AT_ONCE)
        if not rows:
            return
        after = rows[-1][0]
        yield rows


def _judged(import_id: int, sheet: Sheet, errand: Errand) -> Iterator[tuple[list[tuple[int, Judgement]], int]]:
    """Yield what the rows of a sheet are, some at a time, and how many those were."""
    with only_reading():
        how = queries.how_to_read(import_id, sheet, errand)
    rows = _rows(import_id, sheet.number)
    with closing(_at_hand(read_rows, how, rows, long=sheet.rows >= LONG, ahead=AHEAD)) as understood:
        for read in understood:
            with only_reading():
                imported = queries.import_by_id(import_id)
                found = operations.judged(imported=imported, sheet=sheet, read=read, errand=errand)
            yield found, len(read)
