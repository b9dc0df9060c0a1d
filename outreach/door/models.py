"""Arrivals, and the phones that may take them down."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.door.rules import LONGEST_NAME, EntryWay
from outreach.events.models import Event
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import Model
from outreach.registration.models import Registration


class DoorInvitation(Model):
    """The link (or QR) by which volunteers' phones are enrolled for one event. Only its hash is kept."""

    __tablename__ = "door_invitations"

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    revoked_at: Mapped[datetime | None]

    event: Mapped[Event] = relationship()


class DoorPass(Model):
    """One volunteer's phone at one event's door, without an account."""

    __tablename__ = "door_passes"

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"), index=True)
    invitation_id: Mapped[int] = mapped_column(sa.ForeignKey("door_invitations.id"))
    name: Mapped[str] = mapped_column(sa.String(LONGEST_NAME))
    gate: Mapped[str | None] = mapped_column(sa.String(LONGEST_NAME))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    enrolled_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    event: Mapped[Event] = relationship()

    @property
    def actor(self) -> Actor:
        """The phone as the author of a change."""
        return Actor(ActorKind.DOOR, self.id)


class Arrival(Model):
    """That somebody came in. Counted once, whoever scanned it, whenever it arrives.

    The row is its own line of history: triggers refuse to change or delete it, and its keyed hash covers its facts.
    """

    __tablename__ = "arrivals"
    __table_args__ = (
        sa.UniqueConstraint("registration_id"),
        sa.Index("ix_arrivals_event", "event_id", "at", "id"),
    )

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(sa.ForeignKey("registrations.id"))
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    way: Mapped[EntryWay]
    by_kind: Mapped[ActorKind]
    by_id: Mapped[int | None]
    door_pass_id: Mapped[int | None] = mapped_column(sa.ForeignKey("door_passes.id"))
    hash: Mapped[str] = mapped_column(sa.String(64))

    registration: Mapped[Registration] = relationship()
    door_pass: Mapped[DoorPass | None] = relationship()


HASHED = ("event_id", "registration_id", "at", "received_at", "way", "by_kind", "by_id", "door_pass_id")
"""The facts of an arrival that its hash covers: all of them."""


def facts_covered(
    *,
    event_id: int,
    registration_id: int,
    at: datetime,
    received_at: datetime,
    way: EntryWay,
    by_kind: ActorKind,
    by_id: int | None,
    door_pass_id: int | None,
) -> list[object]:
    """Return an arrival's facts as its keyed hash covers them (kernel.history.keyed_hash); written at `received_at`."""
    moments = [each.astimezone(UTC).isoformat() for each in (at, received_at)]
    return ["arrival", event_id, registration_id, *moments, way, by_kind, by_id, door_pass_id]
