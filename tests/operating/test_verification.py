from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.door.models import Arrival, facts_covered
from outreach.door.rules import EntryWay
from outreach.kernel import history, outbox
from outreach.kernel.actor import SYSTEM, ActorKind
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine, Subject
from outreach.kernel.outbox import Work, WorkState
from outreach.operating import verification
from outreach.operating.verification import Broken
from tests import factories
from tests.conftest import NOW

CASE, EVENT = Subject("drill", 7), Subject("drill", 8)


@pytest.fixture
def folder(app: Flask) -> Iterator[Path]:
    """Where the anchors are kept."""
    instance = app.config["SETTINGS"].instance_path
    yield instance
    (instance / verification.ANCHORS).unlink(missing_ok=True)


@pytest.fixture
def written(app: Flask) -> None:
    """Two records of two lines each, and somebody who came in."""
    for subject in (CASE, EVENT):
        history.write(subject=subject, act="begun", by=SYSTEM, now=NOW, words="孩子上学")
        history.write(subject=subject, act="ended", by=SYSTEM, now=NOW, facts={"unit": 5})
    factories.an_installation()
    unit = factories.an_organisation()
    event = factories.an_event(organisation=unit, author=factories.an_account(organisation=unit))
    guest = factories.a_registration(event=event, person=factories.a_person(organisation=unit))
    facts = {
        "event_id": event.id,
        "registration_id": guest.id,
        "at": NOW,
        "received_at": NOW,
        "way": EntryWay.SCANNED,
        "by_kind": ActorKind.SYSTEM,
        "by_id": None,
        "door_pass_id": None,
    }
    db.session.add(Arrival(**facts, hash=history.keyed_hash(facts_covered(**facts))))
    db.session.commit()


@pytest.fixture
def behind_the_triggers(app: Flask, database: str) -> Callable[..., None]:
    """Do to the tables what only somebody with the database in hand can do."""

    def do(*statements: str) -> None:
        db.session.commit()
        with db.engine.begin() as connection:
            if database == "sqlite":
                for name in connection.exec_driver_sql(
                    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%never_changes%'"
                ).scalars():
                    connection.exec_driver_sql(f"DROP TRIGGER {name}")
            else:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for statement in statements:
                connection.exec_driver_sql(statement)
        db.session.expire_all()

    return do


def test_a_whole_history_is_counted(written: None, folder: Path):
    verdict = verification.verify(folder=folder)

    assert verdict.whole
    assert verdict.lines == db.session.scalar(sa.select(sa.func.count(HistoryLine.id)))
    assert verdict.arrivals == 1
    assert verdict.chains >= 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE history_lines SET act = 'closed' WHERE subject_id = 7 AND position = 2", Broken("drill", 7, 2)),
        ("UPDATE history_lines SET at = '2020-01-01' WHERE subject_id = 8 AND position = 1", Broken("drill", 8, 1)),
        ("UPDATE history_words SET text = 'v1.k1.AAAA' WHERE line_id = 1", Broken("drill", 7, 1)),
    ],
)
def test_altered_lines_are_named_once_for_their_record(
    written: None, folder: Path, behind_the_triggers: Callable, change: str, named: Broken
):
    first = db.session.scalar(sa.select(HistoryLine.id).where(HistoryLine.subject_id == 7, HistoryLine.position == 1))
    behind_the_triggers(change.replace("line_id = 1", f"line_id = {first}"))

    assert verification.verify(folder=folder).broken == [named]


def test_a_line_taken_out_of_the_middle_is_named(written: None, folder: Path, behind_the_triggers: Callable):
    behind_the_triggers(
        "DELETE FROM history_words", "DELETE FROM history_lines WHERE subject_kind = 'drill' AND position = 1"
    )

    assert verification.verify(folder=folder).broken == [Broken("drill", 7, 1), Broken("drill", 8, 1)]


def test_an_altered_arrival_is_named(written: None, folder: Path, behind_the_triggers: Callable):
    behind_the_triggers("UPDATE arrivals SET at = '2020-01-01 00:00:00'")

    assert [(broken.kind, broken.position) for broken in verification.verify(folder=folder).broken] == [
        ("arrival", None)
    ]


@pytest.mark.parametrize(
    "cut",
    [
        "DELETE FROM history_lines WHERE subject_kind = 'drill' AND subject_id = 7 AND position = 2",
        "DELETE FROM history_lines WHERE subject_kind = 'drill' AND subject_id = 8",
        "DELETE FROM arrivals",
    ],
    ids=["the end of a chain", "a whole chain", "an arrival"],
)
def test_what_was_cut_off_is_missed_by_the_anchor_alone(
    written: None, folder: Path, behind_the_triggers: Callable, cut: str
):
    verification.set_anchor(folder=folder, now=NOW)
    behind_the_triggers("DELETE FROM history_words", cut)

    verdict = verification.verify(folder=folder)

    assert verdict.broken == []
    assert verdict.missing > 0
    assert not verdict.whole


def test_no_new_anchor_hides_what_is_gone(written: None, folder: Path, behind_the_triggers: Callable):
    verification.set_anchor(folder=folder, now=NOW)
    behind_the_triggers("DELETE FROM arrivals")

    assert not verification.set_anchor(folder=folder, now=NOW + timedelta(days=1)).whole
    assert verification.anchored_at(folder) == NOW
    assert verification.verify(folder=folder).missing == 1


def test_lines_added_since_the_anchor_are_no_loss(written: None, folder: Path):
    verification.set_anchor(folder=folder, now=NOW)
    history.write(subject=CASE, act="noted", by=SYSTEM, now=NOW)
    db.session.commit()

    assert verification.verify(folder=folder).whole
    assert verification.set_anchor(folder=folder, now=NOW + timedelta(days=1)).whole


def test_an_altered_file_of_anchors_is_noticed(written: None, folder: Path):
    verification.set_anchor(folder=folder, now=NOW)
    file = folder / verification.ANCHORS
    file.write_text(file.read_text().replace('"lines": [', '"lines": [1'))

    assert verification.verify(folder=folder).anchors_altered


def test_anchors_set_while_others_write_never_miss_what_is_there(folder: Path, going_on: Callable):
    def a_line(number: int) -> None:
        history.write(subject=Subject("drill", number), act="begun", by=SYSTEM, now=NOW)

    with going_on(a_line):
        for day in range(4):
            assert verification.set_anchor(folder=folder, now=NOW + timedelta(days=day)).whole
            assert verification.verify(folder=folder).whole


def test_the_nightly_job_fails_where_something_is_gone(
    written: None, folder: Path, behind_the_triggers: Callable, app: Flask
):
    def anchored() -> Work:
        work_id = outbox.enqueue(job="operating.anchor_history", now=NOW).id
        db.session.commit()
        outbox.perform(outbox.claim(now=NOW), now=NOW)
        return db.session.get_one(Work, work_id)

    assert anchored().state is WorkState.DONE
    behind_the_triggers("DELETE FROM arrivals")

    assert anchored().error == "HistoryChanged"
