"""What a visitor of the portal can do about an event."""

from dataclasses import dataclass
from enum import StrEnum

from outreach.events.rules import EventState, RegistrationWindow
from outreach.kernel.wording import N_

SOON_DAYS = 14
"""The portal's sentence speaks of two weeks."""


class WayIn(StrEnum):
    """What the one button of an event's page does, or says instead."""

    REGISTER = "register"
    WAIT = "wait"
    WALK_IN = "walk_in"
    NOT_YET = "not_yet"
    CLOSED = "closed"
    OVER = "over"
    CANCELLED = "cancelled"

    @property
    def can_register(self) -> bool:
        """Whether the button leads to the registration."""
        return self in {WayIn.REGISTER, WayIn.WAIT}

    @property
    def label(self) -> str:
        """The words on the button, to be translated."""
        return {
            WayIn.REGISTER: N_("Register"),
            WayIn.WAIT: N_("Join the waiting list"),
            WayIn.WALK_IN: N_("No registration needed"),
            WayIn.NOT_YET: N_("Registration has not opened yet"),
            WayIn.CLOSED: N_("Registration has closed"),
            WayIn.OVER: N_("This event is over"),
            WayIn.CANCELLED: N_("Cancelled"),
        }[self]


def way_in(*, state: EventState, over: bool, window: RegistrationWindow, full: bool) -> WayIn:
    """Tell what a visitor can do: from the event's state, the clock, and whether every group is full."""
    if state is EventState.CANCELLED:
        return WayIn.CANCELLED
    if over or state is not EventState.PUBLISHED:
        return WayIn.OVER
    if window is RegistrationWindow.OPEN:
        return WayIn.WAIT if full else WayIn.REGISTER
    return {
        RegistrationWindow.NOT_NEEDED: WayIn.WALK_IN,
        RegistrationWindow.NOT_YET: WayIn.NOT_YET,
        RegistrationWindow.CLOSED: WayIn.CLOSED,
    }[window]


@dataclass(frozen=True)
class GroupLeft:
    """What is left of one group of places; `left` is 0 while others wait for a place that has just become free."""

    name: str
    about: str | None
    capacity: int
    left: int
    waiting: int

    @property
    def few(self) -> bool:
        """Whether it is nearly full: a fifth or less is left."""
        return 0 < self.left * 5 <= self.capacity
