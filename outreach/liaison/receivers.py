"""What liaison does when people's records become one, or two again. Connected by name in app.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from outreach.kernel.actor import Actor
from outreach.liaison import operations
from outreach.liaison.operations import surveys
from outreach.people.models import ContactPoint, Person, PersonMerge


def settle_twice(kept: Person, *, gone: Person, by: Actor, now: datetime) -> list[dict[str, Any]]:
    """Two records become one: where a leader is paired with both, the earlier pairing stands."""
    return operations.settle_twice(kept=kept, gone=gone, by=by, now=now)


def restore(
    _merge: PersonMerge, *, settled: Sequence[Mapping[str, Any]], by: Actor, now: datetime
) -> list[dict[str, Any]]:
    """They are two again: take up what was ended."""
    mine = [entry for entry in settled if entry["table"] == "pairings"]
    return operations.restore(settled=mine, by=by, now=now)


def void_links(contact_point: ContactPoint, *, person: Person | None, **_rest: Any) -> None:
    """A number is no longer somebody's: links to surveys that went there open nothing more."""
    surveys.move_away(contact_point_id=contact_point.id, person_id=person.id if person else None)
