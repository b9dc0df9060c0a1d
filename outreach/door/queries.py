"""Reading the door: its phones, its arrivals, and whom somebody at the door asks for."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from outreach.door.models import HASHED, Arrival, DoorInvitation, DoorPass, facts_covered
from outreach.door.rules import PASSES_OUTLIVE, Door
from outreach.events.models import Event, PlaceGroup
from outreach.events.rules import TOLD_KINDS, EventState
from outreach.kernel import history
from outreach.kernel.database import among, db
from outreach.kernel.lately import Lately
from outreach.kernel.paging import Key, Page, page_of
from outreach.kernel.wording import N_
from outreach.people.models import ContactPoint, Person
from outreach.people.queries import names_of_accounts
from outreach.people.rules import ContactKind, TimelineEntry
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState

MOST_FOUND = 8


# The two statements of a rush are put together once, and asked past the session's own bookkeeping.
_PHONES = (
    sa.select(
        DoorPass.token_hash,
        DoorPass.id,
        DoorPass.event_id,
        DoorPass.name,
        DoorPass.gate,
        DoorPass.seen_at,
        Event.title,
        Event.state,
        sa.func.coalesce(Event.doors_open_at, Event.starts_at, type_=Event.starts_at.type).label("opens_at"),
        Event.ends_at,
    )
    .join(Event, Event.id == DoorPass.event_id)
    .where(among(DoorPass.token_hash, "hashes"), DoorPass.revoked_at.is_(None))
    .order_by(DoorPass.id)
)
_TICKETS = (
    sa.select(
        Registration.id,
        Registration.event_id,
        Registration.state,
        Registration.short_code,
        PlaceGroup.name.label("group_name"),
        Person.name.label("person_name"),
        ContactPoint.kind,
        ContactPoint.value,
        Arrival.id.label("arrival_id"),
    )
    .join(PlaceGroup, PlaceGroup.id == Registration.group_id)
    .join(Person, Person.id == Registration.person_id)
    .outerjoin(ContactPoint, ContactPoint.id == Registration.contact_point_id)
    .outerjoin(Arrival, Arrival.registration_id == Registration.id)
    .where(among(Registration.id, "ids"))
    .order_by(Registration.id)  # two transactions hold what both want in the same order
    .with_for_update(of=Registration)
)


@dataclass(frozen=True)
class Count:
    """How many came of how many have a place."""

    arrived: int
    expected: int


def hash_of(token: str) -> str:
    """Return what of a link's or a phone's secret is kept: its hash, so that a stolen database opens no door."""
    return hashlib.sha256(token.encode()).hexdigest()


def invitation_by_token(token: str, *, now: datetime) -> DoorInvitation | None:
    """Return the invitation a volunteers' link stands for, while it is good."""
    found = db.session.scalar(
        sa.select(DoorInvitation)
        .where(DoorInvitation.token_hash == hash_of(token), DoorInvitation.revoked_at.is_(None))
        .options(joinedload(DoorInvitation.event))
    )
    return found if found is not None and has_a_door(found.event, now) else None


def pass_by_token(token: str, *, now: datetime) -> DoorPass | None:
    """Return the pass of a volunteer's phone, while it is good: until some hours after the event, unless revoked."""
    found = db.session.scalar(
        sa.select(DoorPass)
        .where(DoorPass.token_hash == hash_of(token), DoorPass.revoked_at.is_(None))
        .options(joinedload(DoorPass.event))
    )
    return found if found is not None and has_a_door(found.event, now) else None


def has_a_door(event: Event, now: datetime) -> bool:
    """Tell whether links and phones of an event are good: once it is public, until some hours after its end."""
    return _good(event.state, event.ends_at, now)


def _good(state: EventState, ends_at: datetime, now: datetime) -> bool:
    return state not in {EventState.DRAFT, EventState.SUBMITTED} and now < ends_at + PASSES_OUTLIVE


def open_invitation(event_id: int) -> DoorInvitation | None:
    """Return the event's newest link that was not revoked."""
    return db.session.scalar(
        sa.select(DoorInvitation)
        .where(DoorInvitation.event_id == event_id, DoorInvitation.revoked_at.is_(None))
        .order_by(DoorInvitation.id.desc())
        .limit(1)
    )


def phones_of(event_id: int) -> Sequence[DoorPass]:
    """Return the phones enrolled for an event, the last seen first; revoked ones at the end."""
    return db.session.scalars(
        sa.select(DoorPass)
        .where(DoorPass.event_id == event_id)
        .order_by(DoorPass.revoked_at.is_not(None), DoorPass.seen_at.desc(), DoorPass.id)
    ).all()


def phone_of_event(*, event: Event, pass_id: int) -> DoorPass | None:
    """Return one phone of an event the caller may run the door of; None where it is another's."""
    found = db.session.get(DoorPass, pass_id)
    return found if found is not None and found.event_id == event.id else None


@dataclass(frozen=True)
class Link:
    """A volunteers' link as the organiser's page tells of it."""

    made_at: datetime
    made_by: str
    ended_at: datetime | None
    ended_by: str | None  # None where a newer link ended it, or nobody did
    phones: int


def links_of(event: Event) -> list[Link]:
    """Return every link that was made for an event's door, the latest first."""
    joined = (
        sa.select(sa.func.count())
        .where(DoorPass.invitation_id == DoorInvitation.id)
        .correlate(DoorInvitation)
        .scalar_subquery()
    )
    found = db.session.execute(
        sa.select(DoorInvitation, joined).where(DoorInvitation.event_id == event.id).order_by(DoorInvitation.id.desc())
    ).all()
    ended = {
        line.facts["invitation"]: line.actor_id
        for line in history.lines_of(event.subject)
        if line.act == "door.link_revoked"
    }
    names = names_of_accounts(sorted({one.account_id for one, _ in found} | {by for by in ended.values() if by}))
    return [
        Link(
            made_at=one.created_at,
            made_by=names.get(one.account_id, ""),
            ended_at=one.revoked_at,
            ended_by=names.get(ended.get(one.id) or 0),
            phones=phones,
        )
        for one, phones in found
    ]


def phones_enrolled(invitation_id: int) -> int:
    """Return how many phones a link has enrolled."""
    return db.session.scalar(
        sa.select(sa.func.count()).select_from(DoorPass).where(DoorPass.invitation_id == invitation_id)
    )


@dataclass(frozen=True)
class Phone:
    """A phone at a door, as letting in needs it, with what of its event is shown."""

    id: int
    event_id: int
    name: str
    gate: str | None
    seen_at: datetime
    title: str
    door: Door


def phones_by_hash(hashes: Collection[str], *, now: datetime) -> dict[str, Phone]:
    """Return the phones whose secrets have these hashes, those left out that are not good any more."""
    found = db.session.connection().execute(_PHONES, {"hashes": hashes})
    return {
        row.token_hash: Phone(
            id=row.id,
            event_id=row.event_id,
            name=row.name,
            gate=row.gate,
            seen_at=row.seen_at,
            title=row.title,
            door=Door(event_id=row.event_id, state=row.state, opens_at=row.opens_at, ends_at=row.ends_at),
        )
        for row in found
        if _good(row.state, row.ends_at, now)
    }


@dataclass(frozen=True)
class Entry:
    """When somebody came in, and whose phone let them in where it was a phone."""

    at: datetime
    gate: str | None
    by: str | None


@dataclass(frozen=True)
class Evening:
    """An event as the door speaks of it to who came to the wrong one."""

    title: str
    starts_at: datetime


@dataclass(frozen=True)
class Holder:
    """A ticket and who holds it, as far as the door is shown it."""

    registration_id: int
    event_id: int
    state: RegistrationState
    short_code: str
    group: str
    name: str
    phone: str | None
    entry: Entry | None


def held_tickets(registration_ids: Collection[int]) -> dict[int, Holder]:
    """Return tickets by the registration's id, each held until the transaction ends: nobody ends it meanwhile."""
    found = db.session.connection().execute(_TICKETS, {"ids": registration_ids}).all()
    arrived = [row.id for row in found if row.arrival_id is not None]
    entries = entries_of(arrived) if arrived else {}
    return {
        row.id: Holder(
            registration_id=row.id,
            event_id=row.event_id,
            state=row.state,
            short_code=row.short_code,
            group=row.group_name,
            name=row.person_name,
            phone=row.value if row.kind is ContactKind.PHONE else None,
            entry=entries.get(row.id),
        )
        for row in found
    }


def entries_of(registration_ids: Collection[int]) -> dict[int, Entry]:
    """Return when and by whom tickets were taken, by the registration's id."""
    found = db.session.execute(
        sa.select(Arrival.registration_id, Arrival.at, DoorPass.gate, DoorPass.name)
        .outerjoin(DoorPass, DoorPass.id == Arrival.door_pass_id)
        .where(Arrival.registration_id.in_(registration_ids))
        .order_by(Arrival.id)
    )
    return {row.registration_id: Entry(at=row.at, gate=row.gate, by=row.name) for row in found}


def evening_of(event_id: int) -> Evening:
    """Return what the door says of an event."""
    return Evening(*db.session.execute(sa.select(Event.title, Event.starts_at).where(Event.id == event_id)).one())


def ids_by_code(codes: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Return the ids of registrations by their event and short code (in its normal form)."""
    found = db.session.execute(
        sa.select(Registration.event_id, Registration.short_code, Registration.id)
        .where(sa.tuple_(Registration.event_id, Registration.short_code).in_(codes))
        .order_by(Registration.id)
    )
    return {(row.event_id, row.short_code): row.id for row in found}


def broken_arrivals(*, most: int = 100) -> list[int]:
    """Return the ids of the first arrivals whose facts are not those that were written, in order of their ids."""
    broken: list[int] = []
    found = db.session.execute(
        sa.select(Arrival.id, Arrival.hash, *(getattr(Arrival, name) for name in HASHED)).order_by(Arrival.id),
        execution_options={"yield_per": 1000},
    )
    for arrival_id, kept, *values in found:
        facts = dict(zip(HASHED, values, strict=True))
        if not history.holds(kept, facts_covered(**facts), at=facts["received_at"]):
            broken.append(arrival_id)
            if len(broken) == most:
                break
    return broken


def arrival_of(registration_id: int) -> Arrival | None:
    """Return when and by whom a ticket was taken, if it was."""
    return db.session.scalar(
        sa.select(Arrival).where(Arrival.registration_id == registration_id).options(joinedload(Arrival.door_pass))
    )


def counts(event_id: int) -> Count:
    """Return how many came, and how many have a place, the ones who came included."""
    arrived = db.session.scalar(sa.select(sa.func.count()).select_from(Arrival).where(Arrival.event_id == event_id))
    expected = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Registration)
        .where(Registration.event_id == event_id, Registration.state == RegistrationState.CONFIRMED)
    )
    return Count(arrived=arrived, expected=expected)


_counts = Lately(counts)


def counts_lately(event_id: int, *, now: datetime) -> Count:
    """Return the same, counted anew by this process at most once a second: under a rush it is up to a second old."""
    return _counts.about(event_id, now=now)


def arrivals_by_phone(event_id: int) -> dict[int, int]:
    """Return how many each phone of an event let in, by the pass's id."""
    found = db.session.execute(
        sa.select(Arrival.door_pass_id, sa.func.count())
        .where(Arrival.event_id == event_id, Arrival.door_pass_id.is_not(None))
        .group_by(Arrival.door_pass_id)
        .order_by(Arrival.door_pass_id)
    )
    return dict(found.all())


def arrivals_of(event: Event, *, cursor: str | None) -> Page[Arrival]:
    """Return who came to an event the caller may see, the latest first."""
    statement = (
        sa.select(Arrival)
        .where(Arrival.event_id == event.id)
        .options(
            joinedload(Arrival.door_pass),
            joinedload(Arrival.registration).joinedload(Registration.person),
            joinedload(Arrival.registration).joinedload(Registration.group),
        )
    )
    return page_of(statement, keys=[Key(Arrival.at, descending=True), Key(Arrival.id, descending=True)], cursor=cursor)


def find(event_id: int, text: str) -> Sequence[Registration]:
    """Return those registered for an event whose name or its pinyin begins so; never more than a handful.

    For somebody who stands at the door without a ticket. Two letters of pinyin or one character are needed.
    """
    text = text.strip()
    if len(text) < (2 if text.isascii() else 1):
        return []
    if text.isascii():
        letters = text.lower().replace(" ", "")
        # The readings stand one after the other, each after a space.
        begins = sa.or_(
            Person.pinyin.startswith(letters, autoescape=True), Person.pinyin.contains(f" {letters}", autoescape=True)
        )
    else:
        begins = Person.name.startswith(text, autoescape=True)
    return db.session.scalars(
        sa.select(Registration)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.event_id == event_id,
            Registration.state.in_((RegistrationState.CONFIRMED, RegistrationState.WAITLISTED)),
            begins,
        )
        .options(
            joinedload(Registration.person), joinedload(Registration.group), joinedload(Registration.contact_point)
        )
        .order_by(Person.pinyin, Registration.id)
        .limit(MOST_FOUND + 1)
    ).all()


def timeline_of(*, person_id: int, before: datetime, limit: int) -> list[TimelineEntry]:
    """Return the events a person came to, latest first, before a moment."""
    found = db.session.scalars(
        sa.select(Arrival)
        .join(Arrival.registration)
        .join(Registration.event)
        .where(Registration.person_id == person_id, Arrival.at < before, Event.kind.in_(TOLD_KINDS))
        .options(contains_eager(Arrival.registration).contains_eager(Registration.event))
        .order_by(Arrival.at.desc(), Arrival.id.desc())
        .limit(limit)
    )
    return [
        TimelineEntry(
            at=one.at,
            purpose=one.registration.event.kind.purpose,
            kind="arrival",
            key=f"arrival:{one.id}",
            sentence=N_("Came to “%(event)s”"),
            values={"event": one.registration.event.title},
            endpoint="door.index",
            arguments={"event_id": one.event_id},
        )
        for one in found
    ]
