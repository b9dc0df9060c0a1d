from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from pydantic import SecretStr

from outreach.config import Settings
from outreach.kernel import history, key_marks, outbox, sealing
from outreach.kernel.actor import SYSTEM
from outreach.kernel.clock import now as wall_clock
from outreach.kernel.database import db
from outreach.kernel.history import Subject
from outreach.operating import backup, checking
from outreach.operating.checking import State
from outreach.organisations.models import Installation
from outreach.organisations.rules import Role
from tests import factories
from tests.machine import free_port
from tests.post_office import PostOffice


@pytest.fixture
def settings(app: Flask) -> Iterator[Settings]:
    """The settings of an installation with an administrator."""
    settings: Settings = app.config["SETTINGS"]
    lead = factories.an_installation().lead_organisation
    factories.an_account(organisation=lead, roles=[Role.ADMINISTRATOR])
    key_marks.note(db.session(), sealing.ring())
    db.session.commit()
    yield settings
    (settings.instance_path / backup.LAST).unlink(missing_ok=True)
    settings.keys_file.chmod(0o600)


def _found(settings: Settings, now: datetime, *, connect: bool = False) -> dict[str, list[tuple[State, str]]]:
    with force_locale("en"):
        found: dict[str, list[tuple[State, str]]] = {}
        for finding in checking.check(settings=settings, now=now, connect=connect):
            found.setdefault(finding.what, []).append((finding.state, finding.sentence))
        return found


def test_what_is_in_order_is_said_to_be(settings: Settings):
    found = _found(settings, wall_clock())

    for what in ("Keys", "Files", "Database", "Clocks", "Background work", "Administrators"):
        assert [state for state, _ in found[what]] == [State.WELL], found[what]


@pytest.mark.parametrize(
    ("processes", "redis", "state"),
    [
        (1, None, State.WELL),
        (4, None, State.MIND),
        (4, "redis://127.0.0.1:{free}/0", State.WRONG),
    ],
    ids=["one process", "several without Redis", "Redis away"],
)
def test_several_processes_that_count_apart(settings: Settings, processes: int, redis: str | None, state: State):
    url = SecretStr(redis.format(free=free_port())) if redis else None
    checking.note_served(settings, processes)
    try:
        [(found, _)] = _found(settings.model_copy(update={"redis_url": url}), wall_clock())["Limits"]
    finally:
        (settings.instance_path / checking.SERVED_BY).unlink()

    assert found is state


def test_keys_that_others_can_read(settings: Settings):
    settings.keys_file.chmod(0o640)

    assert _states(settings, "Keys")[0] is State.WRONG


def test_keys_of_another_database(settings: Settings):
    db.session.execute(key_marks.KeyMark.__table__.update().values(fingerprint="0" * 32))

    assert State.WRONG in _states(settings, "Keys")


@pytest.mark.parametrize(("wrong_by", "state"), [(timedelta(hours=-1), State.WRONG), (timedelta(0), State.WELL)])
def test_a_clock_an_hour_slow_is_told_by_the_database_or_by_the_newest_line(
    settings: Settings, wrong_by: timedelta, state: State
):
    history.write(subject=Subject("drill", 1), act="begun", by=SYSTEM, now=wall_clock())

    assert [found[0] for found in _found(settings, wall_clock() + wrong_by)["Clocks"]] == [state]


def test_a_fast_clock_is_told_by_the_database(settings: Settings, database: str):
    found = _found(settings, wall_clock() + timedelta(hours=1))["Clocks"]

    assert [state for state, _ in found] == [State.WRONG if database == "postgresql" else State.WELL]


def test_work_that_waits_and_work_that_was_given_up(settings: Settings):
    outbox.enqueue(job="notices.deliver", now=wall_clock() - timedelta(hours=1))
    given_up = outbox.enqueue(job="intake.preview", now=wall_clock())
    given_up.state = outbox.WorkState.FAILED

    found = _found(settings, wall_clock())["Background work"]

    assert [state for state, _ in found] == [State.WRONG, State.MIND]
    assert "intake.preview" in found[1][1]


@pytest.mark.parametrize(
    ("day", "states"),
    [
        (datetime(2026, 6, 1, tzinfo=UTC), [State.WELL]),
        (datetime(2026, 11, 24, tzinfo=UTC), [State.WELL, State.MIND]),
        (datetime(2031, 6, 1, tzinfo=UTC), [State.WRONG]),
        # the year of the office, where it is already the first of January
        (datetime(2026, 12, 31, 20, tzinfo=UTC), [State.WRONG]),
    ],
)
def test_years_whose_adjusted_days_are_missing(settings: Settings, day: datetime, states: list[State]):
    assert [state for state, _ in _found(settings, day)["Working days"]] == states


def test_the_mail_server_is_spoken_to(settings: Settings, post_office: PostOffice):
    there = settings.model_copy(update={"smtp_host": post_office.host, "smtp_port": post_office.port})
    away = there.model_copy(update={"smtp_port": free_port()})

    assert [_found(each, wall_clock(), connect=True)["Mail"][0][0] for each in (settings, there, away)] == [
        State.MIND,
        State.WELL,
        State.WRONG,
    ]


def test_backups_that_are_old(settings: Settings):
    def states() -> list[State]:
        return _states(settings, "Backups")

    assert states() == [State.MIND]
    for age, state in ((1, State.WELL), (3, State.WRONG)):
        (settings.instance_path / backup.LAST).write_text((wall_clock() - timedelta(days=age)).isoformat())
        assert states() == [state]


def test_an_installation_nobody_can_administer(settings: Settings):
    db.session.execute(factories.Account.__table__.update().values(password_hash=None))

    assert _states(settings, "Administrators") == [State.WRONG]


def test_the_command_ends_with_1_where_something_is_wrong(settings: Settings, run_command: Callable):
    fine = run_command(settings, "check")
    settings.keys_file.chmod(0o644)
    wrong = run_command(settings, "check")

    assert fine.returncode == 0, fine.stdout
    assert "✓ 密钥" in fine.stdout
    assert wrong.returncode == 1
    assert "✗ 密钥" in wrong.stdout


def test_an_administrator_sees_it_on_a_page(client: FlaskClient, city: Installation):
    administrator = factories.an_account(organisation=city.lead_organisation, roles=[Role.ADMINISTRATOR])
    page = factories.signed_in(client, administrator).get("/desk/check")

    assert page.status_code == 200
    assert "系统检查" in page.text
    assert "密钥" in page.text


def test_nobody_else_does(client: FlaskClient, city: Installation):
    organiser = factories.an_account(organisation=city.lead_organisation, roles=[Role.ORGANISER])

    assert factories.signed_in(client, organiser).get("/desk/check").status_code == 403


def _states(settings: Settings, what: str) -> list[State]:
    return [state for state, _ in _found(settings, wall_clock())[what]]
