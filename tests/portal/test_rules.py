import pytest

from outreach.events.rules import EventState, RegistrationWindow
from outreach.portal.rules import GroupLeft, WayIn, way_in


@pytest.mark.parametrize(
    ("state", "over", "window", "full", "way"),
    [
        (EventState.PUBLISHED, False, RegistrationWindow.OPEN, False, WayIn.REGISTER),
        (EventState.PUBLISHED, False, RegistrationWindow.OPEN, True, WayIn.WAIT),
        (EventState.PUBLISHED, False, RegistrationWindow.NOT_YET, False, WayIn.NOT_YET),
        (EventState.PUBLISHED, False, RegistrationWindow.CLOSED, False, WayIn.CLOSED),
        (EventState.PUBLISHED, False, RegistrationWindow.NOT_NEEDED, True, WayIn.WALK_IN),
        (EventState.PUBLISHED, True, RegistrationWindow.OPEN, False, WayIn.OVER),
        (EventState.FINISHED, False, RegistrationWindow.CLOSED, False, WayIn.OVER),
        (EventState.CANCELLED, False, RegistrationWindow.CLOSED, False, WayIn.CANCELLED),
        (EventState.CANCELLED, True, RegistrationWindow.CLOSED, False, WayIn.CANCELLED),
    ],
)
def test_the_button_follows_from_state_clock_and_places(state, over, window, full, way):
    assert way_in(state=state, over=over, window=window, full=full) is way


@pytest.mark.parametrize(("left", "few"), [(0, False), (1, True), (4, True), (5, False), (20, False)])
def test_a_fifth_or_less_is_few(left, few):
    assert GroupLeft(name="博士", about=None, capacity=20, left=left, waiting=0).few is few
