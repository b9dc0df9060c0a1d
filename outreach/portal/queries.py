"""What the portal shows: events that everybody may see, with what is left of their places."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.events.models import Event
from outreach.events.queries import FOR_A_PAGE, Filters, open_to_all
from outreach.events.rules import EventKind, EventState
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.people.models import ContactPoint
from outreach.portal.rules import SOON_DAYS, GroupLeft, WayIn, way_in
from outreach.programmes.models import Programme
from outreach.registration.models import Registration
from outreach.registration.queries import places
from outreach.registration.rules import LIVING

PAGE = 20


@dataclass(frozen=True)
class Card:
    """An event as the portal shows it."""

    event: Event
    groups: Sequence[GroupLeft]
    way: WayIn

    @property
    def left(self) -> int:
        """How many places can still be had in all groups together."""
        return sum(group.left for group in self.groups)

    @property
    def few(self) -> bool:
        """Whether what is left is a fifth or less of all places."""
        return 0 < self.left * 5 <= sum(group.capacity for group in self.groups)


@dataclass(frozen=True)
class Month:
    """The cards of one month; `first` is its first day."""

    first: date
    cards: Sequence[Card]


def cards(events: Iterable[Event], now: datetime) -> list[Card]:
    """Return the events as cards; what is left of all their places is counted in one statement."""
    events = list(events)
    counted = places([event.id for event in events])
    return [_card(event, [_left(group, counted) for group in event.groups], now) for event in events]


def _left(group: Any, counted: Any) -> GroupLeft:
    found = counted[group.id]
    return GroupLeft(
        name=group.name,
        about=group.about,
        capacity=found.capacity,
        left=0 if found.is_full else found.free,
        waiting=found.waiting,
    )


def _card(event: Event, groups: Sequence[GroupLeft], now: datetime) -> Card:
    return Card(
        event=event,
        groups=groups,
        way=way_in(
            state=event.state,
            over=event.is_over(now),
            window=event.registration(now),
            full=all(group.left == 0 for group in groups),
        ),
    )


def _coming(now: datetime) -> tuple[Any, ...]:
    return (*open_to_all(), Event.state == EventState.PUBLISHED, Event.ends_at > now)


def coming(*, filters: Filters, cursor: str | None, now: datetime) -> Page[Event]:
    """Return one page of the public events that are not over, soonest first."""
    return page_of(
        sa.select(Event).where(*_coming(now), *filters.conditions()).options(*FOR_A_PAGE),
        keys=(Key(Event.starts_at), Key(Event.id)),
        cursor=cursor,
        size=PAGE,
    )


@dataclass(frozen=True)
class Outlook:
    """How much is to come: by kind, most frequent first, in all and within the next two weeks."""

    total: Mapping[EventKind, int]
    soon: Mapping[EventKind, int]

    def of(self, kind: EventKind | None) -> tuple[int, int]:
        """Return how many of a kind (None: of any) are to come in all, and within the next two weeks."""
        if kind is not None:
            return self.total.get(kind, 0), self.soon.get(kind, 0)
        return sum(self.total.values()), sum(self.soon.values())


def outlook(now: datetime) -> Outlook:
    """Return how much is to come, in one statement."""
    soon = now + timedelta(days=SOON_DAYS)
    rows = db.session.execute(
        sa.select(Event.kind, sa.func.count(), sa.func.count(sa.case((Event.starts_at <= soon, 1))))
        .where(*_coming(now))
        .group_by(Event.kind)
        .order_by(sa.func.count().desc(), Event.kind)
    ).all()
    return Outlook(total={row[0]: row[1] for row in rows}, soon={row[0]: row[2] for row in rows})


def by_month(shown: Sequence[Card]) -> list[Month]:
    """Return the cards by the month they begin in, in the order given."""
    return [
        Month(first=first, cards=list(group))
        for first, group in groupby(shown, key=lambda card: office_day(card.event.starts_at).replace(day=1))
    ]


def programme(programme_id: int) -> Programme:
    """Return a programme that has a public event; 404 for one that has none."""
    return db.one_or_404(
        sa.select(Programme).where(
            Programme.id == programme_id,
            sa.exists().where(Event.programme_id == programme_id, *open_to_all(), Event.state != EventState.CANCELLED),
        )
    )


def past_of(programme_id: int, *, cursor: str | None, now: datetime) -> Page[Event]:
    """Return one page of the programme's public events that are over, latest first."""
    return page_of(
        sa.select(Event)
        .where(
            *open_to_all(),
            Event.programme_id == programme_id,
            Event.state != EventState.CANCELLED,
            Event.ends_at <= now,
        )
        .options(*FOR_A_PAGE),
        keys=(Key(Event.starts_at, descending=True), Key(Event.id, descending=True)),
        cursor=cursor,
        size=PAGE,
    )


def registered_through(contact_point_id: int, event_id: int) -> Sequence[Registration]:
    """Return the living registrations for an event that were made through a contact point, oldest first."""
    return db.session.scalars(
        sa.select(Registration)
        .where(
            Registration.contact_point_id == contact_point_id,
            Registration.event_id == event_id,
            Registration.state.in_(LIVING),
        )
        .options(joinedload(Registration.person))
        .order_by(Registration.id)
    ).all()


def contact_point(contact_point_id: int) -> ContactPoint:
    """Return the contact point an attendee has proven; 404 where it is gone."""
    return db.one_or_404(sa.select(ContactPoint).where(ContactPoint.id == contact_point_id))
