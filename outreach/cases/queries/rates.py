"""Rates of units, topics and channels over a period, and the rows behind each figure: see rules.rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.cases.models import Answer, Case, CaseTerm, Feedback
from outreach.cases.queries.reaching import visible
from outreach.cases.rules.answers import Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.moves import CaseState, Step
from outreach.cases.rules.rates import NOTHING, OUT_OF_RATES, Figure, Period, Rate, Rates, rank_key
from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import reached_ids
from outreach.organisations.rules import Permission

MEASURES = (
    Permission.CASE_HANDLE,
    Permission.CASE_APPROVE,
    Permission.CASE_ASSIGN,
    Permission.CASE_SUPERVISE,
)
"""Whoever may one of these somewhere sees the rates of the units there and below."""
_LAST_UNIT = sa.func.coalesce(Case.lead_id, Case.intake_id)
_MEASURED = Case.source != CaseSource.IMPORT
_COUNTED = sa.and_(Case.state.not_in(sorted(OUT_OF_RATES)), _MEASURED)
_DONE_IN_TIME = sa.func.coalesce(CaseTerm.done_at <= CaseTerm.due_at, sa.false())
_MET = sa.and_(
    _DONE_IN_TIME,
    sa.or_(CaseTerm.step == Step.ACCEPT, sa.func.coalesce(CaseTerm.delivered_at <= CaseTerm.due_at, sa.false())),
)
_CONTENT = Feedback.satisfaction != Satisfaction.DISSATISFIED


@dataclass(frozen=True)
class Overview:
    """The rates of a period: by unit, best first, by topic and by channel; what has nothing is left out."""

    period: Period
    whole: Rates
    units: Sequence[tuple[Organisation, Rates]]
    topics: Mapping[Topic, Rates]
    sources: Mapping[CaseSource, Rates]


@dataclass(frozen=True)
class Rows:
    """Which rows of a period somebody wants to see: those a figure counts, or those of them it was not met by."""

    period: Period
    figure: Figure
    met: bool | None = None  # None: all
    unit_id: int | None = None
    topic: Topic | None = None
    source: CaseSource | None = None


@dataclass(frozen=True)
class Row:
    """A request behind a figure. `term` is what was owed, where the figure counts that; `shown` whether the viewer may
    see the request itself: a unit that gave it back is still measured by it."""

    case: Case
    term: CaseTerm | None
    unit: Organisation
    shown: bool


@dataclass
class _Sum:
    by_unit: dict[int, Rates] = field(default_factory=dict)
    by_topic: dict[Topic, Rates] = field(default_factory=dict)
    by_source: dict[CaseSource, Rates] = field(default_factory=dict)
    whole: Rates = NOTHING

    def add(self, unit_id: int, topic: Topic, source: CaseSource, rates: Rates) -> None:
        self.by_unit[unit_id] = self.by_unit.get(unit_id, NOTHING) + rates
        self.by_topic[topic] = self.by_topic.get(topic, NOTHING) + rates
        self.by_source[source] = self.by_source.get(source, NOTHING) + rates
        self.whole = self.whole + rates


def rates_over(viewer: Account, period: Period, *, now: datetime) -> Overview:
    """Return the rates of a period as far as the viewer's units go: a unit sees itself and those below it."""
    total = _Sum()
    for unit_id, topic, source, step, count, met in db.session.execute(_terms(viewer, period, now)):
        rate = Rate(met or 0, count)
        total.add(unit_id, topic, source, Rates(accepted=rate) if step is Step.ACCEPT else Rates(answered=rate))
    for unit_id, topic, source, state, count, solved, content in db.session.execute(_ends(viewer, period)):
        total.add(unit_id, topic, source, _ended(state, count, solved or 0, content or 0))
    named = db.session.scalars(
        sa.select(Organisation).where(Organisation.id.in_(total.by_unit)).order_by(Organisation.path, Organisation.id)
    ).all()
    return Overview(
        period=period,
        whole=total.whole,
        units=sorted(((unit, total.by_unit[unit.id]) for unit in named), key=lambda row: rank_key(row[1])),
        topics={topic: total.by_topic[topic] for topic in Topic if topic in total.by_topic},
        sources={source: total.by_source[source] for source in CaseSource if source in total.by_source},
    )


def rows_behind(viewer: Account, rows: Rows, *, cursor: str | None, now: datetime) -> Page[Row]:
    """Return a page of the rows behind a figure, the latest due or ended first."""
    if rows.figure.step is not None:
        page = page_of(
            _due(sa.select(CaseTerm), viewer, rows.period, now)
            .where(CaseTerm.step == rows.figure.step, *_narrowed(CaseTerm.unit_id, rows), *_as_met(rows, _MET))
            .options(joinedload(CaseTerm.case), joinedload(CaseTerm.unit)),
            keys=[Key(CaseTerm.due_at, descending=True), Key(CaseTerm.id, descending=True)],
            cursor=cursor,
        )
        seen = _seen(viewer, {term.case_id for term in page.items})
        found = [Row(term.case, term, term.unit, term.case_id in seen) for term in page.items]
    else:
        page = page_of(
            _over(sa.select(Case), viewer, rows.period)
            .where(_counts(rows), *_narrowed(_LAST_UNIT, rows))
            .options(joinedload(Case.lead), joinedload(Case.intake)),
            keys=[Key(Case.ended_at, descending=True), Key(Case.id, descending=True)],
            cursor=cursor,
        )
        seen = _seen(viewer, {case.id for case in page.items})
        found = [Row(case, None, case.lead or case.intake, case.id in seen) for case in page.items]
    return Page(found, page.previous, page.next)


def late_over(viewer: Account, period: Period, *, most: int, now: datetime) -> tuple[int, list[Row]]:
    """Return how many terms of a period were not met, and so many of them: those longest overdue first."""
    late = _due(sa.select(CaseTerm), viewer, period, now).where(~_MET)
    count = db.session.scalar(sa.select(sa.func.count()).select_from(late.with_only_columns(CaseTerm.id).subquery()))
    terms = db.session.scalars(
        late.options(joinedload(CaseTerm.case), joinedload(CaseTerm.unit))
        .order_by(CaseTerm.due_at, CaseTerm.id)
        .limit(most)
    ).all()
    seen = _seen(viewer, {term.case_id for term in terms})
    return count or 0, [Row(term.case, term, term.unit, term.case_id in seen) for term in terms]


def unit_in_rates(viewer: Account, unit_id: int) -> Organisation | None:
    """Return a unit whose rates the viewer may see."""
    return db.session.scalar(
        sa.select(Organisation).where(Organisation.id == unit_id, _within(viewer, Organisation.id))
    )


def _terms(viewer: Account, period: Period, now: datetime) -> sa.Select[Any]:
    keys = (CaseTerm.unit_id, Case.topic, Case.source, CaseTerm.step)
    counted = sa.select(*keys, sa.func.count(), sa.func.count().filter(_MET))
    return _due(counted, viewer, period, now).group_by(*keys)


def _ends(viewer: Account, period: Period) -> sa.Select[Any]:
    keys = (_LAST_UNIT, Case.topic, Case.source, Case.state)
    counted = sa.select(
        *keys, sa.func.count(), sa.func.count().filter(Feedback.solved), sa.func.count().filter(_CONTENT)
    )
    return (
        _over(counted, viewer, period)
        .where(Case.state != CaseState.MERGED)
        .outerjoin(Answer, Answer.id == _last_answer())
        .outerjoin(Feedback, Feedback.answer_id == Answer.id)
        .group_by(*keys)
    )


def _ended(state: CaseState, count: int, solved: int, content: int) -> Rates:
    if state is CaseState.UNREACHED:
        return Rates(unreached=count)
    if state is CaseState.WITHDRAWN:
        return Rates(withdrawn=count)
    return Rates(solved=Rate(solved, count), satisfied=Rate(content, count))


def _due(statement: sa.Select[Any], viewer: Account, period: Period, now: datetime) -> sa.Select[Any]:
    return statement.join(Case, Case.id == CaseTerm.case_id).where(
        CaseTerm.due_at >= period.begins,
        CaseTerm.due_at < period.ends,
        CaseTerm.due_at <= now,
        _COUNTED,
        _within(viewer, CaseTerm.unit_id),
    )


def _over(statement: sa.Select[Any], viewer: Account, period: Period) -> sa.Select[Any]:
    return statement.where(
        Case.ended_at >= period.begins, Case.ended_at < period.ends, _MEASURED, _within(viewer, _LAST_UNIT)
    )


def _within(viewer: Account, column: Any) -> sa.ColumnElement[bool]:
    ids = reached_ids(viewer, *MEASURES)
    return sa.true() if ids is None else column.in_(ids)


def _last_answer() -> Any:
    return sa.select(sa.func.max(Answer.id)).where(Answer.case_id == Case.id).correlate(Case).scalar_subquery()


def _narrowed(unit: Any, rows: Rows) -> list[sa.ColumnElement[bool]]:
    wanted = ((unit, rows.unit_id), (Case.topic, rows.topic), (Case.source, rows.source))
    return [column == value for column, value in wanted if value is not None]


def _as_met(rows: Rows, condition: sa.ColumnElement[bool]) -> list[sa.ColumnElement[bool]]:
    return [] if rows.met is None else [condition if rows.met else ~condition]


def _counts(rows: Rows) -> sa.ColumnElement[bool]:
    """Return the condition for the ended requests that a figure counts."""
    if rows.figure is Figure.UNREACHED:
        return Case.state == CaseState.UNREACHED
    if rows.figure is Figure.WITHDRAWN:
        return Case.state == CaseState.WITHDRAWN
    said = Feedback.solved if rows.figure is Figure.SOLVED else _CONTENT
    met = sa.exists().where(Feedback.answer_id == _last_answer(), said)
    return sa.and_(Case.state == CaseState.CLOSED, *_as_met(rows, met))


def _seen(viewer: Account, case_ids: set[int]) -> set[int]:
    return set(db.session.scalars(sa.select(Case.id).where(Case.id.in_(case_ids), visible(viewer))))
