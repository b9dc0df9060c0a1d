"""What people do with requests. Every operation holds the request's row, and writes its line of history.

`version` is the version of the request that whoever acts had before them: if somebody else was quicker the
operation is refused (ChangedMeanwhile), and nothing is lost or done twice.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from outreach.cases import queries
from outreach.cases.models import Answer, Case, CaseYear, Feedback, ReachAttempt, TopicRoute
from outreach.cases.rules.answers import (
    SPOKEN,
    AlreadyHeard,
    AnswerKind,
    AnswerMissing,
    AttemptOutOfTime,
    NotDelivered,
    NotHeardByMessage,
    PlanDateMissing,
    PlanDatePast,
    ReachChannel,
    RuleMissing,
    Satisfaction,
    check_unreached,
    is_content,
)
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.deadlines import DAYS_TO_ANSWER_AGAIN, answer_deadline, next_deadline
from outreach.cases.rules.moves import (
    OWED_BY_THE_LEAD_UNIT,
    CaseState,
    ChangedMeanwhile,
    GroundMissing,
    Move,
    MoveRefused,
    NothingOwed,
    ReasonMissing,
    after,
)
from outreach.cases.rules.telling import Happening
from outreach.kernel import history
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.kernel.references import standing_alone
from outreach.kernel.working_days import CLOSES, OPENS, Deadline
from outreach.notices import operations as notices
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import reaches
from outreach.organisations.rules import Permission
from outreach.people.models import ContactPoint, Person
from outreach.people.rules.traces import STRUCK


def register(
    *,
    person: Person,
    contact_point: ContactPoint | None,
    topic: Topic,
    title: str,
    words: str,
    source: CaseSource,
    intake: Organisation,
    by: Actor,
    now: datetime,
    complex: bool = False,  # noqa: A002 -- the word of the domain
    urgent: bool = False,
) -> Case:
    """Write a request down; the intake desk owes its assignment within a working day.

    Where the intake desk has a standing route for the topic it is assigned at once. `contact_point` is where the
    person is told of each step; without one the answer must be told by mouth.
    """
    staff = by.id if by.kind is ActorKind.STAFF else None
    case = Case(
        number=_next_number(now),
        person=person,
        contact_point=contact_point,
        topic=topic,
        title=title,
        words=words,
        source=source,
        intake=intake,
        complex=complex,
        urgent=urgent,
        created_at=now,
        registered_by_id=staff,
        registered_for_id=by.for_id,
        returns=0,
        reopenings=0,
        answer_due_provisional=False,
    )
    _enter(case, CaseState.REGISTERED, now=now)
    db.session.add(case)
    _record(case, Happening.REGISTERED, by=by, now=now, facts={"topic": topic, "source": source})
    route = queries.route_for(intake, topic)
    if route is not None:
        _assign(case, route.unit, Happening.ROUTED, by=SYSTEM, now=now)
    _tell_person(case, "registered", now=now)
    return case


def take_over(
    *,
    person: Person,
    contact_point: ContactPoint | None,
    topic: Topic,
    title: str,
    words: str,
    intake: Organisation,
    unit: Organisation | None,
    state: CaseState,
    received_on: date,
    ended_on: date | None,
    remarks: str | None,
    origin: str,
    by: Actor,
    now: datetime,
) -> Case:
    """Write down a request as an earlier ledger has it. Nobody is told anything, and no standing route is followed.

    Its clock runs from the day it was received, so what an earlier ledger left open may be late already. What the
    ledger says of its handling (`remarks`) stands in the words of its first line; no answer is made up from it.
    :param state: registered, assigned, accepted, closed or withdrawn; the last two with `ended_on`
    :param origin: "import:12"
    """
    received_at = min(datetime.combine(received_on, OPENS, tzinfo=OFFICE), now)
    case = Case(
        number=_next_number(received_at),
        person=person,
        contact_point=contact_point,
        topic=topic,
        title=title,
        words=words,
        source=CaseSource.IMPORT,
        intake=intake,
        lead=unit,
        created_at=received_at,
        returns=0,
        reopenings=0,
        answer_due_provisional=False,
    )
    if unit is not None:
        due = answer_deadline(assigned_at=received_at, complex=False, calendar=working_calendar())
        case.assigned_at, case.answer_due_at, case.answer_due_provisional = received_at, due.at, due.provisional
    if state is CaseState.ACCEPTED:
        case.accepted_at = received_at
    ended_at = min(datetime.combine(ended_on, CLOSES, tzinfo=OFFICE), now) if ended_on else None
    _enter(case, state, now=ended_at or received_at)
    db.session.add(case)
    facts = {"topic": topic, "source": CaseSource.IMPORT, "unit": unit.id if unit else None, "origin": origin}
    _record(case, Happening.TAKEN_OVER, by=by, now=now, words=remarks, facts=facts)
    return case


def take_back(*, case_id: int, by: Actor, now: datetime) -> bool:
    """Remove a request that was taken over from an earlier ledger; return whether that could be done.

    It stays once anything was done with it here.
    """
    case = db.session.scalar(locked(sa.select(Case).where(Case.id == case_id)))
    if case is None:
        return True
    if not standing_alone("case", "cases", [case_id]):
        return False
    history.write(subject=case.subject, act=Happening.TAKEN_BACK.value, by=by, now=now)
    db.session.delete(case)
    db.session.flush()
    return True


def assign(
    *,
    case: Case,
    unit: Organisation,
    version: int,
    by: Actor,
    now: datetime,
    complex: bool = False,  # noqa: A002
    note: str | None = None,
) -> None:
    """Make a unit answerable; it accepts within a working day. The clock to answer runs from the first assignment.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it waits for no assignment
    """
    case = _held(case, version=version)
    case.complex = complex
    _assign(case, unit, Happening.ASSIGNED, by=by, now=now, words=note or None)
    _tell_person(case, "assigned", now=now)


def accept(*, case: Case, version: int, by: Actor, now: datetime) -> None:
    """Take the request on for the lead unit. The deadline of the answer stays where the assignment put it.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it waits for no acceptance
    """
    case = _held(case, version=version)
    case.handler = db.session.get(Account, by.id)
    case.accepted_at = now
    _move(case, Move.ACCEPT, Happening.ACCEPTED, by=by, now=now, facts={"unit": case.lead_id})
    _tell_person(case, "accepted", now=now)


def return_case(*, case: Case, ground: str, version: int, by: Actor, now: datetime) -> None:
    """Give the request back to the assigner with a written ground; the clock of the answer goes on.

    The unit stands as the lead until another is named, so that its desk still sees what became of it.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if the unit does not have it
    :raises GroundMissing: without a ground
    """
    case = _held(case, version=version)
    after(case.state, Move.RETURN)
    if not ground:
        raise GroundMissing
    case.handler, case.accepted_at = None, None
    case.returns += 1
    _move(case, Move.RETURN, Happening.RETURNED, by=by, now=now, words=ground, facts={"unit": case.lead_id})


def reply(
    *,
    case: Case,
    kind: AnswerKind,
    text: str,
    version: int,
    by: Actor,
    now: datetime,
    rule: str | None = None,
    promised_on: date | None = None,
) -> Answer:
    """Answer the request; the intake desk then hears within three working days whether it helped.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no answer is owed
    :raises AnswerMissing: without words
    :raises RuleMissing: if it cannot be done and no rule is named
    :raises PlanDateMissing: if it is under way and no day is named
    :raises PlanDatePast: if that day is past
    """
    case = _held(case, version=version)
    after(case.state, Move.REPLY)
    if not text:
        raise AnswerMissing
    if kind is AnswerKind.IMPOSSIBLE and not rule:
        raise RuleMissing
    if kind is AnswerKind.IN_PROGRESS:
        if promised_on is None:
            raise PlanDateMissing
        if promised_on < office_day(now):
            raise PlanDatePast
    answer = Answer(
        kind=kind,
        text=text,
        rule=rule if kind is AnswerKind.IMPOSSIBLE else None,
        promised_on=promised_on if kind is AnswerKind.IN_PROGRESS else None,
        unit_id=case.lead_id,
        account_id=by.id,
        answered_at=now,
    )
    case.answers.append(answer)
    case.replied_at = now
    db.session.flush()  # the line names the answer
    facts = {"unit": case.lead_id, "answer": answer.id, "kind": kind}
    _move(case, Move.REPLY, Happening.REPLIED, by=by, now=now, words=text, facts=facts)
    _tell_person(case, "replied", now=now)
    return answer


def open_answer(*, case: Case, by: Actor, now: datetime) -> None:
    """Note that the person opened the latest answer: it is delivered. The second time changes nothing."""
    case = _held(case)
    answer = case.answer
    if answer is None or answer.delivered_at is not None:
        return
    _deliver(answer, ReachChannel.PAGE, at=now)
    _record(case, Happening.OPENED, by=by, now=now, facts={"answer": answer.id})
    notices.opened(about=case.subject, now=now)


def log_attempt(
    *,
    case: Case,
    channel: ReachChannel,
    reached: bool,
    at: datetime,
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ReachAttempt:
    """Note an attempt to bring the person the answer, by whom and when (`at`, aware); one that reached delivers it.

    :raises MoveRefused: if no answer waits to be heard
    :raises NotHeardByMessage: for a mail or an SMS said to have reached them
    :raises AttemptOutOfTime: for a moment before the answer or after now
    """
    case = _held(case)
    answer = _waiting_answer(case, Move.CONTENT)
    if reached and channel not in SPOKEN:
        raise NotHeardByMessage
    begun = answer.answered_at.replace(second=0, microsecond=0)  # a form tells a time to the minute
    if not begun <= at <= now:
        raise AttemptOutOfTime
    attempt = ReachAttempt(channel=channel, at=at, reached=reached, account_id=by.id, note=note or None)
    answer.attempts.append(attempt)
    if reached and answer.delivered_at is None:
        _deliver(answer, channel, at=at)
    db.session.flush()  # the line names the attempt
    _record(
        case,
        Happening.TOLD if reached else Happening.MISSED,
        by=by,
        now=now,
        words=note or None,
        facts={"answer": answer.id, "attempt": attempt.id, "channel": channel, "at": at.isoformat()},
    )
    return attempt


def take_feedback(
    *,
    case: Case,
    solved: bool,
    satisfaction: Satisfaction,
    words: str | None,
    by: Actor,
    now: datetime,
) -> Feedback:
    """Take down, once, what the person says of the latest answer: it closes, or goes to a supervisor.

    :raises AlreadyHeard: if it was taken down before
    :raises MoveRefused: if no answer waits to be heard
    :raises NotDelivered: if the person has not had the answer
    """
    case = _held(case)
    if case.answer is not None and case.answer.feedback is not None:
        raise AlreadyHeard
    content = is_content(solved=solved, satisfaction=satisfaction)
    answer = _waiting_answer(case, Move.CONTENT if content else Move.CONTEST)
    if answer.delivered_at is None:
        raise NotDelivered
    feedback = Feedback(
        solved=solved, satisfaction=satisfaction, words=words or None, at=now, by_kind=by.kind, by_id=by.id
    )
    answer.feedback = feedback
    _move(
        case,
        Move.CONTENT if content else Move.CONTEST,
        Happening.CONTENT if content else Happening.CONTESTED,
        by=by,
        now=now,
        words=words or None,
        facts={"answer": answer.id, "solved": solved, "satisfaction": satisfaction},
    )
    if content:
        _tell_person(case, "closed", now=now, ending="content")
    return feedback


def give_up_reaching(*, case: Case, version: int, by: Actor, now: datetime) -> None:
    """Close a request whose answer could not be brought: two failed attempts, on two channels, on different days.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no answer waits to be heard
    :raises TooFewAttempts, OneChannelOnly, OneDayOnly: naming what is missing
    """
    case = _held(case, version=version)
    answer = _waiting_answer(case, Move.GIVE_UP_REACHING)
    check_unreached(queries.failed_attempts(answer))
    _move(case, Move.GIVE_UP_REACHING, Happening.UNREACHED, by=by, now=now, facts={"answer": answer.id})
    _tell_person(case, "closed", now=now, ending="unreached")


def reopen(*, case: Case, reason: str, version: int, by: Actor, now: datetime) -> None:
    """Have the lead unit answer a contested request again, within five working days from now.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it is not contested
    :raises ReasonMissing: without a reason
    """
    case = _held(case, version=version)
    after(case.state, Move.REOPEN)
    if not reason:
        raise ReasonMissing
    due = working_calendar().due(now, DAYS_TO_ANSWER_AGAIN)
    case.answer_due_at, case.answer_due_provisional = due.at, due.provisional
    case.reopenings += 1
    _move(case, Move.REOPEN, Happening.REOPENED, by=by, now=now, words=reason, facts={"unit": case.lead_id})
    _tell_person(case, "reopened", now=now, reason=reason)
    _tell_desk(case, Permission.CASE_HANDLE, "for_unit", now=now)


def close_with_reason(*, case: Case, reason: str, version: int, by: Actor, now: datetime) -> None:
    """Close a contested request although the person is not satisfied; they are told the reason.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it is not contested
    :raises ReasonMissing: without a reason
    """
    case = _held(case, version=version)
    after(case.state, Move.CLOSE_WITH_REASON)
    if not reason:
        raise ReasonMissing
    _move(case, Move.CLOSE_WITH_REASON, Happening.CLOSED_WITH_REASON, by=by, now=now, words=reason)
    _tell_person(case, "closed", now=now, ending="reason", reason=reason)


def withdraw(*, case: Case, words: str | None, by: Actor, now: datetime) -> None:
    """Take the request back by the person's own wish (`by` is the person, or whoever heard it from them).

    :raises MoveRefused: if it has ended
    """
    case = _held(case)
    _move(case, Move.WITHDRAW, Happening.WITHDRAWN, by=by, now=now, words=words or None)
    if by.kind is not ActorKind.ATTENDEE:
        _tell_person(case, "closed", now=now, ending="withdrawn")


def urge(*, case: Case, words: str | None, by: Actor, now: datetime) -> None:
    """Ask the answerable unit to hurry and tell its desk; the state and the deadline stay.

    :raises NothingOwed: if it has ended
    """
    case = _held(case)
    if not case.state.is_open:
        raise NothingOwed
    _record(case, Happening.URGED, by=by, now=now, words=words or None, facts={"unit": case.answerable_id})
    permission = Permission.CASE_HANDLE if case.state in OWED_BY_THE_LEAD_UNIT else Permission.CASE_ASSIGN
    _tell_desk(case, permission, "urged", now=now, words=words)


def erase_words(*, cases: Sequence[Case]) -> None:
    """Erase what was asked and answered, and where the answer went; what is counted, and the chain, stay."""
    for case in cases:
        case.title = case.words = STRUCK
        case.contact_point_id = None
        for answer in case.answers:
            answer.text = STRUCK
            answer.rule = STRUCK if answer.rule else None
            for attempt in answer.attempts:
                attempt.note = None
            if answer.feedback is not None:
                answer.feedback.words = None
    db.session.flush()
    ids = [case.id for case in cases]
    history.forget_words(kind="case", ids=ids)
    notices.forget_about(kind="case", ids=ids)


def let_go(*, case: Case, nobody: Person, by: Actor, now: datetime) -> None:
    """Cut a request off the person who asked; one that is open is withdrawn first. Its words are erased."""
    _withdraw_if_open(case, by=by, now=now)
    case.person_id = nobody.id
    erase_words(cases=[case])


def erase_person(*, person_id: int, by: Actor, now: datetime) -> None:
    """Withdraw what a person asked for and is still open, and erase the words of all they ever asked."""
    asked = db.session.scalars(sa.select(Case).where(Case.person_id == person_id).order_by(Case.id)).all()
    for case in asked:
        _withdraw_if_open(case, by=by, now=now)
    erase_words(cases=asked)


def hand_on(*, leaver: Account, successor: Account, by: Actor, now: datetime) -> list[int]:
    """Give a successor the open requests in the hands of who leaves, or written down for them; return their ids.

    A handler's go on only where the successor may handle for the unit that leads; the unit stays answerable anyway.
    """
    handed = []
    concerned = sa.or_(Case.handler_id == leaver.id, Case.registered_for_id == leaver.id)
    for case in db.session.scalars(locked(sa.select(Case).where(queries.OPEN, concerned).order_by(Case.id))).all():
        takes = case.lead is not None and reaches(successor, case.lead, Permission.CASE_HANDLE)
        if case.registered_for_id == leaver.id:
            case.registered_for_id = successor.id
        elif not takes:
            continue
        if case.handler_id == leaver.id and takes:
            case.handler_id = successor.id
        _record(case, Happening.HANDED_ON, by=by, now=now, facts={"from": leaver.id, "to": successor.id})
        handed.append(case.id)
    return handed


def save_routes(*, intake: Organisation, units: Mapping[Topic, Organisation], by: Actor, now: datetime) -> None:
    """Make these the intake desk's standing routes; a topic that is not named is assigned by hand."""
    held = {route.topic: route for route in db.session.scalars(locked(_routes(intake)))}
    for topic, route in held.items():
        if topic not in units:
            db.session.delete(route)
    for topic, unit in units.items():
        if topic in held:
            held[topic].unit = unit
        else:
            db.session.add(TopicRoute(intake_id=intake.id, topic=topic, unit=unit))
    history.write(
        subject=Subject("organisation", intake.id),
        act="topic_routes_saved",
        by=by,
        now=now,
        facts={topic.value: unit.id for topic, unit in units.items()},
    )


def _withdraw_if_open(case: Case, *, by: Actor, now: datetime) -> None:
    case = _held(case)
    if case.state.is_open:
        _move(case, Move.WITHDRAW, Happening.WITHDRAWN, by=by, now=now)


def _assign(
    case: Case, unit: Organisation, happening: Happening, *, by: Actor, now: datetime, words: str | None = None
) -> None:
    after(case.state, Move.ASSIGN)
    case.lead = unit
    case.assigned_at = case.assigned_at or now
    due = answer_deadline(assigned_at=case.assigned_at, complex=case.complex, calendar=working_calendar())
    case.answer_due_at, case.answer_due_provisional = due.at, due.provisional
    facts = {"unit": unit.id, "complex": case.complex, "answer_due_at": due.at.isoformat()}
    _move(case, Move.ASSIGN, happening, by=by, now=now, words=words, facts=facts)
    _tell_desk(case, Permission.CASE_HANDLE, "for_unit", now=now)


def _move(
    case: Case,
    move: Move,
    happening: Happening,
    *,
    by: Actor,
    now: datetime,
    words: str | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    _enter(case, after(case.state, move), now=now)
    _record(case, happening, by=by, now=now, words=words, facts=facts)


def _enter(case: Case, state: CaseState, *, now: datetime) -> None:
    """Put the request into a state, and with it the one unit that is answerable and the one next deadline."""
    case.state = state
    if not state.is_open:
        case.answerable, case.due_at, case.due_provisional, case.ended_at = None, None, False, now
        return
    answer = Deadline(at=case.answer_due_at, provisional=case.answer_due_provisional) if case.answer_due_at else None
    due = next_deadline(state, now=now, answer=answer, calendar=working_calendar())
    case.answerable = case.lead if state in OWED_BY_THE_LEAD_UNIT else case.intake
    case.due_at, case.due_provisional = due.at, due.provisional


def _record(
    case: Case,
    happening: Happening,
    *,
    by: Actor,
    now: datetime,
    words: str | None = None,
    facts: dict[str, Any] | None = None,
) -> None:
    db.session.flush()  # the line names ids
    stands = {
        "state": case.state,
        "answerable": case.answerable_id,
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "provisional": case.due_provisional,
    }
    history.write(
        subject=case.subject, act=happening.value, by=by, now=now, words=words, facts={**stands, **(facts or {})}
    )


def _held(case: Case, *, version: int | None = None) -> Case:
    held = db.session.scalars(locked(sa.select(Case).where(Case.id == case.id))).one()
    if version is not None and held.version != version:
        raise ChangedMeanwhile(who=queries.last_actor(held) or "—", state=held.state)
    return held


def _waiting_answer(case: Case, move: Move) -> Answer:
    after(case.state, move)
    answer = case.answer
    if answer is None:  # replied means that there is one; an import may not have brought it
        raise MoveRefused(state=case.state, move=move)
    return answer


def _deliver(answer: Answer, channel: ReachChannel, *, at: datetime) -> None:
    answer.delivered_at, answer.delivered_by = at, channel


def _tell_person(case: Case, template: str, *, now: datetime, **values: str) -> None:
    if case.contact_point is None:
        return
    notices.tell(
        kind=f"case_{template}",
        contact_point=case.contact_point,
        template=f"cases/messages/{template}.txt",
        values={**_told(case), "name": case.person.name, "token": case.token, **values},
        about=case.subject,
        person=case.person,
        now=now,
    )


def _tell_desk(case: Case, permission: Permission, template: str, *, now: datetime, words: str | None = None) -> None:
    for account in queries.desk_of(case.answerable, permission):
        notices.tell_account(
            kind=f"case_{template}",
            account=account,
            template=f"cases/messages/{template}.txt",
            values={**_told(case), "unit": case.answerable.short_name, "words": words},
            about=case.subject,
            now=now,
        )


def _told(case: Case) -> dict[str, Any]:
    unit = case.lead or case.answerable
    return {
        "id": case.id,
        "number": case.number,
        "title": case.title,
        "unit": unit.short_name if unit and case.state is not CaseState.REGISTERED else None,
        "due_at": case.due_at.isoformat() if case.due_at else None,
        "answer_due_at": case.answer_due_at.isoformat() if case.answer_due_at else None,
    }


def _routes(intake: Organisation) -> sa.Select[tuple[TopicRoute]]:
    return sa.select(TopicRoute).where(TopicRoute.intake_id == intake.id)


def _next_number(now: datetime) -> str:
    """Return the next number of the office's year; counting holds the year's row until the transaction ends."""
    year = office_day(now).year
    insert = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    counted = (
        insert(CaseYear)
        .values(year=year, last=1)
        .on_conflict_do_update(index_elements=["year"], set_={"last": CaseYear.last + 1})
        .returning(CaseYear.last)
    )
    return f"{year}-{db.session.scalar(counted):04}"


def move_away(*, contact_point: ContactPoint, person: Person | None, instead: ContactPoint | None) -> None:
    """Take the requests of a person, or of everybody, away from a number; links that were sent there end with it."""
    theirs = Case.person_id == person.id if person else sa.true()
    db.session.execute(
        sa.update(Case)
        .where(Case.contact_point_id == contact_point.id, theirs)
        .values(contact_point_id=instead.id if instead else None)
    )
