"""Visits that are planned, and the way out when many are overdue: a spread over the coming weeks. Source: domain.md."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.kernel.working_days import WorkingCalendar
from outreach.people.rules import Rhythm

AHEAD_DAYS = 366
"""Nothing is planned further ahead than a year: it would be forgotten."""
EARLIER_DAYS = 3
"""A contact so many calendar days before the planned one, or any time after it, is the one that was planned."""
LATELY_DAYS = 30
"""Whoever was met by anyone within so many calendar days is not called on again without a second look (无事不扰)."""
PER_WEEK, MOST_PER_WEEK = 2, 5
"""How many visits a leader takes on in a week of a catch-up plan, unless somebody says otherwise."""
MOST_AT_ONCE = 200


class PlanAhead(Refused):
    """A plan is for a day to come, and for one that can be foreseen."""

    message = N_("Please choose a day from today on, at most a year ahead.")
    field = "day"
    status = 422


class PlannedAlready(Refused):
    """One visit at a time: the one that is planned can be moved."""

    message = N_("%(leader)s has planned to meet %(talent)s on %(day)s already. Move that visit instead.")
    field = "day"


class SecondLook(Refused):
    """Somebody was just met, or somebody else is about to come (无事不扰)."""

    message = N_("Others have met them lately or are about to. Tick that you know, and plan it all the same.")
    field = "knowing"
    status = 422


class PlanOver(Refused):
    """A plan that was carried out or cancelled stays as it is."""

    message = N_("This visit is not planned any more: it took place or was cancelled.")


class CancelReasonMissing(Refused):
    """Whoever plans the next one reads why this one did not come about."""

    message = N_("Please write why the visit does not take place.")
    field = "reason"
    status = 422


class PairingOver(Refused):
    """Who is not paired any more is not visited by plan."""

    message = N_("This pairing has ended, so no visit can be planned for it.")


class NothingChosen(Refused):
    """A catch-up plan of nobody."""

    message = N_("Choose at least one visit to plan.")
    field = "chosen"
    status = 422


def check_day(day: date, today: date) -> None:
    """Refuse a day that cannot be planned for.

    :raises PlanAhead: for a day that is past, or more than a year ahead
    """
    if not today <= day <= today + timedelta(days=AHEAD_DAYS):
        raise PlanAhead


def carries_out(*, planned_for: date, met_on: date) -> bool:
    """Tell whether a contact on one day is the one that was planned for another."""
    return met_on >= planned_for - timedelta(days=EARLIER_DAYS)


@dataclass(frozen=True)
class Behind:
    """A pairing that is overdue and for which nothing is planned yet."""

    pairing_id: int
    leader_id: int
    rhythm: Rhythm
    due_on: date


@dataclass(frozen=True)
class Proposal:
    """A day proposed for the next visit of a pairing."""

    pairing_id: int
    day: date


def week_of(day: date) -> tuple[int, int]:
    """Return the year and the number of the week a day belongs to (ISO 8601; weeks begin on Monday)."""
    return day.isocalendar()[:2]


def catch_up(
    behind: Iterable[Behind],
    *,
    planned: Mapping[int, Collection[date]],
    calendar: WorkingCalendar,
    today: date,
    per_week: int = PER_WEEK,
) -> list[Proposal]:
    """Spread overdue visits over the coming working days, so that nobody has more in a week than they can do.

    Whoever is to be met most often goes first, then who has waited longest. A leader has at most `per_week` visits in
    a week, what is planned already counted, and no two on one day while the week has a free one.

    :param planned: the days on which each leader (by id) has visits planned already
    :param per_week: 1 to MOST_PER_WEEK
    :raises ValueError: for another number of visits a week
    """
    if not 1 <= per_week <= MOST_PER_WEEK:
        raise ValueError("a week holds one visit at least, and five at most")
    taken = {leader_id: list(days) for leader_id, days in planned.items()}
    proposals = []
    for one in sorted(behind, key=lambda each: (each.rhythm.months, each.due_on, each.pairing_id)):
        days = taken.setdefault(one.leader_id, [])
        day = _next_free(days, calendar=calendar, after=today, per_week=per_week)
        days.append(day)
        proposals.append(Proposal(one.pairing_id, day))
    return sorted(proposals, key=lambda proposal: (proposal.day, proposal.pairing_id))


def _next_free(days: Collection[date], *, calendar: WorkingCalendar, after: date, per_week: int) -> date:
    day = after
    while True:
        day = calendar.next_working_day(day)
        in_week = sum(week_of(other) == week_of(day) for other in days)
        if in_week < per_week and day not in days:
            return day


PLAN_ACTS = {
    "planned": N_("planned it"),
    "moved": N_("moved it to %(day)s"),
    "cancelled": N_("cancelled it"),
    "carried_out": N_("it took place"),
    "handed_over": N_("handed it over"),
}
"""What happened to a planned visit, as its history tells it."""
