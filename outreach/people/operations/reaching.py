"""Numbers and addresses that no longer reach somebody: taken off, or in other hands.

A number is not who somebody is. Whoever holds it next must see nothing of whoever held it before: tickets, requests
and consents given through it go to another number of the same person, or to none, and wait for the desk.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.people import operations, signals
from outreach.people.models import Consent, ContactPoint, Person, PersonContact
from outreach.people.rules import ContactEnd, ContactKind, NoReason


def take_off(*, person: Person, contact_id: int, by: Actor, now: datetime) -> None:
    """Take a number or an address off a person; that it stood there until now is kept."""
    contact = _contact(person, contact_id)
    if contact is not None:
        _hold(contact.contact_point_id)
        _end([contact], ContactEnd.REMOVED, by=by, now=now, reason=None)


def belongs_to_another(*, person: Person, contact_id: int, reason: str, by: Actor, now: datetime) -> None:
    """Write down at a desk that a number is somebody else's now: every proof by a code that was given for it ends.

    :raises NoReason: without one
    """
    reason = " ".join(reason.split())
    if not reason:
        raise NoReason
    contact = _contact(person, contact_id)
    if contact is not None:
        point = _hold(contact.contact_point_id)
        _end([contact], ContactEnd.HANDED_OVER, by=by, now=now, reason=reason[:200])
        point.holding += 1
        point.proven_at = None


def take_over(*, contact_point: ContactPoint, by: Actor, now: datetime) -> ContactPoint:
    """Free a number or an address from everybody it reached: whoever has just proven it by a code holds it alone.

    Everything given through it before goes away from it, and every other browser that had proven it is signed out.
    """
    point = _hold(contact_point.id)
    contacts = db.session.scalars(
        sa.select(PersonContact)
        .where(PersonContact.contact_point_id == point.id, PersonContact.until.is_(None))
        .order_by(PersonContact.person_id)
    ).all()
    _end(contacts, ContactEnd.HANDED_OVER, by=by, now=now, reason=None)
    # also what somebody did through it who is not reached there any more
    signals.contact_ended.send(point, person=None, instead=None, now=now)
    db.session.execute(sa.update(Consent).where(Consent.contact_point_id == point.id).values(contact_point_id=None))
    point.holding += 1
    point.proven_at = now
    point.language = None
    db.session.flush()
    db.session.expire_all()
    return point


def _contact(person: Person, contact_id: int) -> PersonContact | None:
    return next((contact for contact in person.contacts if contact.id == contact_id), None)


def _hold(contact_point_id: int) -> ContactPoint:
    return db.session.scalars(locked(sa.select(ContactPoint).where(ContactPoint.id == contact_point_id))).one()


def _end(contacts: Sequence[PersonContact], why: ContactEnd, *, by: Actor, now: datetime, reason: str | None) -> None:
    for contact in contacts:
        point, person_id = contact.contact_point, contact.person_id
        instead = _instead_of(contact)
        signals.contact_ended.send(point, person=contact.person, instead=instead, now=now)
        db.session.execute(
            sa.update(Consent)
            .where(Consent.contact_point_id == point.id, Consent.person_id == person_id)
            .values(contact_point_id=instead.id if instead else None)
        )
        person = operations.held(person_id)
        contact.until, contact.ended = now, why
        person.updated_at = now
        history.write(
            subject=Subject("person", person_id),
            act="contact_removed" if why is ContactEnd.REMOVED else "contact_handed_over",
            by=by,
            now=now,
            facts={"contact_point": point.id, "instead": instead.id if instead else None},
            words=reason,
        )
        db.session.flush()
        db.session.expire(person, ["contacts", "past_contacts"])


def _instead_of(contact: PersonContact) -> ContactPoint | None:
    """Return where else the person is reached: by mail, which holds a whole answer, or else by telephone."""
    others = [one.contact_point for one in contact.person.contacts if one.contact_point_id != contact.contact_point_id]
    mail = (point for point in others if point.kind is ContactKind.EMAIL)
    return next(mail, others[0] if others else None)
