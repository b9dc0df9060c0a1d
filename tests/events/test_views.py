import re
from datetime import timedelta

import pytest

from outreach.events import queries
from outreach.events.models import Event
from outreach.events.rules import EventKind, EventMode, EventState, Visibility
from outreach.kernel import clock
from outreach.organisations.rules import Role
from tests.factories import a_programme, a_venue, an_account, an_event, an_installation, an_organisation, signed_in
from tests.statements import statements

TYPED = {
    "title": "把实验室搬进老厂房",
    "subtitle": "新材料青年夜谈",
    "kind": "salon",
    "mode": "on_site",
    "direction": "in",
    "visibility": "public",
    "programme_id": "",
    "venue_id": "",
    "place": "江畔路 18 号",
    "starts_at": "2026-12-28T19:00",
    "ends_at": "2026-12-28T21:00",
    "groups-0-name": "博士",
    "groups-0-capacity": "20",
    "groups-0-about": "取得博士学位的",
    "groups-1-name": "企业代表",
    "groups-1-capacity": "10",
    "groups-1-reviewed": "y",
}


@pytest.fixture
def city(session):
    return an_installation().lead_organisation


@pytest.fixture
def organiser(city):
    return an_account("唐平", organisation=city, roles=[Role.ORGANISER])


@pytest.fixture
def supervisor(city):
    return an_account("叶艳泽", organisation=city, roles=[Role.SUPERVISOR])


@pytest.fixture
def desk(client, organiser):
    return signed_in(client, organiser)


@pytest.fixture
def typed(city):
    return TYPED | {"organisation": str(city.id)}


def soon(days=7):
    return clock.now() + timedelta(days=days)


def only_event(session):
    return session.query(Event).one()


def text_of(response):
    return re.sub(r"<[^>]+>", " ", response.get_data(as_text=True))


def test_a_salon_with_two_groups_is_drafted_and_looked_at(desk, session, typed):
    answer = desk.post("/desk/events/new", data=typed)

    event = only_event(session)
    assert (event.state, event.kind, event.title) == (EventState.DRAFT, EventKind.SALON, "把实验室搬进老厂房")
    assert [(g.name, g.capacity, g.about, g.reviewed) for g in event.groups] == [
        ("博士", 20, "取得博士学位的", False),
        ("企业代表", 10, None, True),
    ]
    assert f"{clock.local(event.starts_at):%Y-%m-%d %H:%M}" == "2026-12-28 19:00"
    assert answer.location == f"/desk/events/{event.id}/preview"


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_can_be_chosen(kind, desk, session, typed):
    desk.post("/desk/events/new", data=typed | {"kind": kind.value})

    assert only_event(session).kind is kind


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ends_at": "2026-12-28T18:00"}, "结束要晚于开始"),
        ({"starts_at": "2027-02-31T19:00"}, "日历上没有这一天"),
        ({"starts_at": "下周六晚上"}, "请这样写"),
        ({"starts_at": ""}, "请填开始时间"),
        ({"registration_closes_at": "2026-12-29T10:00"}, "报名截止不能晚于活动结束"),
        ({"registration_opens_at": "2026-12-28T22:00"}, "报名要先开始，后截止"),
        ({"doors_open_at": "2026-12-28T19:10"}, "入场时间不能晚于开始"),
        ({"groups-0-capacity": "-1"}, "填 0 到 100,000"),
        ({"groups-0-capacity": "999999999"}, "填 0 到 100,000"),
        ({"groups-0-capacity": "1" * 400}, "请填整数"),
        ({"groups-0-capacity": "很多"}, "请填整数"),
        ({"groups-0-capacity": ""}, "有多少名额"),
        ({"groups-0-name": ""}, "给这组起个名"),
        ({"groups-1-name": "博士"}, "有两个名额组都叫"),
        ({"title": ""}, "给活动起个名字"),
        ({"title": "一" * 121}, "120"),
        ({"title": "夜谈\x07"}, "看不见的控制字符"),
        ({"online_url": "javascript:alert(1)", "mode": "online"}, "链接要以"),
        ({"issue": "0"}, "填 1 到 9,999"),
        ({"kind": "party"}, ""),
        ({"programme_id": "999"}, ""),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(wrong, sentence, desk, session, typed):
    answer = desk.post("/desk/events/new", data=typed | wrong)

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    if "groups-0-capacity" in wrong:
        assert f'value="{wrong["groups-0-capacity"]}"' in page
    assert 'value="新材料青年夜谈"' in page
    assert session.query(Event).count() == 0


@pytest.mark.parametrize(
    "title",
    ["一" * 60, "<b>加粗</b><script>alert(1)</script>", "🦢 雁来了 🦢", "'; DROP TABLE events; --"],
    ids=["long", "markup", "emoji", "SQL"],
)
def test_odd_titles_are_kept_as_typed_and_shown_inert(title, desk, session, typed):
    made = desk.post("/desk/events/new", data=typed | {"title": title})

    page = desk.get(made.location).get_data(as_text=True)
    assert only_event(session).title == title
    assert "<script>alert(1)</script>" not in page


def test_an_evening_may_end_after_midnight_and_after_new_year(desk, session, typed):
    desk.post("/desk/events/new", data=typed | {"starts_at": "2026-12-31T22:00", "ends_at": "2027-01-01T01:00"})

    assert only_event(session).ends_at - only_event(session).starts_at == timedelta(hours=3)


def test_a_moment_typed_by_hand_is_understood(desk, session, typed):
    desk.post("/desk/events/new", data=typed | {"starts_at": "2026/12/28 ９：05", "ends_at": "2026.12.28 21:00"})

    assert f"{clock.local(only_event(session).starts_at):%Y-%m-%d %H:%M}" == "2026-12-28 09:05"


def test_rows_of_groups_come_and_go_without_a_script(desk, session, typed):
    more = desk.post("/desk/events/new", data=typed | {"row": "add"}).get_data(as_text=True)
    fewer = desk.post("/desk/events/new", data=typed | {"row": "0"}).get_data(as_text=True)

    assert 'name="groups-2-name"' in more
    assert 'value="博士"' in more
    assert 'value="博士"' not in fewer
    assert 'value="企业代表"' in fewer
    assert session.query(Event).count() == 0


def test_an_empty_row_is_no_group(desk, session, typed):
    desk.post("/desk/events/new", data=typed | {"groups-2-name": "", "groups-2-capacity": "", "groups-2-about": ""})

    assert len(only_event(session).groups) == 2


def test_a_new_event_under_a_programme_is_proposed_the_next_number(desk, city, organiser):
    programme = a_programme("人才会客厅", organisation=city)
    an_event(organisation=city, author=organiser, programme=programme, issue=37)

    page = desk.get(f"/desk/events/new?programme={programme.id}").get_data(as_text=True)

    assert re.search(r'id="issue"[^>]*value="38"', page)


def test_an_organiser_of_a_county_cannot_make_events_of_the_city(client, session, city, typed):
    county = an_organisation(parent=city)
    theirs = signed_in(client, an_account(organisation=county, roles=[Role.ORGANISER]))

    answer = theirs.post("/desk/events/new", data=typed)

    assert answer.status_code == 422
    assert session.query(Event).count() == 0


def test_from_draft_to_the_portal_by_two_people(desk, client, session, typed, supervisor):
    desk.post("/desk/events/new", data=typed)
    event_id = only_event(session).id
    desk.post(f"/desk/events/{event_id}/submit")

    before = desk.get(f"/e/{event_id}").status_code
    own = desk.get(f"/desk/events/{event_id}/preview")
    second = signed_in(client.application.test_client(), supervisor)
    seen = second.get(f"/desk/events/{event_id}/preview")
    second.post(f"/desk/events/{event_id}/approve", data={"seen": only_event(session).version})

    assert before == 404
    assert "等叶艳泽批准" in text_of(own)
    assert "批准，现在发布" in text_of(seen)
    assert only_event(session).state is EventState.PUBLISHED
    assert second.get(f"/e/{event_id}").status_code == 200


def test_nobody_is_asked_to_decide_about_a_draft(client, session, city, organiser, supervisor):
    event = an_event(organisation=city, author=organiser, starts_at=soon(), state=EventState.DRAFT)

    page = text_of(signed_in(client, supervisor).get(f"/desk/events/{event.id}/preview"))

    assert "批准，现在发布" not in page


def test_whoever_submitted_it_is_told_why_they_cannot_approve(desk, session, typed, supervisor):
    desk.post("/desk/events/new", data=typed)
    event = only_event(session)
    desk.post(f"/desk/events/{event.id}/submit")

    answer = desk.post(f"/desk/events/{event.id}/approve", data={"seen": only_event(session).version})

    assert answer.status_code == 409
    assert "请另一位同事" in text_of(answer)
    assert only_event(session).state is EventState.SUBMITTED


def test_the_reason_of_a_refusal_stands_on_the_draft(desk, client, session, typed, supervisor):
    desk.post("/desk/events/new", data=typed)
    event_id = only_event(session).id
    desk.post(f"/desk/events/{event_id}/submit")
    second = signed_in(client.application.test_client(), supervisor)

    without = second.post(f"/desk/events/{event_id}/refuse", data={"reason": ""})
    second.post(f"/desk/events/{event_id}/refuse", data={"reason": "时间和市里大会冲突"})
    page = text_of(desk.get(f"/desk/events/{event_id}/preview"))

    assert without.status_code == 422
    assert "请写明原因" in text_of(without)
    assert "叶艳泽退回" in page
    assert "时间和市里大会冲突" in page


def test_an_event_of_another_county_does_not_exist(client, session, city):
    one, other = an_organisation(parent=city), an_organisation(parent=city)
    author = an_account(organisation=one, roles=[Role.ORGANISER])
    event = an_event(organisation=one, author=author, state=EventState.DRAFT)
    theirs = signed_in(client, an_account(organisation=other, roles=[Role.ORGANISER]))

    answers = [theirs.get(f"/desk/events/{event.id}/{page}").status_code for page in ("preview", "edit")]
    moves = [
        theirs.post(f"/desk/events/{event.id}/{move}").status_code
        for move in ("submit", "withdraw", "approve", "refuse", "cancel", "finish")
    ]

    assert answers + moves == [404] * 8


def test_a_change_upon_an_old_page_is_refused_and_kept(desk, session, typed):
    desk.post("/desk/events/new", data=typed)
    event = only_event(session)
    old = typed | {"seen": str(event.version)}
    desk.post(f"/desk/events/{event.id}/edit", data=old | {"title": "第一个"})

    answer = desk.post(f"/desk/events/{event.id}/edit", data=old | {"title": "第二个"})

    assert answer.status_code == 422
    assert "别人改过" in text_of(answer)
    assert 'value="第二个"' in answer.get_data(as_text=True)
    assert only_event(session).title == "第一个"


def test_the_form_of_an_event_shows_what_stands_there(desk, session, typed):
    desk.post("/desk/events/new", data=typed)

    page = desk.get(f"/desk/events/{only_event(session).id}/edit").get_data(as_text=True)

    assert 'value="2026-12-28T19:00"' in page
    assert 'value="取得博士学位的"' in page
    assert 'name="groups-1-name"' in page
    assert 'name="groups-2-name"' not in page


def test_saving_the_form_as_it_is_changes_nothing(desk, session, typed):
    desk.post("/desk/events/new", data=typed)
    event = only_event(session)
    version, ids = event.version, [group.id for group in event.groups]
    again = typed | {"seen": str(version)} | {f"groups-{n}-group_id": str(gid) for n, gid in enumerate(ids)}

    desk.post(f"/desk/events/{event.id}/edit", data=again)

    assert (only_event(session).version, [g.id for g in only_event(session).groups]) == (version, ids)


def test_the_list_says_what_waits_for_whom(desk, city, organiser):
    county = an_organisation(parent=city)
    author = an_account(organisation=county, roles=[Role.ORGANISER])
    an_event(organisation=city, author=organiser, starts_at=soon())
    an_event(organisation=county, author=author, starts_at=soon(), state=EventState.SUBMITTED)
    an_event(organisation=city, author=organiser, starts_at=soon(), state=EventState.DRAFT)

    page = " ".join(text_of(desk.get("/desk/events/")).split())

    assert "1 场 将要举办， 1 场 等您批准， 1 份草稿 还没提交。" in page


@pytest.mark.parametrize(
    ("address", "titles"),
    [
        ("", ["下周的", "月底的"]),
        ("?kind=forum", ["月底的"]),
        ("?q=下周", ["下周的"]),
        ("?q=%25", []),
        ("?tab=past", ["办过的那场"]),
        ("?tab=cancelled", ["取消的那场"]),
        ("?tab=nonsense&kind=nonsense&programme=x&page=x", ["下周的", "月底的"]),
    ],
)
def test_the_list_is_narrowed_by_view_kind_and_word(address, titles, desk, city, organiser):
    an_event("下周的", organisation=city, author=organiser, starts_at=soon(7))
    an_event("月底的", organisation=city, author=organiser, starts_at=soon(20), kind=EventKind.FORUM)
    an_event("办过的那场", organisation=city, author=organiser, starts_at=soon(-5))
    an_event("取消的那场", organisation=city, author=organiser, starts_at=soon(5), state=EventState.CANCELLED)

    page = desk.get(f"/desk/events/{address}").get_data(as_text=True)

    assert re.findall(r'class="o-strong"[^>]*>([^<]+)</a>', page) == titles


def test_the_list_runs_the_same_statements_for_one_row_and_for_twenty(desk, city, organiser):
    programme, venue = a_programme(organisation=city), a_venue(organisation=city)
    with_both = {"organisation": city, "author": organiser, "programme": programme, "venue": venue, "place": None}
    an_event(starts_at=soon(), **with_both)
    desk.get("/desk/events/")
    with statements() as for_one:
        desk.get("/desk/events/")
    for number in range(19):
        an_event(starts_at=soon(number), groups=(("博士", 1), ("企业", 2)), **with_both)
    with statements() as for_twenty:
        desk.get("/desk/events/")

    assert len(for_twenty) == len(for_one)


def test_an_internal_event_is_published_without_being_on_the_portal(desk, session, city, organiser):
    event = an_event(organisation=city, author=organiser, starts_at=soon(), visibility=Visibility.INTERNAL)

    page = text_of(desk.get(f"/desk/events/{event.id}/preview"))

    assert "不在门户上" in page
    assert desk.get(f"/e/{event.id}").status_code == 404


def test_cancelling_a_published_event_asks_for_the_reason(desk, session, city, organiser):
    event = an_event(organisation=city, author=organiser, starts_at=soon())

    without = desk.post(f"/desk/events/{event.id}/cancel", data={"reason": ""})
    desk.post(f"/desk/events/{event.id}/cancel", data={"reason": "场地漏水"})

    assert without.status_code == 422
    assert only_event(session).state is EventState.CANCELLED


def test_what_a_desk_runs_next_and_must_approve(city, organiser, supervisor):
    county = an_organisation(parent=city)
    author = an_account(organisation=county, roles=[Role.ORGANISER])
    mine = an_event(organisation=city, author=organiser, starts_at=soon(3))
    an_event(organisation=city, author=organiser, starts_at=soon(-3))
    waiting = an_event(organisation=county, author=author, starts_at=soon(), state=EventState.SUBMITTED)

    assert queries.my_next(organiser, now=clock.now(), limit=5) == [mine]
    assert queries.my_next(author, now=clock.now(), limit=5) == []
    assert queries.awaiting(supervisor, now=clock.now()) == [waiting]
    assert queries.awaiting(author, now=clock.now()) == []


def test_an_event_online_needs_no_place_on_its_page(desk, session, typed):
    desk.post("/desk/events/new", data=typed | {"mode": "online", "online_url": "https://live.example.com/8"})

    event = only_event(session)
    assert (event.mode, event.place, event.online_url) == (EventMode.ONLINE, None, "https://live.example.com/8")
