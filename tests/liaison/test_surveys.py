"""A survey by link: whom it goes to, what is answered once, what becomes requests, and who is not asked again."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from werkzeug.exceptions import NotFound

from outreach.cases.models import Case
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.kernel.actor import SYSTEM
from outreach.kernel.clock import now as right_now
from outreach.kernel.clock import office_day
from outreach.liaison.models import NotAskedAgain, Survey, SurveyInvitation, SurveyNeed
from outreach.liaison.operations import erase_person, surveys
from outreach.liaison.queries import surveys as queries
from outreach.liaison.rules.surveys import (
    LONGEST_DAYS,
    AnsweredAlready,
    ClosesTooLate,
    Need,
    NeedSettled,
    NobodyToAsk,
    NothingSaid,
    SurveyClosed,
    check_last_day,
    needs_of,
)
from outreach.notices.models import Message
from outreach.organisations.rules import Role
from outreach.people.models import Consent
from outreach.people.operations import seed_consent_texts, traces_of
from outreach.people.queries import Wanted
from outreach.privacy.queries import EXPIRED
from outreach.privacy.rules import Kept
from tests import factories
from tests.conftest import NOW

TODAY = office_day(NOW)
HOUSING = Need(Topic.HOUSING, "想换一套离实验室近的三居室")


@pytest.fixture
def organiser(city):
    seed_consent_texts(now=factories.BEFORE)
    return factories.an_account("何清越", organisation=city.office, roles=[Role.ORGANISER])


@pytest.fixture
def talent(city):
    return factories.a_person("温如许", organisation=city.office, at=factories.a_contact_point("wen@example.com"))


def sent(city, organiser, **values):
    asked = queries.whom(organiser, Wanted(), limit=10)
    defaults = {
        "title": "春天需要什么",
        "words": "两分钟就好",
        "by_rule": False,
        "closes_on": TODAY + timedelta(days=14),
        "asked": asked,
        "organisation": city.office,
        "by": organiser,
        "now": NOW,
    }
    return surveys.send(**{**defaults, **values})


def answered(invitation, *needs, **values):
    defaults = {"situation": None, "advice": None, "language": "zh_Hans_CN", "by": SYSTEM, "now": NOW}
    return surveys.answer(invitation=invitation, needs=needs, **{**defaults, **values})


@pytest.mark.parametrize("days", [-1, 0, LONGEST_DAYS + 1])
def test_a_last_day_is_one_that_comes_soon(days):
    with pytest.raises(ClosesTooLate):
        check_last_day(TODAY + timedelta(days=days), TODAY)


def test_advice_wants_an_answer_too_and_an_empty_answer_tells_nothing():
    assert needs_of([HOUSING], situation=None, advice="夜班公交") == [HOUSING, Need(Topic.ADVICE, "夜班公交")]
    assert needs_of([], situation="都好", advice=None) == []
    with pytest.raises(NothingSaid):
        needs_of([], situation="", advice=None)


def test_it_goes_to_those_who_can_be_reached_and_want_to_be_asked(city, organiser, talent, session):
    quiet = factories.a_person("静", organisation=city.office, at=factories.a_contact_point())
    session.add(NotAskedAgain(person_id=quiet.id, since=NOW))
    erased = factories.a_person("已删", organisation=city.office, at=factories.a_contact_point())
    erased.erased_at = NOW
    elsewhere = factories.an_organisation("外县", parent=None)
    factories.a_person("外人", organisation=elsewhere, at=factories.a_contact_point())
    session.flush()

    survey = sent(city, organiser)

    [invitation] = session.scalars(sa.select(SurveyInvitation)).all()  # city.talent has no number
    [message] = session.scalars(sa.select(Message).where(Message.kind == "survey")).all()
    assert (invitation.person, invitation.contact_point.value) == (talent, "wen@example.com")
    assert (message.recipient, message.values["token"]) == ("wen@example.com", invitation.token)
    assert queries.standings([survey.id])[survey.id] == queries.Standing(1, 0, 0)


def test_nobody_to_ask_is_said(city, organiser):
    with pytest.raises(NobodyToAsk):
        sent(city, organiser)


def test_what_is_answered_waits_for_somebody_or_becomes_requests_by_rule(city, organiser, talent, session):
    sent(city, organiser)
    first = session.scalars(sa.select(SurveyInvitation)).one()
    assert answered(first, HOUSING, situation="孩子刚上学", advice="夜班公交延到十一点") == []
    assert session.scalar(sa.select(sa.func.count()).select_from(Case)) == 0

    need, advice = first.needs
    case = surveys.raise_request(need=need, by=organiser.actor, now=NOW)
    surveys.set_aside(need=advice, by=organiser.actor, now=NOW)
    assert (case.source, case.person, case.words) == (CaseSource.SURVEY, talent, HOUSING.words)
    for settled in (need, advice):
        with pytest.raises(NeedSettled):
            surveys.raise_request(need=settled, by=organiser.actor, now=NOW)

    survey = sent(city, organiser, by_rule=True)
    second = session.scalars(sa.select(SurveyInvitation).where(SurveyInvitation.survey_id == survey.id)).one()
    assert [one.topic for one in answered(second, HOUSING, advice="夜班公交")] == [Topic.HOUSING, Topic.ADVICE]


def test_it_is_answered_once_and_in_time_and_with_consent(city, organiser, talent, session):
    sent(city, organiser)
    invitation = session.scalars(sa.select(SurveyInvitation)).one()
    with pytest.raises(SurveyClosed):
        answered(invitation, HOUSING, now=NOW + timedelta(days=15))

    answered(invitation, HOUSING)

    with pytest.raises(AnsweredAlready):
        answered(invitation, HOUSING)
    assert session.scalars(sa.select(Consent)).one().about == f"survey:{invitation.id}"


def test_a_need_is_a_request_or_set_aside(city, organiser, talent, session):
    sent(city, organiser)
    invitation = session.scalars(sa.select(SurveyInvitation)).one()
    answered(invitation, HOUSING)
    surveys.raise_request(need=invitation.needs[0], by=organiser.actor, now=NOW)

    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(sa.update(SurveyNeed).values(set_aside_at=NOW))


def test_an_erasure_takes_the_answer_and_voids_the_link(city, organiser, talent, session):
    sent(city, organiser)
    invitation = session.scalars(sa.select(SurveyInvitation)).one()
    answered(invitation, HOUSING, situation="孩子刚上学")
    token = invitation.token

    erase_person(person_id=talent.id, traces=traces_of(person=talent), by=SYSTEM, now=NOW)

    assert session.scalars(sa.select(SurveyNeed)).all() == []
    assert (invitation.situation, invitation.contact_point_id) == (None, None)
    with pytest.raises(NotFound):
        queries.invitation_by_token(token)


def test_answers_go_when_their_time_is_up(city, organiser, talent, session):
    sent(city, organiser)
    invitation = session.scalars(sa.select(SurveyInvitation)).one()
    answered(invitation, HOUSING, situation="孩子刚上学")
    old = EXPIRED[Kept.SURVEYS]
    assert session.scalars(old(NOW)).all() == []
    assert session.scalars(old(NOW + timedelta(days=20))).all() == [invitation.id]

    surveys.erase_answers(ids=[invitation.id])

    assert session.scalars(old(NOW + timedelta(days=20))).all() == []


def test_the_link_asks_takes_the_answer_once_and_asks_no_more(client, city, organiser, talent, session):
    sent(city, organiser, closes_on=office_day(right_now()) + timedelta(days=9), now=right_now())
    token = session.scalars(sa.select(SurveyInvitation)).one().token
    page = client.get(f"/survey/{token}")
    assert (page.status_code, "温如许" in page.text) == (200, False)  # masked
    empty = client.post(f"/survey/{token}", data={"consent": "y"})
    assert empty.status_code == 422
    untold = client.post(f"/survey/{token}", data={"needs-0-words": HOUSING.words, "consent": "y"})
    assert (untold.status_code, HOUSING.words in untold.text) == (422, True)
    without = client.post(f"/survey/{token}", data={"needs-0-words": HOUSING.words, "needs-0-topic": "housing"})
    assert without.status_code == 422

    done = client.post(
        f"/survey/{token}", data={"needs-0-words": HOUSING.words, "needs-0-topic": "housing", "consent": "y"}
    )

    assert done.status_code == 303
    assert "谢谢" in client.get(f"/survey/{token}").text
    assert client.post(f"/survey/{token}/not-again").status_code == 200
    assert client.post(f"/survey/{token}/not-again").status_code == 200
    assert queries.whom(organiser, Wanted(), limit=10) == []
    altered = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert client.get(f"/survey/{altered}").status_code == 404
    assert client.get("/survey/nothing").status_code == 404


def test_on_the_desk_it_is_seen_whom_that_would_be_before_it_goes_out(client, city, organiser, talent, session):
    desk = factories.signed_in(client, organiser)
    last = (office_day(right_now()) + timedelta(days=9)).isoformat()
    data = {"title": "春天需要什么", "words": "两分钟就好", "closes_on": last, "talent_class": ""}
    assert desk.get("/desk/liaison/surveys/new").status_code == 200
    shown = desk.post("/desk/liaison/surveys/new", data=data)
    assert (shown.status_code, "1 人" in shown.text) == (200, True)
    assert session.scalar(sa.select(sa.func.count()).select_from(Survey)) == 0

    nobody = desk.post("/desk/liaison/surveys/new", data=data | {"send": "1", "away": "y"})
    assert (nobody.status_code, session.scalar(sa.select(sa.func.count()).select_from(Survey))) == (422, 0)

    made = desk.post("/desk/liaison/surveys/new", data=data | {"send": "1"})

    assert made.status_code == 303
    invitation = session.scalars(sa.select(SurveyInvitation)).one()
    answered(invitation, HOUSING, now=right_now())
    page = desk.get(made.headers["Location"])
    assert HOUSING.words in page.text
    number = re.search(r"/needs/(\d+)/request", page.text).group(1)
    assert desk.post(f"/desk/liaison/surveys/needs/{number}/request").status_code == 303
    assert desk.post(f"/desk/liaison/surveys/needs/{number}/aside").status_code == 409
    assert desk.get("/desk/liaison/surveys/").status_code == 200
    county = factories.an_organisation("外县", parent=city.office)
    factories.signed_in(client, factories.an_account(organisation=county, roles=[Role.ORGANISER]))
    assert client.get(made.headers["Location"]).status_code == 404
