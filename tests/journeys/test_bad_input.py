"""What goes wrong in front of people: bad files, double presses, Back. A clear sentence, and nothing changed.

Guessed codes, altered links and tickets of other events are tried in the tests of their features.
"""

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser import Devices
from tests.journeys.test_demo import sign_in
from tests.served import Served

HEADINGS = "姓名,工作单位,手机号码,备注\n"


@pytest.fixture
def clerk(devices: Devices, served_demo: Served) -> Page:
    """The demo's organiser, at the page where a file is chosen."""
    page = devices.desk(served_demo)
    sign_in(page, "organiser")
    return page


def send(page: Page, file: Path) -> None:
    page.goto("/desk/imports/new?kind=talents")
    page.get_by_label("文件", exact=True).set_input_files(file)
    page.get_by_role("button", name="先看看").click()


def a_picture(path: Path) -> None:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(4000))


def half_a_workbook(path: Path) -> None:
    openpyxl.Workbook().save(path)
    path.write_bytes(path.read_bytes()[:1500])


def a_web_page(path: Path) -> None:
    path.write_text("<!doctype html><html><body><table><tr><td>姓名</td></tr></table></body></html>")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("照片.xlsx", a_picture),
        ("半个.xlsx", half_a_workbook),
        ("网页.xls", a_web_page),
        ("空的.xlsx", nothing),
    ],
)
def test_a_file_that_is_no_spreadsheet_is_refused_with_a_sentence(
    clerk: Page, tmp_path: Path, name: str, made: Callable[[Path], None]
):
    made(tmp_path / name)
    clerk.goto("/desk/imports/")
    before = clerk.get_by_role("row").count()

    send(clerk, tmp_path / name)

    expect(clerk.get_by_role("alert")).to_contain_text("文件")
    expect(clerk.get_by_role("button", name="先看看")).to_be_visible()
    clerk.goto("/desk/imports/")
    assert clerk.get_by_role("row").count() == before


def test_fifty_megabytes_are_refused_with_what_to_do(clerk: Page, tmp_path: Path):
    file = tmp_path / "太大.xlsx"
    with file.open("wb") as large:
        large.truncate(50 * 1024 * 1024)

    send(clerk, file)

    expect(clerk.get_by_text("一次最多 20 MB，什么都没有改动")).to_be_visible(timeout=60_000)


def test_gb18030_is_read_and_formulas_and_markup_do_no_harm(clerk: Page, tmp_path: Path):
    file = tmp_path / "台账.csv"
    rows = "闫䶮,南岳农业,19912340001,=1+1\n<b>粗</b>,南岳农业,19912340002,<script>alert(1)</script>\n"
    file.write_bytes((HEADINGS + rows).encode("gb18030"))

    send(clerk, file)

    expect(clerk.get_by_role("navigation", name="各行的情况")).to_be_visible(timeout=60_000)
    clerk.get_by_role("navigation", name="各行的情况").get_by_role("link").first.click()
    expect(clerk.get_by_text("闫䶮").first).to_be_visible()


def test_back_after_a_step_and_the_step_once_more_changes_nothing_twice(devices: Devices, served_demo: Served):
    page = devices.desk(served_demo)
    sign_in(page, "organiser")
    page.goto("/desk/programmes/")
    page.get_by_role("link", name="新建品牌").first.click()
    page.get_by_label("名称").fill("回头再按一次")
    page.get_by_role("button", name="建这个品牌").dblclick()
    expect(page.get_by_role("heading", name=re.compile("回头再按一次"))).to_have_count(1)

    page.go_back()
    page.goto("/desk/programmes/")

    expect(page.get_by_role("heading", name="回头再按一次")).to_have_count(1)
