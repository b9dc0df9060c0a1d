"""The first page of each role, a person's page, an event's overview, the search."""

import re
from datetime import timedelta

import pytest

from outreach.cases.operations import save_routes
from outreach.cases.rules.asking import Topic
from outreach.events.rules import Visibility
from outreach.kernel.actor import SYSTEM
from outreach.kernel.clock import now
from outreach.organisations.rules import Role
from tests.factories import (
    a_case,
    a_contact_point,
    a_pairing,
    a_person,
    a_registration,
    an_account,
    an_event,
    signed_in,
)

DAY = timedelta(days=1)


def text(response):
    assert response.status_code == 200
    return response.get_data(as_text=True)


def lede(page):
    """The sentence of the page, without its marks."""
    start = page.index('class="o-lede"')
    words = page[page.index(">", start) + 1 : page.index("</p>", start)]
    return "".join(part.partition(">")[2] if "<" not in part[:1] and ">" in part else part for part in words.split("<"))


def test_a_leader_reads_which_promises_are_open_and_how_late(city, client):
    a_case(intake=city.office, person=city.talent, title="孩子明年上小学", now=now() - 30 * DAY)

    page = text(signed_in(client, city.leader).get("/desk/"))

    assert "您答应过的事，还有" in lede(page)
    assert "1 件已超期" in page
    assert "孩子明年上小学" in page
    assert "记一次走访" in page


def test_a_leader_without_promises_reads_good_news(city, client):
    page = text(signed_in(client, city.leader).get("/desk/"))

    assert "答应过的事都兑现了。" in page
    assert "没有欠着的承诺" in page


def test_a_liaison_officer_reads_whose_promises_these_are(city, client):
    a_case(intake=city.office, person=city.talent, now=now())

    assert "您替领导跟着的事" in text(signed_in(client, city.officer).get("/desk/"))


def test_a_handler_reads_what_the_unit_owes(city, client):
    save_routes(intake=city.office, units={Topic.SCHOOLING: city.bureau}, by=SYSTEM, now=now())
    a_case(intake=city.office, person=city.talent, title="孩子明年上小学", now=now())
    handler = an_account("王浩", organisation=city.bureau, roles=[Role.HANDLER])

    page = text(signed_in(client, handler).get("/desk/"))

    assert "市教育局手里有" in page
    assert "孩子明年上小学" in page


def test_a_handler_with_nothing_to_do_reads_good_news(city, client):
    handler = an_account("王浩", organisation=city.bureau, roles=[Role.HANDLER])

    assert "市教育局手里没有欠着的答复。" in text(signed_in(client, handler).get("/desk/"))


def test_an_organiser_reads_what_waits_for_a_decision(city, client):
    a_case(intake=city.office, person=city.talent, now=now())
    an_event("把实验室搬进老厂房", organisation=city.office, author=city.organiser, starts_at=now() + DAY)

    page = text(signed_in(client, city.organiser).get("/desk/"))

    assert "1 件诉求要交办" in page
    assert "把实验室搬进老厂房" in page


def test_a_supervisor_reads_what_is_late_and_with_whom(city, client):
    a_case(intake=city.office, person=city.talent, now=now() - 30 * DAY)
    supervisor = an_account("叶艳泽", organisation=city.office, roles=[Role.SUPERVISOR])

    page = text(signed_in(client, supervisor).get("/desk/"))

    assert "1 件诉求" in page
    assert "市委人才办最多" in page


def test_an_administrator_of_a_fresh_city_reads_the_steps_that_are_left(city, client):
    administrator = an_account("马桂", organisation=city.office, roles=[Role.ADMINISTRATOR])

    page = text(signed_in(client, administrator).get("/desk/"))

    assert "还差 3 步就能用起来" in page
    assert "定好哪类事交给哪家" in page


def test_somebody_without_a_role_is_not_turned_away(city, client):
    plain = an_account("林一", organisation=city.bureau)

    assert "这里没有等您办的事。" in text(signed_in(client, plain).get("/desk/"))


@pytest.mark.parametrize("url", ["/desk/", "/desk/search"])
def test_a_stranger_is_sent_to_sign_in(client, city, url):
    response = client.get(url)

    assert (response.status_code, response.location.split("?")[0]) == (302, "/desk/sign-in")


def test_a_persons_page_masks_the_number_and_shows_open_requests(city, client):
    talent = a_person("宋时雨", organisation=city.office, at=a_contact_point("+8619900001234"))
    a_pairing(leader=city.leader, person=talent)
    a_case(intake=city.office, person=talent, title="想换三居室", now=now())

    page = text(signed_in(client, city.leader).get(f"/desk/people/{talent.id}"))

    assert "199****1234" in page
    assert "19900001234" not in page
    assert "想换三居室" in page
    assert "提出诉求" in page


def test_an_organiser_of_another_unit_does_not_find_the_person(city, client):
    outsider = an_account("袁怡涵", organisation=city.bureau, roles=[Role.ORGANISER])

    assert signed_in(client, outsider).get(f"/desk/people/{city.talent.id}").status_code == 404


def test_an_events_overview_says_how_many_have_a_place(city, client):
    event = an_event(
        "把实验室搬进老厂房",
        organisation=city.office,
        author=city.organiser,
        starts_at=now() + DAY,
        groups=(("博士", 3),),
    )
    a_registration(event=event, person=city.talent)

    page = text(signed_in(client, city.organiser).get(f"/desk/events/{event.id}"))

    assert "把实验室搬进老厂房" in page
    assert "1 位" in lede(page)
    assert "博士" in page


def test_an_event_of_another_unit_is_not_found(city, client):
    event = an_event(organisation=city.office, author=city.organiser)
    outsider = an_account("袁怡涵", organisation=city.bureau, roles=[Role.ORGANISER])

    assert signed_in(client, outsider).get(f"/desk/events/{event.id}").status_code == 404


def test_the_search_leads_to_the_lists_with_the_same_words(city, client):
    page = signed_in(client, city.organiser).get("/desk/search?q=林知")

    assert "全部 1 人" in text(page)
    assert 'href="/desk/people/?q=%E6%9E%97%E7%9F%A5"' in page.text


def test_the_search_says_when_nothing_is_within_reach(city, client):
    assert "您能看到的范围里没找到" in text(signed_in(client, city.leader).get("/desk/search?q=查无此人"))
    assert "林知遥" in text(client.get("/desk/search?q=林知"))


@pytest.mark.parametrize("who", ["leader", "officer", "organiser", "supervisor", "service_officer"])
def test_a_persons_page_leads_nobody_to_a_page_that_refuses_them(city, client, who):
    a_case(intake=city.office, person=city.talent, now=now())
    event = an_event("人才会客厅", organisation=city.office, author=city.organiser)
    a_registration(event=event, person=city.talent)
    added = {"supervisor": Role.SUPERVISOR, "service_officer": Role.SERVICE_OFFICER}
    reader = an_account(organisation=city.office, roles=[added[who]]) if who in added else getattr(city, who)
    browser = signed_in(client, reader)

    page = text(browser.get(f"/desk/people/{city.talent.id}"))
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/desk/[^"#]*)"', page)}

    assert len(links) > 3
    assert {link: browser.get(link).status_code for link in links if browser.get(link).status_code >= 400} == {}


def test_an_ambassador_finds_links_of_their_own_and_whom_they_brought(city, client):
    envoy = an_account("江远帆", organisation=city.office, roles=[Role.AMBASSADOR])
    coming = {"organisation": city.office, "author": city.organiser, "starts_at": now() + 5 * DAY}
    event, other = an_event("引才长征", **coming), an_event("秋季招聘会", **coming)
    an_event("内部会", **coming, visibility=Visibility.INTERNAL)
    brought = {"through_account_id": envoy.id}
    a_registration(event=event, person=a_person(organisation=city.office), **brought)
    a_registration(event=event, person=a_person(organisation=city.office))

    page = text(signed_in(client, envoy).get("/desk/"))

    assert "引才长征" in page
    assert "内部会" not in page
    assert "您介绍了 1 位" in page
    assert [f"/e/{one.id}?via=a{envoy.id}-" in page for one in (event, other)] == [True, True]
