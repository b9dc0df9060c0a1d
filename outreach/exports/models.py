"""Exports: who took what and why, and the finished file while it is kept. What was asked and said is sealed."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.exports.rules import ExportState, Format, number_of
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import IDS_ONCE, Model
from outreach.kernel.history import Subject
from outreach.kernel.outbox import Work
from outreach.kernel.sealing import Sealed, SealedBytes, SealedData


class Export(Model):
    """One file that somebody took out. The row stays when the file goes: it is the log, until its own time is up."""

    __tablename__ = "exports"
    __table_args__ = (
        sa.CheckConstraint("(state IN ('ready', 'deleted')) = (finished_at IS NOT NULL)", name="finished_means_when"),
        sa.Index("ix_exports_own", "account_id", "id"),
        sa.Index("ix_exports_log", "organisation_id", "id"),
        sa.Index("ix_exports_expiry", "state", "expires_at"),
        IDS_ONCE,
    )

    offer: Mapped[str] = mapped_column(sa.String(40))  # which table or sheet: "people", "case_sheet"
    format: Mapped[Format]
    state: Mapped[ExportState] = mapped_column(default=ExportState.ASKED)
    # accounts and organisations stand above this room, so these are ids and names as they were then
    account_id: Mapped[int]
    account_name: Mapped[str] = mapped_column(sa.String(120))
    organisation_id: Mapped[int]
    organisation_name: Mapped[str] = mapped_column(sa.String(200))
    language: Mapped[str] = mapped_column(sa.String(12))
    title: Mapped[str] = mapped_column(Sealed("export.title"))
    arguments: Mapped[dict[str, str]] = mapped_column(SealedData("export.arguments"))  # what was searched for
    narrowed: Mapped[list[Any]] = mapped_column(SealedData("export.narrowed"))  # the filters in words
    reason: Mapped[str] = mapped_column(Sealed("exports.reason"))
    columns: Mapped[list[Any]]
    in_full: Mapped[list[Any]]
    rows: Mapped[int]  # as counted when it was asked for; once it is ready, as they stand in the file
    people: Mapped[int | None]  # how many people stand in it
    bytes: Mapped[int | None]
    sha256: Mapped[str | None] = mapped_column(sa.String(64))  # of the file as it was handed out
    downloads: Mapped[int] = mapped_column(default=0)
    work_id: Mapped[int | None] = mapped_column(sa.ForeignKey("work.id"))
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    work: Mapped[Work | None] = relationship()

    @property
    def author(self) -> Actor:
        """Whoever took it."""
        return Actor(ActorKind.STAFF, self.account_id)

    @property
    def subject(self) -> Subject:
        """The export as the owner of its history."""
        return Subject("export", self.id)

    @property
    def number(self) -> str:
        """What the file bears on every page."""
        return number_of(self.id, self.asked_at)

    def available(self, now: datetime) -> bool:
        """Tell whether the file can still be taken."""
        return self.state is ExportState.READY and self.expires_at is not None and now < self.expires_at


class ExportPiece(Model):
    """A piece of a finished file, sealed, until its time is up."""

    __tablename__ = "export_pieces"
    __table_args__ = (sa.UniqueConstraint("export_id", "position"),)

    export_id: Mapped[int] = mapped_column(sa.ForeignKey("exports.id"))
    position: Mapped[int]
    content: Mapped[bytes] = mapped_column(SealedBytes("export.file"))
