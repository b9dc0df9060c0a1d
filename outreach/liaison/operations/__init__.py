"""Pairing people, and writing down that they met: everything about liaison that changes."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outreach.cases import operations as cases
from outreach.cases.models import Case
from outreach.cases.rules.asking import CaseSource, Topic, title_of
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.clock import office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.kernel.references import standing_alone
from outreach.liaison import queries
from outreach.liaison.models import Pairing, Visit, VisitCase, VisitLeader, VisitTalent
from outreach.liaison.operations import planning, surveys, visits
from outreach.liaison.queries.visits import visit_of_form, visits_of
from outreach.liaison.rules import (
    AlreadyPaired,
    Ask,
    EndsAhead,
    EndsBeforeItStarts,
    NobodyMet,
    NoLeader,
    NotYourPairing,
    OwnOfficer,
    PairingEnded,
    PairingKind,
    Rhythm,
    VisitAhead,
    VisitWay,
    check_begin,
)
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from outreach.people.models import ContactPoint, Person
from outreach.people.operations import held
from outreach.people.rules import ContactKind
from outreach.people.rules.merging import Stay
from outreach.people.rules.traces import Traces


def pair(
    *,
    leader: Account,
    person: Person,
    liaison_officer: Account | None,
    kind: PairingKind,
    rhythm: Rhythm,
    starts_on: date,
    organisation: Organisation,
    by: Actor,
    now: datetime,
    remark: str | None = None,
) -> Pairing:
    """Join a leader (or officer) and a talent from a day on; a `remark` is kept with its history.

    :raises NoLeader: if who is to keep in touch is neither a leader nor a service officer
    :raises OwnOfficer: if the leader would be their own liaison officer
    :raises BeginsTooFar: for a first day that nobody can mean
    :raises AlreadyPaired: if a pairing without an end joins them already
    :raises people.rules.MergedMeanwhile: if the talent's record went into another one in this moment
    """
    if not (leader.has_role(Role.LEADER) or leader.has_role(Role.SERVICE_OFFICER)):
        raise NoLeader(name=leader.name)
    if liaison_officer is not None and liaison_officer.id == leader.id:
        raise OwnOfficer
    check_begin(starts_on, office_day(now))
    person = held(person.id)  # two who pair them at once come one after the other
    if queries.living_pairing(leader, person) is not None:
        raise AlreadyPaired(leader=leader.name, talent=person.name)
    pairing = Pairing(
        organisation_id=organisation.id,
        kind=kind,
        leader=leader,
        liaison_officer=liaison_officer,
        person=person,
        rhythm=rhythm,
        starts_on=starts_on,
        created_at=now,
    )
    db.session.add(pairing)
    db.session.flush()  # its history names it
    history.write(
        subject=Subject("pairing", pairing.id),
        act="paired",
        by=by,
        now=now,
        facts={
            "leader": leader.id,
            "talent": person.id,
            "liaison_officer": liaison_officer.id if liaison_officer else None,
            "rhythm": rhythm,
            "starts_on": starts_on.isoformat(),
        },
        words=remark,
    )
    return pairing


def take_back(*, pairing_id: int, by: Actor, now: datetime) -> bool:
    """Remove a pairing that a file made; return whether that could be done.

    It stays once anything was done with it, or a visit belongs to it.
    """
    pairing = db.session.scalar(locked(sa.select(Pairing).where(Pairing.id == pairing_id)))
    if pairing is None:
        return True
    if not standing_alone("pairing", "pairings", [pairing_id]) or visits_of(pairing):
        return False
    history.write(subject=Subject("pairing", pairing_id), act="removed", by=by, now=now)
    db.session.delete(pairing)
    db.session.flush()
    return True


def end_pairing(*, pairing: Pairing, ends_on: date, by: Actor, now: datetime) -> None:
    """End a pairing; `ends_on`, its last day, has come. What was promised stays owed by the units that owe it.

    :raises PairingEnded: if it has an end already
    :raises EndsBeforeItStarts: for a day before its first
    :raises EndsAhead: for a day to come
    """
    if pairing.ends_on is not None:
        raise PairingEnded
    if ends_on > office_day(now):
        raise EndsAhead
    if ends_on < pairing.starts_on:
        raise EndsBeforeItStarts(day=pairing.starts_on.isoformat())
    pairing.ends_on = ends_on
    history.write(
        subject=Subject("pairing", pairing.id), act="ended", by=by, now=now, facts={"ends_on": ends_on.isoformat()}
    )
    planning.drop(pairing=pairing, by=by, now=now)


def settle_twice(*, kept: Person, gone: Person, by: Actor, now: datetime) -> list[dict[str, Any]]:
    """Leave each leader one living pairing with two records that become one, the earlier; return what was ended."""
    settled = []
    for earlier, later in queries.living_of_both(kept.id, gone.id):
        later.ends_on = max(later.starts_on, office_day(now))
        history.write(
            subject=Subject("pairing", later.id),
            act="ended",
            by=by,
            now=now,
            facts={"ends_on": later.ends_on.isoformat(), "twice": earlier.id},
        )
        planning.drop(pairing=later, by=by, now=now)
        settled.append({"table": Pairing.__tablename__, "id": later.id, "ends_on": later.ends_on.isoformat()})
    db.session.flush()
    return settled


def restore(*, settled: Sequence[Mapping[str, Any]], by: Actor, now: datetime) -> list[dict[str, Any]]:
    """Take up again the pairings that `settle_twice` ended; return what cannot be, with the reason."""
    stayed: list[dict[str, Any]] = []
    for entry in settled:
        pairing = db.session.get(Pairing, entry["id"])
        if pairing is None or pairing.ends_on is None or pairing.ends_on.isoformat() != entry["ends_on"]:
            continue
        if queries.living_pairing(pairing.leader, pairing.person) is not None:
            stayed.append({"table": Pairing.__tablename__, "id": pairing.id, "why": Stay.TAKEN.value})
            continue
        pairing.ends_on = None
        db.session.flush()
        history.write(subject=Subject("pairing", pairing.id), act="taken_up_again", by=by, now=now, facts={})
    return stayed


def erase_person(*, person_id: int, traces: Traces, by: Actor, now: datetime) -> None:
    """End a person's pairings and erase what was noted about them; where others were met too, only they are struck out.

    That somebody was visited, when and by whom, is counted as before.
    """
    surveys.erase_person(person_id=person_id)
    pairings = db.session.scalars(sa.select(Pairing).where(Pairing.person_id == person_id).order_by(Pairing.id)).all()
    for pairing in pairings:
        if pairing.ends_on is None and pairing.starts_on <= office_day(now):
            end_pairing(pairing=pairing, ends_on=office_day(now), by=by, now=now)
        elif pairing.ends_on is None:  # it had not begun
            pairing.ends_on = pairing.starts_on
    history.forget_words(kind="pairing", ids=[pairing.id for pairing in pairings])
    planning.erase_words(pairing_ids=[pairing.id for pairing in pairings])
    met = db.session.scalars(
        sa.select(Visit)
        .where(sa.exists().where(VisitTalent.visit_id == Visit.id, VisitTalent.person_id == person_id))
        .order_by(Visit.id)
    ).all()
    for visit in met:
        alone = len(visit.talents) == 1
        for words in ("situation", "advice", "companions"):
            said = getattr(visit, words)
            if said:
                setattr(visit, words, None if alone else traces.struck_from(said))
    db.session.flush()
    visits.erase_photographs(visit_ids=[visit.id for visit in met])
    history.forget_words(kind="visit", ids=[visit.id for visit in met])


def erase_notes(*, ids: Sequence[int]) -> None:
    """Erase what was noted on visits, and on the plans they carried out; that they took place stays."""
    for visit in db.session.scalars(sa.select(Visit).where(Visit.id.in_(ids)).order_by(Visit.id)):
        visit.situation = visit.advice = visit.companions = None
    db.session.flush()
    visits.erase_photographs(visit_ids=ids)
    planning.erase_notes(visit_ids=ids)
    history.forget_words(kind="visit", ids=ids)


def fresh_form_token() -> str:
    """Return what tells one form from another, so that a form sent twice logs one visit."""
    return secrets.token_urlsafe(24)


def log_visit(
    *,
    account: Account,
    form_token: str,
    pairings: Sequence[Pairing],
    at: datetime,
    way: VisitWay,
    companions: str | None,
    asks: Sequence[Ask],
    situation: str | None,
    advice: str | None,
    advised_by: int | None,
    confidential: bool,
    now: datetime,
    photographs: Sequence[bytes] = (),
) -> Visit:
    """Write down a visit and make a request of each thing asked; advice becomes a request too, for it needs an answer.

    The leaders of the pairings went, their talents were met. `account` logs it: as the leader, or for the leader
    whose liaison officer it is, which the history says. `advised_by` is the id of the talent whose advice it is, by
    default the first one met. The same form of the same account sent again
    returns the visit it logged the first time and changes nothing. `photographs` are JPEG files, drawn anew
    (documents.photographs).

    :raises NobodyMet: without a pairing, or where something was asked by somebody who was not met
    :raises NotYourPairing: for a pairing the account neither leads nor serves
    :raises VisitAhead: for a time that has not come yet
    """
    logged = visit_of_form(account, form_token)
    if logged is not None:
        return logged
    if advice:
        adviser = advised_by or next((pairing.person_id for pairing in pairings), 0)
        asks = [*asks, Ask(person_id=adviser, topic=Topic.ADVICE, words=advice)]
    _check(account=account, pairings=pairings, at=at, asks=asks, now=now)
    visit = Visit(
        organisation_id=pairings[0].organisation_id,
        account=account,
        form_token=form_token,
        at=at,
        way=way,
        companions=companions or None,
        situation=situation or None,
        advice=advice or None,
        confidential=confidential,
        logged_at=now,
    )
    leaders = {pairing.leader_id: pairing.leader for pairing in pairings}
    talents = {pairing.person_id: pairing.person for pairing in pairings}
    try:
        with db.session.begin_nested():
            db.session.add(visit)
    except IntegrityError:  # the same form, sent twice in the same instant: the other request was first
        logged = visit_of_form(account, form_token)
        if logged is None:
            raise
        return logged
    visit.leaders = [
        VisitLeader(account=leader, confirmed_at=now if leader.id == account.id else None)
        for leader in leaders.values()
    ]
    visit.talents = [VisitTalent(person=talent) for talent in talents.values()]
    for_id = None if account.id in leaders else pairings[0].leader_id
    by = Actor(account.actor.kind, account.id, for_id)
    raised = [_request(ask, pairings=pairings, by=by, now=now) for ask in asks]
    visit.asked = [VisitCase(case=case) for case in raised]
    db.session.flush()  # the line below names the requests
    history.write(
        subject=Subject("visit", visit.id),
        act="logged",
        by=by,
        now=now,
        facts={
            "at": at.isoformat(),
            "way": way,
            "leaders": sorted(leaders),
            "talents": sorted(talents),
            "cases": [case.id for case in raised],
        },
    )
    if photographs:
        visits.add_photographs(visit=visit, pictures=photographs, by=by, now=now)
    planning.note_visit(visit=visit, pairings=pairings, by=by, now=now)
    return visit


def _check(*, account: Account, pairings: Sequence[Pairing], at: datetime, asks: Sequence[Ask], now: datetime) -> None:
    met = {pairing.person_id for pairing in pairings}
    if not met or any(ask.person_id not in met for ask in asks):
        raise NobodyMet
    if any(account.id not in (pairing.leader_id, pairing.liaison_officer_id) for pairing in pairings):
        raise NotYourPairing
    if at > now:
        raise VisitAhead


def _request(ask: Ask, *, pairings: Sequence[Pairing], by: Actor, now: datetime) -> Case:
    pairing = next(pairing for pairing in pairings if pairing.person_id == ask.person_id)
    return cases.register(
        person=pairing.person,
        contact_point=_told_at(pairing.person),
        topic=ask.topic,
        title=title_of(ask.words),
        words=ask.words,
        source=CaseSource.VISIT,
        intake=pairing.organisation,
        by=by,
        now=now,
        complex=ask.complex,
    )


def _told_at(person: Person) -> ContactPoint | None:
    """Return where the person is told of each step: by mail, which holds a whole answer, or else by telephone."""
    points = [contact.contact_point for contact in person.contacts]
    mail = (point for point in points if point.kind is ContactKind.EMAIL)
    return next(mail, points[0] if points else None)
