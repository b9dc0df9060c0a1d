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
    feedback_move,
)
from outreach.cases.rules.deadlines import Clock, ExtensionAsked, ExtensionDaysUnfit, ExtensionTooLate, NoExtensionAsked
from outreach.cases.rules.moves import (
    MOVES,
    OWED_BY_THE_LEAD_UNIT,
    ArbiterHasDecided,
    CaseState,
    ChangedMeanwhile,
    MergedIntoItself,
    Move,
    MoveRefused,
    NothingOwed,
    SameUnit,
    TargetEnded,
    return_move,
)
from outreach.cases.rules.parts import ASKABLE, CoHandlerAsked, LeadCannotCoHandle, PartMoveRefused
from outreach.kernel import history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import local
from outreach.kernel.database import db
from outreach.kernel.refusals import Refused
from outreach.kernel.working_days import CLOSES
from tests.conftest import NOW
from tests.factories import a_case

STATES = {state.value: state for state in CaseState}


class Life(RuleBasedStateMachine):
    """One request in the hands of everybody who may touch it, in any order, sensible or not."""

    city = None
    seen: ClassVar[Counter[tuple[bool, str, str]]]

    @initialize(state=st.sampled_from(CaseState))
    def register(self, state: CaseState) -> None:
        """Begin with a request that came straight to some state."""
        self.now = NOW
        self.case = a_case(
            intake=self.city.office, person=self.city.talent, contact_point=self.city.number, now=self.now
        )
        self.person = Actor(ActorKind.ATTENDEE, self.city.number.id)
        self.desk, self.unit = self.city.organiser.actor, self.city.handler.actor
        self.boss = self.city.supervisor.actor
        self.want_approval(state is CaseState.DRAFTED)
        self.come_to(state)
        assert self.case.state is state

    def come_to(self, state: CaseState) -> None:
        """Go the shortest way from the registration to a state."""
        begun = {
            CaseState.REGISTERED: 0,
            CaseState.ASSIGNED: 1,
            CaseState.ACCEPTED: 2,
            CaseState.DRAFTED: 3,
            CaseState.REPLIED: 3,
            CaseState.CONTESTED: 3,
            CaseState.UNREACHED: 3,
            CaseState.CLOSED: 4,
        }
        self.go_on(begun.get(state, 0), True)
        if state is CaseState.RETURNED:
            self.assign("schools", False)
            self.return_it()
        elif state is CaseState.DISPUTED:
            self.quarrel()
        elif state is CaseState.CONTESTED:
            self.open_answer()
            self.feedback(False, Satisfaction.DISSATISFIED)
        elif state is CaseState.UNREACHED:
            self.try_in_vain()
        elif state is CaseState.WITHDRAWN:
            self.withdraw(0)
        elif state is CaseState.MERGED:
            self.merge("open")

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
        assert isinstance(refusal, refusals if legal else (MoveRefused, AlreadyHeard)), refusal
        db.session.expire_all()
        assert (self.case.state, self.case.due_at, len(history.lines_of(self.case.subject))) == before

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        """Let hours go by: nights, weekends and all."""
        self.now += timedelta(hours=hours)

    @rule(steps=st.integers(1, 4), content=st.booleans())
    def go_on(self, steps: int, content: bool) -> None:
        """Take the next steps as they should be taken, or nothing would ever come near its end."""
        next_steps = {
            CaseState.REGISTERED: lambda: self.assign("schools", False),
            CaseState.RETURNED: lambda: self.assign("schools", False),
            CaseState.ASSIGNED: self.accept,
            CaseState.DISPUTED: lambda: self.arbitrate("schools"),
            CaseState.ACCEPTED: lambda: self.reply(AnswerKind.SOLVED, True),
            CaseState.DRAFTED: lambda: self.approve(True),
            CaseState.REPLIED: lambda: (self.open_answer(), self.feedback(content, Satisfaction.MOSTLY)),
            CaseState.CONTESTED: lambda: self.decide(content),
            CaseState.MERGED: self.split,
        }
        for _ in range(steps):
            if self.case.state in next_steps:
                next_steps[self.case.state]()

    @rule()
    def quarrel(self) -> None:
        """Send it back and forth between desks until somebody must decide."""
        if self.case.state is CaseState.ASSIGNED:
            self.return_it()
        if self.case.state in {CaseState.REGISTERED, CaseState.RETURNED}:
            for _ in range(2):
                self.assign("schools", False)
                self.return_it()

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
        self.tried(
            operations.return_case,
            return_move(self.case.returns),
            ArbiterHasDecided,
            ground="不归我们管",
            version=self.case.version,
            by=self.unit,
        )

    @rule(to=st.sampled_from(["schools", "housing"]))
    def arbitrate(self, to: str) -> None:
        """Decide whose it is, asked or not."""
        self.tried(
            operations.arbitrate,
            Move.ARBITRATE,
            unit=getattr(self.city, to),
            reason="三定方案",
            version=self.case.version,
            by=self.boss,
        )

    @rule(to=st.sampled_from(["schools", "housing"]))
    def reassign(self, to: str) -> None:
        """Take it from one unit and give it to another, or to the same."""
        self.tried(
            operations.reassign,
            Move.REASSIGN,
            SameUnit,
            unit=getattr(self.city, to),
            reason="机构调整",
            version=self.case.version,
            by=self.desk,
        )

    @rule(wanted=st.booleans())
    def want_approval(self, wanted: bool) -> None:
        """Have answers approved, or not any more."""
        operations.want_approval(unit=self.city.schools, wanted=wanted, by=self.boss, now=self.now)

    @rule(well=st.booleans())
    def approve(self, well: bool) -> None:
        """Approve an answer or send it back, whether there is one or not."""
        if well:
            self.tried(operations.approve_answer, Move.APPROVE, version=self.case.version, by=self.boss)
        else:
            self.tried(operations.send_back, Move.SEND_BACK, reason="写清楚", version=self.case.version, by=self.boss)

    @rule(to=st.sampled_from(["schools", "housing", "office"]), given=st.booleans())
    def ask_part(self, to: str, given: bool) -> None:
        """Ask a co-handler, who may give its part."""
        legal = self.case.state in ASKABLE
        before = len(self.case.parts)
        try:
            with db.session.begin_nested():
                part = operations.ask_unit(
                    case=self.case, unit=getattr(self.city, to), question="你们怎么看", by=self.unit, now=self.now
                )
                if given:
                    operations.give_part(part=part, text="可以", by=self.unit, now=self.now)
        except PartMoveRefused:
            assert not legal
        except (CoHandlerAsked, LeadCannotCoHandle):
            db.session.expire_all()
            assert len(self.case.parts) == before
        else:
            assert legal

    @rule(days=st.integers(0, 16), granted=st.sampled_from([True, False, None]))
    def more_time(self, days: int, granted: bool | None) -> None:
        """Ask for more time, decided at once or left."""
        if self.case.extension is None:
            self.tried(
                operations.ask_extension,
                Move.REPLY,
                ExtensionAsked,
                ExtensionTooLate,
                ExtensionDaysUnfit,
                days=days,
                reason="等批复",
                version=self.case.version,
                by=self.unit,
            )
        if granted is None:
            return
        try:
            with db.session.begin_nested():
                operations.decide_extension(
                    case=self.case, granted=granted, reason="照此办理", by=self.boss, now=self.now
                )
        except NoExtensionAsked:
            assert self.case.extension is None

    @rule(other=st.sampled_from(["open", "open", "ended", "itself"]))
    def merge(self, other: str) -> None:
        """Merge it into another one, which may have ended."""
        into = self.case if other == "itself" else a_case(intake=self.city.office, now=self.now)
        if other == "ended":
            operations.withdraw(case=into, words=None, by=self.person, now=self.now)
        self.tried(
            operations.merge,
            Move.MERGE,
            MergedIntoItself,
            TargetEnded,
            into=into,
            version=self.case.version,
            by=self.desk,
        )

    @rule()
    def split(self) -> None:
        """Take it out again, merged or not."""
        self.tried(operations.split, Move.SPLIT, version=self.case.version, by=self.desk)

    @rule()
    def say_more(self) -> None:
        """Add something, which changes nothing but the history."""
        if self.case.state.is_open:
            operations.add(case=self.case, words="还有一句", by=self.person, now=self.now)
        operations.note(case=self.case, words="内部备注", by=self.desk, now=self.now)

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
        kind = self.case.answer.kind if self.case.answer else None
        self.tried(
            operations.take_feedback,
            feedback_move(kind, solved=solved, satisfaction=satisfaction),
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
            assert case.answerable is (case.lead if case.state in OWED_BY_THE_LEAD_UNIT else case.intake)
            due = Clock(case.due_since, case.due_days, case.answer_promised_on).due(working_calendar())
            assert (due.at, due.provisional) == (case.due_at, case.due_provisional)
        else:
            assert (case.answerable_id, case.due_at) == (None, None)

    @invariant()
    def none_is_closed_without_an_answer_that_was_heard(self) -> None:
        """Closed means delivered and heard; unreached means the rule of two attempts."""
        case = getattr(self, "case", None)
        if case is None or case.state.is_open or case.state in {CaseState.WITHDRAWN, CaseState.MERGED}:
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
            max_examples=60,
            stateful_step_count=20,
            deadline=None,
            database=None,
            derandomize=True,  # so that what it must come by is certain; other walks by changing this line
            suppress_health_check=list(HealthCheck),
        ),
    )

    refused = sum(count for (legal, _, _), count in LifeHere.seen.items() if not legal)
    assert refused * 3 >= sum(LifeHere.seen.values())
    assert {state for _, _, state in LifeHere.seen} == {str(state) for state in CaseState}
