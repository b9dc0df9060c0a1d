"""Wishes to be erased, how long what is kept, and what was removed each night."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.kernel.database import Model
from outreach.kernel.history import Subject
from outreach.kernel.sealing import Sealed
from outreach.organisations.models import Account
from outreach.people.models import ContactPoint, Person
from outreach.privacy.rules import ErasureState, Kept

_OPEN = sa.text("state IN ('at_the_office', 'waiting')")


class Erasure(Model):
    """One wish of a person to be erased, and what became of it."""

    __tablename__ = "erasures"
    __table_args__ = (
        sa.Index("uq_erasures_open", "person_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        sa.CheckConstraint("state != 'waiting' OR due_at IS NOT NULL", name="waiting_means_until_when"),
        sa.CheckConstraint("(state IN ('at_the_office', 'waiting')) = (ended_at IS NULL)", name="ended_means_when"),
    )

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_points.id"))  # through which it came
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # who made sure of it
    state: Mapped[ErasureState]
    how: Mapped[str | None] = mapped_column(Sealed("erasure.how"))  # how they made sure, or why it is not done
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()
    account: Mapped[Account | None] = relationship()

    @property
    def subject(self) -> Subject:
        """The record its history and its messages belong to."""
        return Subject("erasure", self.id)


class RetentionRule(Model):
    """How long a kind of data is kept, where the city chose another time than the default (rules.RULES)."""

    __tablename__ = "retention_rules"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_is_some_time"),)

    kind: Mapped[Kept] = mapped_column(unique=True)
    amount: Mapped[int]  # in months, or in days where the kind's rule says so
    changed_at: Mapped[datetime]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))


class RetentionRun(Model):
    """One night's removing, and how much of each kind went. Begun anew by the same piece of work it goes on."""

    __tablename__ = "retention_runs"

    work_id: Mapped[int] = mapped_column(unique=True)  # no foreign key: reports outlive the work
    begun_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    removed: Mapped[dict[str, Any]]  # {kind: how many rows}
