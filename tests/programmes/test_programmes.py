import pytest

from outreach.kernel import history
from outreach.organisations.rules import Role
from outreach.programmes import operations, queries
from outreach.programmes.models import Programme
from outreach.programmes.rules import Motif, ProgrammeNameTaken
from tests.conftest import NOW
from tests.factories import a_programme, an_account, an_installation, an_organisation, signed_in


@pytest.fixture
def city(session):
    return an_installation().lead_organisation


@pytest.fixture
def organiser(city):
    return an_account(organisation=city, roles=[Role.ORGANISER])


def made(city, organiser, **values):
    plain = {"name": "人才会客厅", "summary": None, "motif": Motif.LOUNGE}
    return operations.create(**(plain | values), organisation=city, by=organiser.actor, now=NOW)


def test_two_programmes_of_one_organisation_have_two_names(city, organiser):
    made(city, organiser)

    with pytest.raises(ProgrammeNameTaken):
        made(city, organiser)


def test_another_organisation_may_use_the_name(city, organiser):
    made(city, organiser)

    assert made(an_organisation(parent=city), organiser).name == "人才会客厅"


def test_a_change_is_in_the_history(city, organiser):
    programme = made(city, organiser)

    operations.edit(programme=programme, name="会客厅", summary=None, motif=Motif.FLOCK, by=organiser.actor, now=NOW)

    assert [(line.act, line.facts) for line in history.lines_of(programme.subject)] == [
        ("programme.created", {}),
        ("programme.changed", {"changed": ["name", "motif"]}),
    ]


def test_a_county_uses_the_programmes_of_the_city_and_not_of_its_neighbour(city):
    county, neighbour = an_organisation(parent=city), an_organisation(parent=city)
    of_city, of_county = a_programme("甲", organisation=city), a_programme("乙", organisation=county)
    a_programme("丙", organisation=neighbour)
    viewer = an_account(organisation=county, roles=[Role.ORGANISER])

    assert list(queries.choices_for(viewer)) == sorted([of_city, of_county], key=lambda one: one.name)


def test_a_programme_is_begun_and_changed_on_the_desk(client, session, city, organiser):
    desk = signed_in(client, organiser)
    typed = {"organisation": str(city.id), "name": "引才长征", "summary": "走进高校", "motif": "march"}

    begun = desk.post("/desk/programmes/new", data=typed)
    again = desk.post("/desk/programmes/new", data=typed)
    programme = session.query(Programme).one()
    changed = desk.post(f"/desk/programmes/{programme.id}/edit", data=typed | {"name": "新长征", "motif": "river"})

    assert (begun.status_code, again.status_code, changed.status_code) == (303, 422, 303)
    assert "已经有同名的品牌" in again.get_data(as_text=True)
    assert (session.query(Programme).one().name, session.query(Programme).one().motif) == ("新长征", Motif.RIVER)


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "一" * 121}, {"motif": "cat"}, {"summary": "长" * 401}, {"organisation": "999"}]
)
def test_what_is_wrong_is_said_and_nothing_is_begun(wrong, client, session, city, organiser):
    typed = {"organisation": str(city.id), "name": "引才长征", "summary": "走进高校", "motif": "march"}

    answer = signed_in(client, organiser).post("/desk/programmes/new", data=typed | wrong)

    assert answer.status_code == 422
    assert session.query(Programme).count() == 0


def test_the_city_s_programme_is_not_the_county_s_to_change(client, city):
    programme = a_programme(organisation=city)
    county = an_account(organisation=an_organisation(parent=city), roles=[Role.ORGANISER])

    page = signed_in(client, county).get("/desk/programmes/").get_data(as_text=True)

    assert programme.name in page
    assert f"/desk/programmes/{programme.id}/edit" not in page
    assert client.get(f"/desk/programmes/{programme.id}/edit").status_code == 404
