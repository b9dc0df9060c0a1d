"""What the history of a request says, and a person's timeline."""

from enum import StrEnum

from outreach.kernel.wording import N_


class Happening(StrEnum):
    """What a line of a request's history says happened."""

    REGISTERED = "registered"
    ASSIGNED = "assigned"
    ROUTED = "routed"  # assigned by the intake desk's standing rule
    REASSIGNED = "reassigned"
    ARBITRATED = "arbitrated"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    SUBMITTED = "submitted"  # an answer, to the head of the unit
    APPROVED = "approved"  # and it went out
    SENT_BACK = "sent_back"
    REPLIED = "replied"
    OPENED = "opened"
    TOLD = "told"
    MISSED = "missed"
    CONTENT = "content"
    PLAN_KEPT = "plan_kept"  # they agree to the plan, which is owed by its day
    CONTESTED = "contested"
    REOPENED = "reopened"
    CLOSED_WITH_REASON = "closed_with_reason"
    UNREACHED = "unreached"
    WITHDRAWN = "withdrawn"
    URGED = "urged"
    NOTED = "noted"  # for desks only
    ADDED = "added"
    PART_ASKED = "part_asked"
    PART_GIVEN = "part_given"
    PART_RELEASED = "part_released"
    EXTENSION_ASKED = "extension_asked"
    EXTENDED = "extended"
    EXTENSION_REFUSED = "extension_refused"
    MERGED = "merged"
    SPLIT = "split"
    TAKEN_OVER = "taken_over"  # from an earlier ledger
    HANDED_ON = "handed_on"  # from who left to a successor
    RECOMPUTED = "recomputed"  # by a new calendar
    CONFIRMED = "confirmed"  # the calendar came, and a provisional deadline stays
    REMINDED = "reminded"  # by the clock, as the three below
    URGED_BY_CLOCK = "urged_by_clock"
    SUPERVISED = "supervised"
    LISTED = "listed"
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
    Happening.REASSIGNED: N_("%(who)s took it from the unit that had it and gave it to %(unit)s"),
    Happening.ARBITRATED: N_("%(who)s decided as arbiter: it is for %(unit)s"),
    Happening.ACCEPTED: N_("%(who)s accepted it for %(unit)s"),
    Happening.RETURNED: N_("%(who)s returned it for %(unit)s"),
    Happening.SUBMITTED: N_("%(who)s wrote the answer of %(unit)s, for its head to approve: %(choice)s"),
    Happening.APPROVED: N_("%(who)s approved the answer of %(unit)s, and it went out: %(choice)s"),
    Happening.SENT_BACK: N_("%(who)s sent the answer back to be written better"),
    Happening.REPLIED: N_("%(who)s answered for %(unit)s: %(choice)s"),
    Happening.OPENED: N_("%(who)s opened the answer"),
    Happening.TOLD: N_("%(who)s told them the answer: %(choice)s"),
    Happening.MISSED: N_("%(who)s tried to reach them, in vain: %(choice)s"),
    Happening.CONTENT: N_("%(who)s took down what they said: %(outcome)s, %(choice)s"),
    Happening.PLAN_KEPT: N_("%(who)s took down what they said: they agree to the plan, %(choice)s"),
    Happening.CONTESTED: N_("%(who)s took down what they said: %(outcome)s, %(choice)s"),
    Happening.REOPENED: N_("%(who)s reopened it; %(unit)s answers again"),
    Happening.CLOSED_WITH_REASON: N_("%(who)s closed it with a reason"),
    Happening.UNREACHED: N_("%(who)s closed it: not reached after two attempts"),
    Happening.WITHDRAWN: N_("%(who)s took it back by their wish"),
    Happening.URGED: N_("%(who)s urged it"),
    Happening.NOTED: N_("%(who)s left a note for those at desks"),
    Happening.ADDED: N_("%(who)s took down what they add"),
    Happening.PART_ASKED: N_("%(who)s asked %(unit)s for its part"),
    Happening.PART_GIVEN: N_("%(who)s gave the part of %(unit)s"),
    Happening.PART_RELEASED: N_("%(who)s let %(unit)s go: its part is not needed any more"),
    Happening.EXTENSION_ASKED: N_("%(who)s asked for %(days)s more working days"),
    Happening.EXTENDED: N_("%(who)s granted %(days)s more working days"),
    Happening.EXTENSION_REFUSED: N_("%(who)s granted no more time"),
    Happening.MERGED: N_("%(who)s merged it into %(case)s"),
    Happening.SPLIT: N_("%(who)s took it out of %(case)s"),
    Happening.TAKEN_OVER: N_("%(who)s took it over from an earlier ledger"),
    Happening.RECOMPUTED: N_("The calendar of %(year)s was published or changed: due %(due)s instead of %(was)s"),
    Happening.CONFIRMED: N_("The calendar of %(year)s was published: due %(due)s, no longer provisional"),
    Happening.REMINDED: N_("%(unit)s was reminded: due on the next working day"),
    Happening.URGED_BY_CLOCK: N_("%(unit)s was urged: due today"),
    Happening.SUPERVISED: N_("%(unit)s is late: the supervisor and the head of the unit were told"),
    Happening.LISTED: N_("%(unit)s is still late: it goes into the bulletin"),
    Happening.TAKEN_BACK: N_("%(who)s undid the file that brought it"),
}


BY_THE_PERSON = {
    Happening.REGISTERED: N_("%(who)s wrote it themselves"),
    Happening.ADDED: N_("%(who)s adds"),
    Happening.PLAN_KEPT: N_("%(who)s agrees to the plan: %(choice)s"),
    Happening.CONTENT: N_("%(who)s says: %(outcome)s, %(choice)s"),
    Happening.CONTESTED: N_("%(who)s says: %(outcome)s, %(choice)s"),
    Happening.WITHDRAWN: N_("%(who)s took it back"),
}
"""The sentences where the person did it themselves."""
