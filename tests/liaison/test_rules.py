"""When a contact is due, and what a request on a visit is called."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.cases.rules.asking import title_of
from outreach.liaison.rules import Due, DueState, Rhythm, due, months_later, rhythm_said


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 10, 21), 1, date(2026, 11, 21)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 8, 31), 1, date(2026, 9, 30)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 31), 6, date(2027, 6, 30)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
    ],
)
def test_months_later_keeps_the_day_or_takes_the_last_of_the_month(day, months, expected):
    assert months_later(day, months) == expected


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 24))
def test_months_later_never_skips_a_month(day, months):
    later = months_later(day, months)

    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day <= day.day


@pytest.mark.parametrize(
    ("last_on", "today", "expected"),
    [
        (date(2026, 10, 31), date(2026, 11, 22), Due(DueState.FINE, date(2026, 11, 30), 8, date(2026, 10, 31))),
        (date(2026, 10, 31), date(2026, 11, 23), Due(DueState.SOON, date(2026, 11, 30), 7, date(2026, 10, 31))),
        (date(2026, 10, 31), date(2026, 11, 30), Due(DueState.SOON, date(2026, 11, 30), 0, date(2026, 10, 31))),
        (date(2026, 10, 31), date(2026, 12, 1), Due(DueState.OVERDUE, date(2026, 11, 30), -1, date(2026, 10, 31))),
    ],
)
def test_due_counts_from_the_last_contact_over_the_end_of_a_month(last_on, today, expected):
    found = due(rhythm=Rhythm.MONTHLY, starts_on=date(2026, 1, 5), last_on=last_on, today=today)

    assert found == expected


def test_due_counts_from_the_start_while_they_never_met():
    found = due(rhythm=Rhythm.QUARTERLY, starts_on=date(2026, 8, 31), last_on=None, today=date(2026, 12, 25))

    assert (found.never_met, found.due_on, found.days_overdue) == (True, date(2026, 11, 30), 25)


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("女儿明年 9 月上小学，想走路能到", "女儿明年 9 月上小学，想走路能到"),
        ("想换一套三居室。现在两代人住得太挤，老人上楼不便。", "想换一套三居室"),
        ("one\n  thing   here", "one thing here"),
        ("长" * 60, "长" * 39 + "…"),
        ("。", "。"),
    ],
)
def test_a_title_is_the_first_sentence_in_one_line(words, title):
    assert title_of(words) == title


@given(st.text(min_size=1).filter(str.strip))
def test_a_title_is_never_empty_and_never_long(words):
    assert 1 <= len(title_of(words)) <= 40


@pytest.mark.parametrize(
    ("words", "rhythm"),
    [
        ("每月一次", Rhythm.MONTHLY),
        ("每季度", Rhythm.QUARTERLY),
        ("半年1次", Rhythm.HALF_YEARLY),
        ("", None),
        ("常联系", None),
    ],
)
def test_a_rhythm_is_read_from_a_ledgers_words(words, rhythm):
    assert rhythm_said(words) is rhythm
