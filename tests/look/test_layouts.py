"""What every page has around it, and the pages of what is not possible."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from outreach.organisations.models import Account, Installation
from outreach.organisations.rules import Role
from tests.factories import an_account, an_event, signed_in


@pytest.fixture
def organiser(city: Installation) -> Account:
    """An organiser of the lead office."""
    return an_account("陈舒", organisation=city.lead_organisation, roles=[Role.ORGANISER], position="活动专员")


def places_in_the_rail(page: str) -> list[str]:
    """Return the addresses of the rail's entries that say «you are here»."""
    rail = page[page.index('<nav class="o-rail"') : page.index("</nav>")]
    return re.findall(r'href="([^"]+)" aria-current="page"', rail)


def test_the_rail_shows_where_a_page_lies_whichever_feature_serves_it(client: FlaskClient, organiser: Account) -> None:
    event = an_event(organisation=organiser.organisation, author=organiser)
    signed_in(client, organiser)

    today = client.get("/desk/").text
    registrations = client.get(f"/desk/events/{event.id}/registrations").text
    search = client.get("/desk/search").text

    assert places_in_the_rail(today) == ["/desk/"]
    assert places_in_the_rail(registrations) == ["/desk/events/"]
    assert places_in_the_rail(search) == []


def test_language_and_theme_are_kept_for_this_browser(client: FlaskClient) -> None:
    client.post("/language", data={"language": "en"})
    client.post("/theme", data={"theme": "dark"})

    page = client.get("/").text

    assert re.search(r"<html[^>]*>", page)[0] == '<html lang="en" data-bs-theme="dark">'
    assert "<title>Events · Talent in 雁城市</title>" in page


def test_a_page_speaks_chinese_and_follows_the_device_at_first(client: FlaskClient) -> None:
    page = client.get("/").text

    assert re.search(r"<html[^>]*>", page)[0] == '<html lang="zh-CN" data-bs-theme="auto">'


def test_choosing_a_language_on_a_page_that_was_sent_leads_to_one_that_can_be_asked_for(
    client: FlaskClient,
) -> None:
    page = client.post("/desk/sign-in", data={"username": "", "password": ""}).text

    assert re.findall(r'name="next" value="([^"]*)"', page)[-1] == "/"


@pytest.mark.parametrize(
    ("address", "status", "heading", "way_on"),
    [
        ("/nowhere", 404, "这里没有内容", "/"),
        ("/desk/nowhere", 404, "这里没有内容", "/desk/"),
    ],
)
def test_an_address_that_leads_nowhere_says_so_and_offers_one_way_on(
    client: FlaskClient, address: str, status: int, heading: str, way_on: str
) -> None:
    answer = client.get(address)

    assert answer.status_code == status
    assert re.search(r"<h1>(.*?)</h1>", answer.text)[1] == heading
    assert re.findall(r'class="o-btn o-btn-main" href="([^"]+)"', answer.text) == [way_on]


def test_a_page_that_is_not_theirs_tells_staff_who_they_are(client: FlaskClient, organiser: Account) -> None:
    signed_in(client, organiser)

    answer = client.get("/desk/organisations")

    assert answer.status_code == 403
    assert "您现在用的是市委人才办 陈舒的账号。" in answer.text


def test_a_failure_of_ours_shows_its_number_and_nothing_of_its_cause(app: Flask, client: FlaskClient) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail() -> str:
        raise RuntimeError("sealed:138****")

    was = app.view_functions["portal.index"]
    app.view_functions["portal.index"] = fail
    try:
        answer = client.get("/")
    finally:
        app.view_functions["portal.index"] = was
        app.config["PROPAGATE_EXCEPTIONS"] = None

    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.text
    assert "sealed" not in answer.text
