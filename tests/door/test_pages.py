"""From a registration on one phone to the scan by another, in real browsers against the served application."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from outreach.kernel.clock import now
from outreach.organisations.rules import Role
from outreach.people.operations import seed_consent_texts
from tests import factories
from tests.browser import Devices, assert_accessible, known
from tests.served import Served, inside


@dataclass(frozen=True)
class Evening:
    """An event that begins soon with one place, and the cookies of those who have to do with it."""

    event_id: int
    organiser: str
    attendees: tuple[str, str]


@pytest.fixture
def evening(served: Served) -> Evening:
    with inside(served) as app:
        cookie = app.session_interface.get_signing_serializer(app).dumps
        office = factories.an_installation().lead_organisation
        seed_consent_texts(now=now())
        organiser = factories.an_account("周明", organisation=office, roles=[Role.ORGANISER])
        event = factories.an_event(
            "把实验室搬进老厂房",
            organisation=office,
            author=organiser,
            starts_at=now() + timedelta(hours=1),
            groups=[("博士", 1)],
        )
        points = [factories.a_contact_point(number) for number in ("+8613812340036", "+8613812340518")]
        return Evening(
            event_id=event.id,
            organiser=cookie({"_user_id": organiser.get_id(), "_fresh": True}),
            attendees=tuple(cookie({"contact_point_id": point.id}) for point in points),
        )


def register(phone: Page, evening: Evening, name: str) -> Page:
    phone.goto(f"/e/{evening.event_id}/register")
    phone.get_by_label("姓名").fill(name)
    phone.get_by_label("我同意为上述目的使用我的信息").check()
    phone.get_by_role("button", name="提交报名").click()
    phone.wait_for_url("**/t/*")
    return phone


def short_code(ticket: Page) -> str:
    return ticket.locator(".o-short").inner_text()


def join(phone: Page, link: str, name: str, gate: str) -> None:
    phone.goto(link)
    phone.get_by_label("您的姓名").fill(name)
    phone.get_by_label("在哪个门").fill(gate)
    phone.get_by_role("button", name="开始").click()
    phone.wait_for_url("**/door/")


def test_from_a_place_given_back_to_the_next_in_line_at_the_door(devices: Devices, served: Served, evening: Evening):
    first = known(devices.phone(served), served, evening.attendees[0])
    second = known(devices.phone(served), served, evening.attendees[1])
    desk = known(devices.desk(served), served, evening.organiser)

    # The one place is taken, the next one waits with a number.
    register(first, evening, "林知遥")
    expect(first.locator(".o-qr")).to_be_visible()
    register(second, evening, "沈亦凡")
    expect(second.locator(".o-place")).to_contain_text("1")
    assert_accessible(first)
    assert_accessible(second)

    # The first gives it back, and the second has it.
    first.get_by_text("来不了？把名额让出来").click()
    first.get_by_role("button", name="取消报名").click()
    expect(first.get_by_role("status")).to_contain_text("您已退出，谢谢您告诉我们。")
    second.reload()
    expect(second.locator(".o-qr")).to_be_visible()
    code = short_code(second)

    # The organiser shows a QR code, and a volunteer's phone is a scanner.
    desk.goto(f"/desk/events/{evening.event_id}/door")
    desk.get_by_role("button", name="生成二维码").click()
    assert_accessible(desk)
    link = desk.locator("p.o-code").inner_text()
    scanner = devices.phone_with_camera(served, None, second.url, seconds=2)
    join(scanner, link, "李知夏", "东门")
    expect(scanner.locator(".o-verdict-word")).to_have_text("请进")
    expect(scanner.locator(".o-slip-card")).to_contain_text("沈亦凡")
    expect(scanner.locator(".o-door-top").last).to_contain_text("已到 1 / 1")
    assert_accessible(scanner)

    # Once is once: the camera sees the same ticket again, and another phone types its code.
    scanner.get_by_role("link", name="下一位").click()
    expect(scanner.locator(".o-verdict-word")).to_have_text("进过了")
    expect(scanner.locator(".o-verdict-why")).to_contain_text("在东门，由 李知夏 扫过")
    other = devices.phone(served)
    join(other, link, "王小雨", "西门")
    other.get_by_role("link", name="输 6 位短码").click()
    other.get_by_label("短码").fill(code.lower())
    other.get_by_role("button", name="能不能进").click()
    expect(other.locator(".o-verdict-word")).to_have_text("进过了")

    # The organiser sees who came, where and by whom.
    desk.reload()
    expect(desk.get_by_role("row").nth(1)).to_contain_text("沈亦凡")
    expect(desk.get_by_role("row").nth(1)).to_contain_text("东门 · 李知夏")
    assert_accessible(desk)


def test_a_code_typed_without_a_network_stays_where_it_was_typed(devices: Devices, served: Served, evening: Evening):
    attendee = register(known(devices.phone(served), served, evening.attendees[0]), evening, "林知遥")
    desk = known(devices.desk(served), served, evening.organiser)
    desk.goto(f"/desk/events/{evening.event_id}/door")
    desk.get_by_role("button", name="生成二维码").click()
    phone = devices.phone(served)
    join(phone, desk.locator("p.o-code").inner_text(), "李知夏", "东门")
    phone.goto("/door/type")

    phone.context.set_offline(True)
    phone.get_by_label("短码").fill(short_code(attendee))
    phone.get_by_role("button", name="能不能进").click()
    expect(phone.locator("[data-offline]")).to_contain_text("没有网络")
    phone.context.set_offline(False)
    phone.get_by_role("button", name="能不能进").click()

    expect(phone.locator(".o-verdict-word")).to_have_text("请进")


def test_everything_at_the_door_works_without_script(devices: Devices, served: Served, evening: Evening):
    attendee = register(
        known(devices.phone(served, java_script_enabled=False), served, evening.attendees[0]), evening, "林知遥"
    )
    desk = known(devices.desk(served, java_script_enabled=False), served, evening.organiser)
    desk.goto(f"/desk/events/{evening.event_id}/door")
    desk.get_by_role("button", name="生成二维码").click()
    phone = devices.phone(served, java_script_enabled=False)
    join(phone, desk.locator("p.o-code").inner_text(), "李知夏", "东门")

    phone.get_by_role("link", name="输 6 位短码").click()
    phone.get_by_label("短码").fill(short_code(attendee))
    phone.get_by_role("button", name="能不能进").click()

    expect(phone.locator(".o-verdict-word")).to_have_text("请进")
    phone.get_by_role("link", name="下一位").click()
    phone.get_by_role("link", name="按姓名找").click()
    phone.get_by_label("姓，或拼音首字母").fill("lz")
    phone.get_by_role("button", name="找").click()
    phone.get_by_role("button", name="就是这位").click()
    expect(phone.locator(".o-verdict-word")).to_have_text("进过了")
