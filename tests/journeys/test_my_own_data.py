"""What somebody does with their own data by phone, from agreeing to being gone, in the browser of a served city."""

import json
import re
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from outreach.kernel import clock, outbox, timetable
from outreach.kernel.database import db
from outreach.notices.models import Message
from outreach.organisations.rules import Role
from outreach.people import operations as people
from outreach.privacy.models import Erasure, RetentionRun
from outreach.privacy.rules import CHANGED_MIND, ErasureState
from outreach.registration.models import Registration
from outreach.signing_in import operations as signing_in
from tests import factories
from tests.browser import Devices, assert_accessible
from tests.served import Served, inside

NAME, NUMBER, GROUPED = "欧阳思齐", "19933335555", "199 3333 5555"
KEPT, GIVEN_BACK = "秋日人才沙龙", "院士报告会"


@pytest.fixture
def city(serve: Callable[..., Served]) -> Served:
    """A city with two events to come and somebody at its desk."""
    served = serve()
    with inside(served):
        office = factories.an_installation().lead_organisation
        people.seed_consent_texts(now=factories.BEFORE)
        organiser = factories.an_account("何清越", organisation=office, roles=[Role.ORGANISER], username="organiser")
        for days, title in enumerate((KEPT, GIVEN_BACK), start=5):
            factories.an_event(
                title, organisation=office, author=organiser, starts_at=clock.now() + timedelta(days=days)
            )
    return served


@pytest.fixture
def phone(devices: Devices, city: Served) -> Page:
    """A telephone whose holder proved the number and registered for both events."""
    phone = devices.phone(city)
    for title in (KEPT, GIVEN_BACK):
        phone.goto("/")
        phone.get_by_role("link", name=re.compile(title)).first.click()
        phone.get_by_role("link", name="报名").first.click()
        if title == KEPT:
            proven(phone, city)
        phone.get_by_label("姓名").fill(NAME)
        phone.get_by_label(re.compile("^我同意")).check()
        phone.get_by_role("button", name="提交报名").click()
        expect(phone.get_by_role("img", name="入场二维码")).to_be_visible()
    return phone


def test_agreeing_and_taking_it_back_by_phone_and_the_proof_on_the_desk(phone: Page, devices: Devices, city: Served):
    phone.goto("/my")
    phone.get_by_role("link", name="我的资料").click()
    phone.get_by_role("link", name=re.compile("我的授权")).click()
    given = phone.get_by_role("article").filter(has_text=GIVEN_BACK)
    expect(given).to_contain_text(f"通过 {GROUPED}")
    given.get_by_text(re.compile("^您同意的原文")).click()
    expect(given).to_contain_text("只用来办这次活动")
    assert_accessible(phone)

    given.get_by_text("撤回授权", exact=True).click()
    expect(given).to_contain_text("您在这场活动的名额马上让出来")
    given.get_by_role("button", name="确定撤回").click()

    expect(phone.get_by_role("status")).to_contain_text("已经撤回，资料也删了")
    expect(phone.get_by_role("article").filter(has_text=GIVEN_BACK)).to_contain_text("撤回了")
    expect(phone.get_by_role("article").filter(has_text=KEPT).get_by_text("撤回授权", exact=True)).to_be_visible()

    desk = signed_in(devices.desk(city))
    desk.get_by_role("link", name="人才", exact=True).click()
    desk.get_by_role("link", name=NAME).click()
    desk.get_by_role("link", name="授权与查看记录").click()
    expect(desk.get_by_role("main")).to_contain_text("199****5555")
    expect(desk.get_by_role("main")).not_to_contain_text(GROUPED)
    proof = desk.locator(".o-panel", has_text=GIVEN_BACK)
    expect(proof).to_contain_text(re.compile("撤回"))
    proof.get_by_text(re.compile("^原文")).click()
    expect(proof).to_contain_text("只用来办这次活动")
    assert_accessible(desk)


def test_seeing_correcting_and_taking_a_copy_by_phone(phone: Page, devices: Devices, city: Served, tmp_path: Path):
    desk = signed_in(devices.desk(city))
    desk.get_by_role("link", name="人才", exact=True).click()
    desk.get_by_role("link", name=NAME).click()
    desk.get_by_role("link", name="看全号").click()
    desk.get_by_label("用来做什么").fill("告诉他换了会场")
    desk.get_by_role("button", name="看全号").click()
    expect(desk.get_by_role("main")).to_contain_text(GROUPED)

    phone.goto("/my/data/")
    phone.get_by_role("link", name=re.compile("谁看过我的资料")).click()
    expect(phone.get_by_role("listitem")).to_contain_text("告诉他换了会场")
    expect(phone.get_by_role("main")).not_to_contain_text("何清越")

    phone.goto("/my/data/")
    phone.get_by_role("link", name=re.compile("查看和更正")).click()
    phone.get_by_label("您的全名").fill("欧阳思思")
    phone.get_by_role("button", name="继续").click()
    expect(phone.get_by_text("对不上").first).to_be_visible()
    phone.get_by_label("您的全名").fill("欧阳 思齐")
    phone.get_by_role("button", name="继续").click()
    phone.get_by_label("毕业院校").fill("雁城理工学院")
    phone.get_by_label(re.compile("^出生")).fill("明年")
    phone.get_by_role("button", name="保存修改").click()
    expect(phone.get_by_text("1979-03-19").first).to_be_visible()
    expect(phone.get_by_label("毕业院校")).to_have_value("雁城理工学院")
    phone.get_by_label(re.compile("^出生")).fill("1990-08")
    assert_accessible(phone)
    phone.get_by_role("button", name="保存修改").click()
    expect(phone.get_by_role("status")).to_contain_text("改好了")

    phone.goto("/my/data/")
    phone.get_by_role("link", name=re.compile("带走一份")).click()
    with phone.expect_download() as download:
        phone.get_by_role("button", name="下载文件").click()
    file = tmp_path / "copy.zip"
    download.value.save_as(file)
    with zipfile.ZipFile(file) as copy:
        data, page = json.loads(copy.read("my-data.json")), copy.read("my-data.html").decode()
    assert (data["record"]["school"], data["record"]["born"]) == ("雁城理工学院", "1990-08")
    assert {one["event"] for one in data["registrations"]} == {KEPT, GIVEN_BACK}
    assert [one["reason"] for one in data["who_looked"]] == ["告诉他换了会场"]
    assert "雁城理工学院" in page


def test_erasing_everything_by_phone_from_signing_in_to_the_end(phone: Page, devices: Devices, city: Served):
    asked_to_be_erased(phone)
    expect(phone.get_by_role("heading", level=1)).to_contain_text("您的资料将在")
    phone.get_by_role("button", name="不删了，保留").click()
    expect(phone.get_by_role("status")).to_contain_text("一切照旧")
    phone.get_by_role("link", name=re.compile("删除我的全部资料")).click()
    phone.get_by_role("checkbox").check()
    phone.get_by_role("button", name="三天后删除我的资料").click()
    expect(phone.get_by_role("heading", level=1)).to_contain_text("您的资料将在")

    with inside(city):
        due_at = db.session.scalars(sa.select(Erasure.due_at).where(Erasure.state == ErasureState.WAITING)).one()
        asked_at = due_at - CHANGED_MIND
        assert abs(clock.now() - asked_at) < timedelta(minutes=5)
        worked_until(due_at - timedelta(minutes=1))
        assert traces() != []
        worked_until(due_at + timedelta(days=1))  # with the night that comes in between
        assert traces() == []
        assert db.session.scalars(sa.select(RetentionRun)).all() != []
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Registration)) == 2
        signing_in.forget_old_attempts(now=due_at + timedelta(days=1))  # or a code could be had once a minute only

    phone.goto("/my/data/")
    expect(phone).to_have_url(re.compile("/sign-in"))
    proven(phone, city)
    expect(phone.get_by_role("main")).to_contain_text("我们没有您的资料")
    desk = signed_in(devices.desk(city))
    desk.goto(f"/desk/people/?q={NUMBER}")
    expect(desk.get_by_role("main")).not_to_contain_text(NAME)


def asked_to_be_erased(phone: Page) -> None:
    """Go from one's own page through both steps: who one is, and what goes and what stays."""
    phone.goto("/my")
    phone.get_by_role("link", name="我的资料").click()
    phone.get_by_role("link", name=re.compile("删除我的全部资料")).click()
    phone.get_by_label("您的全名").fill(NAME)
    phone.get_by_role("button", name="继续").click()
    expect(phone.get_by_role("main")).to_contain_text(KEPT)
    phone.get_by_role("button", name="三天后删除我的资料").click()
    expect(phone.get_by_text("现在什么都还没删").first).to_be_visible()
    assert_accessible(phone)
    phone.get_by_role("checkbox").check()
    phone.get_by_role("button", name="三天后删除我的资料").click()


def proven(phone: Page, city: Served) -> None:
    """Type the number, then the code that was sent to it."""
    phone.get_by_label("手机号").fill(NUMBER)
    phone.get_by_role("button", name="发验证码").click()
    expect(phone.get_by_label("短信或邮件里的 6 位数字")).to_be_visible()
    with inside(city):
        newest = sa.select(Message).where(Message.kind == "sign_in_code").order_by(Message.id.desc()).limit(1)
        message = db.session.scalars(newest).one()
        code = re.search(r"\b\d{6}\b", message.body or str(message.values)).group()
    phone.get_by_label("短信或邮件里的 6 位数字").press_sequentially(code)
    phone.wait_for_url(lambda url: "/sign-in" not in url)


def signed_in(desk: Page) -> Page:
    """Sign in at a desk."""
    desk.goto("/desk/sign-in")
    desk.get_by_label(re.compile("用户名")).fill("organiser")
    desk.get_by_label("密码", exact=True).fill(factories.PASSWORD)
    desk.get_by_role("button", name="登录").click()
    desk.wait_for_url("**/desk/")
    return desk


def worked_until(until: datetime) -> None:
    """Let a worker do, at a moment, everything that is due by then, and begin what is done every night."""
    timetable.tick(now=until)
    db.session.commit()
    while (work := outbox.claim(now=until)) is not None:
        outbox.perform(work, now=until)


def traces() -> list[str]:
    """Say where, in every value of every table as the application reads it, the person can still be read."""
    return [
        f"{table.name}.{column}"
        for table in db.metadata.sorted_tables
        for row in db.session.execute(sa.select(table)).mappings()
        for column, value in row.items()
        if any(trace in str(value) for trace in (NAME, NUMBER, GROUPED))
    ]
