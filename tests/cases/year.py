"""A year of a city, lived by everybody at random: desks that are slow or away, answers nobody opens, second thoughts.

A third of what is attempted is impossible there and then, and must be refused by name. After every step the promise is
looked at: one unit owes one step by one date, nothing is closed without an answer that was heard, and the history says
so too. What is tallied here by hand is compared with the rows in the end.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from outreach.cases import operations, queries
from outreach.cases.models import Case
from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction, check_unreached, feedback_move
from outreach.cases.rules.asking import Topic
from outreach.cases.rules.deadlines import Clock, ExtensionAsked, ExtensionTooLate
from outreach.cases.rules.moves import (
    MOVES,
    OWED_BY_THE_LEAD_UNIT,
    ArbiterHasDecided,
    CaseState,
    ChangedMeanwhile,
    Move,
    MoveRefused,
    return_move,
)
from outreach.cases.rules.parts import CoHandlerAsked
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine
from tests.factories import a_case

HOUR = timedelta(hours=1)
SLOW = 60
"""Hours that a step takes on the average; a working day is eight of twenty-four."""


class Year:
    """So many requests, spread over a year from `begins`, and everybody who has to do with them."""

    def __init__(self, city: Any, *, requests: int, seed: int, begins: datetime) -> None:
        self.city, self.chance = city, Random(seed)
        self.units = [city.schools, city.housing]
        self.handlers = {city.schools.id: city.handler.actor, city.housing.id: city.other_handler.actor}
        self.desk, self.boss = city.organiser.actor, city.supervisor.actor
        self.tally: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.open: dict[int, Case] = {}
        gap = timedelta(days=360) / requests
        self.births = [begins + gap * number for number in range(requests)]
        self.away: dict[int, datetime] = {}
        self.waiting: list[tuple[datetime, int]] = []

    def lived(self) -> Iterator[Case]:
        """Live the year, and what it left over; yield each request after each step."""
        for number, born in enumerate(self.births):
            while self.waiting and self.waiting[0][0] <= born:
                yield from self._next()
            yield self._ask(born, urgent=number % 17 == 0)
        while self.waiting:
            yield from self._next()

    def _ask(self, now: datetime, *, urgent: bool) -> Case:
        topic = self.chance.choice([topic for topic in Topic if topic is not Topic.ADVICE])
        case = a_case(
            intake=self.city.office,
            person=self.city.talent,
            contact_point=self.city.number,
            now=now,
            topic=topic,
            urgent=urgent,
        )
        self.tally["asked"] += 1
        self.open[case.id] = case
        self._later(case, now)
        return case

    def _later(self, case: Case, now: datetime) -> None:
        hours = min(self.chance.expovariate(1 / SLOW), 30 * 24)
        moment = now + HOUR * hours
        if case.state in OWED_BY_THE_LEAD_UNIT and case.lead_id in self.away:
            moment = max(moment, self.away.pop(case.lead_id))  # nobody stands in for them
        heapq.heappush(self.waiting, (moment, case.id))

    def _next(self) -> Iterator[Case]:
        now, case_id = heapq.heappop(self.waiting)
        case = self.open.get(case_id) or db.session.get_one(Case, case_id)
        if self.chance.random() < 0.01:
            self.away[self.chance.choice(self.units).id] = now + timedelta(days=self.chance.randint(2, 15))
        while self.chance.random() < 1 / 3:
            self._attempt_in_vain(case, now)
        self._step(case, now)
        if case.state.is_open:
            self._later(case, now)
        else:
            self.open.pop(case_id, None)
        yield case

    def _step(self, case: Case, now: datetime) -> None:
        if self.chance.random() < 0.03 and Move.WITHDRAW in MOVES[case.state]:
            merged = list(case.merged)
            operations.withdraw(case=case, words=None, by=self._person(), now=now)
            self.tally["withdrawn"] += 1
            for other in merged:
                self.tally["merged"] -= 1
                self.open[other.id] = other
                self._later(other, now)
            return
        {
            CaseState.REGISTERED: self._assign,
            CaseState.RETURNED: self._assign,
            CaseState.DISPUTED: self._arbitrate,
            CaseState.ASSIGNED: self._accept,
            CaseState.ACCEPTED: self._work,
            CaseState.DRAFTED: self._approve,
            CaseState.REPLIED: self._hear,
            CaseState.CONTESTED: self._decide,
            CaseState.MERGED: self._split,
        }.get(case.state, lambda *_: None)(case, now)

    def _assign(self, case: Case, now: datetime) -> None:
        others = [other for other in self.open.values() if other.id != case.id and other.state.is_open]
        if others and self.chance.random() < 0.08 and not case.merged:
            operations.merge(case=case, into=self.chance.choice(others), version=case.version, by=self.desk, now=now)
            self.tally["merged"] += 1
            if self.chance.random() < 0.3:
                heapq.heappush(self.waiting, (now + 20 * HOUR, case.id))
            return
        unit = self.chance.choice(self.units)
        complex_ = self.chance.random() < 0.2
        operations.assign(case=case, unit=unit, complex=complex_, version=case.version, by=self.desk, now=now)

    def _split(self, case: Case, now: datetime) -> None:
        operations.split(case=case, version=case.version, by=self.desk, now=now)
        self.tally["merged"] -= 1
        self.open[case.id] = case

    def _arbitrate(self, case: Case, now: datetime) -> None:
        unit = self.chance.choice(self.units)
        operations.arbitrate(case=case, unit=unit, reason="裁定", version=case.version, by=self.boss, now=now)

    def _accept(self, case: Case, now: datetime) -> None:
        chance = self.chance.random()
        if chance < 0.12 and not case.arbitrated:
            self._return(case, now)
        elif chance < 0.16:  # the office was closed
            [other] = [unit for unit in self.units if unit.id != case.lead_id]
            operations.reassign(case=case, unit=other, reason="机构撤并", version=case.version, by=self.desk, now=now)
        else:
            operations.accept(case=case, version=case.version, by=self._handler(case), now=now)

    def _return(self, case: Case, now: datetime) -> None:
        operations.return_case(case=case, ground="不归我们", version=case.version, by=self._handler(case), now=now)

    def _work(self, case: Case, now: datetime) -> None:
        chance = self.chance.random()
        if chance < 0.05 and not case.arbitrated:
            self._return(case, now)
        elif chance < 0.15 and case.lead is self.city.schools:
            self._ask_part(case, now)
        elif chance < 0.3:
            self._ask_for_time(case, now)
        else:
            self._reply(case, now)

    def _ask_part(self, case: Case, now: datetime) -> None:
        try:
            with db.session.begin_nested():
                part = operations.ask_unit(
                    case=case, unit=self.city.housing, question="怎么看", by=self._handler(case), now=now
                )
        except CoHandlerAsked:
            return
        if self.chance.random() < 0.5:
            operations.give_part(part=part, text="可以", by=self.city.other_handler.actor, now=now)

    def _ask_for_time(self, case: Case, now: datetime) -> None:
        if case.extension is None:
            days = self.chance.randint(1, 10)
            try:
                with db.session.begin_nested():
                    operations.ask_extension(
                        case=case, days=days, reason="等批复", version=case.version, by=self._handler(case), now=now
                    )
            except (ExtensionTooLate, ExtensionAsked):
                return
        if self.chance.random() < 0.7:
            granted = self.chance.random() < 0.6
            operations.decide_extension(case=case, granted=granted, reason="照此", by=self.boss, now=now)

    def _reply(self, case: Case, now: datetime) -> None:
        kind = self.chance.choice([AnswerKind.SOLVED] * 3 + [AnswerKind.IN_PROGRESS, AnswerKind.IMPOSSIBLE])
        operations.reply(
            case=case,
            kind=kind,
            text="答复",
            rule="《办法》第三条",
            promised_on=(now + timedelta(days=20)).date(),
            version=case.version,
            by=self._handler(case),
            now=now,
        )

    def _approve(self, case: Case, now: datetime) -> None:
        if self.chance.random() < 0.75:
            operations.approve_answer(case=case, version=case.version, by=self.boss, now=now)
        else:
            operations.send_back(case=case, reason="写明白", version=case.version, by=self.boss, now=now)

    def _hear(self, case: Case, now: datetime) -> None:
        answer = case.answer
        if answer.delivered_at is None and self.chance.random() < 0.25:  # the message was lost
            self._try_in_vain(case, now)
            return
        if answer.delivered_at is None and self.chance.random() < 0.3:
            operations.log_attempt(
                case=case, channel=ReachChannel.TELEPHONE, reached=True, at=now, by=self.desk, now=now
            )
        elif answer.delivered_at is None:
            operations.open_answer(case=case, by=self._person(), now=now)
        if self.chance.random() < 0.7:
            self._say(case, now)

    def _say(self, case: Case, now: datetime) -> None:
        solved = self.chance.random() < 0.75
        satisfaction = self.chance.choice([Satisfaction.SATISFIED, Satisfaction.MOSTLY, Satisfaction.DISSATISFIED])
        step = feedback_move(case.answer.kind, solved=solved, satisfaction=satisfaction)
        operations.take_feedback(
            case=case, solved=solved, satisfaction=satisfaction, words=None, by=self._person(), now=now
        )
        if step is Move.CONTENT:
            self._closed(case)

    def _try_in_vain(self, case: Case, now: datetime) -> None:
        by = {"case": case, "reached": False, "by": self.desk}
        operations.log_attempt(channel=ReachChannel.TELEPHONE, at=now, now=now, **by)
        later = now + timedelta(days=1)
        operations.log_attempt(channel=ReachChannel.IN_PERSON, at=later, now=later, **by)
        operations.give_up_reaching(case=case, version=case.version, by=self.desk, now=later)
        self.tally["unreached"] += 1

    def _decide(self, case: Case, now: datetime) -> None:
        if self.chance.random() < 0.7:
            operations.reopen(case=case, reason="再办", version=case.version, by=self.boss, now=now)
        else:
            operations.close_with_reason(case=case, reason="办不了", version=case.version, by=self.boss, now=now)
            self._closed(case)

    def _closed(self, case: Case) -> None:
        said = case.answer.feedback
        self.tally["closed"] += 1
        self.tally["solved"] += said.solved
        self.tally["content"] += said.satisfaction is not Satisfaction.DISSATISFIED

    def _attempt_in_vain(self, case: Case, now: datetime) -> None:
        """Try something that this state does not allow."""
        by_hand: dict[Move, Callable[[], Any]] = {
            Move.ASSIGN: lambda: operations.assign(unit=self.city.schools, by=self.desk, **self._as_seen(case, now)),
            Move.ACCEPT: lambda: operations.accept(by=self.desk, **self._as_seen(case, now)),
            Move.ARBITRATE: lambda: operations.arbitrate(
                unit=self.city.schools, reason="裁定", by=self.boss, **self._as_seen(case, now)
            ),
            Move.REPLY: lambda: operations.reply(
                kind=AnswerKind.SOLVED, text="答复", by=self.desk, **self._as_seen(case, now)
            ),
            Move.APPROVE: lambda: operations.approve_answer(by=self.boss, **self._as_seen(case, now)),
            Move.REOPEN: lambda: operations.reopen(reason="再办", by=self.boss, **self._as_seen(case, now)),
            Move.SPLIT: lambda: operations.split(by=self.desk, **self._as_seen(case, now)),
            Move.GIVE_UP_REACHING: lambda: operations.give_up_reaching(by=self.desk, **self._as_seen(case, now)),
            return_move(case.returns): lambda: operations.return_case(
                ground="不归我们", by=self.desk, **self._as_seen(case, now)
            ),
        }
        impossible = [move for move in by_hand if move not in MOVES[case.state]]
        tried = by_hand[self.chance.choice(impossible)]
        if self.chance.random() < 0.2:  # or somebody acts on what has changed meanwhile

            def tried() -> None:
                seen = self._as_seen(case, now) | {"version": case.version - 1}
                operations.assign(unit=self.city.schools, by=self.desk, **seen)

        before = (case.state, case.due_at, case.version)
        try:
            with db.session.begin_nested():
                tried()
        except (MoveRefused, ChangedMeanwhile, ArbiterHasDecided) as refused:  # and nothing else will do
            self.refused[type(refused).__name__] += 1
        else:
            raise AssertionError("what the table of moves does not know was done")
        db.session.refresh(case)
        assert (case.state, case.due_at, case.version) == before

    def _as_seen(self, case: Case, now: datetime) -> dict[str, Any]:
        return {"case": case, "version": case.version, "now": now}

    def _handler(self, case: Case) -> Actor:
        return self.handlers[case.lead_id]

    def _person(self) -> Actor:
        return Actor(ActorKind.ATTENDEE, self.city.number.id)


def check_promise(case: Case) -> None:
    """Look whether the promise of one request stands: whoever owes it, how it ended, what its history says."""
    facts = db.session.scalar(
        sa.select(HistoryLine.facts)
        .where(HistoryLine.subject_kind == "case", HistoryLine.subject_id == case.id)
        .order_by(HistoryLine.position.desc())
        .limit(1)
    )
    assert (facts["state"], facts["answerable"]) == (case.state, case.answerable_id)
    assert (datetime.fromisoformat(facts["due_at"]) if facts["due_at"] else None) == case.due_at
    if case.state.is_open:
        owes = case.lead_id if case.state in OWED_BY_THE_LEAD_UNIT else case.intake_id
        assert case.answerable_id == owes is not None
        due = Clock(case.due_since, case.due_days, case.answer_promised_on).due(working_calendar())
        assert (due.at, due.provisional) == (case.due_at, case.due_provisional)
    else:
        assert (case.answerable_id, case.due_at) == (None, None)
    if case.state is CaseState.CLOSED:
        assert case.answer.delivered_at is not None
        assert case.answer.feedback is not None
    elif case.state is CaseState.UNREACHED:
        check_unreached(queries.failed_attempts(case.answer))
