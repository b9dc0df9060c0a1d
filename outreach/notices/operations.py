"""Writing messages, in the same transaction as what they tell of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa

from outreach.kernel import outbox
from outreach.kernel.database import NewRows, db
from outreach.kernel.history import Subject
from outreach.kernel.outbox import Urgency
from outreach.kernel.sealing import proof
from outreach.notices.models import Message
from outreach.notices.queries import messages_about
from outreach.notices.rules import Channel, MessageState
from outreach.organisations.models import Account
from outreach.organisations.queries import language_lately
from outreach.people.models import ContactPoint, Person
from outreach.people.rules import ContactKind

DELIVER = "notices.deliver"
CHANNELS = {ContactKind.PHONE: Channel.SMS, ContactKind.EMAIL: Channel.MAIL}


def tell(
    *,
    kind: str,
    contact_point: ContactPoint,
    template: str,
    values: dict[str, Any],
    now: datetime,
    about: Subject | None = None,
    person: Person | None = None,
    urgency: Urgency = Urgency.SOON,
) -> Message:
    """Write a message to a number (as SMS) or an address (as mail); a worker renders and carries it.

    `template` is a text template whose first line is the subject; it is filled with `values` (JSON-able) and
    `link(path)`, in the language the contact point's holder chose. `kind` names the occasion in figures and lists.
    """
    telling = Telling(kind, contact_point, template, values, about=about, person=person)
    return _write(_columns(telling, _language(now), now), urgency=urgency, now=now)


class Point(Protocol):
    """What of a number or an address a message needs: a ContactPoint, or a row of one."""

    id: int
    kind: ContactKind
    value: str
    language: str | None


class Addressee(Protocol):
    """What of somebody a message needs: a Person, or less."""

    id: int


@dataclass(frozen=True)
class Telling:
    """One message to a number or an address, before it is written: see `tell`."""

    kind: str
    contact_point: Point
    template: str
    values: dict[str, Any]
    about: Subject | None = None
    person: Addressee | None = None


def tell_many(tellings: Sequence[Telling], *, now: datetime, urgency: Urgency = Urgency.SOON) -> None:
    """Write many messages at once, each as `tell` writes one, past the ORM."""
    if not tellings:
        return
    language = _language(now)
    rows = [_columns(telling, language, now) for telling in tellings]
    ids = _NEW_MESSAGES.add(db.session.connection(), rows)
    calls = [{"message_id": message_id} for message_id in ids]
    outbox.enqueue_many(job=DELIVER, calls=calls, urgency=urgency, now=now)


def _columns(telling: Telling, language: str, now: datetime) -> dict[str, Any]:
    point, person, about = telling.contact_point, telling.person, telling.about
    return {
        "kind": telling.kind,
        "channel": CHANNELS[point.kind],
        "recipient": point.value,
        "contact_point_id": point.id,
        "person_id": person.id if person else None,
        "subject_kind": about.kind if about else None,
        "subject_id": about.id if about else None,
        "template": telling.template,
        "values": telling.values,
        "language": point.language or language,
        "state": MessageState.WAITING,
        "attempts": 0,
        "created_at": now,
    }


_NEW_MESSAGES = NewRows(
    Message.__table__,
    (
        *("kind", "channel", "recipient", "contact_point_id", "person_id", "subject_kind", "subject_id"),
        *("template", "values", "language", "state", "attempts", "created_at"),
    ),
).numbered()


def tell_account(
    *,
    kind: str,
    account: Account,
    template: str,
    values: dict[str, Any],
    now: datetime,
    about: Subject | None = None,
    urgency: Urgency = Urgency.SOON,
) -> Message | None:
    """Write a message to somebody who works here, by mail, else by SMS; None where there is neither."""
    recipient = account.email or account.phone
    if recipient is None:
        return None
    columns = {
        "kind": kind,
        "channel": Channel.MAIL if account.email else Channel.SMS,
        "recipient": recipient,
        "account_id": account.id,
        "subject_kind": about.kind if about else None,
        "subject_id": about.id if about else None,
        "template": template,
        "values": values,
        "language": _language(now),
        "created_at": now,
    }
    return _write(columns, urgency=urgency, now=now)


def opened(*, about: Subject, now: datetime) -> None:
    """Mark what was sent about a record as opened by the person."""
    for message in messages_about(about):
        if message.state in {MessageState.HANDED_OVER, MessageState.DELIVERED}:
            message.state = MessageState.OPENED
            message.opened_at = now


def forget_about(*, kind: str, ids: Sequence[int]) -> None:
    """Empty the messages that tell of some records; that they were sent, and what became of them, stays."""
    _empty(sa.and_(Message.subject_kind == kind, Message.subject_id.in_(ids)))


def forget_person(*, person_id: int) -> None:
    """Empty the messages that were written to a person."""
    _empty(Message.person_id == person_id)


def forget_contact_point(*, contact_point_id: int) -> None:
    """Empty the messages to a number or an address that is nobody's any more."""
    _empty(Message.contact_point_id == contact_point_id)


def delete(*, ids: Sequence[int]) -> None:
    """Delete messages whose time is up."""
    db.session.execute(sa.delete(Message).where(Message.id.in_(ids)))


def hold_back(
    *, contact_point: ContactPoint, person: Person | None, instead: ContactPoint | None, now: datetime
) -> None:
    """Send a person nothing more to a number that is no longer theirs, and tell them so where else they are reached.

    Of the messages about a person that wait for it, none goes out; a code for whoever signs in there does.
    """
    theirs = Message.person_id == person.id if person else Message.person_id.is_not(None)
    db.session.execute(
        sa.update(Message)
        .where(Message.contact_point_id == contact_point.id, Message.state == MessageState.WAITING, theirs)
        .values(state=MessageState.FAILED, error="contact ended")
    )
    if person is not None and instead is not None:
        tell(
            kind="contact_ended",
            contact_point=instead,
            person=person,
            template="notices/messages/contact_ended.txt",
            values={"name": person.name, "ending": contact_point.value[-4:], "phone": contact_point.kind == "phone"},
            now=now,
        )


def message_id(message: Message, *, host: str) -> str:
    """Return the Message-ID of a mail: the same however often it is sent, so that a second copy is known as one."""
    return f"<{proof(str(message.id), purpose='message')[:32]}@{host}>"


def _write(columns: Mapping[str, Any], *, urgency: Urgency, now: datetime) -> Message:
    message = Message(**columns)
    db.session.add(message)
    db.session.flush()  # the work names its id
    outbox.enqueue_many(job=DELIVER, calls=[{"message_id": message.id}], urgency=urgency, now=now)
    return message


def _empty(which: sa.ColumnElement[bool]) -> None:
    """Take out of messages what they said and to whom; what waits is not sent any more."""
    waiting = sa.and_(which, Message.state == MessageState.WAITING)
    gone = {"state": MessageState.FAILED, "error": "erased"}
    said = {"recipient": "", "values": {}, "subject": None, "body": None, "contact_point_id": None}
    for where, values in ((waiting, gone), (which, said)):
        db.session.execute(sa.update(Message).where(where).values(values))


def _language(now: datetime) -> str:
    return language_lately(now=now) or "zh_Hans_CN"
