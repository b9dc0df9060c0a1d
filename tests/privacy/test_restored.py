"""Who was erased stays erased when a backup from before is restored."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.kernel.database import db
from outreach.operating import backup, erasures, verification
from outreach.operating.locked_file import Secret
from outreach.organisations.models import Organisation
from outreach.organisations.rules import Role
from outreach.people.models import Consent, Person
from outreach.people.operations import merging
from outreach.privacy import operations
from outreach.privacy.models import Erasure
from outreach.privacy.rules import CHANGED_MIND, ErasureState
from tests import factories
from tests.conftest import NOW
from tests.machine import SQLITE
from tests.operating.conftest import installation
from tests.privacy.conftest import NAME, PHONE, worked_off
from tests.privacy.test_erasure import DUE, asked, traces_in_the_database

SECRET = Secret("key file", b"only for tests" * 8)
LATER = DUE + timedelta(days=9)


@pytest.fixture
def folder(app: Flask) -> Iterator[Path]:
    """Where the application keeps what is beside its database."""
    kept = app.config["SETTINGS"].instance_path
    yield kept
    for left in (*kept.glob("*.before-*"), *kept.glob("uploads"), *kept.glob(verification.ANCHORS)):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def backed_up(app: Flask, file: Path) -> Path:
    db.session.commit()
    backup.make(path=file, secret=SECRET, settings=app.config["SETTINGS"], now=NOW)
    return file


def restored(app: Flask, file: Path) -> backup.Restored:
    db.session.commit()
    try:
        return backup.restore(path=file, secret=SECRET, settings=app.config["SETTINGS"], replace=True, now=LATER)
    finally:
        db.session.expire_all()


def somebody() -> Person:
    office = db.session.scalars(sa.select(Organisation).order_by(Organisation.id)).first()
    return factories.a_person(organisation=office, at=factories.a_contact_point())


def erased(person: Person) -> None:
    operations.erase_on_behalf(
        person=person,
        how="本人到窗口",
        account=factories.an_account(organisation=person.organisation, roles=[Role.ADMINISTRATOR]),
        now=NOW,
    )
    db.session.commit()
    worked_off(DUE)


def test_after_restoring_a_backup_from_before_nothing_tells_who_it_was(app: Flask, life, folder: Path, tmp_path: Path):
    file = backed_up(app, tmp_path / "before.backup")
    asked(life)
    worked_off(DUE)

    done = restored(app, file)

    assert (done.again.people, done.again.foreign, done.known_here) == (1, 0, True)
    assert traces_in_the_database() == []
    assert db.session.get_one(Person, life.person.id).erased_at == LATER
    assert db.session.get_one(Person, life.colleague.id).erased_at is None
    assert verification.verify(folder=folder).whole


def test_a_wish_that_the_backup_still_waits_with_is_done(app: Flask, life, folder: Path, tmp_path: Path):
    wish_id = asked(life, alone=False)
    file = backed_up(app, tmp_path / "before.backup")
    wish = db.session.get_one(Erasure, wish_id)
    operations.confirm(erasure=wish, how="打过电话", account=life.organiser, now=NOW)
    db.session.commit()
    worked_off(NOW + CHANGED_MIND)

    restored(app, file)

    wish = db.session.get_one(Erasure, wish_id)
    assert (wish.state, wish.how, wish.contact_point_id) == (ErasureState.DONE, None, None)
    assert traces_in_the_database() == []


def test_two_records_that_became_one_after_the_backup_are_both_erased(app: Flask, life, folder: Path, tmp_path: Path):
    double = factories.a_person(NAME, organisation=life.office, at=factories.a_contact_point("+8619900000001"))
    file = backed_up(app, tmp_path / "before.backup")
    merging.merge(kept=life.person, gone=double, leads=(), by=life.organiser, now=NOW)
    db.session.commit()
    asked(life)
    worked_off(DUE)

    assert restored(app, file).again.people == 2
    assert traces_in_the_database() == []


def test_a_consent_taken_back_after_the_backup_is_taken_back_again(app: Flask, life, folder: Path, tmp_path: Path):
    [consent] = db.session.scalars(sa.select(Consent).where(Consent.about == f"event:{life.coming.id}"))
    file = backed_up(app, tmp_path / "before.backup")
    operations.withdraw_consent(consent=db.session.merge(consent), by=life.by, now=NOW)
    db.session.commit()
    worked_off(NOW)

    assert restored(app, file).again.consents == 1
    assert db.session.get_one(Consent, consent.id).withdrawn_at == LATER


def test_whoever_bears_the_number_of_somebody_erased_in_another_past_stays(
    app: Flask, city, folder: Path, tmp_path: Path
):
    first = backed_up(app, tmp_path / "first.backup")
    gone = somebody()
    gone_id = gone.id
    erased(gone)
    restored(app, first)
    other = somebody()
    other.created_at = NOW
    assert other.id == gone_id
    second = backed_up(app, tmp_path / "second.backup")

    assert restored(app, second).again.people == 0
    assert db.session.get_one(Person, gone_id).erased_at is None


def test_an_erasure_that_no_worker_has_written_down_yet_is_read_from_the_database_that_goes(
    app: Flask, life, folder: Path, tmp_path: Path
):
    file = backed_up(app, tmp_path / "before.backup")
    operations.erase(person=db.session.get_one(Person, life.person.id), by=life.by, now=NOW)
    assert not (folder / erasures.LEDGER).exists()

    assert restored(app, file).again.people == 1
    assert traces_in_the_database() == []


def test_on_another_machine_the_ledger_is_asked_for_and_does_its_work_once_it_lies_there(
    app: Flask, life, folder: Path, tmp_path: Path, database: str
):
    file = backed_up(app, tmp_path / "before.backup")
    asked(life)
    worked_off(DUE)
    ledger = (folder / erasures.LEDGER).read_bytes()
    with installation(tmp_path / "elsewhere", database if database == SQLITE else SQLITE) as other:
        without = restored(other, file)
        assert (without.again.people, without.known_here) == (0, False)
        assert traces_in_the_database() != []

        (other.config["SETTINGS"].instance_path / erasures.LEDGER).write_bytes(ledger)
        with_it = restored(other, file)

        assert (with_it.again.people, with_it.known_here) == (1, True)
        assert traces_in_the_database() == []


def test_the_ledger_tells_nobody_who_it_was_and_is_nobody_elses_to_read(app: Flask, life, folder: Path):
    asked(life)
    worked_off(DUE)

    kept = folder / erasures.LEDGER
    [line] = erasures.read(folder)
    assert (line.what, line.id, line.is_ours) == (erasures.GivenUp.PERSON, life.person.id, True)
    assert not any(trace in kept.read_text() for trace in (NAME, PHONE[3:]))
    assert kept.stat().st_mode & 0o777 == 0o600


def test_lines_that_were_altered_or_are_anothers_erase_nobody(app: Flask, life, folder: Path, tmp_path: Path):
    file = backed_up(app, tmp_path / "before.backup")
    asked(life)
    worked_off(DUE)
    kept = folder / erasures.LEDGER
    line = kept.read_text()
    other = line.replace(f'"id": {life.person.id}', f'"id": {life.colleague.id}')
    assert other != line

    kept.write_text(other + "{}\n" + line)
    done = restored(app, file)

    assert (done.again.people, done.again.foreign) == (1, 2)
    assert db.session.get_one(Person, life.colleague.id).erased_at is None


def test_a_line_taken_out_comes_back_in_the_night(app: Flask, life, folder: Path):
    asked(life)
    worked_off(DUE)
    kept = folder / erasures.LEDGER
    before = kept.read_text()
    kept.write_text("")

    assert erasures.note(folder=folder, connection=db.session.connection()) == 1
    assert kept.read_text() == before
    assert erasures.note(folder=folder, connection=db.session.connection()) == 0
