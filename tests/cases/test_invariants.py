"""The promise, tried by random walks: a third of the attempts are illegal and must be refused by name."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from outreach.cases import operations, queries
from outreach.cases.rules.answers import (
    AlreadyHeard,
    AnswerKind,
    NotDelivered,
    NotHeardByMessage,
    OneChannelOnly,
    OneDayOnly,
    PlanDateMissing,
    ReachChannel,
    RuleMissing,
    Satisfaction,
    TooFewAttempts,
    check_unreached,
)
from outreach.cases.rules.moves import MOVES, CaseState, ChangedMeanwhile, Move, MoveRefused, NothingOwed
from outreach.kernel import history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.clock import local
from outreach.kernel.database import db
from outreach.kernel.refusals import Refused
from outreach.kernel.working_days import CLOSES
from tests.conftest import NOW
from tests.factories import a_case

STATES = {state.value: state for state in CaseState}
ENDINGS = {CaseState.CLOSED, CaseState.UNREACHED, CaseState.WITHDRAWN}


class Life(RuleBasedStateMachine):
    """One request in the hands of everybody who may touch it, in any order, sensible or not."""

    city = None
    seen: ClassVar[Counter[tuple[bool, str, str]]]

    @initialize(steps=st.integers(0, 6), content=st.booleans())
    def register(self, steps: int, content: bool) -> None:
        """Begin with a request that has gone some way, or with a fresh one."""
        self.now = NOW
        self.case = a_case(
            intake=self.city.office, person=self.city.talent, contact_point=self.city.number, now=self.now
        )
        self.person = Actor(ActorKind.ATTENDEE, self.city.number.id)
        self.desk, self.unit = self.city.organiser.actor, self.city.handler.actor
        self.boss = self.city.supervisor.actor
        self.go_on(steps, content)

    def tried(self, operation, move: Move | None, *refusals: type[Refused], **arguments) -> None:
        """Attempt a step. Where the table forbids the move only MoveRefused will do; otherwise only the refusals named.

        A refusal changes nothing.
        """
        legal = move is None or move in MOVES[self.case.state]
        before = (self.case.state, self.case.due_at, len(history.lines_of(self.case.subject)))
        refusal = None
        try:
            with db.session.begin_nested():
                operation(case=self.case, now=self.now, **arguments)
        except Refused as refused:
            refusal = refused
        type(self).seen[legal, type(refusal).__name__, self.case.state.value] += 1
        if refusal is None:
            assert legal
            return
        assert isinstance(refusal, refusals if legal else (MoveRefused, AlreadyHeard))
        db.session.expire_all()
        assert (self.case.state, self.case.due_at, len(history.lines_of(self.case.subject))) == before

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        """Let hours go by: nights, weekends and all."""
        self.now += timedelta(hours=hours)

    @rule(steps=st.integers(1, 4), content=st.booleans())
    def go_on(self, steps: int, content: bool) -> None:
        """Take the next steps as they should be taken, or nothing would ever come near its end."""
        for _ in range(steps):
            state = self.case.state
            if state in {CaseState.REGISTERED, CaseState.RETURNED}:
                self.assign("schools", False)
            elif state is CaseState.ASSIGNED:
                self.accept()
            elif state is CaseState.ACCEPTED:
                self.reply(AnswerKind.SOLVED, True)
            elif state is CaseState.REPLIED and self.case.answer.delivered_at is None:
                self.open_answer()
            elif state is CaseState.REPLIED:
                self.feedback(content, Satisfaction.MOSTLY)
            elif state is CaseState.CONTESTED:
                self.decide(content)

    @rule(to=st.sampled_from(["schools", "housing"]), complex=st.booleans())
    def assign(self, to: str, complex: bool) -> None:  # noqa: A002
        """Assign, in any state."""
        self.tried(
            operations.assign,
            Move.ASSIGN,
            unit=getattr(self.city, to),
            complex=complex,
            version=self.case.version,
            by=self.desk,
        )

    @rule()
    def accept(self) -> None:
        """Accept, in any state."""
        self.tried(operations.accept, Move.ACCEPT, version=self.case.version, by=self.unit)

    @rule()
    def return_it(self) -> None:
        """Return, in any state."""
        self.tried(operations.return_case, Move.RETURN, ground="不归我们管", version=self.case.version, by=self.unit)

    @rule(kind=st.sampled_from(AnswerKind), sound=st.booleans())
    def reply(self, kind: AnswerKind, sound: bool) -> None:
        """Answer, with and without what the kind needs."""
        extra = {
            "rule": "《办法》第 3 条" if sound else None,
            "promised_on": (self.now + timedelta(days=30)).date() if sound else None,
        }
        missing = {} if sound else {AnswerKind.IMPOSSIBLE: RuleMissing, AnswerKind.IN_PROGRESS: PlanDateMissing}
        refusals = [missing[kind]] if kind in missing else []
        self.tried(
            operations.reply,
            Move.REPLY,
            *refusals,
            kind=kind,
            text="答复",
            version=self.case.version,
            by=self.unit,
            **extra,
        )

    @rule()
    def open_answer(self) -> None:
        """Press «read the answer», whether there is one or not."""
        self.tried(operations.open_answer, None, by=self.person)

    @rule(channel=st.sampled_from(ReachChannel), reached=st.booleans())
    def attempt(self, channel: ReachChannel, reached: bool) -> None:
        """Log an attempt on any channel."""
        self.tried(
            operations.log_attempt,
            Move.CONTENT,
            NotHeardByMessage,
            channel=channel,
            reached=reached,
            at=self.now,
            by=self.desk,
        )

    @rule(solved=st.booleans(), satisfaction=st.sampled_from(Satisfaction))
    def feedback(self, solved: bool, satisfaction: Satisfaction) -> None:
        """Say what it was worth, perhaps before having it, perhaps twice."""
        self.tried(
            operations.take_feedback,
            Move.CONTENT,
            NotDelivered,
            AlreadyHeard,
            solved=solved,
            satisfaction=satisfaction,
            words=None,
            by=self.person,
        )

    @rule()
    def give_up(self) -> None:
        """Give up reaching, with however many attempts there are."""
        self.tried(
            operations.give_up_reaching,
            Move.GIVE_UP_REACHING,
            TooFewAttempts,
            OneChannelOnly,
            OneDayOnly,
            version=self.case.version,
            by=self.desk,
        )

    @rule()
    def try_in_vain(self) -> None:
        """Call one day and go there the next, then give up."""
        if self.case.state is CaseState.REPLIED:
            self.attempt(ReachChannel.TELEPHONE, False)
            self.time_passes(24)
            self.attempt(ReachChannel.IN_PERSON, False)
            self.give_up()

    @rule(again=st.booleans())
    def decide(self, again: bool) -> None:
        """Decide, contested or not."""
        operation, move = (
            (operations.reopen, Move.REOPEN) if again else (operations.close_with_reason, Move.CLOSE_WITH_REASON)
        )
        self.tried(operation, move, reason="理由", version=self.case.version, by=self.boss)

    @rule(chance=st.integers(0, 3))
    def withdraw(self, chance: int) -> None:
        """Take it back, now and then."""
        if chance == 0:
            self.tried(operations.withdraw, Move.WITHDRAW, words=None, by=self.person)

    @rule()
    def urge(self) -> None:
        """Urge; only what is open can be urged."""
        if self.case.state.is_open:
            self.tried(operations.urge, None, words=None, by=self.boss)
        else:
            with pytest.raises(NothingOwed):
                operations.urge(case=self.case, words=None, by=self.boss, now=self.now)

    @rule()
    def come_late(self) -> None:
        """Act on a page that was opened before the last change: always refused."""
        with pytest.raises(ChangedMeanwhile):
            operations.accept(case=self.case, version=self.case.version - 1, by=self.unit, now=self.now)

    @invariant()
    def one_unit_owes_one_step_by_one_date(self) -> None:
        """An open request has one answerable unit and one deadline, at the end of a working day; an ended one none."""
        case = getattr(self, "case", None)
        if case is None:
            return
        db.session.flush()
        if case.state.is_open:
            assert case.answerable_id is not None
            assert local(case.due_at).time() == CLOSES
            assert (case.answerable is case.lead) == (case.state in {CaseState.ASSIGNED, CaseState.ACCEPTED})
        else:
            assert (case.answerable_id, case.due_at) == (None, None)

    @invariant()
    def none_is_closed_without_an_answer_that_was_heard(self) -> None:
        """Closed means delivered and heard; unreached means the rule of two attempts."""
        case = getattr(self, "case", None)
        if case is None or case.state.is_open or case.state is CaseState.WITHDRAWN:
            return
        if case.state is CaseState.CLOSED:
            assert case.answer.delivered_at is not None
            assert case.answer.feedback is not None
        else:
            check_unreached(queries.failed_attempts(case.answer))

    @invariant()
    def the_history_tells_the_same(self) -> None:
        """The lines of history replay to where the request stands, by moves of the table only."""
        case = getattr(self, "case", None)
        if case is None:
            return
        lines = history.lines_of(case.subject)
        told = [STATES[line.facts["state"]] for line in lines]
        assert told[0] is CaseState.REGISTERED
        assert all(one is other or other in MOVES[one].values() for one, other in pairwise(told))
        assert told[-1] is case.state
        assert (datetime.fromisoformat(lines[-1].facts["due_at"]) if lines[-1].facts["due_at"] else None) == case.due_at
        assert history.first_broken_position(db.session(), case.subject) is None


def test_a_request_keeps_its_promise_whatever_anybody_tries(session, city):
    class LifeHere(Life):
        pass

    LifeHere.city, LifeHere.seen = city, Counter()
    run_state_machine_as_test(
        LifeHere,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,  # so that what it must come by is certain; other walks by changing this line
            suppress_health_check=list(HealthCheck),
        ),
    )

    refused = sum(count for (legal, _, _), count in LifeHere.seen.items() if not legal)
    assert refused * 3 >= sum(LifeHere.seen.values())
    assert {state for _, _, state in LifeHere.seen} >= {"replied", "contested", "closed", "unreached"}
