"""What the clock does with requests: deadlines made again by a new calendar, and the ladder of supervision."""

from collections.abc import Sequence
from datetime import datetime

from outreach.cases import queries
from outreach.cases.models import Case, CaseRung
from outreach.cases.operations.writing import held, record, tell_one
from outreach.cases.rules.deadlines import BY_THE_ANSWER, Clock
from outreach.cases.rules.ladder import Rung, next_rung, rung_due
from outreach.cases.rules.moves import BEFORE_THE_ANSWER
from outreach.cases.rules.telling import Happening
from outreach.kernel.actor import SYSTEM
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.database import db
from outreach.kernel.working_days import WorkingCalendar
from outreach.organisations.models import Account
from outreach.organisations.rules import Permission

SAID = {
    Rung.REMINDED: Happening.REMINDED,
    Rung.URGED: Happening.URGED_BY_CLOCK,
    Rung.SUPERVISED: Happening.SUPERVISED,
    Rung.LISTED: Happening.LISTED,
}


def count_again(*, case: Case, year: int, now: datetime) -> bool:
    """Make the deadlines of an open request again by the calendar as it is now; tell whether one of them changed.

    What moved, or is no longer provisional, is a line of its history, and whoever owes a step that moved is told.

    :param year: the year whose calendar was published or changed
    """
    case = held(case)
    if case.due_at is None:
        return False
    calendar = working_calendar()
    changes = [
        change
        for change in (
            _step_again(case, calendar, now),
            _answer_again(case, calendar, now),
            *_parts_again(case, calendar, now),
        )
        if change is not None
    ]
    if not changes:
        return False
    was, due = next(((was, due) for was, due in changes if was != due), changes[0])
    record(
        case,
        Happening.RECOMPUTED if was != due else Happening.CONFIRMED,
        by=SYSTEM,
        now=now,
        facts={
            "year": year,
            "was": was.isoformat(),
            "due": due.isoformat(),
            **({"answer_due_at": case.answer_due_at.isoformat()} if case.answer_due_at else {}),
        },
    )
    if was != due:
        for account in queries.owing(case, now=now):
            tell_one(case, account, "recomputed", now=now, year=year, was=was.isoformat(), due=due.isoformat())
    return True


def climb(*, case: Case, now: datetime) -> Rung | None:
    """Take an open request up the ladder of supervision if its deadline calls for it now; return the rung climbed.

    Outside office hours nothing is climbed. Each rung is climbed once with a deadline, however many workers look.
    """
    case = held(case)
    if case.due_at is None:
        return None
    standing = rung_due(
        since=case.due_since or case.created_at, due_at=case.due_at, now=now, calendar=working_calendar()
    )
    rung = next_rung(standing, queries.rungs_of(case))
    if rung is None:
        return None
    db.session.add(CaseRung(case_id=case.id, due_at=case.due_at, rung=rung, climbed_at=now))
    told = _posts(case, rung, now=now)
    facts = {"unit": case.answerable_id, "told": [account.id for account in told]}
    record(case, SAID[rung], by=SYSTEM, now=now, facts=facts)
    for account in told:
        tell_one(case, account, f"clock_{rung.value}", now=now, owed_by=case.answerable.short_name)
    return rung


def _posts(case: Case, rung: Rung, *, now: datetime) -> Sequence[Account]:
    """Return whom a rung tells: whoever owes the step; from the deadline on the supervisor and the unit's head."""
    owing = queries.owing(case, now=now)
    if rung in {Rung.REMINDED, Rung.URGED}:
        return owing
    supervising = queries.desk_of(case.intake, Permission.CASE_SUPERVISE, now=now)
    heading = queries.desk_of(case.answerable, Permission.CASE_APPROVE, now=now)
    return list({account.id: account for account in (*supervising, *heading)}.values()) or owing


def _step_again(case: Case, calendar: WorkingCalendar, now: datetime) -> tuple[datetime, datetime] | None:
    clock = case.answer_clock if case.step in BY_THE_ANSWER else _clock_of_the_step(case)
    if clock is None:
        return None
    was, was_provisional = case.due_at, case.due_provisional
    clock, due = clock.again(calendar, was=was, now=now)
    if (due.at, due.provisional) == (was, was_provisional):
        return None
    case.due_at, case.due_provisional = due.at, due.provisional
    case.due_since, case.due_days = clock.since, clock.days
    return was, due.at


def _clock_of_the_step(case: Case) -> Clock | None:
    return Clock(case.due_since, case.due_days) if case.due_since is not None and case.due_days is not None else None


def _answer_again(case: Case, calendar: WorkingCalendar, now: datetime) -> tuple[datetime, datetime] | None:
    """An answer that went out was in time or late by the calendar of its day; only one that is owed moves."""
    clock = case.answer_clock
    if clock is None or case.state not in BEFORE_THE_ANSWER:
        return None
    was, was_provisional = case.answer_due_at, case.answer_due_provisional
    clock, due = clock.again(calendar, was=was, now=now)
    if (due.at, due.provisional) == (was, was_provisional):
        return None
    case.answer_due_at, case.answer_due_provisional = due.at, due.provisional
    case.answer_since, case.answer_days, case.answer_promised_on = clock.since, clock.days, clock.promised
    return was, due.at


def _parts_again(case: Case, calendar: WorkingCalendar, now: datetime) -> Sequence[tuple[datetime, datetime] | None]:
    changes = []
    for part in case.open_parts:
        was, was_provisional = part.due_at, part.due_provisional
        clock, due = Clock(part.asked_at, part.due_days).again(calendar, was=was, now=now)
        if (due.at, due.provisional) == (was, was_provisional):
            continue
        part.due_at, part.due_provisional, part.due_days = due.at, due.provisional, clock.days
        changes.append((was, due.at))
    return changes
