"""The version of the schema: which one a database has, which one this program needs, and the way between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask import current_app

from outreach.config import ROOT
from outreach.kernel.database import db
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from flask_migrate import Migrate


class NewerDatabase(Refused):
    """A later version of the program has already migrated the database."""

    message = N_(
        "The database is at version %(version)s, which this program does not know: a newer version has been here. "
        "Start that version, or restore a backup that this one made."
    )


def version_of(connection: sa.Connection) -> str | None:
    """Return the version of a database's schema; None of an empty one."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 -- see `migrations`

    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the version that this program needs."""
    return _scripts().get_current_head() or ""


def knows(version: str) -> bool:
    """Tell whether this program has the way to and from a version."""
    from alembic.util import CommandError  # noqa: PLC0415 -- see `migrations`

    try:
        return _scripts().get_revision(version) is not None
    except CommandError:
        return False


def migrate(connection: sa.Connection, version: str = "head") -> None:
    """Bring the schema to a version, in the transaction of the connection.

    :raises NewerDatabase: if it is at a version that this program does not know
    """
    from alembic import command  # noqa: PLC0415 -- see `migrations`

    standing = version_of(connection)
    if standing is not None and not knows(standing):
        raise NewerDatabase(version=standing)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def empty(connection: sa.Connection) -> None:
    """Take every table, trigger and function of ours away, in the transaction of the connection."""
    quote = connection.dialect.identifier_preparer.quote
    if connection.dialect.name == "postgresql":
        for table in sa.inspect(connection).get_table_names():
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quote(table)} CASCADE")
        for function in connection.exec_driver_sql(OWN_FUNCTIONS).scalars().all():
            connection.exec_driver_sql(f"DROP FUNCTION {function} CASCADE")
        return
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    for table in sa.inspect(connection).get_table_names():
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {quote(table)}")


@contextmanager
def unguarded(connection: sa.Connection) -> Iterator[None]:
    """Let rows in in any order inside, without triggers and foreign keys; both stand again, checked, afterwards.

    Needs no superuser: on PostgreSQL the constraints are taken away and made anew within the transaction.
    """
    if connection.dialect.name == "postgresql":
        quote = connection.dialect.identifier_preparer.quote
        tables = [quote(name) for name in sa.inspect(connection).get_table_names()]
        constraints = connection.exec_driver_sql(FOREIGN_KEYS).all()
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table, name, _ in constraints:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {quote(name)}")
        yield
        for table, name, definition in constraints:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {quote(name)} {definition}")
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        return
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # they are checked at the commit
    triggers = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        connection.exec_driver_sql(statement)


OWN_FUNCTIONS = """
    SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""
FOREIGN_KEYS = """
    SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
    WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace ORDER BY c.oid
"""


def migrations() -> "Migrate":
    """Return what knows our migrations; Alembic comes with it, 11 MB that pages and workers do without."""
    from flask_migrate import Migrate  # noqa: PLC0415 -- as said

    if "migrate" not in current_app.extensions:
        Migrate(current_app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    return current_app.extensions["migrate"].migrate


def _config() -> "Config":
    return migrations().get_config()


def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory  # noqa: PLC0415 -- see `migrations`

    return ScriptDirectory.from_config(_config())
