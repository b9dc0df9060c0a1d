"""What requests do when a number no longer reaches somebody. Connected by name in app.py."""

from typing import Any

from outreach.cases import operations
from outreach.people.models import ContactPoint, Person


def move_away(
    contact_point: ContactPoint, *, person: Person | None, instead: ContactPoint | None, **_rest: Any
) -> None:
    """A number no longer reaches somebody: their requests are no longer seen by whoever holds it."""
    operations.move_away(contact_point=contact_point, person=person, instead=instead)
