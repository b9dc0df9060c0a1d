"""Leave, and the deputy (AB岗) who stands in meanwhile. Source: domain.md, «Who uses it»: a handler has a deputy."""

from collections.abc import Iterable, Mapping
from datetime import date

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.organisations.rules import Role

NEVER_PASSED_ON = frozenset({Role.ADMINISTRATOR})
"""Roles a deputy does not get: who looks after accounts and settings is named by whoever looks after the tree."""

LONGEST_DAYS = 366
"""Somebody who is away longer has left: what they hold is handed over."""


class LeaveBackwards(Refused):
    """Leave ends on the day it begins, or later."""

    message = N_("The last day is before the first one.")
    field = "until_on"


class LeavePast(Refused):
    """Leave is written before it is over."""

    message = N_("These days are past. Leave is written while it still lies ahead.")
    field = "until_on"


class LeaveTooLong(Refused):
    """Somebody who is away for years has left."""

    message = N_("More than a year is no leave. Hand over what is open, and close the account.")
    field = "until_on"


class LeaveOverlaps(Refused):
    """Whoever is away is away once, with one deputy."""

    message = N_("%(name)s is away from %(from_on)s to %(until_on)s already. End that leave first.")
    field = "from_on"


class DeputyThemselves(Refused):
    """Another person stands in."""

    message = N_("Choose somebody else: nobody stands in for themselves.")
    field = "deputy"


class DeputyElsewhere(Refused):
    """The deputy gets what the absent one may do, and so is somebody of the same unit."""

    message = N_("%(name)s does not work at %(unit)s. A deputy belongs to the same unit.")
    field = "deputy"


class DeputyAway(Refused):
    """A deputy is there."""

    message = N_("%(name)s is away from %(from_on)s to %(until_on)s too. Choose somebody who is there.")
    field = "deputy"


class StandsInThen(Refused):
    """Nobody goes away who was named to stand in for another one."""

    message = N_("From %(from_on)s to %(until_on)s %(deputy)s stands in for %(name)s. Name another deputy there first.")
    field = "from_on"


class LeaveOver(Refused):
    """What is over cannot be ended."""

    message = N_("This leave is over.")


def check_days(*, from_on: date, until_on: date, today: date) -> None:
    """Pass if these days, both included, can be somebody's leave.

    :raises LeaveBackwards: if it ends before it begins
    :raises LeavePast: if its last day is past
    :raises LeaveTooLong: for more than a year
    """
    if until_on < from_on:
        raise LeaveBackwards
    if until_on < today:
        raise LeavePast
    if (until_on - from_on).days >= LONGEST_DAYS:
        raise LeaveTooLong


def present(account_ids: Iterable[int], away: Mapping[int, int | None]) -> list[int]:
    """Return who of these is there, with the deputies in the place of those who are away, each once.

    :param away: of those who are away, the id of the deputy, or None
    """
    there = (away.get(one, one) for one in account_ids)
    return list(dict.fromkeys(one for one in there if one is not None))


def told(account_ids: Iterable[int], away: Mapping[int, int | None]) -> list[int]:
    """Return who hears what these were to hear: as `present`, or all of them where that leaves nobody.

    A message that nobody gets would be worse than one that waits for somebody's return.
    """
    asked = list(account_ids)
    return present(asked, away) or asked
