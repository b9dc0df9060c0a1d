"""Requests on screens: desks quarrel, an arbiter decides, more time, co-handlers, a head, second thoughts."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from outreach.cases.operations import want_approval
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.models import Account
from outreach.organisations.rules import Role
from tests.browser import Devices, assert_accessible
from tests.factories import a_case, an_account
from tests.served import Served


@pytest.fixture
def here(app: Flask, city, tmp_path: Path, devices: Devices) -> Iterator[Served]:
    """The application of this test, with the city in it, served from a thread of this process."""
    db.session.commit()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.server_port}", tmp_path, "", tmp_path / "log")
    devices.close()  # first: what a page still loads would be refused and look like its error
    server.shutdown()
    server.server_close()
    thread.join()
    db.session.expire_all()


@pytest.fixture
def head(city) -> Account:
    """The head of 市教育局."""
    return an_account("周敏", organisation=city.schools, roles=[Role.APPROVER])


@pytest.fixture
def opened(city, head) -> tuple[int, str]:
    """A request asked just now: its id and the secret of its link."""
    want_approval(unit=city.schools, wanted=True, by=head.actor, now=now())
    case = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=now())
    db.session.commit()
    return case.id, case.token


def signed_in(page: Page, app: Flask, account: Account, served: Served) -> Page:
    """The page after the account signed in on its device."""
    kept = (
        SecureCookieSessionInterface().get_signing_serializer(app).dumps({"_user_id": account.get_id(), "_fresh": True})
    )
    db.session.rollback()  # or this thread would hold SQLite's write lock while the page wants to save
    page.context.add_cookies([{"name": "outreach", "value": kept, "url": served.url}])
    return page


def test_two_desks_quarrel_and_one_answers_well_in_the_end(devices: Devices, app, city, head, opened, here):
    case_id, token = opened
    talent = city.talent.name  # now: reading it later would begin a transaction here, and hold SQLite's lock
    at = f"/desk/requests/{case_id}"
    desks = {
        name: signed_in(page, app, account, here)
        for name, page, account in (
            ("intake", devices.desk(here), city.organiser),
            ("boss", devices.desk(here), city.supervisor),
            ("schools", devices.phone(here), city.handler),
            ("housing", devices.desk(here), city.other_handler),
            ("head", devices.phone(here), head),
        )
    }

    def on(name: str) -> Page:
        desks[name].goto(at)
        return desks[name]

    def press(page: Page, button: str) -> None:
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_load_state()

    for unit, desk in (("市教育局", "schools"), ("市住建局", "housing")):
        page = on("intake")
        page.get_by_label("单位").first.select_option(label=unit)
        press(page, "交给这个单位")
        page = on(desk)
        page.get_by_text("不归我们办").click()
        page.get_by_label("为什么不归本单位").fill("职责清单里没有这一项")
        press(page, "退回市委人才办")

    page = on("boss")
    expect(page.get_by_text("已退回 2 次")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("单位").first.select_option(label="市教育局")
    page.get_by_label("原因（两个单位都看得到）").first.fill("入学由教育部门牵头")
    press(page, "裁定")

    page = on("schools")
    expect(page.get_by_text("不归我们办")).to_have_count(0)
    press(page, "代表市教育局签收")
    page.get_by_text("需要延期").click()
    page.get_by_label("延长几个工作日").fill("40")
    page.get_by_label("理由（会告诉本人）").fill("要等学位核定")
    press(page, "申请延期")
    expect(page.get_by_text("请填 1 到 15 个工作日。").first).to_be_visible()
    expect(page.get_by_label("理由（会告诉本人）")).to_have_value("要等学位核定")
    page.get_by_label("延长几个工作日").fill("3")
    press(page, "申请延期")
    assert_accessible(page)
    page.get_by_text("请其他单位协办").click()
    page.locator("[name='AskPartForm-unit']").select_option(label="市住建局")
    page.get_by_label("需要对方说明什么").fill("这个小区归哪个学区？")
    press(page, "请他们协办")

    page = on("boss")
    page.get_by_role("radio", name="同意延期", exact=True).check()
    press(page, "确定")
    expect(page.get_by_text("已同意：答复期限到")).to_be_visible()
    page = on("housing")
    page.get_by_label("你们单位的意见").fill("归江畔路小学学区")
    press(page, "发给市教育局")

    page = on("schools")
    expect(page.get_by_label("答复内容")).to_have_value("【市住建局】归江畔路小学学区")
    page.get_by_label("答复内容").fill("您家归江畔路小学学区，四月二十日登记。")
    press(page, "送审")
    page = on("head")
    expect(page.get_by_text("您家归江畔路小学学区，四月二十日登记。").first).to_be_visible()
    assert_accessible(page)
    press(page, f"审核通过，发给{talent}")

    phone = devices.phone(here)

    def hears(solved: str, satisfaction: str) -> None:
        phone.goto(f"/r/{token}")
        phone.get_by_role("button", name="看答复").click()
        phone.wait_for_load_state()
        phone.get_by_role("radio", name=solved, exact=True).check()
        phone.get_by_role("radio", name=satisfaction, exact=True).check()
        press(phone, "就这样说")

    hears("还不行", "不满意")
    page = on("boss")
    page.get_by_role("radio", name="重办").check()
    page.get_by_label("理由（会告诉本人）").fill("请把登记材料一并写明")
    press(page, "定下来，告诉本人")
    page = on("schools")
    page.get_by_label("答复内容").fill("带户口本和预防接种证，到学校二楼登记。")
    press(page, "送审")
    press(on("head"), f"审核通过，发给{talent}")
    hears("解决了", "满意")

    expect(phone.get_by_text("办完了", exact=True)).to_be_visible()
    assert_accessible(phone)
    page = on("intake")
    expect(page.get_by_text("办好了").first).to_be_visible()
