"""What static/js/app.js adds to pages that work without it: pages by hand, the script as it is built."""

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Devices
from tests.machine import ROOT
from tests.served import Served

PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>页</title><link rel="icon" href="data:,">
<meta name="csrf-token" content="t"><meta name="htmx-config" content='{{"includeIndicatorStyles": false}}'>
<script type="module" src="/static/dist/{script}"></script></head><body><main>{main}</main></body></html>"""

FORM = """<input type="search" data-shortcut="/">
<div class="o-flashes">{said}</div>
<form method="post" action="/form" data-draft="one"><input type="text" name="name"><textarea name="words"></textarea>
<button type="submit" data-busy="正在发">发出</button></form>
<details class="o-menu"><summary>更多</summary><a href="/form">别处</a></details>"""

CELLS = '<i class="o-cell"></i>' * 6
CODE = f'<form method="post" action="/form"><span class="o-code6">{CELLS}<input name="name"></span></form>'

PARTS = """<p id="count">0</p><form hx-post="/part" hx-target="#count"><button type="submit">数</button></form>"""

ROWS = """<form class="o-bulk" id="bulk" data-bulk>
<b data-bulk-count data-one="已选 1 项" data-many="已选 {n} 项">选中的</b></form>
<table><tr><th><input type="checkbox" data-all-rows hidden></th></tr>
<tr><td><input type="checkbox" data-row form="bulk" aria-label="甲"></td></tr>
<tr><td><input type="checkbox" data-row form="bulk" aria-label="乙"></td></tr></table>"""


class Office(SimpleHTTPRequestHandler):
    """Answers /form slowly, refuses whatever is named «不行», and remembers what it was sent."""

    received: list[dict[str, list[str]]]

    def do_GET(self) -> None:
        if self.path.startswith("/static/"):
            super().do_GET()
            return
        main = {"/code": CODE, "/rows": ROWS, "/parts": PARTS}.get(self.path) or FORM.format(
            said='<div class="o-n-late">没有办成</div>' if self.path == "/form?refused" else ""
        )
        names = json.loads((ROOT / "static" / "dist" / "manifest.json").read_text())
        self._answer(200, PAGE.format(script=names["js/app.js"], main=main))

    def do_POST(self) -> None:
        if self.path == "/part":
            self._answer(200, f'<button data-copy="x" hidden>{self.headers["X-CSRFToken"]}</button>')
            return
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
        self.received.append(sent)
        time.sleep(0.5)  # long enough for a second, impatient press
        self.send_response(303)
        self.send_header("Location", "/form?refused" if sent["name"] == ["不行"] else "/form")
        self.end_headers()

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def office(tmp_path, devices: Devices) -> Iterator[Served]:
    """The pages above, on a server of their own."""
    Office.received = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Office, directory=str(ROOT)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.server_port}", tmp_path, "", tmp_path / "log")
    devices.close()  # first: what a page still loads would be refused and look like its error
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(devices: Devices, office: Served) -> Page:
    """A desk computer on the form."""
    page = devices.desk(office)
    page.goto("/form", wait_until="networkidle")
    return page


def test_a_form_is_sent_once_and_its_button_says_so(page: Page) -> None:
    page.get_by_role("textbox").first.fill("林知遥")

    with page.expect_navigation():
        said = page.evaluate("""() => {
        const button = document.querySelector("[data-busy]");
        button.click();
        setTimeout(() => button.form.requestSubmit(), 100);
        return [button.textContent, button.getAttribute("aria-busy")];
    }""")

    assert said == ["正在发", "true"]
    assert [sent["name"] for sent in Office.received] == [["林知遥"]]


def test_enter_that_chooses_a_character_does_not_send_the_form(page: Page) -> None:
    page.locator("[name=name]").focus()
    typing = page.context.new_cdp_session(page)
    typing.send("Input.imeSetComposition", {"text": "lin", "selectionStart": 3, "selectionEnd": 3})

    typing.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
    typing.send("Input.insertText", {"text": "林"})
    page.wait_for_timeout(200)

    assert Office.received == []
    expect(page.locator("[name=name]")).to_have_value("林")


def test_a_slash_goes_to_the_search_field_but_not_while_writing(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()

    page.locator("[name=words]").press_sequentially("3/4")

    expect(page.locator("[name=words]")).to_have_value("3/4")
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_a_menu_closes_on_escape_and_on_a_press_elsewhere(page: Page) -> None:
    menu = page.locator("details")
    page.get_by_text("更多").click()
    expect(menu).to_have_attribute("open", "")

    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")

    page.get_by_text("更多").click()
    page.locator("[name=words]").click()
    expect(menu).not_to_have_attribute("open", "")


def test_a_draft_survives_a_reload_and_a_refusal_and_ends_when_the_form_has_gone_through(page: Page) -> None:
    words = page.locator("[name=words]")
    page.locator("[name=name]").fill("不行")
    words.fill("写了很久的一段话")

    page.reload()
    expect(words).to_have_value("写了很久的一段话")

    page.get_by_role("button", name="发出").click()
    expect(page.get_by_text("没有办成")).to_be_visible()
    expect(words).to_have_value("写了很久的一段话")

    page.locator("[name=name]").fill("可以")
    page.get_by_role("button", name="发出").click()
    page.wait_for_url("**/form")
    expect(words).to_have_value("")
    assert page.evaluate("localStorage.length") == 0


def test_a_code_takes_six_digits_of_any_width_and_lights_the_next_box(page: Page) -> None:
    page.goto("/code", wait_until="networkidle")
    field = page.get_by_role("textbox")

    field.press_sequentially("４ 07a1")

    expect(field).to_have_value("4071")
    assert page.locator(".o-cell").evaluate_all("boxes => boxes.map((box) => box.classList.contains('at'))") == [
        *[False] * 4,
        True,
        False,
    ]


def test_the_bar_over_a_table_counts_the_chosen_rows(page: Page) -> None:
    page.goto("/rows", wait_until="networkidle")
    bar = page.locator(".o-bulk")
    expect(bar).to_be_hidden()

    page.get_by_label("甲").check()
    expect(bar).to_have_text("已选 1 项")

    page.locator("[data-all-rows]").check()
    expect(bar).to_have_text("已选 2 项")

    page.locator("[data-all-rows]").uncheck()
    expect(bar).to_be_hidden()


def test_a_page_changes_in_part_with_its_token_and_what_is_new_is_handy_too(page: Page) -> None:
    page.goto("/parts", wait_until="networkidle")

    page.get_by_role("button", name="数").click()

    expect(page.locator("#count button")).to_be_visible()
    expect(page.locator("#count button")).to_have_text("t")


def test_only_pages_that_change_in_part_load_what_changes_them(page: Page) -> None:
    def scripts() -> int:
        return page.evaluate("performance.getEntriesByType('resource').filter((it) => it.name.endsWith('.js')).length")

    whole = scripts()
    page.goto("/parts", wait_until="networkidle")

    assert (whole, scripts() > 1) == (1, True)
