"""How much may be taken, what a reason is, and how a file's number leads to its line in the log."""

from datetime import UTC, datetime, timedelta

import pytest

from outreach.exports.rules import (
    EXPORTS_A_DAY,
    FULL_ROWS_A_DAY,
    MOST_ROWS,
    MOST_ROWS_ON_PAPER,
    ROWS_A_DAY,
    ExportMove,
    ExportState,
    Format,
    NothingThere,
    NotNow,
    ReasonTooShort,
    TooManyFiles,
    TooManyInFullToday,
    TooManyRows,
    TooManyRowsToday,
    after,
    check_amount,
    checked_reason,
    id_in_number,
    number_of,
)
from tests.conftest import NOW

NOTHING = {"files": 0, "rows": 0, "full_rows": 0, "wanted": 1, "in_full": False, "kind": Format.XLSX, "now": NOW}


@pytest.mark.parametrize("reason", ["", "   ", "工作", "……。。！！", "啊啊啊啊啊啊", "abab"])
def test_a_reason_that_says_nothing_is_refused(reason):
    with pytest.raises(ReasonTooShort):
        checked_reason(reason)


def test_a_reason_keeps_its_words():
    assert checked_reason("  排沙龙的座次 \n 11月28日 ") == "排沙龙的座次 11月28日"


@pytest.mark.parametrize(
    ("taken", "refusal"),
    [
        ({"wanted": 0}, NothingThere),
        ({"wanted": MOST_ROWS + 1}, TooManyRows),
        ({"wanted": MOST_ROWS_ON_PAPER + 1, "kind": Format.PDF}, TooManyRows),
        ({"files": EXPORTS_A_DAY}, TooManyFiles),
        ({"rows": ROWS_A_DAY}, TooManyRowsToday),
        ({"full_rows": FULL_ROWS_A_DAY, "in_full": True}, TooManyInFullToday),
    ],
)
def test_what_is_too_much_is_refused(taken, refusal):
    with pytest.raises(refusal):
        check_amount(**(NOTHING | taken))


@pytest.mark.parametrize(
    ("at", "left"), [(NOW, timedelta(hours=14)), (datetime(2026, 11, 24, 15, 59, tzinfo=UTC), timedelta(minutes=1))]
)
def test_what_is_too_much_for_today_says_when_tomorrow_begins_in_the_office(at: datetime, left: timedelta):
    with pytest.raises(TooManyFiles) as refused:
        check_amount(**(NOTHING | {"files": EXPORTS_A_DAY, "now": at}))

    assert refused.value.seconds_left(at) == left.total_seconds()


@pytest.mark.parametrize(
    "taken",
    [
        {},
        {"wanted": MOST_ROWS},
        {"files": EXPORTS_A_DAY - 1, "rows": ROWS_A_DAY - 1},
        {"full_rows": FULL_ROWS_A_DAY, "in_full": False},
    ],
)
def test_what_is_within_bounds_is_let_through(taken):
    assert check_amount(**(NOTHING | taken)) is None


def test_a_number_names_the_office_day_and_the_line():
    late_in_utc = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)

    assert number_of(42, late_in_utc) == "20261124-42"
    assert id_in_number(" 20261124-42 ") == 42


@pytest.mark.parametrize(
    "text", ["", "42", "20261124", "20261124-", "2026-42", "20261124-4２", "甲乙-1", "20261124-" + "9" * 30]
)
def test_what_is_no_number_names_no_line(text):
    assert id_in_number(text) is None


@pytest.mark.parametrize(
    ("state", "move"),
    [
        (ExportState.READY, ExportMove.FINISH),
        (ExportState.READY, ExportMove.STOP),
        (ExportState.STOPPED, ExportMove.FINISH),
        (ExportState.ASKED, ExportMove.DELETE),
        (ExportState.DELETED, ExportMove.DELETE),
    ],
)
def test_moves_that_are_not_in_the_table_are_refused(state, move):
    with pytest.raises(NotNow):
        after(state, move)
