"""Reading imports: each belongs to whoever brought it, and to the organisation they brought it for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import defer, joinedload

from outreach.intake.models import Import, ImportFile, ImportRow
from outreach.intake.rules import (
    BUSY,
    Decision,
    Errand,
    Field,
    Importer,
    ImportState,
    Judgement,
    Row,
    RowKey,
    Shown,
    Understanding,
    Verdict,
    cells_from_json,
    importer_of,
    importers,
    plain_text,
)
from outreach.intake.rules.headings import Reader, Sheet, bare, brief_fields, shown
from outreach.intake.rules.reading import HowToRead, KeptRow, as_it_stands
from outreach.kernel import history
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine, Subject
from outreach.kernel.outbox import WorkState
from outreach.kernel.paging import Key, Page, page_of
from outreach.kernel.sealing import Sealed

READY = sa.and_(
    ImportRow.landed_id.is_(None),
    sa.or_(
        ImportRow.verdict.in_([Verdict.NEW, Verdict.SAME]),
        sa.and_(ImportRow.verdict == Verdict.DOUBTFUL, ImportRow.decision.in_([Decision.SAME, Decision.ANOTHER])),
    ),
)
"""Rows that land when the clerk says so."""


class Viewer(Protocol):
    """An account, as far as this room needs to know one."""

    id: int
    organisation_id: int

    def may(self, permission: object) -> bool:
        """Tell whether any of its roles permits this."""


@dataclass(frozen=True)
class Tally:
    """How many rows of a file are what."""

    new: int = 0
    same: int = 0
    doubtful: int = 0
    refused: int = 0
    skipped: int = 0
    decided: int = 0  # doubtful rows that the clerk has said something of, but for «later»
    undecided: int = 0
    fills: int = 0
    ready: int = 0
    landed: int = 0
    created: int = 0
    waiting: int = 0  # rows not judged yet

    @property
    def rows(self) -> int:
        """Rows that are data."""
        return self.new + self.same + self.doubtful + self.refused


def kinds_for(viewer: Viewer) -> list[Importer]:
    """Return the kinds of files the viewer may bring in."""
    return [importer for importer in importers() if viewer.may(importer.permission)]


def import_for(viewer: Viewer, import_id: int) -> Import:
    """Return an import of the viewer's own, of a kind they may still bring in; 404 elsewhere."""
    return db.one_or_404(_own(viewer).where(Import.id == import_id))


def import_by_id(import_id: int) -> Import:
    """Return an import for the job that works on it."""
    return db.session.get_one(Import, import_id)


def stands_still(imported: Import) -> bool:
    """Tell whether somebody stopped the file, or the worker gave it up after errors."""
    given_up = imported.work is not None and imported.work.state is WorkState.FAILED
    return imported.state in BUSY and (imported.stopped_at is not None or given_up)


def can_be_undone(imported: Import) -> bool:
    """Tell whether what a file brought in can still be taken out again."""
    in_part = imported.state is ImportState.LANDING and stands_still(imported)
    return (imported.state is ImportState.LANDED or in_part) and imported.forgotten_at is None


def imports_of(viewer: Viewer, cursor: str | None) -> Page[Import]:
    """Return a page of the viewer's imports, the latest first."""
    own = _own(viewer).options(joinedload(Import.work))
    return page_of(own, keys=[Key(Import.id, descending=True)], cursor=cursor)


def _own(viewer: Viewer) -> sa.Select[tuple[Import]]:
    return sa.select(Import).where(
        Import.account_id == viewer.id,
        Import.organisation_id == viewer.organisation_id,
        Import.kind.in_([importer.key for importer in kinds_for(viewer)]),
    )


def errand_of(imported: Import, now: datetime) -> Errand:
    """Return for whom a file is brought in, and when."""
    return Errand(
        import_id=imported.id,
        account_id=imported.account_id,
        organisation_id=imported.organisation_id,
        by=imported.author,
        now=now,
    )


def sheets_of(imported: Import) -> list[Sheet]:
    """Return what is known of the sheets of a file, in its own order."""
    return [Sheet.from_json(kept) for kept in imported.sheets or []]


def taken_sheets(imported: Import) -> list[Sheet]:
    """Return the sheets that are taken, in the order they land."""
    taken = [sheet for sheet in sheets_of(imported) if sheet.importer is not None and not sheet.hidden]
    return sorted(taken, key=lambda sheet: (sheet.importer, sheet.number))


def earlier_rows(import_id: int, keys: Sequence[RowKey]) -> dict[RowKey, Row]:
    """Return rows of a file as the importer sees them, for an importer that compares a row with those above it."""
    if not keys:
        return {}
    imported = db.session.get_one(Import, import_id)
    importer = importer_of(imported.kind)
    readers = {
        sheet.number: Reader(sheet, importer.sheets[sheet.importer].fields)
        for sheet in sheets_of(imported)
        if sheet.importer is not None
    }
    found = db.session.execute(
        sa.select(ImportRow.sheet_number, ImportRow.number, ImportRow.cells).where(
            ImportRow.import_id == import_id,
            sa.or_(
                *(
                    sa.and_(
                        ImportRow.sheet_number == number,
                        ImportRow.number.in_([key.number for key in keys if key.sheet == number]),
                    )
                    for number in {key.sheet for key in keys}
                )
            ),
        )
    )
    return {RowKey(number, row): readers[number].row(row, cells_from_json(cells)) for number, row, cells in found}


def rows_of_sheet(import_id: int, importer_sheet: int) -> Iterator[Row]:
    """Yield every row of data that one of the importer's sheets has in a file, as the importer sees it.

    For an importer whose rows name each other in any order: what stands further down must be known above.
    """
    imported = db.session.get_one(Import, import_id)
    kind = importer_of(imported.kind).sheets[importer_sheet]
    for sheet in taken_sheets(imported):
        if sheet.importer != importer_sheet:
            continue
        reader = Reader(sheet, kind.fields)
        for row in db.session.scalars(
            sa.select(ImportRow)
            .where(ImportRow.import_id == import_id, ImportRow.sheet_number == sheet.number)
            .order_by(ImportRow.number)
        ):
            found = reader.read(row.number, cells_of(row))
            if isinstance(found, Row):
                yield found


def pieces_of(import_id: int) -> int:
    """Return in how many pieces the uploaded file is kept; none once its rows were read."""
    return db.session.scalar(sa.select(sa.func.count(ImportFile.id)).where(ImportFile.import_id == import_id)) or 0


def content_of(import_id: int) -> Iterator[bytes]:
    """Yield the uploaded file piece by piece."""
    yield from db.session.scalars(
        sa.select(ImportFile.content)
        .where(ImportFile.import_id == import_id)
        .order_by(ImportFile.position)
        .execution_options(yield_per=1)
    )


def tally(import_id: int) -> Tally:
    """Count the rows of a file."""
    landed = ImportRow.landed_id.is_not(None)
    counted = db.session.execute(
        sa.select(
            ImportRow.verdict,
            sa.func.count(),
            sa.func.count().filter(ImportRow.decision.in_([Decision.SAME, Decision.ANOTHER])),
            sa.func.count().filter(READY),
            sa.func.count().filter(landed),
            sa.func.coalesce(sa.func.sum(ImportRow.fills), 0),
            sa.func.count().filter(
                landed,
                sa.or_(
                    ImportRow.verdict == Verdict.NEW,
                    sa.and_(ImportRow.verdict == Verdict.DOUBTFUL, ImportRow.decision == Decision.ANOTHER),
                ),
            ),
        )
        .where(ImportRow.import_id == import_id)
        .group_by(ImportRow.verdict)
    ).all()
    by = {row[0]: row for row in counted}

    def number(verdict: Verdict | None, place: int = 1) -> int:
        return by[verdict][place] if verdict in by else 0

    return Tally(
        new=number(Verdict.NEW),
        same=number(Verdict.SAME),
        doubtful=number(Verdict.DOUBTFUL),
        refused=number(Verdict.REFUSED),
        skipped=number(Verdict.SKIPPED),
        decided=number(Verdict.DOUBTFUL, 2),
        undecided=number(Verdict.DOUBTFUL) - number(Verdict.DOUBTFUL, 2),
        fills=number(Verdict.SAME, 5),
        ready=sum(row[3] for row in counted),
        landed=sum(row[4] for row in counted),
        created=sum(row[6] for row in counted),
        waiting=number(None),
    )


def row_for(imported: Import, row_id: int) -> ImportRow:
    """Return a row of a file; 404 if it is another file's."""
    return db.one_or_404(sa.select(ImportRow).where(ImportRow.id == row_id, ImportRow.import_id == imported.id))


def rows_of(imported: Import, verdict: Verdict, cursor: str | None, size: int = 20) -> Page[ImportRow]:
    """Return a page of the rows that are taken for this, in the order of the file."""
    return page_of(
        sa.select(ImportRow).where(ImportRow.import_id == imported.id, ImportRow.verdict == verdict),
        keys=[Key(ImportRow.sheet_number), Key(ImportRow.number)],
        cursor=cursor,
        size=size,
    )


def rows_at(imported: Import, keys: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], ImportRow]:
    """Return rows of a file by their sheet and number."""
    if not keys:
        return {}
    found = db.session.scalars(
        sa.select(ImportRow).where(
            ImportRow.import_id == imported.id,
            sa.tuple_(ImportRow.sheet_number, ImportRow.number).in_(list(keys)),
        )
    )
    return {(row.sheet_number, row.number): row for row in found}


REFUSED_IN_A_PART = 5000
"""So many refused rows are written into one file while somebody waits for it."""


def refused_rows(imported: Import, part: int) -> Iterator[ImportRow]:
    """Yield the rows of one part (from 1) of those that cannot be taken, in the order of the file."""
    return iter(
        db.session.scalars(
            sa.select(ImportRow)
            .where(ImportRow.import_id == imported.id, ImportRow.verdict == Verdict.REFUSED)
            .order_by(ImportRow.sheet_number, ImportRow.number)
            .offset((part - 1) * REFUSED_IN_A_PART)
            .limit(REFUSED_IN_A_PART)
            .execution_options(yield_per=500)
        )
    )


CELLS_AS_TEXT = Sealed(ImportRow.__table__.c.cells.type.purpose)
"""Cells as the JSON that is kept of them, for whoever need not look into it."""


def rows_to_judge(import_id: int, sheet_number: int, after: int, size: int) -> Sequence[KeptRow]:
    """Return the next rows of a sheet beyond a number."""
    found = db.session.execute(
        sa.select(ImportRow.number, sa.type_coerce(ImportRow.cells, CELLS_AS_TEXT))
        .where(ImportRow.import_id == import_id, ImportRow.sheet_number == sheet_number, ImportRow.number > after)
        .order_by(ImportRow.number)
        .limit(size)
    )
    return [(number, cells) for number, cells in found]


def how_to_read(import_id: int, sheet: Sheet, errand: Errand) -> HowToRead:
    """Return how the rows of one sheet are read."""
    imported = db.session.get_one(Import, import_id)
    kind = importer_of(imported.kind).sheets[sheet.importer]
    understand = kind.understanding(errand) if isinstance(kind, Understanding) else as_it_stands
    return HowToRead(sheet, tuple(kind.fields), understand)


def rows_to_land(import_id: int, sheet_number: int, after: int, size: int) -> Sequence[ImportRow]:
    """Return the next rows of a sheet beyond a number that are ready to land."""
    return db.session.scalars(
        sa.select(ImportRow)
        .where(
            ImportRow.import_id == import_id,
            ImportRow.sheet_number == sheet_number,
            ImportRow.number > after,
            READY,
        )
        .order_by(ImportRow.number)
        .limit(size)
    ).all()


def rows_to_undo(import_id: int, sheet_number: int, before: int, size: int) -> Sequence[ImportRow]:
    """Return the rows of a sheet above a number that have landed, the last first."""
    return db.session.scalars(
        sa.select(ImportRow)
        .where(
            ImportRow.import_id == import_id,
            ImportRow.sheet_number == sheet_number,
            ImportRow.number < before,
            ImportRow.landed_id.is_not(None),
        )
        .options(defer(ImportRow.cells), defer(ImportRow.reasons))
        .order_by(ImportRow.number.desc())
        .limit(size)
    ).all()


def last_read_by_sheet(import_id: int) -> dict[int, int]:
    """Return the number of the last row that is kept of each sheet."""
    last = (
        sa.select(ImportRow.sheet_number, sa.func.max(ImportRow.number))
        .where(ImportRow.import_id == import_id)
        .group_by(ImportRow.sheet_number)
    )
    return dict(db.session.execute(last).all())


def filename_of(import_id: int) -> str | None:
    """Return what a file was called, for whoever may read what it brought; None if there is none of this id."""
    return db.session.scalar(sa.select(Import.filename).where(Import.id == import_id))


def kept_rows(imported: Import, cursor: str | None, size: int = 20) -> Page[ImportRow]:
    """Return a page of the rows of an undone file that could not be undone, in the order of the file."""
    return page_of(
        sa.select(ImportRow).where(ImportRow.import_id == imported.id, ImportRow.landed_id.is_not(None)),
        keys=[Key(ImportRow.sheet_number), Key(ImportRow.number)],
        cursor=cursor,
        size=size,
    )


def reasons_as_json(judgement: Judgement) -> list[dict[str, object]]:
    """Return a judgement's reasons as a row keeps them."""
    return [{"sentence": reason.sentence, "values": dict(reason.values)} for reason in judgement.reasons]


def cells_of(row: ImportRow) -> list[object]:
    """Return a row's cells as the file had them."""
    return cells_from_json(row.cells)


@dataclass(frozen=True)
class Value:
    """One value of a row as a preview shows it."""

    label: str  # English source
    text: str
    differs: bool = False


@dataclass(frozen=True)
class Line:
    """One row of a preview: what the file says, what is held already, and why it is taken for what it is."""

    row: ImportRow
    sheet: str | None  # named where the file has several
    said: Sequence[Value]
    held: Sequence[Value]
    reasons: Sequence[Mapping[str, object]]
    record_id: int | None


def lines_of(imported: Import, rows: Sequence[ImportRow]) -> list[Line]:
    """Return rows as a preview shows them; what exposes somebody is masked."""
    importer = importer_of(imported.kind)
    sheets = {sheet.number: sheet for sheet in sheets_of(imported)}
    several = len(taken_sheets(imported)) > 1
    held = _held_of(imported, rows)
    lines = []
    for row in rows:
        sheet = sheets[row.sheet_number]
        said, other = _sides(row, sheet, importer, held.get(row.id, {}))
        lines.append(
            Line(
                row=row,
                sheet=sheet.name if several else None,
                said=said,
                held=other,
                reasons=row.reasons or [],
                record_id=row.landed_id or row.match_id,
            )
        )
    return lines


def _sides(
    row: ImportRow, sheet: Sheet, importer: Importer, held: Mapping[str, str]
) -> tuple[list[Value], list[Value]]:
    if row.verdict is Verdict.SKIPPED or sheet.importer is None:
        return [Value("", text) for text in map(plain_text, cells_from_json(row.cells)) if text][:6], []
    kind = importer.sheets[sheet.importer]
    plain = Reader(sheet, kind.fields).row(row.number, cells_from_json(row.cells))
    said, other = [], []
    for wanted in brief_fields(kind):
        mine, theirs = "，".join(plain.texts(wanted.name)), held.get(wanted.name, "")
        differs = bool(held) and bool(mine) and _compared(mine, wanted) != _compared(theirs, wanted)
        said.append(Value(wanted.label, shown(mine, wanted.shown), differs))
        other.append(Value(wanted.label, shown(theirs.removeprefix("+86"), wanted.shown)))
    return said, other if held else []


def _compared(text: str, wanted: Field) -> str:
    digits = "".join(sign for sign in bare(text) if sign.isdigit())
    return digits[-11:] if wanted.shown is Shown.PHONE else bare(text)


def _held_of(imported: Import, rows: Sequence[ImportRow]) -> dict[int, Mapping[str, str]]:
    """Return, by row id, what the system or an earlier row of the file says of whom each row may be."""
    importer = importer_of(imported.kind)
    sheets = {sheet.number: sheet for sheet in sheets_of(imported)}
    found: dict[int, Mapping[str, str]] = {}
    for number, sheet in sheets.items():
        mine = [row for row in rows if row.sheet_number == number and row.match_id is not None]
        if sheet.importer is not None and mine:
            records = importer.sheets[sheet.importer].existing([row.match_id for row in mine])
            found.update({row.id: records[row.match_id] for row in mine if row.match_id in records})
    repeating = [row for row in rows if row.match_number is not None]
    earlier = rows_at(imported, [(row.match_sheet, row.match_number) for row in repeating])
    for row in repeating:
        other = earlier.get((row.match_sheet, row.match_number))
        if other is not None:
            sheet = sheets[other.sheet_number]
            plain = Reader(sheet, importer.sheets[sheet.importer].fields).row(
                other.number, cells_from_json(other.cells)
            )
            found[row.id] = {name: "，".join(texts) for name, texts in plain.said.items()}
    return found


def kept_aside(sheet: Sheet) -> list[str]:
    """Return the headings of the columns that are no field: they are kept under their own names."""
    return [text for column, text in sorted(sheet.headings.items()) if column not in sheet.mapping]


def history_of(imported: Import) -> Sequence[HistoryLine]:
    """Return what was done with a file, oldest first."""
    return history.lines_of(Subject("import", imported.id))
