"""The life of a request: states, the table of moves, who owes the next step. Source: domain.md."""

from enum import IntEnum, StrEnum

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class CaseState(StrEnum):
    """Where a request stands."""

    REGISTERED = "registered"
    ASSIGNED = "assigned"
    RETURNED = "returned"
    DISPUTED = "disputed"  # returned a second time: an arbiter names the unit
    ACCEPTED = "accepted"
    DRAFTED = "drafted"  # the answer is written and waits for the head of the unit
    REPLIED = "replied"
    CONTESTED = "contested"  # the talent says it did not help: a supervisor decides
    CLOSED = "closed"
    UNREACHED = "unreached"  # closed after two attempts on two channels on different days
    WITHDRAWN = "withdrawn"
    MERGED = "merged"  # into another request, whose answer its person gets

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
    CaseState.DISPUTED: N_("For the arbiter"),
    CaseState.ACCEPTED: N_("Accepted"),
    CaseState.DRAFTED: N_("Answer to approve"),
    CaseState.REPLIED: N_("Replied"),
    CaseState.CONTESTED: N_("Not satisfied"),
    CaseState.CLOSED: N_("Closed"),
    CaseState.UNREACHED: N_("Closed, not reached"),
    CaseState.WITHDRAWN: N_("Withdrawn"),
    CaseState.MERGED: N_("Merged"),
}


class Move(StrEnum):
    """What somebody does with a request that changes its state."""

    ASSIGN = "assign"
    REASSIGN = "reassign"  # the intake desk takes it from one unit and gives it to another
    ACCEPT = "accept"
    RETURN = "return"
    RETURN_AGAIN = "return_again"
    ARBITRATE = "arbitrate"
    SUBMIT = "submit"  # an answer, to the head of the unit
    APPROVE = "approve"
    SEND_BACK = "send_back"
    REPLY = "reply"
    CONTENT = "content"  # the talent heard the answer and says it is well
    KEEP_PLAN = "keep_plan"  # the talent heard the plan; what was promised is owed by its day
    CONTEST = "contest"  # the talent says it is not
    REOPEN = "reopen"
    CLOSE_WITH_REASON = "close_with_reason"  # a supervisor, against a contest
    GIVE_UP_REACHING = "give_up_reaching"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    SPLIT = "split"  # the way back from a merge

    @property
    def label(self) -> str:
        """The name of the move, to be translated."""
        return MOVE_NAMES[self]


MOVE_NAMES = {
    Move.ASSIGN: N_("assign it"),
    Move.REASSIGN: N_("assign it to another unit"),
    Move.ACCEPT: N_("accept it"),
    Move.RETURN: N_("return it"),
    Move.RETURN_AGAIN: N_("return it"),
    Move.ARBITRATE: N_("decide whose it is"),
    Move.SUBMIT: N_("answer it"),
    Move.APPROVE: N_("approve the answer"),
    Move.SEND_BACK: N_("send the answer back"),
    Move.REPLY: N_("answer it"),
    Move.CONTENT: N_("take the feedback"),
    Move.KEEP_PLAN: N_("take the feedback"),
    Move.CONTEST: N_("take the feedback"),
    Move.REOPEN: N_("reopen it"),
    Move.CLOSE_WITH_REASON: N_("close it with a reason"),
    Move.GIVE_UP_REACHING: N_("close it as not reached"),
    Move.WITHDRAW: N_("withdraw it"),
    Move.MERGE: N_("merge it into another"),
    Move.SPLIT: N_("take it out of the other"),
}


MOVES: dict[CaseState, dict[Move, CaseState]] = {
    CaseState.REGISTERED: {
        Move.ASSIGN: CaseState.ASSIGNED,
        Move.MERGE: CaseState.MERGED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.ASSIGNED: {
        Move.ACCEPT: CaseState.ACCEPTED,
        Move.RETURN: CaseState.RETURNED,
        Move.RETURN_AGAIN: CaseState.DISPUTED,
        Move.REASSIGN: CaseState.ASSIGNED,
        Move.MERGE: CaseState.MERGED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.RETURNED: {
        Move.ASSIGN: CaseState.ASSIGNED,
        Move.MERGE: CaseState.MERGED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.DISPUTED: {
        Move.ARBITRATE: CaseState.ASSIGNED,
        Move.MERGE: CaseState.MERGED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.ACCEPTED: {
        Move.REPLY: CaseState.REPLIED,
        Move.SUBMIT: CaseState.DRAFTED,
        Move.RETURN: CaseState.RETURNED,
        Move.RETURN_AGAIN: CaseState.DISPUTED,
        Move.REASSIGN: CaseState.ASSIGNED,
        Move.MERGE: CaseState.MERGED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.DRAFTED: {
        Move.APPROVE: CaseState.REPLIED,
        Move.SEND_BACK: CaseState.ACCEPTED,
        Move.WITHDRAW: CaseState.WITHDRAWN,
    },
    CaseState.REPLIED: {
        Move.CONTENT: CaseState.CLOSED,
        Move.KEEP_PLAN: CaseState.ACCEPTED,
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
    CaseState.MERGED: {Move.SPLIT: CaseState.REGISTERED},
}


class Step(StrEnum):
    """The step that is owed next."""

    ASSIGN = "assign"
    ACCEPT = "accept"
    ARBITRATE = "arbitrate"
    ANSWER = "answer"
    APPROVE = "approve"
    HEAR = "hear"  # hear from the talent whether it helped
    DECIDE = "decide"

    @property
    def label(self) -> str:
        """The name of the step, to be translated."""
        return STEP_NAMES[self]


STEP_NAMES = {
    Step.ASSIGN: N_("assign it"),
    Step.ACCEPT: N_("accept it"),
    Step.ARBITRATE: N_("decide whose it is"),
    Step.ANSWER: N_("answer it"),
    Step.APPROVE: N_("approve the answer"),
    Step.HEAR: N_("hear whether it helped"),
    Step.DECIDE: N_("decide on it"),
}


OWED: dict[CaseState, Step] = {
    CaseState.REGISTERED: Step.ASSIGN,
    CaseState.ASSIGNED: Step.ACCEPT,
    CaseState.RETURNED: Step.ASSIGN,
    CaseState.DISPUTED: Step.ARBITRATE,
    CaseState.ACCEPTED: Step.ANSWER,
    CaseState.DRAFTED: Step.APPROVE,
    CaseState.REPLIED: Step.HEAR,
    CaseState.CONTESTED: Step.DECIDE,
}
"""What is owed in each open state; a state that is not here is an end."""


RETURNS_FOR_AN_ARBITER = 2
"""At so many returns an arbiter names the unit: desks passing a request back and forth settle nothing."""


OWED_BY_THE_LEAD_UNIT = frozenset({CaseState.ASSIGNED, CaseState.ACCEPTED, CaseState.DRAFTED})
"""Open states in which the lead unit is answerable; in every other one it is the intake desk.

The intake desk also hears the talent: domain.md leaves it to «the one who asks for it», and a unit is measured by
what people say of its answers, so it does not collect its own marks. A contest and a dispute wait for the intake
desk's supervisor.
"""

BEFORE_THE_ANSWER = frozenset(
    {
        CaseState.REGISTERED,
        CaseState.ASSIGNED,
        CaseState.RETURNED,
        CaseState.DISPUTED,
        CaseState.ACCEPTED,
        CaseState.DRAFTED,
    }
)
"""Open states in which an answer is owed, now or later."""

BY_A_SUPERVISOR = frozenset({CaseState.CONTESTED, CaseState.DISPUTED})
"""States in which the intake desk's supervisor takes the next step."""

EXTENDABLE = frozenset({CaseState.ACCEPTED, CaseState.DRAFTED})
"""States in which more time can be asked for, and granted."""


class Rank(IntEnum):
    """What stands first in every list: what is urgent, then what a leader was asked, then the others."""

    URGENT = 0
    LEADERS = 1
    ORDINARY = 2


def rank_of(*, urgent: bool, for_leader: bool) -> Rank:
    """Return where a request stands among those that wait."""
    if urgent:
        return Rank.URGENT
    return Rank.LEADERS if for_leader else Rank.ORDINARY


class Act(StrEnum):
    """What a member of staff may do with a request; whether its state allows it is for MOVES to say."""

    ASSIGN = "assign"  # name the unit, take it away again, ask co-handlers, merge, split
    HANDLE = "handle"  # accept, return, answer, ask co-handlers, ask for more time
    APPROVE = "approve"  # the unit's answer, or send it back
    CONTRIBUTE = "contribute"  # the part of a co-handler
    TELL = "tell"  # log an attempt to reach the person
    HEAR = "hear"  # take down what the person said, give up reaching, withdraw for them
    URGE = "urge"
    DECIDE = "decide"  # on a contest, a dispute, more time
    NOTE = "note"  # for those at desks only


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


class ArbiterHasDecided(Refused):
    """What an arbiter decided stands."""

    message = N_("An arbiter has decided that this is for %(unit)s. It cannot be returned again.")


class SameUnit(Refused):
    """Taking a request from a unit means giving it to another one."""

    message = N_("%(unit)s has it already. Choose another unit.")
    field = "unit"


class ReasonMissing(Refused):
    """A decision over somebody's head needs a reason that they are told."""

    message = N_("Write down the reason; the person who asked is told it.")
    field = "reason"


class WordsMissing(Refused):
    """A note, an addition or a part of an answer says something."""

    message = N_("Write something first.")
    field = "words"


class MergedIntoItself(Refused):
    """Two requests are merged, not one."""

    message = N_("This is the same request. Choose the other one.")
    field = "number"


class TargetUnknown(Refused):
    """What it is merged into must be a request that the desk sees."""

    message = N_("There is no request with this number. It stands at the top of its page, like 2026-0418.")
    field = "number"


class TargetEnded(Refused):
    """Only an open request can still bring an answer to those who asked the same."""

    message = N_("%(number)s is “%(state)s”. A request can only be merged into one that is open.")
    field = "number"


class OthersMergedHere(Refused):
    """Chains of merges would hide whose answer a person gets."""

    message = N_("Others were merged into this one. Merge the newer one into this one instead.")
    field = "number"


def after(state: CaseState, move: Move) -> CaseState:
    """Return the state the move leads to.

    :raises MoveRefused: if a request in this state cannot make it
    """
    try:
        return MOVES[state][move]
    except KeyError:
        raise MoveRefused(move=move, state=state) from None


def return_move(returns: int) -> Move:
    """Return the move that a return is, for a request that was returned so often before."""
    return Move.RETURN_AGAIN if returns + 1 >= RETURNS_FOR_AN_ARBITER else Move.RETURN
