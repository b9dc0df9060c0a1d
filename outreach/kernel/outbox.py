"""Work to be done later, written in the same transaction as what calls for it.

The table is the only truth: a worker claims a row, does it, and marks it. A worker that dies leaves its
claim to run out, after which another takes the row; so every job must bear being begun twice.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from importlib import import_module
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from outreach.kernel import logs
from outreach.kernel.database import Model, NewRows, db, once_it_answers

log = logging.getLogger("outreach.work")

CLAIM_LASTS = timedelta(minutes=5)
SILENT = timedelta(seconds=30)
"""Whoever has not said for so long that it is still at a long job was probably ended in the middle of it."""
MOST_ATTEMPTS = 8
WAITS = timedelta(minutes=2)


class WorkState(StrEnum):
    """Where a piece of work stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Urgency(StrEnum):
    """What goes first: somebody stands waiting, somebody was told something, many are told something."""

    NOW = "0-now"
    SOON = "1-soon"
    BULK = "2-bulk"


class Work(Model):
    """One call of a feature's job, with ids as arguments, never personal data."""

    __tablename__ = "work"
    __table_args__ = (sa.Index("ix_work_next", "state", "urgency", "due_at", "id"),)

    job: Mapped[str] = mapped_column(sa.String(64))
    arguments: Mapped[dict[str, Any]]
    urgency: Mapped[Urgency]
    state: Mapped[WorkState] = mapped_column(default=WorkState.WAITING)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(120))
    request_id: Mapped[str | None] = mapped_column(sa.String(64))
    progress: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]

    def goes_on_at(self, now: datetime) -> datetime | None:
        """Return when it is taken up again at the latest, if whoever was at it fell silent or failed; else None.

        A long job says every few moments that it is still at it (`still_at_it`).
        """
        if self.state is WorkState.RUNNING and self.claimed_until is not None:
            return self.claimed_until if now > self.claimed_until - CLAIM_LASTS + SILENT else None
        failed = self.state is WorkState.WAITING and self.error is not None
        return self.due_at if failed and self.due_at > now else None


class TryLater(Exception):  # noqa: N818 -- an instruction, not an error
    """Something a job needs is not there yet (its text says what, without personal data); nothing was tried."""


def enqueue(
    *,
    job: str,
    now: datetime,
    urgency: Urgency = Urgency.SOON,
    due_at: datetime | None = None,
    **arguments: object,
) -> Work:
    """Write down a call of `outreach.<feature>.jobs.<function>` for a worker, in the caller's transaction.

    `job` is "<feature>.<function>". The function is called with the arguments, and `now` and `work` (this row).
    """
    work = Work(**_row(job, arguments, urgency, due_at or now))
    db.session.add(work)
    db.session.flush()  # callers show the progress of the row
    return work


def enqueue_many(
    *,
    job: str,
    now: datetime,
    calls: Sequence[dict[str, Any]],
    urgency: Urgency = Urgency.SOON,
    due_at: datetime | None = None,
) -> None:
    """Write down many calls of one job at once, each with its own arguments."""
    rows = [_row(job, arguments, urgency, due_at or now) for arguments in calls]
    if rows:
        _NEW_WORK.add(db.session.connection(), rows)


def _row(job: str, arguments: dict[str, Any], urgency: Urgency, due_at: datetime) -> dict[str, Any]:
    return {
        "job": job,
        "arguments": arguments,
        "urgency": urgency,
        "state": WorkState.WAITING,
        "due_at": due_at,
        "attempts": 0,
        "request_id": logs.request_id(),
        "progress": 0,
    }


_NEW_WORK = NewRows(
    Work.__table__, ("job", "arguments", "urgency", "state", "due_at", "attempts", "request_id", "progress")
)


def claim(*, now: datetime) -> Work | None:
    """Take the next due piece of work, also one whose worker went silent, and commit the claim."""
    due = sa.or_(
        sa.and_(Work.state == WorkState.WAITING, Work.due_at <= now),
        sa.and_(Work.state == WorkState.RUNNING, Work.claimed_until < now),
    )
    work = db.session.scalar(
        sa.select(Work)
        .where(due)
        .order_by(Work.urgency, Work.due_at, Work.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if work is not None:
        work.state = WorkState.RUNNING
        work.attempts += 1
        work.claimed_until = now + CLAIM_LASTS
    db.session.commit()
    return work


def still_at_it(work_id: int, *, done: int, total: int | None, now: datetime) -> None:
    """Say how far a long job is and keep its claim for another while; the job commits it with its step."""
    db.session.execute(
        sa.update(Work)
        .where(Work.id == work_id)
        .values(progress=done, total=total, claimed_until=now + CLAIM_LASTS)
        .execution_options(synchronize_session=False)
    )


def delete(*, ids: Sequence[int]) -> None:
    """Delete finished work that nobody asks about any more.

    The work that does this is younger than any of them, so no id is given twice.
    """
    db.session.execute(sa.delete(Work).where(Work.id.in_(ids), Work.finished_at.is_not(None)))


def job_of(name: str) -> Callable[..., None]:
    """Return the function that a job's name stands for.

    :raises LookupError: if no feature has it
    """
    feature, _, function = name.partition(".")
    try:
        job = getattr(import_module(f"outreach.{feature}.jobs"), function)
    except (ImportError, AttributeError) as error:
        raise LookupError(name) from error
    if not callable(job):
        raise LookupError(name)
    return job


def perform(work: Work, *, now: datetime) -> None:
    """Do one claimed piece of work and mark what became of it.

    A job that raises is tried again later, further apart each time (30 s, doubling), and given up after eight
    attempts; one that raises TryLater waits without being given up. Errors are kept by class only: their messages
    may hold personal data.
    """
    with logs.about(work=work.id, job=work.job, **{logs.REQUEST: work.request_id}):
        began = time.perf_counter()
        state = _perform(work, now=now)
        log.info("worked", extra={"outcome": state, "ms": round((time.perf_counter() - began) * 1000, 1)})


def _perform(work: Work, *, now: datetime) -> WorkState:
    work_id = work.id
    outcome: Exception | None = None
    try:
        job_of(work.job)(**work.arguments, now=now, work=work)
    except Exception as error:  # a job's failure must not end the worker
        db.session.rollback()
        outcome = error
        if isinstance(error, TryLater):
            log.info("not yet: %s", error)
        else:
            log.warning("failed", exc_info=error)

    def mark() -> WorkState:
        marked = db.session.get_one(Work, work_id)
        _mark(marked, outcome, now)
        state = marked.state
        db.session.commit()
        return state

    return once_it_answers(mark)


def _mark(work: Work, outcome: Exception | None, now: datetime) -> None:
    work.claimed_until = None
    if outcome is None:
        work.state, work.finished_at, work.error = WorkState.DONE, now, None
    elif isinstance(outcome, TryLater):
        work.state, work.error, work.due_at = WorkState.WAITING, str(outcome)[:120], now + WAITS
        work.attempts -= 1
    else:
        work.error = type(outcome).__name__
        if work.attempts >= MOST_ATTEMPTS:
            work.state, work.finished_at = WorkState.FAILED, now
        else:
            work.state, work.due_at = WorkState.WAITING, now + timedelta(seconds=30 * 2 ** (work.attempts - 1))
