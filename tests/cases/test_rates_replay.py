"""Rates against an oracle that replays the history alone: some hundred lives by a seeded random walk."""

import random
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from outreach.cases import operations, queries
from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.moves import CaseState
from outreach.cases.rules.rates import Figure, Period, Rates
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine
from outreach.kernel.refusals import Refused
from tests.cases.oracle import rates
from tests.factories import a_case, a_contact_point, a_person

LIVES = 240
FIRST = datetime(2026, 8, 1, 1, tzinfo=UTC)
LAST = datetime(2026, 11, 20, 9, 40, tzinfo=UTC)
"""Up to which the walk goes and at which it is measured: much is still open then."""
PERIODS = ["2026-08", "2026-09", "2026-10", "2026-11", "2026-12", "2026Q3", "2026Q4", "2026", "2025"]
PAUSES = (0.2, 0.5, 1, 2, 2, 3, 5, 20, 24, 26, 30, 50, 100)
"""Hours until somebody does something again."""
LIKELY = {
    CaseState.REGISTERED: ("assign", "assign", "assign", "merge", "withdraw"),
    CaseState.RETURNED: ("assign", "assign", "assign", "merge", "withdraw", "urge"),
    CaseState.ASSIGNED: ("accept",) * 6 + ("give_back", "give_back", "reassign", "merge", "withdraw", "urge"),
    CaseState.DISPUTED: ("arbitrate", "arbitrate", "withdraw"),
    CaseState.ACCEPTED: ("reply",) * 6 + ("extend", "extend", "give_back", "reassign", "merge", "withdraw"),
    CaseState.DRAFTED: ("approve", "approve", "send_back", "extend"),
    CaseState.REPLIED: ("tell", "open", "hear", "hear", "hear", "withdraw"),
    CaseState.CONTESTED: ("reopen", "reopen", "close"),
    CaseState.MERGED: ("split", "open"),
}


class Life:
    """One request in the hands of everybody, from a day of its own."""

    def __init__(self, city, chance: random.Random, others: list) -> None:
        self.city, self.chance, self.others = city, chance, others
        self.now = FIRST + timedelta(hours=chance.randrange(24 * 110))
        self.person = Actor(ActorKind.ATTENDEE, city.number.id)
        self.out_of_reach = chance.random() < 0.12
        self.units = [city.schools, city.housing, city.office]
        self.case = a_case(
            intake=city.office,
            person=city.talent,
            contact_point=city.number,
            topic=chance.choice([Topic.SCHOOLING, Topic.HOUSING, Topic.MEDICAL, Topic.POLICY]),
            source=chance.choice([CaseSource.VISIT, CaseSource.PHONE, CaseSource.PUBLIC_FORM, CaseSource.IMPORT]),
            now=self.now,
        )

    def go(self) -> None:
        """Live until an end, until LAST, or until nobody cares any more."""
        for _ in range(self.chance.randrange(3, 30)):
            self.now += timedelta(hours=self.chance.choice(PAUSES))
            if self.now > LAST or self.case.state not in LIKELY:
                return
            likely = LIKELY[self.case.state]
            if self.out_of_reach and self.case.state is CaseState.REPLIED:
                likely = ("miss", "miss", "miss", "give_up", "give_up")
            step = getattr(self, self.chance.choice(likely))
            try:
                with db.session.begin_nested():
                    step()
            except Refused:
                db.session.expire_all()

    def _as(self, account, **values):
        return {"case": self.case, "by": account.actor, "now": self.now, **values}

    def _now(self, account, **values):
        return self._as(account, version=self.case.version, **values)

    def assign(self):
        unit, is_complex = self.chance.choice(self.units), self.chance.random() < 0.2
        operations.assign(**self._now(self.city.organiser, unit=unit, complex=is_complex))

    def reassign(self):
        operations.reassign(**self._now(self.city.organiser, unit=self.chance.choice(self.units), reason="机构调整"))

    def arbitrate(self):
        operations.arbitrate(**self._now(self.city.supervisor, unit=self.chance.choice(self.units), reason="三定"))

    def accept(self):
        operations.accept(**self._now(self.city.handler))

    def give_back(self):
        operations.return_case(**self._now(self.city.handler, ground="不归我们管"))

    def urge(self):
        operations.urge(**self._as(self.city.supervisor, words=None))

    def extend(self):
        if self.case.extension is None:
            days = self.chance.randrange(1, 9)
            operations.ask_extension(**self._now(self.city.handler, days=days, reason="等批复"))
            self.now = min(self.now + timedelta(hours=self.chance.choice(PAUSES)), LAST)
        granted = self.chance.random() < 0.7
        operations.decide_extension(**self._as(self.city.supervisor, granted=granted, reason="照此办理"))

    def reply(self):
        kind = self.chance.choice([AnswerKind.SOLVED, AnswerKind.SOLVED, AnswerKind.IN_PROGRESS, AnswerKind.IMPOSSIBLE])
        promised_on = office_day(self.now) + timedelta(days=self.chance.randrange(12))
        operations.reply(
            **self._now(self.city.handler, kind=kind, text="答复", rule="《办法》第三条", promised_on=promised_on)
        )

    def approve(self):
        operations.approve_answer(**self._now(self.city.supervisor))

    def send_back(self):
        operations.send_back(**self._now(self.city.supervisor, reason="写清楚"))

    def open(self):
        operations.open_answer(case=self.case, by=self.person, now=self.now)

    def tell(self):
        at = self.now - timedelta(hours=self.chance.choice([0, 0, 1, 5]))
        operations.log_attempt(**self._as(self.city.handler, channel=ReachChannel.TELEPHONE, reached=True, at=at))

    def miss(self):
        channel = self.chance.choice([ReachChannel.TELEPHONE, ReachChannel.MAIL])
        operations.log_attempt(**self._as(self.city.handler, channel=channel, reached=False, at=self.now))

    def hear(self):
        solved, satisfaction = self.chance.random() < 0.6, self.chance.choice(list(Satisfaction))
        operations.take_feedback(**self._as(self.city.organiser, solved=solved, satisfaction=satisfaction, words=None))

    def give_up(self):
        operations.give_up_reaching(**self._now(self.city.organiser))

    def reopen(self):
        operations.reopen(**self._now(self.city.supervisor, reason="再办"))

    def close(self):
        operations.close_with_reason(**self._now(self.city.supervisor, reason="政策如此"))

    def merge(self):
        if self.chance.random() < 0.5:
            return
        operations.merge(**self._now(self.city.organiser, into=self.chance.choice(self.others)))

    def split(self):
        operations.split(**self._now(self.city.organiser))

    def withdraw(self):
        if self.chance.random() < 0.8:
            return
        operations.withdraw(case=self.case, words=None, by=self.person, now=self.now)


@pytest.fixture
def lived(session, city):
    """A city in which some hundred requests lived."""
    chance = random.Random(20261121)
    operations.save_routes(intake=city.office, units={Topic.MEDICAL: city.schools}, by=city.organiser.actor, now=FIRST)
    operations.want_approval(unit=city.housing, wanted=True, by=city.supervisor.actor, now=FIRST)
    point = a_contact_point()
    others = [
        a_case(intake=city.office, person=a_person("旁人", organisation=city.office), contact_point=point, now=FIRST)
        for _ in range(3)
    ]
    for _ in range(LIVES):
        Life(city, chance, others).go()
    session.flush()
    return city


def lines_written(session) -> list[dict]:
    """Every line of a request's history, as it stands in the table."""
    table = HistoryLine.__table__
    found = session.execute(sa.select(table).where(table.c.subject_kind == "case"))
    return [dict(row) for row in found.mappings()]


def plain(said: Rates) -> dict:
    """Rates as the oracle says them."""
    shares = {name: getattr(said, name) for name in ("accepted", "answered", "solved", "satisfied")}
    counts = {name: getattr(said, name) for name in ("unreached", "withdrawn")}
    return {name: [rate.met, rate.all] for name, rate in shares.items() if rate.all} | {
        name: count for name, count in counts.items() if count
    }


def by_group(overview) -> dict:
    """An overview as the oracle says it."""
    groups = {("unit", unit.id): said for unit, said in overview.units}
    groups |= {("topic", topic.value): said for topic, said in overview.topics.items()}
    groups |= {("source", source.value): said for source, said in overview.sources.items()}
    if not overview.whole.is_empty:
        groups["whole",] = overview.whole
    return {group: plain(said) for group, said in groups.items()}


def test_every_figure_is_what_a_replay_of_the_history_finds(session, lived):
    lines = lines_written(session)
    for key in PERIODS:
        period = Period.read(key)

        found = by_group(queries.rates_over(lived.supervisor, period, now=LAST))

        assert found == rates(lines, begins=period.begins, ends=period.ends, now=LAST), key
    the_walk_came_by_all_that_rates_tell_apart(lived, {line["act"] for line in lines})
    as_many_rows_are_behind_each_figure_as_it_says(lived)


def the_walk_came_by_all_that_rates_tell_apart(lived, acts) -> None:
    whole = queries.rates_over(lived.supervisor, Period.read("2026"), now=LAST).whole
    shares = (whole.accepted, whole.answered, whole.solved, whole.satisfied)
    assert all(20 < rate.met < rate.all - 5 for rate in shares), whole
    assert whole.unreached > 2, whole
    assert whole.withdrawn > 5, whole
    assert {"returned", "arbitrated", "reassigned", "routed", "extended", "approved", "reopened"} <= acts
    assert {"merged", "split", "plan_kept", "closed_with_reason", "opened", "told"} <= acts


def as_many_rows_are_behind_each_figure_as_it_says(lived) -> None:
    period = Period.read("2026Q4")
    for unit, said in queries.rates_over(lived.supervisor, period, now=LAST).units:
        for figure in Figure:
            value = getattr(said, figure.value)
            expected = {None: value}
            if figure.is_rate:
                expected = {None: value.all, True: value.met, False: value.all - value.met}
            for met, count in expected.items():
                rows = queries.Rows(period=period, figure=figure, met=met, unit_id=unit.id)
                assert count_of(lived.supervisor, rows) == count, (unit.name, figure, met)


def count_of(viewer, rows) -> int:
    """Page through the rows to their end."""
    cursor, count = None, 0
    while True:
        page = queries.rows_behind(viewer, rows, cursor=cursor, now=LAST)
        count += len(page.items)
        if page.next is None:
            return count
        cursor = page.next
