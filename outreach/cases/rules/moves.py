"""The life of a request: states, the table of moves, who owes the next step. Source: domain.md."""

from enum import StrEnum

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


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


RETURNS_FOR_AN_ARBITER = 2
"""From so many returns on the unit is for an arbiter to name: desks passing a request back and forth settle nothing."""


OWED_BY_THE_LEAD_UNIT = frozenset({CaseState.ASSIGNED, CaseState.ACCEPTED})
"""Open states in which the lead unit is answerable; in every other one it is the intake desk.

The intake desk also hears the talent: domain.md leaves it to «the one who asks for it», and a unit is measured by
what people say of its answers, so it does not collect its own marks. A contest waits for the intake desk's supervisor.
"""


class Act(StrEnum):
    """What a member of staff may do with a request; whether its state allows it is for MOVES to say."""

    ASSIGN = "assign"
    HANDLE = "handle"  # accept, return, answer
    TELL = "tell"  # log an attempt to reach the person
    HEAR = "hear"  # take down what the person said, give up reaching, withdraw for them
    URGE = "urge"
    DECIDE = "decide"  # on a contest


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


def after(state: CaseState, move: Move) -> CaseState:
    """Return the state the move leads to.

    :raises MoveRefused: if a request in this state cannot make it
    """
    try:
        return MOVES[state][move]
    except KeyError:
        raise MoveRefused(move=move, state=state) from None
