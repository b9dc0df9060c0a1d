"""Every page of the desk, as every role, over the whole demo city: nobody's number or address stands there in full.

Except where it must: the SMS gateway's page, which shows what a carrier would get, and the numbers of those who work
here, for administrators.
"""

import re
import urllib.error
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.served import Served, Visitor

PASSWORD = "yan-lai-2026"
ROLES = ("organiser", "supervisor", "leader", "education", "park")
NUMBER = re.compile(r"(?<!\d)199[\s-]?020[0-8][\s-]?\d{4}(?!\d)")
"""Of the people of the demo; those of its accounts begin with 1990209."""
ADDRESS = re.compile(r"[\w.]+@(?!localhost)[\w-]+(?:\.[\w-]+)+")
IN_FULL = {"/desk/sms"}
MOST = 40


def pages_of(visitor: Visitor) -> Iterator[tuple[str, str]]:
    """Yield each kind of page the visitor can get to by links, files included, and what stands there."""
    waiting, kinds = ["/desk/"], set()
    while waiting and len(kinds) < MOST:
        address = waiting.pop(0)
        kind = re.sub(r"/(\d+[\w-]*|[\w-]{16,})", "/…", address.partition("?")[0])
        if kind in kinds or kind in IN_FULL:
            continue
        kinds.add(kind)
        try:
            shown = visitor.page(address)
        except (urllib.error.HTTPError, UnicodeDecodeError):  # not for them; a picture or a font
            continue
        yield address, shown
        for link in re.findall(r'href="([^"#]+)', shown):
            path = urlsplit(link.replace("&amp;", "&"))
            if not path.netloc and path.path.startswith(("/desk/", "/door/")):
                waiting.append(path.path + (f"?{path.query}" if path.query else ""))


@pytest.fixture(scope="module", params=ROLES)
def walked(request: pytest.FixtureRequest, served_demo: Served) -> list[tuple[str, str]]:
    """Every kind of page of one account of the demo."""
    visitor = Visitor(served_demo.url)
    visitor.sign_in(request.param, PASSWORD)
    return list(pages_of(visitor))


def test_nobodys_number_or_address_stands_on_a_page_of_the_desk_in_full(walked):
    assert len(walked) > 3
    found = [
        f"{address}: {match}" for address, shown in walked for match in [*NUMBER.findall(shown), *_addresses(shown)]
    ]

    assert found == []


def _addresses(shown: str) -> list[str]:
    """Return the mail addresses on a page but for the examples that tell how one is written."""
    plain = re.sub(r'placeholder="[^"]*"', "", shown)
    return [found for found in ADDRESS.findall(plain) if not found.startswith("name@")]


def test_the_walk_would_see_a_number(served_demo: Served):
    """The walk above would be worth nothing if what it looks for stood nowhere."""
    visitor = Visitor(served_demo.url)
    visitor.sign_in("admin", PASSWORD)

    page = visitor.page("/desk/sms")

    assert NUMBER.search(page)
