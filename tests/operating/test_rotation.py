import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.cases.models import Case
from outreach.kernel import history, key_marks, sealing
from outreach.kernel.actor import SYSTEM
from outreach.kernel.database import Model, db
from outreach.kernel.history import Subject
from outreach.kernel.sealing import BlindIndex, Keyring
from outreach.operating import backup, rotation
from outreach.operating.locked_file import Secret
from outreach.operating.rotation import Progress, RotationRunning, StandsTwice
from outreach.organisations import queries as organisations
from outreach.organisations.rules import Role
from outreach.people.models import ContactPoint, Person
from outreach.people.operations import contact_point
from outreach.people.rules import ContactKind
from tests import factories
from tests.conftest import NOW
from tests.served import Served, Visitor, inside

NUMBER = "+8613800138000"
SECRET = Secret("key file", b"only for tests" * 8)


@pytest.fixture
def keys_file(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The key file of the installation, as it was again afterwards; no pauses, for here indexes are worked out late."""
    monkeypatch.setattr(rotation, "PAUSE_SECONDS", 0)
    file = app.config["SETTINGS"].keys_file
    kept = file.read_bytes()
    yield file
    db.session.rollback()
    file.write_bytes(kept)


@pytest.fixture
def in_use(keys_file: Path) -> Person:
    """A person with a number, an account with another, and a request."""
    factories.an_installation()
    unit = factories.an_organisation()
    person = factories.a_person(
        "林知遥", organisation=unit, at=contact_point(kind=ContactKind.PHONE, value=NUMBER, now=NOW)
    )
    person.identity_number = "431399197903190126"
    person.identity_index = sealing.blind(person.identity_number, purpose="identity")
    person.birth = "1979-03-19"
    factories.an_account("白鹭", organisation=unit, phone="+8613900139000", email="bailu@example.cn")
    factories.a_case(intake=unit, person=person)
    db.session.commit()
    return person


def _rotate(keys_file: Path, tell: Callable[[Progress], None] = lambda _: None) -> Keyring:
    db.session.commit()
    rotation.rotate(keys_file=keys_file, now=NOW, tell=tell)
    db.session.expire_all()
    return Keyring.read(keys_file)


def _sealed_values() -> list[str]:
    """What stands in every sealed column, as it stands."""
    return [
        value
        for table in Model.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, rotation.SEALED)
        for value in db.session.scalars(sa.select(sa.type_coerce(column, sa.Text)).where(column.is_not(None)))
    ]


def _reached_at(number: str) -> ContactPoint | None:
    index = sealing.blind(number, purpose="phone")
    return db.session.scalar(
        sa.select(ContactPoint).where(ContactPoint.kind == ContactKind.PHONE, ContactPoint.index == index)
    )


def test_everything_stands_under_new_keys_and_is_read_and_found(in_use: Person, keys_file: Path):
    before = Keyring.read(keys_file)
    assert {value.split(".")[1] for value in _sealed_values()} == {"k1"}

    after = _rotate(keys_file)

    assert (list(after.sealing), list(after.indexes)) == (["k2"], ["i2"])
    assert not set(after.sealing.values()) & set(before.sealing.values())
    assert {value.split(".")[1] for value in _sealed_values()} == {"k2"}
    sealing.use(after, keys_file)  # as a process that never knew the old ones
    assert (in_use.identity_number, in_use.phone) == ("431399197903190126", NUMBER)
    assert _reached_at(NUMBER) == in_use.contacts[0].contact_point
    assert organisations.account_named("+8613900139000") == organisations.account_named("bailu@example.cn")
    assert organisations.account_named("+8613900139000").name == "白鹭"
    assert in_use.name_birth_index == sealing.blind(f"{in_use.name_key}|1979-03-19", purpose="name and birth")
    assert key_marks.kept_in(db.session.connection()) == after.fingerprints()


def test_every_index_can_be_written_anew():
    named = {
        f"{table.name}.{column.name}": column.type
        for table in Model.metadata.sorted_tables
        for column in table.columns
        if column.name.endswith("_index") or column.name in {"index", "tail"}
    }

    assert [name for name, kind in named.items() if not (isinstance(kind, BlindIndex) and kind.of)] == []


def test_what_was_handed_out_stays_good(in_use: Person, keys_file: Path):
    case = db.session.scalars(sa.select(Case)).one()
    token = case.token

    _rotate(keys_file)

    assert case.token == token


def test_old_lines_of_history_hold_and_new_ones_cannot_be_written_with_the_old_key(in_use: Person, keys_file: Path):
    subject, old = Subject("drill", 1), Keyring.read(keys_file)
    history.write(subject=subject, act="begun", by=SYSTEM, now=NOW - timedelta(days=1))
    _rotate(keys_file)
    history.write(subject=subject, act="noted", by=SYSTEM, now=NOW + timedelta(days=1))
    assert history.first_broken_position(db.session(), subject) is None

    new = sealing.ring()
    sealing.use(old)
    history.write(subject=subject, act="forged", by=SYSTEM, now=NOW + timedelta(days=2))
    sealing.use(new, keys_file)

    assert history.first_broken_position(db.session(), subject) == 3


def test_while_keys_are_rotated_others_write_and_always_find(
    in_use: Person, keys_file: Path, going_on: Callable, app: Flask
):
    """Each step makes a new number and looks for the first and the one before, as pages do."""

    def a_new_number_and_two_old_ones(number: int) -> None:
        db.session.execute(sa.select(1))  # as every request begins, by asking who it is
        assert _reached_at(NUMBER) is not None
        if number > 1:
            assert _reached_at(f"+86137{number - 1:08d}") is not None
        value = f"+86137{number:08d}"
        made = contact_point(kind=ContactKind.PHONE, value=value, now=NOW)
        assert contact_point(kind=ContactKind.PHONE, value=value, now=NOW) == made

    with going_on(a_new_number_and_two_old_ones) as written:
        for _ in range(2):
            after = _rotate(keys_file)

    values = [point.value for point in db.session.scalars(sa.select(ContactPoint))]
    assert len(values) == len(set(values))
    assert set(after.sealing) == {"k3"} == {value.split(".")[1] for value in _sealed_values()}
    sealing.use(after, keys_file)
    for number in range(1, len(written) + 1):
        assert _reached_at(f"+86137{number:08d}") is not None


def test_a_rotation_that_was_broken_off_goes_on(in_use: Person, keys_file: Path):
    class Stopped(Exception):  # noqa: N818 -- what happened
        pass

    def die(_progress: Progress) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        _rotate(keys_file, die)
    half = Keyring.read(keys_file)
    assert rotation.under_way(half)
    sealing.use(half, keys_file)
    assert in_use.identity_number == "431399197903190126"
    assert _reached_at(NUMBER) is not None

    after = _rotate(keys_file)

    assert (list(after.sealing), list(after.indexes)) == (["k2"], ["i2"])
    assert {value.split(".")[1] for value in _sealed_values()} == {"k2"}


def test_what_somebody_changes_meanwhile_is_not_put_back(in_use: Person, keys_file: Path, app: Flask):
    def change(progress: Progress) -> None:
        if progress.table == "accounts":  # before the turn of people
            with db.engine.begin() as connection:
                sealed = sealing.ring().seal("改过的备注", purpose="person.remark")
                connection.execute(sa.text("UPDATE people SET remark = :sealed"), {"sealed": sealed})

    _rotate(keys_file, change)

    assert in_use.remark == "改过的备注"


def test_two_rotations_at_once_are_refused(in_use: Person, keys_file: Path):
    def another(_progress: Progress) -> None:
        with pytest.raises(RotationRunning):
            rotation.rotate(keys_file=keys_file, now=NOW, tell=lambda _: None)

    _rotate(keys_file, another)


def test_a_value_that_stands_twice_is_named_and_the_old_keys_stay(in_use: Person, keys_file: Path):
    point = in_use.contacts[0].contact_point
    db.session.add(ContactPoint(kind=point.kind, value=point.value, index="0" * 64))
    db.session.commit()

    with pytest.raises(StandsTwice, match="contact_points"):
        _rotate(keys_file)

    assert rotation.under_way(Keyring.read(keys_file))
    assert _reached_at(NUMBER) is not None


def test_a_backup_from_before_opens_with_the_keys_of_its_day(
    in_use: Person, keys_file: Path, app: Flask, tmp_path: Path, elsewhere: Callable[[str], Flask], database: str
):
    backup.make(path=tmp_path / "x.backup", secret=SECRET, settings=app.config["SETTINGS"], now=NOW)
    _rotate(keys_file)

    other = elsewhere(database)
    backup.restore(path=tmp_path / "x.backup", secret=SECRET, settings=other.config["SETTINGS"], replace=False, now=NOW)

    assert list(sealing.ring().sealing) == ["k1"]
    assert db.session.scalars(sa.select(Person)).one().phone == NUMBER


def test_who_is_signed_in_stays_so_for_one_rotation(client, keys_file: Path):
    account = factories.an_account(organisation=factories.an_organisation())
    factories.signed_in(client, account)
    assert client.get("/desk/account").status_code == 200

    _rotate(keys_file)
    assert client.get("/desk/account").status_code == 200
    stolen = client.get_cookie("outreach").value
    _rotate(keys_file)
    _rotate(keys_file)

    client.set_cookie("outreach", stolen)
    assert client.get("/desk/account").status_code == 302


def test_processes_that_serve_take_the_new_keys_without_a_restart(serve: Callable[..., Served], database: str):
    """Somebody looks a number up in the running server, again and again, while another process rotates."""
    served = serve(database=database)
    with inside(served):
        lead = factories.an_installation().lead_organisation
        factories.an_account("白鹭", username="bailu", organisation=lead, roles=[Role.ORGANISER])
        factories.a_person("林知遥", organisation=lead, at=factories.a_contact_point(NUMBER))
    visitor = Visitor(served.url)
    visitor.sign_in("bailu", factories.PASSWORD)
    answers: list[bool] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            answers.append("林知遥" in visitor.page("/desk/people?q=13800138000"))
            stop.wait(1)  # who asks far too often is told to wait

    looking = threading.Thread(target=look)
    looking.start()
    try:
        served.run("rotate-keys")
    finally:
        stop.set()
        looking.join()

    assert answers
    assert all(answers)
    assert set(json.loads((served.instance / "keys.json").read_text())["sealing"]) == {"k2"}
