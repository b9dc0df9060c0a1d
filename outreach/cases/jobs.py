"""What a worker does for requests: deadlines by a new calendar, and the ladder of supervision in the morning."""

from datetime import datetime

from outreach.cases import operations, queries
from outreach.cases.models import Case
from outreach.kernel import clock
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, still_at_it

AT_A_STEP = 100


def count_again(*, year: int, now: datetime, work: Work) -> None:
    """Make the deadlines of every open request again after the calendar of a year changed, in steps."""
    work_id, last, done = work.id, 0, 0
    while ids := queries.to_count_again(after_id=last, limit=AT_A_STEP):
        for case_id in ids:
            operations.count_again(case=db.session.get_one(Case, case_id), year=year, now=now)
        last, done = ids[-1], done + len(ids)
        still_at_it(work_id, done=done, total=None, now=clock.now())
        db.session.commit()


def climb(*, now: datetime, work: Work) -> None:
    """Take what is due up the ladder of supervision, in steps; at night and on holidays nothing is done.

    What is not done by the evening waits for the next working morning, which looks at the deadline anew.
    """
    calendar = working_calendar()
    if not calendar.is_open(now):
        return
    until = calendar.due(now, 1).at
    work_id, last, done = work.id, 0, 0
    while ids := queries.to_climb(until=until, after_id=last, limit=AT_A_STEP):
        for case_id in ids:
            operations.climb(case=db.session.get_one(Case, case_id), now=now)
        last, done = ids[-1], done + len(ids)
        still_at_it(work_id, done=done, total=None, now=clock.now())
        db.session.commit()
