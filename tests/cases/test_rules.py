from datetime import UTC, date, datetime
from itertools import product

import pytest

from outreach.cases.rules.answers import (
    FailedAttempt,
    OneChannelOnly,
    OneDayOnly,
    ReachChannel,
    Satisfaction,
    TooFewAttempts,
    check_unreached,
    is_content,
)
from outreach.cases.rules.deadlines import answer_deadline, next_deadline
from outreach.cases.rules.moves import MOVES, OWED, CaseState, Move, MoveRefused, Step, after
from outreach.kernel.clock import OFFICE
from outreach.kernel.working_days import Deadline, WorkingCalendar

ENDS = {CaseState.CLOSED, CaseState.UNREACHED, CaseState.WITHDRAWN}
# The adjusted days of 2026 that the tests cross: National Day, with the Saturday that pays for it.
CALENDAR = WorkingCalendar(
    exceptions={
        date(2026, 9, 20): True,
        **{date(2026, 10, day): False for day in (1, 2, 5, 6, 7)},
        date(2026, 10, 10): True,
    },
    published=frozenset({2026}),
)
CALL, MEET = ReachChannel.TELEPHONE, ReachChannel.IN_PERSON


def at(year: int, month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=OFFICE).astimezone(UTC)


def test_every_state_but_the_ends_owes_a_step():
    assert set(CaseState) - set(OWED) == ENDS


def test_nothing_leads_out_of_an_end():
    assert all(MOVES[state] == {} for state in ENDS)


def test_a_request_ends_only_on_feedback_unreached_or_withdrawn():
    ways = {(state, move, to) for state, moves in MOVES.items() for move, to in moves.items() if to in ENDS}

    assert {(move, to) for state, move, to in ways if move is not Move.WITHDRAW} == {
        (Move.CONTENT, CaseState.CLOSED),
        (Move.CLOSE_WITH_REASON, CaseState.CLOSED),
        (Move.GIVE_UP_REACHING, CaseState.UNREACHED),
    }
    assert {state for state, move, _ in ways if move is Move.WITHDRAW} == set(OWED)
    assert {state for state, move, to in ways if to is not CaseState.WITHDRAWN} == {
        CaseState.REPLIED,
        CaseState.CONTESTED,
    }


@pytest.mark.parametrize(("state", "move"), list(product(CaseState, Move)))
def test_a_move_the_table_does_not_know_is_refused_by_name(state, move):
    if move in MOVES[state]:
        assert after(state, move) is MOVES[state][move]
    else:
        with pytest.raises(MoveRefused) as refused:
            after(state, move)
        assert refused.value.values == {"move": move, "state": state}


@pytest.mark.parametrize(
    ("assigned", "is_complex", "due"),
    [
        (at(2026, 11, 19, 16, 20), False, at(2026, 11, 26, 17, 30)),
        (at(2026, 11, 21, 16), False, at(2026, 11, 30, 17, 30)),
        (at(2026, 9, 29), False, at(2026, 10, 12, 17, 30)),
        (at(2026, 9, 30, 18), True, at(2026, 10, 28, 17, 30)),
    ],
    ids=["across a weekend", "received on saturday", "across the holidays", "complex, after hours, across them"],
)
def test_an_answer_is_due_in_working_days_from_the_assignment(assigned, is_complex, due):
    assert answer_deadline(assigned_at=assigned, complex=is_complex, calendar=CALENDAR) == Deadline(due, False)


def test_an_answer_due_in_a_year_without_a_calendar_is_provisional():
    assert answer_deadline(assigned_at=at(2026, 12, 30), complex=False, calendar=CALENDAR).provisional


@pytest.mark.parametrize(
    ("state", "due"),
    [
        (CaseState.REGISTERED, at(2026, 11, 24, 17, 30)),
        (CaseState.ASSIGNED, at(2026, 11, 24, 17, 30)),
        (CaseState.RETURNED, at(2026, 11, 24, 17, 30)),
        (CaseState.REPLIED, at(2026, 11, 26, 17, 30)),
        (CaseState.CONTESTED, at(2026, 11, 24, 17, 30)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_step_has_its_own_deadline(state, due):
    assert next_deadline(state, now=at(2026, 11, 23), answer=None, calendar=CALENDAR) == Deadline(due, False)


def test_accepting_does_not_move_the_deadline_of_the_answer():
    answer = Deadline(at(2026, 11, 26, 17, 30), False)

    assert next_deadline(CaseState.ACCEPTED, now=at(2026, 11, 25), answer=answer, calendar=CALENDAR) == answer


@pytest.mark.parametrize(
    ("attempts", "refusal"),
    [
        ([], TooFewAttempts),
        ([(CALL, 24)], TooFewAttempts),
        ([(CALL, 24), (CALL, 25)], OneChannelOnly),
        ([(CALL, 24), (MEET, 24)], OneDayOnly),
        ([(CALL, 24), (CALL, 25), (CALL, 26)], OneChannelOnly),
    ],
    ids=["none", "one", "one channel", "one day", "three on one channel"],
)
def test_giving_up_is_refused_and_says_what_is_missing(attempts, refusal):
    with pytest.raises(refusal):
        check_unreached([FailedAttempt(channel, date(2026, 11, day)) for channel, day in attempts])


@pytest.mark.parametrize(
    "attempts",
    [[(CALL, 24), (MEET, 25)], [(CALL, 24), (MEET, 24), (CALL, 25)]],
    ids=["two", "three, of which two differ in both"],
)
def test_two_attempts_on_two_channels_on_different_days_allow_to_give_up(attempts):
    check_unreached([FailedAttempt(channel, date(2026, 11, day)) for channel, day in attempts])


@pytest.mark.parametrize(
    ("solved", "satisfaction", "content"),
    [
        (True, Satisfaction.SATISFIED, True),
        (True, Satisfaction.MOSTLY, True),
        (True, Satisfaction.DISSATISFIED, False),
        (False, Satisfaction.SATISFIED, False),
        (False, Satisfaction.DISSATISFIED, False),
    ],
)
def test_only_what_is_solved_and_not_disliked_closes(solved, satisfaction, content):
    assert is_content(solved=solved, satisfaction=satisfaction) is content


def test_the_step_before_an_end_is_to_hear_or_to_decide():
    assert OWED[CaseState.REPLIED] is Step.HEAR
    assert OWED[CaseState.CONTESTED] is Step.DECIDE
