"""Every day of three years against two independent sources, and deadlines against plain counting.

The notices of the General Office of the State Council on the holidays of 2024, 2025 and 2026 stand here as facts: what
they take off, and which weekends they have worked instead. The second source is the package `holidays`.
"""

from datetime import UTC, date, datetime, time, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.kernel import calendar_days
from outreach.kernel.clock import OFFICE, local
from outreach.kernel.working_days import CLOSES, WorkingCalendar

YEARS = (2024, 2025, 2026)
OFF = {  # first and last day of each holiday, by month and day
    2024: ["0101-0101", "0210-0217", "0404-0406", "0501-0505", "0610-0610", "0915-0917", "1001-1007"],
    2025: ["0101-0101", "0128-0204", "0404-0406", "0501-0505", "0531-0602", "1001-1008"],
    2026: ["0101-0103", "0215-0223", "0404-0406", "0501-0505", "0619-0621", "0925-0927", "1001-1007"],
}
WORKED = {
    2024: ["0204", "0218", "0407", "0428", "0511", "0914", "0929", "1012"],
    2025: ["0126", "0208", "0427", "0928", "1011"],
    2026: ["0104", "0214", "0228", "0509", "0920", "1010"],
}


def _day(year: int, text: str) -> date:
    return date(year, int(text[:2]), int(text[2:]))


def _announced() -> dict[date, bool]:
    days = {}
    for year in YEARS:
        for span in OFF[year]:
            first, last = (_day(year, text) for text in span.split("-"))
            days |= {first + timedelta(days=offset): False for offset in range((last - first).days + 1)}
        days |= {_day(year, text): True for text in WORKED[year]}
    return days


ANNOUNCED = WorkingCalendar(exceptions=_announced(), published=frozenset(YEARS))
DAYS = [date(YEARS[0], 1, 1) + timedelta(days=offset) for offset in range(366 + 365 + 365)]
FIRST, LAST = (datetime.combine(day, time()) for day in (date(2024, 1, 1), date(2026, 9, 30)))
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(OFFICE))


@pytest.fixture
def seeded(session) -> WorkingCalendar:
    """The calendar as an installation has it."""
    calendar_days.seed(first=YEARS[0], last=YEARS[-1])
    return calendar_days.working_calendar()


def test_every_day_is_as_announced(seeded):
    assert [day for day in DAYS if seeded.is_working_day(day) != ANNOUNCED.is_working_day(day)] == []


def test_every_day_is_as_the_package_holidays_has_it(seeded):
    china = holidays.country_holidays("CN", years=YEARS)

    assert [day for day in DAYS if seeded.is_working_day(day) != china.is_working_day(day)] == []


def test_deadlines_of_every_day_are_those_of_plain_counting(seeded):
    worked = [day for day in DAYS if ANNOUNCED.is_working_day(day)]
    for day in DAYS[:1000]:
        for days in (1, 3, 5, 15):
            later = [each for each in worked if each > day] if day not in worked else None
            received = day if later is None else later[0]
            due = worked[worked.index(received) + days]

            found = seeded.due(datetime.combine(day, time(10), tzinfo=OFFICE), days)

            assert (found.at, found.provisional) == (datetime.combine(due, CLOSES, tzinfo=OFFICE), False)


@given(moment=MOMENTS, days=st.integers(1, 30))
def test_a_deadline_lies_on_a_working_day_that_many_after_receipt(moment, days):
    due = local(ANNOUNCED.due(moment, days).at)

    assert ANNOUNCED.is_working_day(due.date())
    assert due.time() == CLOSES
    assert due > moment
    assert ANNOUNCED.days_between(ANNOUNCED.received_on(moment), due.date()) == days


@given(moment=MOMENTS, days=st.integers(1, 20), more=st.integers(1, 20))
def test_days_add_up(moment, days, more):
    first = ANNOUNCED.due(moment, days).at

    assert ANNOUNCED.due(first, more) == ANNOUNCED.due(moment, days + more)


@given(moment=MOMENTS, later=st.timedeltas(timedelta(0), timedelta(days=60)), days=st.integers(1, 20))
def test_what_comes_later_is_never_due_earlier(moment, later, days):
    assert ANNOUNCED.due(moment, days).at <= ANNOUNCED.due(moment + later, days).at


@given(one=MOMENTS, other=MOMENTS)
def test_the_distance_back_is_the_distance_there(one, other):
    there = ANNOUNCED.days_between(one.date(), other.date())

    assert there == -ANNOUNCED.days_between(other.date(), one.date())
    assert ANNOUNCED.distance(one.astimezone(UTC), other.astimezone(UTC)) == there
