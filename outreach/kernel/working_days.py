"""Arithmetic in China's working days, adjusted holidays (调休) included. Pure: no clock, no database.

The rules are domain.md's: the day of receipt is not counted; what comes outside office hours
(8:30-17:30) is received on the next working day; due is the end of office hours of the last day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from outreach.kernel.clock import OFFICE, local

OPENS = time(8, 30)
CLOSES = time(17, 30)
SATURDAY = 5


@dataclass(frozen=True)
class Deadline:
    """When something is due; provisional (暂定) where it rests on a year whose calendar is not published."""

    at: datetime
    provisional: bool


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked. `exceptions` names only the days that differ from Monday to Friday.

    `published` holds the years whose calendar the State Council has announced; days of other years follow the
    plain week and are provisional.
    """

    exceptions: Mapping[date, bool]
    published: frozenset[int]

    def is_working_day(self, day: date) -> bool:
        """Tell whether offices work on this day."""
        return self.exceptions.get(day, day.weekday() < SATURDAY)

    def is_open(self, moment: datetime) -> bool:
        """Tell whether it is a working day and office hours at an aware moment."""
        there = local(moment)
        return self.is_working_day(there.date()) and OPENS <= there.time() < CLOSES

    def next_working_day(self, day: date) -> date:
        """Return the first working day after this day."""
        day += timedelta(days=1)
        while not self.is_working_day(day):
            day += timedelta(days=1)
        return day

    def received_on(self, moment: datetime) -> date:
        """Return the working day on which something that came at an aware moment counts as received."""
        there = local(moment)
        if self.is_working_day(there.date()) and there.time() <= CLOSES:
            return there.date()
        return self.next_working_day(there.date())

    def due(self, moment: datetime, days: int) -> Deadline:
        """Return the end of office hours `days` working days (1 or more) after receipt at an aware moment.

        :raises ValueError: for less than one day
        """
        if days < 1:
            raise ValueError("a deadline is at least one working day away")
        received = day = self.received_on(moment)
        for _ in range(days):
            day = self.next_working_day(day)
        years = range(received.year, day.year + 1)
        at = datetime.combine(day, CLOSES, tzinfo=OFFICE).astimezone(UTC)
        return Deadline(at=at, provisional=any(year not in self.published for year in years))

    def days_between(self, start: date, end: date) -> int:
        """Return how many working days lie after `start` up to and including `end`; negative backwards."""
        if end < start:
            return -self.days_between(end, start)
        return sum(self.is_working_day(start + timedelta(days=offset)) for offset in range(1, (end - start).days + 1))

    def distance(self, now: datetime, due_at: datetime) -> int:
        """Return the working days from now to a due moment: 0 today, negative when it is past."""
        return self.days_between(local(now).date(), local(due_at).date())
