"""From an organiser's first line to the portal, in real browsers against the served application."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from outreach.organisations.rules import Role
from outreach.programmes.rules import Motif
from tests import factories
from tests.browser import Devices, assert_accessible, known
from tests.served import Served, inside


@dataclass(frozen=True)
class Office:
    """The cookies of an organiser and of the supervisor who approves."""

    organiser: str
    supervisor: str


@pytest.fixture
def office(served: Served) -> Office:
    with inside(served) as app:
        cookie = app.session_interface.get_signing_serializer(app).dumps
        city = factories.an_installation().lead_organisation
        factories.a_programme("人才会客厅", organisation=city, motif=Motif.LOUNGE)
        factories.a_venue("雁城市人才会客厅", organisation=city)
        people = [
            factories.an_account(name, organisation=city, roles=[role])
            for name, role in (("唐平", Role.ORGANISER), ("叶艳泽", Role.SUPERVISOR))
        ]
        return Office(*(cookie({"_user_id": person.get_id(), "_fresh": True}) for person in people))


def test_a_salon_from_the_first_line_to_the_portal(devices: Devices, served: Served, office: Office):
    desk = known(devices.desk(served), served, office.organiser)
    approver = known(devices.phone(served), served, office.supervisor)
    visitor = devices.phone(served)

    # The programme brings its next number, the start its end two hours later; rows come and go.
    desk.goto("/desk/events/new")
    assert_accessible(desk)
    desk.locator("#title").fill("把实验室搬进老厂房")
    desk.locator("#programme_id").select_option(label="人才会客厅")
    expect(desk.locator("#issue")).to_have_value("1")
    desk.locator("#starts_at").fill("2099-12-31T23:00")
    expect(desk.locator("#ends_at")).to_have_value("2100-01-01T01:00")
    desk.locator("#venue_id").select_option(label="雁城市人才会客厅")
    desk.locator("#groups-0-name").fill("博士")
    desk.locator("#groups-0-capacity").fill("２0")
    desk.get_by_role("button", name="加一组").click()
    desk.locator("#groups-1-name").fill("企业代表")
    desk.locator("#groups-1-capacity").fill("十")
    desk.get_by_role("button", name="加一组").click()
    desk.get_by_role("button", name="去掉").last.click()

    # What is wrong is said beside its field; Enter in a field saves rather than adding a row.
    desk.get_by_role("button", name="存草稿，看看样子").click()
    expect(desk.locator("#groups-1-capacity")).to_have_value("十")
    expect(desk.locator("#groups-1-capacity-error")).to_contain_text("请填整数")
    assert_accessible(desk)
    desk.locator("#groups-1-capacity").fill("10")
    desk.locator("#title").press("Enter")
    desk.wait_for_url("**/preview")
    assert_accessible(desk)
    desk.get_by_role("button", name="提交审批").click()
    expect(desk.locator(".o-lede")).to_contain_text("等叶艳泽批准")

    # A second person sees what the public will see, and publishes it.
    address = desk.url
    public = f"/e/{address.split('/')[-2]}"
    assert visitor.goto(public).status == 404
    approver.goto(address)
    expect(approver.locator(".o-preview")).to_contain_text("共 30 个名额")
    assert_accessible(approver)
    approver.get_by_role("button", name="批准，现在发布").click()
    expect(approver.locator(".o-lede")).to_contain_text("在门户上了")

    # It is on the portal.
    visitor.goto("/")
    visitor.get_by_role("link", name="把实验室搬进老厂房").click()
    expect(visitor.locator("h1")).to_contain_text("把实验室搬进老厂房")
    expect(visitor.locator(".o-quota")).to_contain_text("企业代表")
    expect(visitor.get_by_role("link", name="报名", exact=True)).to_be_visible()
    assert_accessible(visitor)
    visitor.goto("/")
    assert_accessible(visitor)
