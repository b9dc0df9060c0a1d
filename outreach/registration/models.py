"""Registrations and the tickets that open them."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.events.models import Event, PlaceGroup
from outreach.kernel.database import Model
from outreach.kernel.history import Subject
from outreach.kernel.sealing import ring
from outreach.people.models import ContactPoint, Person
from outreach.people.rules import Through
from outreach.registration.rules import RegistrationState

_ID_BYTES, _PROOF_BYTES = 6, 12
_LIVING = sa.text("state IN ('pending', 'confirmed', 'waitlisted')")


class Registration(Model):
    """One person's registration for one event. The waiting list's order is `queued_at`, then the id."""

    __tablename__ = "registrations"
    __table_args__ = (
        # one person, one living registration per event: whatever is pressed twice
        sa.Index(
            "uq_registrations_living",
            "event_id",
            "person_id",
            unique=True,
            sqlite_where=_LIVING,
            postgresql_where=_LIVING,
        ),
        sa.UniqueConstraint("event_id", "short_code"),
        sa.Index("ix_registrations_group", "group_id", "state", "queued_at", "id"),
        sa.CheckConstraint("NOT under_age OR guardian_id IS NOT NULL", name="a_child_has_a_guardian"),
        sa.Index("ix_registrations_list", "event_id", "id"),
        sa.Index("ix_registrations_person", "person_id", "created_at", "id"),
    )

    event_id: Mapped[int] = mapped_column(sa.ForeignKey("events.id"))
    group_id: Mapped[int] = mapped_column(sa.ForeignKey("place_groups.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_points.id"), index=True)
    state: Mapped[RegistrationState]
    short_code: Mapped[str] = mapped_column(sa.String(6))  # typed at the door where no camera reads
    created_at: Mapped[datetime]
    queued_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(200))
    under_age: Mapped[bool] = mapped_column(default=False)  # under 14 when they were registered
    guardian_id: Mapped[int | None] = mapped_column(sa.ForeignKey("guardians.id"))
    # through whom they came this time: an ambassador or a station
    through_account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    through_organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    version: Mapped[int] = mapped_column()

    event: Mapped[Event] = relationship()
    group: Mapped[PlaceGroup] = relationship()
    person: Mapped[Person] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()

    __mapper_args__: ClassVar = {"version_id_col": version}

    @property
    def through(self) -> Through:
        """Through whom the person came."""
        return Through(self.through_account_id, self.through_organisation_id)

    @property
    def subject(self) -> Subject:
        """The registration as the owner of its history."""
        return Subject("registration", self.id)

    @property
    def token(self) -> str:
        """The secret in the link of its ticket: 24 signs, the id and a keyed proof that we issued it."""
        return ticket_token(self.id)


def ticket_token(registration_id: int) -> str:
    """Return the secret in the link of a registration's ticket."""
    number = registration_id.to_bytes(_ID_BYTES, "big")
    return base64.urlsafe_b64encode(number + _proof(number)).decode()


def id_in_token(token: str) -> int | None:
    """Return the id of the registration that a ticket's token was issued for; None where it was not issued by us."""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    number, proof = raw[:_ID_BYTES], raw[_ID_BYTES:]
    if len(raw) != _ID_BYTES + _PROOF_BYTES or not hmac.compare_digest(proof, _proof(number)):
        return None
    return int.from_bytes(number, "big")


def _proof(number: bytes) -> bytes:
    return hmac.new(ring().ticket, b"ticket\0" + number, hashlib.sha256).digest()[:_PROOF_BYTES]
