"""Promises against today, places in a timeline, arrivals in steps."""

from datetime import UTC, datetime, timedelta

import pytest

from outreach.desk.rules import Bar, Place, Slip, arrivals_in_steps, greeting_hour, is_before, place_in, slip
from outreach.kernel.working_days import WorkingCalendar
from outreach.people.rules import Purpose, TimelineEntry
from tests.conftest import NOW

PLAIN = WorkingCalendar(exceptions={}, published=frozenset({2026}))
CLOSES = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # Tuesday 17:30 in the office


@pytest.mark.parametrize(
    ("due_at", "expected"),
    [
        (CLOSES + timedelta(days=2), Slip(begun=2, due=2, late=False)),
        (CLOSES, Slip(begun=2, due=0, late=False)),
        (CLOSES - timedelta(days=1), Slip(begun=2, due=-1, late=True)),
        (CLOSES - timedelta(days=4), Slip(begun=2, due=-2, late=True)),  # Friday: Monday and Tuesday lie after it
    ],
)
def test_a_promise_stands_against_today_in_working_days(due_at, expected):
    asked = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # the Friday before

    assert slip(created_at=asked, due_at=due_at, now=NOW, calendar=PLAIN) == expected


def test_a_promise_is_late_on_its_day_once_the_office_has_closed():
    evening = CLOSES + timedelta(minutes=1)

    assert slip(created_at=NOW, due_at=CLOSES, now=evening, calendar=PLAIN) == Slip(begun=0, due=0, late=True)


def entry(at, key):
    return TimelineEntry(at=at, purpose=Purpose.SERVICE, kind="visit", key=key, sentence="", values={})


def test_a_place_in_a_timeline_survives_its_link():
    place = Place(NOW, "case:12:end")

    assert place_in(str(place)) == place


@pytest.mark.parametrize("text", [None, "", "~", "yesterday~case:1", "2026-11-24T10:00~case:1", "2026-11-24"])
def test_a_damaged_place_is_none(text):
    assert place_in(text) is None


def test_entries_of_one_moment_are_ordered_by_their_keys():
    place = Place(NOW, "case:5")

    assert is_before(entry(NOW, "case:4"), place)
    assert not is_before(entry(NOW, "case:5"), place)
    assert not is_before(entry(NOW, "visit:1"), place)
    assert is_before(entry(NOW - timedelta(microseconds=1), "visit:1"), place)


def at(hour, minute):
    return datetime(2026, 11, 28, hour, minute, 30, tzinfo=UTC)


def test_arrivals_are_counted_in_steps_of_five_minutes_up_to_now():
    bars = arrivals_in_steps([at(10, 31), at(10, 34), at(10, 46)], now=at(10, 47))

    start = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)
    assert bars == [
        Bar(start=start, value=2, now=False),
        Bar(start=start + timedelta(minutes=5), value=0, now=False),
        Bar(start=start + timedelta(minutes=10), value=0, now=False),
        Bar(start=start + timedelta(minutes=15), value=1, now=True),
    ]


def test_arrivals_of_a_long_evening_show_its_last_hour():
    bars = arrivals_in_steps([at(8, 0), at(11, 0)], now=at(23, 0))

    assert (len(bars), bars[-1].value, any(bar.now for bar in bars)) == (12, 1, False)


def test_nobody_came_is_no_bar():
    assert arrivals_in_steps([], now=NOW) == []


@pytest.mark.parametrize(("hour_utc", "word"), [(0, "morning"), (4, "afternoon"), (10, "evening")])
def test_the_greeting_follows_the_offices_clock(hour_utc, word):
    assert greeting_hour(NOW.replace(hour=hour_utc)) == word
