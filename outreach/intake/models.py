"""Imports, the file on its way, and its rows. Everything that stood in the file is sealed: a preview must not leak."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.intake.rules import Decision, ImportState, Verdict
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import Model
from outreach.kernel.outbox import Work
from outreach.kernel.sealing import Sealed, SealedBytes, SealedData


class Import(Model):
    """One file on its way in."""

    __tablename__ = "imports"
    __table_args__ = (sa.Index("ix_imports_list", "organisation_id", "id"),)

    kind: Mapped[str] = mapped_column(sa.String(40))  # which importer: "organisations", "talents", "pairings"
    filename: Mapped[str] = mapped_column(Sealed("import.filename"))  # offices put people's names into them
    state: Mapped[ImportState] = mapped_column(default=ImportState.UPLOADED)
    # accounts and organisations stand above this room, so these are ids that the feature checks
    account_id: Mapped[int]
    account_name: Mapped[str] = mapped_column(sa.String(120))
    organisation_id: Mapped[int]
    # What was found in the file, one entry a sheet: see intake.rules.Sheet.
    sheets: Mapped[list[Any] | None] = mapped_column(SealedData("import.sheets"))
    problem: Mapped[str | None] = mapped_column(sa.String(60))
    rows_total: Mapped[int | None]
    work_id: Mapped[int | None] = mapped_column(sa.ForeignKey("work.id"))
    stopped_at: Mapped[datetime | None]  # the worker stays away until somebody has it go on
    created_at: Mapped[datetime]
    landed_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]  # its rows were deleted, their time being up

    work: Mapped[Work | None] = relationship()

    @property
    def author(self) -> Actor:
        """Whoever brought the file."""
        return Actor(ActorKind.STAFF, self.account_id)


class ImportFile(Model):
    """A piece of an uploaded file, from the upload until its rows are read; then it is deleted."""

    __tablename__ = "import_files"
    __table_args__ = (sa.UniqueConstraint("import_id", "position"),)

    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
    position: Mapped[int]
    content: Mapped[bytes] = mapped_column(SealedBytes("import.file"))


class ImportRow(Model):
    """One row of the file: its cells as they stood, what it is taken for, and what became of it."""

    __tablename__ = "import_rows"
    __table_args__ = (
        sa.UniqueConstraint("import_id", "sheet_number", "number"),
        sa.Index("ix_import_rows_verdict", "import_id", "verdict", "sheet_number", "number"),
    )

    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))
    sheet_number: Mapped[int]  # as the file counts its sheets, from 0
    number: Mapped[int]  # as the spreadsheet counts, from 1
    cells: Mapped[list[Any]] = mapped_column(SealedData("import.cells"))
    verdict: Mapped[Verdict | None]
    reasons: Mapped[list[Any] | None] = mapped_column(SealedData("import.reasons"))
    match_id: Mapped[int | None]  # the record it is, or may be
    match_sheet: Mapped[int | None]  # or the earlier row of this file
    match_number: Mapped[int | None]
    fills: Mapped[int] = mapped_column(default=0)  # blanks of the record it is the same as that it fills
    decision: Mapped[Decision | None]
    landed_id: Mapped[int | None]
    trace: Mapped[dict[str, Any] | None] = mapped_column(SealedData("import.trace"))  # what undoes it; None once undone
