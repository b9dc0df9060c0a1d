"""The city's own classes of talents and fields of work."""

import pytest
import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.history import Subject
from outreach.organisations.rules import Role
from outreach.people import queries
from outreach.people.models import PersonField, ProfessionalField, TalentClass
from outreach.people.operations import city_lists, seed_classes_and_fields
from outreach.people.rules import PROFESSIONAL_FIELDS, CityList, ListedAlready, NothingWritten, Rhythm
from tests.conftest import NOW
from tests.factories import a_person, an_account, an_organisation, signed_in


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def administrator(office):
    return an_account("吴桐", organisation=office, roles=[Role.ADMINISTRATOR])


def names(which) -> list[str]:
    return [entry.name for entry, _ in queries.listed_entries(which)]


def test_a_city_begins_with_classes_and_fields_and_keeps_its_own(session, administrator):
    seed_classes_and_fields()
    city_lists.add_class(name="A 类", rhythm=None, by=administrator.actor, now=NOW)
    seed_classes_and_fields()

    assert names(CityList.CLASSES) == ["头雁", "强雁", "雏雁", "A 类"]
    assert names(CityList.FIELDS) == list(PROFESSIONAL_FIELDS)


def test_names_are_there_once_and_never_blank(session, administrator):
    city_lists.add_field(name="新材料", by=administrator.actor, now=NOW)
    other = city_lists.add_field(name="新能源", by=administrator.actor, now=NOW)

    with pytest.raises(ListedAlready), session.begin_nested():
        city_lists.add_field(name=" 新材料 ", by=administrator.actor, now=NOW)
    with pytest.raises(ListedAlready), session.begin_nested():
        city_lists.change(entry=other, name="新材料", by=administrator.actor, now=NOW)
    with pytest.raises(NothingWritten):
        city_lists.add_field(name="　", by=administrator.actor, now=NOW)


def test_what_is_retired_is_not_offered_and_stays_with_whoever_has_it(session, office, administrator):
    tier = city_lists.add_class(name="头雁", rhythm=Rhythm.MONTHLY, by=administrator.actor, now=NOW)
    person = a_person("林知遥", organisation=office)
    person.talent_class = tier

    city_lists.retire(entry=tier, by=administrator.actor, now=NOW)

    assert queries.talent_classes() == []
    assert queries.choices(administrator, of=person).classes == [tier]
    assert queries.listed_entries(CityList.CLASSES) == [(tier, 1)]
    city_lists.bring_back(entry=tier, by=administrator.actor, now=NOW)
    assert queries.talent_classes() == [tier]
    assert [line.act for line in history.lines_of(Subject("talent_classes", tier.id))] == [
        "added",
        "retired",
        "brought_back",
    ]


def test_the_order_is_the_citys(session, administrator):
    for name in ("A 类", "B 类", "C 类"):
        city_lists.add_class(name=name, rhythm=None, by=administrator.actor, now=NOW)
    last = queries.listed_entries(CityList.CLASSES)[-1][0]

    for _ in range(3):
        city_lists.move_up(entry=last, by=administrator.actor, now=NOW)

    assert names(CityList.CLASSES) == ["C 类", "A 类", "B 类"]


def test_the_administrator_names_adds_and_retires_on_one_page(client, session, administrator):
    desk = signed_in(client, administrator)

    empty = desk.get("/desk/lists/").text
    desk.post("/desk/lists/classes/new", data={"classes-name": "领军<b>人才", "classes-rhythm": "monthly"})
    twice = desk.post("/desk/lists/classes/new", data={"classes-name": "领军<b>人才"})
    desk.post("/desk/lists/fields/new", data={"fields-name": "𠮷金属"})
    tier = session.scalars(sa.select(TalentClass)).one()
    desk.post(f"/desk/lists/classes/{tier.id}", data={"name": "领军人才", "rhythm": ""})
    desk.post(f"/desk/lists/classes/{tier.id}/retire")
    page = desk.get("/desk/lists/").text

    assert "还没有内容" in empty
    assert (twice.status_code, "已有“领军&lt;b&gt;人才”" in twice.text) == (422, True)
    assert (tier.name, tier.rhythm, tier.retired_at is None) == ("领军人才", None, False)
    assert all(word in page for word in ("领军人才", "已停用", "𠮷金属"))
    assert desk.get("/desk/lists/classes/999").status_code == 404


def test_only_whoever_looks_after_the_whole_city_changes_its_lists(client, office):
    county = an_organisation("清江县", parent=office)
    client = signed_in(client, an_account(organisation=county, roles=[Role.ADMINISTRATOR]))

    assert client.get("/desk/lists/").status_code == 403


def test_a_persons_fields_and_through_whom_they_came_are_written_and_shown(client, session, office):
    field = ProfessionalField(name="新材料", position=1)
    session.add(field)
    ambassador = an_account("周衡", organisation=office, roles=[Role.AMBASSADOR])
    station = an_organisation("深圳人才工作站", parent=office)
    person = a_person("林知遥", organisation=office)
    desk = signed_in(client, an_account(organisation=office, roles=[Role.ORGANISER]))

    answer = desk.post(
        f"/desk/people/{person.id}/edit",
        data={
            "name": "林知遥",
            "organisation_id": office.id,
            "gender": "",
            "degree": "",
            "talent_class": "",
            "fields": [field.id],
            "home_town": "清江县",
            "through_account_id": ambassador.id,
            "through_organisation_id": station.id,
            "seen_at": person.updated_at.isoformat(),
        },
    )

    page = desk.get(f"/desk/people/{person.id}").text
    assert answer.status_code == 303
    for word in ("新材料", "周衡", "深圳人才工作站", "清江县", "人才办登记"):
        assert word in page
    assert [one.field_id for one in session.scalars(sa.select(PersonField))] == [field.id]
    assert history.lines_of(Subject("person", person.id))[-1].facts["columns"] == [
        "home_town",
        "through_account_id",
        "through_organisation_id",
        "fields",
    ]
    assert "林知遥" in desk.get("/desk/people/?q=清江").text
