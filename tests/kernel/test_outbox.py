from datetime import timedelta

import pytest

from outreach.kernel import outbox
from outreach.kernel.outbox import CLAIM_LASTS, MOST_ATTEMPTS, Urgency, Work, WorkState
from tests.conftest import NOW


def _enqueue(session, job="nobody.nothing", **more):
    work = outbox.enqueue(job=job, now=NOW, **more)
    session.commit()
    return work.id


def test_what_somebody_stands_waiting_for_goes_first(session):
    bulk = _enqueue(session, urgency=Urgency.BULK)
    soon = _enqueue(session)
    code = _enqueue(session, urgency=Urgency.NOW)

    assert [outbox.claim(now=NOW).id for _ in range(3)] == [code, soon, bulk]
    assert outbox.claim(now=NOW) is None


def test_work_for_later_waits(session):
    _enqueue(session, due_at=NOW + timedelta(hours=1))

    assert outbox.claim(now=NOW) is None
    assert outbox.claim(now=NOW + timedelta(hours=1)) is not None


def test_the_claim_of_a_worker_that_went_silent_runs_out(session):
    work_id = _enqueue(session)
    outbox.claim(now=NOW)

    assert outbox.claim(now=NOW + CLAIM_LASTS) is None
    assert outbox.claim(now=NOW + CLAIM_LASTS + timedelta(seconds=1)).id == work_id


def test_a_job_that_fails_is_tried_further_and_further_apart_and_given_up(session):
    work_id = _enqueue(session)
    now, waits = NOW, []

    for _ in range(MOST_ATTEMPTS):
        outbox.perform(outbox.claim(now=now), now=now)
        work = session.get_one(Work, work_id)
        waits.append((work.due_at - now).total_seconds())
        now = work.due_at

    assert waits[:4] == [30, 60, 120, 240]
    assert (work.state, work.error) == (WorkState.FAILED, "LookupError")


@pytest.mark.parametrize("name", ["cases.operations", "kernel.outbox", "../x.y", "notices._render.x"])
def test_a_name_that_is_no_job_is_refused(name):
    with pytest.raises(LookupError):
        outbox.job_of(name)
