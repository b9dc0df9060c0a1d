"""What a measurement stands on: a PostgreSQL server, a city in a database of its own, the real server before it.

- OUTREACH_BENCH_POSTGRESQL: the URL of a PostgreSQL server as somebody who may create databases. Without it a private
  one is made in a temporary folder with the settings it is shipped with, and removed afterwards.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import make_url

from bench.figure import say
from outreach.app import create_app
from outreach.config import ROOT, Settings
from outreach.demo import city
from outreach.kernel import calendar_days, lately, sealing
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, WorkState
from outreach.operating import schema

PATIENCE = 60
"""Seconds a server may take to begin or to end."""
UNPRIVILEGED = ("postgres", "nobody")
"""Whom PostgreSQL runs as where the bench runs as root, which it refuses."""
POSTGRESQL = "postgresql"
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Ground:
    """What every part of a bench gets: a folder of its own, and a PostgreSQL server."""

    folder: Path
    postgresql: str
    built: dict[str, Settings] = field(default_factory=dict)
    """The city as it was built first, by kind of database; every other one is a copy of it."""

    @contextmanager
    def city(self, kind: str = POSTGRESQL) -> Iterator["City"]:
        """Yield the demo's city in a database of its own, "postgresql" or "sqlite"; its messages count as sent."""
        if kind not in self.built:
            self.built[kind] = self._build(kind)
        pattern = self.built[kind]
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            shutil.copytree(pattern.instance_path, folder, dirs_exist_ok=True)  # the keys, and SQLite's database
            url = None
            if kind == POSTGRESQL:
                url = stack.enter_context(_new_database(self.postgresql, template=_name_in(pattern.database)))
            app = create_app(Settings(instance_path=folder, database_url=url))
            with City(app, folder, app.config["SETTINGS"].database).entered() as made:
                yield made

    def _build(self, kind: str) -> Settings:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        url = _create_database(self.postgresql, template="template0") if kind == POSTGRESQL else None
        app = create_app(Settings(instance_path=folder, database_url=url))
        try:
            with app.app_context(), _put_away():
                with db.engine.begin() as connection:
                    schema.migrate(connection)
                calendar_days.seed(first=2024, last=now().year + 1)
                city.build(now=now())
                db.session.execute(sa.update(Work).values(state=WorkState.DONE))  # the demo's messages are not measured
                db.session.commit()
        except BaseException:
            if url:
                _drop_database(self.postgresql, _name_in(url))
            raise
        return app.config["SETTINGS"]


@dataclass(frozen=True)
class City:
    """A city to measure: the application in this process, its context pushed, to arrange and to count with."""

    app: Flask
    folder: Path
    database_url: str

    @contextmanager
    def entered(self) -> Iterator["City"]:
        """Stand in this city, where several are at hand: its database and its keys."""
        keys_file = self.app.config["SETTINGS"].keys_file
        sealing.use(sealing.Keyring.read(keys_file), keys_file)
        lately.forget_all()
        with self.app.app_context(), _put_away():
            yield self

    def session_cookie(self, **values: object) -> str:
        """Return the cookie of a browser whose session holds these values, signed as the application signs it."""
        signer = self.app.session_interface.get_signing_serializer(self.app)
        return f"{self.app.config['SESSION_COOKIE_NAME']}={signer.dumps(values)}"

    def settle(self) -> None:
        """Wait until the worker has done what the city left it to do: messages of the demo's past are not measured.

        :raises SystemExit: if it does not come to an end
        """
        due = sa.select(sa.func.count()).where(Work.state.in_((WorkState.WAITING, WorkState.RUNNING)))
        until = time.monotonic() + PATIENCE
        while db.session.scalar(due.where(Work.due_at <= now())):
            db.session.rollback()
            if time.monotonic() > until:
                raise SystemExit("the worker does not come to an end")
            time.sleep(0.5)
        db.session.remove()

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen]:
        """Have a worker of its own do what the city's outbox holds; yield its process."""
        db.session.remove()
        ours = {"OUTREACH_INSTANCE_PATH": str(self.folder), "OUTREACH_DATABASE_URL": self.database_url}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
        with (self.folder / "worker.log").open("w") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
                cwd=ROOT,
                env=inherited | ours,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                _end(process)

    @contextmanager
    def served(self, *arguments: str) -> Iterator[int]:
        """Serve the city as `serve` with these arguments does; yield the port on loopback."""
        db.session.remove()  # or SQLite would wait for this process
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        ours = {
            "OUTREACH_INSTANCE_PATH": str(self.folder),
            "OUTREACH_DATABASE_URL": self.database_url,
            "OUTREACH_BASE_URL": url,
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
        log = self.folder / "server.log"
        with log.open("w") as out:
            server = subprocess.Popen(  # noqa: S603 -- our own command
                [sys.executable, "-m", "flask", "--app", "wsgi", "serve", "--port", str(port), *arguments],
                cwd=ROOT,
                env=inherited | ours,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                _wait_for(server, url, log)
                yield port
            finally:
                _end(server)


@contextmanager
def ground() -> Iterator[Ground]:
    """Yield what measurements stand on, and say on standard error how safely the server writes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outreach-bench-")))
        given = os.environ.get("OUTREACH_BENCH_POSTGRESQL", "").replace("+psycopg", "")
        server = given or stack.enter_context(_private_postgresql())
        with psycopg.connect(server) as connection:
            for name in ("server_version", "fsync", "synchronous_commit"):
                say(f"{name} = {connection.execute('SELECT current_setting(%s)', [name]).fetchone()[0]}")
        say(f"cores = {CORES}")
        here = Ground(folder, server)
        try:
            yield here
        finally:
            if POSTGRESQL in here.built:
                _drop_database(server, _name_in(here.built[POSTGRESQL].database))


@contextmanager
def _private_postgresql() -> Iterator[str]:
    """Start a PostgreSQL server with the settings it is shipped with, reached by a socket in its own folder."""
    folder = Path(tempfile.mkdtemp(prefix="outreach-pg-"))
    whom = _unprivileged()
    try:
        if whom:
            os.chown(folder, pwd.getpwnam(whom).pw_uid, pwd.getpwnam(whom).pw_gid)
        initdb = [_program("initdb"), "--username=bench", "--auth=trust", "--encoding=UTF8", str(folder / "data")]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, **_as(whom))  # noqa: S603 -- found above
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(  # noqa: S603 -- found beside initdb
                [_program("postgres"), "-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses="],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # whoever ends the bench with all it started leaves this to the bench
                **_as(whom),
            )
        url = f"postgresql://bench@/postgres?host={folder}"
        try:
            _wait_for_postgresql(server, url, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # «fast»: connections are ended, nothing is lost
            server.wait(timeout=PATIENCE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


def _as(whom: str | None) -> dict[str, Any]:
    return {"user": whom, "group": pwd.getpwnam(whom).pw_gid, "extra_groups": []} if whom else {}


def _program(name: str) -> str:
    """Return the file of one of PostgreSQL's programs; Debian keeps those of each version in a folder of its own."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda file: int(file.parts[-3]))
    found = str(kept[-1]) if kept else shutil.which(name)
    if found is None:
        raise SystemExit(
            f"PostgreSQL's {name} was not found: install the server, or name one in OUTREACH_BENCH_POSTGRESQL"
        )
    return found


@contextmanager
def _put_away() -> Iterator[None]:
    """Close every connection of the application in whose context it stands."""
    try:
        yield
    finally:
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _new_database(server: str, *, template: str) -> Iterator[str]:
    url = _create_database(server, template=template)
    try:
        yield url
    finally:
        _drop_database(server, _name_in(url))


def _create_database(server: str, *, template: str) -> str:
    name = f"outreach_bench_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
    return make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


def _drop_database(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _name_in(url: str) -> str:
    return make_url(url).database


def peak_megabytes(pid: int) -> float:
    """Return the most memory a process has held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait_for(server: subprocess.Popen, url: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 -- our own, on loopback
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the server does not answer:\n{log.read_text()[-4000:]}")


def _wait_for_postgresql(server: subprocess.Popen, url: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"PostgreSQL does not start:\n{log.read_text()[-4000:]}")


def _end(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)  # the session the server was started in, nothing else
        server.wait()
