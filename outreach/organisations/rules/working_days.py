"""Which days of a year offices work, and which of them differ from the plain week."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.kernel.working_days import SATURDAY, WorkingCalendar

FIRST_YEAR = 2024
YEARS_AHEAD = 3


class YearOutOfRange(Refused):
    """Deadlines lie in a few years only."""

    message = N_("Working days are kept from %(first)s to %(last)s.")
    status = 404


class YearChangedMeanwhile(Refused):
    """Two administrators had the year open."""

    message = N_(
        "While you were choosing, somebody else changed %(year)s. Your choice still stands below: "
        "look whether it fits, then keep it again."
    )


@dataclass(frozen=True)
class DayShown:
    """A day of a month at a glance."""

    day: date
    worked: bool
    differs: bool  # from Monday to Friday


def years(today: date) -> range:
    """Return the years that can be looked at and changed."""
    return range(FIRST_YEAR, today.year + YEARS_AHEAD + 1)


def check_year(year: int, *, today: date) -> None:
    """Pass if the year is one of `years`.

    :raises YearOutOfRange: if it is not
    """
    known = years(today)
    if year not in known:
        raise YearOutOfRange(first=known[0], last=known[-1])


def days_of(year: int) -> Iterator[date]:
    """Yield every day of a year."""
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def differing(year: int, worked: Collection[date]) -> dict[date, bool]:
    """Return the days of a year that differ from Monday to Friday, and whether they are worked."""
    chosen = set(worked)
    return {day: day in chosen for day in days_of(year) if (day in chosen) != (day.weekday() < SATURDAY)}


def state_of(exceptions: Mapping[date, bool], *, published: bool) -> str:
    """Return a short sign of how a year stands, to notice that somebody else changed it."""
    said = f"{published} {sorted((day.isoformat(), worked) for day, worked in exceptions.items())}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def months_of(year: int, calendar: WorkingCalendar) -> list[list[DayShown]]:
    """Return the days of each month of a year."""
    months: list[list[DayShown]] = [[] for _ in range(12)]
    for day in days_of(year):
        worked = calendar.is_working_day(day)
        months[day.month - 1].append(DayShown(day, worked, worked != (day.weekday() < SATURDAY)))
    return months
