"""When each step of a request is due, in working days. Source: domain.md."""

from dataclasses import dataclass
from datetime import datetime

from outreach.cases.rules.moves import OWED, CaseState, Step
from outreach.kernel.working_days import Deadline, WorkingCalendar

DAYS_TO_ASSIGN = 1


DAYS_TO_ACCEPT = 1


DAYS_TO_ANSWER = 5


DAYS_TO_ANSWER_COMPLEX = 15


DAYS_TO_DECIDE = 1


DAYS_TO_HEAR = 3


DAYS_TO_ANSWER_AGAIN = 5


DAYS: dict[Step, int] = {
    Step.ASSIGN: DAYS_TO_ASSIGN,
    Step.ACCEPT: DAYS_TO_ACCEPT,
    Step.ANSWER: DAYS_TO_ANSWER,
    Step.HEAR: DAYS_TO_HEAR,
    Step.DECIDE: DAYS_TO_DECIDE,
}
"""Working days for each step, but for an answer to a complex request or after a reopening."""


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
