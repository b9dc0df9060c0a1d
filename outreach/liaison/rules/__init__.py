"""Pairings, their rhythm, and what a visit is. Source: domain.md."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from outreach.cases.rules.asking import Topic
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.people.rules import Rhythm
from outreach.people.rules.merging import Rows, Twice


class PairingKind(StrEnum):
    """Who is joined with whom."""

    LEADER = "leader"
    OFFICER = "officer"
    MENTOR = "mentor"
    UNIT = "unit"

    @property
    def label(self) -> str:
        """The name of the kind, to be translated."""
        return {
            PairingKind.LEADER: N_("Leader and talent"),
            PairingKind.OFFICER: N_("Service officer and talent"),
            PairingKind.MENTOR: N_("Mentor and apprentice"),
            PairingKind.UNIT: N_("Unit and talent"),
        }[self]


class VisitWay(StrEnum):
    """How they met."""

    VISIT = "visit"
    TALK = "talk"
    TELEPHONE = "telephone"
    VIDEO = "video"

    @property
    def label(self) -> str:
        """The name of the way, to be translated."""
        return {
            VisitWay.VISIT: N_("Visit"),
            VisitWay.TALK: N_("Talk"),
            VisitWay.TELEPHONE: N_("Telephone call"),
            VisitWay.VIDEO: N_("Video call"),
        }[self]


class DueState(StrEnum):
    """Whether it is time for the next contact. Computed from what happened, never stored."""

    OVERDUE = "overdue"
    SOON = "soon"
    FINE = "fine"

    @property
    def label(self) -> str:
        """The name of the state, to be translated."""
        return {
            DueState.OVERDUE: N_("Overdue"),
            DueState.SOON: N_("Due soon"),
            DueState.FINE: N_("In good time"),
        }[self]


SOON_DAYS = 7
"""From so many calendar days before the day it is due on, a contact is due soon."""


@dataclass(frozen=True)
class Due:
    """When a pairing's next contact is due, seen on one day; days are calendar days in the office."""

    state: DueState
    due_on: date
    days: int  # from that day to `due_on`; negative once it is overdue
    last_on: date | None  # the last contact of this leader with this talent; None: they never met

    @property
    def never_met(self) -> bool:
        """Whether this leader has not met this talent yet."""
        return self.last_on is None

    @property
    def days_since_last(self) -> int | None:
        """How many days have passed since the last contact; None if they never met."""
        return None if self.last_on is None else (self.due_on - self.last_on).days - self.days

    @property
    def days_overdue(self) -> int:
        """How many days the contact is overdue; 0 while it is not."""
        return max(0, -self.days)


def months_later(day: date, months: int) -> date:
    """Return the same day so many months later, or the last day of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def due(*, rhythm: Rhythm, starts_on: date, last_on: date | None, today: date) -> Due:
    """Return when the next contact of a pairing is due, from the last one or, if they never met, from its start.

    A contact before the pairing began counts too: they have met.
    """
    due_on = months_later(last_on or starts_on, rhythm.months)
    days = (due_on - today).days
    state = DueState.OVERDUE if days < 0 else DueState.SOON if days <= SOON_DAYS else DueState.FINE
    return Due(state=state, due_on=due_on, days=days, last_on=last_on)


@dataclass(frozen=True)
class Ask:
    """One thing asked on a visit: by whom, about what, in the words as they were noted."""

    person_id: int
    topic: Topic
    words: str
    complex: bool = False


class AlreadyPaired(Refused):
    """One living pairing joins a leader and a talent."""

    message = N_("%(leader)s and %(talent)s are paired already.")
    field = "leader"


class NoLeader(Refused):
    """Who keeps in touch is a leader or a service officer."""

    message = N_("%(name)s is neither a leader nor a service officer. The administrator can give them that role.")
    field = "leader"
    status = 422


class OwnOfficer(Refused):
    """Nobody logs visits for themselves as for somebody else."""

    message = N_("The liaison officer is somebody else than the leader. Leave it empty if there is none.")
    field = "liaison_officer"
    status = 422


BEGINS_FROM, BEGINS_AHEAD_DAYS = date(2000, 1, 1), 366


class BeginsTooFar(Refused):
    """A day a slip of the finger makes."""

    message = N_("Please check the first day: it may be at most a year ahead.")
    field = "starts_on"
    status = 422


def check_begin(starts_on: date, today: date) -> None:
    """Refuse a first day that nobody can mean.

    :raises BeginsTooFar: before this century, or more than a year ahead
    """
    if not BEGINS_FROM <= starts_on <= today + timedelta(days=BEGINS_AHEAD_DAYS):
        raise BeginsTooFar


class EndsBeforeItStarts(Refused):
    """A pairing cannot end before its first day."""

    message = N_("This pairing began on %(day)s; it cannot end before that.")
    field = "ends_on"


class EndsAhead(Refused):
    """A pairing ends on a day that has come."""

    message = N_("This day has not come yet. A pairing is ended on its last day or after it.")
    field = "ends_on"


class PairingEnded(Refused):
    """An ended pairing stays as it is."""

    message = N_("This pairing has ended already.")


class VisitAhead(Refused):
    """Only what has happened is logged."""

    message = N_("This time has not come yet. A visit is logged after it took place.")
    field = "at"


class NotThere(Refused):
    """Only who was there can say that it was so."""

    message = N_("You were not on this visit, so somebody else confirms it.")
    status = 403


class ConfirmedAlready(Refused):
    """Once is enough."""

    message = N_("You have confirmed this visit already.")


class OtherAccount(Refused):
    """What one of them wrote is not logged as another's work."""

    message = N_("This was written by somebody else on this device. They can send it once they sign in again.")


class NobodyMet(Refused):
    """A visit has somebody who went and somebody who was met."""

    message = N_("Say who was met.")
    field = "pairings"


class NotYourPairing(Refused):
    """Only the leader and the pairing's liaison officer may log for it."""

    message = N_("You cannot log a visit for this pairing. Its leader and its liaison officer can.")
    field = "pairings"
    status = 403


def rhythm_said(text: str) -> Rhythm | None:
    """Return the rhythm that words of a ledger mean («每月一次», «每季度», «半年»); None if they say none."""
    for sign, rhythm in (("半年", Rhythm.HALF_YEARLY), ("季", Rhythm.QUARTERLY), ("月", Rhythm.MONTHLY)):
        if sign in text:
            return rhythm
    return None


ROWS_OF_A_PERSON = (
    Rows("pairings", N_("pairings"), Twice.SETTLED),
    Rows("visit_talents", N_("visits"), Twice.SET_ASIDE),
    Rows("survey_invitations", N_("surveys they were asked in")),
    Rows("not_asked_again", N_("wishes not to be asked"), Twice.SET_ASIDE),
)
"""What merging two records of one person calls what stands here."""

PAIRING_ACTS = {
    "paired": N_("paired them"),
    "ended": N_("ended the pairing"),
    "handed_over": N_("handed the pairing over to a successor"),
    "taken_over": N_("paired them, to go on from somebody who left"),
    "reviewed": N_("reviewed it for the year"),
    "officer_changed": N_("made somebody else the liaison officer"),
    "taken_up_again": N_("took the pairing up again: they are two people after all"),
}
"""What happened to a pairing, as its history tells it."""
