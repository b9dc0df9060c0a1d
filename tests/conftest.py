"""The application on each database, clean for each test.

`app` runs a test on SQLite and again on PostgreSQL, in databases of this test process's own.
"""

import contextvars
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import scoped_session

from outreach.app import create_app
from outreach.config import Settings
from outreach.kernel import calendar_days, lately, sealing
from outreach.kernel.database import db
from outreach.operating import erasures, schema
from outreach.organisations.models import Installation
from tests import factories
from tests.machine import POSTGRESQL, SQLITE, kinds_of_database, need, new_postgresql_database

pytest_plugins = ["tests.run", "tests.post_office", "tests.served", "tests.browser"]

TEMPLATE = "template.db"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
"""A Tuesday, 10:00 in the office: the moment tests pass as `now` unless they say otherwise."""


class Client(FlaskClient):
    """A browser of its own: each request sees only what was committed, as in another process."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; what the test arranged is committed first, what it holds is read anew after."""
        db.session.commit()
        response = contextvars.Context().run(super().open, *args, **kwargs)
        db.session.expire_all()
        return response


@pytest.fixture(scope="session")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Flask]]:
    """The application on a kind of database, made once for this test process, when first asked for."""
    made: dict[str, Flask] = {}
    with ExitStack() as stack:

        def on(kind: str) -> Flask:
            if kind not in made:
                folder = tmp_path_factory.mktemp(kind)
                url = stack.enter_context(new_postgresql_database()) if kind == POSTGRESQL else None
                made[kind] = _application(Settings(instance_path=folder, database_url=url))
                if kind == SQLITE:
                    _keep_as_template(made[kind], folder)
            return made[kind]

        yield on
        for application in made.values():
            with application.app_context():
                db.engine.dispose()


@pytest.fixture(params=kinds_of_database())
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database this test runs on."""
    if request.param == POSTGRESQL:
        need(POSTGRESQL)
    return request.param


@pytest.fixture
def app(applications: Callable[[str], Flask], database: str) -> Iterator[Flask]:
    """The application on an empty, migrated database, with its context pushed."""
    application = applications(database)
    keys_file = application.config["SETTINGS"].keys_file
    sealing.use(sealing.Keyring.read(keys_file), keys_file)  # of this application, not of the one made last
    lately.forget_all()  # of the test before
    with application.app_context():
        if database == SQLITE:
            _begin_from_template(Path(db.engine.url.database))
        yield application
        db.session.rollback()
        db.session.remove()
        (keys_file.parent / erasures.LEDGER).unlink(missing_ok=True)  # the next test's people bear the same numbers
        if database == POSTGRESQL:
            _empty_postgresql()


@pytest.fixture
def session(app: Flask) -> scoped_session[Any]:
    """The test's own session, on the clean database."""
    return db.session


@pytest.fixture
def city(app: Flask) -> Installation:
    """A city that is set up; its lead office is the root of the tree."""
    return factories.an_installation()


@pytest.fixture
def client(fresh_client: FlaskClient, city: Installation) -> FlaskClient:
    """A browser without a session, that keeps its cookies; the city is set up."""
    return fresh_client


@pytest.fixture
def fresh_client(app: Flask) -> FlaskClient:
    """The same before the first set-up, when every page leads there."""
    app.test_client_class = Client
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


@pytest.fixture
def statements(app: Flask) -> Callable[[], AbstractContextManager[list[str]]]:
    """Count what is sent to the database: `with statements() as counted: …; len(counted)`."""

    @contextmanager
    def counting():
        sent = []

        def note(_connection, _cursor, statement, *_rest):
            sent.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    return counting


def _application(settings: Settings) -> Flask:
    app = create_app(settings)
    app.config["TESTING"] = True
    with app.app_context():
        with db.engine.begin() as connection:
            schema.migrate(connection)
        calendar_days.seed(first=2024, last=2027)
        db.session.commit()
        db.session.remove()
    return app


def _keep_as_template(app: Flask, folder: Path) -> None:
    with app.app_context():
        with db.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
        shutil.copy(db.engine.url.database, folder / TEMPLATE)


def _begin_from_template(file: Path) -> None:
    db.engine.dispose()
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    shutil.copy(file.with_name(TEMPLATE), file)


def _empty_postgresql() -> None:
    kept = {"calendar_days", "calendar_years"}
    tables = [table.name for table in db.metadata.sorted_tables if table.name not in kept]
    with db.engine.begin() as connection:
        # history refuses to be deleted; only a superuser's replica role gets past its triggers
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(";".join(f"DELETE FROM {name}" for name in tables))
