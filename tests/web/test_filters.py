from datetime import UTC, date, datetime

import pytest
from flask_babel import force_locale

from outreach.web import filters


@pytest.fixture(autouse=True)
def in_november(app, monkeypatch):
    monkeypatch.setattr(filters, "now", lambda: datetime(2026, 11, 24, 2, tzinfo=UTC))
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        yield


@pytest.fixture
def database():
    return "sqlite"


EVENING = datetime(2026, 11, 28, 11, tzinfo=UTC)


def text(markup):
    return markup.striptags()


def test_a_moment_is_shown_in_office_time_with_its_weekday():
    assert text(filters.moment(EVENING)) == "11月28日 周六 19:00"


def test_a_day_shows_its_year_only_when_it_is_not_this_one():
    assert text(filters.day(date(2026, 11, 28))) == "11月28日 周六"
    assert text(filters.day(date(2027, 1, 1))) == "2027年1月1日 周五"


def test_a_span_names_the_second_day_only_when_it_crosses_midnight():
    assert text(filters.span(EVENING, datetime(2026, 11, 28, 13, tzinfo=UTC))) == "11月28日 周六 19:00–21:00"
    assert (
        text(filters.span(EVENING, datetime(2026, 11, 28, 17, tzinfo=UTC)))
        == "11月28日 周六 19:00 – 11月29日 周日 01:00"
    )


@pytest.mark.parametrize(
    ("there", "said"),
    [(24, "今天"), (25, "明天"), (23, "昨天"), (28, "4 天后"), (20, "4 天前")],
)
def test_distances_are_said_as_people_say_them(there, said):
    assert filters.ago_or_ahead(date(2026, 11, there)) == said


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+8619900000036", "199****0036"), ("+4915112345678", "+49****5678"), ("123", "***"), (None, "")],
)
def test_numbers_are_masked(number, masked):
    assert filters.masked_phone(number) == masked


@pytest.mark.parametrize(
    ("name", "masked"), [("张三", "张*"), ("欧阳宇洋", "欧**"), ("𠮷川由美", "𠮷**"), ("O", "O"), ("", "")]
)
def test_names_are_masked_after_their_first_character(name, masked):
    assert filters.masked_name(name) == masked


def test_addresses_are_masked_before_their_host():
    assert filters.masked_email("talent12@example.com") == "t***@example.com"
