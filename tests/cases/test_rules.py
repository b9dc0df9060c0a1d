from datetime import UTC, date, datetime
from itertools import product

import pytest

from outreach.cases.rules.answers import (
    AnswerKind,
    FailedAttempt,
    OneChannelOnly,
    OneDayOnly,
    ReachChannel,
    Satisfaction,
    TooFewAttempts,
    check_unreached,
    feedback_move,
    is_content,
)
from outreach.cases.rules.deadlines import (
    MOST_EXTRA_DAYS,
    Clock,
    ExtensionDaysUnfit,
    ExtensionTooLate,
    answer_clock,
    check_extension,
    next_clock,
    part_days,
)
from outreach.cases.rules.moves import (
    MOVES,
    OWED,
    CaseState,
    Move,
    MoveRefused,
    Rank,
    Step,
    after,
    rank_of,
    return_move,
)
from outreach.kernel.clock import OFFICE
from outreach.kernel.working_days import Deadline, WorkingCalendar

ENDS = {CaseState.CLOSED, CaseState.UNREACHED, CaseState.WITHDRAWN, CaseState.MERGED}
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


def test_nothing_leads_out_of_an_end_but_the_way_back_from_a_merge():
    assert [(state, move) for state in sorted(ENDS) for move in MOVES[state]] == [(CaseState.MERGED, Move.SPLIT)]


def test_nothing_is_merged_that_has_an_answer():
    assert {state for state in CaseState if Move.MERGE in MOVES[state]} == {
        CaseState.REGISTERED,
        CaseState.ASSIGNED,
        CaseState.RETURNED,
        CaseState.DISPUTED,
        CaseState.ACCEPTED,
    }


def test_the_second_return_goes_to_an_arbiter():
    assert [MOVES[CaseState.ACCEPTED][return_move(before)] for before in (0, 1, 2)] == [
        CaseState.RETURNED,
        CaseState.DISPUTED,
        CaseState.DISPUTED,
    ]


def test_what_is_urgent_stands_before_what_a_leader_was_asked():
    assert [rank_of(urgent=urgent, for_leader=leader) for urgent, leader in product((True, False), repeat=2)] == [
        Rank.URGENT,
        Rank.URGENT,
        Rank.LEADERS,
        Rank.ORDINARY,
    ]


def test_a_request_ends_only_on_feedback_unreached_or_withdrawn():
    ways = {(state, move, to) for state, moves in MOVES.items() for move, to in moves.items() if to in ENDS}

    assert {(move, to) for state, move, to in ways if move not in {Move.WITHDRAW, Move.MERGE}} == {
        (Move.CONTENT, CaseState.CLOSED),
        (Move.CLOSE_WITH_REASON, CaseState.CLOSED),
        (Move.GIVE_UP_REACHING, CaseState.UNREACHED),
    }
    assert {state for state, move, _ in ways if move is Move.WITHDRAW} == set(OWED)
    assert {state for state, move, to in ways if to not in {CaseState.WITHDRAWN, CaseState.MERGED}} == {
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
    clock = answer_clock(assigned_at=assigned, complex=is_complex)

    assert clock.due(CALENDAR) == Deadline(due, False)


def test_an_answer_due_in_a_year_without_a_calendar_is_provisional():
    assert answer_clock(assigned_at=at(2026, 12, 30), complex=False).due(CALENDAR).provisional


@pytest.mark.parametrize(
    ("state", "due"),
    [
        (CaseState.REGISTERED, at(2026, 11, 24, 17, 30)),
        (CaseState.ASSIGNED, at(2026, 11, 24, 17, 30)),
        (CaseState.RETURNED, at(2026, 11, 24, 17, 30)),
        (CaseState.DISPUTED, at(2026, 11, 24, 17, 30)),
        (CaseState.REPLIED, at(2026, 11, 26, 17, 30)),
        (CaseState.CONTESTED, at(2026, 11, 24, 17, 30)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_step_has_its_own_deadline(state, due):
    assert next_clock(state, now=at(2026, 11, 23), answer=None).due(CALENDAR) == Deadline(due, False)


@pytest.mark.parametrize("state", [CaseState.ACCEPTED, CaseState.DRAFTED])
def test_neither_accepting_nor_approving_moves_the_deadline_of_the_answer(state):
    answer = Clock(at(2026, 11, 19), 5)

    assert next_clock(state, now=at(2026, 11, 25), answer=answer) == answer


def test_what_was_promised_for_a_holiday_is_due_on_the_next_working_day():
    assert Clock(at(2026, 9, 1), None, date(2026, 10, 3)).due(CALENDAR) == Deadline(at(2026, 10, 8, 17, 30), False)


def test_an_extension_counts_from_the_old_deadline():
    clock = answer_clock(assigned_at=at(2026, 11, 19), complex=False)

    assert clock.due(CALENDAR).at == at(2026, 11, 26, 17, 30)
    assert clock.longer(3).due(CALENDAR).at == at(2026, 12, 1, 17, 30)


@pytest.mark.parametrize(
    ("days", "asked", "refusal"),
    [
        (3, at(2026, 11, 26, 17, 31), ExtensionTooLate),
        (0, at(2026, 11, 25), ExtensionDaysUnfit),
        (-2, at(2026, 11, 25), ExtensionDaysUnfit),
        (MOST_EXTRA_DAYS + 1, at(2026, 11, 25), ExtensionDaysUnfit),
    ],
)
def test_more_time_is_asked_for_in_time_and_for_some_days(days, asked, refusal):
    with pytest.raises(refusal):
        check_extension(days=days, due_at=at(2026, 11, 26, 17, 30), now=asked)


@pytest.mark.parametrize(
    ("asked", "days"),
    [(at(2026, 11, 19), 4), (at(2026, 11, 25), 1), (at(2026, 11, 26), 1), (at(2026, 11, 30), 1)],
    ids=["early", "the day before", "on the last day", "late already"],
)
def test_a_co_handler_has_until_the_day_before_the_answer_and_at_least_one(asked, days):
    assert part_days(now=asked, answer_due_at=at(2026, 11, 26, 17, 30), calendar=CALENDAR) == days


@pytest.mark.parametrize(
    ("kind", "solved", "satisfaction", "step"),
    [
        (AnswerKind.SOLVED, True, Satisfaction.MOSTLY, Move.CONTENT),
        (AnswerKind.SOLVED, False, Satisfaction.MOSTLY, Move.CONTEST),
        (AnswerKind.IN_PROGRESS, False, Satisfaction.MOSTLY, Move.KEEP_PLAN),
        (AnswerKind.IN_PROGRESS, True, Satisfaction.SATISFIED, Move.CONTENT),
        (AnswerKind.IN_PROGRESS, False, Satisfaction.DISSATISFIED, Move.CONTEST),
        (None, False, Satisfaction.SATISFIED, Move.CONTEST),
    ],
)
def test_a_plan_they_agree_to_is_kept_and_does_not_close(kind, solved, satisfaction, step):
    assert feedback_move(kind, solved=solved, satisfaction=satisfaction) is step


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
