"""Installations beside the one of the test, and a thread that goes on writing while something else is done."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.app import create_app
from outreach.config import Settings
from outreach.kernel import sealing
from outreach.kernel.database import db
from tests.machine import ROOT, new_database


@contextmanager
def installation(folder: Path, kind: str) -> Iterator[Flask]:
    """Another installation, on an empty database of its own, with its context pushed; then the keys are as before."""
    here = (sealing.ring(), sealing._file) if sealing._ring else None
    folder.mkdir()
    with new_database(kind, folder) as url:
        other = create_app(Settings(instance_path=folder, database_url=url))
        try:
            with other.app_context():
                yield other
                db.session.remove()
                db.engine.dispose()
        finally:
            if here is not None:
                sealing.use(*here)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Open another installation for the rest of the test: elsewhere("sqlite")."""
    with ExitStack() as stack:
        opened = 0

        def open_one(kind: str) -> Flask:
            nonlocal opened
            opened += 1
            return stack.enter_context(installation(tmp_path / f"elsewhere-{opened}", kind))

        yield open_one


@pytest.fixture
def going_on(app: Flask) -> Callable[[Callable[[int], None]], AbstractContextManager[list[int]]]:
    """Call something with 1, 2, 3 … in a thread, each in a transaction, for the length of a block.

    The block begins once the first call is committed; it is given the numbers that were. A call that fails fails it.
    """

    @contextmanager
    def writing_on(step: Callable[[int], None]) -> Iterator[list[int]]:
        done: list[int] = []
        failures: list[BaseException] = []
        begun, stop = threading.Event(), threading.Event()

        def work() -> None:
            try:
                while not stop.is_set():
                    with app.app_context():
                        step(len(done) + 1)
                        db.session.commit()
                        done.append(len(done) + 1)
                    begun.set()
                    stop.wait(0.005)  # leaves the lock to others now and then
            except (sa.exc.SQLAlchemyError, AssertionError) as failure:
                failures.append(failure)
            finally:
                begun.set()

        writer = threading.Thread(target=work)
        writer.start()
        try:
            begun.wait()
            yield done
        finally:
            stop.set()
            writer.join()
        if failures:
            raise failures[0]

    return writing_on


@pytest.fixture
def run_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run one of the application's commands in a process of its own: run_command(settings, "check")."""

    def run(settings: Settings, *command: str, **how: Any) -> subprocess.CompletedProcess[str]:
        ours = {"OUTREACH_INSTANCE_PATH": str(settings.instance_path), "OUTREACH_DATABASE_URL": settings.database}
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *map(str, command)],
            cwd=ROOT,
            env=os.environ | ours,
            capture_output=True,
            text=True,
            check=False,
            **how,
        )

    return run
