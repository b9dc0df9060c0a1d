"""Reading requests: what a viewer may reach, what is owed, what happened."""

import hmac
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from outreach.cases.models import Answer, Case, TopicRoute
from outreach.cases.rules.answers import AnswerKind, FailedAttempt, ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Origin, Topic
from outreach.cases.rules.lists import Tab
from outreach.cases.rules.moves import Act, CaseState
from outreach.cases.rules.telling import ANSWERED, ASKED, BY_THE_PERSON, ENDED, Happening, Outcome
from outreach.kernel import history
from outreach.kernel.actor import ActorKind
from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine
from outreach.kernel.paging import SIZE, Key, Page, page_of
from outreach.kernel.word_index import LAST_SIGN
from outreach.organisations.models import Account, Grant, Organisation
from outreach.organisations.queries import lead_organisation, reached_ids, reaches
from outreach.organisations.rules import ROLE_PERMISSIONS, OrganisationKind, Permission
from outreach.people import queries as people
from outreach.people.rules import Purpose, TimelineEntry
from outreach.people.rules.merging import Named

OPEN = Case.due_at.is_not(None)
"""Open is what is owed by a date: the table's own check says so, and the list by deadline holds nothing else."""
IN_CONFIDENCE = sa.and_(Case.topic == Topic.ADVICE, Case.source.in_((CaseSource.VISIT, CaseSource.SURVEY)))
"""Advice given on a visit or to a survey is for the pairing, its supervisor and whoever answers."""
COUNTED_UP_TO = 1000

followed_people: list[Callable[[Account], sa.Select[tuple[int]]]] = []
"""Selects of the ids of people whose requests an account may follow; the app connects those of features above."""

origins: list[Callable[[Account, Case], Origin | None]] = []
"""Who knows where a request was made (a visit, an event) and whether the account may see it; connected by the app."""


def visible(viewer: Account) -> sa.ColumnElement[bool]:
    """Return the condition on Case that holds for the requests the viewer may see.

    The intake desk sees what came to it, a handler what is assigned to the unit, whoever wrote a request down (or
    had it written down) that one, and a leader or officer those of the people they keep in touch with. What a talent
    advised in confidence (问策) the intake desk sees only while the next step is its own.
    """
    supervised = reached_ids(viewer, Permission.CASE_SUPERVISE)
    if supervised is None:
        return sa.true()
    desk = reached_ids(viewer, Permission.CASE_ASSIGN)
    led = reached_ids(viewer, Permission.CASE_HANDLE)
    followed = {person_id for following in followed_people for person_id in db.session.scalars(following(viewer))}
    owed_here = sa.or_(~IN_CONFIDENCE, Case.answerable_id == Case.intake_id)
    return sa.or_(
        Case.registered_by_id == viewer.id,
        Case.registered_for_id == viewer.id,
        *([Case.intake_id.in_(supervised)] if supervised else []),
        *([owed_here] if desk is None else [sa.and_(Case.intake_id.in_(desk), owed_here)] if desk else []),
        *([Case.lead_id.is_not(None)] if led is None else [Case.lead_id.in_(led)] if led else []),
        *([Case.person_id.in_(sorted(followed))] if followed else []),
    )


def case_for(viewer: Account, case_id: int) -> Case:
    """Return the request if the viewer may see it; 404 otherwise."""
    return db.one_or_404(sa.select(Case).where(Case.id == case_id, visible(viewer)))


def sees(viewer: Account, case: Case) -> bool:
    """Tell whether the viewer may (still) see the request."""
    return bool(db.session.scalar(sa.select(sa.exists().where(Case.id == case.id, visible(viewer)))))


def version_of(case_id: int) -> int:
    """Return the version the request has now."""
    return db.session.scalars(sa.select(Case.version).where(Case.id == case_id)).one()


def origin_of(viewer: Account, case: Case) -> Origin | None:
    """Return where the request was made, if a feature knows it and the viewer may go there."""
    return next((origin for knows in origins if (origin := knows(viewer, case)) is not None), None)


def intake_for(viewer: Account) -> Organisation | None:
    """Return the intake desk the viewer works at: the lead office, if a role of theirs assigns there; else None."""
    office = lead_organisation()
    return office if reaches(viewer, office, Permission.CASE_ASSIGN) else None


def case_by_token(token: str) -> Case:
    """Return the request a public link was made for; 404 for a link that was altered or is void."""
    case_id, _, _ = token.partition("-")
    number = int(case_id) if case_id.isascii() and case_id.isdigit() and len(case_id) < 10 else 0
    case = db.first_or_404(sa.select(Case).where(Case.id == number))
    return case if hmac.compare_digest(case.token.encode(), token.encode()) else db.first_or_404(_nothing())


def cases_of_contact(contact_point_id: int) -> Sequence[Case]:
    """Return the requests whose answers go to this number or address, and all of whoever is alone behind it.

    What an official wrote down on a visit is answered by mail where one is known, and belongs to the person all the
    same. Newest first (the last 200).
    """
    theirs = sa.or_(Case.contact_point_id == contact_point_id, Case.person_id.in_(people.alone_at(contact_point_id)))
    return db.session.scalars(
        sa.select(Case)
        .where(theirs)
        .options(
            joinedload(Case.lead),
            joinedload(Case.person),
            joinedload(Case.handler),
            selectinload(Case.answers).options(joinedload(Answer.feedback), joinedload(Answer.unit)),
        )
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(200)
    ).all()


def acts_of(viewer: Account, case: Case) -> frozenset[Act]:
    """Return what the viewer may do with a request they see, whatever its state allows."""
    acts: set[Act] = set()
    if reaches(viewer, case.intake, Permission.CASE_ASSIGN):
        acts |= {Act.ASSIGN, Act.TELL, Act.HEAR, Act.URGE}
    if reaches(viewer, case.intake, Permission.CASE_SUPERVISE):
        acts |= {Act.DECIDE, Act.URGE}
    if case.lead is not None and reaches(viewer, case.lead, Permission.CASE_HANDLE):
        acts |= {Act.HANDLE, Act.TELL}
    elif not acts:
        acts.add(Act.URGE)  # whoever follows it
    return frozenset(acts)


def open_cases_of(person_ids: Collection[int]) -> Sequence[Case]:
    """Return the open requests of these people, soonest due first, with person and units loaded.

    For whoever may see the people; the caller's own scope decides that.
    """
    return db.session.scalars(
        sa.select(Case)
        .where(OPEN, Case.person_id.in_(person_ids))
        .options(joinedload(Case.person), joinedload(Case.answerable), joinedload(Case.lead))
        .order_by(Case.due_at, Case.id)
    ).all()


def cases_of(viewer: Account, person_id: int) -> Sequence[Case]:
    """Return the person's requests that the viewer may see, newest first (the last 50)."""
    return db.session.scalars(
        sa.select(Case)
        .where(Case.person_id == person_id, visible(viewer))
        .options(joinedload(Case.answerable))
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(50)
    ).all()


@dataclass(frozen=True)
class Choice:
    """What a reader of the list chose to see."""

    tab: Tab
    topic: Topic | None = None
    source: CaseSource | None = None
    unit_id: int | None = None
    text: str = ""


def tabs_for(viewer: Account) -> tuple[Tab, ...]:
    """Return the saved views of the list that fit what the viewer does here; the first is the one to begin with."""
    if _may(viewer, Permission.CASE_SUPERVISE):
        return (Tab.WATCH, Tab.OPEN, Tab.TO_ASSIGN, Tab.TO_HEAR, Tab.CONTESTED, Tab.ENDED)
    if _may(viewer, Permission.CASE_ASSIGN):
        return (Tab.TO_ASSIGN, Tab.OPEN, Tab.WATCH, Tab.TO_HEAR, Tab.ENDED)
    if _may(viewer, Permission.CASE_HANDLE):
        return (Tab.OWED, Tab.TO_ACCEPT, Tab.TO_ANSWER, Tab.TO_HEAR, Tab.ENDED)
    return (Tab.OPEN, Tab.WATCH, Tab.ENDED)


def list_of(viewer: Account, choice: Choice, *, cursor: str | None, now: datetime, size: int = SIZE) -> Page[Case]:
    """Return a page of the requests the viewer may see: soonest due first, ended ones latest first."""
    statement = (
        sa.select(Case)
        .where(visible(viewer), _in_tab(viewer, choice.tab, now), *_chosen(choice))
        .options(
            joinedload(Case.person),
            joinedload(Case.intake),
            joinedload(Case.answerable),
            joinedload(Case.lead),
            joinedload(Case.handler),
        )
    )
    if choice.tab is Tab.ENDED:
        keys = [Key(Case.ended_at, descending=True), Key(Case.id, descending=True)]
    else:
        keys = [Key(Case.due_at), Key(Case.id)]
    return page_of(statement, keys=keys, cursor=cursor, size=size)


def ids_of_list(viewer: Account, choice: Choice, *, now: datetime) -> sa.Select[tuple[int]]:
    """Return the select of the ids of a whole list, in the order of its pages."""
    order = (Case.ended_at.desc(), Case.id.desc()) if choice.tab is Tab.ENDED else (Case.due_at, Case.id)
    return (
        sa.select(Case.id).where(visible(viewer), _in_tab(viewer, choice.tab, now), *_chosen(choice)).order_by(*order)
    )


def counts_for(
    viewer: Account, tabs: Collection[Tab], *, now: datetime, text: str = "", up_to: int | None = None
) -> dict[Tab, int]:
    """Return how many requests each view holds, counted no further than one beyond COUNTED_UP_TO.

    :param text: count only those that a search for it finds
    :param up_to: count no further than one beyond this instead
    """
    most = COUNTED_UP_TO if up_to is None else up_to
    mine = sa.and_(visible(viewer), said_in(text)) if text else visible(viewer)
    counted = [
        sa.select(sa.func.count())
        .select_from(sa.select(Case.id).where(mine, _in_tab(viewer, tab, now)).limit(most + 1).subquery())
        .scalar_subquery()
        for tab in tabs
    ]
    return dict(zip(tabs, db.session.execute(sa.select(*counted)).one(), strict=True))


@dataclass(frozen=True)
class Load:
    """What is open before a viewer, counted like views, and the one that is late longest."""

    open: int
    late: int
    today: int
    longest: Case | None


def load_of(viewer: Account, *, now: datetime) -> Load:
    """Return what the viewer's list begins with: how much is open, late, due today, and where the oldest lies."""
    tab = Tab.OWED if tabs_for(viewer)[0] is Tab.OWED else Tab.OPEN
    counts = counts_for(viewer, (tab, Tab.LATE, Tab.TODAY), now=now)
    longest = db.session.scalar(
        sa.select(Case)
        .where(visible(viewer), _in_tab(viewer, Tab.LATE, now))
        .options(joinedload(Case.answerable))
        .order_by(Case.due_at, Case.id)
        .limit(1)
    )
    return Load(open=counts[tab], late=counts[Tab.LATE], today=counts[Tab.TODAY], longest=longest)


def units_in_list(viewer: Account) -> Sequence[Organisation]:
    """Return the units that owe a step on something the viewer sees, by name."""
    mine = visible(viewer)
    if mine is sa.true():  # whether a unit owes anything is one look; collecting all that is owed is thousands
        owing = sa.exists().where(Case.answerable_id == Organisation.id)
    else:
        owing = Organisation.id.in_(sa.select(Case.answerable_id).where(mine, OPEN))
    return db.session.scalars(
        sa.select(Organisation).where(owing).order_by(Organisation.short_name, Organisation.id)
    ).all()


def units_to_assign_to(intake: Organisation) -> Sequence[Organisation]:
    """Return the units an intake desk may make answerable: itself and everything below it but employers."""
    return db.session.scalars(
        sa.select(Organisation)
        .where(
            Organisation.path.startswith(intake.path, autoescape=True), Organisation.kind != OrganisationKind.EMPLOYER
        )
        .order_by(Organisation.path, Organisation.id)
    ).all()


def desk_of(unit: Organisation, permission: Permission) -> Sequence[Account]:
    """Return the active accounts that hold a role with this permission at this very unit."""
    roles = [role for role, permissions in ROLE_PERMISSIONS.items() if permission in permissions]
    return db.session.scalars(
        sa.select(Account)
        .where(
            Account.disabled_at.is_(None),
            Account.id.in_(sa.select(Grant.account_id).where(Grant.organisation_id == unit.id, Grant.role.in_(roles))),
        )
        .order_by(Account.id)
    ).all()


def units_with_handlers() -> frozenset[int]:
    """Return the ids of the units where somebody can accept and answer."""
    roles = [role for role, permissions in ROLE_PERMISSIONS.items() if Permission.CASE_HANDLE in permissions]
    return frozenset(db.session.scalars(sa.select(Grant.organisation_id).where(Grant.role.in_(roles)).distinct()))


def route_for(intake: Organisation, topic: Topic) -> TopicRoute | None:
    """Return the intake desk's standing route of a topic, if a person has saved one."""
    return db.session.scalar(sa.select(TopicRoute).where(TopicRoute.intake_id == intake.id, TopicRoute.topic == topic))


def routes_of(intake: Organisation) -> dict[Topic, TopicRoute]:
    """Return the intake desk's standing routes by topic."""
    found = db.session.scalars(
        sa.select(TopicRoute).where(TopicRoute.intake_id == intake.id).order_by(TopicRoute.topic)
    )
    return {route.topic: route for route in found}


def failed_attempts(answer: Answer) -> list[FailedAttempt]:
    """Return the logged attempts that did not reach the person, on their office days."""
    return [
        FailedAttempt(channel=attempt.channel, day=office_day(attempt.at))
        for attempt in answer.attempts
        if not attempt.reached
    ]


@dataclass(frozen=True)
class PastEntry:
    """One line of a request's history as people read it; enum values in `values` are shown by their labels."""

    at: datetime
    happening: Happening
    sentence: str
    values: dict[str, Any]
    words: str | None
    due_at: datetime | None


def past_of(case: Case) -> list[PastEntry]:
    """Return the request's history, latest first."""
    lines = history.lines_of(case.subject)
    names = _names_of({line.actor_id for line in lines if line.actor_kind is ActorKind.STAFF})
    units = _units_of({line.facts["unit"] for line in lines if line.facts.get("unit")})
    return [_past_entry(case, line, names, units) for line in reversed(lines)]


def last_actor(case: Case) -> str:
    """Return the name of whoever changed the request last, or "" where the system did."""
    line = history.lines_of(case.subject)[-1]
    return _who(case, line, _names_of({line.actor_id} if line.actor_kind is ActorKind.STAFF else set()))


def name_rows(viewer: Account, ids: Collection[int]) -> dict[int, Named]:
    """Return requests by number and title, those the viewer may see."""
    found = db.session.scalars(sa.select(Case).where(Case.id.in_(ids), visible(viewer)).order_by(Case.id))
    return {one.id: Named(f"{one.number} {one.title}", "cases.show", {"case_id": one.id}) for one in found}


def timeline_of(*, person_id: int, before: datetime, limit: int) -> list[TimelineEntry]:
    """Return what the person asked for and what was answered before a moment, latest first."""
    asked = db.session.scalars(
        sa.select(Case)
        .where(Case.person_id == person_id, Case.created_at < before)
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(limit)
    )
    answered = db.session.scalars(
        sa.select(Answer)
        .join(Answer.case)
        .where(Case.person_id == person_id, Answer.answered_at < before)
        .options(joinedload(Answer.case), joinedload(Answer.unit))
        .order_by(Answer.answered_at.desc(), Answer.id.desc())
        .limit(limit)
    )
    ended = db.session.scalars(
        sa.select(Case)
        .where(Case.person_id == person_id, Case.ended_at < before)
        .order_by(Case.ended_at.desc(), Case.id.desc())
        .limit(limit)
    )
    entries = [
        *(
            _entry(case, at=case.created_at, kind="case", key=f"case:{case.id}", sentence=ASKED, words=case.words)
            for case in asked
        ),
        *(
            _entry(
                answer.case,
                at=answer.answered_at,
                kind="answer",
                key=f"answer:{answer.id}",
                sentence=ANSWERED,
                words=answer.text,
                unit=answer.unit.short_name,
            )
            for answer in answered
        ),
        *(
            _entry(case, at=case.ended_at, kind="case", key=f"case:{case.id}:end", sentence=ENDED, state=case.state)
            for case in ended
        ),
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.key), reverse=True)[:limit]


def _entry(
    case: Case, *, at: datetime, kind: str, key: str, sentence: str, words: str | None = None, **values: object
) -> TimelineEntry:
    return TimelineEntry(
        at=at,
        purpose=Purpose.SERVICE,
        kind=kind,
        key=key,
        sentence=sentence,
        values={"title": case.title, **values},
        words=words,
        endpoint="cases.show",
        arguments={"case_id": case.id},
    )


def _may(viewer: Account, *permissions: Permission) -> bool:
    return any(viewer.may(permission) for permission in permissions)


def _nothing() -> sa.Select[tuple[Case]]:
    return sa.select(Case).where(sa.false())


def _in_tab(viewer: Account, tab: Tab, now: datetime) -> sa.ColumnElement[bool]:
    tonight = datetime.combine(office_day(now), time.max, tzinfo=OFFICE)
    if tab is Tab.ENDED:
        return Case.ended_at.is_not(None)
    conditions = {
        Tab.OPEN: [],
        Tab.WATCH: [sa.or_(Case.due_at <= tonight, Case.state == CaseState.CONTESTED)],
        Tab.LATE: [Case.due_at < now],
        Tab.TODAY: [Case.due_at >= now, Case.due_at <= tonight],
        Tab.OWED: [Case.state.in_([CaseState.ASSIGNED, CaseState.ACCEPTED])],
        Tab.TO_ASSIGN: [Case.state.in_([CaseState.REGISTERED, CaseState.RETURNED])],
        Tab.TO_ACCEPT: [Case.state == CaseState.ASSIGNED],
        Tab.TO_ANSWER: [Case.state == CaseState.ACCEPTED],
        Tab.TO_HEAR: [Case.state == CaseState.REPLIED],
        Tab.CONTESTED: [Case.state == CaseState.CONTESTED],
    }[tab]
    if tab in (Tab.OWED, Tab.TO_ACCEPT, Tab.TO_ANSWER):
        led = reached_ids(viewer, Permission.CASE_HANDLE)
        conditions.append(Case.lead_id.is_not(None) if led is None else Case.lead_id.in_(led))
    return sa.and_(OPEN, *conditions)


def _chosen(choice: Choice) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if choice.topic is not None:
        conditions.append(Case.topic == choice.topic)
    if choice.source is not None:
        conditions.append(Case.source == choice.source)
    if choice.unit_id is not None:
        conditions.append(sa.func.coalesce(Case.answerable_id, Case.lead_id) == choice.unit_id)
    if choice.text:
        conditions.append(said_in(choice.text))
    return conditions


def said_in(text: str) -> sa.ColumnElement[bool]:
    """Return the condition on Case for a text typed into a search: the beginning of a number, or words of a person."""
    number = unicodedata.normalize("NFKC", text).strip()
    if NUMBER_BEGINS.fullmatch(number):
        return sa.and_(Case.number >= number, Case.number < number + LAST_SIGN)
    return people.said_of(Case.person_id, text)


NUMBER_BEGINS = re.compile(r"\d{4}-\d{0,6}|(?:19|20)\d{2}", re.ASCII)


def _names_of(account_ids: Collection[int | None]) -> dict[int, str]:
    known = [account_id for account_id in account_ids if account_id is not None]
    if not known:
        return {}
    return dict(db.session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(known))).all())


def _units_of(unit_ids: Collection[int]) -> dict[int, str]:
    if not unit_ids:
        return {}
    found = db.session.execute(sa.select(Organisation.id, Organisation.short_name).where(Organisation.id.in_(unit_ids)))
    return dict(found.all())


CHOICES: dict[str, Callable[[str], AnswerKind | ReachChannel | Satisfaction]] = {
    "kind": AnswerKind,
    "channel": ReachChannel,
    "satisfaction": Satisfaction,
}


def _past_entry(case: Case, line: HistoryLine, names: dict[int, str], units: dict[int, str]) -> PastEntry:
    values: dict[str, Any] = {"who": _who(case, line, names), "unit": units.get(line.facts.get("unit", 0), "")}
    for key, kind in CHOICES.items():
        if key in line.facts:
            values["choice"] = kind(line.facts[key])
    if "solved" in line.facts:
        values["outcome"] = Outcome.SOLVED if line.facts["solved"] else Outcome.UNSOLVED
    happening = Happening(line.act)
    own = BY_THE_PERSON.get(happening) if line.actor_kind is ActorKind.ATTENDEE else None
    return PastEntry(
        at=line.at,
        happening=happening,
        sentence=own or happening.label,
        values=values,
        words=line.words.text if line.words else None,
        due_at=datetime.fromisoformat(line.facts["due_at"]) if line.facts.get("due_at") else None,
    )


def _who(case: Case, line: HistoryLine, names: dict[int, str]) -> str:
    if line.actor_kind is ActorKind.ATTENDEE:
        return case.person.name
    return names.get(line.actor_id or 0, "")
