"""Clocks that are an hour off: of a server that sends codes, of a worker, of whoever writes history."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask

from outreach.kernel import clock, history, outbox
from outreach.kernel.actor import SYSTEM
from outreach.kernel.database import clock_apart, db
from outreach.kernel.history import Subject
from outreach.kernel.outbox import Work, WorkState
from outreach.operating import commands
from outreach.signing_in import operations as signing_in
from outreach.signing_in.rules import CodeSpent
from tests import factories
from tests.conftest import NOW
from tests.machine import POSTGRESQL

HOUR = timedelta(hours=1)


def test_a_code_sent_by_a_slow_clock_is_refused_plainly_and_a_new_one_works(app: Flask, city):
    point = factories.a_contact_point("+8613800138000")
    signing_in.send_code(contact_point=point, now=NOW - HOUR)

    with pytest.raises(CodeSpent):
        signing_in.note_code_tried(contact_point=point, address="192.0.2.1", now=NOW)

    signing_in.send_code(contact_point=point, now=NOW)
    signing_in.note_code_tried(contact_point=point, address="192.0.2.1", now=NOW)


def test_the_order_of_the_history_is_that_of_writing_whatever_the_clocks_said(app: Flask):
    subject = Subject("drill", 1)
    for at in (NOW, NOW - HOUR, NOW + HOUR, NOW):
        history.write(subject=subject, act="noted", by=SYSTEM, now=at)

    assert [line.at for line in history.lines_of(subject)] == [NOW, NOW - HOUR, NOW + HOUR, NOW]
    assert history.first_broken_position(db.session(), subject) is None


@pytest.mark.parametrize("wrong_by", [HOUR, -HOUR], ids=["fast", "slow"])
def test_a_worker_whose_clock_is_off_leaves_the_work_to_others(
    app: Flask, database: str, wrong_by: timedelta, monkeypatch: pytest.MonkeyPatch
):
    """Fast, it would take what another is at; on SQLite all share one machine's clock."""
    real: Callable[[], datetime] = clock.now
    work_id = outbox.enqueue(job="nobody.nothing", now=real()).id
    outbox.claim(now=real())
    stop = threading.Event()
    looked: list[bool] = []

    def look_twice(seconds: float) -> bool:
        looked.append(True)
        if len(looked) == 2:
            stop.set()
        return stop.is_set()

    monkeypatch.setattr(commands, "now", lambda: real() + wrong_by)
    monkeypatch.setattr(stop, "wait", look_twice)

    if database == POSTGRESQL:
        commands.work_until(app, stop)
        db.session.expire_all()
        work = db.session.get_one(Work, work_id)
        assert (work.state, work.attempts) == (WorkState.RUNNING, 1)
    assert (clock_apart(db.session.connection(), real() + wrong_by) > timedelta(minutes=59)) == (database == POSTGRESQL)
