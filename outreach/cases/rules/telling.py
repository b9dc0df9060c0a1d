"""What the history of a request says, and a person's timeline."""

from enum import StrEnum

from outreach.kernel.wording import N_


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
    HANDED_ON = "handed_on"  # from who left to a successor
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
    Happening.HANDED_ON: N_("%(who)s handed it on to a successor"),
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
