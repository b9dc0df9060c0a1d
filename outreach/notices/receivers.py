"""What messages do when a number no longer reaches somebody. Connected by name in app.py."""

from datetime import datetime

from outreach.notices import operations
from outreach.people.models import ContactPoint, Person


def hold_back(
    contact_point: ContactPoint, *, person: Person | None, instead: ContactPoint | None, now: datetime
) -> None:
    """A number no longer reaches somebody: nothing more of theirs is sent there, and they are told where they are."""
    operations.hold_back(contact_point=contact_point, person=person, instead=instead, now=now)
