from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from outreach.kernel import outbox, timetable
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, WorkState
from outreach.kernel.timetable import Errand

EVENING = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # 20:00 in the office
NIGHT = datetime(2026, 11, 24, 19, 10, tzinfo=UTC)  # 03:10 in the office, the day after
JOB = "nobody.tidies"


@pytest.fixture(autouse=True)
def errands(app) -> Iterator[None]:
    """One errand at ten past three; the application's own come back afterwards."""
    kept = list(timetable._errands.values())
    timetable.keep([Errand(JOB, time(3, 10))])
    yield
    timetable.keep(kept)


def _works(session):
    return session.scalars(sa.select(Work).where(Work.job == JOB).order_by(Work.id)).all()


def test_the_time_is_the_offices():
    assert Errand(JOB, time(3, 10)).next_after(EVENING) == NIGHT
    assert Errand(JOB, time(3, 10)).next_after(NIGHT) == NIGHT + timedelta(days=1)


def test_a_new_errand_waits_for_its_time_and_is_begun_once_a_night(session):
    begun = [
        timetable.tick(now=moment)
        for moment in (EVENING, NIGHT - timedelta(seconds=1), NIGHT, NIGHT + timedelta(minutes=1))
    ]

    assert begun == [[], [], [JOB], []]
    assert len(_works(session)) == 1


def test_after_three_nights_switched_off_it_is_done_once_at_once(session):
    timetable.tick(now=EVENING)

    morning = NIGHT + timedelta(days=3, hours=4)
    begun = [timetable.tick(now=morning), timetable.tick(now=morning + timedelta(hours=1))]

    assert begun == [[JOB], []]
    assert timetable.tick(now=NIGHT + timedelta(days=3)) == []  # the clock was put back: not twice in one night


def test_an_errand_that_is_still_at_work_is_not_begun_a_second_time(session):
    timetable.tick(now=EVENING)
    timetable.tick(now=NIGHT)

    assert timetable.tick(now=NIGHT + timedelta(days=1)) == []

    _works(session)[0].state = WorkState.DONE
    session.commit()
    assert timetable.tick(now=NIGHT + timedelta(days=2)) == [JOB]


def test_a_clock_that_was_ahead_for_a_while_does_not_put_off_the_errand(session):
    timetable.tick(now=EVENING + timedelta(days=400))

    timetable.tick(now=EVENING)

    assert timetable.tick(now=NIGHT) == [JOB]


def test_of_eight_workers_that_look_at_once_one_begins_it(app, session):
    timetable.tick(now=EVENING)
    session.commit()
    gate = Barrier(8)

    def look(_worker):
        with app.app_context():
            gate.wait(timeout=20)
            try:
                begun = timetable.tick(now=NIGHT)
                db.session.commit()
                return begun
            finally:
                db.session.remove()

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(look, range(8)))

    assert sorted(begun) == [[]] * 7 + [[JOB]]
    assert outbox.claim(now=NIGHT).job == JOB
    assert outbox.claim(now=NIGHT) is None
