"""The whole story in one test: from an empty installation and an event's first draft to a promise kept.

After the server is started everything is done as its people do it: through pages, files, mails and text messages.
OUTREACH_TEST_SHOTS names a folder for a picture of each step.
"""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import vobject
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from outreach.kernel.clock import now
from tests.browser import Devices, assert_accessible
from tests.machine import ROOT
from tests.post_office import PostOffice, text_of
from tests.served import Served

SAMPLES = ROOT / "tests" / "samples"
BEIJING = ZoneInfo("Asia/Shanghai")
LONG = 60_000
"""Milliseconds for what the worker does in the background, on a machine under load."""

# Who the sample files name.
OFFICE, OFFICE_SHORT = "中共雁城市委人才工作领导小组办公室", "市委人才办"
ADMINISTRATOR = "马桂"
ORGANISER, ORGANISER_MAIL = "唐平", "u0-1@example.com"
SUPERVISOR, SUPERVISOR_MAIL = "叶艳泽", "u0-2@example.com"
HOUSING_HANDLER, HOUSING_MAIL = "宋军", "u2-0@example.com"
SCHOOL_HANDLER, SCHOOL_MAIL = "王浩", "u1-0@example.com"
LEADER, LIAISON_OFFICER = "马文", "董若"
TALENT, TALENT_PHONE, TALENT_MAIL = "郑洋怡", "19901000056", "talent56@example.com"
GUEST, GUEST_PHONE = "仇超", "19901000018"
PASSWORD = "雁来人才，秋去春来 2026"

TITLE = "把实验室搬进老厂房"
HOUSING, SCHOOLING = "想租一套离园区近的人才公寓", "孩子明年九月上小学，想问怎么报名"
ANSWER = "青年人才公寓已给您留了一套，12 月 1 日起可以看房。"


@pytest.fixture
def story(devices: Devices, served: Served, post_office: PostOffice) -> "Iterator[Story]":
    told = Story(devices, served, post_office)
    yield told
    for context, _ in devices.opened:
        for page in context.pages:
            told.look(page, "end")


class Story:
    """What the steps share: the devices in people's hands, and what one step leaves for the next."""

    def __init__(self, devices: Devices, served: Served, post_office: PostOffice) -> None:
        self.devices = devices
        self.served = served
        self.post_office = post_office
        self.pictures = 0
        self.administrator = devices.desk(served)

    def look(self, page: Page, name: str) -> None:
        """Keep a picture of the page, where the run asks for it."""
        folder = os.environ.get("OUTREACH_TEST_SHOTS")
        if folder:
            self.pictures += 1
            page.screenshot(path=Path(folder) / f"{self.pictures:02}-{name}.png", full_page=True)

    def open_account(self, page: Page, link: str) -> Page:
        """Open a one-time link and choose a password; whoever did is signed in."""
        page.goto(link)
        page.get_by_label("新密码", exact=True).fill(PASSWORD)
        page.get_by_label("再填一次").fill(PASSWORD)
        page.get_by_role("button", name="就用这个密码，开始").click()
        page.wait_for_url("**/desk/")
        return page

    def by_mail(self, address: str) -> Page:
        """Open the account whose link was mailed to the address, at a desk."""
        mail = text_of(self.post_office.wait_for_mail(address, seconds=60))
        return self.open_account(self.devices.desk(self.served), _link_in(mail, "/activate/"))

    def message_to(self, number: str, *, containing: str) -> str:
        """Read on the administrator's page of text messages the newest one to the number that contains the words."""
        page = self.administrator
        row = (
            page.get_by_role("row")
            .filter(has_text=f"{number[:3]} {number[3:7]} {number[7:]}")
            .filter(has_text=containing)
        )
        for _ in range(30):
            page.goto("/desk/")
            page.get_by_role("link", name="短信网关").click()
            page.wait_for_load_state()
            try:
                row.first.wait_for(timeout=2_000)
            except NotInTime:
                continue
            return row.first.inner_text()
        raise AssertionError(f"no message to {number} with {containing!r}")

    def mail_to(self, address: str, *, containing: str) -> str:
        """Read the first mail to the address that contains the words."""
        for count in range(1, 20):
            mail = text_of(self.post_office.wait_for_mail(address, count=count, seconds=60))
            if containing in mail:
                return mail
        raise AssertionError(f"no mail to {address} with {containing!r}")

    def prove_number(self, phone: Page, number: str) -> None:
        """Type a number, then the code sent to it, as an attendee does."""
        phone.get_by_label("手机号").fill(number)
        phone.get_by_role("button", name="发验证码").click()
        code = phone.get_by_label("短信或邮件里的 6 位数字")
        expect(code).to_be_visible()
        digits = re.search(r"\b\d{6}\b", self.message_to(number, containing="验证码"))
        code.press_sequentially(digits.group())


def _link_in(text: str, path: str) -> str:
    return re.search(rf"https?://\S+{re.escape(path)}[\w-]+", text).group()


def _code_in(picture: Locator) -> str:
    """Read a QR code off the screen, as a camera would."""
    codes = zxingcpp.read_barcodes(Image.open(BytesIO(picture.screenshot())))
    assert len(codes) == 1
    return codes[0].text


def _number(place: Locator) -> int:
    """Return the first number of a piece of a page."""
    return int(re.search(r"[\d,]+", place.inner_text()).group().replace(",", ""))


def bring_in(page: Page, kind: str, file: Path) -> None:
    """Choose a file to import and wait until its rows are compared."""
    page.get_by_role("link", name="导入", exact=True).first.click()
    page.get_by_role("link", name="选文件").first.click()
    if page.get_by_role("radio").count():
        page.get_by_role("radio", name=kind).check()
    page.get_by_label("文件", exact=True).set_input_files(file)
    page.get_by_role("button", name="先看看").click()
    expect(page.get_by_role("navigation", name="各行的情况")).to_be_visible(timeout=LONG)


def verdicts(page: Page) -> dict[str, int]:
    """Return how many rows of a file are new, of somebody known, doubtful and refused."""
    rows = page.get_by_role("navigation", name="各行的情况")
    words = {"new": "^新的", "same": "^(同一个人|库里已有|已经结对)", "doubtful": "^像是", "refused": "^收不了"}
    return {word: _number(rows.get_by_role("link", name=re.compile(name)).locator("b")) for word, name in words.items()}


def confirm(page: Page) -> None:
    """Let the rows come in, and wait until they have."""
    page.get_by_role("button", name=re.compile(r"^导入 [\d,]+ 行")).click()
    expect(page.get_by_text(re.compile(r"^已导入 \d")).first).to_be_visible(timeout=2 * LONG)


def search(page: Page, words: str) -> None:
    """Look for something with the box at the top of the desk."""
    box = page.get_by_role("searchbox", name="搜索人、活动、诉求")
    box.fill(words)
    box.press("Enter")
    page.wait_for_url("**/desk/search?**")


def test_from_a_draft_to_a_promise_kept(story: Story, tmp_path: Path):
    the_city_is_set_up(story)
    the_organisations_come_in(story)
    accounts_are_activated(story)
    the_ledger_of_talents_comes_in(story)
    a_county_ledger_comes_in(story, tmp_path)
    the_pairings_come_in(story)
    the_leader_gets_a_link_on_paper(story)
    requests_know_their_way(story)
    the_programme_and_the_venue_are_written_down(story)
    the_salon_is_drafted_approved_and_public(story)
    two_register_and_one_moves_up(story)
    the_door_lets_her_in_once(story)
    the_visit_is_logged_and_two_requests_exist(story)
    the_answer_is_given_and_it_cannot_close_yet(story)
    the_talent_is_told_and_says_it_helped(story)
    the_leader_sees_what_is_still_open(story)
    the_timeline_of_the_talent_shows_it_all(story)


def the_city_is_set_up(story: Story) -> None:
    page = story.administrator
    page.goto("/")
    expect(page).to_have_url(re.compile("/desk/setup$"))
    page.get_by_label("城市", exact=True).fill("雁城市")
    page.get_by_label("牵头部门全称").fill(OFFICE)
    page.get_by_label("简称").fill(OFFICE_SHORT)
    page.get_by_role("radio", name="中文").check()
    page.get_by_label("您的姓名").fill(ADMINISTRATOR)
    page.get_by_label("手机号").fill("19908000000")
    page.get_by_label("邮箱").fill("u0-0@example.com")
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_label("再填一次").fill(PASSWORD)
    page.get_by_label("我也做活动组织").uncheck()
    story.look(page, "set-up")
    assert_accessible(page)
    page.get_by_role("button", name="建好这座城，登录").click()
    expect(page.get_by_text(re.compile("雁城市.*还差 7 步"))).to_be_visible()
    story.look(page, "first-steps")


def the_organisations_come_in(story: Story) -> None:
    page = story.administrator
    bring_in(page, "单位和人员", SAMPLES / "organisations.xlsx")
    story.look(page, "organisations-preview")
    expected = len(_rows(SAMPLES / "organisations.xlsx", "单位")) + len(_rows(SAMPLES / "organisations.xlsx", "人员"))
    found = verdicts(page)
    assert sum(found.values()) == expected
    assert found["refused"] == found["doubtful"] == 0
    confirm(page)
    story.look(page, "organisations-in")


def accounts_are_activated(story: Story) -> None:
    page = story.administrator
    page.get_by_role("link", name="账号", exact=True).click()
    page.get_by_role("button", name="给这些人都打印链接").click()
    cards = page.get_by_role("listitem").filter(has_text="/activate/")
    expect(cards.first).to_be_visible()
    assert cards.count() == len(_rows(SAMPLES / "organisations.xlsx", "人员")) - 1, "everybody but the administrator"
    story.look(page, "sheet-of-links")

    story.organiser = story.by_mail(ORGANISER_MAIL)
    story.look(story.organiser, "organiser-first-page")
    story.supervisor = story.by_mail(SUPERVISOR_MAIL)
    printed = cards.filter(has_text=HOUSING_HANDLER)
    story.handler = story.open_account(story.devices.desk(story.served), _link_in(printed.inner_text(), "/activate/"))
    used = story.devices.desk(story.served)
    used.goto(_link_in(printed.inner_text(), "/activate/"))
    expect(used.get_by_label("新密码", exact=True)).to_have_count(0)
    story.look(used, "link-used-up")


def the_ledger_of_talents_comes_in(story: Story) -> None:
    page, file = story.organiser, SAMPLES / "talents.xlsx"
    bring_in(page, "人才台账", file)
    story.look(page, "talents-preview")
    assert_accessible(page)
    assert verdicts(page) == {"new": 320, "same": 12, "doubtful": 0, "refused": 0}, "332, says the ledger's last line"
    page.get_by_role("link", name="看对应关系").first.click()
    story.look(page, "talents-columns")
    page.get_by_role("button", name="按这样逐行比对").click()
    expect(page.get_by_role("navigation", name="各行的情况")).to_be_visible(timeout=LONG)
    address = page.url
    search(page, TALENT)
    expect(page.get_by_role("link", name=TALENT)).to_have_count(0)

    page.goto(address)
    confirm(page)
    story.look(page, "talents-in")
    bring_in(page, "人才台账", file)
    assert verdicts(page) == {"new": 0, "same": 332, "doubtful": 0, "refused": 0}, "the same file twice"
    search(page, TALENT)
    expect(page.get_by_role("link", name=TALENT)).to_have_count(1)
    story.look(page, "talent-found")


def a_county_ledger_comes_in(story: Story, tmp_path: Path) -> None:
    page, file = story.organiser, _county_ledger(tmp_path / "county.xlsx")
    bring_in(page, "人才台账", file)
    assert verdicts(page) == {"new": 1, "same": 1, "doubtful": 1, "refused": 2}

    page.get_by_role("link", name=re.compile("^像是")).click()
    expect(page.get_by_role("row").filter(has_text=GUEST)).to_be_visible()
    page.get_by_role("button", name="另一人").click()
    expect(page.get_by_text("已认 1 行")).to_be_visible()
    story.look(page, "county-doubtful")
    page.get_by_role("link", name=re.compile("^收不了")).click()
    story.look(page, "county-refused")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载这 2 行").first.click()
    refused = tmp_path / "refused.xlsx"
    download.value.save_as(refused)
    headings, *rows = openpyxl.load_workbook(refused).active.iter_rows(values_only=True)
    reasons = [row[[heading and "原因" in heading for heading in headings].index(True)] for row in rows]
    assert len(reasons) == 2
    assert all(reasons)
    confirm(page)
    story.look(page, "county-in")


def _county_ledger(path: Path) -> Path:
    """A ledger of a county: other headings, full-width digits, a doubtful row, two that cannot be taken, a total."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["耒水县在外人才登记表（2026年11月）"])
    sheet.merge_cells("A1:F1")
    sheet.append([])
    sheet.append(["专家姓名", "出生日期", "单位", "联系方式", "人才层次", "师承何人"])
    sheet.append(["周䶮", "1988年3月", "耒水轻工", "１９９０１００９００１", "强雁", "袁先生"])
    sheet.append([TALENT, None, None, f"+86 {TALENT_PHONE}", None, None])
    sheet.append([GUEST, None, "南岳农业", "19901009003", "强雁", None])
    sheet.append([None, "1990.01", "衡东机械", "19901009004", "雏雁", None])
    sheet.append(["贺远", "1700-01-01", "衡东机械", "19901009005", "雏雁", None])
    sheet.append(["合计", "5人"])
    book.save(path)
    return path


def the_pairings_come_in(story: Story) -> None:
    page = story.organiser
    bring_in(page, "领导联系人才安排表", SAMPLES / "pairings.xlsx")
    story.look(page, "pairings-preview")
    assert verdicts(page) == {"new": 14, "same": 0, "doubtful": 0, "refused": 0}
    confirm(page)
    page.get_by_role("link", name="联系", exact=True).click()
    story.look(page, "pairings")


def the_leader_gets_a_link_on_paper(story: Story) -> None:
    page = story.administrator
    page.goto("/desk/")
    page.get_by_role("link", name="账号", exact=True).click()
    page.get_by_role("link", name="还没设密码").click()
    for name in (LEADER, LIAISON_OFFICER):
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="打印链接", exact=True).click()
    cards = page.get_by_role("listitem").filter(has_text="/activate/")
    expect(cards).to_have_count(2)
    links = {
        name: _link_in(cards.filter(has_text=name).inner_text(), "/activate/") for name in (LEADER, LIAISON_OFFICER)
    }
    story.look(page, "sheet-for-the-leader")
    story.leader = story.open_account(story.devices.desk(story.served), links[LEADER])
    story.officer = story.open_account(story.devices.phone(story.served), links[LIAISON_OFFICER])
    story.look(story.officer, "officer-first-page")


def requests_know_their_way(story: Story) -> None:
    page = story.organiser
    page.goto("/desk/")
    page.get_by_role("link", name="诉求", exact=True).click()
    story.look(page, "requests-empty")
    page.get_by_text("设置", exact=True).click()
    page.get_by_role("link", name="固定去向").click()
    page.get_by_label("住房").select_option(label="市住建局")
    page.get_by_label("子女入学").select_option(label="市教育局")
    story.look(page, "routes")
    page.get_by_role("button", name="保存去向").click()
    expect(page.get_by_label("住房").locator("option:checked")).to_have_text("市住建局")


def the_programme_and_the_venue_are_written_down(story: Story) -> None:
    page = story.organiser
    page.get_by_role("link", name="品牌行动", exact=True).click()
    page.get_by_role("link", name="新建品牌").first.click()
    page.get_by_label("名称").fill("人才会客厅")
    page.get_by_label("一两句话介绍").fill("每月一次，十来个人，一件事说到底。")
    page.get_by_role("button", name="建这个品牌").click()
    expect(page.get_by_role("heading", name="人才会客厅")).to_be_visible()

    page.get_by_role("link", name="场馆", exact=True).click()
    page.get_by_role("link", name="新建场馆").first.click()
    page.get_by_label("名称").fill("人才会客厅一楼")
    page.get_by_label("地址").fill("雁城市蒸湘北路 8 号")
    page.get_by_label("怎么去").fill("地铁 2 号线蒸湘北路站 B 口，走 3 分钟")
    page.get_by_role("button", name="建这个场馆").click()
    expect(page.get_by_text("人才会客厅一楼").first).to_be_visible()


def the_salon_is_drafted_approved_and_public(story: Story) -> None:
    page = story.organiser
    starts = now().astimezone(BEIJING) + timedelta(minutes=75)
    page.get_by_role("link", name="活动", exact=True).click()
    story.look(page, "events-empty")
    page.get_by_role("link", name="新建活动").first.click()
    page.get_by_label("标题", exact=True).fill(TITLE)
    page.get_by_label("活动类型").select_option(label="沙龙座谈")
    page.get_by_label("品牌行动").select_option(label="人才会客厅")
    page.get_by_label("介绍").fill("老厂房怎么改成实验室，请两位搬过的人来说。\n\n说完自由交流。")
    page.get_by_label("开始", exact=True).fill(f"{starts:%Y-%m-%dT%H:%M}")
    page.get_by_label("结束", exact=True).fill(f"{starts + timedelta(hours=2):%Y-%m-%dT%H:%M}")
    page.get_by_label("场馆").select_option(label="人才会客厅一楼")
    page.get_by_label("组名").fill("博士")
    page.get_by_label("名额", exact=True).fill("1")
    page.get_by_role("button", name="加一组").click()
    page.get_by_label("组名").last.fill("企业")
    page.get_by_label("名额", exact=True).last.fill("5")
    story.look(page, "salon-form")
    page.get_by_role("button", name="存草稿，看看样子").click()
    expect(page.get_by_text("这份草稿只有本单位看得到")).to_be_visible()
    story.look(page, "salon-draft")
    page.get_by_role("button", name="提交审批").click()
    expect(page.get_by_text("批准。").first).to_be_visible()
    expect(page.get_by_role("button", name="批准，现在发布")).to_have_count(0)

    story.guest_phone = story.devices.phone(story.served)
    story.guest_phone.goto("/")
    expect(story.guest_phone.get_by_role("heading", level=1)).to_be_visible()
    expect(story.guest_phone.get_by_text(TITLE)).to_have_count(0)
    story.look(story.guest_phone, "portal-before")

    second = story.supervisor
    second.goto("/desk/")
    second.get_by_role("link", name=TITLE).first.click()
    story.look(second, "salon-to-approve")
    second.get_by_role("button", name="批准，现在发布").click()
    expect(second.get_by_text("在门户上了")).to_be_visible()
    story.guest_phone.reload()
    expect(story.guest_phone.get_by_text(TITLE).first).to_be_visible()
    story.look(story.guest_phone, "portal-after")
    assert_accessible(story.guest_phone)


def two_register_and_one_moves_up(story: Story) -> None:
    guest = story.guest_phone
    guest.get_by_role("link", name=re.compile(TITLE)).first.click()
    story.look(guest, "event")
    story.event_path = urlsplit(guest.url).path
    _register(story, guest, GUEST_PHONE, GUEST)
    expect(guest.get_by_text("已确认").first).to_be_visible()
    expect(guest.get_by_role("img", name="入场二维码")).to_be_visible()
    story.look(guest, "ticket")
    assert_accessible(guest)

    story.talent = talent = story.devices.phone(story.served)
    talent.goto(story.event_path)
    _register(story, talent, TALENT_PHONE, TALENT)
    expect(talent.get_by_text("候补中").first).to_be_visible()
    expect(talent.get_by_text("您在“博士”名额候补")).to_be_visible()
    expect(talent.get_by_text("前面 0 位，后面 0 位")).to_be_visible()
    story.look(talent, "waiting")

    entries = [_calendar_of(guest), _calendar_of(talent)]
    assert [entry.summary.value for entry in entries] == [TITLE, TITLE]
    assert [entry.status.value for entry in entries] == ["CONFIRMED", "TENTATIVE"]
    assert entries[0].dtstart.value == entries[1].dtstart.value
    assert entries[0].dtend.value - entries[0].dtstart.value == timedelta(hours=2)

    guest.get_by_text("来不了？把名额让出来").click()
    guest.get_by_role("button", name="取消报名").click()
    expect(guest.get_by_text("您已退出").first).to_be_visible()
    story.look(guest, "withdrawn")
    assert TITLE in story.message_to(TALENT_PHONE, containing="名额")
    story.look(story.administrator, "text-messages")
    talent.reload()
    expect(talent.get_by_text("已确认").first).to_be_visible()
    story.look(talent, "moved-up")


def _register(story: Story, phone: Page, number: str, name: str) -> None:
    phone.get_by_role("link", name=re.compile("报名|候补")).last.click()
    story.prove_number(phone, number)
    phone.get_by_role("radio", name=re.compile("^博士")).check()
    phone.get_by_label("姓名").fill(name)
    phone.get_by_label(re.compile("^我同意")).check()
    story.look(phone, "register")
    phone.get_by_role("button", name="提交报名").click()


def _calendar_of(phone: Page) -> vobject.base.Component:
    """Read the calendar entry of the ticket with another library than the one that wrote it."""
    with phone.expect_download() as download:
        phone.get_by_role("link", name="加入日历").click()
    return vobject.readOne(Path(download.value.path()).read_text()).vevent


def the_door_lets_her_in_once(story: Story) -> None:
    ticket = _code_in(story.talent.get_by_role("img", name="入场二维码"))
    assert urlsplit(ticket).path == urlsplit(story.talent.url).path
    short = re.search(r"\b[0-9A-Z]{3} ?[0-9A-Z]{3}\b", story.talent.get_by_role("main").inner_text()).group()

    page = story.organiser
    page.goto("/desk/")
    page.get_by_role("link", name="活动", exact=True).click()
    page.get_by_role("link", name=TITLE).first.click()
    page.get_by_role("navigation", name="这场活动的各部分").get_by_role("link", name="门岗").click()
    page.get_by_role("button", name="生成二维码").click()
    join = _code_in(page.get_by_role("img", name="加入门岗的二维码"))
    story.look(page, "door-invitation")

    east = story.devices.phone_with_camera(story.served, ticket)
    _keep_the_door(east, join, "小周", "东门")
    expect(east.get_by_role("heading", name="请进")).to_be_visible(timeout=LONG)
    expect(east.get_by_role("heading", name=TALENT)).to_be_visible()
    story.look(east, "in")

    west = story.devices.phone(story.served)
    _keep_the_door(west, join, "小李", "西门")
    west.get_by_role("link", name="输 6 位短码").click()
    west.get_by_label("短码").fill(short.lower())
    west.get_by_role("button", name="能不能进").click()
    expect(west.get_by_role("heading", name="进过了")).to_be_visible()
    expect(west.get_by_text(re.compile(r"\d\d:\d\d 在东门，由 小周 扫过"))).to_be_visible()
    story.look(west, "already-in")

    page.reload()
    expect(page.get_by_text("已到 1 位")).to_be_visible()
    story.look(page, "door-list")


def _keep_the_door(phone: Page, link: str, name: str, gate: str) -> None:
    phone.goto(link)
    phone.get_by_label("您的姓名").fill(name)
    phone.get_by_label("在哪个门").fill(gate)
    phone.get_by_role("button", name="开始").click()


def the_visit_is_logged_and_two_requests_exist(story: Story) -> None:
    page = story.officer
    page.goto("/desk/visits/new")
    expect(page.get_by_text(re.compile(f"您在替 ?{LEADER} ?记录"))).to_be_visible()
    page.get_by_role("checkbox", name=re.compile(TALENT)).check()
    page.get_by_label("原话怎么说的").fill(HOUSING)
    page.get_by_label("哪方面").select_option(label="住房")
    expect(page.get_by_text(re.compile("交 市住建局，.*前答复"))).to_be_visible()
    page.get_by_role("button", name="再记一件").click()
    page.get_by_label("原话怎么说的").nth(1).fill(SCHOOLING)
    page.get_by_label("哪方面").nth(1).select_option(label="子女入学")
    page.get_by_label("问情").first.fill("刚安顿下来，团队三个人。")
    story.look(page, "visit-form")
    assert_accessible(page)
    page.get_by_role("button", name="保存，交办 2 件诉求").click()
    expect(page.get_by_text("市住建局").first).to_be_visible()
    expect(page.get_by_text("市教育局").first).to_be_visible()
    story.look(page, "visit")


def the_answer_is_given_and_it_cannot_close_yet(story: Story) -> None:
    page = story.handler
    page.goto("/desk/")
    story.look(page, "handler-first-page")
    page.get_by_role("link", name="诉求", exact=True).click()
    story.look(page, "handler-requests")
    page.get_by_role("link", name=re.compile(HOUSING)).first.click()
    story.case_path = urlsplit(page.url).path
    story.look(page, "request-assigned")
    page.get_by_role("button", name="代表市住建局签收").click()
    page.get_by_role("radio", name="能办", exact=True).check()
    page.get_by_label("答复内容").fill(ANSWER)
    story.look(page, "request-accepted")
    page.get_by_role("button", name="发出答复").click()
    expect(page.get_by_text("还没打开看").first).to_be_visible()
    story.look(page, "request-answered")

    desk = story.organiser
    desk.goto(story.case_path)
    story.look(desk, "intake-answered")
    desk.get_by_text("联系不上本人").click()
    desk.get_by_role("button", name="按没联系上办结").click()
    expect(desk.get_by_text("要先记下两次没联系上").first).to_be_visible()
    expect(desk.get_by_text("本人反馈后")).to_be_visible()  # what the last step, closing it, still waits for


def the_talent_is_told_and_says_it_helped(story: Story) -> None:
    desk = story.organiser
    mail = story.mail_to(TALENT_MAIL, containing="管不管用")
    assert HOUSING in mail
    assert "市住建局" in mail

    talent = story.devices.phone(story.served)
    talent.goto("/")
    talent.get_by_role("link", name="诉求").click()
    talent.get_by_role("link", name="改用邮箱").click()
    talent.get_by_label("邮箱").fill(TALENT_MAIL)
    talent.get_by_role("button", name="发验证码").click()
    code = talent.get_by_label("短信或邮件里的 6 位数字")
    expect(code).to_be_visible()
    code.press_sequentially(re.search(r"\b\d{6}\b", story.mail_to(TALENT_MAIL, containing="验证码")).group())
    expect(talent.get_by_text(re.compile("市住建局.*答复")).first).to_be_visible()
    expect(talent.get_by_text(SCHOOLING).first).to_be_visible()
    story.look(talent, "my-requests")
    assert_accessible(talent)
    talent.goto(_link_in(mail, "/r/"))
    talent.get_by_role("button", name="看答复").click()
    expect(talent.get_by_text(ANSWER).first).to_be_visible()
    desk.goto(story.case_path)
    expect(desk.get_by_text("本人反馈后")).to_be_visible()
    story.look(talent, "answer-opened")
    talent.get_by_role("radio", name="解决了", exact=True).check()
    talent.get_by_role("radio", name="满意", exact=True).check()
    talent.get_by_role("button", name="就这样说").click()
    expect(talent.get_by_text("您的评价")).to_be_visible()
    story.look(talent, "feedback-given")
    desk.reload()
    expect(desk.get_by_text("本人反馈后")).to_have_count(0)
    expect(desk.get_by_text("解决了，满意", exact=True)).to_be_visible()
    story.look(desk, "request-closed")


def the_leader_sees_what_is_still_open(story: Story) -> None:
    page = story.leader
    page.goto("/desk/")
    expect(page.get_by_text("1 件").first).to_be_visible()
    promises = page.get_by_role("table", name=re.compile("^答应过、还没兑现的"))
    expect(promises.get_by_role("row").filter(has_text=SCHOOLING)).to_contain_text("市教育局")
    expect(promises.get_by_role("row").filter(has_text=SCHOOLING)).to_contain_text("个工作日")
    expect(promises.get_by_text(HOUSING)).to_have_count(0)
    story.look(page, "leader")
    assert_accessible(page)


def the_timeline_of_the_talent_shows_it_all(story: Story) -> None:
    page = story.leader
    page.get_by_role("link", name=TALENT).first.click()
    expect(page.get_by_role("heading", name=re.compile(TALENT)).first).to_be_visible()
    story.look(page, "timeline")
    said = page.get_by_role("main").inner_text()
    latest_first = [
        f"“{HOUSING}”：已办结",
        f"市住建局答复了“{HOUSING}”",
        f"提出诉求“{SCHOOLING}”",
        f"提出诉求“{HOUSING}”",
        f"到场“{TITLE}”",
        f"报名“{TITLE}”",
    ]
    places = [said.find(line) for line in latest_first]
    assert -1 not in places, said
    assert f"{LEADER}来走访" in said  # its moment has no seconds, so its place within the minute is not certain
    assert places == sorted(places), said


def _rows(file: Path, sheet: str) -> list[tuple]:
    return list(openpyxl.load_workbook(file)[sheet].iter_rows(min_row=2, values_only=True))
