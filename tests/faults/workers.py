"""Workers in processes of their own, on a test's database, that are killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from outreach.kernel.database import db, only_reading
from tests.machine import ROOT

PATIENCE = 60


@contextmanager
def a_worker(
    app: Flask, *, log: Path = Path(os.devnull), preexec: Callable[[], None] | None = None, **environment: str
) -> Iterator[subprocess.Popen]:
    """A real worker process on the test's database."""
    db.session.commit()
    db.session.remove()
    settings = app.config["SETTINGS"]
    ours = {"OUTREACH_INSTANCE_PATH": str(settings.instance_path), "OUTREACH_DATABASE_URL": settings.database}
    with log.open("a") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")}
            | ours
            | environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=preexec,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        db.session.rollback()


def until(holds: Callable[[], bool]) -> None:
    """Look again and again, without SQLite's write lock, until something holds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with only_reading():
            if holds():
                return
        time.sleep(0.02)
    pytest.fail(f"not within {PATIENCE} s", pytrace=False)
