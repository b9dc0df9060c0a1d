"""An import through a worker of its own that is killed, and one whose disk is full: nothing lost, nothing twice."""

import io
import resource
import secrets
import signal
from datetime import datetime

import pytest
import sqlalchemy as sa

from outreach.intake import operations, queries
from outreach.intake.models import Import
from outreach.intake.rules import NO_ROOM, ImportState
from outreach.kernel import outbox
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.kernel.outbox import CLAIM_LASTS
from outreach.organisations.rules import Role
from outreach.people.models import ContactPoint, Person
from tests.factories import an_account, signed_in
from tests.faults.workers import a_worker, until
from tests.intake.files import a_workbook, work_off

ROWS = 900


@pytest.fixture
def clerk(city):
    return an_account("何清越", organisation=city.lead_organisation, roles=[Role.ORGANISER])


def uploaded(clerk) -> int:
    rows = [[f"人{n}甲", f"1990100{n:04d}", f"单位{n}"] for n in range(ROWS)]
    imported = operations.upload(
        kind="talents",
        filename="台账.xlsx",
        content=a_workbook([["姓名", "手机", "工作单位"], *rows]),
        account_id=clerk.id,
        account_name=clerk.name,
        organisation_id=clerk.organisation_id,
        by=clerk.actor,
        now=now(),
    )
    db.session.commit()
    return imported.id


def state_of(imported_id: int) -> ImportState:
    return db.session.get_one(Import, imported_id).state


def begin_landing(imported_id: int) -> None:
    imported = db.session.get_one(Import, imported_id)
    operations.land(imported=imported, by=imported.author, now=now())
    db.session.commit()


def in_this_process(moment: datetime) -> None:
    db.session.rollback()
    work_off(now=moment)


def test_a_worker_killed_in_the_middle_of_landing_loses_nothing_and_lands_nothing_twice(app, clerk):
    imported_id = uploaded(clerk)
    in_this_process(now())
    begin_landing(imported_id)
    with a_worker(app) as worker:
        until(lambda: queries.tally(imported_id).landed > 0)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    half = queries.tally(imported_id).landed

    in_this_process(now() + CLAIM_LASTS * 2)

    assert 0 < half < ROWS
    assert (state_of(imported_id), queries.tally(imported_id).landed) == (ImportState.LANDED, ROWS)
    assert (db.session.query(Person).count(), db.session.query(ContactPoint).count()) == (ROWS, ROWS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_worker_whose_files_may_not_grow_loses_nothing(app, clerk, tmp_path):
    imported_id = uploaded(clerk)
    in_this_process(now())
    begin_landing(imported_id)
    limit = (app.config["SETTINGS"].instance_path / "outreach.db-wal").stat().st_size + 500_000
    log = tmp_path / "worker.log"

    with a_worker(app, log=log, preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))):
        until(lambda: NO_ROOM in log.read_text() or "does not answer" in log.read_text())
    half = queries.tally(imported_id)
    in_this_process(now() + CLAIM_LASTS * 2)

    assert half.landed + half.ready == ROWS
    assert (state_of(imported_id), queries.tally(imported_id).landed) == (ImportState.LANDED, ROWS)
    assert db.session.query(Person).count() == ROWS


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_full_disk_is_said_on_the_page_and_gone_on_from_by_itself(app, client, clerk):
    imported_id = uploaded(clerk)
    in_this_process(now())
    begin_landing(imported_id)
    pages = db.session.execute(sa.text("PRAGMA page_count")).scalar() + 30
    db.session.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
    db.session.commit()

    outbox.perform(outbox.claim(now=now()), now=now())
    half = queries.tally(imported_id)
    page = signed_in(client, clerk).get(f"/desk/imports/{imported_id}").text
    db.session.execute(sa.text("PRAGMA max_page_count = 1000000"))
    db.session.commit()
    in_this_process(now() + CLAIM_LASTS * 2)

    assert half.landed < ROWS
    assert "服务器硬盘满了" in page
    assert (state_of(imported_id), queries.tally(imported_id).landed) == (ImportState.LANDED, ROWS)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_upload_for_which_there_is_no_room_says_so_and_changes_nothing(app, client, clerk):
    desk = signed_in(client, clerk)
    pages = db.session.execute(sa.text("PRAGMA page_count")).scalar() + 30
    db.session.execute(sa.text(f"PRAGMA max_page_count = {pages}"))
    db.session.commit()
    content = a_workbook([["姓名", "手机"], *[[secrets.token_hex(20), secrets.token_hex(20)] for _ in range(5000)]])

    def upload():
        return desk.post("/desk/imports/new", data={"kind": "talents", "file": (io.BytesIO(content), "台账.xlsx")})

    answer = upload()
    db.session.execute(sa.text("PRAGMA max_page_count = 1000000"))
    db.session.commit()

    assert (answer.status_code, "服务器硬盘满了" in answer.text) == (503, True)
    assert (db.session.query(Import).count(), db.session.query(outbox.Work).count()) == (0, 0)
    assert upload().status_code == 303
    assert db.session.query(Import).count() == 1
