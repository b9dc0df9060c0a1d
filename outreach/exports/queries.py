"""Reading exports: one's own, the log of those whose units one oversees, and the rows that go into a file."""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Protocol

import sqlalchemy as sa

from outreach.exports.models import Export, ExportPiece
from outreach.exports.rules import MOST_ROWS, ExportState, id_in_number
from outreach.exports.rules.offers import Asked, Column, Offer, Table, offer_of, tables
from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.database import among, db, writing
from outreach.kernel.paging import Key, Page, page_of

READ_AT_ONCE = 1000


class Viewer(Protocol):
    """An account, as far as this room needs to know one."""

    id: int
    organisation_id: int

    def may(self, permission: object) -> bool:
        """Tell whether any of its roles permits this."""


account_of: list[Callable[[int, datetime], Any]] = []
"""Who finds an account by its id, with what it may do at a moment; connected by the app, because
accounts stand above this room."""

overseen: list[Callable[[Any], sa.Select[tuple[int]] | None]] = []
"""Who selects the ids of the organisations whose exports an account oversees, None for who oversees none; as above."""


@dataclass(frozen=True)
class Taken:
    """What an account took on one office day."""

    files: int
    rows: int
    full_rows: int


def may_take(viewer: Viewer, offer: Offer) -> bool:
    """Tell whether the viewer may take this out at all; which rows is decided by its scope."""
    return all(viewer.may(permission) for permission in offer.permissions)


def tables_for(viewer: Viewer) -> list[Table]:
    """Return the lists the viewer may take out."""
    return [table for table in tables() if may_take(viewer, table)]


def export_for(viewer: Viewer, export_id: int) -> Export:
    """Return an export of the viewer's own; 404 elsewhere, for overseers too: the log shows what, not the file."""
    return db.one_or_404(sa.select(Export).where(Export.id == export_id, Export.account_id == viewer.id))


def exports_of(viewer: Viewer, cursor: str | None) -> Page[Export]:
    """Return a page of the viewer's own exports, the latest first."""
    return page_of(
        sa.select(Export).where(Export.account_id == viewer.id), keys=[Key(Export.id, descending=True)], cursor=cursor
    )


def oversees(viewer: Viewer) -> bool:
    """Tell whether the viewer may see what others took out."""
    return any(units(viewer) is not None for units in overseen)


def log_for(viewer: Viewer, *, text: str, cursor: str | None) -> Page[Export]:
    """Return a page of all exports from the units the viewer oversees, the latest first.

    A text narrows it to a file's number, or to accounts whose name contains it.
    """
    reached = [found for units in overseen if (found := units(viewer)) is not None]
    statement = sa.select(Export).where(sa.or_(sa.false(), *(Export.organisation_id.in_(units) for units in reached)))
    if text:
        line = id_in_number(text)
        named = Export.account_name.contains(text, autoescape=True)
        statement = statement.where(named if line is None else Export.id == line)
    return page_of(statement, keys=[Key(Export.id, descending=True)], cursor=cursor)


def taken_today(account_id: int, *, now: datetime) -> Taken:
    """Return what an account took on the office day of a moment; what was stopped is not counted as rows."""
    midnight = datetime.combine(office_day(now), time(), tzinfo=OFFICE)
    files, rows, full_rows = 0, 0, 0
    for state, some, in_full in db.session.execute(
        sa.select(Export.state, Export.rows, Export.in_full).where(
            Export.account_id == account_id, Export.asked_at >= midnight
        )
    ):
        files += 1
        if state is not ExportState.STOPPED:
            rows += some
            full_rows += some if in_full else 0
    return Taken(files, rows, full_rows)


def content_of(export: Export) -> bytes:
    """Return the file; empty when it was deleted."""
    pieces = db.session.scalars(
        sa.select(ExportPiece.content).where(ExportPiece.export_id == export.id).order_by(ExportPiece.position)
    )
    return b"".join(pieces)


def state_of(export_id: int) -> ExportState | None:
    """Return where an export stands now."""
    return db.session.scalar(sa.select(Export.state).where(Export.id == export_id))


def asked_of(export: Export) -> Asked:
    """Return who takes what, as they asked for it."""
    return asked(export.account_id, export.arguments, export.asked_at)


def asked(account_id: int, arguments: Mapping[str, str], now: datetime) -> Asked:
    """Return who asks for what; the account is read anew, with the roles it has now."""
    return Asked(account_of[0](account_id, now), arguments, now)


def chosen_columns(export: Export) -> list[Column]:
    """Return the columns of an export, in the order of its table.

    :raises LookupError: if the table is not offered any more
    """
    offer = offer_of(export.offer)
    if offer is None:
        raise LookupError(export.offer)
    return [column for column in offer.columns if column.key in export.columns]


def count_of(table: Table, asked: Asked) -> int:
    """Count the rows somebody would take, up to one more than a file may hold."""
    some = table.rows(asked).order_by(None).limit(MOST_ROWS + 1).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0


@dataclass(frozen=True)
class Batch:
    """Some rows in their order: the values read for each, and the people each is about."""

    rows: Sequence[Sequence[Any]]
    people: Sequence[int]


@contextmanager
def rows_of(table: Table, asked: Asked, columns: Sequence[Column]) -> Iterator[tuple[int, Iterator[Batch]]]:
    """Yield how many rows there are, and the rows in batches, all of one moment however long the reading takes.

    First the keys alone, in order (eight bytes each); then the rows by their keys, some at a time. So nothing wide is
    sorted, nobody is waited for, and a row that changes place meanwhile is neither missed nor read twice.
    """
    with _one_moment() as connection:
        found = connection.scalars(table.rows(asked).limit(MOST_ROWS), execution_options={"yield_per": READ_AT_ONCE})
        keys = array("q", found)
        wanted = [
            part.label(f"{column.key}_{place}") for column in columns for place, part in enumerate(column.read(asked))
        ]
        about = [sa.null() if table.about is None else table.about]
        statement = table.source().with_only_columns(table.row, *about, *wanted, maintain_column_froms=True)
        yield len(keys), _batches(connection, statement, table.row, keys)


def _batches(connection: sa.Connection, statement: sa.Select[Any], key: Any, keys: "array[int]") -> Iterator[Batch]:
    statement = statement.where(among(key, "some_keys"))
    for begin in range(0, len(keys), READ_AT_ONCE):
        some = keys[begin : begin + READ_AT_ONCE].tolist()
        found = {row[0]: row for row in connection.execute(statement, {"some_keys": some})}
        rows = [found[one] for one in some if one in found]
        yield Batch(rows=[row[2:] for row in rows], people=[person for row in rows for person in _people(row[1])])


def _people(about: int | str | None) -> list[int]:
    if about is None:
        return []
    return [about] if isinstance(about, int) else [int(one) for one in about.split(",") if one]


@contextmanager
def _one_moment() -> Iterator[sa.Connection]:
    """Yield a connection of its own that reads what was committed at one moment, and takes no lock."""
    token = writing.set(False)
    try:
        with db.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            connection.begin()  # as a reader; whoever holds it may write through the session meanwhile
            writing.reset(token)
            token = None
            yield connection
    finally:
        if token is not None:
            writing.reset(token)
