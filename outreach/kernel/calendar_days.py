"""The table of days that differ from the plain week, and the calendar made from it."""

from datetime import date

import chinese_calendar
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from outreach.kernel.database import Model, db
from outreach.kernel.working_days import SATURDAY, WorkingCalendar


class CalendarYear(Model):
    """A year whose working days the State Council has announced."""

    __tablename__ = "calendar_years"

    year: Mapped[int] = mapped_column(unique=True)


class CalendarDay(Model):
    """A day that differs from the plain week: a holiday on a weekday or a worked weekend day."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(unique=True)
    worked: Mapped[bool]


def working_calendar() -> WorkingCalendar:
    """Return the working calendar as the table has it now."""
    return WorkingCalendar(
        exceptions=dict(db.session.execute(sa.select(CalendarDay.day, CalendarDay.worked)).all()),
        published=frozenset(db.session.scalars(sa.select(CalendarYear.year))),
    )


def seed(*, first: int, last: int) -> None:
    """Fill in the published calendars of the years from `first` to `last` that are not in the table yet.

    The days come from the package chinesecalendar; years it does not know stay unpublished.
    """
    known = set(db.session.scalars(sa.select(CalendarYear.year)))
    for year in range(first, last + 1):
        if year in known:
            continue
        try:
            days = chinese_calendar.get_dates(date(year, 1, 1), date(year, 12, 31))
            exceptions = [
                (day, chinese_calendar.is_workday(day))
                for day in days
                if chinese_calendar.is_workday(day) != (day.weekday() < SATURDAY)
            ]
        except NotImplementedError:
            continue
        db.session.add(CalendarYear(year=year))
        db.session.add_all(CalendarDay(day=day, worked=worked) for day, worked in exceptions)
    db.session.flush()
