"""Registering, withdrawing, reviewing and moving up: everything that changes who holds a place.

Whoever takes or frees a place holds the row of its group first, so that what is counted is still true when it is
written; a trigger (kernel/guards.py) refuses what would be one too many all the same.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from outreach.events.models import Event, PlaceGroup
from outreach.kernel import history
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.clock import office_day
from outreach.kernel.database import NewRows, db, locked
from outreach.kernel.history import Subject
from outreach.kernel.refusals import Refused
from outreach.notices.operations import Point, Telling, forget_about, tell_many
from outreach.people import operations as people
from outreach.people.models import ContactPoint, Guardian, Person
from outreach.people.rules import BY_THEMSELVES, NeedsGuardian, Through, needs_guardian
from outreach.people.rules.merging import BothCameIn, Stay
from outreach.registration import queries, signals
from outreach.registration.models import Registration, ticket_token
from outreach.registration.rules import (
    CODE_LENGTH,
    CODE_SIGNS,
    LIVING,
    REGISTERED_TWICE,
    BirthMissing,
    GroupOfAnotherEvent,
    Places,
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
    through: Through = BY_THEMSELVES,
) -> Registration:
    """Give a person a place in a group of an event, or the next place in its waiting list, and tell them.

    `through` is whom they came through this time; it is counted on the event.

    Whoever holds or awaits a place at the event already gets that same registration, whichever group they ask for:
    pressing twice, two tabs and a retry after a lost answer make one ticket.

    :raises GroupOfAnotherEvent: if the group is not the event's
    :raises BirthMissing: if the event asks for the date of birth and none is known
    :raises NeedsGuardian: for a child under 14 for whom no guardian answers
    :raises EventIsCancelled, EventNotOpen, RegistrationNotYetOpen, RegistrationClosed: see rules.check_open
    """
    wish = _Wish(event.id, group.id, person, contact_point, by, guardian=guardian, through=through)
    [answer] = _take([wish], now=now)
    return db.session.get_one(Registration, _or_raise(answer).id)


@dataclass(frozen=True)
class Application:
    """What somebody who proved a number or an address sends from an event's page.

    `organisation_id` is the unit whose event it is: who is new is written down there. `language` is the one in which
    they read what they agreed to. `holding` is how often the contact point had changed hands when they proved it.
    """

    event_id: int
    organisation_id: int
    group_id: int
    contact_point_id: int
    holding: int
    name: str
    language: str
    through: Through = BY_THEMSELVES


def take_down(*, applications: Sequence[Application], now: datetime) -> list[str]:
    """Register those who apply, each as `register` does, and keep that they agreed; return their tickets' tokens.

    For many at once, in the minute an event opens: as many statements for sixteen as for one, and its groups are held
    for one short transaction.

    :raises people.rules.InOtherHands: if one of them holds their number or address no longer
    :raises Refused: if one of them is refused; nothing of any of them is to be kept then, and each is done alone
    """
    reached = [
        people.Reached(
            contact_point_id=each.contact_point_id,
            name=each.name,
            organisation_id=each.organisation_id,
            source=f"registration:{each.event_id}",
            by=Actor(ActorKind.ATTENDEE, each.contact_point_id),
            through=each.through,
            holding=each.holding,
        )
        for each in applications
    ]
    wishes = [
        _Wish(each.event_id, each.group_id, person, person.contact_point, who.by, person.is_new, through=each.through)
        for each, who, person in zip(applications, reached, people.people_reached(reached, now=now), strict=True)
    ]
    taken = [_or_raise(answer) for answer in _take(wishes, now=now)]
    agreed = [
        people.Agreed(wish.person.id, each.contact_point_id, f"event:{each.event_id}", each.language)
        for each, wish, answer in zip(applications, wishes, taken, strict=True)
        if answer.is_new
    ]
    people.give_consents(agreed, purpose="registration", now=now)
    return [ticket_token(answer.id) for answer in taken]


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


class Registrant(Protocol):
    """What of a person decides about a registration: a Person, or people.Introduced."""

    id: int
    name: str
    birth: str | None


@dataclass(frozen=True)
class _Wish:
    """That somebody wants a place; whoever is new in this transaction cannot hold or await one yet."""

    event_id: int
    group_id: int
    person: Registrant
    contact_point: Point | None
    by: Actor
    is_new: bool = False
    guardian: Guardian | None = None
    through: Through = BY_THEMSELVES

    @property
    def whose(self) -> tuple[int, int]:
        """Who and where: of this there is one living registration."""
        return self.event_id, self.person.id


@dataclass(frozen=True)
class _Taken:
    """The id of a registration, and whether it was made now or held or awaited a place already."""

    id: int
    is_new: bool = False


def _take(wishes: Sequence[_Wish], *, now: datetime) -> list[_Taken | Refused]:
    """Register, in this order; nobody overtakes who stands before them here or waits already."""
    groups = _hold_all({wish.group_id for wish in wishes})
    # Only now: an event may have been cancelled, and somebody registered, while we waited for the groups.
    events = queries.applied_for({wish.event_id for wish in wishes})
    known = [wish for wish in wishes if not wish.is_new]
    living = queries.living_of({wish.event_id for wish in known}, {wish.person.id for wish in known}) if known else {}
    counted = queries.line_of(groups)
    lines = {group.id: _Line(group, *counted[group.id], now) for group in groups.values()}
    drafts: dict[tuple[int, int], _Draft] = {}
    answers: list[_Taken | Refused | None] = []
    for wish in wishes:
        answers.append(answer := _at_once(wish, events, groups, living, now))
        if answer is None and wish.whose not in drafts:
            drafts[wish.whose] = lines[wish.group_id].draft(wish, events[wish.event_id])
    taken = _insert_all(drafts, now=now)
    _follow_up([draft for whose, draft in drafts.items() if taken[whose].is_new], now)
    for line in lines.values():
        if line.places.free and line.places.waiting:
            fill(group=line.group, now=now)
    # Who pressed twice within this very moment: the second is shown what the first got.
    first: set[tuple[int, int]] = set()
    for place, (wish, answer) in enumerate(zip(wishes, answers, strict=True)):
        if answer is None:
            mine = taken[wish.whose]
            answers[place] = mine if wish.whose not in first else _Taken(mine.id)
            first.add(wish.whose)
    return answers


def _at_once(
    wish: _Wish,
    events: Mapping[int, Event],
    groups: Mapping[int, PlaceGroup],
    living: Mapping[tuple[int, int], int],
    now: datetime,
) -> _Taken | Refused | None:
    event, group = events.get(wish.event_id), groups.get(wish.group_id)
    if event is None or group is None or group.event_id != event.id:
        return GroupOfAnotherEvent()
    if event.asks_birth and not wish.person.birth:
        return BirthMissing()
    if needs_guardian(wish.person.birth, office_day(now)) and wish.guardian is None:
        return NeedsGuardian()
    if wish.whose in living:
        return _Taken(living[wish.whose])
    try:
        check_open(event, now=now)
    except Refused as refused:
        return refused
    return None


def _or_raise(answer: _Taken | Refused) -> _Taken:
    if isinstance(answer, Refused):
        raise answer
    return answer


@dataclass
class _Draft:
    """A registration before it is written, with what its message tells."""

    wish: _Wish
    event: Event
    group: PlaceGroup
    state: RegistrationState
    queued_at: datetime
    number: int | None
    """Its place in the waiting list, from 1; None for who has a place."""
    short_code: str = ""
    subject: Subject | None = None
    reason: str | None = None

    @property
    def person(self) -> Registrant:
        return self.wish.person

    @property
    def contact_point(self) -> Point | None:
        return self.wish.contact_point

    @property
    def token(self) -> str:
        return ticket_token(self.subject.id)


class _Line:
    """A group whose row is held: its places as they are given away, one after the other.

    :param latest: when the last of those who wait began to
    """

    def __init__(self, group: PlaceGroup, places: Places, latest: datetime | None, now: datetime) -> None:
        self.group, self.places = group, places
        # Whoever is accepted later stands later, also where the clocks of two servers differ.
        self.queued_at = max(now, latest) if latest else now
        self._now = places

    def draft(self, wish: _Wish, event: Event) -> _Draft:
        """Give the next place away, or the next place in the line."""
        state = first_state(self._now, reviewed=self.group.reviewed)
        waits = state is RegistrationState.WAITLISTED
        self._now = replace(self._now, taken=self._now.taken + (not waits), waiting=self._now.waiting + waits)
        return _Draft(wish, event, self.group, state, self.queued_at, self._now.waiting if waits else None)


def _insert_all(drafts: Mapping[tuple[int, int], _Draft], *, now: datetime) -> dict[tuple[int, int], _Taken]:
    """Insert new registrations at once, in order; leave out where another request of one of them was quicker."""
    taken: dict[tuple[int, int], _Taken] = {}
    for _ in range(ATTEMPTS):
        left = {whose: draft for whose, draft in drafts.items() if whose not in taken}
        if not left:
            return taken
        rows = {(row["event_id"], row["short_code"]): row for row in (_row(draft, now) for draft in left.values())}
        added = _NEW.add(db.session.connection(), list(rows.values()))
        for registration_id, event_id, person_id in added:
            taken[event_id, person_id] = _Taken(registration_id, is_new=True)
            left[event_id, person_id].subject = Subject("registration", registration_id)
        if len(added) < len(left):
            # Registered in another group of the event, whose row we do not hold; or a short code is taken.
            missing = [whose for whose in left if whose not in taken]
            living = queries.living_of({event_id for event_id, _ in missing}, {person_id for _, person_id in missing})
            taken |= {whose: _Taken(living[whose]) for whose in missing if whose in living}
    if len(taken) < len(drafts):
        raise RuntimeError("no short code is free")
    return taken


def _row(draft: _Draft, now: datetime) -> dict[str, Any]:
    wish = draft.wish
    draft.short_code = "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))
    under_age = needs_guardian(wish.person.birth, office_day(now))
    return {
        "event_id": wish.event_id,
        "group_id": draft.group.id,
        "person_id": wish.person.id,
        "contact_point_id": wish.contact_point.id if wish.contact_point else None,
        "state": draft.state,
        "short_code": draft.short_code,
        "created_at": now,
        "queued_at": draft.queued_at,
        "confirmed_at": now if draft.state is RegistrationState.CONFIRMED else None,
        "under_age": under_age,
        "guardian_id": wish.guardian.id if under_age else None,
        "through_account_id": wish.through.account_id,
        "through_organisation_id": wish.through.organisation_id,
        "version": 1,
    }


_NEW = NewRows(
    Registration.__table__,
    (
        *("event_id", "group_id", "person_id", "contact_point_id", "state", "short_code"),
        *("created_at", "queued_at", "confirmed_at", "under_age", "guardian_id"),
        *("through_account_id", "through_organisation_id", "version"),
    ),
).unless_there("id", "event_id", "person_id")


def _follow_up(made: Sequence[_Draft], now: datetime) -> None:
    """Write the first line of each history, and tell each person."""
    history.write_for_many(
        act="registration.registered",
        by={each.subject: each.wish.by for each in made},
        now=now,
        facts={
            each.subject: {
                "event": each.event.id,
                "group": each.group.id,
                "person": each.person.id,
                "state": each.state,
            }
            for each in made
        },
        new=True,
    )
    tell_many(
        [_telling(each, MESSAGES[each.state], number=each.number) for each in made if each.contact_point is not None],
        now=now,
    )


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


def _hold_all(group_ids: Collection[int]) -> dict[int, PlaceGroup]:
    if not group_ids:
        return {}
    held = locked(sa.select(PlaceGroup).where(PlaceGroup.id.in_(group_ids)).order_by(PlaceGroup.id))
    return {group.id: group for group in db.session.scalars(held)}


def _hold_registration(registration: Registration) -> None:
    db.session.scalars(locked(sa.select(Registration).where(Registration.id == registration.id))).one()


def _tell(registration: Registration, occasion: str, *, now: datetime) -> None:
    if registration.contact_point is not None:
        tell_many([_telling(registration, occasion, number=queries.position_in_line(registration))], now=now)


def _telling(registration: Registration | _Draft, occasion: str, *, number: int | None) -> Telling:
    event = registration.event
    return Telling(
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
            "number": number,
            "reason": registration.reason,
            "token": registration.token,
        },
        about=registration.subject,
    )


def move_away(*, contact_point: ContactPoint, person: Person | None, instead: ContactPoint | None) -> None:
    """Take the registrations of a person, or of everybody, away from a number, and have them told at another one."""
    theirs = Registration.person_id == person.id if person else sa.true()
    db.session.execute(
        sa.update(Registration)
        .where(Registration.contact_point_id == contact_point.id, theirs)
        .values(contact_point_id=instead.id if instead else None)
    )
