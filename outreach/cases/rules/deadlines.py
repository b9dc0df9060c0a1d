"""When each step of a request is due, in working days. Source: domain.md.

A clock is the moment it started and the working days it runs. Both are kept beside the deadline they make, so that
a deadline can be made again when the calendar of a year is published or corrected.
"""

from dataclasses import dataclass
from datetime import date, datetime

from outreach.cases.rules.moves import OWED, CaseState, Step
from outreach.kernel.clock import OFFICE
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.kernel.working_days import CLOSES, Deadline, WorkingCalendar

DAYS_TO_ASSIGN = 1
DAYS_TO_ACCEPT = 1
DAYS_TO_ANSWER = 5
DAYS_TO_ANSWER_COMPLEX = 15
DAYS_TO_DECIDE = 1
DAYS_TO_HEAR = 3
DAYS_TO_ANSWER_AGAIN = 5
MOST_EXTRA_DAYS = 15
"""No extension is longer than the whole time for a complex request."""

DAYS: dict[Step, int] = {
    Step.ASSIGN: DAYS_TO_ASSIGN,
    Step.ACCEPT: DAYS_TO_ACCEPT,
    Step.ARBITRATE: DAYS_TO_DECIDE,
    Step.ANSWER: DAYS_TO_ANSWER,
    Step.HEAR: DAYS_TO_HEAR,
    Step.DECIDE: DAYS_TO_DECIDE,
}
"""Working days for each step, but for an answer to a complex request or after a reopening."""

BY_THE_ANSWER = frozenset({Step.ANSWER, Step.APPROVE})
"""Steps that are owed by the deadline of the answer: neither accepting nor approving gives more time."""


@dataclass(frozen=True)
class Clock:
    """What makes a deadline: since when it runs, and for how many working days; no days where a day was promised."""

    since: datetime
    days: int | None
    promised: date | None = None

    def due(self, calendar: WorkingCalendar) -> Deadline:
        """Return the end of it: of the last working day, or of the working day on or after the promised one."""
        if self.days is not None:
            return calendar.due(self.since, self.days)
        day = self.promised
        if not calendar.is_working_day(day):
            day = calendar.next_working_day(day)
        at = datetime.combine(day, CLOSES, tzinfo=OFFICE)
        return Deadline(at=at, provisional=day.year not in calendar.published)

    def again(self, calendar: WorkingCalendar, *, was: datetime, now: datetime) -> tuple["Clock", Deadline]:
        """Return the clock and its end by a calendar that changed, where it ended at `was` before.

        Nobody is made late by it: what would be past now, and was not, is due at the end of the next working day.
        """
        due = self.due(calendar)
        if due.at >= now or was < now:
            return self, due
        grace = Clock(now, 1)
        return grace, grace.due(calendar)

    def longer(self, days: int) -> "Clock":
        """Return the clock of an extended deadline: the same start, and more working days."""
        return Clock(self.since, (self.days or 0) + days)


def days_to_answer(*, complex: bool) -> int:  # noqa: A002
    """Return the working days to answer. They run from the first assignment; a return does not stop them."""
    return DAYS_TO_ANSWER_COMPLEX if complex else DAYS_TO_ANSWER


def answer_clock(*, assigned_at: datetime, complex: bool, extra: int = 0) -> Clock:  # noqa: A002
    """Return the clock of an answer, `extra` working days of an approved extension included."""
    return Clock(assigned_at, days_to_answer(complex=complex) + extra)


def next_clock(state: CaseState, *, now: datetime, answer: Clock | None) -> Clock:
    """Return the clock of the step owed in an open state, for a request that entered it now.

    `answer` is the clock of the answer, which accepting does not move.

    :raises KeyError: for a state that is an end
    """
    step = OWED[state]
    if step in BY_THE_ANSWER and answer is not None:
        return answer
    return Clock(now, DAYS[step])


class ExtensionTooLate(Refused):
    """More time is asked for before the time is up."""

    message = N_("The answer was due %(due)s. More time can only be asked for before that.")


class ExtensionAsked(Refused):
    """More time is asked for once."""

    message = N_("More time was asked for already. That is possible once.")


class ExtensionDaysUnfit(Refused):
    """An extension is some working days long."""

    message = N_("Between 1 and %(most)s working days.")
    field = "days"


class OwnExtension(Refused):
    """A second person decides."""

    message = N_("Whoever asked for more time cannot grant it. Somebody else decides.")


class NoExtensionAsked(Refused):
    """There is nothing to decide on."""

    message = N_("Nobody waits for more time here any more.")


def check_extension(*, days: int, due_at: datetime, now: datetime) -> None:
    """Pass if more time may be asked for: a number of working days that makes sense, before the deadline.

    :raises ExtensionTooLate: if the deadline is past
    :raises ExtensionDaysUnfit: for no days, or more than MOST_EXTRA_DAYS
    """
    if now > due_at:
        raise ExtensionTooLate(due=due_at)
    if not 1 <= days <= MOST_EXTRA_DAYS:
        raise ExtensionDaysUnfit(most=MOST_EXTRA_DAYS)


def part_days(*, now: datetime, answer_due_at: datetime, calendar: WorkingCalendar) -> int:
    """Return the working days a co-handler gets: until the working day before the answer is due, and at least one."""
    return max(1, calendar.distance(now, answer_due_at) - 1)


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
