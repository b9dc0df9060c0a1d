"""The pages of liaison, as leaders, liaison officers and others open them."""

import sqlalchemy as sa

from outreach.cases.models import Case
from outreach.cases.operations import save_routes
from outreach.cases.rules.asking import Topic
from outreach.kernel.actor import SYSTEM
from outreach.liaison.models import Visit
from outreach.organisations.rules import Role
from tests.conftest import NOW
from tests.factories import a_pairing, a_person, a_visit, an_account, signed_in

TOKEN = "a-form-token-of-its-own"


def filled(city, **values):
    """The form of a visit as a browser sends it, with what a test changes."""
    return {
        "form_token": TOKEN,
        "pairings": str(city.pairing.id),
        "at": "2026-11-20T15:00",
        "way": "visit",
        "companions": "顾南枝、秦牧之",
        "asks-0-words": "女儿明年上小学，想走路能到",
        "asks-0-topic": "schooling",
        "asks-1-words": "爱人是护士，想进市一医院",
        "asks-1-topic": "spouse",
        "asks-1-complex": "y",
        "situation": "中试线 12 月装机。",
        "advice": "",
        **values,
    }


def text(response):
    return response.get_data(as_text=True)


def count(session, model):
    return session.scalar(sa.select(sa.func.count()).select_from(model))


def test_the_form_names_the_leader_one_writes_for_and_where_each_topic_goes(city, client):
    save_routes(intake=city.office, units={Topic.SCHOOLING: city.bureau}, by=SYSTEM, now=NOW)

    page = text(signed_in(client, city.officer).get("/desk/visits/new"))

    assert "您在替周启明记录" in page
    assert 'data-unit="市教育局"' in page
    assert "林知遥" in page


def test_a_visit_is_saved_with_its_requests_and_the_page_shows_who_answers_by_when(city, client, session):
    save_routes(intake=city.office, units={Topic.SCHOOLING: city.bureau}, by=SYSTEM, now=NOW)

    response = signed_in(client, city.officer).post("/desk/visits/new", data=filled(city))

    assert response.status_code == 303
    page = text(client.get(response.location))
    assert "女儿明年上小学，想走路能到" in page
    assert "市教育局" in page
    assert "市委人才办" in page
    assert count(session, Case) == 2


def test_a_form_sent_twice_shows_the_same_page_and_logs_once(city, client, session):
    browser = signed_in(client, city.officer)

    first = browser.post("/desk/visits/new", data=filled(city))
    second = browser.post("/desk/visits/new", data=filled(city))

    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert (count(session, Visit), count(session, Case)) == (1, 2)


def test_what_was_typed_stays_when_something_is_missing(city, client, session):
    response = signed_in(client, city.officer).post(
        "/desk/visits/new", data=filled(city, **{"asks-1-topic": "", "at": "2030-01-01T09:00"})
    )

    page = text(response)
    assert response.status_code == 422
    assert "选一下是哪方面的事" in page
    for typed in (
        "女儿明年上小学，想走路能到",
        "爱人是护士，想进市一医院",
        "顾南枝、秦牧之",
        "中试线 12 月装机。",
        TOKEN,
    ):
        assert typed in page
    assert count(session, Visit) == 0


def test_a_visit_to_come_is_refused_beside_its_field(city, client, session):
    response = signed_in(client, city.officer).post("/desk/visits/new", data=filled(city, at="2030-01-01T09:00"))

    assert response.status_code == 422
    assert "这个时间还没到" in text(response)
    assert (count(session, Visit), count(session, Case)) == (0, 0)


def test_another_row_is_added_without_a_script_and_nothing_is_saved(city, client, session):
    response = signed_in(client, city.officer).post("/desk/visits/new", data=filled(city, more="1"))

    page = text(response)
    assert response.status_code == 200
    assert 'name="asks-2-words"' in page
    assert "爱人是护士，想进市一医院" in page
    assert count(session, Visit) == 0


def test_where_several_were_met_the_form_asks_who_it_was(city, client, session):
    other = a_pairing(
        leader=city.leader, person=a_person("冯华", organisation=city.office), liaison_officer=city.officer
    )
    browser = signed_in(client, city.officer)
    both = {"pairings": [str(city.pairing.id), str(other.id)]}

    asked = browser.post("/desk/visits/new", data=filled(city, **both))
    told = browser.post(
        "/desk/visits/new",
        data=filled(
            city,
            **both,
            **{"asks-0-person_id": str(city.talent.id), "asks-1-person_id": str(other.person_id)},
        ),
    )

    assert asked.status_code == 422
    assert "见了不止一位，说一下是谁" in text(asked)
    assert told.status_code == 303
    assert set(session.scalars(sa.select(Case.person_id))) == {city.talent.id, other.person_id}


def test_a_pairing_of_somebody_else_cannot_be_chosen(city, client, session):
    stranger = an_account("程国", organisation=city.office, roles=[Role.LEADER])
    a_pairing(leader=stranger, person=a_person("冯华", organisation=city.office))

    response = signed_in(client, stranger).post("/desk/visits/new", data=filled(city))

    assert response.status_code == 422
    assert "选一下见了谁" in text(response)
    assert count(session, Visit) == 0


def test_broken_input_is_answered_with_a_sentence(city, client, session):
    browser = signed_in(client, city.officer)

    for broken in (
        {"at": "tomorrow"},
        {"way": "pigeon"},
        {"form_token": "x" * 90},
        {"pairings": "abc"},
        {"asks-0-person_id": "abc"},
        {"asks-0-topic": "advice"},
        {"situation": "长" * 5000},
    ):
        assert browser.post("/desk/visits/new", data=filled(city, **broken)).status_code == 422
    assert count(session, Visit) == 0


def test_without_a_pairing_the_page_says_whom_it_is_for(city, client):
    stranger = an_account("程国", organisation=city.office, roles=[Role.LEADER])

    assert "还没有可以记走访的结对" in text(signed_in(client, stranger).get("/desk/visits/new"))


def test_confidential_notes_are_hidden_from_an_organiser(city, client):
    visit = a_visit(
        leaders=[city.leader],
        talents=[city.talent],
        account=city.officer,
        situation="最近在考虑离开。",
        confidential=True,
    )
    organiser = an_account("唐平", organisation=city.office, roles=[Role.ORGANISER])

    own = text(signed_in(client, city.leader).get(f"/desk/visits/{visit.id}"))
    others = text(signed_in(client, organiser).get(f"/desk/visits/{visit.id}"))

    assert "最近在考虑离开。" in own
    assert "最近在考虑离开。" not in others
    assert "只有领导本人、联络员和督办能看" in others


def test_a_leader_of_another_pairing_finds_neither_visit_nor_pairing_nor_person(city, client):
    other = an_account("马文", organisation=city.office, roles=[Role.LEADER])
    visit = a_visit(leaders=[city.leader], talents=[city.talent])
    browser = signed_in(client, other)

    found = [
        browser.get(url).status_code
        for url in (
            f"/desk/visits/{visit.id}",
            f"/desk/liaison/{city.pairing.id}",
            f"/desk/people/{city.talent.id}",
        )
    ]

    assert found == [404, 404, 404]


def test_the_list_shows_who_is_overdue_and_who_was_never_met(city, client):
    overdue = a_person("温如许", organisation=city.office)
    a_pairing(leader=city.leader, person=overdue)
    a_visit(leaders=[city.leader], talents=[overdue], at=NOW.replace(year=2025))

    page = text(signed_in(client, city.leader).get("/desk/liaison"))

    assert "逾期" in page
    assert "还没见过" in page
    assert "温如许" in text(client.get("/desk/liaison?standing=overdue"))
    assert "林知遥" not in text(client.get("/desk/liaison?standing=overdue"))


def test_an_organiser_ends_a_pairing_and_a_leader_cannot(city, client, session):
    organiser = an_account("唐平", organisation=city.office, roles=[Role.ORGANISER])
    url = f"/desk/liaison/{city.pairing.id}/end"

    refused = signed_in(client, city.leader).post(url, data={"ends_on": "2026-11-20"})
    early = signed_in(client, organiser).post(url, data={"ends_on": "2026-10-01"})
    ended = signed_in(client, organiser).post(url, data={"ends_on": "2026-11-20"})

    assert (refused.status_code, early.status_code, ended.status_code) == (403, 422, 303)
    session.refresh(city.pairing)
    assert city.pairing.ends_on.isoformat() == "2026-11-20"
