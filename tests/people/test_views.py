"""The pages of people, as an organiser meets them."""

import pytest

from outreach.organisations.rules import Role
from outreach.people.models import Look, Person
from tests.factories import a_contact_point, a_person, a_talent_class, an_account, an_organisation, signed_in

FULL = {
    "name": "林知遥",
    "phone": "19901000036",
    "employer": "雁城新材",
    "birth": "1979.03",
    "talent_class": "",
    "degree": "doctor",
    "gender": "",
}


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def organiser(office):
    return an_account("何清越", organisation=office, roles=[Role.ORGANISER])


@pytest.fixture
def desk(client, organiser):
    return signed_in(client, organiser)


def test_the_list_masks_numbers_and_addresses(desk, office):
    a_person("林知遥", organisation=office, at=a_contact_point("+8619901000036"))
    a_person("区怡", organisation=office, at=a_contact_point("ouyi@example.com"))

    page = desk.get("/desk/people/").text

    assert "199****0036" in page
    assert "o***@example.com" in page
    assert "19901000036" not in page
    assert "ouyi@" not in page


def test_an_empty_list_leads_to_the_import(desk):
    page = desk.get("/desk/people/").text

    assert "还没有人才" in page
    assert "/desk/imports/new?kind=talents" in page


def test_the_list_is_narrowed_by_chips_and_text(desk, office, session):
    person = a_person("林知遥", organisation=office)
    person.talent_class = a_talent_class()
    session.flush()
    a_person("区怡", organisation=office)

    narrowed = desk.get(f"/desk/people/?class={person.talent_class_id}").text
    nobody = desk.get("/desk/people/?q=王").text
    odd = desk.get("/desk/people/?class=x&unit=x&page=x").status_code

    assert ("林知遥" in narrowed, "区怡" in narrowed) == (True, False)
    assert "没有找到" in nobody
    assert odd == 200


def test_the_list_takes_as_many_queries_for_many_people_as_for_few(desk, office, statements):
    a_person(organisation=office, at=a_contact_point())
    desk.get("/desk/people/")
    with statements() as few:
        desk.get("/desk/people/")
    for _ in range(20):
        a_person(organisation=office, at=a_contact_point())
    with statements() as many:
        desk.get("/desk/people/")

    assert len([line for line in many if line.startswith("SELECT")]) == len(
        [line for line in few if line.startswith("SELECT")]
    )


def test_a_person_is_written_down_by_hand(desk, office, session):
    answer = desk.post("/desk/people/new", data=FULL | {"organisation_id": office.id})

    person = session.query(Person).one()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/people/{person.id}")
    assert (person.name, person.phone, person.birth, person.source) == (
        "林知遥",
        "+8619901000036",
        "1979-03",
        "official",
    )


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "必填"),
        ("phone", "1990100", "手机号"),
        ("email", "nobody", "这不是邮箱地址"),
        ("birth", "属羊", "看不出是哪天出生"),
        ("identity_number", "431399197012280241", "身份证号有误"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    desk, office, session, field, value, sentence
):
    answer = desk.post("/desk/people/new", data=FULL | {"organisation_id": office.id, field: value})

    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert sentence in answer.text or field == "name"
    assert 'value="雁城新材"' in answer.text
    assert session.query(Person).count() == 0


def test_somebody_who_looks_known_is_shown_first(desk, office, session):
    a_person("林知遥", organisation=office)
    data = FULL | {"organisation_id": office.id}

    asked = desk.post("/desk/people/new", data=data)
    desk.post("/desk/people/new", data=data | {"another": "1"})

    assert (asked.status_code, "库里可能已经有这个人" in asked.text) == (422, True)
    assert session.query(Person).count() == 2


def test_a_record_is_corrected_and_what_is_sealed_stays_unless_typed_anew(desk, office, session):
    desk.post("/desk/people/new", data=FULL | {"organisation_id": office.id})
    person_id = session.query(Person).one().id
    form = desk.get(f"/desk/people/{person_id}/edit").text
    seen_at = session.get(Person, person_id).updated_at.isoformat()

    answer = desk.post(
        f"/desk/people/{person_id}/edit",
        data=FULL | {"organisation_id": office.id, "phone": "", "birth": "", "school": "南华大学", "seen_at": seen_at},
    )

    person = session.get(Person, person_id)
    assert "1979" not in form
    assert answer.status_code == 303
    assert (person.school, person.birth, person.phone) == ("南华大学", "1979-03", "+8619901000036")


def test_two_corrections_at_once_do_not_overwrite_each_other(desk, office, session):
    person = a_person("林知遥", organisation=office)

    answer = desk.post(
        f"/desk/people/{person.id}/edit",
        data=FULL | {"organisation_id": office.id, "seen_at": "2020-01-01T00:00:00+00:00"},
    )

    assert (answer.status_code, "别人改过这份档案" in answer.text) == (422, True)


def test_a_number_is_shown_in_full_for_a_reason_and_who_looked_is_there(desk, office, session):
    person = a_person("林知遥", organisation=office, at=a_contact_point("+8619901000036"))
    page, contact = f"/desk/people/{person.id}/in-full", person.contacts[0].id

    masked = desk.get(page).text
    without = desk.post(page, data={"what": f"contact-{contact}", "reason": ""})
    shown = desk.post(page, data={"what": f"contact-{contact}", "reason": "为走访打电话"}).text

    assert "199 0100 0036" not in masked
    assert (without.status_code, "199 0100 0036" in without.text) == (422, False)
    assert "199 0100 0036" in shown
    assert [(look.what, look.reason) for look in session.query(Look)] == [("contact", "为走访打电话")]
    assert "何清越" in shown


def test_a_number_of_another_person_cannot_be_asked_for(desk, office, session):
    other = a_person("区怡", organisation=office, at=a_contact_point("+8619901000099"))
    person = a_person("林知遥", organisation=office, at=a_contact_point("+8619901000036"))

    answer = desk.post(
        f"/desk/people/{person.id}/in-full", data={"what": f"contact-{other.contacts[0].id}", "reason": "看看"}
    )

    assert (answer.status_code, "199 0100 0099" in answer.text) == (422, False)
    assert session.query(Look).count() == 0


def test_a_number_is_taken_off_a_person(desk, office, session):
    person = a_person("林知遥", organisation=office, at=a_contact_point("+8619901000036"))

    desk.post(f"/desk/people/{person.id}/contacts/{person.contacts[0].id}/remove")

    assert session.get(Person, person.id).contacts == []


@pytest.mark.parametrize("page", ["edit", "in-full"])
def test_people_of_other_units_are_not_there(desk, page):
    stranger = a_person("林知遥", organisation=an_organisation("别的市"))

    assert desk.get(f"/desk/people/{stranger.id}/{page}").status_code == 404


@pytest.mark.parametrize(("role", "status"), [(Role.SUPERVISOR, 403), (Role.HANDLER, 403), (Role.SERVICE_OFFICER, 200)])
def test_only_some_roles_may_see_numbers_in_full(client, office, role, status):
    person = a_person("林知遥", organisation=office, at=a_contact_point())
    signed_in(client, an_account(organisation=office, roles=[role]))

    assert client.get(f"/desk/people/{person.id}/in-full").status_code == status
