"""What a first page shows: promises against today, a person's time in one line, an evening in steps of five minutes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from outreach.kernel.clock import local
from outreach.kernel.working_days import WorkingCalendar
from outreach.people.rules import TimelineEntry


@dataclass(frozen=True)
class Slip:
    """A promise against today, in working days: begun so many ago, due in so many (negative: late)."""

    begun: int
    due: int
    late: bool


def slip(*, created_at: datetime, due_at: datetime, now: datetime, calendar: WorkingCalendar) -> Slip:
    """Return how a promise stands. On the day it is due it is late once office hours are over, by 0 working days."""
    return Slip(
        begun=max(0, -calendar.distance(now, created_at)), due=calendar.distance(now, due_at), late=due_at < now
    )


def working_days_used(*, start: datetime, end: datetime, calendar: WorkingCalendar) -> int:
    """Return the working days from one moment's day to another's, the first day not counted."""
    return max(0, calendar.days_between(local(start).date(), local(end).date()))


@dataclass(frozen=True)
class Place:
    """A place in a timeline: the next page begins after it. Entries of one moment are ordered by their keys."""

    at: datetime
    key: str

    def __str__(self) -> str:
        """Return the place as a link carries it."""
        return f"{self.at.isoformat()}~{self.key}"


def place_in(text: str | None) -> Place | None:
    """Return the place a link carries, or None for a damaged one: the timeline then begins at its latest."""
    at, sign, key = (text or "").partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return Place(moment, key) if sign and moment.tzinfo is not None else None


def is_before(entry: TimelineEntry, place: Place) -> bool:
    """Tell whether an entry stands after a place in the line, that is, happened before it."""
    return (entry.at, entry.key) < (place.at, place.key)


STEP = timedelta(minutes=5)
MOST_STEPS = 12


@dataclass(frozen=True)
class Bar:
    """The arrivals of five minutes, from `start` on."""

    start: datetime
    value: int
    now: bool


def arrivals_in_steps(arrivals: Iterable[datetime], *, now: datetime) -> list[Bar]:
    """Return arrivals counted in steps of five minutes, at most an hour up to the last one or to now if it is on.

    The step that holds `now` is marked. Empty without arrivals.
    """
    starts = [_step_of(at) for at in arrivals]
    if not starts:
        return []
    current = _step_of(now)
    last = max(starts)
    if last < current <= last + 6 * STEP:
        last = current
    first = max(min(starts), last - (MOST_STEPS - 1) * STEP)
    count = int((last - first) / STEP) + 1
    steps = [first + number * STEP for number in range(count)]
    return [Bar(start=start, value=starts.count(start), now=start == current) for start in steps]


def _step_of(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)


@dataclass(frozen=True)
class SetUpStep:
    """One step of making a fresh city ready: an English source title and note, and where it is done."""

    title: str
    note: str
    endpoint: str
    done: bool


def greeting_hour(now: datetime) -> str:
    """Return the part of the office's day: "morning", "afternoon" or "evening"."""
    hour = local(now).hour
    return "morning" if hour < 12 else "afternoon" if hour < 18 else "evening"
