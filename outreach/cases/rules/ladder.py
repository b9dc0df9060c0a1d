"""The ladder of supervision: what the clock says of a deadline, in office hours only. Source: domain.md.

Before the deadline whoever owes the step is reminded, on its day they are urged, after it the supervisor and the head
of the unit are told, and what stays late goes into the bulletin (通报). Nothing of it happens at night or on a holiday.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from outreach.cases.rules.moves import Step
from outreach.kernel.clock import office_day
from outreach.kernel.wording import N_
from outreach.kernel.working_days import WorkingCalendar
from outreach.organisations.rules import Permission

DAYS_LATE_FOR_THE_BULLETIN = 2


class Rung(StrEnum):
    """How far up a deadline has come."""

    REMINDED = "reminded"  # on the working day before
    URGED = "urged"  # on its day
    SUPERVISED = "supervised"  # after it
    LISTED = "listed"  # for the bulletin, from the second working day after it

    @property
    def label(self) -> str:
        """What a page says of a request on this rung, to be translated."""
        return RUNGS[self]


RUNGS = {
    Rung.REMINDED: N_("Reminded"),
    Rung.URGED: N_("Urged: due today"),
    Rung.SUPERVISED: N_("Supervised: overdue"),
    Rung.LISTED: N_("Overdue, for the bulletin"),
}
UPWARDS = tuple(Rung)


OWED_TO: dict[Step, Permission] = {
    Step.ASSIGN: Permission.CASE_ASSIGN,
    Step.ACCEPT: Permission.CASE_HANDLE,
    Step.ARBITRATE: Permission.CASE_SUPERVISE,
    Step.ANSWER: Permission.CASE_HANDLE,
    Step.APPROVE: Permission.CASE_APPROVE,
    Step.HEAR: Permission.CASE_ASSIGN,
    Step.DECIDE: Permission.CASE_SUPERVISE,
}
"""What somebody at the answerable unit's desk must be permitted, to take each step."""


def rung_due(*, since: datetime, due_at: datetime, now: datetime, calendar: WorkingCalendar) -> Rung | None:
    """Return the rung on which a deadline stands now; None while there is nothing to say, and outside office hours.

    Whoever got the step only today is not reminded of it on the same day.

    :param since: when the clock of the step began
    """
    if not calendar.is_open(now):
        return None
    days = calendar.distance(now, due_at)
    if due_at < now:
        return Rung.LISTED if -days >= DAYS_LATE_FOR_THE_BULLETIN else Rung.SUPERVISED
    if days == 0:
        return Rung.URGED
    began_today = calendar.received_on(since) >= office_day(now)
    return Rung.REMINDED if days == 1 and not began_today else None


def next_rung(standing: Rung | None, climbed: Collection[Rung]) -> Rung | None:
    """Return the rung to climb: the one the deadline stands on, unless it, or a higher one, was climbed before."""
    if standing is None or any(UPWARDS.index(rung) >= UPWARDS.index(standing) for rung in climbed):
        return None
    return standing
