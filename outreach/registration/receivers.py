"""What registration does when something happens to an event. Connected by name in app.py."""

from datetime import datetime

from outreach.events.models import Event, PlaceGroup
from outreach.kernel import outbox
from outreach.kernel.actor import Actor


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
