import json
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from limits import RateLimitItemPerMinute

from outreach.door import operations, queries
from outreach.events.models import Event
from outreach.kernel.clock import now
from outreach.organisations.rules import Role
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState
from outreach.web import limits
from tests.conftest import Client
from tests.factories import (
    a_contact_point,
    a_person,
    a_registration,
    an_account,
    an_event,
    an_organisation,
    signed_in,
)

pytestmark = pytest.mark.usefixtures("city")


@pytest.fixture
def phone(app: Flask) -> FlaskClient:
    """A volunteer's phone, nowhere enrolled yet."""
    app.test_client_class = Client
    app.config["WTF_CSRF_ENABLED"] = False
    return app.test_client()


def an_event_tonight(title: str = "会客厅", **values) -> Event:
    office = an_organisation()
    organiser = an_account("周明", organisation=office, roles=[Role.ORGANISER])
    starts_at = now() + timedelta(hours=1)
    return an_event(
        title, organisation=office, author=organiser, **{"starts_at": starts_at, "groups": [("博士", 9)], **values}
    )


def a_ticket(event: Event, name: str = "林知遥", **values) -> Registration:
    point = a_contact_point("+8613812340036") if name == "林知遥" else a_contact_point()
    person = a_person(name, organisation=event.organisation, at=point)
    return a_registration(event=event, person=person, contact_point=point, **values)


def a_link(event: Event) -> str:
    return f"/door/join/{operations.invite(event=event, by=event.author.actor, now=now())}"


def enrolled(phone: FlaskClient, event: Event, name: str = "李知夏") -> FlaskClient:
    assert phone.post(a_link(event), data={"name": name, "gate": "东门"}).status_code == 303
    return phone


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_a_volunteer_joins_by_the_link_and_has_a_scanner(phone: FlaskClient):
    event = an_event_tonight()
    link = a_link(event)

    asked = phone.get(link)
    joined = phone.post(link, data={"name": "李知夏", "gate": "东门"})
    page = phone.get(joined.location)

    assert "会客厅" in asked.text
    assert joined.location == "/door/"
    assert "东门 · 李知夏" in page.text


def test_the_phone_s_secret_goes_to_the_pages_of_the_door_only(phone: FlaskClient):
    joined = phone.post(a_link(an_event_tonight()), data={"name": "李知夏"})

    cookie = next(one for one in joined.headers.getlist("Set-Cookie") if one.startswith("outreach_door="))
    assert "Path=/door/" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_volunteer_without_a_name_is_asked_for_it(phone: FlaskClient):
    answer = phone.post(a_link(an_event_tonight()), data={"name": " ", "gate": "东门"})

    assert answer.status_code == 422
    assert "请写您的姓名，别的手机要显示是谁放行的。" in answer.text
    assert 'value="东门"' in answer.text


@pytest.mark.parametrize("token", ["x", "A" * 32, "林"])
def test_a_link_that_is_none_says_so(phone: FlaskClient, token: str):
    answer = phone.get(f"/door/join/{token}")

    assert answer.status_code == 410
    assert "这个链接失效了" in answer.text


@pytest.mark.parametrize("path", ["/door/", "/door/type", "/door/find?q=林"])
def test_a_phone_that_did_not_join_sees_nothing(phone: FlaskClient, path: str):
    event = an_event_tonight("秘密的会客厅")
    a_ticket(event)

    answer = phone.get(path)

    assert answer.status_code == 403
    assert "会客厅" not in answer.text
    assert "林知遥" not in answer.text


def test_only_the_scanner_may_compile_its_decoder(phone: FlaskClient):
    enrolled(phone, an_event_tonight())

    assert "wasm-unsafe-eval" in phone.get("/door/").headers["Content-Security-Policy"]
    assert "wasm-unsafe-eval" not in phone.get("/door/type").headers["Content-Security-Policy"]


def test_a_typed_code_fills_the_screen_with_the_answer(phone: FlaskClient):
    event = an_event_tonight()
    ticket = a_ticket(event)
    enrolled(phone, event)

    page = phone.post("/door/admit", data={"code": ticket.short_code.lower()})

    assert 'class="o-door o-door-in"' in page.text
    assert "请进" in page.text
    assert "林知遥" in page.text
    assert "已到 1 / 1" in page.text
    assert "0036" in page.text
    assert "13812340036" not in page.text


def test_a_second_scan_says_when_where_and_by_whom(phone: FlaskClient):
    event = an_event_tonight()
    ticket = a_ticket(event)
    enrolled(phone, event)
    phone.post("/door/admit", data={"code": ticket.short_code})

    page = phone.post("/door/admit", data={"code": ticket.short_code})

    assert 'class="o-door o-door-twice"' in page.text
    assert re.search(r"\d\d:\d\d 在东门，由 李知夏 扫过，刚刚", words(page.text))


def test_a_ticket_of_another_event_says_which_and_when_and_not_whose(phone: FlaskClient):
    event, other = an_event_tonight(), an_event_tonight("专场招聘会")
    ticket = a_ticket(other)
    enrolled(phone, event)

    answer = phone.post("/door/read", json={"text": f"https://x/t/{ticket.token}"})

    assert answer.json["verdict"] == "no"
    assert answer.json["shown"]["why"].startswith("这张票是“专场招聘会”的，")
    assert "林知遥" not in answer.text


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (RegistrationState.WAITLISTED, "还在候补，没有名额。"),
        (RegistrationState.CANCELLED, "这个名额已经退出。"),
        (RegistrationState.PENDING, "主办方还没有审核通过。"),
    ],
)
def test_a_ticket_without_a_place_is_refused_with_its_reason(phone: FlaskClient, state: RegistrationState, reason: str):
    event = an_event_tonight()
    ticket = a_ticket(event, state=state)
    enrolled(phone, event)

    page = phone.post("/door/admit", data={"code": ticket.short_code}).text

    assert 'class="o-door o-door-no"' in page
    assert reason in page
    assert queries.counts(event.id).arrived == 0


def test_the_camera_and_the_form_give_the_same_answer(phone: FlaskClient):
    event = an_event_tonight()
    ticket = a_ticket(event)
    enrolled(phone, event)

    read = phone.post("/door/read", json={"text": f"http://127.0.0.1:8000/t/{ticket.token}"})
    typed = phone.post("/door/admit", data={"code": ticket.short_code})

    assert read.json["verdict"] == "in"
    assert "o-door-twice" in typed.text


@pytest.mark.parametrize(
    "body", [None, [], "x", {}, {"text": 7}, {"text": ""}, {"text": "\0"}, {"text": "A" * 5000}, {"text": None}]
)
def test_nonsense_from_a_phone_is_no_ticket_and_no_failure(phone: FlaskClient, body: object):
    enrolled(phone, an_event_tonight())

    answer = phone.post("/door/read", data=json.dumps(body), content_type="application/json")

    assert answer.status_code == 200
    assert answer.json["verdict"] == "no"


def test_what_another_sites_page_could_send_is_not_even_read(phone: FlaskClient):
    event = an_event_tonight()
    ticket = a_ticket(event)
    enrolled(phone, event)

    answer = phone.post("/door/read", data={"text": ticket.token}, content_type="text/plain")

    assert answer.status_code == 415
    assert queries.counts(event.id).arrived == 0


def test_the_scanner_is_told_all_that_fills_its_screen(phone: FlaskClient):
    event = an_event_tonight()
    ticket = a_ticket(event)
    enrolled(phone, event)

    shown = phone.post("/door/read", json={"text": f"https://x/t/{ticket.token}"}).json["shown"]

    assert re.fullmatch(r"\d\d:\d\d 记下", shown.pop("why"))
    assert "会客厅 · 已到" in shown.pop("count")
    code = f"{ticket.short_code[:3]} {ticket.short_code[3:]}"
    assert shown == {"door": "东门 · 李知夏", "name": "林知遥", "group": "博士", "code": code, "tail": "0036"}


def test_an_empty_code_is_asked_for_again(phone: FlaskClient):
    enrolled(phone, an_event_tonight())

    answer = phone.post("/door/admit", data={"code": ""})

    assert answer.status_code == 422
    assert "请输二维码下面的 6 位短码。" in answer.text


def test_the_door_finds_by_name_and_shows_masked_names_only(phone: FlaskClient):
    event = an_event_tonight()
    ticket = a_ticket(event)
    enrolled(phone, event)

    page = phone.get("/door/find?q=lz").text
    answer = phone.post("/door/admit", data={"code": ticket.short_code, "way": "found"})

    assert "林**" in page
    assert "林知遥" not in page
    assert "o-door-in" in answer.text


def test_a_phone_taken_away_stops_at_once(phone: FlaskClient, client: FlaskClient):
    event = an_event_tonight()
    enrolled(phone, event)
    signed_in(client, event.author)
    [enrolled_phone] = queries.phones_of(event.id)

    taken = client.post(f"/desk/events/{event.id}/door/phones/{enrolled_phone.id}/revoke")

    assert taken.status_code == 303
    assert phone.get("/door/").status_code == 403
    assert phone.post("/door/read", json={"text": "K7M4Q2"}).status_code == 403


def test_the_organiser_makes_a_link_and_sees_its_qr_code(client: FlaskClient):
    event = an_event_tonight()
    signed_in(client, event.author)

    page = client.get(client.post(f"/desk/events/{event.id}/door/link").location).text

    assert 'class="o-qr"' in page
    link = re.search(r"/door/join/[\w-]+", page).group()
    assert client.get(link).status_code == 200


def test_a_link_is_shown_to_the_browser_that_made_it_only(client: FlaskClient, phone: FlaskClient):
    event = an_event_tonight()
    signed_in(client, event.author)
    client.post(f"/desk/events/{event.id}/door/link")
    signed_in(phone, an_account(organisation=event.organisation, roles=[Role.ORGANISER]))

    page = phone.get(f"/desk/events/{event.id}/door").text

    assert "/door/join/" not in page
    assert "做过一个链接" in page


def test_the_door_of_another_unit_is_not_found(client: FlaskClient):
    event = an_event_tonight()
    signed_in(client, an_account(organisation=an_organisation(), roles=[Role.ORGANISER]))

    answers = [
        client.get(f"/desk/events/{event.id}/door"),
        client.post(f"/desk/events/{event.id}/door/link"),
        client.post(f"/desk/events/{event.id}/door/link/revoke"),
        client.post(f"/desk/events/{event.id}/door/phones/1/revoke"),
    ]

    assert {answer.status_code for answer in answers} == {404}


def test_the_organiser_sees_who_came_when_and_where(client: FlaskClient, phone: FlaskClient):
    event = an_event_tonight()
    ticket = a_ticket(event)
    enrolled(phone, event)
    phone.post("/door/admit", data={"code": ticket.short_code})
    signed_in(client, event.author)

    page = words(client.get(f"/desk/events/{event.id}/door").text)

    assert "林知遥" in page
    assert "东门 · 李知夏" in page
    assert "已到 1 位，共 1 个名额。" in page


def test_codes_that_belong_to_nobody_are_not_tried_without_end(app: Flask, phone: FlaskClient, monkeypatch):
    monkeypatch.setattr(limits, "WRONG_CODES", RateLimitItemPerMinute(2, namespace="test-wrong-codes"))
    monkeypatch.setitem(app.extensions, "limits", limits.Limits(None))
    event = an_event_tonight()
    guest = a_ticket(event)
    enrolled(phone, event)

    guesses = [phone.post("/door/read", json={"text": f"ABCD-{number}"}).status_code for number in range(3)]
    typed = phone.post("/door/admit", data={"code": "ABCD-9999"})
    let_in = phone.post("/door/read", json={"text": guest.short_code})

    assert guesses == [200, 200, 429]
    assert (typed.status_code, "Retry-After" in typed.headers) == (429, True)
    assert let_in.json["verdict"] == "in"


def test_the_organiser_sees_every_link_who_made_and_ended_it_and_how_many_joined(client, phone):
    event = an_event_tonight()
    enrolled(phone, event)
    desk = signed_in(client, event.author)
    second = an_account("何清越", organisation=event.organisation, roles=[Role.ORGANISER])
    signed_in(client, second).post(f"/desk/events/{event.id}/door/link")
    signed_in(client, event.author).post(f"/desk/events/{event.id}/door/link/revoke")

    page = re.sub(r"<[^>]+>", " ", desk.get(f"/desk/events/{event.id}/door").text)
    links = queries.links_of(event)

    assert [(one.made_by, one.ended_by, one.phones) for one in links] == [("何清越", "周明", 0), ("周明", "何清越", 1)]
    assert "何清越 生成了链接" in page
    assert "1 部手机由此加入" in page
