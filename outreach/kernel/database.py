"""The database: SQLite embedded, PostgreSQL grown up, one set of types and rules for both."""

import enum
import hashlib
import json
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry

from outreach.kernel import sealing
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

log = logging.getLogger("outreach.database")
T = TypeVar("T")

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

writing: ContextVar[bool] = ContextVar("writing", default=True)
"""Whether a transaction begun here means to write. SQLite then takes its write lock at once, so that
what was counted is still true when it is inserted; reading requests set it to False and never wait."""

POOL = {"pool_size": 16, "pool_use_lifo": True}
"""A process keeps 16 connections open once they were needed, one for each of its threads; a few more are opened and
closed again. The one used last is taken first: it has prepared the statements that are asked most."""
CONNECT_SECONDS = 5


class Moment(sa.TypeDecorator[datetime]):
    """A point in time: aware going in, aware (UTC) coming out, UTC in the table."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Model(DeclarativeBase):
    """The base of every table: typed columns, named constraints, enums by value with a check."""

    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMES),
        type_annotation_map={
            datetime: Moment,
            dict[str, Any]: sa.JSON,
            list[Any]: sa.JSON,
            enum.Enum: sa.Enum(
                enum.Enum,
                values_callable=lambda members: [member.value for member in members],
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
        },
    )

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)


IDS_ONCE = {"sqlite_autoincrement": True}
"""For tables with a history whose rows may be deleted: an id is never given again, or its old history would go on with
another record. PostgreSQL's sequences never give one twice."""

CLOCKS_APART = timedelta(seconds=30)
"""How far clocks may be apart before what rests on both goes wrong: a claim that runs out too soon, work done twice."""
AWAY_AT_MOST = 120
"""Seconds for which a database that went away is waited for."""
OPEN_AT_MOST = 600
"""Seconds for which a transaction of somebody else is waited for, where all earlier ones must be over."""

db = SQLAlchemy(model_class=Model, disable_autonaming=True)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: object) -> None:
    if type(connection).__module__.split(".")[0] != "sqlite3":
        return
    # None: SQLAlchemy says BEGIN itself (below); otherwise the driver begins too late and oversells.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA busy_timeout = 15000")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing.get() else "BEGIN")
    sealing.refresh()  # after the lock is held: whoever changed the keys under it has finished


class TransactionStaysOpen(Refused):
    """Somebody's transaction does not end."""

    message = N_("A transaction of the database has stayed open for %(minutes)d minutes. End it, then try again.")


def wait_for_earlier_transactions(engine: Engine) -> None:
    """Return when every transaction is over that was open when this was called and could still write.

    The caller's own must be over.

    :raises TransactionStaysOpen: after ten minutes
    """
    if engine.dialect.name == "sqlite":
        with engine.begin():  # one writer at a time: having the lock, we know that the others are done
            return
    earlier = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend' AND xact_start <= :since"
    )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        since = connection.scalar(sa.select(sa.func.clock_timestamp()))
        until = time.monotonic() + OPEN_AT_MOST
        while connection.scalar(earlier, {"since": since}):
            if time.monotonic() > until:
                raise TransactionStaysOpen(minutes=OPEN_AT_MOST // 60)
            time.sleep(0.05)


def once_it_answers(step: Callable[[], T]) -> T:
    """Do a step, from the beginning of its transaction to its commit, again until the database answers.

    For noting what was done outside and would be done twice otherwise. Waits two minutes at most: with what went before
    that stays within the time for which work is claimed.

    :raises sqlalchemy.exc.OperationalError: if the database is still away then
    """
    until = time.monotonic() + AWAY_AT_MOST
    while True:
        try:
            return step()
        except sa.exc.OperationalError as error:
            db.session.rollback()
            if time.monotonic() > until:
                raise
            log.warning("done, and the database does not answer: %s", type(error).__name__)
            time.sleep(1)


def engine_options(url: str) -> dict[str, Any]:
    """Return how to connect: errors never quote what was sent, and a server that is away is not waited for long."""
    options: dict[str, Any] = {"hide_parameters": True}
    if sa.make_url(url).get_backend_name() == "postgresql":
        options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    return options


def clock_apart(connection: sa.Connection, now: datetime) -> timedelta:
    """Return how far this machine's clock is from the database's; nothing on SQLite, which has none of its own."""
    if connection.dialect.name != "postgresql":
        return timedelta(0)
    return abs(connection.scalar(sa.select(sa.func.clock_timestamp())) - now)


@contextmanager
def own_transaction() -> Iterator[Session]:
    """Yield a session with a transaction of its own, committed at the end, rolled back on an exception.

    For what a *reading* request must still write (that a message was opened, who looked). A request
    that already writes would wait for itself on SQLite, so there it is refused.

    :raises RuntimeError: inside a transaction that means to write
    """
    if writing.get():
        raise RuntimeError("a writing request uses its own session")
    token = writing.set(True)
    try:
        with Session(db.engine) as session, session.begin():
            yield session
    finally:
        writing.reset(token)


@contextmanager
def only_reading() -> Iterator[None]:
    """Let a job read, and think about what it read, without SQLite's write lock; what was read is let go at the end.

    Stands between the job's transactions, never inside one: what it did not commit is rolled back.
    """
    db.session.rollback()
    token = writing.set(False)
    try:
        yield
    finally:
        db.session.rollback()
        writing.reset(token)


@contextmanager
def as_if() -> Iterator[None]:
    """Let a reading request do something to see what would come of it; nothing of it stays.

    Others wait for SQLite's write lock as if it were done in earnest, so little is tried at once.
    """
    db.session.rollback()
    token = writing.set(True)
    try:
        yield
    finally:
        db.session.rollback()
        writing.reset(token)


def give_way(seconds: float) -> None:
    """Leave SQLite's write lock alone for a while, between two steps of a job that would take it all the time.

    Whoever waits for the lock asks for it every few milliseconds: without a gap only luck would let them in.
    PostgreSQL lets writers work side by side and needs none.
    """
    if db.engine.dialect.name == "sqlite":
        time.sleep(seconds)


def has_no_room(error: BaseException) -> bool:
    """Tell whether a database could not write because its disk is full, or no file may grow any more."""
    cause = getattr(error, "orig", error)
    full = {"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR"}
    return getattr(cause, "sqlite_errorname", None) in full or getattr(cause, "sqlstate", None) in DISK_FULL


DISK_FULL = frozenset({"53100", "58030"})  # PostgreSQL: disk_full, io_error


def kept_in_mind(record: Any) -> None:
    """Let the session know a record until it ends: it forgets what nobody holds, and would read it anew each time."""
    db.session.info.setdefault("kept in mind", set()).add(record)


def locked(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Return the statement so that it holds its rows until the transaction ends.

    PostgreSQL locks the rows; SQLite, where it has no meaning, has taken the whole write lock at BEGIN.
    """
    return statement.with_for_update().execution_options(populate_existing=True)


class among(sa.sql.functions.FunctionElement[bool]):  # noqa: N801 -- reads as a function of SQL
    """Whether a column is one of a list that is one parameter, named here and given when the statement is executed.

    Unlike `in_`, the statement reads the same however many there are, so that PostgreSQL plans it once for a connection
    and not each time. Put together once, for statements of a rush.
    """

    type = sa.Boolean()
    inherit_cache = True

    def __init__(self, column: Any, name: str) -> None:
        super().__init__(column, sa.bindparam(name, type_=_List(column.type)))


@compiles(among)
def _among_json(element: among, compiler: Any, **kwargs: Any) -> str:
    column, listed = [compiler.process(each, **kwargs) for each in element.clauses]
    return f"{column} IN (SELECT value FROM json_each({listed}))"  # noqa: S608 -- compiled by SQLAlchemy


@compiles(among, "postgresql")
def _among_array(element: among, compiler: Any, **kwargs: Any) -> str:
    column, listed = [compiler.process(each, **kwargs) for each in element.clauses]
    return f"{column} = ANY ({listed})"


class _List(sa.TypeDecorator[Collection[Any]]):
    """Ids or plain texts as one parameter: an array, or JSON on SQLite."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: Any) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        array = dialect.name == "postgresql"
        return dialect.type_descriptor(postgresql.ARRAY(self.item) if array else sa.Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class NewRows:
    """A statement that adds rows to a table past the ORM, in their order.

    On PostgreSQL each column is one parameter, so that the statement reads the same for any number of rows and is
    planned once for a connection. Put together once, for statements of a rush.

    :param columns: the columns each row gives, by name
    """

    def __init__(self, table: sa.FromClause, columns: Sequence[str]) -> None:
        self._table, self._columns = table, columns
        arrays = [sa.bindparam(name, type_=postgresql.ARRAY(table.c[name].type)) for name in columns]
        given = sa.func.unnest(*arrays).table_valued(*columns, with_ordinality="place", name="given").render_derived()
        in_order = sa.select(*(given.c[name] for name in columns)).order_by(given.c.place)
        self._one_by_one: Any = sqlite.insert(table)
        self._by_columns: Any = postgresql.insert(table).from_select(columns, in_order)
        self._read: Callable[[Any], Sequence[Any]] = lambda _done: ()

    def numbered(self) -> "NewRows":
        """Return a statement whose `add` returns the ids of the rows, in their order.

        The ids of one statement's rows rise in the order of the rows (SQLAlchemy rests on the same); others may come
        in between.
        """
        other = NewRows(self._table, self._columns)
        other._one_by_one = self._one_by_one.returning(self._table.c.id, sort_by_parameter_order=True)
        other._by_columns = self._by_columns.returning(self._table.c.id)
        other._read = lambda done: sorted(done.scalars())
        return other

    def unless_there(self, *returning: str) -> "NewRows":
        """Return a statement that leaves out rows that some unique constraint refuses.

        :param returning: the columns of which `add` returns the values of the rows that were added, in any order:
            plain values of one, tuples of several
        """
        other = NewRows(self._table, self._columns)
        columns = [self._table.c[name] for name in returning]
        other._one_by_one = self._one_by_one.on_conflict_do_nothing().returning(*columns)
        other._by_columns = self._by_columns.on_conflict_do_nothing().returning(*columns)
        other._read = lambda done: (done.scalars() if len(columns) == 1 else done).all()
        return other

    def add(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        """Add rows; return of them what the statement returns."""
        if connection.dialect.name == "postgresql":
            values = {name: [row[name] for row in rows] for name in self._columns}
            return self._read(connection.execute(self._by_columns, values))
        return self._read(connection.execute(self._one_by_one, rows))


def one_at_a_time(key: str) -> None:
    """Let one transaction at a time past this point for a key, until it ends.

    For counting what has no row of its own to lock. SQLite, where a transaction that writes is alone anyway, needs
    nothing; PostgreSQL takes an advisory lock.
    """
    if db.session.get_bind().dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def one_at_a_time_while_keys_change(key: str) -> None:
    """Let one transaction at a time write values with a unique index while index keys are rotated.

    Comes before the look whether there is such a value: two could write the same one under one key each.
    """
    if sealing.being_rotated():
        one_at_a_time(key)
