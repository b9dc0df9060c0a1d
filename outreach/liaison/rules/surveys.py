"""Asking talents what they need by a link, without an event or a visit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from outreach.cases.rules.asking import Topic
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

MOST_NEEDS = 5
MOST_ASKED = 2000
"""How many talents one survey goes to: more would be a mass mailing that nobody reads the answers of."""
LONGEST_DAYS = 90


class ClosesTooLate(Refused):
    """A survey that never ends is never looked at."""

    message = N_("Please choose a last day from tomorrow on, at most %(most)s days ahead.")
    field = "closes_on"
    status = 422


class NobodyToAsk(Refused):
    """No talent fits, or none can be reached."""

    message = N_("Nobody who fits can be asked: they have no number or address, or do not want to be asked.")
    status = 422


class TooManyToAsk(Refused):
    """Narrow it down."""

    message = N_("These are more than %(most)s people. Please narrow them down.")
    status = 422


class SurveyClosed(Refused):
    """Its last day is over."""

    message = N_("This survey is over. You can tell us what you need at any time.")
    status = 410


class AnsweredAlready(Refused):
    """Once is enough."""

    message = N_("You have answered already, thank you.")


class NothingSaid(Refused):
    """An empty answer tells nothing."""

    message = N_("Please write at least one thing: what you need, how you are, or what you advise.")
    status = 422


class NeedSettled(Refused):
    """It became a request, or was set aside."""

    message = N_("This is settled already.")


@dataclass(frozen=True)
class Need:
    """One thing somebody needs, as they wrote it."""

    topic: Topic
    words: str


def check_last_day(closes_on: date, today: date) -> None:
    """Refuse a last day that is none.

    :raises ClosesTooLate: for a day that is past or today, or more than LONGEST_DAYS ahead
    """
    if not today < closes_on <= today + timedelta(days=LONGEST_DAYS):
        raise ClosesTooLate(most=LONGEST_DAYS)


def needs_of(needs: Sequence[Need], *, situation: str | None, advice: str | None) -> list[Need]:
    """Return everything of an answer that wants an answer itself: what is needed, and what was advised (问策).

    :raises NothingSaid: if nothing was written at all
    """
    if not needs and not situation and not advice:
        raise NothingSaid
    return [*needs, *([Need(Topic.ADVICE, advice)] if advice else [])]
