"""Programmes."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.kernel.database import Model
from outreach.kernel.history import Subject
from outreach.organisations.models import Organisation
from outreach.programmes.rules import Motif


class Programme(Model):
    """A standing name with many events."""

    __tablename__ = "programmes"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "name"),)

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(sa.String(120))
    summary: Mapped[str | None] = mapped_column(sa.String(400))
    motif: Mapped[Motif] = mapped_column(default=Motif.PLAIN)
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()

    @property
    def subject(self) -> Subject:
        """The programme as the owner of its history."""
        return Subject("programme", self.id)
