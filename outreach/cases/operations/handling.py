"""What desks do with a request until it has an answer: assigning, accepting, returning, answering, approving."""

from datetime import date, datetime

from outreach.cases import queries
from outreach.cases.models import Answer, AnswerDraft, AnswersApproved, Case
from outreach.cases.operations.writing import (
    held,
    move,
    record,
    run_answer,
    tell_desk,
    tell_one,
    tell_person,
)
from outreach.cases.rules.answers import AnswerKind, AnswerMissing, PlanDateMissing, PlanDatePast, RuleMissing
from outreach.cases.rules.deadlines import answer_clock
from outreach.cases.rules.moves import (
    BY_A_SUPERVISOR,
    OWED_BY_THE_LEAD_UNIT,
    ArbiterHasDecided,
    CaseState,
    GroundMissing,
    Move,
    NothingOwed,
    Rank,
    ReasonMissing,
    SameUnit,
    WordsMissing,
    after,
    rank_of,
    return_move,
)
from outreach.cases.rules.standard import LinkOfNoRule, check_link
from outreach.cases.rules.telling import Happening
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.history import Subject
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Permission


def assign(
    *,
    case: Case,
    unit: Organisation,
    version: int,
    by: Actor,
    now: datetime,
    complex: bool = False,  # noqa: A002
    urgent: bool = False,
    note: str | None = None,
) -> None:
    """Make a unit answerable; it accepts within a working day. The clock to answer runs from the first assignment.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it waits for no assignment
    """
    case = held(case, version=version)
    case.complex, case.urgent = complex, urgent
    if urgent or case.rank == Rank.URGENT:
        case.rank = rank_of(urgent=urgent, for_leader=case.registered_for_id is not None)
    give_to(case, unit, Move.ASSIGN, Happening.ASSIGNED, by=by, now=now, words=note or None)
    tell_person(case, "assigned", now=now)


def reassign(*, case: Case, unit: Organisation, reason: str, version: int, by: Actor, now: datetime) -> None:
    """Take the request from the unit that has it and give it to another one; both desks are told why.

    For a unit that was closed or never moves. The clock of the answer goes on.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no unit has it
    :raises SameUnit: if that unit has it already
    :raises ReasonMissing: without a reason
    """
    case = held(case, version=version)
    after(case.state, Move.REASSIGN)
    if unit.id == case.lead_id:
        raise SameUnit(unit=unit.short_name)
    if not reason:
        raise ReasonMissing
    tell_desk(case, Permission.CASE_HANDLE, "taken_away", now=now, words=reason)
    case.handler, case.accepted_at, case.arbitrated = None, None, False
    give_to(case, unit, Move.REASSIGN, Happening.REASSIGNED, by=by, now=now, words=reason)
    tell_person(case, "assigned", now=now)


def arbitrate(*, case: Case, unit: Organisation, reason: str, version: int, by: Actor, now: datetime) -> None:
    """Name the unit of a request that desks passed back and forth; it cannot be returned any more.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no arbiter is needed
    :raises ReasonMissing: without a reason, which both desks read
    """
    case = held(case, version=version)
    after(case.state, Move.ARBITRATE)
    if not reason:
        raise ReasonMissing
    case.arbitrated = True
    give_to(case, unit, Move.ARBITRATE, Happening.ARBITRATED, by=by, now=now, words=reason)
    tell_person(case, "assigned", now=now)


def accept(*, case: Case, version: int, by: Actor, now: datetime) -> None:
    """Take the request on for the lead unit. The deadline of the answer stays where the assignment put it.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it waits for no acceptance
    """
    case = held(case, version=version)
    case.handler = db.session.get(Account, by.id)
    case.accepted_at = now
    move(case, Move.ACCEPT, Happening.ACCEPTED, by=by, now=now, facts={"unit": case.lead_id})
    tell_person(case, "accepted", now=now)


def return_case(*, case: Case, ground: str, version: int, by: Actor, now: datetime) -> None:
    """Give the request back with a written ground; the clock of the answer goes on.

    The first time it goes to the assigner, the second time to an arbiter. The unit stands as the lead until another
    is named, so that its desk still sees what became of it.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if the unit does not have it
    :raises ArbiterHasDecided: if an arbiter named the unit
    :raises GroundMissing: without a ground
    """
    case = held(case, version=version)
    step = return_move(case.returns)
    after(case.state, step)
    if case.arbitrated:
        raise ArbiterHasDecided(unit=case.lead.short_name)
    if not ground:
        raise GroundMissing
    case.handler, case.accepted_at = None, None
    case.returns += 1
    move(case, step, Happening.RETURNED, by=by, now=now, words=ground, facts={"unit": case.lead_id})
    if case.state is CaseState.DISPUTED:
        tell_desk(case, Permission.CASE_SUPERVISE, "disputed", now=now, words=ground)


def reply(
    *,
    case: Case,
    kind: AnswerKind,
    text: str,
    version: int,
    by: Actor,
    now: datetime,
    rule: str | None = None,
    rule_link: str | None = None,
    promised_on: date | None = None,
) -> Answer | None:
    """Answer the request; the intake desk then hears within three working days whether it helped.

    Where the unit wants its head to approve answers it is only written down, and None returned: it waits for them.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no answer is owed
    :raises AnswerMissing: without words
    :raises RuleMissing: if it cannot be done and no rule is named
    :raises LinkOfNoRule: if a link leads to a rule that is not named
    :raises LinkOfAnotherKind: if the link is no web address
    :raises PlanDateMissing: if it is under way and no day is named
    :raises PlanDatePast: if that day is past
    """
    case = held(case, version=version)
    after(case.state, Move.REPLY)
    _check_answer(kind, text, rule, promised_on, now)
    if rule_link and not rule:
        raise LinkOfNoRule
    check_link(rule_link)
    said = {
        "kind": kind,
        "text": text,
        "rule": rule or None,
        "rule_link": rule_link or None,
        "promised_on": promised_on if kind is AnswerKind.IN_PROGRESS else None,
        "account_id": by.id,
    }
    case.draft = None
    db.session.flush()  # one draft at a time, by its key
    if queries.wants_approval(case.lead) and queries.approvers_of(case, author_id=by.id, now=now):
        case.draft = AnswerDraft(**said, drafted_at=now)
        facts = {"unit": case.lead_id, "kind": kind}
        move(case, Move.SUBMIT, Happening.SUBMITTED, by=by, now=now, words=text, facts=facts)
        for account in queries.approvers_of(case, author_id=by.id, now=now):
            tell_one(case, account, "to_approve", now=now)
        return None
    return _answer(case, said, Move.REPLY, Happening.REPLIED, by=by, now=now, words=text)


def approve_answer(*, case: Case, version: int, by: Actor, now: datetime) -> Answer:
    """Let the answer of a unit go out, as its head; the person is told.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no answer waits for approval
    """
    case = held(case, version=version)
    after(case.state, Move.APPROVE)
    draft = case.draft
    said = {
        "kind": draft.kind,
        "text": draft.text,
        "rule": draft.rule,
        "rule_link": draft.rule_link,
        "promised_on": draft.promised_on,
        "account_id": draft.account_id,
        "approved_by_id": by.id,
    }
    case.draft = None
    return _answer(case, said, Move.APPROVE, Happening.APPROVED, by=by, now=now)


def send_back(*, case: Case, reason: str, version: int, by: Actor, now: datetime) -> None:
    """Have the answer of a unit written better; its author is told why. The deadline stays.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no answer waits for approval
    :raises WordsMissing: without saying what is missing
    """
    case = held(case, version=version)
    after(case.state, Move.SEND_BACK)
    if not reason:
        raise WordsMissing
    case.draft.sent_back = True
    move(case, Move.SEND_BACK, Happening.SENT_BACK, by=by, now=now, words=reason, facts={"unit": case.lead_id})
    tell_one(case, case.draft.account, "sent_back", now=now, words=reason)


def want_approval(*, unit: Organisation, wanted: bool, by: Actor, now: datetime) -> None:
    """Say whether the unit's answers leave only when its head has approved them. What waits already goes on waiting."""
    found = queries.wants_approval(unit)
    if wanted and found is None:
        db.session.add(AnswersApproved(unit_id=unit.id))
    elif not wanted and found is not None:
        db.session.delete(found)
    else:
        return
    act = "answers_approved" if wanted else "answers_not_approved"
    history.write(subject=Subject("organisation", unit.id), act=act, by=by, now=now)


def urge(*, case: Case, words: str | None, by: Actor, now: datetime) -> None:
    """Ask the answerable unit to hurry and tell its desk; the state and the deadline stay.

    :raises NothingOwed: if it has ended
    """
    case = held(case)
    if not case.state.is_open:
        raise NothingOwed
    record(case, Happening.URGED, by=by, now=now, words=words or None, facts={"unit": case.answerable_id})
    tell_desk(case, whose_turn(case), "urged", now=now, words=words)


def note(*, case: Case, words: str, by: Actor, now: datetime) -> None:
    """Leave a word for those at desks; the person never sees it.

    :raises WordsMissing: without words
    """
    case = held(case)
    if not words:
        raise WordsMissing
    record(case, Happening.NOTED, by=by, now=now, words=words)


def add(*, case: Case, words: str, by: Actor, now: datetime) -> None:
    """Take down what the person adds to their request; whoever owes the next step is told.

    :raises NothingOwed: if it has ended
    :raises WordsMissing: without words
    """
    case = held(case)
    if not case.state.is_open:
        raise NothingOwed
    if not words:
        raise WordsMissing
    record(case, Happening.ADDED, by=by, now=now, words=words)
    tell_desk(case, whose_turn(case), "added", now=now, words=words)


def whose_turn(case: Case) -> Permission:
    """Return the permission of those at the answerable desk who take the next step."""
    if case.state in OWED_BY_THE_LEAD_UNIT:
        return Permission.CASE_HANDLE
    return Permission.CASE_SUPERVISE if case.state in BY_A_SUPERVISOR else Permission.CASE_ASSIGN


def give_to(
    case: Case,
    unit: Organisation,
    step: Move,
    happening: Happening,
    *,
    by: Actor,
    now: datetime,
    words: str | None = None,
) -> None:
    """Make the unit the lead. The clock of the answer starts with the first assignment, and only then."""
    after(case.state, step)
    case.lead = unit
    case.assigned_at = case.assigned_at or now
    if case.answer_since in {None, case.assigned_at}:  # else it runs from a reopening or a plan
        run_answer(case, answer_clock(assigned_at=case.assigned_at, complex=case.complex, extra=case.extra_days))
    facts = {"unit": unit.id, "complex": case.complex, "answer_due_at": case.answer_due_at.isoformat()}
    move(case, step, happening, by=by, now=now, words=words, facts=facts)
    tell_desk(case, Permission.CASE_HANDLE, "for_unit", now=now)


def _check_answer(kind: AnswerKind, text: str, rule: str | None, promised_on: date | None, now: datetime) -> None:
    if not text:
        raise AnswerMissing
    if kind is AnswerKind.IMPOSSIBLE and not rule:
        raise RuleMissing
    if kind is AnswerKind.IN_PROGRESS:
        if promised_on is None:
            raise PlanDateMissing
        if promised_on < office_day(now):
            raise PlanDatePast


def _answer(
    case: Case,
    said: dict[str, object],
    step: Move,
    happening: Happening,
    *,
    by: Actor,
    now: datetime,
    words: str | None = None,
) -> Answer:
    answer = Answer(**said, unit_id=case.lead_id, answered_at=now)
    case.answers.append(answer)
    case.replied_at = now
    db.session.flush()  # the line names the answer
    facts = {"unit": case.lead_id, "answer": answer.id, "kind": answer.kind}
    move(case, step, happening, by=by, now=now, words=words, facts=facts)
    for asked in (case, *case.merged):
        tell_person(asked, "replied", now=now)
    return answer
