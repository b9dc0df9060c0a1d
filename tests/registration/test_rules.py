from itertools import product

import pytest

from outreach.kernel.guards import never_oversold
from outreach.registration.rules import (
    CODE_SIGNS,
    HOLDING,
    LIVING,
    MOVES,
    Places,
    RegistrationMove,
    RegistrationMoveRefused,
    RegistrationState,
    after,
    first_state,
    normalised_code,
    spaced_code,
)

ENDED = [state for state in RegistrationState if not state.is_living]


@pytest.mark.parametrize("state", ENDED)
def test_a_registration_that_ended_never_comes_back(state: RegistrationState):
    assert MOVES[state] == {}


@pytest.mark.parametrize(("state", "move"), list(product(RegistrationState, RegistrationMove)))
def test_a_move_the_table_does_not_know_is_refused_loudly(state: RegistrationState, move: RegistrationMove):
    if move in MOVES[state]:
        assert after(state, move) is MOVES[state][move]
        return

    with pytest.raises(RegistrationMoveRefused):
        after(state, move)


def test_whoever_holds_or_awaits_a_place_can_give_it_back():
    assert {state for state in RegistrationState if RegistrationMove.CANCEL in MOVES[state]} == LIVING


def test_the_guard_in_the_database_knows_the_same_states_that_hold_a_place():
    written = "(" + ", ".join(f"'{state}'" for state in RegistrationState if state in HOLDING) + ")"

    guard = never_oversold()

    assert all(written in statement for statement in (*guard.sqlite, *guard.postgresql))


@pytest.mark.parametrize(
    ("places", "reviewed", "expected"),
    [
        pytest.param(Places(2, 1, 0), False, RegistrationState.CONFIRMED, id="a place is left"),
        pytest.param(Places(2, 1, 0), True, RegistrationState.PENDING, id="a place is left and somebody looks first"),
        pytest.param(Places(2, 2, 0), False, RegistrationState.WAITLISTED, id="full"),
        pytest.param(Places(2, 2, 3), True, RegistrationState.WAITLISTED, id="full and somebody looks first"),
        pytest.param(Places(3, 2, 1), False, RegistrationState.WAITLISTED, id="a place just freed belongs to the line"),
        pytest.param(Places(1, 2, 0), False, RegistrationState.WAITLISTED, id="the capacity was lowered"),
        pytest.param(Places(0, 0, 0), False, RegistrationState.WAITLISTED, id="a group without places"),
    ],
)
def test_who_registers_gets_a_place_only_where_nobody_waits(
    places: Places, reviewed: bool, expected: RegistrationState
):
    assert first_state(places, reviewed=reviewed) is expected


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("K7M4Q2", "K7M4Q2"),
        (" k7m 4q2 ", "K7M4Q2"),
        ("k7m-4q2", "K7M4Q2"),
        ("Ｋ７Ｍ　４Ｑ２", "K7M4Q2"),
        ("K7M 402", "K7M4Q2"),
        ("s7mz0b", "57M2Q8"),
        ("K7M4Q", None),
        ("K7M4Q22", None),
        ("K7M4QI", None),
        ("", None),
        ("请扫码", None),
    ],
)
def test_a_short_code_is_understood_as_people_type_it(typed: str, code: str | None):
    assert normalised_code(typed) == code


def test_no_sign_of_a_short_code_is_read_as_another():
    assert all(normalised_code(sign * 6) == sign * 6 for sign in CODE_SIGNS)


def test_a_short_code_is_printed_in_two_halves():
    assert spaced_code("K7M4Q2") == "K7M 4Q2"
