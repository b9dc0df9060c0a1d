"""The rows of every table as lines of JSON, out of one engine and into another.

Values leave as the database keeps them: sealed columns stay sealed, and no model is asked, so a database of an older
version can be written down and read back as well.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

NOT_DATA = frozenset({"alembic_version"})
ROWS_AT_A_TIME = 500
PART_BYTES = 1024 * 1024


def tables_of(connection: sa.Connection) -> list[sa.TableClause]:
    """Return the tables that hold data, by name, with the columns that are written (computed ones are not)."""
    inspector = sa.inspect(connection)
    virtual = _virtual(connection)
    return [
        sa.table(
            name,
            *(
                sa.column(column["name"], column["type"])
                for column in inspector.get_columns(name)
                if "computed" not in column
            ),
        )
        for name in sorted(inspector.get_table_names())
        if name not in NOT_DATA and not any(name == one or name.startswith(f"{one}_") for one in virtual)
    ]


def parts_of(connection: sa.Connection, table: sa.TableClause) -> Iterator[tuple[int, bytes]]:
    """Yield a table's rows in the order of their ids: how many, and as many lines of JSON, about a mebibyte a time."""
    # JSON as the text it is kept as: its hash in the history, and SQL's NULL beside JSON's null, stay what they are
    selected = [
        sa.cast(column, sa.Text).label(column.name) if isinstance(column.type, sa.JSON) else column
        for column in table.columns
    ]
    order = [table.c["id"]] if "id" in table.c else list(table.columns)
    count, lines = 0, bytearray()
    with connection.execute(
        sa.select(*selected).order_by(*order), execution_options={"yield_per": ROWS_AT_A_TIME}
    ) as rows:
        for row in rows:
            lines += json.dumps([_plain(value) for value in row], ensure_ascii=False, separators=(",", ":")).encode()
            lines += b"\n"
            count += 1
            if len(lines) >= PART_BYTES:
                yield count, bytes(lines)
                count = 0
                lines.clear()
    if count:
        yield count, bytes(lines)


def rows_in(lines: Iterable[bytes]) -> Iterator[list[Any]]:
    """Yield the rows that `parts_of` wrote."""
    for line in lines:
        yield [_kept(value) for value in json.loads(line)]


def put(connection: sa.Connection, table: str, columns: list[str], rows: Iterable[list[Any]]) -> int:
    """Put rows into a table, in this transaction, and return how many they were."""
    quote = connection.dialect.identifier_preparer.quote
    into = f"{quote(table)} ({', '.join(quote(column) for column in columns)})"
    count = 0
    if connection.dialect.name == "postgresql":
        with (
            connection.connection.driver_connection.cursor() as cursor,
            cursor.copy(f"COPY {into} FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
                count += 1
        return count
    insert = f"INSERT INTO {into} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 -- names of our own schema
    waiting: list[tuple[Any, ...]] = []
    for row in rows:
        waiting.append(tuple(row))
        count += 1
        if len(waiting) == ROWS_AT_A_TIME:
            connection.exec_driver_sql(insert, waiting)
            waiting.clear()
    if waiting:
        connection.exec_driver_sql(insert, waiting)
    return count


def _virtual(connection: sa.Connection) -> list[str]:
    """Return SQLite's virtual tables (search indexes): they and their shadows are made from what they index."""
    if connection.dialect.name != "sqlite":
        return []
    return list(
        connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%'"
        ).scalars()
    )


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat(sep=" ", timespec="microseconds")  # what both engines read, and SQLite keeps
        case date() | time():
            return value.isoformat()
        case Decimal():
            return str(value)
        case bytes() | memoryview():
            return {"bytes": base64.b64encode(value).decode()}
    return value


def _kept(value: Any) -> Any:
    return base64.b64decode(value["bytes"]) if isinstance(value, dict) else value
