"""What every operation does: hold the row, enter a state, write the line of history, tell whoever has to know."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.cases import queries
from outreach.cases.models import Case, CasePart, CaseTerm
from outreach.cases.rules.deadlines import Clock, next_clock
from outreach.cases.rules.moves import (
    EXTENDABLE,
    OWED_BY_THE_LEAD_UNIT,
    CaseState,
    ChangedMeanwhile,
    Move,
    after,
)
from outreach.cases.rules.parts import ASKABLE
from outreach.cases.rules.rates import DELIVERED, Happened, follow, is_measured
from outreach.cases.rules.telling import Happening
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.database import db, locked
from outreach.notices import operations as notices
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Permission


def held(case: Case, *, version: int | None = None) -> Case:
    """Hold the request's row until the transaction ends, and return it as it is now.

    :raises ChangedMeanwhile: if somebody else changed it since `version`
    """
    row = db.session.scalars(locked(sa.select(Case).where(Case.id == case.id))).one()
    if version is not None and row.version != version:
        raise ChangedMeanwhile(who=queries.last_actor(row) or "—", state=row.state)
    return row


def move(
    case: Case,
    step: Move,
    happening: Happening,
    *,
    by: Actor,
    now: datetime,
    words: str | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Take a step of the table, and write down that it was taken."""
    enter(case, after(case.state, step), now=now)
    record(case, happening, by=by, now=now, words=words, facts=facts)


def enter(case: Case, state: CaseState, *, now: datetime) -> None:
    """Put the request into a state, and with it the one unit that is answerable and the one next deadline."""
    if state not in EXTENDABLE:
        _lapse(case, now=now)
    if state not in ASKABLE:
        _release(case, now=now)
    case.state = state
    if not state.is_open:
        case.answerable, case.due_at, case.due_provisional, case.ended_at = None, None, False, now
        case.due_since = case.due_days = None
        return
    case.answerable = case.lead if state in OWED_BY_THE_LEAD_UNIT else case.intake
    case.ended_at = None
    run(case, next_clock(state, now=now, answer=case.answer_clock))


def run(case: Case, clock: Clock) -> None:
    """Have the step that is owed be due by this clock."""
    due = clock.due(working_calendar())
    case.due_at, case.due_provisional = due.at, due.provisional
    case.due_since, case.due_days = clock.since, clock.days


def run_answer(case: Case, clock: Clock) -> None:
    """Have the answer be due by this clock; the step that is owed is not touched."""
    due = clock.due(working_calendar())
    case.answer_due_at, case.answer_due_provisional = due.at, due.provisional
    case.answer_since, case.answer_days, case.answer_promised_on = clock.since, clock.days, clock.promised


def record(
    case: Case,
    happening: Happening,
    *,
    by: Actor,
    now: datetime,
    words: str | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    """Write a line of the request's history: what happened, and where the request stands now; its terms follow."""
    db.session.flush()  # the line names ids
    stands = {
        "state": case.state,
        "answerable": case.answerable_id,
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "provisional": case.due_provisional,
    }
    history.write(
        subject=case.subject, act=happening.value, by=by, now=now, words=words, facts={**stands, **(facts or {})}
    )
    if is_measured(case.source):
        _measure(case, happening, now=now)


def _measure(case: Case, happening: Happening, *, now: datetime) -> None:
    """Bring what rates count of the request to where it stands."""
    reached = happening in DELIVERED and case.answer is not None
    happened = Happened(
        what=happening,
        at=now,
        state=case.state,
        unit_id=case.answerable_id,
        due_at=case.due_at,
        answer_due_at=case.answer_due_at,
        delivered_at=case.answer.delivered_at if reached else None,
    )
    follow(case.terms, happened, new=CaseTerm)


def tell_person(case: Case, template: str, *, now: datetime, **values: str) -> None:
    """Tell the person who asked, where there is a way to."""
    if case.contact_point is None:
        return
    notices.tell(
        kind=f"case_{template}",
        contact_point=case.contact_point,
        template=f"cases/messages/{template}.txt",
        values={**told(case), "name": case.person.name, "token": case.token, **values},
        about=case.subject,
        person=case.person,
        now=now,
    )


def tell_desk(
    case: Case, permission: Permission, template: str, *, now: datetime, unit: Organisation | None = None, **values: Any
) -> None:
    """Tell whoever may act on it at the desk of the unit; the answerable one unless another is named."""
    unit = unit or case.answerable
    for account in queries.desk_of(unit, permission, now=now):
        tell_one(case, account, template, now=now, unit=unit.short_name, **values)


def tell_one(case: Case, account: Account, template: str, *, now: datetime, **values: Any) -> None:
    """Tell one member of staff."""
    notices.tell_account(
        kind=f"case_{template}",
        account=account,
        template=f"cases/messages/{template}.txt",
        values={**told(case), **values},
        about=case.subject,
        now=now,
    )


def told(case: Case) -> dict[str, Any]:
    """Return what every message about a request may name."""
    unit = case.lead or case.answerable
    return {
        "id": case.id,
        "number": case.number,
        "title": case.title,
        "unit": unit.short_name if unit and case.state is not CaseState.REGISTERED else None,
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "answer_due_at": case.answer_due_at.isoformat() if case.answer_due_at else None,
    }


def _lapse(case: Case, *, now: datetime) -> None:
    """Settle a request for more time that nobody decided on before the answer went out or the unit lost it."""
    if case.extension is not None:
        case.extension.granted, case.extension.decided_at = False, now


def _release(case: Case, *, now: datetime) -> None:
    """Let co-handlers go who have not given their part: nobody waits for it any more."""
    for part in case.open_parts:
        part.released_at = now


def part_facts(part: CasePart) -> dict[str, Any]:
    """Return what a line of history says of a co-handler."""
    return {"part": part.id, "unit": part.unit_id, "part_due_at": part.due_at.isoformat()}
