"""Enrolling volunteers' phones and letting people in."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from outreach.door import queries
from outreach.door.models import HASHED, Arrival, DoorInvitation, DoorPass, facts_covered
from outreach.door.rules import (
    MOST_PHONES,
    Decision,
    DoorIsClosed,
    EntryWay,
    Ground,
    LinkFull,
    Read,
    Ticket,
    Verdict,
    decide,
    read,
)
from outreach.events.models import Event
from outreach.events.rules import EventState
from outreach.kernel import history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import NewRows, db, locked
from outreach.people.rules.traces import STRUCK
from outreach.registration.models import id_in_token

SEEN_EVERY = timedelta(seconds=30)


_ARRIVALS = NewRows(Arrival.__table__, (*HASHED, "hash")).unless_there("registration_id")


@dataclass(frozen=True)
class Scan:
    """A ticket before a phone: what was read or typed there, how, and when. The phone is known by its secret's hash."""

    pass_hash: str
    text: str
    way: EntryWay
    at: datetime


@dataclass(frozen=True)
class Answer:
    """What the door answers a phone: the decision, whose ticket it was, and the entry it speaks of."""

    decision: Decision
    phone: queries.Phone
    holder: queries.Holder | None = None
    entry: queries.Entry | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the ticket is for this door's event: of another's its holder is not shown."""
        return self.holder is not None and self.holder.event_id == self.phone.event_id


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


def forget_names(*, ids: Sequence[int]) -> None:
    """Take volunteers' names and gates off the phones they scanned with; what the phones took down stays."""
    db.session.execute(sa.update(DoorPass).where(DoorPass.id.in_(ids)).values(name=STRUCK, gate=None))


def admit(*, scans: Sequence[Scan]) -> list[Answer | None]:
    """Decide about tickets, by what was read or typed, and take the arrivals down where the answer is yes.

    One transaction for many phones: a look at the phones, one at the tickets, one statement that writes. Counted once,
    whoever scans it: the tickets' rows are held while they are decided, and an arrival is unique.

    :returns: the answers in the order of the scans; None for a phone that is not good any more
    """
    now = max(scan.at for scan in scans)
    phones = queries.phones_by_hash({scan.pass_hash for scan in scans}, now=now)
    _note_seen(phones.values(), now=now)
    asked = [read(scan.text) if scan.pass_hash in phones else None for scan in scans]
    ids = _registration_ids(scans, asked, phones)
    tickets = queries.held_tickets(set(ids) - {None}) if any(ids) else {}
    answers: list[Answer | None] = []
    arrivals: dict[int, dict[str, Any]] = {}
    for scan, what, registration_id in zip(scans, asked, ids, strict=True):
        phone = phones.get(scan.pass_hash)
        answer = _decided(scan, what, phone, tickets.get(registration_id)) if phone is not None else None
        if answer is not None and answer.decision.verdict is Verdict.IN:
            tickets[registration_id] = replace(tickets[registration_id], entry=answer.entry)  # its next scan is another
            arrivals[registration_id] = _arrival(scan, phone, registration_id)
        answers.append(answer)
    beaten = _write(arrivals) if arrivals else {}
    return [_as_it_stands(answer, beaten) for answer in answers]


def _note_seen(phones: Iterable[queries.Phone], *, now: datetime) -> None:
    unseen = [phone.id for phone in phones if now - phone.seen_at >= SEEN_EVERY]
    if unseen:
        db.session.execute(
            sa.update(DoorPass)
            .where(DoorPass.id.in_(unseen))
            .values(seen_at=now)
            .execution_options(synchronize_session=False)
        )


def _registration_ids(
    scans: Sequence[Scan], asked: Sequence[Read | None], phones: Mapping[str, queries.Phone]
) -> list[int | None]:
    """Return whose tickets are meant: tokens say it themselves, short codes are looked up."""
    codes = [
        (phones[scan.pass_hash].event_id, what.code) if what is not None and what.code is not None else None
        for scan, what in zip(scans, asked, strict=True)
    ]
    by_code = queries.ids_by_code(set(codes) - {None}) if any(codes) else {}
    return [
        id_in_token(what.token) if what is not None and what.token is not None else by_code.get(code)
        for what, code in zip(asked, codes, strict=True)
    ]


def _decided(scan: Scan, what: Read, phone: queries.Phone, holder: queries.Holder | None) -> Answer:
    if holder is None:
        if what.token is not None:
            ground = Ground.ALTERED
        else:
            no_code = what.code is not None or scan.way is EntryWay.TYPED
            ground = Ground.NO_SUCH_CODE if no_code else Ground.NOT_A_TICKET
        return Answer(Decision(Verdict.REFUSED, ground), phone)
    ticket = Ticket(event_id=holder.event_id, state=holder.state, has_arrived=holder.entry is not None)
    decision = decide(ticket, phone.door, now=scan.at)
    entry = holder.entry
    if decision.verdict is Verdict.IN:
        entry = queries.Entry(at=scan.at, gate=phone.gate, by=phone.name)
    return Answer(decision, phone, holder, entry)


def _arrival(scan: Scan, phone: queries.Phone, registration_id: int) -> dict[str, Any]:
    facts = {
        "event_id": phone.event_id,
        "registration_id": registration_id,
        "at": scan.at,
        "received_at": scan.at,
        "way": scan.way,
        "by_kind": ActorKind.DOOR,
        "by_id": phone.id,
        "door_pass_id": phone.id,
    }
    return facts | {"hash": history.keyed_hash(facts_covered(**facts))}


def _write(arrivals: Mapping[int, dict[str, Any]]) -> dict[int, queries.Entry]:
    """Write arrivals; return when those came in, by registration, whom another transaction let in a moment earlier."""
    late = arrivals.keys() - set(_ARRIVALS.add(db.session.connection(), list(arrivals.values())))
    return queries.entries_of(late) if late else {}


def _as_it_stands(answer: Answer | None, beaten: Mapping[int, queries.Entry]) -> Answer | None:
    if answer is None or answer.holder is None or answer.holder.registration_id not in beaten:
        return answer
    return replace(answer, decision=Decision(Verdict.ALREADY), entry=beaten[answer.holder.registration_id])
