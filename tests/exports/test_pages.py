"""Taking a list out in a real browser, from the button on its page to the file, by a worker of the served program."""

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from outreach.organisations.rules import Role
from tests import factories
from tests.browser import Devices, assert_accessible, known
from tests.exports.files import HEADING_ROW, REASON
from tests.served import Served, inside


@pytest.fixture
def organiser(served: Served) -> str:
    with inside(served) as app:
        office = factories.an_installation().lead_organisation
        for name in ("林知遥", "𠮷䶮", "向致远"):
            factories.a_person(name, organisation=office, at=factories.a_contact_point())
        account = factories.an_account("陈晓", organisation=office, roles=[Role.ORGANISER])
        return app.session_interface.get_signing_serializer(app).dumps({"_user_id": account.get_id(), "_fresh": True})


def test_from_the_button_on_a_list_to_the_file(devices: Devices, served: Served, organiser: str, tmp_path):
    desk = known(devices.desk(served), served, organiser)
    desk.goto("/desk/people/")
    desk.locator("main").get_by_role("link", name="导出", exact=True).click()
    assert_accessible(desk)

    desk.get_by_role("button", name="把 3 行写成文件").click()
    expect(desk.get_by_role("alert")).to_contain_text("请用几个字写清用在哪里")
    desk.get_by_label("用来做什么").fill(REASON)
    desk.get_by_role("button", name="把 3 行写成文件").click()

    # the page of the progress goes on by itself
    expect(desk.get_by_role("button", name="保存文件")).to_be_visible(timeout=30_000)
    assert_accessible(desk)
    with desk.expect_download() as begun:
        desk.get_by_role("button", name="保存文件").click()
    begun.value.save_as(tmp_path / "list.xlsx")
    sheet = load_workbook(tmp_path / "list.xlsx").active
    names = [row[0] for row in sheet.iter_rows(min_row=HEADING_ROW + 1, values_only=True)]
    assert sorted(names) == sorted(["林知遥", "𠮷䶮", "向致远"])
