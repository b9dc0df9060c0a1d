"""The application as a city runs it: a process of its own, its own folder and database, spoken to over HTTP."""

import http.cookiejar
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from outreach.app import create_app
from outreach.config import Settings
from outreach.kernel import sealing
from outreach.kernel.database import db
from tests.machine import ROOT, SQLITE, free_port, new_database
from tests.post_office import PostOffice

FIELD = re.compile(r'name="csrf_token"(?: type="hidden")? value="([^"]+)"')
PATIENCE = 60
"""Seconds a server may take to begin; a slow machine under load needs more than it seems."""


@dataclass(frozen=True)
class Served:
    """One running server: where it answers, and what it keeps."""

    url: str
    instance: Path
    database_url: str
    log: Path

    def run(self, *command: str) -> str:
        """Run one of the application's own commands against the same data and return what it prints."""
        finished = subprocess.run(
            _flask(*command),
            cwd=ROOT,
            env=_environment(self.instance, self.database_url),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout


class Visitor:
    """Somebody with a browser that keeps cookies."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def page(self, path: str, form: dict[str, str] | None = None) -> str:
        """Return what is shown at a path, or after a form was sent there."""
        data = urllib.parse.urlencode(form).encode() if form else None
        with self._opener.open(self._url + path, data, timeout=60) as answer:
            return answer.read().decode()

    def sign_in(self, name: str, password: str) -> None:
        """Sign in on the desk."""
        self.page("/desk/sign-in", {"csrf_token": self.token("/desk/sign-in"), "name": name, "password": password})

    def token(self, path: str) -> str:
        """Return what a form on the page must be sent with."""
        return FIELD.search(self.page(path))[1]


def _flask(*command: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "wsgi", *command]


def _environment(instance: Path, database_url: str, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
    ours = {"OUTREACH_INSTANCE_PATH": str(instance), "OUTREACH_DATABASE_URL": database_url}
    return inherited | ours | more


@contextmanager
def serving(
    folder: Path,
    *arguments: str,
    database: str = SQLITE,
    first: Sequence[str] = (),
    post_office: PostOffice | None = None,
    **environment: str,
) -> Iterator[Served]:
    """Serve an application of its own for the length of the block.

    :param folder: an empty folder for its instance, its database and its log
    :param arguments: given to the `serve` command, such as "--threads", "4"
    :param database: "sqlite" or "postgresql"
    :param first: the application's commands to run before it is served, in this order, with their arguments
    :param environment: settings of the application, such as OUTREACH_LANGUAGE="en"
    """
    instance = folder / "instance"
    instance.mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {"OUTREACH_BASE_URL": url, **environment}
    if post_office is not None:
        environment |= {"OUTREACH_SMTP_HOST": post_office.host, "OUTREACH_SMTP_PORT": str(post_office.port)}
    log = folder / "server.log"
    with ExitStack() as stack:
        database_url = stack.enter_context(new_database(database, instance))
        ours = Served(url=url, instance=instance, database_url=database_url, log=log)
        for command in first:
            ours.run(*shlex.split(command))
        server = subprocess.Popen(
            _flask("serve", "--port", str(port), *arguments),
            cwd=ROOT,
            env=_environment(instance, database_url, **environment),
            stdout=stack.enter_context(log.open("w")),
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_answering(server, url, log)
            yield ours
        finally:
            server.terminate()
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_until_answering(server: subprocess.Popen, url: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            pytest.fail(f"the server ended with {server.returncode}:\n{log.read_text()[-4000:]}", pytrace=False)
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server did not answer within {PATIENCE} s:\n{log.read_text()[-4000:]}", pytrace=False)


@contextmanager
def inside(served: Served) -> Iterator[Any]:
    """The served application's data, from this process: for arranging what other features' pages make."""
    here = (sealing.ring(), sealing._file) if sealing._ring else None
    app = create_app(Settings(instance_path=served.instance, database_url=served.database_url, base_url=served.url))
    try:
        with app.app_context():
            yield app
            db.session.commit()
            db.engine.dispose()
    finally:
        if here is not None:
            sealing.use(*here)


@pytest.fixture
def serve(tmp_path: Path, post_office: PostOffice) -> Iterator[Callable[..., Served]]:
    """Start servers for one test: serve(database="postgresql", OUTREACH_LANGUAGE="en")."""
    with ExitStack() as stack:
        started: list[Served] = []

        def start(*arguments: str, **settings: str) -> Served:
            folder = tmp_path / f"server-{len(started) + 1}"
            folder.mkdir()
            started.append(stack.enter_context(serving(folder, *arguments, post_office=post_office, **settings)))
            return started[-1]

        yield start


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A fresh, empty installation, served; its mails go to `post_office`."""
    return serve()


@pytest.fixture(scope="session")
def served_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo city, served once for the whole run: for looking and for small changes nobody else relies on."""
    with serving(tmp_path_factory.mktemp("demo"), first=("migrate", "demo-city")) as server:
        yield server
