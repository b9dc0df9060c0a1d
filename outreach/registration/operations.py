"""Registering, withdrawing, reviewing and moving up: everything that changes who holds a place.

Whoever takes or frees a place holds the row of its group first, so that what is counted is still true when it is
written; a trigger (kernel/guards.py) refuses what would be one too many all the same.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.events.models import Event, PlaceGroup
from outreach.kernel import history
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.clock import office_day
from outreach.kernel.database import db, locked
from outreach.kernel.refusals import Refused
from outreach.notices.operations import forget_about, tell
from outreach.people.models import ContactPoint, Guardian, Person
from outreach.people.rules import NeedsGuardian, needs_guardian
from outreach.people.rules.merging import BothCameIn, Stay
from outreach.registration import queries, signals
from outreach.registration.models import Registration
from outreach.registration.rules import (
    CODE_LENGTH,
    CODE_SIGNS,
    LIVING,
    REGISTERED_TWICE,
    BirthMissing,
    GroupOfAnotherEvent,
    ReasonMissing,
    RegistrationMove,
    RegistrationState,
    after,
    check_open,
    check_withdrawal,
    first_state,
    passes_places_on,
)

ATTEMPTS = 5
MESSAGES = {
    RegistrationState.PENDING: "received",
    RegistrationState.CONFIRMED: "confirmed",
    RegistrationState.WAITLISTED: "waitlisted",
    RegistrationState.CANCELLED: "cancelled",
    RegistrationState.REJECTED: "rejected",
}


def register(
    *,
    event: Event,
    group: PlaceGroup,
    person: Person,
    contact_point: ContactPoint | None,
    by: Actor,
    now: datetime,
    guardian: Guardian | None = None,
) -> Registration:
    """Give a person a place in a group of an event, or the next place in its waiting list, and tell them.

    Whoever holds or awaits a place at the event already gets that same registration, whichever group they ask for:
    pressing twice, two tabs and a retry after a lost answer make one ticket.

    :raises GroupOfAnotherEvent: if the group is not the event's
    :raises BirthMissing: if the event asks for the date of birth and none is known
    :raises NeedsGuardian: for a child under 14 for whom no guardian answers
    :raises EventIsCancelled, EventNotOpen, RegistrationNotYetOpen, RegistrationClosed: see rules.check_open
    """
    if group.event_id != event.id:
        raise GroupOfAnotherEvent
    if event.asks_birth and not person.birth:
        raise BirthMissing
    under_age = needs_guardian(person.birth, office_day(now))
    if under_age and guardian is None:
        raise NeedsGuardian
    existing = queries.living(event_id=event.id, person_id=person.id)
    if existing is not None:
        return existing
    check_open(event, now=now)
    group = _hold(group.id)
    db.session.refresh(event)  # it may have been cancelled while we waited for the group
    check_open(event, now=now)
    registration, is_new = _insert(event=event, group=group, person=person, contact_point=contact_point, now=now)
    if not is_new:
        return registration
    if under_age:
        registration.under_age, registration.guardian_id = True, guardian.id
    history.write(
        subject=registration.subject,
        act="registration.registered",
        by=by,
        now=now,
        facts={"event": event.id, "group": group.id, "person": person.id, "state": registration.state},
    )
    _tell(registration, MESSAGES[registration.state], now=now)
    fill(group=group, now=now)
    return registration


def cancel(*, registration: Registration, by: Actor, now: datetime, reason: str | None = None) -> None:
    """Take a registration back; its place goes to the first in line at once. The person is told.

    :param reason: told to the person; staff must give one
    :raises EventHasBegun: if an attendee withdraws too late
    :raises ReasonMissing: if a member of staff does not say why
    :raises RegistrationMoveRefused: if it has ended already
    """
    if by.kind is ActorKind.ATTENDEE:
        check_withdrawal(registration.event, now=now)
    elif not reason:
        raise ReasonMissing
    _end(registration, RegistrationMove.CANCEL, by=by, now=now, reason=reason)


def reject(*, registration: Registration, reason: str, by: Actor, now: datetime) -> None:
    """Decline a registration after looking at it; its place goes to the first in line. The person is told why.

    :raises ReasonMissing: if no reason is given
    :raises RegistrationMoveRefused: if it is no longer under review or waiting
    """
    if not reason:
        raise ReasonMissing
    _end(registration, RegistrationMove.REJECT, by=by, now=now, reason=reason)


def confirm(*, registration: Registration, by: Actor, now: datetime) -> None:
    """Accept a registration after looking at it, and tell the person.

    :raises RegistrationMoveRefused: if it is not under review
    """
    _hold(registration.group_id)
    _hold_registration(registration)
    _move(registration, RegistrationMove.CONFIRM, by=by, now=now)
    registration.confirmed_at = now
    _tell(registration, "confirmed", now=now)


def settle_twice(*, kept: Person, gone: Person, by: Actor, now: datetime) -> list[dict[str, Any]]:
    """Leave one living registration an event to two records that become one; return what was taken back.

    One that came in stands before one that did not, one with a place before one that waits, then the earlier.
    :raises BothCameIn: if both came in at one event
    """
    settled = []
    for pair in queries.living_of_both(kept.id, gone.id):
        first, second = sorted(pair, key=lambda one: (not one.state.holds_a_place, one.created_at, one.id))
        settled.append(_take_one_back((second, first), by=by, now=now))
    return settled


def restore(*, settled: Sequence[Mapping[str, Any]], by: Actor, now: datetime) -> list[dict[str, Any]]:
    """Bring back what `settle_twice` took back; return what cannot be, with the reason (people.rules.merging.Stay).

    This is no move of a registration, which never comes back once it has ended, but the undoing of one.
    A place that went to somebody else is not taken from them: the registration waits where it stood in the line.
    """
    stayed: list[dict[str, Any]] = []
    for entry in settled:
        registration = db.session.get(Registration, entry["id"])
        if registration is None or registration.state is not RegistrationState.CANCELLED:
            continue
        group = _hold(registration.group_id)
        _hold_registration(registration)
        if not passes_places_on(registration.event, now=now):
            stayed.append(_stays(registration, Stay.BEGUN))
            continue
        was = RegistrationState(entry["was"])
        if was.holds_a_place and queries.places_of(group).is_full:
            was = RegistrationState.WAITLISTED
            stayed.append(_stays(registration, Stay.QUEUED))
        history.write(
            subject=registration.subject,
            act="registration.restored",
            by=by,
            now=now,
            facts={"from": registration.state, "to": was},
        )
        registration.state, registration.ended_at, registration.reason = was, None, None
        if was is RegistrationState.CONFIRMED:
            registration.confirmed_at = now
        db.session.flush()
        _tell(registration, MESSAGES[registration.state], now=now)
    return stayed


def _stays(registration: Registration, why: Stay) -> dict[str, Any]:
    return {"table": Registration.__tablename__, "id": registration.id, "why": why.value}


def _take_one_back(order: Sequence[Registration], *, by: Actor, now: datetime) -> dict[str, Any]:
    """Take back the first of two that can be: whoever came in cannot."""
    for registration in order:
        was = registration.state
        ahead = not registration.event.is_over(now)
        try:
            _end(registration, RegistrationMove.CANCEL, by=by, now=now, reason=REGISTERED_TWICE, told=ahead)
        except Refused:
            continue
        return {"table": Registration.__tablename__, "id": registration.id, "was": was.value}
    raise BothCameIn(event=order[0].event.title)


def fill(*, group: PlaceGroup, now: datetime, most: int = 20) -> int:
    """Give the free places of a group to the first in its line, in order; return how many moved up. Each is told.

    At most `most` at once, because others wait for the group meanwhile. Does nothing once the event has begun.
    """
    group = _hold(group.id)
    if not passes_places_on(group.event, now=now):
        return 0
    free = queries.places_of(group).free
    if not free:
        return 0
    first = db.session.scalars(queries.waiting_line(group.id).limit(min(free, most))).all()
    for registration in first:
        move = RegistrationMove.CALL_UP if group.reviewed else RegistrationMove.PROMOTE
        _move(registration, move, by=SYSTEM, now=now)
        if registration.state is RegistrationState.CONFIRMED:
            registration.confirmed_at = now
        db.session.flush()  # the guard counts what stands in the table
        _tell(registration, "called_up" if group.reviewed else "promoted", now=now)
    return len(first)


def cancel_with_event(*, registration: Registration, reason: str | None, by: Actor, now: datetime) -> None:
    """End a registration because its event will not take place, and tell the person. Nobody moves up."""
    _hold(registration.group_id)
    _hold_registration(registration)
    _move(registration, RegistrationMove.CANCEL, by=by, now=now, facts={"with_event": True})
    registration.ended_at = now
    registration.reason = reason
    _tell(registration, "event_cancelled", now=now)


def let_go(*, registration: Registration, nobody: Person, by: Actor, now: datetime) -> None:
    """Cut a registration off its person: place and arrival are counted as before, and tell nothing of who it was.

    What has not begun is taken back first, so that somebody else can have the place.
    """
    _give_back(registration, by=by, now=now)
    registration.person_id = nobody.id
    _forget([registration])


def erase_person(*, person_id: int, by: Actor, now: datetime) -> None:
    """Take back what a person registered for and has not begun, and erase every word about all of it."""
    held = db.session.scalars(
        sa.select(Registration).where(Registration.person_id == person_id).order_by(Registration.id)
    ).all()
    for registration in held:
        _give_back(registration, by=by, now=now)
    _forget(held)


def tell_of_move(*, registration: Registration, now: datetime) -> None:
    """Tell a person that the event they hold or await a place at has another time or place."""
    _tell(registration, "event_moved", now=now)


def _insert(
    *, event: Event, group: PlaceGroup, person: Person, contact_point: ContactPoint | None, now: datetime
) -> tuple[Registration, bool]:
    """Return the new registration and True, or the one another request of the same person made meanwhile and False."""
    places = queries.places_of(group)
    state = first_state(places, reviewed=group.reviewed)
    # Whoever is accepted later stands later, also where the clocks of two servers differ.
    latest = queries.latest_in_line(group.id) if places.waiting else None
    for attempt in range(ATTEMPTS):
        registration = Registration(
            event_id=event.id,
            group_id=group.id,
            person_id=person.id,
            contact_point_id=contact_point.id if contact_point else None,
            state=state,
            short_code="".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH)),
            created_at=now,
            queued_at=max(now, latest) if latest else now,
            confirmed_at=now if state is RegistrationState.CONFIRMED else None,
        )
        try:
            with db.session.begin_nested():
                db.session.add(registration)
                db.session.flush()
        except sa.exc.IntegrityError:
            # In another group of the event, whose row we do not hold; or the short code is taken.
            existing = queries.living(event_id=event.id, person_id=person.id)
            if existing is not None:
                return existing, False
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return registration, True
    raise AssertionError("unreachable")


def _end(
    registration: Registration,
    move: RegistrationMove,
    *,
    by: Actor,
    now: datetime,
    reason: str | None,
    told: bool = True,
) -> None:
    group = _hold(registration.group_id)
    _hold_registration(registration)
    signals.withdrawing.send(registration)
    freed = registration.state.holds_a_place
    _move(registration, move, by=by, now=now, words=reason)
    registration.ended_at = now
    registration.reason = reason
    db.session.flush()  # the place must be free before it is counted
    if told:
        _tell(registration, MESSAGES[registration.state], now=now)
    if freed:
        fill(group=group, now=now)


def _give_back(registration: Registration, *, by: Actor, now: datetime) -> None:
    if registration.state in LIVING and now < registration.event.starts_at:
        with suppress(Refused):  # who has come in already has used the place
            _end(registration, RegistrationMove.CANCEL, by=by, now=now, reason=None)


def _forget(registrations: Sequence[Registration]) -> None:
    for registration in registrations:
        registration.contact_point_id = registration.reason = None
        registration.under_age, registration.guardian_id = False, None
    db.session.flush()
    ids = [registration.id for registration in registrations]
    history.forget_words(kind="registration", ids=ids)
    forget_about(kind="registration", ids=ids)


def _move(
    registration: Registration,
    move: RegistrationMove,
    *,
    by: Actor,
    now: datetime,
    words: str | None = None,
    facts: dict[str, object] | None = None,
) -> None:
    before = registration.state
    registration.state = after(before, move)
    history.write(
        subject=registration.subject,
        act=f"registration.{move}",
        by=by,
        now=now,
        facts={"from": before, "to": registration.state, **(facts or {})},
        words=words,
    )


def _hold(group_id: int) -> PlaceGroup:
    return db.session.scalars(locked(sa.select(PlaceGroup).where(PlaceGroup.id == group_id))).one()


def _hold_registration(registration: Registration) -> None:
    db.session.scalars(locked(sa.select(Registration).where(Registration.id == registration.id))).one()


def _tell(registration: Registration, occasion: str, *, now: datetime) -> None:
    if registration.contact_point is None:
        return
    event = registration.event
    tell(
        kind=f"registration_{occasion}",
        contact_point=registration.contact_point,
        person=registration.person,
        template=f"registration/messages/{occasion}.txt",
        values={
            "name": registration.person.name,
            "event": event.title,
            "starts_at": event.starts_at.isoformat(),
            "place": event.where,
            "group": registration.group.name,
            "code": registration.short_code,
            "number": queries.position_in_line(registration),
            "reason": registration.reason,
            "token": registration.token,
        },
        about=registration.subject,
        now=now,
    )


def move_away(*, contact_point: ContactPoint, person: Person | None, instead: ContactPoint | None) -> None:
    """Take the registrations of a person, or of everybody, away from a number, and have them told at another one."""
    theirs = Registration.person_id == person.id if person else sa.true()
    db.session.execute(
        sa.update(Registration)
        .where(Registration.contact_point_id == contact_point.id, theirs)
        .values(contact_point_id=instead.id if instead else None)
    )
