"""The life of a request: states, the table of moves, who owes the next step, deadlines. Source: domain.md."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.kernel.working_days import Deadline, WorkingCalendar
from outreach.people.rules.merging import Rows


class Topic(StrEnum):
    """What a request is about (三后 and 关键小事)."""

    HOUSING = "housing"
    RESIDENCE = "residence"
    SCHOOLING = "schooling"
    SPOUSE = "spouse"
    MEDICAL = "medical"
    INSURANCE = "insurance"
    PROJECT = "project"
    FINANCE = "finance"
    PLATFORM = "platform"
    HIRING = "hiring"
    POLICY = "policy"
    ADVICE = "advice"  # 问策: needs an answer as much as a request does
    OTHER = "other"

    @property
    def label(self) -> str:
        """The name of the topic, to be translated."""
        return TOPICS[self]


TOPICS = {
    Topic.HOUSING: N_("Housing"),
    Topic.RESIDENCE: N_("Household registration"),
    Topic.SCHOOLING: N_("Schooling of children"),
    Topic.SPOUSE: N_("Work for the spouse"),
    Topic.MEDICAL: N_("Medical care"),
    Topic.INSURANCE: N_("Social insurance"),
    Topic.PROJECT: N_("Project applications"),
    Topic.FINANCE: N_("Financing"),
    Topic.PLATFORM: N_("Research facilities"),
    Topic.HIRING: N_("Hiring"),
    Topic.POLICY: N_("Policy advice"),
    Topic.ADVICE: N_("A suggestion"),
    Topic.OTHER: N_("Something else"),
}


class CaseSource(StrEnum):
    """Where a request came from."""

    VISIT = "visit"
    MINUTES = "minutes"
    FEEDBACK = "feedback"
    PUBLIC_FORM = "public_form"
    PHONE = "phone"
    OFFICIAL = "official"
    IMPORT = "import"

    @property
    def label(self) -> str:
        """The name of the source, to be translated."""
        return CASE_SOURCES[self]


CASE_SOURCES = {
    CaseSource.VISIT: N_("a visit"),
    CaseSource.MINUTES: N_("the minutes of an event"),
    CaseSource.FEEDBACK: N_("a feedback form"),
    CaseSource.PUBLIC_FORM: N_("the public form"),
    CaseSource.PHONE: N_("a telephone call"),
    CaseSource.OFFICIAL: N_("an official's hand"),
    CaseSource.IMPORT: N_("an earlier ledger"),
}


class CaseState(StrEnum):
    """Where a request stands."""

    REGISTERED = "registered"
    ASSIGNED = "assigned"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    REPLIED = "replied"
    CONTESTED = "contested"  # the talent says it did not help: a supervisor decides
    CLOSED = "closed"
    UNREACHED = "unreached"  # closed after two attempts on two channels on different days
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The name of the state as desks say it, to be translated."""
        return CASE_STATES[self]

    @property
    def is_open(self) -> bool:
        """Whether somebody still owes a step."""
        return self in OWED


CASE_STATES = {
    CaseState.REGISTERED: N_("Registered"),
    CaseState.ASSIGNED: N_("Assigned"),
    CaseState.RETURNED: N_("Returned"),
    CaseState.ACCEPTED: N_("Accepted"),
    CaseState.REPLIED: N_("Replied"),
    CaseState.CONTESTED: N_("Not satisfied"),
    CaseState.CLOSED: N_("Closed"),
    CaseState.UNREACHED: N_("Closed, not reached"),
    CaseState.WITHDRAWN: N_("Withdrawn"),
}


class Move(StrEnum):
    """What somebody does with a request that changes its state."""

    ASSIGN = "assign"
    ACCEPT = "accept"
    RETURN = "return"
    REPLY = "reply"
    CONTENT = "content"  # the talent heard the answer and says it is well
    CONTEST = "contest"  # the talent says it is not
    REOPEN = "reopen"
    CLOSE_WITH_REASON = "close_with_reason"  # a supervisor, against a contest
    GIVE_UP_REACHING = "give_up_reaching"
    WITHDRAW = "withdraw"

    @property
    def label(self) -> str:
        """The name of the move, to be translated."""
        return MOVE_NAMES[self]


MOVE_NAMES = {
    Move.ASSIGN: N_("assign it"),
    Move.ACCEPT: N_("accept it"),
    Move.RETURN: N_("return it"),
    Move.REPLY: N_("answer it"),
    Move.CONTENT: N_("take the feedback"),
    Move.CONTEST: N_("take the feedback"),
    Move.REOPEN: N_("reopen it"),
    Move.CLOSE_WITH_REASON: N_("close it with a reason"),
    Move.GIVE_UP_REACHING: N_("close it as not reached"),
    Move.WITHDRAW: N_("withdraw it"),
}

MOVES: dict[CaseState, dict[Move, CaseState]] = {
    CaseState.REGISTERED: {Move.ASSIGN: CaseState.ASSIGNED, Move.WITHDRAW: CaseState.WITHDRAWN},
    CaseState.ASSIGNED: {
        Move.ACCEPT: CaseState.ACCEPTED,
        Move.RETURN: CaseState.RETURNED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.RETURNED: {Move.ASSIGN: CaseState.ASSIGNED, Move.WITHDRAW: CaseState.WITHDRAWN},
    CaseState.ACCEPTED: {
        Move.REPLY: CaseState.REPLIED,
        Move.RETURN: CaseState.RETURNED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.REPLIED: {
        Move.CONTENT: CaseState.CLOSED,
        Move.CONTEST: CaseState.CONTESTED,
        Move.GIVE_UP_REACHING: CaseState.UNREACHED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.CONTESTED: {
        Move.REOPEN: CaseState.ACCEPTED,
        Move.CLOSE_WITH_REASON: CaseState.CLOSED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.CLOSED: {},
    CaseState.UNREACHED: {},
    CaseState.WITHDRAWN: {},
}


class Step(StrEnum):
    """The step that is owed next."""

    ASSIGN = "assign"
    ACCEPT = "accept"
    ANSWER = "answer"
    HEAR = "hear"  # hear from the talent whether it helped
    DECIDE = "decide"

    @property
    def label(self) -> str:
        """The name of the step, to be translated."""
        return STEP_NAMES[self]


STEP_NAMES = {
    Step.ASSIGN: N_("assign it"),
    Step.ACCEPT: N_("accept it"),
    Step.ANSWER: N_("answer it"),
    Step.HEAR: N_("hear whether it helped"),
    Step.DECIDE: N_("decide on it"),
}

OWED: dict[CaseState, Step] = {
    CaseState.REGISTERED: Step.ASSIGN,
    CaseState.ASSIGNED: Step.ACCEPT,
    CaseState.RETURNED: Step.ASSIGN,
    CaseState.ACCEPTED: Step.ANSWER,
    CaseState.REPLIED: Step.HEAR,
    CaseState.CONTESTED: Step.DECIDE,
}
"""What is owed in each open state; a state that is not here is an end."""

DAYS_TO_ASSIGN = 1
DAYS_TO_ACCEPT = 1
DAYS_TO_ANSWER = 5
DAYS_TO_ANSWER_COMPLEX = 15
DAYS_TO_DECIDE = 1
DAYS_TO_HEAR = 3
DAYS_TO_ANSWER_AGAIN = 5
RETURNS_FOR_AN_ARBITER = 2
"""From so many returns on the unit is for an arbiter to name: desks passing a request back and forth settle nothing."""

DAYS: dict[Step, int] = {
    Step.ASSIGN: DAYS_TO_ASSIGN,
    Step.ACCEPT: DAYS_TO_ACCEPT,
    Step.ANSWER: DAYS_TO_ANSWER,
    Step.HEAR: DAYS_TO_HEAR,
    Step.DECIDE: DAYS_TO_DECIDE,
}
"""Working days for each step, but for an answer to a complex request or after a reopening."""

OWED_BY_THE_LEAD_UNIT = frozenset({CaseState.ASSIGNED, CaseState.ACCEPTED})
"""Open states in which the lead unit is answerable; in every other one it is the intake desk.

The intake desk also hears the talent: domain.md leaves it to «the one who asks for it», and a unit is measured by
what people say of its answers, so it does not collect its own marks. A contest waits for the intake desk's supervisor.
"""


def answer_deadline(*, assigned_at: datetime, complex: bool, calendar: WorkingCalendar) -> Deadline:  # noqa: A002
    """Return when the answer is due. The clock runs from the first assignment; a return does not stop it."""
    return calendar.due(assigned_at, DAYS_TO_ANSWER_COMPLEX if complex else DAYS_TO_ANSWER)


def next_deadline(state: CaseState, *, now: datetime, answer: Deadline | None, calendar: WorkingCalendar) -> Deadline:
    """Return when the step owed in an open state is due, for a request that entered it now.

    `answer` is the deadline of the answer, which accepting does not move.

    :raises KeyError: for a state that is an end
    """
    step = OWED[state]
    if step is Step.ANSWER and answer is not None:
        return answer
    return calendar.due(now, DAYS[step])


@dataclass(frozen=True)
class Standing:
    """How far a deadline is from now, in working days: negative when it is past, 0 on its day."""

    days: int
    late: bool
    share: float  # of the time that is used, 0 to 1

    @property
    def tone(self) -> str:
        """The colour of the distance: late, wait (two working days or less), run, rest (more than six)."""
        if self.late:
            return "late"
        return "wait" if self.days <= 2 else "run" if self.days <= 6 else "rest"


def standing(*, since: datetime, due_at: datetime, now: datetime, calendar: WorkingCalendar) -> Standing:
    """Return how a deadline that was set at `since` stands now."""
    whole = max(calendar.distance(since, due_at), 1)
    days = calendar.distance(now, due_at)
    return Standing(days=days, late=due_at < now, share=min(max((whole - days) / whole, 0.0), 1.0))


UNIT_WORDS: dict[Topic, tuple[str, ...]] = {
    Topic.HOUSING: ("住建", "住房"),
    Topic.RESIDENCE: ("公安",),
    Topic.SCHOOLING: ("教育",),
    Topic.SPOUSE: ("人社", "人力资源"),
    Topic.MEDICAL: ("卫健", "卫生健康", "医保"),
    Topic.INSURANCE: ("人社", "人力资源"),
    Topic.PROJECT: ("科技", "科学技术"),
    Topic.FINANCE: ("金融",),
    Topic.PLATFORM: ("科技", "科学技术"),
    Topic.HIRING: ("人社", "人力资源"),
}
"""What the name of the unit that usually handles a topic contains; a topic that is not here stays with the intake desk
(policy advice, suggestions, everything else)."""


def suggested_unit(topic: Topic, names: Sequence[str]) -> int | None:
    """Return the place, in a list of units' names, of the one that usually handles a topic; None if none does.

    It is only proposed: nothing is routed before a person has saved it.
    """
    for word in UNIT_WORDS.get(topic, ()):
        for place, name in enumerate(names):
            if word in name:
                return place
    return None


LONGEST_TITLE = 40


def title_of(words: str) -> str:
    """Return a title for what somebody said: the first sentence, or as much of it as fits, in one line."""
    line = " ".join(words.split())
    first = re.split(r"(?<=[。！？!?；;])|(?<=\.)\s", line, maxsplit=1)[0].rstrip("。；;. ")
    first = first or line
    return first if len(first) <= LONGEST_TITLE else first[: LONGEST_TITLE - 1].rstrip("，、, ") + "…"


TOPIC_SAID: tuple[tuple[str, Topic], ...] = (
    ("住房", Topic.HOUSING),
    ("公寓", Topic.HOUSING),
    ("安居", Topic.HOUSING),
    ("落户", Topic.RESIDENCE),
    ("户口", Topic.RESIDENCE),
    ("户籍", Topic.RESIDENCE),
    ("子女", Topic.SCHOOLING),
    ("入学", Topic.SCHOOLING),
    ("教育", Topic.SCHOOLING),
    ("配偶", Topic.SPOUSE),
    ("家属", Topic.SPOUSE),
    ("医疗", Topic.MEDICAL),
    ("医保", Topic.MEDICAL),
    ("就医", Topic.MEDICAL),
    ("社保", Topic.INSURANCE),
    ("社会保险", Topic.INSURANCE),
    ("项目", Topic.PROJECT),
    ("申报", Topic.PROJECT),
    ("融资", Topic.FINANCE),
    ("贷款", Topic.FINANCE),
    ("资金", Topic.FINANCE),
    ("平台", Topic.PLATFORM),
    ("科研", Topic.PLATFORM),
    ("仪器", Topic.PLATFORM),
    ("用工", Topic.HIRING),
    ("招聘", Topic.HIRING),
    ("招工", Topic.HIRING),
    ("政策", Topic.POLICY),
    ("建议", Topic.ADVICE),
    ("问策", Topic.ADVICE),
    ("其他", Topic.OTHER),
    ("其它", Topic.OTHER),
)
"""Words by which ledgers name a topic, the surest first."""


def topic_said(text: str) -> Topic | None:
    """Return the topic that a ledger's word names; None if it names none."""
    return next((topic for word, topic in TOPIC_SAID if word in text), None)


@dataclass(frozen=True)
class Origin:
    """Where a request was made, for those who may go there: a sentence to be translated, and a page."""

    sentence: str
    values: dict[str, object]
    endpoint: str
    arguments: dict[str, object]


class AnswerKind(StrEnum):
    """What an answer says."""

    SOLVED = "solved"
    IN_PROGRESS = "in_progress"  # with a plan and a date
    IMPOSSIBLE = "impossible"  # only with its reason and the rule it rests on

    @property
    def label(self) -> str:
        """The name of the kind, to be translated."""
        return {
            AnswerKind.SOLVED: N_("It can be done"),
            AnswerKind.IN_PROGRESS: N_("Partly, with a plan"),
            AnswerKind.IMPOSSIBLE: N_("It cannot be done, with the reason and the rule"),
        }[self]


class Satisfaction(StrEnum):
    """What the talent says of it in the end."""

    SATISFIED = "satisfied"
    MOSTLY = "mostly"
    DISSATISFIED = "dissatisfied"

    @property
    def label(self) -> str:
        """The name of the degree, to be translated."""
        return {
            Satisfaction.SATISFIED: N_("Satisfied"),
            Satisfaction.MOSTLY: N_("Mostly satisfied"),
            Satisfaction.DISSATISFIED: N_("Not satisfied"),
        }[self]


class ReachChannel(StrEnum):
    """How somebody tried to reach the person with an answer."""

    MAIL = "mail"
    SMS = "sms"
    TELEPHONE = "telephone"
    IN_PERSON = "in_person"
    PAGE = "page"  # the person opened the answer themselves

    @property
    def label(self) -> str:
        """The name of the channel, to be translated."""
        return {
            ReachChannel.MAIL: N_("Mail"),
            ReachChannel.SMS: N_("SMS"),
            ReachChannel.TELEPHONE: N_("Telephone"),
            ReachChannel.IN_PERSON: N_("In person"),
            ReachChannel.PAGE: N_("Opened by the person"),
        }[self]


SPOKEN = frozenset({ReachChannel.TELEPHONE, ReachChannel.IN_PERSON})
"""Where a member of staff can say that the person heard it. A mail or an SMS that was sent has not been heard."""


class Act(StrEnum):
    """What a member of staff may do with a request; whether its state allows it is for MOVES to say."""

    ASSIGN = "assign"
    HANDLE = "handle"  # accept, return, answer
    TELL = "tell"  # log an attempt to reach the person
    HEAR = "hear"  # take down what the person said, give up reaching, withdraw for them
    URGE = "urge"
    DECIDE = "decide"  # on a contest


class Happening(StrEnum):
    """What a line of a request's history says happened."""

    REGISTERED = "registered"
    ASSIGNED = "assigned"
    ROUTED = "routed"  # assigned by the intake desk's standing rule
    ACCEPTED = "accepted"
    RETURNED = "returned"
    REPLIED = "replied"
    OPENED = "opened"
    TOLD = "told"
    MISSED = "missed"
    CONTENT = "content"
    CONTESTED = "contested"
    REOPENED = "reopened"
    CLOSED_WITH_REASON = "closed_with_reason"
    UNREACHED = "unreached"
    WITHDRAWN = "withdrawn"
    URGED = "urged"
    TAKEN_OVER = "taken_over"  # from an earlier ledger
    TAKEN_BACK = "taken_back"  # out again, with the file that brought it

    @property
    def label(self) -> str:
        """The sentence, to be translated; its places are who, unit, and a choice (kind, channel, degree)."""
        return HAPPENINGS[self]


class Outcome(StrEnum):
    """Whether it is solved, in the words of a history."""

    SOLVED = "solved"
    UNSOLVED = "unsolved"

    @property
    def label(self) -> str:
        """The word, to be translated."""
        return {Outcome.SOLVED: N_("Solved"), Outcome.UNSOLVED: N_("Not solved")}[self]


ASKED = N_("Asked: “%(title)s”")
ANSWERED = N_("%(unit)s answered “%(title)s”")
ENDED = N_("“%(title)s”: %(state)s")
"""What a person's timeline says."""

HAPPENINGS = {
    Happening.REGISTERED: N_("%(who)s wrote it down"),
    Happening.ASSIGNED: N_("%(who)s assigned it to %(unit)s"),
    Happening.ROUTED: N_("It went to %(unit)s by the standing rule for its topic"),
    Happening.ACCEPTED: N_("%(who)s accepted it for %(unit)s"),
    Happening.RETURNED: N_("%(who)s returned it for %(unit)s"),
    Happening.REPLIED: N_("%(who)s answered for %(unit)s: %(choice)s"),
    Happening.OPENED: N_("%(who)s opened the answer"),
    Happening.TOLD: N_("%(who)s told them the answer: %(choice)s"),
    Happening.MISSED: N_("%(who)s tried to reach them, in vain: %(choice)s"),
    Happening.CONTENT: N_("%(who)s took down what they said: %(outcome)s, %(choice)s"),
    Happening.CONTESTED: N_("%(who)s took down what they said: %(outcome)s, %(choice)s"),
    Happening.REOPENED: N_("%(who)s reopened it; %(unit)s answers again"),
    Happening.CLOSED_WITH_REASON: N_("%(who)s closed it with a reason"),
    Happening.UNREACHED: N_("%(who)s closed it: not reached after two attempts"),
    Happening.WITHDRAWN: N_("%(who)s took it back by their wish"),
    Happening.URGED: N_("%(who)s urged it"),
    Happening.TAKEN_OVER: N_("%(who)s took it over from an earlier ledger"),
    Happening.TAKEN_BACK: N_("%(who)s undid the file that brought it"),
}

BY_THE_PERSON = {
    Happening.REGISTERED: N_("%(who)s wrote it themselves"),
    Happening.CONTENT: N_("%(who)s says: %(outcome)s, %(choice)s"),
    Happening.CONTESTED: N_("%(who)s says: %(outcome)s, %(choice)s"),
    Happening.WITHDRAWN: N_("%(who)s took it back"),
}
"""The sentences where the person did it themselves."""


class Tab(StrEnum):
    """A saved view of the list of requests."""

    OPEN = "open"
    WATCH = "watch"
    LATE = "late"
    TODAY = "today"
    OWED = "owed"
    TO_ASSIGN = "to_assign"
    TO_ACCEPT = "to_accept"
    TO_ANSWER = "to_answer"
    TO_HEAR = "to_hear"
    CONTESTED = "contested"
    ENDED = "ended"

    @property
    def label(self) -> str:
        """The name of the view, to be translated."""
        return TABS[self]


TABS = {
    Tab.OPEN: N_("All open"),
    Tab.WATCH: N_("To watch"),
    Tab.LATE: N_("Overdue"),
    Tab.TODAY: N_("Due today"),
    Tab.OWED: N_("Ours to do"),
    Tab.TO_ASSIGN: N_("To assign"),
    Tab.TO_ACCEPT: N_("To accept"),
    Tab.TO_ANSWER: N_("To answer"),
    Tab.TO_HEAR: N_("Waiting for feedback"),
    Tab.CONTESTED: N_("Not satisfied"),
    Tab.ENDED: N_("Ended"),
}


class MoveRefused(Refused):
    """The state the request is in does not allow this."""

    message = N_("This request is now “%(state)s”, so it is not possible to %(move)s.")


class NothingOwed(Refused):
    """An ended request cannot be urged."""

    message = N_("This request has ended; nobody owes a step any more.")


class ChangedMeanwhile(Refused):
    """Somebody else changed the request after this page was opened."""

    message = N_(
        "While you were writing, this request was changed (%(who)s); it is now “%(state)s”. "
        "What you typed is still here: read what is new below, then send it again if it still fits."
    )


class GroundMissing(Refused):
    """A return needs its written ground."""

    message = N_("Write down why this is not for your unit, so that it can be assigned better.")
    field = "ground"


class ReasonMissing(Refused):
    """Closing against the talent's word needs a reason that they are told."""

    message = N_("Write down the reason; the person who asked is told it.")
    field = "reason"


class AnswerMissing(Refused):
    """An answer says something."""

    message = N_("Write the answer.")
    field = "text"


class RuleMissing(Refused):
    """«Cannot be done» is an answer only with the rule it rests on."""

    message = N_("Name the rule this rests on: the document and its article.")
    field = "rule"


class PlanDateMissing(Refused):
    """A plan has a date."""

    message = N_("Say by which day it will be done.")
    field = "promised_on"


class PlanDatePast(Refused):
    """A plan lies ahead."""

    message = N_("This day is past already.")
    field = "promised_on"


class NotDelivered(Refused):
    """Nobody can say whether an answer helped that they have not had."""

    message = N_("The person has not had the answer yet, so there is nothing to say of it.")


class AlreadyHeard(Refused):
    """What a person said of an answer is taken down once."""

    message = N_("It has been said already what this answer was worth; thank you.")


class NotHeardByMessage(Refused):
    """A message that was sent has not been heard."""

    message = N_("A message that was sent has not been heard yet. Only a call or a meeting can be logged as reached.")
    field = "channel"


class AttemptOutOfTime(Refused):
    """An attempt lies between the answer and now."""

    message = N_("An attempt to bring the answer lies after the answer and not in the future.")
    field = "at"


class TooFewAttempts(Refused):
    """Giving up takes two logged attempts."""

    message = N_("Two attempts that failed must be logged before giving up; there are %(count)s so far.")


class OneChannelOnly(Refused):
    """Giving up takes two channels."""

    message = N_("Both attempts were by “%(channel)s”. Try it once in another way before giving up.")


class OneDayOnly(Refused):
    """Giving up takes two days."""

    message = N_("Both attempts were on the same day. Try it once more on another day before giving up.")


@dataclass(frozen=True)
class FailedAttempt:
    """An attempt that did not reach the person, on its day in the office."""

    channel: ReachChannel
    day: date


def check_unreached(failed: Collection[FailedAttempt]) -> None:
    """Pass if the attempts allow to give up: two that failed, on two channels, on different days (domain.md).

    Wherever there are two channels and two days among them, two attempts differ in both.

    :raises TooFewAttempts: if there are less than two
    :raises OneChannelOnly: if all were on one channel
    :raises OneDayOnly: if all were on one day
    """
    if len(failed) < 2:
        raise TooFewAttempts(count=len(failed))
    channels = {attempt.channel for attempt in failed}
    if len(channels) == 1:
        raise OneChannelOnly(channel=channels.pop())
    if len({attempt.day for attempt in failed}) == 1:
        raise OneDayOnly


def is_content(*, solved: bool, satisfaction: Satisfaction) -> bool:
    """Tell whether a request closes on this feedback; not solved or not satisfied goes to a supervisor."""
    return solved and satisfaction is not Satisfaction.DISSATISFIED


def after(state: CaseState, move: Move) -> CaseState:
    """Return the state the move leads to.

    :raises MoveRefused: if a request in this state cannot make it
    """
    try:
        return MOVES[state][move]
    except KeyError:
        raise MoveRefused(move=move, state=state) from None


ROWS_OF_A_PERSON = (Rows("cases", N_("requests")),)
"""What merging two records of one person calls what stands here."""
