"""What registration does when something happens to an event or to people's records. Connected by name in app.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from outreach.events.models import Event, PlaceGroup
from outreach.kernel import outbox
from outreach.kernel.actor import Actor
from outreach.people.models import ContactPoint, Person, PersonMerge
from outreach.registration import operations


def cancel_registrations(event: Event, *, by: Actor, now: datetime, reason: str) -> None:
    """The event will not take place: end its registrations and tell everybody, as work for the outbox."""
    outbox.enqueue(
        job="registration.cancel_with_event",
        event_id=event.id,
        by_kind=by.kind,
        by_id=by.id,
        reason=reason,
        now=now,
    )


def tell_those_registered(event: Event, *, by: Actor, now: datetime, changed: frozenset[str]) -> None:
    """The event has another time or place: tell those who hold or await a place."""
    if changed & {"time", "place"}:
        outbox.enqueue(job="registration.tell_of_move", event_id=event.id, now=now)


def move_up(event: Event, *, by: Actor, now: datetime, groups: list[PlaceGroup]) -> None:
    """Groups have other capacities: give new places to those who wait."""
    for group in groups:
        outbox.enqueue(job="registration.fill", group_id=group.id, now=now)


def settle_twice(kept: Person, *, gone: Person, by: Actor, now: datetime) -> list[dict[str, Any]]:
    """Two records become one: where both are registered for an event, one registration stands."""
    return operations.settle_twice(kept=kept, gone=gone, by=by, now=now)


def restore(
    _merge: PersonMerge, *, settled: Sequence[Mapping[str, Any]], by: Actor, now: datetime
) -> list[dict[str, Any]]:
    """They are two again: bring back what was taken back."""
    mine = [entry for entry in settled if entry["table"] == "registrations"]
    return operations.restore(settled=mine, by=by, now=now)


def move_away(
    contact_point: ContactPoint, *, person: Person | None, instead: ContactPoint | None, **_rest: Any
) -> None:
    """A number no longer reaches somebody: their tickets are no longer seen by whoever holds it."""
    operations.move_away(contact_point=contact_point, person=person, instead=instead)
