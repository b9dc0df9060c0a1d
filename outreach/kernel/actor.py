"""Who did it: staff, an attendee, a door phone, or the system itself."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """Which table an actor's id belongs to."""

    STAFF = "staff"  # organisations.Account
    ATTENDEE = "attendee"  # people.ContactPoint
    DOOR = "door"  # door.DoorPass
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """The author of a change, by ids only, as the history keeps it.

    `for_id` is the account on whose behalf a member of staff acted (a secretary for a leader).
    """

    kind: ActorKind
    id: int | None = None
    for_id: int | None = None


SYSTEM = Actor(ActorKind.SYSTEM)
