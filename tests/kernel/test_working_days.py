from datetime import UTC, date, datetime

import pytest

from outreach.kernel.clock import OFFICE
from outreach.kernel.working_days import WorkingCalendar

PLAIN = WorkingCalendar(exceptions={}, published=frozenset({2026}))
NATIONAL_DAY = WorkingCalendar(
    exceptions={
        date(2026, 9, 20): True,
        **{date(2026, 10, day): False for day in (1, 2, 5, 6, 7)},
        date(2026, 10, 10): True,
    },
    published=frozenset({2026}),
)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=OFFICE).astimezone(UTC)


@pytest.mark.parametrize(
    ("came", "received"),
    [
        (at(24, 10), date(2026, 11, 24)),
        (at(24, 7), date(2026, 11, 24)),
        (at(24, 17, 30), date(2026, 11, 24)),
        (at(24, 17, 31), date(2026, 11, 25)),
        (at(27, 20), date(2026, 11, 30)),
        (at(28, 10), date(2026, 11, 30)),
    ],
    ids=["in hours", "before hours", "at closing", "after closing", "friday evening", "saturday"],
)
def test_what_comes_outside_office_hours_is_received_on_the_next_working_day(came, received):
    assert PLAIN.received_on(came) == received


def test_the_day_of_receipt_is_not_counted():
    assert PLAIN.due(at(24, 10), 1).at == at(25, 17, 30)


def test_adjusted_holidays_count_as_worked_and_free_days_as_free():
    due = NATIONAL_DAY.due(at(30, 10, month=9), 3)

    assert due.at == at(10, 17, 30, month=10)
    assert not due.provisional


def test_a_deadline_beyond_the_published_calendar_is_provisional():
    assert PLAIN.due(at(30, 10, month=12), 5).provisional


def test_less_than_a_day_is_no_deadline():
    with pytest.raises(ValueError, match="at least one working day"):
        PLAIN.due(at(24, 10), 0)


@pytest.mark.parametrize(("due", "days"), [(at(24, 17, 30), 0), (at(26, 17, 30), 2), (at(20, 17, 30), -2)])
def test_distance_counts_working_days_to_and_past_a_deadline(due, days):
    assert PLAIN.distance(at(24, 10), due) == days
