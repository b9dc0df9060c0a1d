"""Events and their groups of places."""

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.event import listens_for
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session, relationship
from sqlalchemy.orm.attributes import get_history

from outreach.events.rules import (
    LONGEST_TITLE,
    Direction,
    EventKind,
    EventMode,
    EventState,
    RegistrationWindow,
    Visibility,
    registration_window,
    word_for_kind,
    word_for_programme,
)
from outreach.kernel.database import Model, Moment
from outreach.kernel.history import Subject
from outreach.kernel.word_index import WordIndex, columns_of_words
from outreach.kernel.words import words_of
from outreach.organisations.models import Account, Organisation
from outreach.programmes.models import Programme
from outreach.venues.models import Venue


class Event(Model):
    """One event. Times are moments; what follows from the clock is computed."""

    __tablename__ = "events"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_it_starts"),
        sa.CheckConstraint(
            "registration_closes_at IS NULL OR registration_closes_at <= ends_at", name="closes_before_end"
        ),
        sa.Index("ix_events_list", "organisation_id", "starts_at", "id"),
        sa.Index("ix_events_portal", "state", "visibility", "starts_at", "id"),
        sa.Index("ix_events_in_state", "state", "starts_at", "id", "organisation_id"),
        sa.Index("ix_events_ending", "state", "ends_at", "starts_at"),
        sa.Index("ix_events_in_time", "starts_at", "id", "state", "ends_at", "organisation_id"),
    )

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), active_history=True)
    programme_id: Mapped[int | None] = mapped_column(sa.ForeignKey("programmes.id"), index=True)
    venue_id: Mapped[int | None] = mapped_column(sa.ForeignKey("venues.id"))
    kind: Mapped[EventKind]
    mode: Mapped[EventMode] = mapped_column(default=EventMode.ON_SITE)
    direction: Mapped[Direction] = mapped_column(default=Direction.IN)
    visibility: Mapped[Visibility] = mapped_column(default=Visibility.PUBLIC)
    state: Mapped[EventState] = mapped_column(default=EventState.DRAFT, active_history=True)
    title: Mapped[str] = mapped_column(sa.String(LONGEST_TITLE))
    subtitle: Mapped[str | None] = mapped_column(sa.String(LONGEST_TITLE))
    issue: Mapped[int | None]  # 第 37 期
    about: Mapped[str | None] = mapped_column(sa.Text)
    place: Mapped[str | None] = mapped_column(sa.String(200))  # where there is no venue of ours
    online_url: Mapped[str | None] = mapped_column(sa.String(400))
    host: Mapped[str | None] = mapped_column(sa.String(120))
    starts_at: Mapped[datetime] = mapped_column(active_history=True)
    ends_at: Mapped[datetime]
    doors_open_at: Mapped[datetime | None]
    registration_opens_at: Mapped[datetime | None]
    registration_closes_at: Mapped[datetime | None]  # None: until it starts
    asks_birth: Mapped[bool] = mapped_column(default=False)  # only where the age matters: children may come
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    submitted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    uid: Mapped[str] = mapped_column(sa.String(64), unique=True)  # of calendar entries, for ever
    sequence: Mapped[int] = mapped_column(default=0)  # of calendar entries, up with every change of time or place
    version: Mapped[int] = mapped_column()
    # What it is found by, and stands under in event_words; None: not indexed yet.
    words: Mapped[str | None] = mapped_column(sa.Text, active_history=True)

    organisation: Mapped[Organisation] = relationship()
    programme: Mapped[Programme | None] = relationship()
    venue: Mapped[Venue | None] = relationship()
    author: Mapped[Account] = relationship(foreign_keys=[author_id])
    submitted_by: Mapped[Account | None] = relationship(foreign_keys=[submitted_by_id])
    approved_by: Mapped[Account | None] = relationship(foreign_keys=[approved_by_id])
    groups: Mapped[list["PlaceGroup"]] = relationship(
        back_populates="event", order_by="PlaceGroup.position", cascade="all, delete-orphan"
    )

    __mapper_args__: ClassVar = {"version_id_col": version}

    @property
    def subject(self) -> Subject:
        """The event as the owner of its history."""
        return Subject("event", self.id)

    @property
    def registration_ends_at(self) -> datetime:
        """When registering stops: as said, or when it starts."""
        return self.registration_closes_at or self.starts_at

    @property
    def where(self) -> str | None:
        """The name of the place: its venue, or what was written."""
        return self.venue.name if self.venue else self.place

    @property
    def has_been_public(self) -> bool:
        """Whether it was published at some time, so that people may hold places."""
        return self.published_at is not None

    def registration(self, now: datetime) -> RegistrationWindow:
        """Tell what the clock says about registering for it."""
        return registration_window(
            state=self.state,
            has_groups=bool(self.groups),
            opens_at=self.registration_opens_at,
            closes_at=self.registration_ends_at,
            now=now,
        )

    def is_running(self, now: datetime) -> bool:
        """Tell whether it is going on: the doors are open, and it is not over."""
        return self.state is EventState.PUBLISHED and (self.doors_open_at or self.starts_at) <= now < self.ends_at

    def is_over(self, now: datetime) -> bool:
        """Tell whether its end has passed."""
        return self.ends_at <= now


event_words = sa.Table(
    "event_words",
    Model.metadata,
    *columns_of_words(),
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("event_id", sa.Integer, nullable=False),
    sa.Column("organisation_id", sa.Integer, nullable=False),
    sa.Column(
        "state",
        sa.Enum(
            EventState, values_callable=lambda states: [state.value for state in states], native_enum=False, length=32
        ),
        nullable=False,
    ),
    # The whole row is the key, in the order of the list, as in person_words.
    sa.PrimaryKeyConstraint("word", "starts_at", "event_id", "organisation_id", "state", "shared"),
    sqlite_with_rowid=False,
)
"""Under which words events are found."""


def _words_of(event: Event) -> Iterator[str]:
    """Yield what an event is found by: the words of its titles, of who and what it belongs to, and of where it is."""
    session = object_session(event)
    programme = session.get(Programme, event.programme_id) if event.programme_id else None
    venue = session.get(Venue, event.venue_id) if event.venue_id else None
    for text in (event.title, event.subtitle):
        yield from words_of(text, singly=True)
    for text in (event.host, event.place, programme and programme.name, venue and venue.name):
        yield from words_of(text)
    yield word_for_kind(event.kind)
    if event.programme_id:
        yield word_for_programme(event.programme_id)


EVENTS_BY_WORDS = WordIndex(
    table=event_words,
    columns={"starts_at": "starts_at", "event_id": "id", "organisation_id": "organisation_id", "state": "state"},
    words_of=_words_of,
)
EVENTS_BY_WORDS.follow(Event)


@listens_for(Session, "before_flush")
def _follow_names(session: Session, _context: object, _instances: object) -> None:
    """Find events by the new name of their programme or venue."""
    renamed = [
        (Event.programme_id if isinstance(one, Programme) else Event.venue_id) == one.id
        for one in session.dirty
        if isinstance(one, Programme | Venue) and get_history(one, "name").has_changes()
    ]
    for event in session.scalars(sa.select(Event).where(sa.or_(*renamed))) if renamed else ():
        event.words = None


class PlaceGroup(Model):
    """A group of places (名额组) with a capacity of its own."""

    __tablename__ = "place_groups"
    __table_args__ = (
        sa.CheckConstraint("capacity >= 0", name="capacity_is_not_negative"),
        sa.UniqueConstraint("event_id", "name"),
    )

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(40))
    about: Mapped[str | None] = mapped_column(sa.String(120))  # who it is for
    capacity: Mapped[int]
    reviewed: Mapped[bool] = mapped_column(default=False)  # whether an organiser looks at each registration first

    event: Mapped[Event] = relationship(back_populates="groups")
