"""What a worker does for people. Each may be begun twice."""

from datetime import datetime

from outreach.kernel import clock
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, still_at_it
from outreach.people import operations

PEOPLE_AT_A_STEP = 500


def judge_who_is_away(*, now: datetime, work: Work) -> None:
    """Judge of everybody whose two places are known whether they are away, in steps (decision 602)."""
    work_id, after, done = work.id, 0, 0
    while step := operations.judge_who_is_away(after=after, limit=PEOPLE_AT_A_STEP):
        after, done = step[-1], done + len(step)
        still_at_it(work_id, done=done, total=None, now=clock.now())
        db.session.commit()
