"""Reading what is kept about one person, for that person and for who has to prove it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from outreach.cases.models import Answer, Case
from outreach.door.models import Arrival, DoorPass
from outreach.events.models import Event
from outreach.exports.models import Export
from outreach.intake.models import Import, ImportRow
from outreach.intake.rules import ImportState
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.outbox import Work
from outreach.kernel.paging import Key, Page, page_of
from outreach.liaison.models import Pairing, Survey, SurveyInvitation, Visit, VisitTalent
from outreach.notices.models import Message
from outreach.notices.rules import MessageState
from outreach.organisations.models import Account
from outreach.organisations.queries import reach
from outreach.organisations.rules import Permission
from outreach.people import queries as people
from outreach.people.models import Consent, ConsentText, ContactPoint, Guardian, Look, Person, PersonContact
from outreach.people.rules.traces import STRUCK
from outreach.privacy.models import Erasure, RetentionRule, RetentionRun
from outreach.privacy.rules import ErasureState, Follows, Kept, Scope
from outreach.registration.models import Registration
from outreach.registration.rules import LIVING
from outreach.signing_in.models import ContactCode

MOST_CONSENTS = 200


@dataclass(frozen=True)
class Behind:
    """A person reached at a number or an address, and what its holder may do for them."""

    person: Person
    scope: Scope
    erasure: Erasure | None


def behind(contact_point_id: int) -> list[Behind]:
    """Return the people reached at a number or an address, in the order they came.

    A parent who registered children with it is alone there all the same (people.queries.alone_at).
    """
    found = people.people_at(contact_point_id)
    alone = db.session.scalar(people.alone_at(contact_point_id)) if len(found) > 1 else None
    open_ones = {
        erasure.person_id: erasure
        for erasure in db.session.scalars(
            sa.select(Erasure).where(Erasure.person_id.in_([person.id for person in found]), Erasure.ended_at.is_(None))
        )
    }
    return [
        Behind(person, Scope(alone=len(found) == 1 or person.id == alone), open_ones.get(person.id)) for person in found
    ]


def is_being_erased(person_id: int) -> bool:
    """Tell whether a person has asked to be erased and that is neither done nor called off."""
    open_ones = sa.select(Erasure.id).where(Erasure.person_id == person_id, Erasure.ended_at.is_(None))
    return db.session.scalar(open_ones.limit(1)) is not None


def one_behind(contact_point_id: int, person_id: int) -> Behind | None:
    """Return one of the people reached at a number or an address; None for anybody else."""
    return next((one for one in behind(contact_point_id) if one.person.id == person_id), None)


@dataclass(frozen=True)
class Agreed:
    """A consent as the person who gave it reads it: what it was for, and what follows if it is taken back."""

    consent: Consent
    event: Event | None
    case: Case | None
    through: ContactPoint | None
    follows: Follows


def consents_of(person: Person, *, through: int | None, now: datetime) -> list[Agreed]:
    """Return what a person agreed to, the latest first.

    :param through: only what was given through this number or address; None for all of it
    """
    statement = (
        sa.select(Consent, ContactPoint)
        .outerjoin(ContactPoint, ContactPoint.id == Consent.contact_point_id)
        .where(Consent.person_id == person.id)
        .options(joinedload(Consent.text))
        .order_by(Consent.given_at.desc(), Consent.id.desc())
        .limit(MOST_CONSENTS)
    )
    if through is not None:
        statement = statement.where(Consent.contact_point_id == through)
    rows = db.session.execute(statement).all()
    events = _by_id(Event, [about(consent)[1] for consent, _ in rows if about(consent)[0] == "event"])
    cases = _by_id(Case, [about(consent)[1] for consent, _ in rows if about(consent)[0] == "case"])
    registered = _registered(person.id, list(events))
    found = []
    for consent, point in rows:
        kind, number = about(consent)
        event = events.get(number) if kind == "event" else None
        case = cases.get(number) if kind == "case" else None
        if case is not None and case.person_id != person.id:
            case = None
        found.append(
            Agreed(consent, event, case, point, _follows(event, case, event and registered.get(event.id), now))
        )
    return found


def about(consent: Consent) -> tuple[str, int]:
    """Return what a consent was given for: "event" or "case", and its id; "" and 0 for anything else."""
    kind, _, number = consent.about.partition(":")
    return (kind, int(number)) if number.isdecimal() else ("", 0)


def _by_id(model: Any, ids: Sequence[int]) -> dict[int, Any]:
    return {row.id: row for row in db.session.scalars(sa.select(model).where(model.id.in_(set(ids))))}


def _registered(person_id: int, event_ids: Sequence[int]) -> dict[int, bool]:
    """Return, by the event, whether the person still holds or awaits a place there."""
    held: dict[int, bool] = {}
    for event_id, state in db.session.execute(
        sa.select(Registration.event_id, Registration.state).where(
            Registration.person_id == person_id, Registration.event_id.in_(event_ids)
        )
    ):
        held[event_id] = held.get(event_id, False) or state in LIVING
    return held


def _follows(event: Event | None, case: Case | None, living: bool | None, now: datetime) -> Follows:
    if event is not None and living is not None:
        return Follows.PLACE_GIVEN_BACK if living and now < event.starts_at else Follows.NAME_TAKEN_OFF
    if case is not None:
        return Follows.REQUEST_WITHDRAWN if case.state.is_open else Follows.WORDS_ERASED
    return Follows.NOTHING_LEFT


def consent_behind(contact_point_id: int, consent_id: int) -> Consent | None:
    """Return a consent its giver may take back: given through this number, or by who is alone behind it."""
    consent = db.session.get(Consent, consent_id)
    one = one_behind(contact_point_id, consent.person_id) if consent is not None else None
    if one is None:
        return None
    return consent if one.scope.alone or consent.contact_point_id == contact_point_id else None


def registrations_for(person_id: int, event_id: int) -> Sequence[Registration]:
    """Return every registration of a person for an event."""
    return db.session.scalars(
        sa.select(Registration)
        .where(Registration.person_id == person_id, Registration.event_id == event_id)
        .order_by(Registration.id)
    ).all()


def case_of(person_id: int, case_id: int) -> Case | None:
    """Return a person's own request."""
    return db.session.scalar(sa.select(Case).where(Case.id == case_id, Case.person_id == person_id))


@dataclass(frozen=True)
class WhatGoes:
    """What an erasure ends, as the person reads it before they decide."""

    coming: Sequence[Registration]
    open_requests: Sequence[Case]
    pairings: int
    past: int


def what_goes(person: Person, *, now: datetime) -> WhatGoes:
    """Return what is still going on with a person and would end, and how many past registrations lose their name."""
    held = db.session.scalars(
        sa.select(Registration)
        .join(Event, Event.id == Registration.event_id)
        .where(Registration.person_id == person.id)
        .options(joinedload(Registration.event))
        .order_by(Event.starts_at, Registration.id)
    ).all()
    coming = [one for one in held if one.state in LIVING and now < one.event.starts_at]
    return WhatGoes(
        coming=coming,
        open_requests=[
            case
            for case in db.session.scalars(sa.select(Case).where(Case.person_id == person.id).order_by(Case.id))
            if case.state.is_open
        ],
        pairings=db.session.scalar(
            sa.select(sa.func.count())
            .select_from(Pairing)
            .where(Pairing.person_id == person.id, Pairing.ends_on.is_(None))
        )
        or 0,
        past=len(held) - len(coming),
    )


@dataclass(frozen=True)
class Everything:
    """All that is kept about a person and theirs to see."""

    person: Person
    consents: Sequence[Agreed]
    registrations: Sequence[tuple[Registration, datetime | None]]
    requests: Sequence[Case]
    visits: Sequence[Visit]
    looks: Sequence[people.Looked]
    guardians: Sequence[Guardian]
    messages: Sequence[Message]


def everything(person: Person, *, now: datetime) -> Everything:
    """Return all that is kept about a person and theirs to see: no notes of officials, nothing of other people."""
    registrations = db.session.execute(
        sa.select(Registration, Arrival.at)
        .outerjoin(Arrival, Arrival.registration_id == Registration.id)
        .where(Registration.person_id == person.id)
        .options(joinedload(Registration.event), joinedload(Registration.group))
        .order_by(Registration.created_at, Registration.id)
    ).all()
    requests = db.session.scalars(
        sa.select(Case)
        .where(Case.person_id == person.id)
        .options(
            selectinload(Case.answers).joinedload(Answer.unit),
            selectinload(Case.answers).joinedload(Answer.feedback),
            joinedload(Case.lead),
        )
        .order_by(Case.created_at, Case.id)
    ).all()
    visits = db.session.scalars(
        sa.select(Visit)
        .where(sa.exists().where(VisitTalent.visit_id == Visit.id, VisitTalent.person_id == person.id))
        .options(joinedload(Visit.account))
        .order_by(Visit.at, Visit.id)
    ).all()
    messages = db.session.scalars(
        sa.select(Message).where(Message.person_id == person.id, Message.body.is_not(None)).order_by(Message.id)
    ).all()
    return Everything(
        person=person,
        consents=consents_of(person, through=None, now=now),
        registrations=[(registration, at) for registration, at in registrations],
        requests=requests,
        visits=visits,
        looks=people.looks_at(person, limit=5000),
        guardians=people.guardians_of(person.id),
        messages=messages,
    )


def contacts_of(person: Person) -> Sequence[ContactPoint]:
    """Return the numbers and addresses at which a person is reached."""
    return db.session.scalars(
        sa.select(ContactPoint)
        .join(PersonContact, PersonContact.contact_point_id == ContactPoint.id)
        .where(PersonContact.person_id == person.id, PersonContact.until.is_(None))
        .order_by(ContactPoint.id)
    ).all()


def erasure_by_id(erasure_id: int) -> Erasure | None:
    """Return a wish to be erased, for the job that carries it out."""
    return db.session.get(Erasure, erasure_id)


def erasure_for(viewer: Account, erasure_id: int) -> Erasure:
    """Return a wish of a person kept by an organisation where the viewer may change people; 404 elsewhere."""
    return db.one_or_404(_erasures(viewer).where(Erasure.id == erasure_id))


def erasures(viewer: Account, *, cursor: str | None) -> Page[Erasure]:
    """Return a page of the wishes within the viewer's reach, the latest first."""
    return page_of(
        _erasures(viewer).options(joinedload(Erasure.person), joinedload(Erasure.account)),
        keys=[Key(Erasure.id, descending=True)],
        cursor=cursor,
    )


def erasures_to_check(viewer: Account) -> int:
    """Count the wishes that wait for somebody to ask the person."""
    waiting = _erasures(viewer).where(Erasure.state == ErasureState.AT_THE_OFFICE).with_only_columns(Erasure.id)
    return db.session.scalar(sa.select(sa.func.count()).select_from(waiting.subquery())) or 0


def _erasures(viewer: Account) -> sa.Select[tuple[Erasure]]:
    return (
        sa.select(Erasure)
        .join(Person, Person.id == Erasure.person_id)
        .where(Person.organisation_id.in_(reach(viewer, Permission.PEOPLE_EDIT)))
    )


def open_erasure(person_id: int) -> Erasure | None:
    """Return the wish of a person that is under way."""
    return db.session.scalar(sa.select(Erasure).where(Erasure.person_id == person_id, Erasure.ended_at.is_(None)))


def erasure_ids(person_id: int) -> Sequence[int]:
    """Return the ids of all wishes of a person to be erased."""
    return db.session.scalars(sa.select(Erasure.id).where(Erasure.person_id == person_id).order_by(Erasure.id)).all()


@dataclass(frozen=True)
class KeptFor:
    """How long a kind of data is kept: as the city chose, or the default; never longer than people agreed to."""

    kind: Kept
    amount: int
    promised: int | None


def kept_for() -> list[KeptFor]:
    """Return how long every kind of data is kept."""
    chosen = {rule.kind: rule.amount for rule in db.session.scalars(sa.select(RetentionRule))}
    promises = dict(
        db.session.execute(
            sa.select(ConsentText.purpose, sa.func.min(ConsentText.kept_months)).group_by(ConsentText.purpose)
        ).all()
    )
    found = []
    for kind in Kept:
        promised = promises.get(kind.rule.purpose)
        amount = chosen.get(kind, kind.rule.default)
        found.append(KeptFor(kind, min(amount, promised) if promised else amount, promised))
    return found


def rule_of(kind: Kept) -> RetentionRule | None:
    """Return the city's own choice for a kind of data."""
    return db.session.scalar(sa.select(RetentionRule).where(RetentionRule.kind == kind))


def count_expired(kind: Kept, before: datetime) -> int:
    """Count the rows of a kind that are too old; what the coming night would remove."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(expired(kind, before).subquery())) or 0


def expired(kind: Kept, before: datetime) -> sa.Select[tuple[int]]:
    """Return a select of the ids of the rows of a kind that have been kept too long."""
    return EXPIRED[kind](before)


def _old_registrations(before: datetime) -> sa.Select[tuple[int]]:
    return (
        sa.select(Registration.id)
        .join(Event, Event.id == Registration.event_id)
        .join(Person, Person.id == Registration.person_id)
        .where(Event.ends_at < before, Person.erased_at.is_(None))
    )


def _old_requests(before: datetime) -> sa.Select[tuple[int]]:
    return (
        sa.select(Case.id)
        .join(Person, Person.id == Case.person_id)
        .where(Case.ended_at < before, Person.erased_at.is_(None))
    )


def _old_notes(before: datetime) -> sa.Select[tuple[int]]:
    noted = sa.or_(
        Visit.situation.is_not(None), Visit.advice.is_not(None), Visit.companions.is_not(None), Visit.photographs.any()
    )
    return sa.select(Visit.id).where(Visit.at < before, noted)


def _old_answers(before: datetime) -> sa.Select[tuple[int]]:
    said = sa.or_(SurveyInvitation.situation.is_not(None), SurveyInvitation.needs.any())
    return (
        sa.select(SurveyInvitation.id)
        .join(Survey, Survey.id == SurveyInvitation.survey_id)
        .where(Survey.closes_on < office_day(before), said)
    )


def _people_without_purpose(before: datetime) -> sa.Select[tuple[int]]:
    """Who registered or asked once, is named by nothing any more, and was not heard of since."""
    came_by_themselves = sa.or_(Person.source.startswith("registration:"), Person.source == "public_form")
    return sa.select(Person.id).where(
        came_by_themselves,
        Person.erased_at.is_(None),
        Person.merged_into_id.is_(None),
        Person.updated_at < before,
        *(~sa.exists().where(model.person_id == Person.id) for model in (Registration, Case, VisitTalent, Pairing)),
        ~sa.exists().where(Erasure.person_id == Person.id, Erasure.ended_at.is_(None)),
        ~sa.exists().where(Consent.person_id == Person.id, Consent.given_at >= before),
    )


def _old_messages(before: datetime) -> sa.Select[tuple[int]]:
    return sa.select(Message.id).where(Message.created_at < before, Message.state != MessageState.WAITING)


def _old_import_rows(before: datetime) -> sa.Select[tuple[int]]:
    at_work = (ImportState.JUDGING, ImportState.LANDING, ImportState.UNDOING)
    return (
        sa.select(ImportRow.id)
        .join(Import, Import.id == ImportRow.import_id)
        .where(
            sa.func.coalesce(Import.undone_at, Import.landed_at, Import.created_at) < before,
            Import.state.not_in(at_work),
        )
    )


def _old_door_passes(before: datetime) -> sa.Select[tuple[int]]:
    return (
        sa.select(DoorPass.id)
        .join(Event, Event.id == DoorPass.event_id)
        .where(Event.ends_at < before, DoorPass.name != STRUCK)
    )


def _old_looks(before: datetime) -> sa.Select[tuple[int]]:
    return sa.select(Look.id).where(Look.at < before)


def _old_lists(before: datetime) -> sa.Select[tuple[int]]:
    return sa.select(Export.id).where(Export.asked_at < before)


def _old_codes(before: datetime) -> sa.Select[tuple[int]]:
    return sa.select(ContactCode.id).where(ContactCode.sent_at < before)


def _old_work(before: datetime) -> sa.Select[tuple[int]]:
    """Work that is done or was given up, and that nothing that is shown points to."""
    return sa.select(Work.id).where(
        Work.finished_at < before,
        *(~sa.exists().where(model.work_id == Work.id) for model in (Export, Import)),
    )


def _old_consents(before: datetime) -> sa.Select[tuple[int]]:
    return (
        sa.select(Consent.id)
        .join(Person, Person.id == Consent.person_id)
        .where(sa.or_(Consent.withdrawn_at < before, Person.erased_at < before))
    )


EXPIRED = {
    Kept.REGISTRATIONS: _old_registrations,
    Kept.REQUESTS: _old_requests,
    Kept.VISIT_NOTES: _old_notes,
    Kept.SURVEYS: _old_answers,
    Kept.PEOPLE: _people_without_purpose,
    Kept.MESSAGES: _old_messages,
    Kept.IMPORT_ROWS: _old_import_rows,
    Kept.DOOR_PASSES: _old_door_passes,
    Kept.LOOKS: _old_looks,
    Kept.LISTS: _old_lists,
    Kept.SIGN_INS: _old_codes,
    Kept.WORK: _old_work,
    Kept.CONSENTS: _old_consents,
}


def run_of_work(work_id: int) -> RetentionRun | None:
    """Return the report that a piece of work has begun."""
    return db.session.scalar(sa.select(RetentionRun).where(RetentionRun.work_id == work_id))


def run_by_id(run_id: int) -> RetentionRun:
    """Return a report that was begun."""
    return db.session.get_one(RetentionRun, run_id)


def latest_runs(limit: int = 14) -> Sequence[RetentionRun]:
    """Return the reports of the last nights, the latest first."""
    return db.session.scalars(sa.select(RetentionRun).order_by(RetentionRun.id.desc()).limit(limit)).all()


def by_ids(model: Any, ids: Sequence[int]) -> Sequence[Any]:
    """Return the rows of a model by their ids, in order."""
    return db.session.scalars(sa.select(model).where(model.id.in_(ids)).order_by(model.id)).all()
