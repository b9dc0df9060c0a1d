import pytest

from outreach.kernel import history
from outreach.organisations.rules import Role
from outreach.venues import operations, queries
from outreach.venues.models import Venue
from outreach.venues.rules import VenueNameTaken
from tests.conftest import NOW
from tests.factories import a_venue, an_account, an_installation, an_organisation, signed_in


@pytest.fixture
def city(session):
    return an_installation().lead_organisation


@pytest.fixture
def organiser(city):
    return an_account(organisation=city, roles=[Role.ORGANISER])


def made(city, organiser):
    return operations.create(
        name="人才会客厅",
        address="江畔路 18 号",
        how_to_get_there=None,
        organisation=city,
        by=organiser.actor,
        now=NOW,
    )


def test_two_venues_of_one_organisation_have_two_names(city, organiser):
    made(city, organiser)

    with pytest.raises(VenueNameTaken):
        made(city, organiser)


def test_a_change_is_in_the_history_and_saving_the_same_is_not(city, organiser):
    venue = made(city, organiser)
    for address in ("湖滨路 1 号", "湖滨路 1 号"):
        operations.edit(
            venue=venue, name=venue.name, address=address, how_to_get_there=None, by=organiser.actor, now=NOW
        )

    assert [(line.act, line.facts) for line in history.lines_of(venue.subject)] == [
        ("venue.created", {}),
        ("venue.changed", {"changed": ["address"]}),
    ]


def test_a_county_may_use_the_city_s_venues(city):
    of_city = a_venue(organisation=city)
    a_venue(organisation=an_organisation(parent=city))
    viewer = an_account(organisation=an_organisation(parent=city), roles=[Role.ORGANISER])

    assert list(queries.choices_for(viewer)) == [of_city]


def test_a_venue_is_entered_and_changed_on_the_desk(client, session, city, organiser):
    desk = signed_in(client, organiser)
    typed = {
        "organisation": str(city.id),
        "name": "会客厅",
        "address": "江畔路 18 号",
        "how_to_get_there": "地铁江畔站",
    }

    entered = desk.post("/desk/venues/new", data=typed)
    nameless = desk.post("/desk/venues/new", data=typed | {"name": "", "address": ""})
    venue = session.query(Venue).one()
    changed = desk.post(f"/desk/venues/{venue.id}/edit", data=typed | {"address": "湖滨路 1 号"})

    assert (entered.status_code, nameless.status_code, changed.status_code) == (303, 422, 303)
    assert "地铁" in nameless.get_data(as_text=True)
    assert session.query(Venue).one().address == "湖滨路 1 号"
