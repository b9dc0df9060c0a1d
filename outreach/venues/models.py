"""Venues."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.kernel.database import Model
from outreach.kernel.history import Subject
from outreach.organisations.models import Organisation


class Venue(Model):
    """A place where events happen."""

    __tablename__ = "venues"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "name"),)

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(sa.String(120))
    address: Mapped[str] = mapped_column(sa.String(200))
    how_to_get_there: Mapped[str | None] = mapped_column(sa.String(400))

    organisation: Mapped[Organisation] = relationship()

    @property
    def subject(self) -> Subject:
        """The venue as the owner of its history."""
        return Subject("venue", self.id)
