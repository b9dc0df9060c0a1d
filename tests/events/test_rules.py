from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from outreach.events.rules import (
    MOVES,
    DoorsOpenAfterTheStart,
    EndsBeforeItStarts,
    EventKind,
    EventMove,
    EventMoveRefused,
    EventPlan,
    EventState,
    GroupNamesRepeat,
    GroupPlan,
    ImpossibleCapacity,
    NotAWebAddress,
    RegistrationClosesAfterTheEnd,
    RegistrationOpensTooLate,
    RegistrationWindow,
    TitleMissing,
    TooManyGroups,
    after,
    faults,
    registration_window,
)

START = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)
ILLEGAL = [(state, move) for state, move in product(EventState, EventMove) if move not in MOVES[state]]


def plan(**values):
    sound = {
        "title": "把实验室搬进老厂房",
        "kind": EventKind.SALON,
        "starts_at": START,
        "ends_at": START + timedelta(hours=2),
    }
    return EventPlan(**(sound | values))


@pytest.mark.parametrize(("state", "move"), ILLEGAL, ids=[f"{move} {state}" for state, move in ILLEGAL])
def test_a_move_the_table_does_not_know_is_refused_by_name(state, move):
    with pytest.raises(EventMoveRefused):
        after(state, move)


def test_only_approval_publishes():
    leading_there = {
        (state, move) for state in EventState for move, to in MOVES[state].items() if to is EventState.PUBLISHED
    }

    assert leading_there == {(EventState.SUBMITTED, EventMove.APPROVE)}


def test_an_event_can_be_cancelled_at_any_point_before_it_is_finished():
    assert [state for state in EventState if EventMove.CANCEL in MOVES[state]] == [
        EventState.DRAFT,
        EventState.SUBMITTED,
        EventState.PUBLISHED,
    ]


def test_what_waits_for_a_decision_is_not_editable():
    assert [state for state in EventState if state.is_editable] == [EventState.DRAFT, EventState.PUBLISHED]


def test_a_sound_plan_has_no_faults():
    assert list(faults(plan(groups=(GroupPlan("博士", 20), GroupPlan("企业代表", 0))))) == []


def test_an_evening_across_midnight_is_sound():
    assert list(faults(plan(starts_at=START, ends_at=START + timedelta(hours=6)))) == []


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"title": "　"}, TitleMissing),
        ({"ends_at": START}, EndsBeforeItStarts),
        ({"doors_open_at": START + timedelta(minutes=1)}, DoorsOpenAfterTheStart),
        ({"registration_closes_at": START + timedelta(hours=2, minutes=1)}, RegistrationClosesAfterTheEnd),
        ({"registration_opens_at": START + timedelta(hours=2)}, RegistrationOpensTooLate),
        ({"registration_opens_at": START, "registration_closes_at": START}, RegistrationOpensTooLate),
        ({"online_url": "javascript:alert(1)"}, NotAWebAddress),
        ({"groups": (GroupPlan("博士", -1),)}, ImpossibleCapacity),
        ({"groups": (GroupPlan("博士", 100_001),)}, ImpossibleCapacity),
        ({"groups": (GroupPlan("博士", 1), GroupPlan("博士", 2))}, GroupNamesRepeat),
        ({"groups": tuple(GroupPlan(f"组{n}", 1) for n in range(13))}, TooManyGroups),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_fault_is_named(values, fault):
    assert [type(found) for found in faults(plan(**values))] == [fault]


def test_all_faults_are_told_at_once():
    found = faults(plan(title="", ends_at=START - timedelta(hours=1)))

    assert [type(fault) for fault in found] == [TitleMissing, EndsBeforeItStarts]


@pytest.mark.parametrize(
    ("minutes", "window"),
    [
        (-61, RegistrationWindow.NOT_YET),
        (-60, RegistrationWindow.OPEN),
        (-1, RegistrationWindow.OPEN),
        (0, RegistrationWindow.CLOSED),
    ],
)
def test_registration_opens_and_closes_on_the_moment_said(minutes, window):
    found = registration_window(
        state=EventState.PUBLISHED,
        has_groups=True,
        opens_at=START - timedelta(minutes=60),
        closes_at=START,
        now=START + timedelta(minutes=minutes),
    )

    assert found is window


def test_an_event_without_groups_of_places_needs_no_registration():
    found = registration_window(state=EventState.PUBLISHED, has_groups=False, opens_at=None, closes_at=START, now=START)

    assert found is RegistrationWindow.NOT_NEEDED


@pytest.mark.parametrize("state", [state for state in EventState if state is not EventState.PUBLISHED])
def test_nobody_registers_for_what_is_not_published(state):
    before = START - timedelta(days=1)

    found = registration_window(state=state, has_groups=True, opens_at=None, closes_at=START, now=before)

    assert found is RegistrationWindow.CLOSED
