"""The city of the demo, as a newcomer walks it: every page the menu leads to, in every role, on phones and desks."""

import re
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from tests.browser import Devices, assert_accessible
from tests.served import Served

PASSWORD = "yan-lai-2026"
ROLES = ("admin", "organiser", "supervisor", "leader", "housing")
FILES = (".ics", ".xlsx", ".css")


def sign_in(page: Page, name: str) -> None:
    """Sign in at the desk as one of the demo's accounts."""
    page.goto("/desk/sign-in")
    page.get_by_label("用户名、手机号或邮箱").fill(name)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/desk/")


def leads_to(page: Page, *, within: str) -> list[str]:
    """Return the pages of this application that links in a part of the page lead to, files left out."""
    addresses = page.locator(f"{within} a[href]").evaluate_all("links => links.map(link => link.href)")
    host = urlsplit(page.url).netloc
    paths = [urlsplit(address) for address in addresses if urlsplit(address).netloc == host]
    return list(dict.fromkeys(f"{path.path}?{path.query}" for path in paths if not path.path.endswith(FILES)))


def one_of_each(addresses: list[str]) -> dict[str, str]:
    """Return one address of each kind of page: those that differ only in numbers or tokens are of one kind."""
    kinds: dict[str, str] = {}
    for address in addresses:
        path = address.partition("?")[0]
        kinds.setdefault(re.sub(r"/(\d+[\w-]*|[\w-]{16,})", "/…", path), address)
    return kinds


def is_sound(page: Page, address: str) -> None:
    """Open a page and look at what every page owes: an answer, a title, its language, its width, readers of any sort.

    :raises AssertionError: naming the page and what is wrong
    """
    answer = page.goto(address)
    assert answer is not None, address
    assert answer.status == 200, address
    assert page.title().strip(), address
    assert page.locator("html").get_attribute("lang").startswith("zh"), address
    widths = page.evaluate("[document.scrollingElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1], f"{address} is {widths[0]} wide on a screen of {widths[1]}"
    assert_accessible(page)


@pytest.mark.parametrize("device", ["phone", "desk"])
@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_a_role_is_sound(devices: Devices, served_demo: Served, role: str, device: str):
    page = getattr(devices, device)(served_demo)
    sign_in(page, role)
    menu = leads_to(page, within="nav")
    assert len(one_of_each(menu)) >= 2

    walked: dict[str, str] = {}
    for address in one_of_each([f"{urlsplit(page.url).path}?", *menu]).values():
        is_sound(page, address)
        walked |= one_of_each([address])
        for kind, further in one_of_each(leads_to(page, within="main")).items():
            walked.setdefault(kind, further)

    for address in list(walked.values()):
        is_sound(page, address)


@pytest.mark.parametrize("device", ["phone", "desk"])
def test_every_public_page_is_sound(devices: Devices, served_demo: Served, device: str):
    page = getattr(devices, device)(served_demo)
    is_sound(page, "/")
    walked = one_of_each(["/?", *leads_to(page, within="body")])

    for address in list(walked.values()):
        is_sound(page, address)
        for kind, further in one_of_each(leads_to(page, within="main")).items():
            walked.setdefault(kind, further)

    assert any(kind.startswith("/e/") for kind in walked), walked
    for address in list(walked.values()):
        is_sound(page, address)


def test_an_attendee_registers_with_the_code_the_administrator_sees(devices: Devices, served_demo: Served):
    phone, desk = devices.phone(served_demo), devices.desk(served_demo)
    sign_in(desk, "admin")
    phone.goto("/sign-in?next=/my")
    phone.get_by_label("手机号").fill("199 1234 5678")
    phone.get_by_role("button", name="发验证码").click()
    expect(phone.get_by_label("短信或邮件里的 6 位数字")).to_be_visible()

    row = desk.get_by_role("row").filter(has_text="199 1234 5678").filter(has_text="验证码")
    for _ in range(30):
        desk.goto("/desk/sms")
        with suppress(NotInTime):
            row.first.wait_for(timeout=2_000)
            break
    code = re.search(r"\b\d{6}\b", row.first.inner_text()).group()
    phone.get_by_label("短信或邮件里的 6 位数字").press_sequentially(code)

    # Not a pattern: `**/my` would be content with `/sign-in?next=/my`, the page that is just being left.
    phone.wait_for_url(lambda address: urlsplit(address).path == "/my")
    for address in ("/my", "/my/tickets", "/my/requests", "/my/requests/new"):
        is_sound(phone, address)
