"""What is measured of a unit over a period, and how. Source: domain.md, «Rates of a unit over a period».

What rates count are *terms*: a unit owed one step of a request by a moment. There are two kinds.

响应率, accepted in time / all whose acceptance was due in the period:

- each time a unit is given a request (assigned, by a standing route, by an arbiter, taken from another unit) it owes an
  acceptance; the term is the unit's, and is due where the deadline of that assignment falls;
- a unit that returned the request with its ground before the deadline, or from which it was taken, merged or withdrawn
  before it, owed nothing when the deadline came: the term is dropped. After the deadline it stays, and is late;
- what was accepted stays measured when it is returned afterwards.

按时办结率, answered and delivered in time / all whose answer was due in the period:

- both the answer and its delivery to the person lie before the deadline, an approved extension included. An answer that
  waits for the head of the unit is not given yet. An answer that nobody could deliver is not delivered in time;
- the term is that of whoever was answerable when the deadline came: the clock runs from the first assignment, and
  neither a return nor another unit stops it. While a returned request lies with the intake desk it is the desk's.
  A term that is late already stays with the unit that let it grow late, whoever answers in the end; where a deadline
  is made again and lies ahead, it is open again;
- each answer that is owed is a term of its own: the first; the one after a reopening (重办); and what a plan promised,
  once the person agreed to it. A reopening never touches the term before it, so the first lateness stays.

解决率 solved / all reached, 满意率 (满意 + 基本满意) / all reached: a request counts once, when it closes, with what
the person said of its last answer; reached are those that closed on the person's word, also where a supervisor closed
a contested one. A plan that was agreed to is not the end. Unreached and withdrawn ones are counted beside them, when
they ended, and belong, as the others, to the unit that had the request last.

Merged and withdrawn requests are in no rate; one that was taken out again (split) is back in them. What was taken over
from an earlier ledger is not measured at all: its steps were not taken here. A term counts from the moment it is due,
so that a period that still runs is not flattered by what is not due yet. A provisional deadline (暂定) counts as it
stands; when the calendar is there, the terms that still run are due anew with it, and those that were met stay.
"""

import re
from collections.abc import Callable, MutableSequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from outreach.cases.rules.asking import CaseSource
from outreach.cases.rules.moves import CaseState, Step
from outreach.cases.rules.telling import Happening
from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.wording import N_

MEASURED_STEPS = (Step.ACCEPT, Step.ANSWER)

GIVEN = frozenset({Happening.ASSIGNED, Happening.ROUTED, Happening.REASSIGNED, Happening.ARBITRATED})
"""A unit is given the request."""
OWED_AGAIN = frozenset({Happening.REOPENED, Happening.PLAN_KEPT})
"""Another answer is owed."""
ANSWERED = frozenset({Happening.REPLIED, Happening.APPROVED})
"""An answer left the unit."""
DELIVERED = frozenset({Happening.OPENED, Happening.TOLD})
"""An answer reached the person, if it had not before."""

OUT_OF_RATES = frozenset({CaseState.MERGED, CaseState.WITHDRAWN})


@dataclass
class Term:
    """A step that a unit owed by a moment. `delivered_at` is that of an answer only."""

    step: Step
    unit_id: int
    due_at: datetime
    done_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True)
class Happened:
    """What happened to a request, and where it stands since: what a line of its history says.

    `due_at` is of the step that is owed, `delivered_at` of the latest answer.
    """

    what: Happening
    at: datetime
    state: CaseState
    unit_id: int | None
    due_at: datetime | None
    answer_due_at: datetime | None
    delivered_at: datetime | None = None


def is_measured(source: CaseSource) -> bool:
    """Tell whether a request from there is measured."""
    return source is not CaseSource.IMPORT


def follow(terms: MutableSequence[Any], happened: Happened, *, new: Callable[..., Any] = Term) -> None:
    """Bring the terms of one request, oldest first, to where it stands after something happened."""
    _follow_acceptance(terms, happened, new)
    _follow_answer(terms, happened, new)


def _follow_acceptance(terms: MutableSequence[Any], happened: Happened, new: Callable[..., Any]) -> None:
    term = _latest(terms, Step.ACCEPT)
    waiting = term is not None and term.done_at is None
    given = happened.what in GIVEN
    if waiting and happened.what is Happening.ACCEPTED:
        term.done_at = happened.at
    elif waiting and not given and happened.state is CaseState.ASSIGNED:
        term.due_at = happened.due_at
    elif waiting and happened.at <= term.due_at:
        terms.remove(term)
    if given:
        terms.append(new(step=Step.ACCEPT, unit_id=happened.unit_id, due_at=happened.due_at))


def _follow_answer(terms: MutableSequence[Any], happened: Happened, new: Callable[..., Any]) -> None:
    term = _latest(terms, Step.ANSWER)
    if happened.what in OWED_AGAIN or (term is None and happened.what in GIVEN):
        terms.append(new(step=Step.ANSWER, unit_id=happened.unit_id, due_at=happened.answer_due_at))
    elif term is None:
        return
    elif happened.what in ANSWERED:
        term.done_at = happened.at
    elif term.done_at is not None:
        if happened.what in DELIVERED and term.delivered_at is None:
            term.delivered_at = happened.delivered_at
    elif happened.unit_id is not None:
        term.due_at = happened.answer_due_at
        if happened.at <= term.due_at:
            term.unit_id = happened.unit_id


def _latest(terms: MutableSequence[Any], step: Step) -> Any:
    return next((term for term in reversed(terms) if term.step is step), None)


def is_met(term: Any) -> bool:
    """Tell whether a term was kept."""
    done = term.done_at if term.step is Step.ACCEPT else term.delivered_at
    return term.done_at is not None and term.done_at <= term.due_at and done is not None and done <= term.due_at


@dataclass(frozen=True)
class Rate:
    """How many of all."""

    met: int = 0
    all: int = 0

    @property
    def share(self) -> float | None:
        """The share in a hundred, to one place and never rounded up: 100 means all. None where there is nothing."""
        return self.met * 1000 // self.all / 10 if self.all else None

    def __add__(self, other: "Rate") -> "Rate":
        return Rate(self.met + other.met, self.all + other.all)


@dataclass(frozen=True)
class Rates:
    """What is measured of one unit, topic or channel over a period."""

    accepted: Rate = Rate()
    answered: Rate = Rate()
    solved: Rate = Rate()
    satisfied: Rate = Rate()
    unreached: int = 0
    withdrawn: int = 0

    def __add__(self, other: "Rates") -> "Rates":
        return Rates(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was due or ended."""
        return self == Rates()


NOTHING = Rates()


def rank_key(rates: Rates) -> tuple[bool, float, float, int]:
    """Return what ranks units: answered in time, then accepted in time, then how much; nothing due goes last."""
    answered, accepted = rates.answered.share, rates.accepted.share
    return answered is None, -(answered or 0), -(accepted or 0), -rates.answered.all


class Figure(StrEnum):
    """A figure that opens its rows."""

    ACCEPTED = "accepted"
    ANSWERED = "answered"
    SOLVED = "solved"
    SATISFIED = "satisfied"
    UNREACHED = "unreached"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The name of the figure, to be translated."""
        return FIGURES[self]

    @property
    def is_rate(self) -> bool:
        """Whether it is a share of something, so that some rows meet it and some do not."""
        return self not in {Figure.UNREACHED, Figure.WITHDRAWN}

    @property
    def step(self) -> Step | None:
        """The step whose terms it counts; None where it counts requests that ended."""
        return {Figure.ACCEPTED: Step.ACCEPT, Figure.ANSWERED: Step.ANSWER}.get(self)


FIGURES = {
    Figure.ACCEPTED: N_("Accepted in time"),
    Figure.ANSWERED: N_("Answered in time"),
    Figure.SOLVED: N_("Share solved"),
    Figure.SATISFIED: N_("Satisfied or mostly"),
    Figure.UNREACHED: N_("Not reached"),
    Figure.WITHDRAWN: N_("Withdrawn"),
}


class Span(StrEnum):
    """How long a period is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def label(self) -> str:
        """The name of the span, to be translated."""
        return {Span.MONTH: N_("Month"), Span.QUARTER: N_("Quarter"), Span.YEAR: N_("Year")}[self]

    @property
    def months(self) -> int:
        """How many months it has."""
        return {Span.MONTH: 1, Span.QUARTER: 3, Span.YEAR: 12}[self]


PERIODS = {
    Span.MONTH: N_("Month %(number)s of %(year)s"),
    Span.QUARTER: N_("Quarter %(number)s of %(year)s"),
    Span.YEAR: N_("The year %(year)s"),
}
_PERIOD = re.compile(r"(20\d\d)(?:-(0[1-9]|1[0-2])|Q([1-4]))?", re.ASCII)


@dataclass(frozen=True)
class Period:
    """A month, quarter or year of the office's calendar; `number` is 1 to 12, 1 to 4, or 1."""

    span: Span
    year: int
    number: int = 1

    @classmethod
    def read(cls, text: str) -> "Period | None":
        """Return the period that an address names: 2026, 2026Q4, 2026-11; None if it names none."""
        found = _PERIOD.fullmatch(text)
        if found is None:
            return None
        year, month, quarter = found.groups()
        if month:
            return cls(Span.MONTH, int(year), int(month))
        return cls(Span.QUARTER, int(year), int(quarter)) if quarter else cls(Span.YEAR, int(year))

    @classmethod
    def at(cls, span: Span, day: date) -> "Period":
        """Return the period of this length that a day lies in."""
        return cls(span, day.year, (day.month - 1) // span.months + 1)

    @classmethod
    def now(cls, span: Span, moment: datetime) -> "Period":
        """Return the period of this length that runs at an aware moment."""
        return cls.at(span, office_day(moment))

    @property
    def key(self) -> str:
        """How an address names it."""
        return {
            Span.MONTH: f"{self.year}-{self.number:02}",
            Span.QUARTER: f"{self.year}Q{self.number}",
            Span.YEAR: f"{self.year}",
        }[self.span]

    @property
    def sentence(self) -> str:
        """How it is called, to be translated; its places are year and number."""
        return PERIODS[self.span]

    @property
    def first_day(self) -> date:
        """Its first day."""
        return date(self.year, (self.number - 1) * self.span.months + 1, 1)

    @property
    def begins(self) -> datetime:
        """The aware moment at which it begins."""
        return datetime.combine(self.first_day, time(), tzinfo=OFFICE)

    @property
    def ends(self) -> datetime:
        """The aware moment at which the next one begins."""
        return self.next.begins

    @property
    def next(self) -> "Period":
        """The one after it."""
        last = 12 // self.span.months
        if self.number == last:
            return Period(self.span, self.year + 1)
        return Period(self.span, self.year, self.number + 1)

    @property
    def previous(self) -> "Period":
        """The one before it."""
        if self.number == 1:
            return Period(self.span, self.year - 1, 12 // self.span.months)
        return Period(self.span, self.year, self.number - 1)
