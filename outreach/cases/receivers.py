"""What requests do when a number no longer reaches somebody, or working days change. Connected by name in app.py."""

from datetime import datetime
from typing import Any

from outreach.cases import operations
from outreach.kernel import outbox
from outreach.people.models import ContactPoint, Person


def move_away(
    contact_point: ContactPoint, *, person: Person | None, instead: ContactPoint | None, **_rest: Any
) -> None:
    """A number no longer reaches somebody: their requests are no longer seen by whoever holds it."""
    operations.move_away(contact_point=contact_point, person=person, instead=instead)


def count_deadlines_again(_city: Any, *, year: int, now: datetime, **_rest: Any) -> None:
    """The working days of a year changed: a worker makes the deadlines that cross them again."""
    outbox.enqueue(job="cases.count_again", year=year, now=now)
