"""The form of a visit on a phone, with its script and without; and the first page that follows from it."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from outreach.cases.operations import save_routes
from outreach.cases.rules.asking import Topic
from outreach.kernel.actor import SYSTEM
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.models import Account
from tests.browser import Devices, assert_accessible
from tests.served import Served


@pytest.fixture
def here(app: Flask, city, tmp_path: Path, devices: Devices) -> Iterator[Served]:
    """The application of this test, with the city in it, served from a thread of this process."""
    save_routes(intake=city.office, units={Topic.SCHOOLING: city.bureau}, by=SYSTEM, now=now())
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


def signed_in(page: Page, app: Flask, account: Account, served: Served) -> Page:
    """The page after the account signed in on its device."""
    kept = (
        SecureCookieSessionInterface().get_signing_serializer(app).dumps({"_user_id": account.get_id(), "_fresh": True})
    )
    db.session.rollback()  # or this thread would hold SQLite's write lock while the page wants to save
    page.context.add_cookies([{"name": "outreach", "value": kept, "url": served.url}])
    return page


def test_two_things_asked_become_two_requests_each_with_its_unit_and_date(devices: Devices, app, city, here):
    phone = signed_in(devices.phone(here), app, city.officer, here)
    phone.goto("/desk/visits/new")
    asks = phone.get_by_role("group", name="一件诉求")
    save = phone.locator("[data-save]")

    expect(save).to_have_text("保存这次走访")
    asks.nth(0).get_by_label("原话怎么说的").fill("女儿明年 9 月上小学，想走路能到")
    asks.nth(0).get_by_label("哪方面").select_option("schooling")
    expect(asks.nth(0)).to_contain_text("交 市教育局")
    expect(save).to_have_text("保存，交办 1 件诉求")
    phone.get_by_role("button", name="再记一件").click()
    asks.nth(1).get_by_label("原话怎么说的").fill("爱人是护士，想进市一医院")
    asks.nth(1).get_by_label("哪方面").select_option("spouse")
    expect(asks.nth(1)).to_contain_text("市委人才办")
    expect(save).to_have_text("保存，交办 2 件诉求")
    assert_accessible(phone)
    save.click()

    expect(phone.get_by_role("heading", name="周启明见了林知遥")).to_be_visible()
    expect(phone.get_by_role("article")).to_have_count(2)
    expect(phone.get_by_role("article").nth(0)).to_contain_text("市教育局")
    assert_accessible(phone)
    phone.goto("/desk/")
    expect(phone.locator(".o-lede")).to_contain_text("2 件")
    assert_accessible(phone)


def test_without_a_script_a_row_is_added_and_what_was_typed_stays(devices: Devices, app, city, here):
    phone = signed_in(devices.phone(here, java_script_enabled=False), app, city.officer, here)
    phone.goto("/desk/visits/new")
    asks = phone.get_by_role("group", name="一件诉求")

    asks.nth(0).get_by_label("原话怎么说的").fill("女儿明年上小学")
    asks.nth(0).get_by_label("哪方面").select_option("schooling")
    phone.get_by_role("button", name="再记一件").click()

    expect(asks).to_have_count(2)
    expect(asks.nth(0).get_by_label("原话怎么说的")).to_have_value("女儿明年上小学")
    expect(asks.nth(0)).to_contain_text("交 市教育局")
    asks.nth(1).get_by_label("原话怎么说的").fill("想换一套三居室")
    asks.nth(1).get_by_label("哪方面").select_option("housing")
    phone.get_by_role("button", name="保存，交办").click()
    expect(phone.get_by_role("article")).to_have_count(2)
