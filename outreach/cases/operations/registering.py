"""Writing requests down, by whomever and from wherever, and taking them out again."""

from collections.abc import Mapping
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from outreach.cases import queries
from outreach.cases.models import Case, CaseYear, TopicRoute
from outreach.cases.operations.handling import give_to
from outreach.cases.operations.writing import enter, record, run_answer, tell_person
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.deadlines import answer_clock
from outreach.cases.rules.moves import (
    CaseState,
    Move,
    rank_of,
)
from outreach.cases.rules.telling import Happening
from outreach.kernel import history
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.kernel.references import standing_alone
from outreach.kernel.working_days import CLOSES, OPENS
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from outreach.people.models import ContactPoint, Person


def register(
    *,
    person: Person,
    contact_point: ContactPoint | None,
    topic: Topic,
    title: str,
    words: str,
    source: CaseSource,
    intake: Organisation,
    by: Actor,
    now: datetime,
    complex: bool = False,  # noqa: A002 -- the word of the domain
    urgent: bool = False,
) -> Case:
    """Write a request down; the intake desk owes its assignment within a working day.

    Where the intake desk has a standing route for the topic it is assigned at once. `contact_point` is where the
    person is told of each step; without one the answer must be told by mouth.
    """
    staff = by.id if by.kind is ActorKind.STAFF else None
    case = Case(
        number=_next_number(now),
        person=person,
        contact_point=contact_point,
        topic=topic,
        title=title,
        words=words,
        source=source,
        intake=intake,
        complex=complex,
        urgent=urgent,
        created_at=now,
        registered_by_id=staff,
        registered_for_id=by.for_id,
        returns=0,
        reopenings=0,
        answer_due_provisional=False,
        rank=rank_of(urgent=urgent, for_leader=_for_leader(by)),
    )
    enter(case, CaseState.REGISTERED, now=now)
    db.session.add(case)
    record(case, Happening.REGISTERED, by=by, now=now, facts={"topic": topic, "source": source})
    route = queries.route_for(intake, topic)
    if route is not None:
        give_to(case, route.unit, Move.ASSIGN, Happening.ROUTED, by=SYSTEM, now=now)
    tell_person(case, "registered", now=now)
    return case


def take_over(
    *,
    person: Person,
    contact_point: ContactPoint | None,
    topic: Topic,
    title: str,
    words: str,
    intake: Organisation,
    unit: Organisation | None,
    state: CaseState,
    received_on: date,
    ended_on: date | None,
    remarks: str | None,
    origin: str,
    by: Actor,
    now: datetime,
) -> Case:
    """Write down a request as an earlier ledger has it. Nobody is told anything, and no standing route is followed.

    Its clock runs from the day it was received, so what an earlier ledger left open may be late already. What the
    ledger says of its handling (`remarks`) stands in the words of its first line; no answer is made up from it.
    :param state: registered, assigned, accepted, closed or withdrawn; the last two with `ended_on`
    :param origin: "import:12"
    """
    received_at = min(datetime.combine(received_on, OPENS, tzinfo=OFFICE), now)
    case = Case(
        number=_next_number(received_at),
        person=person,
        contact_point=contact_point,
        topic=topic,
        title=title,
        words=words,
        source=CaseSource.IMPORT,
        intake=intake,
        lead=unit,
        created_at=received_at,
        returns=0,
        reopenings=0,
        answer_due_provisional=False,
    )
    if unit is not None:
        case.assigned_at = received_at
        run_answer(case, answer_clock(assigned_at=received_at, complex=False))
    if state is CaseState.ACCEPTED:
        case.accepted_at = received_at
    ended_at = min(datetime.combine(ended_on, CLOSES, tzinfo=OFFICE), now) if ended_on else None
    enter(case, state, now=ended_at or received_at)
    db.session.add(case)
    facts = {"topic": topic, "source": CaseSource.IMPORT, "unit": unit.id if unit else None, "origin": origin}
    record(case, Happening.TAKEN_OVER, by=by, now=now, words=remarks, facts=facts)
    return case


def take_back(*, case_id: int, by: Actor, now: datetime) -> bool:
    """Remove a request that was taken over from an earlier ledger; return whether that could be done.

    It stays once anything was done with it here.
    """
    case = db.session.scalar(locked(sa.select(Case).where(Case.id == case_id)))
    if case is None:
        return True
    if not standing_alone("case", "cases", [case_id]):
        return False
    history.write(subject=case.subject, act=Happening.TAKEN_BACK.value, by=by, now=now)
    db.session.delete(case)
    db.session.flush()
    return True


def save_routes(*, intake: Organisation, units: Mapping[Topic, Organisation], by: Actor, now: datetime) -> None:
    """Make these the intake desk's standing routes; a topic that is not named is assigned by hand."""
    held = {route.topic: route for route in db.session.scalars(locked(_routes(intake)))}
    for topic, route in held.items():
        if topic not in units:
            db.session.delete(route)
    for topic, unit in units.items():
        if topic in held:
            held[topic].unit = unit
        else:
            db.session.add(TopicRoute(intake_id=intake.id, topic=topic, unit=unit))
    history.write(
        subject=Subject("organisation", intake.id),
        act="topic_routes_saved",
        by=by,
        now=now,
        facts={topic.value: unit.id for topic, unit in units.items()},
    )


def _routes(intake: Organisation) -> sa.Select[tuple[TopicRoute]]:
    return sa.select(TopicRoute).where(TopicRoute.intake_id == intake.id)


def _next_number(now: datetime) -> str:
    """Return the next number of the office's year; counting holds the year's row until the transaction ends."""
    year = office_day(now).year
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    counted = (
        insert(CaseYear)
        .values(year=year, last=1)
        .on_conflict_do_update(index_elements=["year"], set_={"last": CaseYear.last + 1})
        .returning(CaseYear.last)
    )
    return f"{year}-{db.session.scalar(counted):04}"


def _for_leader(by: Actor) -> bool:
    """Tell whether a leader was asked: they wrote it down themselves, or somebody did for them."""
    if by.for_id is not None:
        return True
    account = db.session.get(Account, by.id) if by.kind is ActorKind.STAFF else None
    return account is not None and account.has_role(Role.LEADER)
