"""The life of a registration, its places and its ticket's code. Source: domain.md."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from outreach.events.rules import EventState, RegistrationWindow
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.people.rules.merging import Rows, Twice


class RegistrationState(StrEnum):
    """Where a registration stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def label(self) -> str:
        """The name of the state, to be translated."""
        return REGISTRATION_STATES[self]

    @property
    def is_living(self) -> bool:
        """Whether it holds or awaits a place."""
        return self in LIVING

    @property
    def holds_a_place(self) -> bool:
        """Whether it takes one of the group's places; one under review does too."""
        return self in HOLDING


REGISTRATION_STATES = {
    RegistrationState.PENDING: N_("Under review"),
    RegistrationState.CONFIRMED: N_("Confirmed"),
    RegistrationState.WAITLISTED: N_("Waiting list"),
    RegistrationState.CANCELLED: N_("Withdrawn from"),
    RegistrationState.REJECTED: N_("Not accepted"),
}
TIMELINE_SENTENCES = {
    RegistrationState.PENDING: N_("Registered for “%(event)s” (%(group)s); under review"),
    RegistrationState.CONFIRMED: N_("Registered for “%(event)s” (%(group)s)"),
    RegistrationState.WAITLISTED: N_("On the waiting list of “%(event)s” (%(group)s)"),
    RegistrationState.CANCELLED: N_("Registered for “%(event)s” (%(group)s) and withdrew"),
    RegistrationState.REJECTED: N_("Registered for “%(event)s” (%(group)s); not accepted"),
}
HOLDING = frozenset({RegistrationState.PENDING, RegistrationState.CONFIRMED})
LIVING = HOLDING | {RegistrationState.WAITLISTED}


class RegistrationMove(StrEnum):
    """What changes a registration's state."""

    CONFIRM = "confirm"  # an organiser after review
    REJECT = "reject"
    PROMOTE = "promote"  # a place freed, and this one is first in line
    CALL_UP = "call_up"  # the same in a group whose registrations are looked at first
    CANCEL = "cancel"

    @property
    def label(self) -> str:
        """The name of the move, to be translated."""
        return {
            RegistrationMove.CONFIRM: N_("confirm it"),
            RegistrationMove.REJECT: N_("reject it"),
            RegistrationMove.PROMOTE: N_("move it up"),
            RegistrationMove.CALL_UP: N_("move it up"),
            RegistrationMove.CANCEL: N_("cancel it"),
        }[self]


MOVES: dict[RegistrationState, dict[RegistrationMove, RegistrationState]] = {
    RegistrationState.PENDING: {
        RegistrationMove.CONFIRM: RegistrationState.CONFIRMED,
        RegistrationMove.REJECT: RegistrationState.REJECTED,
        RegistrationMove.CANCEL: RegistrationState.CANCELLED,
    },
    RegistrationState.CONFIRMED: {RegistrationMove.CANCEL: RegistrationState.CANCELLED},
    RegistrationState.WAITLISTED: {
        RegistrationMove.PROMOTE: RegistrationState.CONFIRMED,
        RegistrationMove.CALL_UP: RegistrationState.PENDING,
        RegistrationMove.CANCEL: RegistrationState.CANCELLED,
        RegistrationMove.REJECT: RegistrationState.REJECTED,
    },
    RegistrationState.CANCELLED: {},
    RegistrationState.REJECTED: {},
}
REGISTERED_TWICE = N_("Registered twice: the other registration of the same person stands.")
"""Why the second one is taken back; kept as it stands here and translated when it is shown."""


class RegistrationMoveRefused(Refused):
    """The state the registration is in does not allow this."""

    message = N_("This registration is now “%(state)s”, so it is not possible to %(move)s.")


def after(state: RegistrationState, move: RegistrationMove) -> RegistrationState:
    """Return the state the move leads to.

    :raises RegistrationMoveRefused: if a registration in this state cannot make it
    """
    try:
        return MOVES[state][move]
    except KeyError:
        raise RegistrationMoveRefused(move=move, state=state) from None


@dataclass(frozen=True)
class Places:
    """What is left of a group of places at one moment."""

    capacity: int
    taken: int
    waiting: int

    @property
    def free(self) -> int:
        """How many can still be had; never below nought, also where the capacity was lowered afterwards."""
        return max(0, self.capacity - self.taken)

    @property
    def is_full(self) -> bool:
        """Whether whoever comes next waits: also while others wait for a place that has just become free."""
        return self.free == 0 or self.waiting > 0

    @property
    def next_in_line(self) -> int:
        """The number somebody would get who joined the waiting list now."""
        return self.waiting + 1


class Dated(Protocol):
    """What of an event decides whether one can register for it, or withdraw."""

    state: EventState
    starts_at: datetime
    registration_opens_at: datetime | None

    @property
    def registration_ends_at(self) -> datetime:
        """When registering stops."""

    def registration(self, now: datetime) -> RegistrationWindow:
        """Tell what the clock says about registering."""


class EventNotOpen(Refused):
    """The event is a draft, or over."""

    message = N_("Nobody can register for this event now.")


class EventIsCancelled(Refused):
    """The event will not take place."""

    message = N_("This event has been cancelled, so there is nothing to register for.")


class RegistrationNotYetOpen(Refused):
    """Too early."""

    message = N_("Registration opens on %(opens_at)s. Please come back then.")


class RegistrationClosed(Refused):
    """Too late."""

    message = N_("Registration closed on %(closed_at)s.")


class GroupOfAnotherEvent(Refused):
    """The page was altered, or the group is gone."""

    message = N_("Please choose one of the groups shown here.")
    field = "group"


class EventHasBegun(Refused):
    """Places are no longer passed on."""

    message = N_("The event has begun, so the place can no longer be passed on. You need do nothing.")


class BirthMissing(Refused):
    """Asked only where the age matters."""

    message = N_("This event needs to know how old the person is. Write the date of birth like 2014-03-19.")
    field = "birth"
    status = 422


class ReasonMissing(Refused):
    """Somebody who loses a place is told why."""

    message = N_("Say why: the person reads it.")
    field = "reason"


def check_open(event: Dated, *, now: datetime) -> None:
    """Pass if one can register for the event now; it opens and closes on the very moment said.

    :raises EventIsCancelled: if it will not take place
    :raises EventNotOpen: if it is not published
    :raises RegistrationNotYetOpen: before registration opens
    :raises RegistrationClosed: after it closed; without a closing time, once the event has begun
    """
    if event.state is EventState.CANCELLED:
        raise EventIsCancelled
    if event.state is not EventState.PUBLISHED:
        raise EventNotOpen
    window = event.registration(now)
    if window is RegistrationWindow.NOT_YET:
        raise RegistrationNotYetOpen(opens_at=event.registration_opens_at)
    if window is RegistrationWindow.CLOSED:
        raise RegistrationClosed(closed_at=event.registration_ends_at)


def check_withdrawal(event: Dated, *, now: datetime) -> None:
    """Pass if an attendee can still give the place back.

    :raises EventHasBegun: once it has begun
    """
    if now >= event.starts_at:
        raise EventHasBegun


def passes_places_on(event: Dated, *, now: datetime) -> bool:
    """Tell whether a freed place still goes to the first in line: never once the event has begun."""
    return event.state is EventState.PUBLISHED and now < event.starts_at


def first_state(places: Places, *, reviewed: bool) -> RegistrationState:
    """Return the state of whoever registers now. Nobody overtakes those who wait."""
    if places.is_full:
        return RegistrationState.WAITLISTED
    return RegistrationState.PENDING if reviewed else RegistrationState.CONFIRMED


CODE_SIGNS = "23456789ACDEFGHJKMNPQRTUVWXY"
"""Signs of a ticket's short code: none that is easily read as another of them."""
CODE_LENGTH = 6
_READ_AS = str.maketrans({"S": "5", "Z": "2", "B": "8", "O": "Q", "0": "Q"})


def normalised_code(text: str) -> str | None:
    """Return what somebody typed as a short code, in its one form; None if it cannot be one.

    Small letters, full-width signs, spaces, hyphens and look-alikes (0 for Q, S for 5) are understood.
    """
    plain = unicodedata.normalize("NFKC", text).upper()
    code = "".join(sign for sign in plain if sign not in " -‐–—·.\t\r\n").translate(_READ_AS)
    return code if len(code) == CODE_LENGTH and set(code) <= set(CODE_SIGNS) else None


def spaced_code(code: str) -> str:
    """Return a short code as it is printed and read out: "K7M 4Q2"."""
    return f"{code[:3]} {code[3:]}"


ACTS = {
    "registration.registered": N_("registered"),
    f"registration.{RegistrationMove.CONFIRM}": N_("accepted the registration"),
    f"registration.{RegistrationMove.REJECT}": N_("did not accept the registration"),
    f"registration.{RegistrationMove.PROMOTE}": N_("moved up from the waiting list and has a place"),
    f"registration.{RegistrationMove.CALL_UP}": N_("moved up from the waiting list, to be looked at"),
    f"registration.{RegistrationMove.CANCEL}": N_("ended the registration"),
    "registration.restored": N_("brought the registration back: they are two people after all"),
}
"""What happened to a registration, as its history tells it."""

ROWS_OF_A_PERSON = (Rows("registrations", N_("registrations"), Twice.SETTLED),)
"""What merging two records of one person calls what stands here."""
