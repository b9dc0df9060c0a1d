"""Through whom people came: by a link, chosen in the form, or taken down by the office; counted on the event."""

import re

import pytest
import sqlalchemy as sa

from outreach.kernel import clock
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people import operations as people
from outreach.people import queries as people_queries
from outreach.people.models import Person
from outreach.people.rules import BY_THEMSELVES, Through, through_in
from outreach.registration import queries
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState
from tests import factories


@pytest.fixture
def office(city):
    people.seed_consent_texts(now=factories.BEFORE)
    return city.lead_organisation


@pytest.fixture
def station(office):
    return factories.an_organisation("雁城理工学院人才工作站", parent=office, kind=OrganisationKind.SCHOOL)


@pytest.fixture
def envoy(office):
    return factories.an_account("江远帆", organisation=office, roles=[Role.AMBASSADOR])


@pytest.fixture
def event(office):
    organiser = factories.an_account(organisation=office, roles=[Role.ORGANISER])
    return factories.an_event("引才长征", organisation=office, author=organiser, groups=[("博士", 9)])


@pytest.fixture
def desk(client, event):
    return factories.signed_in(client.application.test_client(), event.author)


@pytest.fixture
def phone(client, office):
    return factories.proven(client, factories.a_contact_point("+8619933334444"))


def code_of(through):
    return people_queries.referrers_of([through])[through].code


def sent(browser, event, name="林知遥", via=None, **more):
    address = f"/e/{event.id}/register" + (f"?via={via}" if via else "")
    return browser.post(address, data={"group": str(event.groups[0].id), "name": name, "consent": "y", **more})


@pytest.mark.parametrize(("kind", "brings"), [(OrganisationKind.STATION, True), (OrganisationKind.PARK, False)])
def test_stations_and_liaison_offices_elsewhere_have_links_as_universities_have(
    phone, desk, session, office, event, kind, brings
):
    unit = factories.an_organisation("深圳在外人才联络处", parent=office, kind=kind)
    session.commit()
    code = code_of(Through(organisation_id=unit.id))

    listed = desk.get(f"/desk/events/{event.id}/registrations").text
    form = phone.get(f"/e/{event.id}/register").text

    assert (f"via={code}" in listed) is (unit.name in form) is brings


def test_a_key_says_who_and_nothing_else_is_one():
    for through in (Through(account_id=12), Through(organisation_id=3), BY_THEMSELVES):
        assert through_in(through.key) == through
    for nonsense in ("", "a", "a0", "a-1", "x3", "a12 ", "a１２", "a" + "9" * 30, "none", "a1;drop"):
        assert through_in(nonsense) == BY_THEMSELVES


def test_a_link_is_followed_from_the_event_to_the_registration_and_the_new_record(phone, session, event, envoy):
    through = Through(account_id=envoy.id)
    shown = phone.get(f"/e/{event.id}?via={code_of(through)}").text
    link = re.search(rf'href="(/e/{event.id}/register\?via=[^"]+)"', shown)[1]
    form = phone.get(link).text
    answer = sent(phone, event, via=code_of(through))

    assert "江远帆" in form
    assert 'name="through"' not in form
    assert answer.status_code == 303
    assert session.scalars(sa.select(Registration)).one().through == through
    assert session.scalars(sa.select(Person).where(Person.name == "林知遥")).one().through_account_id == envoy.id


def test_the_link_outlives_signing_in(client, office, event, station):
    address = f"/e/{event.id}/register?via={code_of(Through(organisation_id=station.id))}"

    away = client.get(address).location

    assert "via%3D" in away or "via=" in away


def test_who_has_no_link_may_choose_a_station(phone, session, event, station, envoy):
    form = phone.get(f"/e/{event.id}/register").text
    sent(phone, event, through=Through(organisation_id=station.id).key)
    sent(phone, event, "温如许", through=Through(account_id=envoy.id).key)  # offered to nobody in public

    assert station.name in form
    assert envoy.name not in form
    found = dict(session.execute(sa.select(Person.name, Registration.through_organisation_id).join(Registration)).all())
    assert found == {"林知遥": station.id, "温如许": None}
    assert session.scalars(sa.select(Registration.through_account_id)).all() == [None, None]


@pytest.mark.parametrize("via", ["a1-00000000", "s1", "none-1", "' OR 1=1", "a" * 300])
def test_a_code_that_was_made_up_counts_for_nobody(phone, session, event, envoy, via):
    assert phone.get(f"/e/{event.id}/register", query_string={"via": via}).status_code == 200
    assert (
        phone.post(
            f"/e/{event.id}/register",
            query_string={"via": via},
            data={"group": str(event.groups[0].id), "name": "林知遥", "consent": "y"},
        ).status_code
        == 303
    )
    assert session.scalars(sa.select(Registration)).one().through == BY_THEMSELVES


def test_somebody_known_keeps_through_whom_they_first_came(phone, session, event, envoy, station):
    first = Through(account_id=envoy.id)
    sent(phone, event, via=code_of(first))
    later = factories.an_event("秋季招聘会", organisation=event.organisation, author=event.author, groups=[("博士", 9)])
    session.commit()
    sent(phone, later, via=code_of(Through(organisation_id=station.id)))

    person = session.scalars(sa.select(Person).where(Person.name == "林知遥")).one()
    assert (person.through_account_id, person.through_organisation_id) == (envoy.id, None)
    second = session.scalars(sa.select(Registration).where(Registration.event_id == later.id)).one()
    assert second.through == Through(organisation_id=station.id)


def test_the_desk_sees_counts_and_narrows_to_one_and_takes_it_out(desk, session, event, envoy, station):
    by_envoy, by_station = {"through_account_id": envoy.id}, {"through_organisation_id": station.id}
    for number, columns in enumerate([by_envoy, by_envoy, by_station, {}]):
        person = factories.a_person(f"来客{'甲乙丙丁'[number]}", organisation=event.organisation)
        factories.a_registration(event=event, person=person, **columns)
    gone = factories.a_person("退出者", organisation=event.organisation)
    factories.a_registration(
        event=event, person=gone, state=RegistrationState.CANCELLED, ended_at=clock.now(), **by_envoy
    )
    session.commit()

    rows = [(row.referrer and row.referrer.name, row.registered) for row in queries.brought(event.id)]
    listed = desk.get(f"/desk/events/{event.id}/registrations?through=a{envoy.id}").text
    alone = desk.get(f"/desk/events/{event.id}/registrations?through=none").text
    overview = desk.get(f"/desk/events/{event.id}").text

    assert rows == [("江远帆", 2), (station.name, 1), (None, 1)]
    assert ["来客甲" in listed, "来客丙" in listed, "来客丁" in listed] == [True, False, False]
    assert ["来客甲" in alone, "来客丁" in alone] == [False, True]
    assert "由 江远帆 介绍" in listed
    assert f"/desk/events/{event.id}/registrations?through=a{envoy.id}" in overview
    assert code_of(Through(organisation_id=station.id)) in listed  # the link to hand on


def test_the_office_writes_down_through_whom_somebody_came_and_nothing_made_up(desk, session, event, envoy):
    common = {"group": str(event.groups[0].id), "name": "林知遥"}
    address = f"/desk/events/{event.id}/registrations/new"

    desk.post(address, data={**common, "phone": "19933330001", "through": Through(account_id=envoy.id).key})
    made_up = desk.post(address, data={**common, "phone": "19933330002", "through": "a999999"})

    assert made_up.status_code == 303
    made = session.scalars(sa.select(Registration).order_by(Registration.id)).all()
    assert [one.through for one in made] == [Through(account_id=envoy.id), BY_THEMSELVES]
    assert "江远帆" in desk.get(f"/desk/events/{event.id}/registrations/{made[0].id}").text
