"""Writing hundreds of thousands of rows at once: past the ORM, but sealed and written as its columns write them.

PostgreSQL takes them by COPY, SQLite by one prepared statement. Whoever uses this gives the ids, from `next_id` on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from outreach.kernel.database import db


def next_id(table: sa.Table) -> int:
    """Return the first id that no row of a table has."""
    return (db.session.scalar(sa.select(sa.func.max(table.c.id))) or 0) + 1


def put(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows by the columns' names; what they leave out has the value the model gives, or none."""
    if rows:
        names = list(rows[0])
        put_plain(table, names, ([row[name] for name in names] for row in rows))


def put_plain(table: sa.Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows of values in the order of these columns."""
    given = {
        column.name: column.default.arg
        for column in table.columns
        if column.default is not None and column.default.is_scalar and column.name not in names
    }
    always = tuple(given.values())
    names = (*names, *given)
    as_kept = row_writer(table, names)
    put_kept(table, names, (as_kept((*row, *always)) for row in rows))
    if "id" in names and db.engine.dialect.name == "postgresql":
        following = sa.text(f"SELECT setval(pg_get_serial_sequence(:name, 'id'), max(id)) FROM {table.name}")  # noqa: S608
        db.session.execute(following, {"name": table.name})


def row_writer(table: sa.Table, names: Sequence[str]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what turns values of these columns into what stands in the table."""
    dialect = db.engine.dialect
    ways = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]

    def as_kept(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple([value if way is None else way(value) for value, way in zip(row, ways, strict=True)])

    return as_kept


def put_kept(table: sa.Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows that are as they stand in the table."""
    listed = ", ".join(f'"{name}"' for name in names)
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table.name} ({listed}) VALUES ({marks})"  # noqa: S608 -- names of our own tables
        connection.connection.driver_connection.executemany(statement, rows)
        return
    with (
        connection.connection.driver_connection.cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({listed}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
