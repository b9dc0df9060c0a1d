"""Events and their groups of places."""

from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.events.rules import (
    LONGEST_TITLE,
    Direction,
    EventKind,
    EventMode,
    EventState,
    RegistrationWindow,
    Visibility,
    registration_window,
)
from outreach.kernel.database import Model
from outreach.kernel.history import Subject
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
    )

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    programme_id: Mapped[int | None] = mapped_column(sa.ForeignKey("programmes.id"), index=True)
    venue_id: Mapped[int | None] = mapped_column(sa.ForeignKey("venues.id"))
    kind: Mapped[EventKind]
    mode: Mapped[EventMode] = mapped_column(default=EventMode.ON_SITE)
    direction: Mapped[Direction] = mapped_column(default=Direction.IN)
    visibility: Mapped[Visibility] = mapped_column(default=Visibility.PUBLIC)
    state: Mapped[EventState] = mapped_column(default=EventState.DRAFT)
    title: Mapped[str] = mapped_column(sa.String(LONGEST_TITLE))
    subtitle: Mapped[str | None] = mapped_column(sa.String(LONGEST_TITLE))
    issue: Mapped[int | None]  # 第 37 期
    about: Mapped[str | None] = mapped_column(sa.Text)
    place: Mapped[str | None] = mapped_column(sa.String(200))  # where there is no venue of ours
    online_url: Mapped[str | None] = mapped_column(sa.String(400))
    host: Mapped[str | None] = mapped_column(sa.String(120))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    doors_open_at: Mapped[datetime | None]
    registration_opens_at: Mapped[datetime | None]
    registration_closes_at: Mapped[datetime | None]  # None: until it starts
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    submitted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    uid: Mapped[str] = mapped_column(sa.String(64), unique=True)  # of calendar entries, for ever
    sequence: Mapped[int] = mapped_column(default=0)  # of calendar entries, up with every change of time or place
    version: Mapped[int] = mapped_column()

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
