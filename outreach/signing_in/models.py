"""Codes, one-time links and the attempts that limits count."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.kernel.database import Model
from outreach.kernel.sealing import BlindIndex
from outreach.organisations.models import Account
from outreach.signing_in.rules import AttemptKind


class ActivationLink(Model):
    """A one-time link by which somebody chooses a password. Only its hash is kept."""

    __tablename__ = "activation_links"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship()


class ContactCode(Model):
    """A six-digit code sent to a contact point. Only its keyed hash is kept."""

    __tablename__ = "contact_codes"
    __table_args__ = (sa.Index("ix_contact_codes_latest", "contact_point_id", "sent_at"),)

    contact_point_id: Mapped[int] = mapped_column(sa.ForeignKey("contact_points.id"))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    sent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]


class Attempt(Model):
    """One attempt of a kind for a key, the blind hash of an account, a number or the address of a machine.

    Kept for two days, which is longer than any limit looks back.
    """

    __tablename__ = "attempts"
    __table_args__ = (sa.Index("ix_attempts_recent", "kind", "key", "at"), sa.Index("ix_attempts_at", "at"))

    kind: Mapped[AttemptKind]
    key: Mapped[str] = mapped_column(BlindIndex())
    at: Mapped[datetime]
    succeeded: Mapped[bool] = mapped_column(default=False)


class TrustedDevice(Model):
    """A browser on which somebody signed in with their password and has not signed out; only a hash is kept."""

    __tablename__ = "trusted_devices"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    since: Mapped[datetime]


class WayIn(Model):
    """A link of a mail that signs in once, soon, and on a trusted device only."""

    __tablename__ = "ways_in"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
