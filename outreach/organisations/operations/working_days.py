"""The working days of a year, as the State Council announced them: changed and published by an administrator."""

from collections.abc import Collection
from datetime import date, datetime

import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.calendar_days import CalendarDay, CalendarYear, working_calendar
from outreach.kernel.database import db, one_at_a_time
from outreach.kernel.history import Subject
from outreach.organisations import queries
from outreach.organisations.rules.working_days import YearChangedMeanwhile, check_year, differing, state_of
from outreach.organisations.signals import working_days_changed


def set_working_days(
    *, year: int, worked: Collection[date], published: bool, seen: str, by: Actor, now: datetime
) -> bool:
    """Let these be the days of a year on which offices work; tell whether anything changed.

    A published year stays published. Deadlines that cross a changed day are made again by whoever keeps them.

    :param seen: the state of the year that whoever changes it saw (rules.working_days.state_of)
    :raises YearOutOfRange: for a year that no deadline is counted in
    :raises YearChangedMeanwhile: if somebody else changed it since
    """
    check_year(year, today=now.date())
    one_at_a_time("calendar")
    calendar = working_calendar()
    before = {day: is_worked for day, is_worked in calendar.exceptions.items() if day.year == year}
    was_published = year in calendar.published
    if seen != state_of(before, published=was_published):
        raise YearChangedMeanwhile(year=year)
    after = differing(year, worked)
    newly_published = published and not was_published
    if after == before and not newly_published:
        return False
    changed = sorted({day for day, _ in before.items() ^ after.items()})
    db.session.execute(sa.delete(CalendarDay).where(CalendarDay.day.in_(changed)))
    db.session.add_all(CalendarDay(day=day, worked=after[day]) for day in changed if day in after)
    if newly_published:
        db.session.add(CalendarYear(year=year))
    db.session.flush()
    is_worked = working_calendar().is_working_day
    history.write(
        subject=Subject("calendar", year),
        act="published" if newly_published else "changed",
        by=by,
        now=now,
        facts={
            "worked": [day.isoformat() for day in changed if is_worked(day)],
            "free": [day.isoformat() for day in changed if not is_worked(day)],
        },
    )
    working_days_changed.send(queries.the_installation(), year=year, now=now)
    return True
