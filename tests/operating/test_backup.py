import json
import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.cases.models import Case
from outreach.kernel import history
from outreach.kernel.actor import SYSTEM
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine, Subject
from outreach.operating import backup, schema
from outreach.operating.backup import FileStands, NotEmpty
from outreach.operating.locked_file import (
    CHUNK,
    BackupDamaged,
    NewerBackup,
    Secret,
    WrongKey,
)
from outreach.people.models import Person
from tests import factories
from tests.conftest import NOW
from tests.machine import POSTGRESQL, SQLITE

SECRET = Secret("key file", b"only for tests" * 8)
OTHER = {SQLITE: POSTGRESQL, POSTGRESQL: SQLITE}


@pytest.fixture
def in_use(app: Flask) -> Iterator[Flask]:
    """An installation with a person of rare signs, a request with its history, and an uploaded file of three chunks."""
    factories.an_installation()
    unit = factories.an_organisation()
    person = factories.a_person("𠮷田䶮", organisation=unit, at=factories.a_contact_point("+8613800138000"))
    person.extra = {"备注": '"引号"\n第二行\\ 😀'}
    factories.a_case(intake=unit, person=person)
    db.session.commit()
    uploads = app.config["SETTINGS"].instance_path / "uploads" / "公告"
    uploads.mkdir(parents=True, exist_ok=True)
    (uploads / "海报 1.png").write_bytes(os.urandom(2 * CHUNK + 17))
    yield app
    for left in app.config["SETTINGS"].instance_path.glob("uploads*"):
        shutil.rmtree(left)


@pytest.fixture
def file(in_use: Flask, tmp_path: Path) -> Path:
    """A backup of it."""
    path = tmp_path / "one.backup"
    backup.make(path=path, secret=SECRET, settings=in_use.config["SETTINGS"], now=NOW)
    return path


def _restore(app: Flask, file: Path, **how: bool) -> backup.Contents:
    return backup.restore(
        path=file, secret=SECRET, settings=app.config["SETTINGS"], **({"replace": False} | how), now=NOW
    ).contents


def test_restored_into_the_other_engine_everything_is_there_and_new_rows_can_be_added(
    file: Path, database: str, elsewhere: Callable[[str], Flask]
):
    other = elsewhere(OTHER[database])

    contents = _restore(other, file)

    person = db.session.scalars(sa.select(Person)).one()
    case = db.session.scalars(sa.select(Case)).one()
    assert contents.rows["people"] == 1
    assert (person.name, person.contacts[0].contact_point.value) == ("𠮷田䶮", "+8613800138000")
    assert person.extra == {"备注": '"引号"\n第二行\\ 😀'}
    assert person.created_at == factories.BEFORE
    assert history.first_broken_position(db.session(), case.subject) is None
    uploaded = other.config["SETTINGS"].instance_path / "uploads" / "公告" / "海报 1.png"
    assert uploaded.stat().st_size == 2 * CHUNK + 17
    added = factories.a_person(organisation=person.organisation, at=factories.a_contact_point("+8613800138001"))
    history.write(subject=case.subject, act="noted", by=SYSTEM, now=NOW)
    db.session.commit()
    assert added.id > person.id


def test_restored_triggers_and_foreign_keys_stand(
    file: Path, database: str, elsewhere: Callable[[str], Flask], tmp_path: Path
):
    elsewhere_app = elsewhere(OTHER[database])
    _restore(elsewhere_app, file)

    with pytest.raises(sa.exc.DBAPIError, match="never changed or deleted"):
        db.session.execute(sa.text("DELETE FROM history_lines"))
    db.session.rollback()
    with pytest.raises(sa.exc.IntegrityError):
        db.session.execute(sa.text("UPDATE people SET organisation_id = 999999"))
    db.session.rollback()
    db.session.remove()


def test_a_backup_made_while_others_write_is_one_state(
    in_use: Flask,
    going_on: Callable,
    database: str,
    elsewhere: Callable[[str], Flask],
    tmp_path: Path,
):
    def two_lines_at_once(number: int) -> None:
        for act in ("begun", "ended"):
            history.write(subject=Subject("drill", number), act=act, by=SYSTEM, now=NOW)

    with going_on(two_lines_at_once):
        for name in ("first", "second"):
            backup.make(path=tmp_path / f"{name}.backup", secret=SECRET, settings=in_use.config["SETTINGS"], now=NOW)
    _restore(elsewhere(OTHER[database]), tmp_path / "second.backup")

    counts = db.session.execute(
        sa.select(HistoryLine.subject_id, sa.func.count())
        .where(HistoryLine.subject_kind == "drill")
        .group_by(HistoryLine.subject_id)
    ).all()
    assert counts
    assert {count for _, count in counts} == {2}
    assert [number for number, _ in sorted(counts)] == list(range(1, len(counts) + 1))


def test_a_sequence_goes_on_after_numbers_that_were_given_and_taken_away(
    elsewhere: Callable[[str], Flask], tmp_path: Path
):
    first = elsewhere(POSTGRESQL)
    with db.engine.begin() as connection:
        schema.migrate(connection)
    gone = factories.an_organisation()
    last = gone.id
    db.session.delete(gone)
    db.session.commit()
    backup.make(path=tmp_path / "x.backup", secret=SECRET, settings=first.config["SETTINGS"], now=NOW)
    _restore(elsewhere(POSTGRESQL), tmp_path / "x.backup")

    assert factories.an_organisation().id > last


def test_an_installation_in_use_is_not_overwritten_unless_told(in_use: Flask, file: Path):
    instance = in_use.config["SETTINGS"].instance_path
    keys = (instance / "keys.json").read_bytes()
    person = db.session.scalars(sa.select(Person)).one()
    person.name = "改过的名字"
    db.session.commit()

    with pytest.raises(NotEmpty):
        _restore(in_use, file)
    assert db.session.scalars(sa.select(Person.name)).one() == "改过的名字"
    db.session.remove()

    _restore(in_use, file, replace=True)
    assert db.session.scalars(sa.select(Person.name)).one() == "𠮷田䶮"
    assert (instance / "keys.json").read_bytes() == keys
    assert next(instance.glob("keys.json.before-*")).read_bytes() == keys


def test_a_damaged_backup_changes_nothing_where_it_was_to_be_restored(file: Path, in_use: Flask):
    whole = file.read_bytes()
    file.write_bytes(whole[:-100] + bytes([whole[-100] ^ 1]) + whole[-99:])

    with pytest.raises(BackupDamaged):
        _restore(in_use, file, replace=True)

    assert db.session.scalars(sa.select(Person.name)).one() == "𠮷田䶮"


def test_a_backup_of_a_newer_schema_is_refused(
    in_use: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: Callable[[str], Flask], database: str
):
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    try:
        backup.make(path=tmp_path / "x.backup", secret=SECRET, settings=in_use.config["SETTINGS"], now=NOW)
    finally:
        with db.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema.newest()}'")

    with pytest.raises(NewerBackup):
        _restore(elsewhere(database), tmp_path / "x.backup")


def test_a_passphrase_opens_what_it_locked(in_use: Flask, tmp_path: Path):
    words = Secret.passphrase("芦苇丛里的一群大雁飞过了江面")
    backup.make(path=tmp_path / "x.backup", secret=words, settings=in_use.config["SETTINGS"], now=NOW)

    assert backup.check(path=tmp_path / "x.backup", secret=words).rows["people"] == 1
    with pytest.raises(WrongKey):
        backup.check(path=tmp_path / "x.backup", secret=Secret.passphrase("芦苇丛里的一群大雁飞过了湖面"))


def test_nothing_personal_and_no_key_can_be_read_in_the_file(in_use: Flask, file: Path):
    content = file.read_bytes()
    keys = json.loads((in_use.config["SETTINGS"].instance_path / "keys.json").read_text())

    assert "𠮷田䶮".encode() not in content
    assert keys["sessions"][0].encode() not in content
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_backup_is_never_overwritten(in_use: Flask, file: Path):
    with pytest.raises(FileStands):
        backup.make(path=file, secret=SECRET, settings=in_use.config["SETTINGS"], now=NOW)


def test_a_full_disk_leaves_no_half_file(in_use: Flask, tmp_path: Path, run_command: Callable):
    (tmp_path / "key").write_bytes(SECRET.content)
    before = sorted(tmp_path.iterdir())

    finished = run_command(
        in_use.config["SETTINGS"],
        *("backup", "--key-file", tmp_path / "key", tmp_path / "x"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK, CHUNK)),
    )

    assert finished.returncode == 1
    assert "磁盘空间不够" in finished.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_the_newest_backups_of_a_folder_are_kept(tmp_path: Path):
    for day in range(1, 6):
        (tmp_path / f"outreach-2026110{day}T010000Z.backup").touch()
    (tmp_path / "by-hand.backup").touch()

    backup.keep_newest(tmp_path, 2)

    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "by-hand.backup",
        "outreach-20261104T010000Z.backup",
        "outreach-20261105T010000Z.backup",
    ]
