"""Reading the door: its phones, its arrivals, and whom somebody at the door asks for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.door.models import Arrival, DoorInvitation, DoorPass
from outreach.door.rules import PASSES_OUTLIVE, Door
from outreach.events.models import Event
from outreach.events.rules import EventState
from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.kernel.wording import N_
from outreach.people.models import Person
from outreach.people.rules import TimelineEntry
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState

MOST_FOUND = 8


@dataclass(frozen=True)
class Count:
    """How many came of how many have a place."""

    arrived: int
    expected: int


def hash_of(token: str) -> str:
    """Return what of a link's or a phone's secret is kept: its hash, so that a stolen database opens no door."""
    return hashlib.sha256(token.encode()).hexdigest()


def door_of(event: Event) -> Door:
    """Return what of an event decides at its door."""
    return Door(
        event_id=event.id, state=event.state, opens_at=event.doors_open_at or event.starts_at, ends_at=event.ends_at
    )


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
    return event.state not in {EventState.DRAFT, EventState.SUBMITTED} and now < event.ends_at + PASSES_OUTLIVE


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


def phones_enrolled(invitation_id: int) -> int:
    """Return how many phones a link has enrolled."""
    return db.session.scalar(
        sa.select(sa.func.count()).select_from(DoorPass).where(DoorPass.invitation_id == invitation_id)
    )


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
        .join(Registration, Registration.id == Arrival.registration_id)
        .where(Registration.person_id == person_id, Arrival.at < before)
        .options(joinedload(Arrival.registration).joinedload(Registration.event))
        .order_by(Arrival.at.desc(), Arrival.id.desc())
        .limit(limit)
    )
    return [
        TimelineEntry(
            at=one.at,
            kind="arrival",
            key=f"arrival:{one.id}",
            sentence=N_("Came to “%(event)s”"),
            values={"event": one.registration.event.title},
            endpoint="door.index",
            arguments={"event_id": one.event_id},
        )
        for one in found
    ]
