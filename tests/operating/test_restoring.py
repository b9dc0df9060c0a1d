"""What a restore brings along, and what it leaves alone where it does not succeed."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.app import create_app
from outreach.config import Settings
from outreach.kernel import history, sealing
from outreach.kernel.actor import SYSTEM
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine, Subject
from outreach.operating import backup, erasures, schema, verification
from outreach.operating.locked_file import Secret
from outreach.people.models import Person
from tests import factories
from tests.conftest import NOW
from tests.machine import POSTGRESQL, SQLITE, new_database

SECRET = Secret("key file", b"only for tests" * 8)
OTHER = {SQLITE: POSTGRESQL, POSTGRESQL: SQLITE}
CASE = Subject("drill", 7)


@pytest.fixture
def folder(app: Flask) -> Iterator[Path]:
    """Where the application keeps what is beside its database."""
    kept = app.config["SETTINGS"].instance_path
    yield kept
    for left in (*kept.glob("*.before-*"), *kept.glob("uploads"), *kept.glob(verification.ANCHORS)):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


@pytest.fixture
def anchored(app: Flask, folder: Path, tmp_path: Path) -> Path:
    """A backup with an anchor over two lines of history."""
    factories.an_installation()
    for act in ("begun", "ended"):
        history.write(subject=CASE, act=act, by=SYSTEM, now=NOW)
    db.session.commit()
    assert verification.set_anchor(folder=folder, now=NOW).whole
    return _backed_up(app, tmp_path / "anchored.backup")


def _backed_up(app: Flask, file: Path) -> Path:
    db.session.commit()
    backup.make(path=file, secret=SECRET, settings=app.config["SETTINGS"], now=NOW)
    return file


def _restored(app: Flask, file: Path) -> Path:
    db.session.commit()
    settings = app.config["SETTINGS"]
    backup.restore(path=file, secret=SECRET, settings=settings, replace=True, now=NOW + timedelta(days=1))
    db.session.expire_all()
    return settings.instance_path


def _cut_off_the_end() -> None:
    """Take the last line away, as only somebody with the database in hand can."""
    with db.engine.begin() as connection, schema.unguarded(connection):
        connection.exec_driver_sql("DELETE FROM history_lines WHERE id = (SELECT max(id) FROM history_lines)")


def test_restored_elsewhere_the_history_is_compared_with_the_old_machines_anchor(
    anchored: Path, database: str, elsewhere: Callable[[str], Flask]
):
    there = _restored(elsewhere(OTHER[database]), anchored)

    verdict = verification.verify(folder=there)
    assert (verdict.whole, verdict.anchored_at, verdict.lines) == (True, NOW, 2)

    _cut_off_the_end()
    verdict = verification.verify(folder=there)
    assert (verdict.whole, verdict.missing) == (False, 1)


def test_anchors_of_another_installation_give_way_and_are_kept_beside(
    anchored: Path, database: str, elsewhere: Callable[[str], Flask]
):
    other = elsewhere(OTHER[database])
    there = other.config["SETTINGS"].instance_path
    with db.engine.begin() as connection:
        schema.migrate(connection)
    for number in range(9):
        history.write(subject=Subject("drill", number), act="begun", by=SYSTEM, now=NOW)
    factories.an_installation()
    db.session.commit()
    verification.set_anchor(folder=there, now=NOW)
    theirs = (there / verification.ANCHORS).read_bytes()

    _restored(other, anchored)

    verdict = verification.verify(folder=there)
    assert (verdict.whole, verdict.lines) == (True, 2)
    [beside] = there.glob(f"{verification.ANCHORS}.before-*")
    assert beside.read_bytes() == theirs


def test_after_restoring_an_older_backup_in_place_its_own_anchor_counts(app: Flask, anchored: Path, folder: Path):
    history.write(subject=CASE, act="reopened", by=SYSTEM, now=NOW)
    db.session.commit()
    assert verification.set_anchor(folder=folder, now=NOW + timedelta(hours=1)).whole

    _restored(app, anchored)

    assert db.session.scalar(sa.select(sa.func.count()).select_from(HistoryLine)) == 2
    db.session.commit()  # anchors wait for open transactions
    verdict = verification.verify(folder=folder)
    assert (verdict.whole, verdict.anchored_at) == (True, NOW)
    assert verification.set_anchor(folder=folder, now=NOW + timedelta(days=1)).whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with little room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root, where it may mount, can make a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.parametrize("what", ["rows", "files"])
def test_a_disk_that_is_too_small_leaves_what_was_there(
    app: Flask, database: str, folder: Path, small_disk: Path, tmp_path: Path, run_command: Callable, what: str
):
    if what == "rows" and database == POSTGRESQL:
        pytest.skip("the rows lie on PostgreSQL's own disk")
    factories.an_installation()
    uploads = folder / "uploads"
    if what == "rows":
        for number in range(1500):
            history.write(subject=Subject("drill", number), act="said", by=SYSTEM, now=NOW, words="长" * 3000)
    else:
        uploads.mkdir(exist_ok=True)
        (uploads / "海报.png").write_bytes(os.urandom(16 * 1024 * 1024))
    file = _backed_up(app, tmp_path / "large.backup")
    (uploads / "海报.png").unlink(missing_ok=True)
    (tmp_path / "key").write_bytes(SECRET.content)
    with new_database(database, small_disk) as url:
        settings = Settings(instance_path=small_disk, database_url=url)
        with _standing(settings):
            factories.a_person("还在的人", organisation=factories.an_installation().lead_organisation)
            db.session.commit()
        before = _names(small_disk)

        finished = run_command(settings, "restore", "--replace", "--key-file", tmp_path / "key", file)

        assert finished.returncode == 1
        assert "磁盘空间不够" in finished.stderr
        assert "Traceback" not in finished.stderr
        assert _names(small_disk) - {erasures.LEDGER} == before
        with _standing(settings):
            assert db.session.scalars(sa.select(Person.name)).all() == ["还在的人"]


def _names(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if not file.name.endswith(("-wal", "-shm"))}


@contextmanager
def _standing(settings: Settings) -> Iterator[None]:
    """Open the installation that stands on a disk; then the test's own keys are in use again."""
    here = (sealing.ring(), sealing._file)
    with create_app(settings).app_context():
        try:
            with db.engine.begin() as connection:
                schema.migrate(connection)
            yield
        finally:
            db.session.remove()
            db.engine.dispose()
            sealing.use(*here)
