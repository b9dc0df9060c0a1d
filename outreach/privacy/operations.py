"""What a person does with their own data, and the erasing that every feature takes part in."""

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from outreach.cases import operations as cases
from outreach.cases.models import Case
from outreach.door import operations as door
from outreach.exports import operations as exports
from outreach.intake import operations as intake
from outreach.kernel import history, outbox
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.database import db, locked, one_at_a_time
from outreach.kernel.history import Subject
from outreach.kernel.outbox import Urgency
from outreach.liaison import operations as liaison
from outreach.liaison.operations import surveys as liaison_surveys
from outreach.notices import operations as notices
from outreach.organisations.models import Account
from outreach.people import operations as people
from outreach.people import queries as people_queries
from outreach.people.models import Consent, ContactPoint, Person
from outreach.people.rules import normalised_name
from outreach.people.rules.traces import Traces
from outreach.privacy import queries
from outreach.privacy.models import Erasure, RetentionRule, RetentionRun
from outreach.privacy.rules import (
    CHANGED_MIND,
    ErasureAskedBefore,
    ErasureMove,
    ErasureState,
    HowMissing,
    Kept,
    NotThatName,
    ReasonMissing,
    Scope,
    after,
    check_amount,
)
from outreach.privacy.signals import given_up
from outreach.registration import operations as registration
from outreach.registration.models import Registration
from outreach.signing_in import operations as signing_in


def check_name(*, person: Person, name: str) -> None:
    """Let whoever holds a person's number further if they know the full name.

    :raises NotThatName: if it is not
    """
    if normalised_name(name) != person.name_key:
        raise NotThatName


def withdraw_consent(*, consent: Consent, by: Actor, now: datetime) -> None:
    """Take a consent back, and with it what was given under it: the place, the request, and the words of both.

    What is counted goes on being counted, on a record of nobody.

    :raises people.rules.ConsentAlreadyWithdrawn: if it was taken back before
    """
    people.withdraw_consent(consent=consent, by=by, now=now)
    given_up.send(consent, now=now)
    person = db.session.get_one(Person, consent.person_id)
    kind, number = queries.about(consent)
    held = queries.registrations_for(person.id, number) if kind == "event" else ()
    case = queries.case_of(person.id, number) if kind == "case" else None
    if not held and case is None:
        return
    nobody = people.nobody(organisation_id=person.organisation_id, now=now)
    for one in held:
        registration.let_go(registration=one, nobody=nobody, by=by, now=now)
    if case is not None:
        cases.let_go(case=case, nobody=nobody, by=by, now=now)


def note_copy(*, person: Person, by: Actor, now: datetime) -> None:
    """Write down that a person took a copy of their own data."""
    db.session.scalars(locked(sa.select(Person).where(Person.id == person.id))).one()
    history.write(subject=Subject("person", person.id), act="copy_taken", by=by, now=now)


def ask_to_be_erased(*, person: Person, scope: Scope, contact_point: ContactPoint, by: Actor, now: datetime) -> Erasure:
    """Take down a person's wish to be erased, tell them wherever they are reached, and wait three days.

    Where several people share the number the wish goes to the office, which asks the person themselves.

    :raises ErasureAskedBefore: if one is under way
    """
    state = ErasureState.WAITING if scope.alone else ErasureState.AT_THE_OFFICE
    erasure = _take_down(person, state, contact_point=contact_point, account=None, how=None, by=by, now=now)
    if state is ErasureState.AT_THE_OFFICE:
        _tell(erasure, "to_be_checked", now=now)
    return erasure


def erase_on_behalf(*, person: Person, how: str, account: Account, now: datetime) -> Erasure:
    """Take down the wish of a person who came or telephoned; it is carried out after three days like any other.

    :raises HowMissing: without a word on how it was made sure that it is the person's own
    :raises ErasureAskedBefore: if one is under way
    """
    if not how:
        raise HowMissing
    return _take_down(
        person, ErasureState.WAITING, contact_point=None, account=account, how=how, by=account.actor, now=now
    )


def confirm(*, erasure: Erasure, how: str, account: Account, now: datetime) -> None:
    """Let a wish that came through a shared number go its way: the person was asked themselves.

    :raises ErasureMoveRefused: if it waits for nobody's word
    :raises HowMissing: without a word on how they were asked
    """
    erasure = _held(erasure)
    state = after(erasure.state, ErasureMove.CONFIRM)
    if not how:
        raise HowMissing
    erasure.account_id, erasure.how = account.id, how
    _wait(erasure, state, by=account.actor, now=now)


def refuse(*, erasure: Erasure, reason: str, account: Account, now: datetime) -> None:
    """Say why a wish is not carried out; whoever asked reads it.

    :raises ErasureMoveRefused: if it waits for nobody's word
    :raises ReasonMissing: without one
    """
    erasure = _held(erasure)
    state = after(erasure.state, ErasureMove.REFUSE)
    if not reason:
        raise ReasonMissing
    erasure.account_id, erasure.how = account.id, reason
    _end(erasure, state, by=account.actor, now=now)
    _tell(erasure, "refused", now=now, reason=reason)


def call_off(*, erasure: Erasure, by: Actor, now: datetime) -> None:
    """Leave everything as it is; the person changed their mind.

    :raises ErasureMoveRefused: if it was carried out already
    """
    erasure = _held(erasure)
    _end(erasure, after(erasure.state, ErasureMove.CALL_OFF), by=by, now=now)
    _tell(erasure, "called_off", now=now)


def strike_from_imports(*, traces: Traces, after_id: int, limit: int) -> int | None:
    """Empty what files said about a person, some rows at a time; return the last row looked at, None at the end."""
    last = intake.erase_rows(traces=traces, after_id=after_id, limit=limit)
    if last is None:
        intake.strike_from_files(traces=traces)
    return last


def carry_out(*, erasure: Erasure, now: datetime) -> None:
    """Erase the person a wish is about, everywhere, in one transaction.

    :raises ErasureMoveRefused: if it was called off
    """
    erasure = _held(erasure)
    state = after(erasure.state, ErasureMove.CARRY_OUT)
    by = erasure.contact_point_id
    erase(person=erasure.person, by=Actor(ActorKind.ATTENDEE, by) if by else SYSTEM, now=now)
    _end(erasure, state, by=SYSTEM, now=now)
    erasure.how = erasure.contact_point_id = None
    given_up.send(erasure, now=now)


def erase_again(*, person: Person, now: datetime) -> None:
    """Erase somebody whom an older backup brought back, with the wish that it may have brought back too."""
    wish = queries.open_erasure(person.id)
    erase(person=person, by=SYSTEM, now=now)
    if wish is not None:
        wish = _held(wish)
        _end(wish, ErasureState.DONE, by=SYSTEM, now=now)
        wish.how = wish.contact_point_id = None


def erase(*, person: Person, by: Actor, now: datetime) -> None:
    """Take a person out of every feature, from the top of the ladder down; what is counted and the chains stay.

    Where somebody stands in imported files is struck out before, in steps (`strike_from_imports`).
    """
    traces = people.traces_of(person=person)
    person_id = person.id
    liaison.erase_person(person_id=person_id, traces=traces, by=by, now=now)
    registration.erase_person(person_id=person_id, by=by, now=now)
    cases.erase_person(person_id=person_id, by=by, now=now)
    notices.forget_person(person_id=person_id)
    exports.erase_person(export_ids=people_queries.exports_with(person_id), traces=traces, by=by, now=now)
    history.forget_words(kind="erasure", ids=queries.erasure_ids(person_id))
    _leave_only_the_outcome(person_id)
    for contact_point_id in people.erase(person=person, traces=traces, by=by, now=now):
        notices.forget_contact_point(contact_point_id=contact_point_id)
        signing_in.forget_codes(contact_point_id=contact_point_id)
        people.forget_contact_point(contact_point_id=contact_point_id)


def keep_for(*, kind: Kept, amount: int | None, by: Account, now: datetime) -> None:
    """Keep a kind of data so long from now on (months, or days where its rule says so); the coming night acts on it.

    :raises KeptTooShort: for no time, or too much
    :raises KeptLongerThanPromised: for longer than people agreed to
    """
    one_at_a_time(f"retention {kind}")
    present = next(each for each in queries.kept_for() if each.kind is kind)
    check_amount(kind, amount, promised=present.promised)
    rule = queries.rule_of(kind) or RetentionRule(kind=kind)
    rule.amount, rule.changed_at, rule.account_id = amount, now, by.id
    db.session.add(rule)
    db.session.flush()
    history.write(
        subject=Subject("retention_rule", rule.id),
        act="changed",
        by=by.actor,
        now=now,
        facts={"kind": kind, "from": present.amount, "to": amount},
    )


def begin_run(*, work_id: int, now: datetime) -> RetentionRun:
    """Return the report of a night's removing; of work begun anew, the report it had begun."""
    run = queries.run_of_work(work_id)
    if run is None:
        run = RetentionRun(work_id=work_id, begun_at=now, removed={})
        db.session.add(run)
        db.session.flush()
    return run


def remove_expired(*, kind: Kept, before: datetime, after_id: int, limit: int, run: RetentionRun, now: datetime) -> int:
    """Remove some rows of a kind that are too old, and count them in the report; return the last id, 0 at the end."""
    ids = db.session.scalars(_some(kind, before, after_id, limit)).all()
    if not ids:
        return 0
    REMOVE[kind](ids, now)
    run.removed = {**run.removed, kind.value: run.removed.get(kind.value, 0) + len(ids)}
    db.session.flush()
    return ids[-1]


def end_run(*, run: RetentionRun, now: datetime) -> None:
    """Close the night's report with a line of history."""
    run.finished_at = now
    history.write(subject=Subject("retention_run", run.id), act="carried_out", by=SYSTEM, now=now, facts=run.removed)
    given_up.send(run, now=now)


def _some(kind: Kept, before: datetime, after_id: int, limit: int) -> sa.Select[tuple[int]]:
    old = queries.expired(kind, before)
    number = old.selected_columns[0]
    return old.where(number > after_id).order_by(number).limit(limit)


def _let_registrations_go(ids: Sequence[int], now: datetime) -> None:
    for one in queries.by_ids(Registration, ids):
        nobody = people.nobody(organisation_id=one.event.organisation_id, now=now)
        registration.let_go(registration=one, nobody=nobody, by=SYSTEM, now=now)


def _let_requests_go(ids: Sequence[int], now: datetime) -> None:
    for case in queries.by_ids(Case, ids):
        nobody = people.nobody(organisation_id=case.intake_id, now=now)
        cases.let_go(case=case, nobody=nobody, by=SYSTEM, now=now)


def _forget_lists(ids: Sequence[int]) -> None:
    people.delete_lists(export_ids=ids)
    exports.delete_lines(ids=ids)


def _erase_people(ids: Sequence[int], now: datetime) -> None:
    for person in queries.by_ids(Person, ids):
        erase(person=person, by=SYSTEM, now=now)


REMOVE: dict[Kept, Callable[[Sequence[int], datetime], None]] = {
    Kept.REGISTRATIONS: _let_registrations_go,
    Kept.REQUESTS: _let_requests_go,
    Kept.VISIT_NOTES: lambda ids, _now: liaison.erase_notes(ids=ids),
    Kept.SURVEYS: lambda ids, _now: liaison_surveys.erase_answers(ids=ids),
    Kept.PEOPLE: _erase_people,
    Kept.MESSAGES: lambda ids, _now: notices.delete(ids=ids),
    Kept.IMPORT_ROWS: lambda ids, now: intake.delete_rows(ids=ids, now=now),
    Kept.DOOR_PASSES: lambda ids, _now: door.forget_names(ids=ids),
    Kept.LOOKS: lambda ids, _now: people.delete_looks(ids=ids),
    Kept.LISTS: lambda ids, _now: _forget_lists(ids),
    Kept.SIGN_INS: lambda ids, _now: signing_in.delete_codes(ids=ids),
    Kept.WORK: lambda ids, _now: outbox.delete(ids=ids),
    Kept.CONSENTS: lambda ids, _now: people.delete_consents(ids=ids),
}


def _take_down(
    person: Person,
    state: ErasureState,
    *,
    contact_point: ContactPoint | None,
    account: Account | None,
    how: str | None,
    by: Actor,
    now: datetime,
) -> Erasure:
    db.session.scalars(locked(sa.select(Person).where(Person.id == person.id))).one()
    if queries.open_erasure(person.id) is not None:
        raise ErasureAskedBefore
    erasure = Erasure(
        person_id=person.id,
        contact_point_id=contact_point.id if contact_point else None,
        account_id=account.id if account else None,
        state=state,
        how=how,
        asked_at=now,
        due_at=now + CHANGED_MIND if state is ErasureState.WAITING else None,
    )
    db.session.add(erasure)
    db.session.flush()
    history.write(subject=erasure.subject, act="asked", by=by, now=now, facts={"person": person.id, "state": state})
    if state is ErasureState.WAITING:
        _wait(erasure, state, by=by, now=now)
    return erasure


def _wait(erasure: Erasure, state: ErasureState, *, by: Actor, now: datetime) -> None:
    erasure.state, erasure.due_at = state, now + CHANGED_MIND
    history.write(subject=erasure.subject, act="waits", by=by, now=now, facts={"due_at": erasure.due_at.isoformat()})
    outbox.enqueue(job="privacy.erase", erasure_id=erasure.id, urgency=Urgency.BULK, due_at=erasure.due_at, now=now)
    _tell(erasure, "waits", now=now, due_at=erasure.due_at.isoformat())


def _end(erasure: Erasure, state: ErasureState, *, by: Actor, now: datetime) -> None:
    erasure.state, erasure.ended_at = state, now
    history.write(subject=erasure.subject, act=state.value, by=by, now=now)


def _held(erasure: Erasure) -> Erasure:
    return db.session.scalars(locked(sa.select(Erasure).where(Erasure.id == erasure.id))).one()


def _leave_only_the_outcome(person_id: int) -> None:
    db.session.execute(sa.update(Erasure).where(Erasure.person_id == person_id).values(contact_point_id=None, how=None))


def _tell(erasure: Erasure, occasion: str, *, now: datetime, **values: str) -> None:
    """Tell the person wherever they are reached: whoever has only one of their telephones cannot hide it from them."""
    for point in queries.contacts_of(erasure.person):
        notices.tell(
            kind=f"erasure_{occasion}",
            contact_point=point,
            person=erasure.person,
            template=f"privacy/messages/{occasion}.txt",
            values={"name": erasure.person.name, **values},
            about=erasure.subject,
            now=now,
        )
