"""What this machine has for the tests: a Chromium, a PostgreSQL server; and what is said where one is missing.

- OUTREACH_TEST_CHROMIUM: the browser's file, where it is not on the PATH.
- OUTREACH_TEST_POSTGRESQL: the URL of a server as its superuser (postgresql://postgres@127.0.0.1:5432/postgres):
  databases are made and dropped, and emptied past the triggers that guard the history.
  Without it the server of this machine is tried, as the user who runs the tests and as postgres.
- OUTREACH_TEST_DATABASES: the kinds of database to test on, by default "sqlite,postgresql".
- OUTREACH_TEST_REQUIRE: what must be there, "chromium,postgresql" or "all"; the run fails at once without it.

Tests that need what is missing are skipped, and the last lines of the run say how many and why.
"""

import getpass
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

ROOT = Path(__file__).resolve().parent.parent

CHROMIUM = "chromium"
POSTGRESQL = "postgresql"
SQLITE = "sqlite"

REMEDIES = {
    CHROMIUM: "no Chromium was found: install one (apt-get install chromium) or name it in OUTREACH_TEST_CHROMIUM",
    POSTGRESQL: "no PostgreSQL was found: start one on this machine or name it in OUTREACH_TEST_POSTGRESQL",
}


@cache
def chromium() -> str | None:
    """Return the file of a Chromium, or None where there is none."""
    named = os.environ.get("OUTREACH_TEST_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


@cache
def postgresql() -> str | None:
    """Return the URL of a server whose superuser we are, or None where there is none."""
    named = os.environ.get("OUTREACH_TEST_POSTGRESQL", "").replace("+psycopg", "")
    users = dict.fromkeys((getpass.getuser(), "postgres"))
    urls = [named] if named else [f"postgresql://{user}@127.0.0.1:5432/postgres" for user in users]
    return next((url for url in urls if _is_superuser_of(url)), None)


def _is_superuser_of(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            role = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
            return bool(role and role[0])
    except psycopg.OperationalError:
        return False


def kinds_of_database() -> list[str]:
    """Return the kinds of database to test on, as the environment names them."""
    named = os.environ.get("OUTREACH_TEST_DATABASES", f"{SQLITE},{POSTGRESQL}")
    return [kind.strip() for kind in named.split(",") if kind.strip()]


@contextmanager
def new_postgresql_database() -> Iterator[str]:
    """Create an empty database for the length of the block and give its SQLAlchemy URL; drop it afterwards."""
    server = postgresql()
    name = f"outreach_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
    try:
        url = make_url(server).set(drivername="postgresql+psycopg", database=name)
        yield url.render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def new_database(kind: str, folder: Path) -> Iterator[str]:
    """Give the SQLAlchemy URL of a new, empty database of that kind; skip the test where it cannot be had.

    :param folder: where a SQLite file is put
    """
    if kind == SQLITE:
        yield f"sqlite:///{folder / 'outreach.db'}"
        return
    need(POSTGRESQL)
    with new_postgresql_database() as url:
        yield url


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def need(thing: str) -> None:
    """Skip the test where the thing is not on this machine."""
    if not has(thing):
        pytest.skip(REMEDIES[thing])


def has(thing: str) -> bool:
    """Say whether the thing is on this machine."""
    return {CHROMIUM: chromium, POSTGRESQL: postgresql}[thing]() is not None
