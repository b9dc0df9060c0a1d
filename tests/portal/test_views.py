import re
from datetime import timedelta

import pytest

from outreach.events.rules import EventKind, EventMode, EventState, Visibility
from outreach.kernel import clock
from outreach.organisations.rules import Role
from outreach.registration.rules import RegistrationState
from tests.factories import (
    a_contact_point,
    a_person,
    a_programme,
    a_registration,
    a_venue,
    an_account,
    an_event,
    an_installation,
    proven,
)
from tests.statements import statements


@pytest.fixture
def city(session):
    return an_installation("雁城").lead_organisation


@pytest.fixture
def author(city):
    return an_account(organisation=city, roles=[Role.ORGANISER])


def soon(days=3, **more):
    return clock.now() + timedelta(days=days, **more)


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)).split())


def test_an_empty_portal_is_warm_and_answers(client, city):
    answer = client.get("/")

    assert answer.status_code == 200
    assert "眼下还没有排活动" in text_of(answer)


def test_the_portal_says_how_much_is_to_come_within_two_weeks(client, city, author):
    for days in (3, 10, 30):
        an_event(organisation=city, author=author, starts_at=soon(days))

    assert "这两周，有 2 场可以来" in text_of(client.get("/"))


@pytest.mark.parametrize(
    "hidden",
    [
        {"state": EventState.DRAFT},
        {"state": EventState.SUBMITTED},
        {"visibility": Visibility.INTERNAL},
        {"visibility": Visibility.INVITATION},
    ],
    ids=["draft", "submitted", "internal", "by invitation"],
)
def test_what_is_not_for_everybody_does_not_exist(hidden, client, city, author):
    event = an_event("不给人看的", organisation=city, author=author, starts_at=soon(), **hidden)

    assert client.get(f"/e/{event.id}").status_code == 404
    assert "不给人看的" not in text_of(client.get("/"))


def test_the_next_event_one_can_register_for_is_large(client, city, author):
    an_event("不用报名的", organisation=city, author=author, starts_at=soon(1), groups=())
    an_event("下一场", organisation=city, author=author, starts_at=soon(2))
    an_event("再下一场", organisation=city, author=author, starts_at=soon(3))

    page = client.get("/")

    featured = re.search(r'class="o-feat".*?<h2>([^<]+)</h2>', page.get_data(as_text=True), re.S)
    assert featured.group(1) == "下一场"
    assert text_of(page).count("下一场") == 2


def test_what_is_over_or_cancelled_is_not_to_come(client, city, author):
    an_event("办过的", organisation=city, author=author, starts_at=soon(-1))
    an_event("取消的", organisation=city, author=author, starts_at=soon(1), state=EventState.CANCELLED)

    assert "眼下还没有排活动" in text_of(client.get("/"))


def test_a_cancelled_event_says_so_to_whoever_has_its_link(client, city, author):
    event = an_event(organisation=city, author=author, starts_at=soon(), state=EventState.CANCELLED)

    page = client.get(f"/e/{event.id}")

    assert page.status_code == 200
    assert "这场活动不办了" in text_of(page)


def test_places_left_count_those_under_review_and_confirmed(client, city, author):
    event = an_event(organisation=city, author=author, starts_at=soon(), groups=(("博士", 3), ("企业代表", 1)))
    first, second = event.groups
    for group in (first, second):
        a_registration(event=event, group=group, person=a_person(organisation=city))

    page = text_of(client.get(f"/e/{event.id}"))

    assert "还有 2 个名额" in page
    assert "企业代表可以候补" in page


def test_a_full_event_offers_the_waiting_list(client, city, author):
    event = an_event(organisation=city, author=author, starts_at=soon(), groups=(("博士", 1),))
    a_registration(event=event, group=event.groups[0], person=a_person(organisation=city))

    page = text_of(client.get(f"/e/{event.id}"))

    assert "名额满了" in page
    assert "排候补" in page


@pytest.mark.parametrize(
    ("values", "button"),
    [
        ({"registration_opens_at": "tomorrow"}, "报名还没开始"),
        ({"registration_closes_at": "yesterday"}, "报名已截止"),
        ({"groups": ()}, "不用报名"),
    ],
)
def test_the_button_says_why_one_cannot_register(values, button, client, city, author):
    when = {"tomorrow": soon(1), "yesterday": soon(-1)}
    values = {name: when.get(value, value) if isinstance(value, str) else value for name, value in values.items()}
    event = an_event(organisation=city, author=author, starts_at=soon(5), **values)

    page = client.get(f"/e/{event.id}").get_data(as_text=True)

    assert re.search(rf'class="o-btn o-btn-main o-btn-off">\s*{button}', page)


def test_markup_in_a_text_is_shown_as_it_was_typed(client, city, author):
    about = "第一段<script>alert(1)</script>\n\n第二段 🦢"
    event = an_event(organisation=city, author=author, starts_at=soon(), about=about)

    page = client.get(f"/e/{event.id}").get_data(as_text=True)

    assert "<p>第一段&lt;script&gt;alert(1)&lt;/script&gt;</p>" in page
    assert "<p>第二段 🦢</p>" in page


def test_a_link_to_watch_is_shown_only_where_nobody_registers(client, city, author):
    online = {"mode": EventMode.ONLINE, "place": None, "online_url": "https://live.example.com/8"}
    free = an_event(organisation=city, author=author, starts_at=soon(), groups=(), **online)
    with_places = an_event(organisation=city, author=author, starts_at=soon(), **online)

    assert "https://live.example.com/8" in client.get(f"/e/{free.id}").get_data(as_text=True)
    assert "https://live.example.com/8" not in client.get(f"/e/{with_places.id}").get_data(as_text=True)


def test_chips_and_search_narrow_the_list(client, city, author):
    programme = a_programme("人才会客厅", organisation=city)
    an_event("夜谈", organisation=city, author=author, starts_at=soon(), programme=programme)
    an_event("对接", organisation=city, author=author, starts_at=soon(), kind=EventKind.MATCHMAKING)

    by_kind, by_programme = client.get("/?kind=matchmaking"), client.get("/?q=会客厅")
    nothing, odd = client.get("/?q=没有这个"), client.get("/?kind=nonsense&page=nonsense")

    assert "夜谈" not in text_of(by_kind)
    assert "对接" not in text_of(by_programme).replace("对接会", "")
    assert "没有合适的" in text_of(nothing)
    assert odd.status_code == 200


def test_the_list_goes_on_where_the_page_ended(client, city, author):
    for number in range(25):
        an_event(f"第{number:02}场", organisation=city, author=author, starts_at=soon(number + 1))

    first = client.get("/")
    onward = re.search(r'href="(/\?page=[^"]+)"', first.get_data(as_text=True)).group(1)
    second = client.get(onward)

    assert "第19场" in text_of(first)
    assert "第20场" not in text_of(first)
    assert [f"第{number}场" in text_of(second) for number in (19, 20, 24)] == [False, True, True]


def test_the_portal_runs_the_same_statements_for_one_event_and_for_twenty(client, city, author):
    with_all = {"programme": a_programme(organisation=city), "venue": a_venue(organisation=city), "place": None}
    an_event(organisation=city, author=author, starts_at=soon(), **with_all)
    client.get("/")
    with statements() as for_one:
        client.get("/")
    for number in range(19):
        an_event(
            organisation=city, author=author, starts_at=soon(number), groups=(("博士", 1), ("企业", 2)), **with_all
        )
    with statements() as for_twenty:
        client.get("/")

    assert len(for_twenty) == len(for_one)


def test_a_programme_shows_what_comes_and_what_has_been(client, city, author):
    programme = a_programme("人才会客厅", organisation=city)
    an_event("来的", organisation=city, author=author, starts_at=soon(), programme=programme)
    an_event("过去的", organisation=city, author=author, starts_at=soon(-9), programme=programme)
    an_event("别家的", organisation=city, author=author, starts_at=soon())

    page = text_of(client.get(f"/p/{programme.id}"))

    assert ["来的" in page, "过去的" in page, "别家的" in page] == [True, True, False]


def test_a_programme_without_a_public_event_does_not_exist(client, city, author):
    programme = a_programme("还没公开的", organisation=city)
    an_event(organisation=city, author=author, starts_at=soon(), programme=programme, state=EventState.DRAFT)

    assert client.get(f"/p/{programme.id}").status_code == 404


def test_one_sees_ones_own_number_in_groups(client, city):
    me = proven(client, a_contact_point("+8619900000036"))

    assert "199 0000 0036" in text_of(me.get("/my"))


def test_a_stranger_proves_a_number_first(client, city):
    answer = client.get("/my")

    assert (answer.status_code, answer.location.startswith("/sign-in")) == (302, True)


def test_robots_are_told_what_is_not_for_them(client, city):
    assert "Disallow: /desk/" in client.get("/robots.txt").get_data(as_text=True)


@pytest.mark.parametrize("address", ["/", "/robots.txt"])
def test_a_look_without_a_body_is_answered(address, client, city):
    assert client.head(address).status_code == 200


def test_whoever_is_registered_is_led_to_their_ticket(client, city, author):
    event = an_event(organisation=city, author=author, starts_at=soon())
    contact = a_contact_point()
    mine = a_registration(
        event=event, group=event.groups[0], person=a_person("林知遥", organisation=city), contact_point=contact
    )

    stranger = client.get(f"/e/{event.id}").get_data(as_text=True)
    page = proven(client, contact).get(f"/e/{event.id}").get_data(as_text=True)

    assert f"/t/{mine.token}" not in stranger
    assert f"/t/{mine.token}" in page
    assert "林**" in page
    assert "林知遥" not in page


def test_the_waiting_list_says_how_long_it_is_only_when_somebody_is_in_it(client, city, author):
    event = an_event(organisation=city, author=author, starts_at=soon(), groups=(("博士", 1),))
    a_registration(event=event, person=a_person(organisation=city))

    nobody = text_of(client.get(f"/e/{event.id}"))
    a_registration(event=event, person=a_person(organisation=city), state=RegistrationState.WAITLISTED)
    somebody = text_of(client.get(f"/e/{event.id}"))

    assert "博士可以候补。有人退出" in nobody
    assert "博士可以候补，现有 1 人在等。" in somebody
