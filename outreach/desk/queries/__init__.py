"""What each role's first page answers, a person's record with one timeline, an event's overview, the search.

Reads every feature, always within what the viewer may reach.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from outreach.cases import queries as cases
from outreach.cases.models import Answer, Case, Feedback, TopicRoute
from outreach.cases.rules.answers import Satisfaction
from outreach.cases.rules.lists import Tab
from outreach.cases.rules.moves import CaseState
from outreach.desk.rules import (
    Bar,
    Place,
    SetUpStep,
    Slip,
    arrivals_in_steps,
    is_before,
    place_in,
    slip,
    working_days_used,
)
from outreach.door import queries as door
from outreach.door.models import Arrival
from outreach.events import queries as events
from outreach.events.models import Event, PlaceGroup
from outreach.events.queries import Tab as EventTab
from outreach.events.rules import EventState
from outreach.intake import queries as intake
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.database import Moment, db
from outreach.kernel.paging import Key, Page, page_of
from outreach.kernel.wording import N_
from outreach.liaison import queries as liaison
from outreach.liaison.models import Pairing
from outreach.liaison.queries import DueCounts, PairingDue, visits
from outreach.organisations import queries as organisations
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import installation, reach
from outreach.organisations.rules import ROLE_PERMISSIONS, Permission
from outreach.people import queries as people
from outreach.people.models import Person
from outreach.people.rules import Through, TimelineEntry
from outreach.registration import queries as registration
from outreach.registration.models import Registration
from outreach.registration.rules import LIVING, RegistrationState

SHOWN = 12
LATELY = timedelta(days=30)
SOON = timedelta(days=14)

# --- a leader's promises -----------------------------------------------------------------------

IN_HAND = (CaseState.ASSIGNED, CaseState.ACCEPTED, CaseState.RETURNED)
PROMISED_BY = sa.case(
    (sa.and_(Case.state.in_(IN_HAND), Case.answer_due_at.is_not(None)), Case.answer_due_at),
    else_=Case.due_at,
)
"""The date a promise is kept or broken: the answer's, while one is owed; else the next step's."""
PROMISED_BY.type = Moment()


@dataclass(frozen=True)
class Promise:
    """An open request of a talent one keeps in touch with, against today."""

    case: Case
    due_at: datetime
    slip: Slip


@dataclass(frozen=True)
class Kept:
    """A request that ended lately: what the talent said of it, and the working days its answer took."""

    case: Case
    feedback: Feedback | None
    days: int


@dataclass(frozen=True)
class Coming:
    """An event that is coming, and the names of the viewer's talents who have a place."""

    event: Event
    talents: Sequence[str]


@dataclass(frozen=True)
class LiaisonPart:
    """The first page of a leader or of who serves one."""

    for_others: bool  # whether the viewer serves leaders rather than being one
    open: int
    late: int
    longest: Promise | None
    promises: Page[Promise]
    counts: DueCounts
    contacts: Sequence[PairingDue]
    kept: Sequence[Kept]
    ended: int
    satisfied: int
    unreached: int
    coming: Sequence[Coming]


def liaison_part(viewer: Account, *, now: datetime, cursor: str | None) -> LiaisonPart:
    """Return which promises are open, whose and how late, and whom to contact."""
    mine = Case.person_id.in_(liaison.paired_people(viewer))
    calendar = working_calendar()

    def promise(case: Case, due_at: datetime) -> Promise:
        return Promise(case, due_at, slip(created_at=case.created_at, due_at=due_at, now=now, calendar=calendar))

    opened = sa.and_(mine, cases.OPEN)
    page = page_of(
        sa.select(Case)
        .where(opened)
        .options(joinedload(Case.person), joinedload(Case.answerable), joinedload(Case.handler)),
        keys=[Key(PROMISED_BY), Key(Case.id)],
        cursor=cursor,
        size=SHOWN,
    )
    due_at = dict(
        db.session.execute(sa.select(Case.id, PROMISED_BY).where(Case.id.in_([case.id for case in page.items]))).all()
    )
    promises = Page([promise(case, due_at[case.id]) for case in page.items], page.previous, page.next)
    count, late = db.session.execute(
        sa.select(sa.func.count(), sa.func.count().filter(now > PROMISED_BY)).select_from(Case).where(opened)
    ).one()
    longest = promises.items[0] if promises.items and not page.previous and promises.items[0].slip.late else None
    ended, satisfied, unreached = _lately_ended(mine, now=now)
    contacts = liaison.due_pairings(viewer, now=now, mine=True, size=6).items
    return LiaisonPart(
        for_others=bool(contacts) and all(row.pairing.leader_id != viewer.id for row in contacts),
        open=count,
        late=late,
        longest=longest,
        promises=promises,
        counts=liaison.due_counts(viewer, now=now, mine=True),
        contacts=contacts,
        kept=_kept(mine, now=now),
        ended=ended,
        satisfied=satisfied,
        unreached=unreached,
        coming=_coming(liaison.paired_people(viewer), now=now),
    )


def _lately(mine: Any, now: datetime) -> Any:
    return sa.and_(mine, Case.ended_at >= now - LATELY, Case.state != CaseState.WITHDRAWN)


def _lately_ended(mine: Any, *, now: datetime) -> tuple[int, int, int]:
    content = sa.exists().where(
        Answer.case_id == Case.id,
        Feedback.answer_id == Answer.id,
        Feedback.satisfaction.in_((Satisfaction.SATISFIED, Satisfaction.MOSTLY)),
    )
    row = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(content),
            sa.func.count().filter(Case.state == CaseState.UNREACHED),
        )
        .select_from(Case)
        .where(_lately(mine, now))
    ).one()
    return tuple(row)


def _kept(mine: Any, *, now: datetime) -> list[Kept]:
    calendar = working_calendar()
    found = db.session.scalars(
        sa.select(Case)
        .where(_lately(mine, now))
        .options(joinedload(Case.person), joinedload(Case.lead), selectinload(Case.answers).joinedload(Answer.feedback))
        .order_by(Case.ended_at.desc(), Case.id.desc())
        .limit(5)
    )
    return [
        Kept(
            case=case,
            feedback=case.answer.feedback if case.answer else None,
            days=working_days_used(
                start=case.created_at,
                end=case.answer.answered_at if case.answer else case.ended_at,
                calendar=calendar,
            ),
        )
        for case in found
    ]


def _coming(person_ids: sa.Select[tuple[int]], *, now: datetime) -> list[Coming]:
    found = db.session.scalars(
        sa.select(Event)
        .where(
            *events.open_to_all(),
            Event.state == EventState.PUBLISHED,
            Event.ends_at > now,
            Event.starts_at < now + SOON,
        )
        .options(joinedload(Event.venue))
        .order_by(Event.starts_at, Event.id)
        .limit(4)
    ).all()
    names: dict[int, list[str]] = {}
    for event_id, name in db.session.execute(
        sa.select(Registration.event_id, Person.name)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.event_id.in_([event.id for event in found]),
            Registration.state == RegistrationState.CONFIRMED,
            Registration.person_id.in_(person_ids),
        )
        .order_by(Registration.id)
    ):
        names.setdefault(event_id, []).append(name)
    return [Coming(event, names.get(event.id, [])) for event in found]


# --- a unit's desk, the office, supervision ----------------------------------------------------


@dataclass(frozen=True)
class CaseRow:
    """An open request as a list on a first page shows it."""

    case: Case
    slip: Slip


@dataclass(frozen=True)
class UnitPart:
    """The first page of a department's desk: what the unit owes, and by when."""

    units: Sequence[str]
    load: cases.Load
    rows: Sequence[CaseRow]


def unit_part(viewer: Account, *, now: datetime) -> UnitPart:
    """Return what the viewer's units owe, soonest due first."""
    units = [
        grant.organisation.short_name
        for grant in viewer.grants_now
        if Permission.CASE_HANDLE in ROLE_PERMISSIONS[grant.role]
    ]
    return UnitPart(
        units=list(dict.fromkeys(units)),
        load=cases.load_of(viewer, now=now),
        rows=_case_rows(viewer, Tab.OWED, now=now, size=SHOWN),
    )


def _case_rows(viewer: Account, tab: Tab, *, now: datetime, size: int) -> list[CaseRow]:
    calendar = working_calendar()
    page = cases.list_of(viewer, cases.Choice(tab=tab), cursor=None, now=now, size=size)
    return [
        CaseRow(case, slip(created_at=case.created_at, due_at=case.due_at, now=now, calendar=calendar))
        for case in page.items
        if case.due_at is not None
    ]


@dataclass(frozen=True)
class EventRow:
    """A coming event with how its places stand."""

    event: Event
    capacity: int
    taken: int
    waiting: int
    pending: int


@dataclass(frozen=True)
class OfficePart:
    """The first page of an organiser: what to approve, what runs next, what to hand over."""

    to_approve: Sequence[Event]
    returned: Sequence[Event]
    next: Sequence[EventRow]
    to_assign: Sequence[CaseRow]
    assign_count: int
    pending: int


def office_part(viewer: Account, *, now: datetime) -> OfficePart:
    """Return what waits for an organiser or approver."""
    coming = events.my_next(viewer, now=now, limit=5)
    rows = _event_rows(coming)
    assigns = viewer.may(Permission.CASE_ASSIGN)
    returned = db.session.scalars(
        sa.select(Event)
        .where(Event.author_id == viewer.id, Event.state == EventState.DRAFT)
        .order_by(Event.starts_at, Event.id)
        .limit(5)
    ).all()
    return OfficePart(
        to_approve=events.awaiting(viewer, now=now),
        returned=returned,
        next=rows,
        to_assign=_case_rows(viewer, Tab.TO_ASSIGN, now=now, size=6) if assigns else [],
        assign_count=cases.counts_for(viewer, [Tab.TO_ASSIGN], now=now)[Tab.TO_ASSIGN] if assigns else 0,
        pending=sum(row.pending for row in rows),
    )


def _event_rows(found: Sequence[Event]) -> list[EventRow]:
    ids = [event.id for event in found]
    places = registration.places(ids) if ids else {}
    pending = dict(
        db.session.execute(
            sa.select(Registration.event_id, sa.func.count())
            .where(Registration.event_id.in_(ids), Registration.state == RegistrationState.PENDING)
            .group_by(Registration.event_id)
        ).all()
    )
    return [
        EventRow(
            event=event,
            capacity=sum(places[group.id].capacity for group in event.groups),
            taken=sum(places[group.id].taken for group in event.groups),
            waiting=sum(places[group.id].waiting for group in event.groups),
            pending=pending.get(event.id, 0),
        )
        for event in found
    ]


@dataclass(frozen=True)
class SupervisionPart:
    """The first page of a supervisor: what is late, by which unit, and what is contested."""

    late: int
    contested: int
    rows: Sequence[CaseRow]
    contests: Sequence[CaseRow]
    by_unit: Sequence[tuple[str, int]]


def supervision_part(viewer: Account, *, now: datetime) -> SupervisionPart:
    """Return what a supervisor looks at first."""
    counts = cases.counts_for(viewer, [Tab.LATE, Tab.TO_DECIDE], now=now)
    late = sa.func.count(Case.id)
    by_unit = db.session.execute(
        sa.select(Organisation.short_name, late)
        .join(Case, Case.answerable_id == Organisation.id)
        .where(cases.visible(viewer), cases.OPEN, Case.due_at < now)
        .group_by(Organisation.id, Organisation.short_name)
        .order_by(late.desc(), Organisation.id)
        .limit(8)
    ).all()
    return SupervisionPart(
        late=counts[Tab.LATE],
        contested=counts[Tab.TO_DECIDE],
        rows=_case_rows(viewer, Tab.LATE, now=now, size=SHOWN),
        contests=_case_rows(viewer, Tab.TO_DECIDE, now=now, size=6),
        by_unit=[(name, count) for name, count in by_unit],
    )


@dataclass(frozen=True)
class SetUpPart:
    """The first page of an administrator: how far their part of the tree is set up, and who has not signed in yet.

    `unit` is the office they administer, None for the whole city.
    """

    steps: Sequence[SetUpStep]
    waiting_accounts: int
    unit: Organisation | None = None

    @property
    def done(self) -> bool:
        """Whether every step is done."""
        return all(step.done for step in self.steps)


def set_up_part(viewer: Account) -> SetUpPart:
    """Return the steps that make what the viewer administers ready, each done or not by what the tables hold.

    Who administers a county prepares the county; what every page says of the city is not theirs to say.
    """
    everything = viewer.may(Permission.CITY_EDIT)

    def any_of(model: Any, at_least: int = 1) -> bool:
        place = model.id if model is Organisation else model.organisation_id
        mine = organisations.within(place, viewer, Permission.ADMINISTER)
        return len(db.session.scalars(sa.select(model.id).where(mine).limit(at_least)).all()) >= at_least

    waiting = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Account)
        .where(
            organisations.within(Account.organisation_id, viewer, Permission.ADMINISTER),
            Account.password_hash.is_(None),
            Account.disabled_at.is_(None),
        )
    )
    steps = [
        SetUpStep(
            N_("Bring in the units and their people"),
            N_("One file with two sheets: the tree of organisations, and who works there in which role."),
            "intake.index",
            any_of(Organisation, 2) or (not everything and any_of(Account, 2)),
        ),
        SetUpStep(
            N_("Hand out the one-time links"),
            N_("Everybody chooses their own password; leaders get theirs on paper."),
            "organisations.accounts",
            waiting == 0 and any_of(Account, 2),
        ),
    ]
    if everything:
        city = installation()
        steps += [
            SetUpStep(
                N_("Say how the office is reached"),
                N_("Its address, telephone and hours at the foot of every public page, and the city's own mark."),
                "city.show",
                bool(city and (city.office_address or city.office_phone)),
            ),
            SetUpStep(
                N_("Say which unit answers what"),
                N_("A standing route for each topic: requests go to that unit the moment they come in."),
                "cases.routes",
                bool(db.session.scalar(sa.select(TopicRoute.id).limit(1))),
            ),
        ]
    steps += [
        SetUpStep(
            N_("Bring in the talents"),
            N_("The ledger as it is kept: nothing changes before you have seen what each row would do."),
            "intake.index",
            any_of(Person),
        ),
        SetUpStep(
            N_("Bring in who keeps in touch with whom"),
            N_("The list of leaders, their talents and liaison officers."),
            "intake.index",
            any_of(Pairing),
        ),
        SetUpStep(
            N_("Plan the first event"),
            N_("An organiser drafts it, a second person approves it, and it is on the public page."),
            "events.index",
            any_of(Event),
        ),
    ]
    return SetUpPart(steps, waiting or 0, None if everything else viewer.organisation)


# --- a person's record and timeline ------------------------------------------------------------


def person_for(viewer: Account, person_id: int) -> Person:
    """Return a person the viewer may read, or keeps in touch with as leader or liaison officer; 404 otherwise."""
    if liaison.is_paired_with(viewer, person_id):
        return db.session.get_one(Person, person_id)
    return people.person_for(viewer, person_id)


def came_through(viewer: Account, person: Person) -> tuple[str, Mapping[str, object]]:
    """Return how somebody came into the records: an English source sentence and what it is filled with."""
    kind, _, number = (person.source or "").partition(":")
    event = db.session.get(Event, int(number)) if kind == "registration" and number.isdigit() else None
    if event is not None and events_in_sight(viewer, {event.id}):
        return N_("by registering for “%(event)s”"), {"event": event.title}
    filename = intake.filename_of(int(number)) if kind == "import" and number.isdigit() else None
    if filename:
        return N_("by the file “%(name)s”"), {"name": filename}
    return people.came_by(person.source), {}


@dataclass(frozen=True)
class Told:
    """One entry of a timeline as this viewer reads it: without link and words where they may not follow it."""

    entry: TimelineEntry
    url: tuple[str, Mapping[str, object]] | None


TIMELINE_SIZE = 20
SOURCES: tuple[Callable[..., list[TimelineEntry]], ...] = (
    registration.timeline_of,
    door.timeline_of,
    visits.timeline_of,
    cases.timeline_of,
    people.timeline_of,
)
UNTOLD = {
    "case": N_("Asked for something, or heard the end of it"),
    "answer": N_("Got an answer to what they asked"),
}
"""What stands for an entry about a request that the viewer may not see."""


def timeline(viewer: Account, person: Person, *, cursor: str | None, now: datetime) -> Page[Told]:
    """Return one page of everything between a person and the city, latest first, from every feature that knows some.

    Each source gives its own latest; they are merged by time, and by key within one moment, so that nothing is
    skipped or told twice where pages meet, even where a visit and its requests have the same moment. What was taken
    down for a purpose that is not told (people.rules.Purpose) comes from no source, and would not be shown.
    """
    place = place_in(cursor) or Place(now + timedelta(microseconds=1), "")
    before = place.at + timedelta(microseconds=1)
    # Entries of the place's own moment were told already, at most a page of them: hence twice the size.
    found = [
        sorted(
            (
                entry
                for entry in source(person_id=person.id, before=before, limit=2 * TIMELINE_SIZE + 1)
                if entry.purpose.is_told and is_before(entry, place)
            ),
            key=_order,
            reverse=True,
        )
        for source in (*SOURCES, *((people.looks_on_timeline,) if viewer.may(Permission.PEOPLE_REVEAL) else ()))
    ]
    merged = list(heapq.merge(*found, key=_order, reverse=True))
    shown = merged[:TIMELINE_SIZE]
    more = len(merged) > TIMELINE_SIZE
    return Page(
        items=_told(viewer, shown),
        previous=None,
        next=str(Place(shown[-1].at, shown[-1].key)) if more else None,
    )


def _order(entry: TimelineEntry) -> tuple[datetime, str]:
    return (entry.at, entry.key)


def _told(viewer: Account, entries: Sequence[TimelineEntry]) -> list[Told]:
    def ids(argument: str) -> set[int]:
        return {int(entry.arguments[argument]) for entry in entries if entry.arguments and argument in entry.arguments}

    visible_visits = visits.visits_in_sight(viewer, ids("visit_id"))
    requests = visits.cases_in_sight(viewer, ids("case_id"))
    reached = events_in_sight(viewer, ids("event_id"))

    def told(entry: TimelineEntry) -> Told:
        arguments = entry.arguments or {}
        if arguments.get("visit_id") in visible_visits or arguments.get("case_id") in requests:
            return Told(entry, (entry.endpoint, arguments))
        if arguments.get("event_id") in reached:
            return Told(entry, ("desk.event", arguments))
        if "case_id" in arguments:
            return Told(replace(entry, sentence=UNTOLD[entry.kind], values={}, words=None), None)
        return Told(entry, None)

    return [told(entry) for entry in entries]


def events_in_sight(viewer: Account, event_ids: set[int]) -> set[int]:
    """Return which of these events the viewer may open on the desk."""
    return set(
        db.session.scalars(
            sa.select(Event.id).where(
                Event.id.in_(event_ids), Event.organisation_id.in_(reach(viewer, Permission.EVENT_READ))
            )
        )
    )


def open_requests_of(viewer: Account, person: Person, *, now: datetime) -> list[CaseRow]:
    """Return the person's open requests that the viewer may see, soonest due first."""
    calendar = working_calendar()
    found = db.session.scalars(
        sa.select(Case)
        .where(Case.person_id == person.id, cases.OPEN, cases.visible(viewer))
        .options(joinedload(Case.answerable), joinedload(Case.handler))
        .order_by(Case.due_at, Case.id)
        .limit(20)
    )
    return [
        CaseRow(case, slip(created_at=case.created_at, due_at=case.due_at, now=now, calendar=calendar))
        for case in found
    ]


# --- an event's overview -----------------------------------------------------------------------


@dataclass(frozen=True)
class GroupRow:
    """How one group of places stands."""

    group: PlaceGroup
    confirmed: int
    arrived: int
    pending: int
    waiting: int

    @property
    def free(self) -> int:
        """How many places are left; those under review hold theirs."""
        return max(0, self.group.capacity - self.confirmed - self.pending)


@dataclass(frozen=True)
class Overview:
    """An event in figures: its groups, its door, and what came of it."""

    groups: Sequence[GroupRow]
    bars: Sequence[Bar]
    latest: Sequence[Arrival]
    silent: Sequence[Any]  # door phones in use that were not heard from lately
    phones: Sequence[Any]

    def total(self, name: str) -> int:
        """Return the sum of one figure over the groups."""
        return sum(getattr(row, name) for row in self.groups)

    @property
    def capacity(self) -> int:
        """All places of the event."""
        return sum(row.group.capacity for row in self.groups)


SILENT_AFTER = timedelta(minutes=3)
SHOWN_OF_THE_DOOR = timedelta(minutes=60)
"""How far back from the last arrival the bars reach."""


def overview(event: Event, *, now: datetime) -> Overview:
    """Return the figures of an event that the viewer may see."""
    states: dict[tuple[int, RegistrationState], int] = {
        (group_id, state): count
        for group_id, state, count in db.session.execute(
            sa.select(Registration.group_id, Registration.state, sa.func.count())
            .where(Registration.event_id == event.id)
            .group_by(Registration.group_id, Registration.state)
        )
    }
    arrived = dict(
        db.session.execute(
            sa.select(Registration.group_id, sa.func.count())
            .join(Arrival, Arrival.registration_id == Registration.id)
            .where(Arrival.event_id == event.id)
            .group_by(Registration.group_id)
        ).all()
    )
    last = db.session.scalar(sa.select(sa.func.max(Arrival.at)).where(Arrival.event_id == event.id))
    moments = (
        db.session.scalars(
            sa.select(Arrival.at).where(Arrival.event_id == event.id, Arrival.at > last - SHOWN_OF_THE_DOOR)
        ).all()
        if last
        else []
    )
    phones = [phone for phone in door.phones_of(event.id) if phone.revoked_at is None]
    going_on = (event.doors_open_at or event.starts_at) <= now <= event.ends_at
    return Overview(
        groups=[
            GroupRow(
                group=group,
                confirmed=states.get((group.id, RegistrationState.CONFIRMED), 0),
                arrived=arrived.get(group.id, 0),
                pending=states.get((group.id, RegistrationState.PENDING), 0),
                waiting=states.get((group.id, RegistrationState.WAITLISTED), 0),
            )
            for group in event.groups
        ],
        bars=arrivals_in_steps(moments, now=now),
        latest=door.arrivals_of(event, cursor=None).items[:6],
        silent=[phone for phone in phones if going_on and now - phone.seen_at > SILENT_AFTER],
        phones=phones,
    )


@dataclass(frozen=True)
class AmbassadorPart:
    """The first page of whoever brings people in: the code of their links, and what they brought to what is coming."""

    code: str
    rows: Sequence[tuple[Event, int]]

    @property
    def brought(self) -> int:
        """How many of those who come were brought by them."""
        return sum(count for _event, count in self.rows)


MOST_TO_PASS_ON = 12


def ambassador_part(viewer: Account, *, now: datetime) -> AmbassadorPart:
    """Return the next public events and how many hold or await a place there through the viewer."""
    through = Through(account_id=viewer.id)
    coming = db.session.scalars(
        sa.select(Event)
        .where(*events.open_to_all(), Event.state == EventState.PUBLISHED, Event.starts_at > now)
        .order_by(Event.starts_at, Event.id)
        .limit(MOST_TO_PASS_ON)
    ).all()
    counted = dict(
        db.session.execute(
            sa.select(Registration.event_id, sa.func.count())
            .where(
                Registration.event_id.in_([event.id for event in coming]),
                Registration.state.in_(LIVING),
                *registration.came_through(through),
            )
            .group_by(Registration.event_id)
        ).all()
    )
    code = people.referrers_of([through])[through].code
    return AmbassadorPart(code, [(event, counted.get(event.id, 0)) for event in coming])


def requests_of_guests(viewer: Account, event: Event) -> int:
    """Return how many open requests the people registered for an event have, of those the viewer may see."""
    guests = sa.select(Registration.person_id).where(
        Registration.event_id == event.id, Registration.state == RegistrationState.CONFIRMED
    )
    return db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Case)
        .where(Case.person_id.in_(guests), cases.OPEN, cases.visible(viewer))
    )


# --- search ------------------------------------------------------------------------------------

FEW = 6
MOST_COUNTED = 100
"""No total of a search is counted further than one beyond this: it says whether looking closer pays."""


@dataclass(frozen=True)
class Found:
    """The first few of each kind that the viewer may see, and how many each list holds.

    Requests and events are counted by the views of their lists; whoever reads no list of people has no `people_count`.
    """

    people: Sequence[Person] = ()
    people_count: int | None = None
    requests: Sequence[Case] = ()
    request_counts: Mapping[Tab, int] = field(default_factory=dict)
    events: Sequence[Event] = ()
    event_counts: Mapping[EventTab, int] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """Whether nothing was found."""
        return not (self.people or self.events or self.requests)


def search(viewer: Account, text: str, *, now: datetime) -> Found:
    """Return people, events and requests that fit a name, a number, a title or a request's number.

    Requests come as their lists sort them: what is open by its deadline, then what ended last.
    """
    text = text.strip()[:60]
    if not text:
        return Found()
    met = db.session.scalars(
        sa.select(Person)
        .where(Person.id.in_(liaison.paired_people(viewer)), Person.name.contains(text, autoescape=True))
        .order_by(Person.pinyin, Person.id)
        .limit(FEW)
    ).all()
    known = people.find(viewer, people.Wanted(text=text)) if viewer.may(Permission.PEOPLE_READ) else None
    listed = known.page(size=FEW).items if known else []
    asked: list[Case] = []
    for tab in (Tab.OPEN, Tab.ENDED):
        if len(asked) < FEW:
            choice = cases.Choice(tab=tab, text=text)
            asked += cases.list_of(viewer, choice, cursor=None, now=now, size=FEW - len(asked)).items
    shows = events.find(viewer, events.Filters(text=text))
    return Found(
        people=list({person.id: person for person in [*met, *listed]}.values())[:FEW],
        people_count=known.count(MOST_COUNTED) if known else None,
        requests=asked,
        request_counts=cases.counts_for(viewer, (Tab.OPEN, Tab.ENDED), now=now, text=text, up_to=MOST_COUNTED)
        if asked
        else {},
        events=shows.latest(FEW),
        event_counts=shows.counts(now=now, up_to=MOST_COUNTED),
    )
