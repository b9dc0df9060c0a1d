"""Numbers that several processes make known in the same moment, while the index keys are changed under them."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.kernel.database import db
from outreach.operating import rotation
from outreach.people.models import ContactPoint
from tests.conftest import NOW
from tests.machine import POSTGRESQL, ROOT

PROCESSES = 4
ALL_AT_IT = """
import random, sys, time
from pathlib import Path
from outreach.app import create_app
from outreach.config import Settings
from outreach.kernel.database import db
from outreach.people.operations import contact_point
from outreach.people.rules import ContactKind
from tests.conftest import NOW

instance, url, stop = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
app = create_app(Settings(instance_path=instance, database_url=url))
made = 0
while not stop.exists():
    with app.app_context():
        number = f"138{int(time.time() * 10) % 10**8:08d}"  # the same in every process for 100 ms
        contact_point(kind=ContactKind.PHONE, value=number, now=NOW)
        time.sleep(random.random() * 0.03)
        db.session.commit()
        made += 1
print(made)
"""


@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
def test_a_number_that_several_make_known_while_the_index_key_is_switched_stands_once(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rotation, "PAUSE_SECONDS", 1)
    settings = app.config["SETTINGS"]
    kept = settings.keys_file.read_bytes()
    stop = tmp_path / "stop"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ALL_AT_IT, settings.instance_path, settings.database, stop],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    try:
        _until_they_are_at_it()
        for _ in range(3):
            rotation.rotate(keys_file=settings.keys_file, now=NOW, tell=lambda _: None)
    finally:
        stop.touch()
        made = [int(process.communicate(timeout=60)[0]) for process in processes]
        db.session.rollback()
        known = Counter(db.session.scalars(sa.select(ContactPoint.value)))
        db.session.rollback()
        settings.keys_file.write_bytes(kept)

    assert [process.returncode for process in processes] == [0] * PROCESSES
    assert sum(made) > len(known)  # they did meet
    assert [number for number, times in known.items() if times > 1] == []


def _until_they_are_at_it() -> None:
    end = time.monotonic() + 60
    while (db.session.scalar(sa.select(sa.func.count()).select_from(ContactPoint)) or 0) < 30:
        db.session.rollback()
        assert time.monotonic() < end, "nobody makes numbers known"
        time.sleep(0.1)
    db.session.rollback()
