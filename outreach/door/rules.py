"""Who may enter, and how they came. The one place that decides it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from outreach.events.rules import EventState
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.registration.rules import RegistrationState, normalised_code

EARLY = timedelta(hours=2)
"""How long before the doors open a ticket is taken: whoever queues early may be let in, who is a day early may not."""
PASSES_OUTLIVE = timedelta(hours=3)
"""How long after the end of its event a volunteer's phone can still look at what it did."""
MOST_PHONES = 60
"""How many phones one link enrols: a link that went round a group chat stops there."""
LONGEST_NAME = 40


class EntryWay(StrEnum):
    """How an arrival was taken down."""

    SCANNED = "scanned"
    TYPED = "typed"
    FOUND = "found"  # by name

    @property
    def label(self) -> str:
        """The name of the way, to be translated."""
        return {
            EntryWay.SCANNED: N_("Scanned"),
            EntryWay.TYPED: N_("Typed"),
            EntryWay.FOUND: N_("Found by name"),
        }[self]


class Verdict(StrEnum):
    """The three answers of a door."""

    IN = "in"
    ALREADY = "twice"
    REFUSED = "no"

    @property
    def label(self) -> str:
        """The answer in the words that fill the screen, to be translated."""
        return {
            Verdict.IN: N_("Come in"),
            Verdict.ALREADY: N_("Already in"),
            Verdict.REFUSED: N_("Not tonight"),
        }[self]


class Ground(StrEnum):
    """Why somebody may not enter."""

    NOT_A_TICKET = "not_a_ticket"
    ALTERED = "altered"
    NO_SUCH_CODE = "no_such_code"
    OTHER_EVENT = "other_event"
    EVENT_CANCELLED = "event_cancelled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    WAITLISTED = "waitlisted"
    PENDING = "pending"
    TOO_EARLY = "too_early"
    OVER = "over"

    @property
    def label(self) -> str:
        """The reason as a sentence, to be translated."""
        return GROUNDS[self]


GROUNDS = {
    Ground.NOT_A_TICKET: N_("This code is not one of our tickets."),
    Ground.ALTERED: N_("This ticket was not issued by us, or its link was altered."),
    Ground.NO_SUCH_CODE: N_("No ticket of this event has this short code. Please compare it once more."),
    Ground.OTHER_EVENT: N_("This ticket is for another event."),
    Ground.EVENT_CANCELLED: N_("This event has been cancelled."),
    Ground.CANCELLED: N_("This registration was given back."),
    Ground.REJECTED: N_("This registration was not accepted."),
    Ground.WAITLISTED: N_("Still on the waiting list, without a place."),
    Ground.PENDING: N_("The organiser has not confirmed this registration yet."),
    Ground.TOO_EARLY: N_("It is too early: tickets are taken from two hours before the doors open."),
    Ground.OVER: N_("This event is over."),
}


@dataclass(frozen=True)
class Ticket:
    """What of a registration decides at the door."""

    event_id: int
    state: RegistrationState
    has_arrived: bool


@dataclass(frozen=True)
class Door:
    """What of an event decides at its door; `opens_at` is when the doors open, else when it starts."""

    event_id: int
    state: EventState
    opens_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Decision:
    """An answer, and where it is a no, why."""

    verdict: Verdict
    ground: Ground | None = None


NOT_HOLDING = {
    RegistrationState.CANCELLED: Ground.CANCELLED,
    RegistrationState.REJECTED: Ground.REJECTED,
    RegistrationState.WAITLISTED: Ground.WAITLISTED,
    RegistrationState.PENDING: Ground.PENDING,
}


def decide(ticket: Ticket, door: Door, *, now: datetime) -> Decision:
    """Tell whether the holder of a ticket may enter this door now.

    Whoever came in already is told so before anything else about the event: that is what the door wants to know.
    """
    if ticket.event_id != door.event_id:
        return Decision(Verdict.REFUSED, Ground.OTHER_EVENT)
    if ticket.has_arrived:
        return Decision(Verdict.ALREADY)
    ground = _obstacle(ticket, door, now=now)
    return Decision(Verdict.IN) if ground is None else Decision(Verdict.REFUSED, ground)


def _obstacle(ticket: Ticket, door: Door, *, now: datetime) -> Ground | None:
    if door.state is EventState.CANCELLED:
        return Ground.EVENT_CANCELLED
    if ticket.state in NOT_HOLDING:
        return NOT_HOLDING[ticket.state]
    if now < door.opens_at - EARLY:
        return Ground.TOO_EARLY
    if now >= door.ends_at or door.state is not EventState.PUBLISHED:
        return Ground.OVER
    return None


_LINK = re.compile(r"(?:^|/t/)([A-Za-z0-9_-]{24})(?:\.ics)?/?(?:[?#].*)?$")


@dataclass(frozen=True)
class Read:
    """What a camera read or somebody typed: the token of a ticket's link, a short code, or neither."""

    token: str | None = None
    code: str | None = None


def read(text: str) -> Read:
    """Make out what a text is. The host in a ticket's link does not matter: addresses of a city change."""
    text = text.strip()
    found = _LINK.search(text)
    if found:
        return Read(token=found.group(1))
    return Read(code=normalised_code(text))


class DoorIsClosed(Refused):
    """There is no door to keep."""

    message = N_("Only a published event that is not over has a door. Publish it first.")


class LinkFull(Refused):
    """The link went further than it should."""

    message = N_("This link has enrolled as many phones as it may. Ask the organiser for a new one.")


class AlreadyInside(Refused):
    """«Checked in» must never turn into «cancelled» by a slip of the thumb."""

    message = N_("You have come in already, so there is no place to give back.")
