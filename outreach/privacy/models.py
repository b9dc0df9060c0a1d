"""Wishes to be erased."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.kernel.database import Model
from outreach.kernel.history import Subject
from outreach.kernel.sealing import Sealed
from outreach.organisations.models import Account
from outreach.people.models import ContactPoint, Person
from outreach.privacy.rules import ErasureState

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
