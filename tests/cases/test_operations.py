from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from outreach.cases import operations, queries
from outreach.cases.models import Case
from outreach.cases.rules.answers import (
    AlreadyHeard,
    AnswerKind,
    AttemptOutOfTime,
    NotDelivered,
    NotHeardByMessage,
    OneDayOnly,
    PlanDateMissing,
    PlanDatePast,
    ReachChannel,
    RuleMissing,
    Satisfaction,
)
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.moves import (
    CaseState,
    ChangedMeanwhile,
    GroundMissing,
    MoveRefused,
    NothingOwed,
    ReasonMissing,
)
from outreach.cases.rules.telling import BY_THE_PERSON, Happening, Outcome
from outreach.kernel import history
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.clock import OFFICE
from outreach.notices.queries import messages_about
from tests.cases.conftest import answer_of
from tests.conftest import NOW
from tests.factories import a_case

DAY = timedelta(days=1)


def office(day: int, month: int = 11, hour: int = 17, minute: int = 30) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=OFFICE).astimezone(UTC)


def owed(case: Case) -> tuple[CaseState, str | None, datetime | None]:
    return case.state, case.answerable and case.answerable.short_name, case.due_at


def acts(case: Case) -> list[str]:
    return [line.act for line in history.lines_of(case.subject)]


def kinds(case: Case) -> list[str]:
    return [message.kind for message in messages_about(case.subject)]


def test_a_request_is_registered_with_a_number_of_the_year_and_owed_by_the_intake_desk(city, case):
    second = a_case(intake=city.office, now=NOW)

    assert (case.number, second.number) == ("2026-0001", "2026-0002")
    assert owed(case) == (CaseState.REGISTERED, "市委人才办", office(25))
    assert acts(case) == ["registered"]
    assert kinds(case) == ["case_registered"]


def test_a_standing_route_assigns_at_once_and_other_topics_wait(city):
    operations.save_routes(intake=city.office, units={Topic.SCHOOLING: city.schools}, by=city.organiser.actor, now=NOW)

    routed = a_case(intake=city.office, now=NOW)
    waiting = a_case(intake=city.office, now=NOW, topic=Topic.HOUSING)

    assert owed(routed) == (CaseState.ASSIGNED, "市教育局", office(25))
    assert acts(routed) == ["registered", "routed"]
    assert routed.answer_due_at == office(1, month=12)
    assert waiting.state is CaseState.REGISTERED


def test_saving_routes_again_replaces_them(city):
    by = city.organiser.actor
    operations.save_routes(
        intake=city.office, units={Topic.SCHOOLING: city.schools, Topic.MEDICAL: city.schools}, by=by, now=NOW
    )

    operations.save_routes(intake=city.office, units={Topic.SCHOOLING: city.housing}, by=by, now=NOW)

    assert {topic: route.unit for topic, route in queries.routes_of(city.office).items()} == {
        Topic.SCHOOLING: city.housing
    }


def test_a_request_written_down_by_a_secretary_names_both(city):
    case = a_case(intake=city.office, now=NOW, by=Actor(ActorKind.STAFF, city.handler.id, city.supervisor.id))

    assert (case.registered_by, case.registered_for) == (city.handler, city.supervisor)


def test_assigning_makes_the_unit_answerable_and_starts_the_clock_of_the_answer(city, assigned):
    assert owed(assigned) == (CaseState.ASSIGNED, "市教育局", office(25))
    assert (assigned.assigned_at, assigned.answer_due_at) == (NOW, office(1, month=12))
    assert kinds(assigned) == ["case_registered", "case_assigned"]


def test_a_complex_request_has_fifteen_days(city, case):
    operations.assign(
        case=case, unit=city.schools, complex=True, version=case.version, by=city.organiser.actor, now=NOW
    )

    assert case.answer_due_at == office(15, month=12)


def test_accepting_late_leaves_the_deadline_of_the_answer(city, assigned):
    operations.accept(case=assigned, version=assigned.version, by=city.handler.actor, now=NOW + 2 * DAY)

    assert owed(assigned) == (CaseState.ACCEPTED, "市教育局", office(1, month=12))
    assert assigned.handler is city.handler


def test_a_return_needs_a_ground_and_goes_back_to_the_assigner_while_the_clock_runs_on(city, accepted):
    with pytest.raises(GroundMissing):
        operations.return_case(case=accepted, ground="", version=accepted.version, by=city.handler.actor, now=NOW + DAY)

    operations.return_case(
        case=accepted, ground="公寓不归我们管", version=accepted.version, by=city.handler.actor, now=NOW + DAY
    )

    assert owed(accepted) == (CaseState.RETURNED, "市委人才办", office(26))
    assert (accepted.handler, accepted.returns) == (None, 1)

    operations.assign(
        case=accepted, unit=city.housing, version=accepted.version, by=city.organiser.actor, now=NOW + 2 * DAY
    )

    assert owed(accepted) == (CaseState.ASSIGNED, "市住建局", office(27))
    assert accepted.answer_due_at == office(1, month=12)


def test_an_answer_is_then_heard_by_the_intake_desk_within_three_days(city, replied):
    assert owed(replied) == (CaseState.REPLIED, "市委人才办", office(27))
    assert replied.answer.unit is city.schools
    assert kinds(replied)[-1] == "case_replied"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"kind": AnswerKind.IMPOSSIBLE}, RuleMissing),
        ({"kind": AnswerKind.IN_PROGRESS}, PlanDateMissing),
        ({"kind": AnswerKind.IN_PROGRESS, "promised_on": date(2026, 11, 23)}, PlanDatePast),
    ],
    ids=["no rule", "no day", "a day past"],
)
def test_an_answer_without_what_its_kind_needs_is_refused(city, accepted, values, refusal):
    with pytest.raises(refusal):
        answer_of(city, accepted, NOW, **values)

    assert (accepted.state, accepted.answers) == (CaseState.ACCEPTED, [])


def test_an_answer_that_was_only_sent_cannot_be_judged(replied, person):
    with pytest.raises(NotDelivered):
        operations.take_feedback(
            case=replied, solved=True, satisfaction=Satisfaction.SATISFIED, words=None, by=person, now=NOW
        )


def test_opening_the_answer_delivers_it_once(replied, person):
    operations.open_answer(case=replied, by=person, now=NOW)
    operations.open_answer(case=replied, by=person, now=NOW + DAY)

    assert (replied.answer.delivered_at, replied.answer.delivered_by) == (NOW, ReachChannel.PAGE)
    assert acts(replied).count("opened") == 1


def test_good_feedback_closes_and_a_second_one_is_refused(replied, person):
    operations.open_answer(case=replied, by=person, now=NOW)
    said = {"solved": True, "satisfaction": Satisfaction.MOSTLY, "words": "还可以"}

    operations.take_feedback(case=replied, by=person, now=NOW, **said)

    assert owed(replied) == (CaseState.CLOSED, None, None)
    assert replied.ended_at == NOW
    assert kinds(replied)[-1] == "case_closed"
    with pytest.raises(AlreadyHeard):
        operations.take_feedback(case=replied, by=person, now=NOW, **said)


@pytest.fixture
def contested(replied, person):
    operations.open_answer(case=replied, by=person, now=NOW)
    operations.take_feedback(
        case=replied, solved=False, satisfaction=Satisfaction.MOSTLY, words="没解决", by=person, now=NOW
    )
    return replied


def test_what_did_not_help_waits_a_day_for_a_supervisor(contested):
    assert owed(contested) == (CaseState.CONTESTED, "市委人才办", office(25))


def test_a_supervisor_reopens_for_five_days_and_the_unit_answers_again(city, contested, person):
    with pytest.raises(ReasonMissing):
        operations.reopen(case=contested, reason="", version=contested.version, by=city.supervisor.actor, now=NOW + DAY)

    operations.reopen(
        case=contested, reason="请再想办法", version=contested.version, by=city.supervisor.actor, now=NOW + DAY
    )

    assert owed(contested) == (CaseState.ACCEPTED, "市教育局", office(2, month=12))
    assert (contested.reopenings, kinds(contested)[-1]) == (1, "case_reopened")

    answer_of(city, contested, NOW + 2 * DAY)
    operations.open_answer(case=contested, by=person, now=NOW + 2 * DAY)
    operations.take_feedback(
        case=contested, solved=True, satisfaction=Satisfaction.SATISFIED, words=None, by=person, now=NOW + 2 * DAY
    )

    assert contested.state is CaseState.CLOSED


def test_a_supervisor_closes_with_a_reason_that_the_person_is_told(city, contested):
    operations.close_with_reason(
        case=contested, reason="规定如此", version=contested.version, by=city.supervisor.actor, now=NOW
    )

    assert contested.state is CaseState.CLOSED
    assert messages_about(contested.subject)[-1].values["reason"] == "规定如此"


def test_told_by_telephone_is_delivered_and_logged_with_who_and_when(city, replied):
    called = NOW + timedelta(hours=1)

    attempt = operations.log_attempt(
        case=replied,
        channel=ReachChannel.TELEPHONE,
        reached=True,
        at=called,
        by=city.handler.actor,
        now=NOW + DAY,
    )

    assert (replied.answer.delivered_at, replied.answer.delivered_by) == (called, ReachChannel.TELEPHONE)
    assert attempt.account is city.handler


@pytest.mark.parametrize("channel", [ReachChannel.MAIL, ReachChannel.SMS, ReachChannel.PAGE])
def test_a_message_that_was_sent_has_not_been_heard(city, replied, channel):
    with pytest.raises(NotHeardByMessage):
        operations.log_attempt(case=replied, channel=channel, reached=True, at=NOW, by=city.handler.actor, now=NOW)


@pytest.mark.parametrize("away", [-DAY, DAY], ids=["before the answer", "in the future"])
def test_an_attempt_lies_between_the_answer_and_now(city, replied, away):
    with pytest.raises(AttemptOutOfTime):
        operations.log_attempt(
            case=replied,
            channel=ReachChannel.TELEPHONE,
            reached=False,
            at=NOW + away,
            by=city.handler.actor,
            now=NOW,
        )


def test_giving_up_takes_two_attempts_on_two_channels_on_different_days(city, replied):
    def miss(channel, at):
        operations.log_attempt(case=replied, channel=channel, reached=False, at=at, by=city.organiser.actor, now=at)

    miss(ReachChannel.TELEPHONE, NOW)
    miss(ReachChannel.IN_PERSON, NOW + timedelta(hours=2))
    with pytest.raises(OneDayOnly):
        operations.give_up_reaching(
            case=replied, version=replied.version, by=city.organiser.actor, now=NOW + timedelta(hours=3)
        )

    miss(ReachChannel.IN_PERSON, NOW + DAY)
    operations.give_up_reaching(case=replied, version=replied.version, by=city.organiser.actor, now=NOW + DAY)

    assert owed(replied) == (CaseState.UNREACHED, None, None)
    assert replied.answer.delivered_at is None


def test_the_person_takes_a_request_back(replied, person):
    operations.withdraw(case=replied, words="自己解决了", by=person, now=NOW)

    assert owed(replied) == (CaseState.WITHDRAWN, None, None)
    with pytest.raises(MoveRefused):
        operations.withdraw(case=replied, words=None, by=person, now=NOW)


def test_urging_tells_the_desk_that_owes_and_moves_nothing(city, accepted):
    city.handler.email = "handler@example.com"
    before = owed(accepted)

    operations.urge(case=accepted, words="周五前要有说法", by=city.supervisor.actor, now=NOW)

    message = messages_about(accepted.subject)[-1]
    assert (message.kind, message.account_id) == ("case_urged", city.handler.id)
    assert owed(accepted) == before


def test_an_ended_request_cannot_be_urged(case, person):
    operations.withdraw(case=case, words=None, by=person, now=NOW)

    with pytest.raises(NothingOwed):
        operations.urge(case=case, words=None, by=SYSTEM, now=NOW)


def test_the_second_of_two_handlers_is_told_and_changes_nothing(city, assigned):
    seen = assigned.version
    operations.accept(case=assigned, version=seen, by=city.handler.actor, now=NOW)

    with pytest.raises(ChangedMeanwhile) as refused:
        operations.return_case(case=assigned, ground="不归我们", version=seen, by=city.other_handler.actor, now=NOW)

    assert refused.value.values == {"who": "王浩", "state": CaseState.ACCEPTED}
    assert assigned.state is CaseState.ACCEPTED


def test_the_history_says_who_did_what_and_keeps_the_words(city, contested):
    past = queries.past_of(contested)

    assert [entry.happening for entry in reversed(past)] == [
        Happening.REGISTERED,
        Happening.ASSIGNED,
        Happening.ACCEPTED,
        Happening.REPLIED,
        Happening.OPENED,
        Happening.CONTESTED,
    ]
    assert past[0].sentence == BY_THE_PERSON[Happening.CONTESTED]
    said = {name: past[0].values[name] for name in ("who", "choice", "outcome")}
    assert said == {
        "who": "林知遥",
        "choice": Satisfaction.MOSTLY,
        "outcome": Outcome.UNSOLVED,
    }
    assert (past[0].words, past[3].values["unit"]) == ("没解决", "市教育局")
    assert history.first_broken_position(sa.orm.object_session(contested), contested.subject) is None


def test_lines_of_history_hold_no_names_and_no_words(city, contested):
    facts = [str(line.facts) for line in history.lines_of(contested.subject)]

    assert not any(word in fact for fact in facts for word in ("林知遥", "市教育局", "没解决", "小学"))


def test_a_person_without_a_number_is_not_written_to(city):
    case = operations.register(
        person=city.talent,
        contact_point=None,
        topic=Topic.OTHER,
        title="想办张卡",
        words="想办张卡",
        source=CaseSource.OFFICIAL,
        intake=city.office,
        by=city.organiser.actor,
        now=NOW,
    )

    assert kinds(case) == []
