"""Pairing, ending, and logging a visit."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from outreach.cases.models import Case
from outreach.cases.operations import save_routes
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.moves import CaseState
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.history import Subject, first_broken_position, lines_of
from outreach.liaison.models import Visit
from outreach.liaison.operations import end_pairing, log_visit, pair
from outreach.liaison.queries import visits
from outreach.liaison.rules import (
    AlreadyPaired,
    Ask,
    EndsAhead,
    EndsBeforeItStarts,
    NobodyMet,
    NotYourPairing,
    PairingEnded,
    PairingKind,
    Rhythm,
    VisitAhead,
    VisitWay,
)
from outreach.organisations.rules import Role
from tests.conftest import NOW
from tests.factories import a_contact_point, a_pairing, a_person, an_account

AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def log(city, **values):
    """Log a visit of the city's pairing by its liaison officer, with what a test changes."""
    defaults = {
        "account": city.officer,
        "form_token": "a-form-token-of-its-own",
        "pairings": [city.pairing],
        "at": AT,
        "way": VisitWay.VISIT,
        "companions": None,
        "asks": [],
        "situation": None,
        "advice": None,
        "advised_by": None,
        "confidential": False,
        "now": NOW,
    }
    return log_visit(**{**defaults, **values})


def ask(city, words="女儿明年上小学，想走路能到", topic=Topic.SCHOOLING, **values):
    return Ask(person_id=city.talent.id, topic=topic, words=words, **values)


def test_a_visit_makes_a_request_of_each_thing_asked(city):
    save_routes(intake=city.office, units={Topic.SCHOOLING: city.bureau}, by=SYSTEM, now=NOW)

    visit = log(city, asks=[ask(city), ask(city, "爱人是护士，想进市一医院", Topic.SPOUSE, complex=True)])

    school, spouse = visits.asked_on(visit)
    assert (school.title, school.topic, school.source) == (
        "女儿明年上小学，想走路能到",
        Topic.SCHOOLING,
        CaseSource.VISIT,
    )
    assert (school.state, school.answerable, school.person) == (CaseState.ASSIGNED, city.bureau, city.talent)
    # received on Tuesday 24 November, five working days: Tuesday 1 December, end of office hours
    assert school.answer_due_at == datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    assert (spouse.state, spouse.answerable, spouse.complex) == (CaseState.REGISTERED, city.office, True)


def test_advice_becomes_a_request_that_wants_an_answer(city):
    visit = log(city, advice="把夜间公交延到晚上十一点。加班的人多。")

    [case] = visits.asked_on(visit)
    assert (case.topic, case.title) == (Topic.ADVICE, "把夜间公交延到晚上十一点")
    assert case.words == "把夜间公交延到晚上十一点。加班的人多。"


def test_a_liaison_officer_logs_for_the_leader_and_the_record_says_so(city):
    visit = log(city, asks=[ask(city)])

    [line] = lines_of(Subject("visit", visit.id))
    [case] = visits.asked_on(visit)
    assert line.actor == Actor(ActorKind.STAFF, city.officer.id, city.leader.id)
    assert line.facts["cases"] == [case.id]
    assert [there.account for there in visit.leaders] == [city.leader]
    assert first_broken_position(sa.orm.object_session(visit), Subject("visit", visit.id)) is None


def test_a_leader_logs_as_himself(city):
    visit = log(city, account=city.leader)

    assert [line.actor for line in lines_of(Subject("visit", visit.id))] == [
        Actor(ActorKind.STAFF, city.leader.id, None)
    ]


def test_a_form_sent_twice_logs_once(city, session):
    first = log(city, asks=[ask(city)])

    second = log(city, asks=[ask(city)])

    assert second is first
    assert session.scalar(sa.select(sa.func.count()).select_from(Case)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(Visit)) == 1


def test_the_same_token_of_another_account_is_another_form(city):
    first = log(city)

    second = log(city, account=city.leader)

    assert second.id != first.id


def test_a_visit_may_join_several_leaders_and_talents(city):
    other_leader = an_account("马文", organisation=city.office, roles=[Role.LEADER])
    other_talent = a_person("冯华", organisation=city.office)
    other = a_pairing(leader=other_leader, person=other_talent, liaison_officer=city.officer)

    visit = log(
        city,
        pairings=[city.pairing, other],
        asks=[Ask(person_id=other_talent.id, topic=Topic.HOUSING, words="想换一套三居室")],
        advice="多办小型沙龙",
        advised_by=other_talent.id,
    )

    assert {there.account for there in visit.leaders} == {city.leader, other_leader}
    assert {there.person for there in visit.talents} == {city.talent, other_talent}
    assert [case.person for case in visits.asked_on(visit)] == [other_talent, other_talent]


def test_the_person_is_told_by_mail_where_there_is_an_address(city):
    number = a_contact_point("+8619900000036")
    mail = a_contact_point("lin@example.com")
    talent = a_person("宋时雨", organisation=city.office, at=number)
    talent.contacts.append(type(talent.contacts[0])(contact_point=mail, since=NOW))
    pairing = a_pairing(leader=city.leader, person=talent)

    visit = log(
        city,
        account=city.leader,
        pairings=[pairing],
        asks=[Ask(person_id=talent.id, topic=Topic.HOUSING, words="想换一套三居室")],
    )

    assert [case.contact_point for case in visits.asked_on(visit)] == [mail]


@pytest.mark.parametrize("role", [Role.LEADER, Role.LIAISON_OFFICER, Role.SERVICE_OFFICER])
def test_nobody_logs_for_a_pairing_that_is_not_theirs(city, role):
    stranger = an_account("程国", organisation=city.office, roles=[role])

    with pytest.raises(NotYourPairing):
        log(city, account=stranger)


def test_a_service_officer_logs_for_own_talents(city):
    officer = an_account("邓子", organisation=city.office, roles=[Role.SERVICE_OFFICER])
    own = a_pairing(leader=officer, person=city.talent)

    assert log(city, account=officer, pairings=[own]).account is officer


def test_a_visit_to_come_is_not_logged(city):
    with pytest.raises(VisitAhead):
        log(city, at=NOW + timedelta(minutes=1))


def test_a_visit_needs_somebody_who_was_met(city):
    with pytest.raises(NobodyMet):
        log(city, pairings=[])


def test_what_somebody_absent_asked_is_not_of_this_visit(city):
    absent = a_person("冯华", organisation=city.office)

    with pytest.raises(NobodyMet):
        log(city, asks=[Ask(person_id=absent.id, topic=Topic.HOUSING, words="想换房")])


def new_pairing(city, **values):
    defaults = {
        "leader": city.leader,
        "person": a_person("冯华", organisation=city.office),
        "liaison_officer": None,
        "kind": PairingKind.LEADER,
        "rhythm": Rhythm.MONTHLY,
        "starts_on": date(2026, 11, 24),
        "organisation": city.office,
        "by": SYSTEM,
        "now": NOW,
    }
    return pair(**{**defaults, **values})


def test_a_pairing_is_written_down_with_its_history(city):
    pairing = new_pairing(city, remark="原由组织部联系")

    [line] = lines_of(Subject("pairing", pairing.id))
    assert (line.act, line.words.text, line.facts["rhythm"]) == ("paired", "原由组织部联系", "monthly")


def test_a_leader_and_a_talent_are_paired_once(city):
    with pytest.raises(AlreadyPaired):
        new_pairing(city, person=city.talent)


def test_a_pairing_that_ended_may_begin_anew(city):
    end_pairing(pairing=city.pairing, ends_on=date(2026, 11, 20), by=SYSTEM, now=NOW)

    assert new_pairing(city, person=city.talent).id != city.pairing.id


@pytest.mark.parametrize(
    ("ends_on", "refusal"), [(date(2026, 10, 31), EndsBeforeItStarts), (date(2026, 11, 25), EndsAhead)]
)
def test_a_pairing_ends_between_its_first_day_and_today(city, ends_on, refusal):
    with pytest.raises(refusal):
        end_pairing(pairing=city.pairing, ends_on=ends_on, by=SYSTEM, now=NOW)


def test_a_pairing_ends_once(city):
    end_pairing(pairing=city.pairing, ends_on=date(2026, 11, 20), by=SYSTEM, now=NOW)

    with pytest.raises(PairingEnded):
        end_pairing(pairing=city.pairing, ends_on=date(2026, 11, 21), by=SYSTEM, now=NOW)
