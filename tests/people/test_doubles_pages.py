"""The pages on which a clerk decides whether two records are one person."""

import pytest

from outreach.organisations.models import Account
from outreach.organisations.rules import Role
from outreach.people.models import PersonMerge
from outreach.people.queries import doubles
from tests.factories import (
    a_case,
    a_contact_point,
    a_pairing,
    a_person,
    a_registration,
    a_visit,
    an_account,
    an_event,
    an_organisation,
    signed_in,
)


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def desk(client, office):
    return signed_in(client, an_account("何清越", organisation=office, roles=[Role.ORGANISER]))


@pytest.fixture
def two(office, session):
    point = a_contact_point("+8619901000036")
    pair = [a_person("林知遥", organisation=office, at=point) for _ in range(2)]
    pair[0].employer, pair[1].employer = "雁城新材", "来雁数据"
    pair[0].identity_number = pair[1].identity_number = "43139919940803036X"
    session.commit()
    return pair


def beside(two) -> str:
    return f"/desk/people/{two[0].id}/beside/{two[1].id}"


def test_the_pair_is_listed_and_shown_side_by_side_with_the_reason_and_masked(desk, two):
    listed = desk.get("/desk/people/doubles").text
    shown = desk.get(beside(two)).text

    assert "姓名和号码（或邮箱）都相同" in listed
    assert f'href="{beside(two)}"' in listed
    assert "几乎可以肯定是同一人" in shown
    assert all(value in shown for value in ("雁城新材", "来雁数据", "199****0036", "6X"))
    assert not any(secret in listed + shown for secret in ("19901000036", "431399"))


def test_the_clerk_chooses_what_leads_and_the_old_address_goes_on_to_the_new_one(desk, session, two):
    answer = desk.post(beside(two), data={"lead-employer": "other"})

    merge = session.query(PersonMerge).one()
    assert answer.location == f"/desk/people/merges/{merge.id}"
    assert two[0].employer == "来雁数据"
    assert desk.get(f"/desk/people/{two[1].id}").location == f"/desk/people/{two[0].id}"
    page = desk.get(f"/desk/people/{two[0].id}").text
    assert "雁城新材" in page  # kept beside the record
    assert f"/desk/people/merges/{merge.id}" in page
    assert "没有发现疑似重复的档案" in desk.get("/desk/people/doubles").text


def test_undoing_lists_what_stays(desk, session, two, office):
    desk.post(beside(two), data={})
    merge = session.query(PersonMerge).one()
    a_case(intake=office, person=two[0])
    session.commit()

    before = desk.get(f"/desk/people/merges/{merge.id}").text
    desk.post(f"/desk/people/merges/{merge.id}", data={"different": "y"})
    after = desk.get(f"/desk/people/merges/{merge.id}").text

    assert "撤销合并" in before
    assert "诉求" in after
    assert "这是合并之后新产生的" in after
    assert doubles.distinction(two[0].id, two[1].id) is not None
    assert desk.post(f"/desk/people/merges/{merge.id}", data={}).status_code == 422


def test_what_stayed_is_told_by_name_with_a_link_where_the_reader_may_see_it(desk, session, office, two):
    desk.post(beside(two), data={})
    merge = session.query(PersonMerge).one()
    case = a_case(intake=office, person=two[0], title="孩子明年上小学")
    organiser = session.query(Account).filter_by(name="何清越").one()
    event = an_event("人才会客厅", organisation=office, author=organiser)
    place = a_registration(event=event, person=two[0])
    elsewhere = an_organisation("邻市", parent=None)
    hidden = an_event("邻市的活动", organisation=elsewhere, author=an_account(organisation=elsewhere))
    a_registration(event=hidden, person=two[0])
    leader = an_account("周启明", organisation=office, roles=[Role.LEADER])
    pairing = a_pairing(leader=leader, person=two[0])
    visit = a_visit(leaders=[leader], talents=[two[0]])
    session.commit()

    desk.post(f"/desk/people/merges/{merge.id}", data={})
    page = desk.get(f"/desk/people/merges/{merge.id}").text

    for title, link in (
        (f"{case.number} 孩子明年上小学", f"/desk/requests/{case.id}"),
        ("人才会客厅", f"/desk/events/{event.id}/registrations/{place.id}"),
        ("周启明", f"/desk/liaison/{pairing.id}"),
        ("周启明 2026-11-01", f"/desk/visits/{visit.id}"),
    ):
        assert f'<a href="{link}">{title}</a>' in page
    assert "邻市的活动" not in page
    assert "还有 1 项" in page


def test_two_people_are_not_asked_about_again_until_that_is_taken_back(desk, two):
    desk.post(f"{beside(two)}/apart")

    assert "没有发现疑似重复的档案" in desk.get("/desk/people/doubles").text
    assert "何清越于" in desk.get(beside(two)).text
    refused = desk.post(beside(two), data={})
    assert (refused.status_code, "已有人认定这是两个不同的人" in refused.text) == (422, True)
    desk.post(f"{beside(two)}/perhaps-one")
    assert desk.post(beside(two), data={}).status_code == 303


def test_any_other_record_can_be_looked_up_and_compared(desk, session, two, office):
    stranger = a_person("周启衡", organisation=office)
    session.commit()

    page = desk.get(f"/desk/people/{two[0].id}/beside?q=周启衡").text

    assert f"/desk/people/{two[0].id}/beside/{stranger.id}" in page
    assert "没有任何信息表明是同一人" in desk.get(f"/desk/people/{two[0].id}/beside/{stranger.id}").text
    assert desk.post(f"/desk/people/{two[0].id}/beside/{two[0].id}").status_code == 422


def test_whoever_may_not_merge_meets_no_way_to_it(client, office, two):
    client = signed_in(client, an_account(organisation=office, roles=[Role.SUPERVISOR]))

    assert desk_status(client, "/desk/people/doubles", beside(two)) == [403, 403]
    assert "/beside" not in client.get(f"/desk/people/{two[0].id}").text


def test_a_pair_of_which_one_is_out_of_reach_is_not_there(client, session, office, two):
    county = an_organisation("清江县", parent=office)
    two[0].organisation = county
    session.commit()
    client = signed_in(client, an_account(organisation=county, roles=[Role.ORGANISER]))

    assert desk_status(client, beside(two), f"{beside(two)}/apart") == [404, 405]
    assert "没有发现疑似重复的档案" in client.get("/desk/people/doubles").text


def desk_status(client, *paths: str) -> list[int]:
    return [client.get(path).status_code for path in paths]
