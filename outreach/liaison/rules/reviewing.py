"""The yearly review of the roster: what is decided of each pairing, and what it is decided by."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.liaison.rules import months_later
from outreach.people.rules import Rhythm


class Decision(StrEnum):
    """What a review decides of a pairing."""

    KEEP = "keep"
    CHANGE = "change"
    END = "end"

    @property
    def label(self) -> str:
        """The name of the decision, to be translated."""
        return {
            Decision.KEEP: N_("Keep it"),
            Decision.CHANGE: N_("Another rhythm"),
            Decision.END: N_("End the pairing"),
        }[self]


@dataclass(frozen=True)
class Decided:
    """A decision on one pairing; `rhythm` is the new one where it changes."""

    pairing_id: int
    decision: Decision
    rhythm: Rhythm | None = None


class NotThisYear(Refused):
    """The roster is reviewed for the year that runs or the one before."""

    message = N_("Review this year or the last one.")
    field = "year"
    status = 422


class RhythmMissing(Refused):
    """Another rhythm is another one."""

    message = N_("Choose another rhythm than the present one for %(talent)s, or keep the pairing.")
    status = 422


class NothingDecided(Refused):
    """A page on which nothing was chosen."""

    message = N_("Decide on at least one pairing.")
    status = 422


def check_year(year: int, today: date) -> None:
    """Refuse a year that is not under review.

    :raises NotThisYear: for another than the present one and the one before
    """
    if year not in (today.year - 1, today.year):
        raise NotThisYear


def expected(*, rhythm: Rhythm, starts_on: date, ends_on: date | None, year: int, today: date) -> int:
    """Return how many contacts the rhythm asked of a pairing in a year, as far as the year has gone.

    Whole months from its first day in the year to its last (or to today, that day counted), divided by the months of
    the rhythm.
    """
    begin = max(starts_on, date(year, 1, 1))
    end = min(ends_on or today, today, date(year, 12, 31))
    months = 0
    while months_later(begin, months + 1) <= end + timedelta(days=1):
        months += 1
    return months // rhythm.months
