"""Bringing the answer to the person, and hearing what it was worth."""

from datetime import datetime

from outreach.cases import queries
from outreach.cases.models import Answer, Case, Feedback, ReachAttempt
from outreach.cases.operations.merging import split_all
from outreach.cases.operations.writing import held, move, record, run_answer, tell_desk, tell_person
from outreach.cases.rules.answers import (
    SPOKEN,
    AlreadyHeard,
    AttemptOutOfTime,
    NotDelivered,
    NotHeardByMessage,
    ReachChannel,
    Satisfaction,
    check_unreached,
    feedback_move,
)
from outreach.cases.rules.deadlines import DAYS_TO_ANSWER_AGAIN, Clock
from outreach.cases.rules.moves import (
    Move,
    MoveRefused,
    ReasonMissing,
    after,
)
from outreach.cases.rules.telling import Happening
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import db
from outreach.notices import operations as notices
from outreach.organisations.rules import Permission


def open_answer(*, case: Case, by: Actor, now: datetime) -> None:
    """Note that the person opened the latest answer: it is delivered. The second time changes nothing."""
    case = held(case)
    if case.merged_into is not None:
        _open_of_another(case, by=by, now=now)
        return
    answer = case.answer
    if answer is None or answer.delivered_at is not None:
        return
    _deliver(answer, ReachChannel.PAGE, at=now)
    record(case, Happening.OPENED, by=by, now=now, facts={"answer": answer.id})
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
    case = held(case)
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
    record(
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

    A plan they agree to is kept: the lead unit owes what was promised by its day.

    :raises AlreadyHeard: if it was taken down before
    :raises MoveRefused: if no answer waits to be heard
    :raises NotDelivered: if the person has not had the answer
    """
    case = held(case)
    if case.answer is not None and case.answer.feedback is not None:
        raise AlreadyHeard
    step = feedback_move(case.answer.kind if case.answer else None, solved=solved, satisfaction=satisfaction)
    answer = _waiting_answer(case, step)
    if answer.delivered_at is None:
        raise NotDelivered
    feedback = Feedback(
        solved=solved, satisfaction=satisfaction, words=words or None, at=now, by_kind=by.kind, by_id=by.id
    )
    answer.feedback = feedback
    if step is Move.KEEP_PLAN:
        run_answer(case, Clock(now, None, answer.promised_on))
    move(
        case,
        step,
        HAPPENED[step],
        by=by,
        now=now,
        words=words or None,
        facts={"answer": answer.id, "solved": solved, "satisfaction": satisfaction, "unit": case.lead_id},
    )
    if step is Move.CONTENT:
        tell_person(case, "closed", now=now, ending="content")
    elif step is Move.CONTEST:
        tell_desk(case, Permission.CASE_SUPERVISE, "contested", now=now)
    return feedback


def give_up_reaching(*, case: Case, version: int, by: Actor, now: datetime) -> None:
    """Close a request whose answer could not be brought: two failed attempts, on two channels, on different days.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no answer waits to be heard
    :raises TooFewAttempts, OneChannelOnly, OneDayOnly: naming what is missing
    """
    case = held(case, version=version)
    answer = _waiting_answer(case, Move.GIVE_UP_REACHING)
    check_unreached(queries.failed_attempts(answer))
    move(case, Move.GIVE_UP_REACHING, Happening.UNREACHED, by=by, now=now, facts={"answer": answer.id})
    tell_person(case, "closed", now=now, ending="unreached")


def reopen(*, case: Case, reason: str, version: int, by: Actor, now: datetime) -> None:
    """Have the lead unit answer a contested request again, within five working days from now.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it is not contested
    :raises ReasonMissing: without a reason
    """
    case = held(case, version=version)
    after(case.state, Move.REOPEN)
    if not reason:
        raise ReasonMissing
    run_answer(case, Clock(now, DAYS_TO_ANSWER_AGAIN))
    case.reopenings += 1
    move(case, Move.REOPEN, Happening.REOPENED, by=by, now=now, words=reason, facts={"unit": case.lead_id})
    tell_person(case, "reopened", now=now, reason=reason)
    tell_desk(case, Permission.CASE_HANDLE, "for_unit", now=now)


def close_with_reason(*, case: Case, reason: str, version: int, by: Actor, now: datetime) -> None:
    """Close a contested request although the person is not satisfied; they are told the reason.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it is not contested
    :raises ReasonMissing: without a reason
    """
    case = held(case, version=version)
    after(case.state, Move.CLOSE_WITH_REASON)
    if not reason:
        raise ReasonMissing
    move(case, Move.CLOSE_WITH_REASON, Happening.CLOSED_WITH_REASON, by=by, now=now, words=reason)
    tell_person(case, "closed", now=now, ending="reason", reason=reason)


def withdraw(*, case: Case, words: str | None, by: Actor, now: datetime) -> None:
    """Take the request back by the person's own wish (`by` is the person, or whoever heard it from them).

    :raises MoveRefused: if it has ended
    """
    case = held(case)
    move(case, Move.WITHDRAW, Happening.WITHDRAWN, by=by, now=now, words=words or None)
    split_all(case=case, now=now)
    if by.kind is not ActorKind.ATTENDEE:
        tell_person(case, "closed", now=now, ending="withdrawn")


HAPPENED = {
    Move.CONTENT: Happening.CONTENT,
    Move.KEEP_PLAN: Happening.PLAN_KEPT,
    Move.CONTEST: Happening.CONTESTED,
}


def _open_of_another(case: Case, *, by: Actor, now: datetime) -> None:
    """Note, once for each answer, that somebody whose request was merged opened the other's answer."""
    answer = case.answer_for_person
    if answer is None or queries.opened_before(case, answer):
        return
    record(case, Happening.OPENED, by=by, now=now, facts={"answer": answer.id})
    notices.opened(about=case.subject, now=now)


def _waiting_answer(case: Case, step: Move) -> Answer:
    after(case.state, step)
    answer = case.answer
    if answer is None:  # replied means that there is one; an import may not have brought it
        raise MoveRefused(state=case.state, move=step)
    return answer


def _deliver(answer: Answer, channel: ReachChannel, *, at: datetime) -> None:
    answer.delivered_at, answer.delivered_by = at, channel
