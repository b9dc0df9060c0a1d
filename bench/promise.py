"""What requests cost in a city with 100,000 of them, 100,000 people and 1,500,000 lines of history, over HTTP.

Not a part of the whole run: filling both databases takes minutes. `make bench ONLY=promise`. One reader who sees
everything asks for the desk, the list with each kind of filter, one request, and the rates of the year in which all
of them were due. A figure is that of the slower of the two databases, of lists that of the slowest; a ratio compares
its median with the one among 1,000. Everything else stands on standard error, also how long the part took.
"""

import gc
import random
import statistics
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from bench.bulk import next_id, put, put_plain
from bench.figure import RUNS, Figure, must_be, percentile, say
from bench.ground import City, Ground
from bench.lists import reader
from bench.load import load, request
from bench.population import SEED, populate
from outreach.cases.models import Answer, Case, CaseTerm, Feedback
from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.moves import CaseState, Step
from outreach.cases.rules.telling import Happening
from outreach.kernel import history
from outreach.kernel.actor import ActorKind
from outreach.kernel.clock import now, office_day
from outreach.kernel.database import db
from outreach.organisations.queries import account_named

FEW, MANY = 1_000, 100_000
TIMES = 20
LINES = (
    Happening.REGISTERED,
    Happening.ASSIGNED,
    Happening.ACCEPTED,
    *[Happening.NOTED] * 8,
    Happening.URGED,
    Happening.REPLIED,
    Happening.TOLD,
    Happening.CONTENT,
)
"""Fifteen for each request."""
LISTS = (
    "/desk/requests",
    "/desk/requests?tab=open",
    "/desk/requests?tab=open&page=last",
    "/desk/requests?tab=open&topic=housing",
    "/desk/requests?tab=open&source=visit",
    "/desk/requests?tab=open&unit=3",
    "/desk/requests?tab=open&q=王",
    "/desk/requests?tab=late",
    "/desk/requests?tab=watch",
    "/desk/requests?tab=to_decide",
    "/desk/requests?tab=ended",
    "/desk/requests?tab=ended&topic=housing",
    "/desk/requests?tab=ended&q=知遥",
)


def figures(ground: Ground) -> Iterator[Figure]:
    """Yield the median, the 95th of 100 and the growth of each kind of page."""
    begun, few, many = time.monotonic(), {}, {}
    for kind in ("postgresql", "sqlite"):
        with ground.city(kind) as city:
            fill(FEW)
            _slower(few, _measured(city, f"{kind}, {FEW}"))
            fill(MANY - FEW, first=FEW)
            must_be("lines", db.session.scalar(_lines_there()) >= MANY * len(LINES), True)
            _slower(many, _measured(city, f"{kind}, {MANY}"))
    for name, (median, most) in many.items():
        yield Figure(f"promise_{name}_p50", median, "ms")
        yield Figure(f"promise_{name}_p95", most, "ms")
        yield Figure(f"promise_{name}_growth_ratio", median / few[name][0], "ratio")
    yield Figure("promise_seconds", time.monotonic() - begun, "s")


def fill(how_many: int, *, first: int = 0) -> None:
    """Add people and requests of this year, with their terms, answers, feedback and fifteen lines each; committed."""
    begun, moment = time.monotonic(), now()
    new_year = datetime.combine(office_day(moment).replace(month=1, day=1), datetime.min.time(), tzinfo=moment.tzinfo)
    above = next_id(Case.__table__)
    populate(how_many=how_many, now=moment, first=first, minutes=int((moment - new_year).total_seconds() // 60))
    gc.disable()  # as populate does
    try:
        columns = (Case.id, Case.state, Case.lead_id, Case.answerable_id, Case.created_at, Case.accepted_at)
        cases = db.session.execute(sa.select(*columns).where(Case.id >= above).order_by(Case.id)).all()
        chance = random.Random(SEED + first)  # noqa: S311 -- dice for a measurement
        _put_lives(cases, chance)
        line_id, writer_id = next_id(history.HistoryLine.__table__), account_named("organiser").id
        put_plain(history.HistoryLine.__table__, _NAMES, _lines(cases, line_id, writer_id))
        db.session.commit()
    finally:
        gc.enable()
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    say(f"filled with {how_many} and {how_many * len(LINES)} lines in {time.monotonic() - begun:.0f} s")


def _put_lives(cases: list[Any], chance: random.Random) -> None:
    handler = account_named("organiser").id
    answer, terms, answers, feedback = next_id(Answer.__table__), [], [], []
    for case in cases:
        if case.lead_id is None:
            continue
        due_at = case.created_at + timedelta(days=7)
        answered = case.state in (CaseState.CLOSED, CaseState.REPLIED, CaseState.CONTESTED)
        answered_at = case.created_at + timedelta(hours=chance.randrange(20, 190)) if answered else None
        given = {"case_id": case.id, "unit_id": case.lead_id, "delivered_at": None}
        owed = {"due_at": case.created_at + timedelta(days=1), "done_at": case.accepted_at}
        terms.append(given | {"step": Step.ACCEPT} | owed)
        terms.append(
            given | {"step": Step.ANSWER, "due_at": due_at, "done_at": answered_at, "delivered_at": answered_at}
        )
        if answered:
            answers.append(
                {
                    "id": answer + len(answers),
                    "case_id": case.id,
                    "kind": AnswerKind.SOLVED,
                    "text": "已经办好，请带身份证来。",
                    "unit_id": case.lead_id,
                    "account_id": handler,
                    "answered_at": answered_at,
                    "delivered_at": answered_at,
                    "delivered_by": ReachChannel.TELEPHONE,
                }
            )
        if case.state in (CaseState.CLOSED, CaseState.CONTESTED):
            content = case.state is CaseState.CLOSED and chance.random() < 0.9
            feedback.append(
                {
                    "answer_id": answers[-1]["id"],
                    "solved": content,
                    "satisfaction": Satisfaction.SATISFIED if content else Satisfaction.DISSATISFIED,
                    "at": answered_at,
                    "by_kind": ActorKind.STAFF,
                    "by_id": handler,
                }
            )
    for model, rows in ((CaseTerm, terms), (Answer, answers), (Feedback, feedback)):
        put(model.__table__, _numbered(model.__table__, rows))


def _numbered(table: sa.Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    first = next_id(table)
    return [{"id": first + at} | row for at, row in enumerate(rows)]


_NAMES = ["id", *(column.name for column in history.HistoryLine.__table__.columns if column.name != "id")]


_SAID = {
    "due_at": None,
    "provisional": False,
    "kind": AnswerKind.SOLVED,
    "channel": ReachChannel.TELEPHONE,
    "solved": True,
    "satisfaction": Satisfaction.SATISFIED,
}
"""Whatever a line of any kind may have to name."""


def _lines(cases: list[Any], line_id: int, writer_id: int) -> Iterator[list[Any]]:
    """Yield fifteen lines for each request, chained as the application chains them; the first has this id."""
    for case in cases:
        facts = _SAID | {"state": case.state, "answerable": case.answerable_id, "unit": case.lead_id}
        previous = ""
        for position, act in enumerate(LINES, start=1):
            line = SimpleNamespace(
                id=line_id,
                subject_kind="case",
                subject_id=case.id,
                position=position,
                at=case.created_at + timedelta(hours=position),
                act=act.value,
                actor_kind=ActorKind.STAFF,
                actor_id=writer_id,
                for_id=None,
                facts=facts,
                words_hash=None,
                previous_hash=previous,
            )
            line.hash = previous = history.keyed_hash(history.covered(line))
            yield [getattr(line, name) for name in _NAMES]
            line_id += 1


def _lines_there() -> sa.Select[tuple[int]]:
    return sa.select(sa.func.count()).select_from(history.HistoryLine).where(history.HistoryLine.subject_kind == "case")


def _measured(city: City, what: str) -> dict[str, tuple[float, float]]:
    """Return the median and the 95th of 100 of each kind of page; of lists those of the slowest."""
    some = db.session.scalar(sa.select(sa.func.max(Case.id)).where(Case.state == CaseState.ACCEPTED))
    year = office_day(now()).year
    pages = {"desk": ("/desk/",), "list": LISTS, "request": (f"/desk/requests/{some}",)}
    pages["rates"] = (f"/desk/requests/rates?period={year}",)
    cookies = {path: city.session_cookie(_user_id=reader(), _fresh=True) for paths in pages.values() for path in paths}
    with city.served() as port:
        return {name: max(_times(port, path, cookies[path], what) for path in paths) for name, paths in pages.items()}


def _times(port: int, path: str, cookie: str, what: str) -> tuple[float, float]:
    asked = [request("GET", quote(path, safe="/?=&"), cookie=cookie)] * TIMES
    medians, most = [], []
    for _ in range(RUNS):
        answers = load(port, asked, concurrency=1).answers
        must_be(f"answers of {path}", {answer.status for answer in answers}, {200})
        times = [answer.milliseconds for answer in answers]
        medians.append(percentile(times, 0.5))
        most.append(percentile(times, 0.95))
    found = statistics.median(medians), statistics.median(most)
    say(f"{what}: {found[0]:6.1f} ms, 95 of 100 within {found[1]:6.1f} ms: {path}")
    return found


def _slower(kept: dict[str, tuple[float, float]], found: dict[str, tuple[float, float]]) -> None:
    for name, times in found.items():
        kept[name] = max(kept.get(name, (0.0, 0.0)), times)
