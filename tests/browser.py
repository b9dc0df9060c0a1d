"""Real pages in a real Chromium: phones and desks that fail their test on any error and any request to another host."""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Response,
    Route,
    expect,
    sync_playwright,
)

from tests.film import film_of
from tests.machine import CHROMIUM, ROOT, need
from tests.machine import chromium as chromium_file
from tests.served import Served

expect.set_options(timeout=20_000)  # milliseconds: a slow machine under load needs more than it seems

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
HERE: dict[str, Any] = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai"}

# Chromium's own errands (updates, safe browsing, field trials) are off; names other than this machine's do not resolve.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
# A page refused with a reason (404, 403, 422, 429) is an answer, and Chromium tells the console of each; so it does of
# what a test that took the network away then asks for.
REFUSED = re.compile(
    r"^Failed to load resource: (the server responded with a status of 4\d\d|net::ERR_INTERNET_DISCONNECTED)"
)
PARTS = {"script", "stylesheet", "image", "font", "manifest"}

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Watch:
    """What must not happen on a page, as it happened."""

    host: str
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch every page of the context, and let no request out to another host."""
        context.route("**/*", self._let_through_or_block)
        context.route_web_socket(
            lambda url: urlsplit(url).netloc != self.host, lambda way: self.outside.append(way.url)
        )
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.errors.append(f"{error.page and error.page.url}: {error.error}"))
        context.on("response", self._look_at)

    def _let_through_or_block(self, route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.netloc == self.host:
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not REFUSED.match(message.text):
            self.errors.append(f"{message.page and message.page.url}: {message.text}")

    def _look_at(self, response: Response) -> None:
        broken = response.status >= 400 and response.request.resource_type in PARTS
        if broken or response.status >= 500:
            self.errors.append(f"{response.url}: {response.status}")

    def verdict(self) -> None:
        """Fail the test if anything happened.

        :raises AssertionError: naming every error and every outside request
        """
        assert self.outside == [], "requests to other hosts"
        assert self.errors == [], "errors on the pages"


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright itself, once for the run."""
    with sync_playwright() as running:
        yield running


def _launch(playwright: Playwright, *arguments: str) -> Browser:
    need(CHROMIUM)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=chromium_file(), args=[*QUIET, *as_root, *arguments])


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for the whole run; every page has a context, and so cookies, of its own."""
    browser = _launch(playwright)
    yield browser
    browser.close()


@dataclass
class Devices:
    """Hands out devices, each with cookies of its own, and watches them all until the test ends."""

    playwright: Playwright
    chromium: Browser
    folder: Path
    opened: list[tuple[BrowserContext, Watch]] = field(default_factory=list)
    cameras: list[Browser] = field(default_factory=list)

    def phone(self, served: Served, **options: Any) -> Page:
        """Return a page on a new phone, 390 by 844; addresses are relative to the served application."""
        return self._page(self.chromium, served, PHONE | options)

    def desk(self, served: Served, **options: Any) -> Page:
        """Return a page on a new desk computer, 1440 by 900."""
        return self._page(self.chromium, served, DESK | options)

    def phone_with_camera(self, served: Served, *shown: str | None, seconds: int = 3, **options: Any) -> Page:
        """Return a page on a new phone whose camera sees the texts as QR codes, one after the other, in a loop."""
        film = film_of(self.folder / f"camera-{len(self.cameras)}.y4m", *shown, seconds=seconds)
        browser = _launch(
            self.playwright,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        )
        self.cameras.append(browser)
        return self._page(browser, served, PHONE | {"permissions": ["camera"]} | options)

    def _page(self, browser: Browser, served: Served, options: dict[str, Any]) -> Page:
        context = browser.new_context(base_url=served.url, **(HERE | options))
        context.set_default_timeout(30_000)
        watch = Watch(host=urlsplit(served.url).netloc)
        watch.over(context)
        self.opened.append((context, watch))
        return context.new_page()

    def close(self) -> None:
        """Close every device; what they met is still known. A server of a test's own is stopped after this."""
        for context, _ in self.opened:
            context.close()
        for browser in self.cameras:
            browser.close()
        self.cameras.clear()


@pytest.fixture
def devices(
    playwright: Playwright, chromium: Browser, tmp_path: Path, serve: Callable[..., Served]
) -> Iterator[Devices]:
    """Phones and desks for one test; at its end no page may have met an error or asked another host for anything.

    `serve` is asked for so that pages are closed before the test's servers stop: what a page still loads at the end
    of a test would otherwise be refused and look like its error.
    """
    handed_out = Devices(playwright, chromium, tmp_path)
    yield handed_out
    handed_out.close()
    for _, watch in handed_out.opened:
        watch.verdict()


@pytest.fixture
def phone(devices: Devices, served: Served) -> Page:
    """A phone on a fresh, empty installation."""
    return devices.phone(served)


@pytest.fixture
def desk(devices: Devices, served: Served) -> Page:
    """A desk computer on a fresh, empty installation."""
    return devices.desk(served)


@pytest.fixture
def demo_phone(devices: Devices, served_demo: Served) -> Page:
    """A phone in the demo city."""
    return devices.phone(served_demo)


@pytest.fixture
def demo_desk(devices: Devices, served_demo: Served) -> Page:
    """A desk computer in the demo city."""
    return devices.desk(served_demo)


def known(page: Page, served: Served, cookie: str) -> Page:
    """Return the page with a session of the served application, as signing in leaves it."""
    page.context.add_cookies([{"name": "outreach", "value": cookie, "url": served.url}])
    return page


def assert_accessible(page: Page) -> None:
    """Run axe-core over the page as it stands.

    :raises AssertionError: naming each serious or critical finding and where it is
    """
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    grave = [
        f"{finding['impact']}: {finding['help']} ({finding['id']}): "
        + "; ".join(json.dumps(node["target"], ensure_ascii=False) for node in finding["nodes"][:5])
        for finding in found
        if finding["impact"] in {"serious", "critical"}
    ]
    assert grave == [], page.url
