"""Enrolling volunteers' phones and letting people in."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from outreach.door import queries
from outreach.door.models import Arrival, DoorInvitation, DoorPass
from outreach.door.rules import (
    MOST_PHONES,
    Decision,
    DoorIsClosed,
    EntryWay,
    Ground,
    LinkFull,
    Ticket,
    Verdict,
    decide,
    read,
)
from outreach.events.models import Event
from outreach.events.rules import EventState
from outreach.kernel import history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import db, locked
from outreach.registration.models import Registration, id_in_token
from outreach.registration.queries import by_short_code

SEEN_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Answer:
    """What the door answers: the decision, whose ticket it was, and the arrival it speaks of."""

    decision: Decision
    registration: Registration | None = None
    arrival: Arrival | None = None


def invite(*, event: Event, by: Actor, now: datetime) -> str:
    """Make the link by which volunteers enrol their phones and return its secret, which is not kept; older links end.

    :raises DoorIsClosed: if the event is not published, or over
    """
    if event.state is not EventState.PUBLISHED or event.is_over(now):
        raise DoorIsClosed
    revoke_links(event=event, by=by, now=now)
    token = secrets.token_urlsafe(24)
    invitation = DoorInvitation(event_id=event.id, token_hash=queries.hash_of(token), created_at=now, account_id=by.id)
    db.session.add(invitation)
    db.session.flush()
    history.write(subject=event.subject, act="door.link_made", by=by, now=now, facts={"invitation": invitation.id})
    return token


def revoke_links(*, event: Event, by: Actor, now: datetime) -> None:
    """End every link of the event: nobody enrols by it any more. Phones enrolled already stay."""
    db.session.scalars(locked(sa.select(Event).where(Event.id == event.id))).one()
    for invitation in db.session.scalars(
        sa.select(DoorInvitation)
        .where(DoorInvitation.event_id == event.id, DoorInvitation.revoked_at.is_(None))
        .order_by(DoorInvitation.id)
    ):
        invitation.revoked_at = now
        history.write(
            subject=event.subject, act="door.link_revoked", by=by, now=now, facts={"invitation": invitation.id}
        )


def enrol(*, invitation: DoorInvitation, name: str, gate: str | None, now: datetime) -> str:
    """Enrol a volunteer's phone for the link's event only and return its secret, which is not kept.

    :raises LinkFull: if the link has enrolled as many phones as it may
    """
    db.session.scalars(locked(sa.select(DoorInvitation).where(DoorInvitation.id == invitation.id))).one()
    if queries.phones_enrolled(invitation.id) >= MOST_PHONES:
        raise LinkFull
    token = secrets.token_urlsafe(24)
    db.session.add(
        DoorPass(
            event_id=invitation.event_id,
            invitation_id=invitation.id,
            name=name,
            gate=gate or None,
            token_hash=queries.hash_of(token),
            enrolled_at=now,
            seen_at=now,
        )
    )
    db.session.flush()
    return token


def revoke_phone(*, door_pass: DoorPass, by: Actor, now: datetime) -> None:
    """Take a phone away from the door at once. What it let in stays."""
    if door_pass.revoked_at is None:
        event = db.session.scalars(locked(sa.select(Event).where(Event.id == door_pass.event_id))).one()
        door_pass.revoked_at = now
        history.write(subject=event.subject, act="door.phone_revoked", by=by, now=now, facts={"pass": door_pass.id})


def admit(*, door_pass: DoorPass, text: str, way: EntryWay, now: datetime) -> Answer:
    """Decide about a ticket, by what was read or typed, and take the arrival down where the answer is yes.

    Counted once, whoever scans it: the ticket's row is held while it is decided, and the arrival is unique.
    """
    if now - door_pass.seen_at >= SEEN_EVERY:
        door_pass.seen_at = now
    seen = read(text)
    if seen.token is None and seen.code is None:
        return _no(Ground.NO_SUCH_CODE if way is EntryWay.TYPED else Ground.NOT_A_TICKET)
    registration_id = _registration_id(seen.token, seen.code, event_id=door_pass.event_id)
    if registration_id is None:
        return _no(Ground.ALTERED if seen.token else Ground.NO_SUCH_CODE)
    registration = db.session.scalar(locked(sa.select(Registration).where(Registration.id == registration_id)))
    if registration is None:
        return _no(Ground.ALTERED)
    arrival = queries.arrival_of(registration.id)
    decision = decide(
        Ticket(event_id=registration.event_id, state=registration.state, has_arrived=arrival is not None),
        queries.door_of(door_pass.event),
        now=now,
    )
    if decision.verdict is Verdict.IN:
        arrival = Arrival(
            event_id=registration.event_id,
            registration_id=registration.id,
            at=now,
            received_at=now,
            way=way,
            by_kind=ActorKind.DOOR,
            by_id=door_pass.id,
            door_pass=door_pass,
        )
        db.session.add(arrival)
        db.session.flush()
    return Answer(decision, registration, arrival)


def _no(ground: Ground) -> Answer:
    return Answer(Decision(Verdict.REFUSED, ground))


def _registration_id(token: str | None, code: str | None, *, event_id: int) -> int | None:
    if token is not None:
        return id_in_token(token)
    found = by_short_code(event_id=event_id, code=code or "")
    return found.id if found is not None else None
