"""What points to a row: asked before something is removed, so that nothing is left hanging and nothing is lost."""

from collections.abc import Collection, Iterator

import sqlalchemy as sa

from outreach.kernel.database import Model, db
from outreach.kernel.history import HistoryLine


def references_to(table: str) -> Iterator[sa.Column[int]]:
    """Yield every column of the database that points to a table's id, in a fixed order."""
    for other in Model.metadata.sorted_tables:
        for column in other.columns:
            if any(key.target_fullname == f"{table}.id" for key in column.foreign_keys):
                yield column


def pointed_to(table: str, ids: Collection[int], *, apart_from: Collection[str] = ()) -> set[int]:
    """Return which of a table's rows something points to, but for rows of the tables named.

    One look-up for each column that may point there, however many rows.
    """
    found: set[int] = set()
    for column in references_to(table):
        if column.table.name not in apart_from:
            found.update(db.session.scalars(sa.select(column).where(column.in_(ids)).distinct()))
    return found


def standing_alone(kind: str, table: str, ids: Collection[int], *, apart_from: Collection[str] = ()) -> set[int]:
    """Return which of a table's records nothing was done with since they were made, and nothing points to.

    :param kind: under which the records have their history
    """
    if not ids:
        return set()
    lines = (
        sa.select(HistoryLine.subject_id)
        .where(HistoryLine.subject_kind == kind, HistoryLine.subject_id.in_(ids), HistoryLine.position > 1)
        .distinct()
    )
    return set(ids) - set(db.session.scalars(lines)) - pointed_to(table, ids, apart_from=apart_from)
