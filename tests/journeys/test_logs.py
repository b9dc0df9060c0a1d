"""What the log of a living city tells of its people: nothing."""

import json
import re
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.organisations.models import Account
from outreach.people.models import ContactPoint, Person
from outreach.registration.models import Registration
from tests.served import Served, inside

PASSWORD = "yan-lai-2026"
NUMBER = "19900007788"


class Reader:
    """A browser without a screen: keeps its cookies, sends forms with the token of the page they stand on."""

    def __init__(self, served: Served) -> None:
        self.url = served.url
        self.cookies = CookieJar()
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(self.cookies))

    def get(self, path: str, data: dict[str, str] | None = None) -> str:
        """Return a page, whatever its status."""
        try:
            with self.opener.open(self.url + path, urlencode(data).encode() if data else None, timeout=60) as answer:
                return answer.read().decode()
        except HTTPError as error:
            return error.read().decode()

    def send(self, page: str, path: str, **values: str) -> str:
        """Send the form that stands on a page."""
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(page)).group(1)
        return self.get(path, {"csrf_token": token, **values})


def walked(served: Served) -> list[str]:
    """Use the city as its people do; return every secret that was on the way."""
    with inside(served):
        names = list(db.session.scalars(sa.select(Person.name).order_by(Person.id)))
        numbers = list(db.session.scalars(sa.select(ContactPoint.value).order_by(ContactPoint.id)))
        numbers += [number for number in db.session.scalars(sa.select(Account.phone).order_by(Account.id)) if number]
        names += list(db.session.scalars(sa.select(Account.name).order_by(Account.id)))
        people = list(db.session.scalars(sa.select(Person.id).order_by(Person.id).limit(3)))
        tickets = list(db.session.scalars(sa.select(Registration.id).order_by(Registration.id).limit(3)))
    desk = Reader(served)
    assert "desk/sign-out" in desk.send("/desk/sign-in", "/desk/sign-in", name="admin", password=PASSWORD)
    for path in [f"/desk/search?{urlencode({'q': names[0]})}", f"/desk/people?{urlencode({'q': numbers[0]})}"]:
        desk.get(path)
    for person in people:
        desk.get(f"/desk/people/{person}")
    desk.get("/desk/sms")
    visitor = Reader(served)
    visitor.send("/sign-in", "/sign-in", number=NUMBER)
    code = re.search(r"\b(\d{6})\b", desk.get("/desk/sms"))
    visitor.send("/sign-in", "/sign-in/code", code=code.group(1) if code else "000000")
    visitor.get("/my/tickets")
    visitor.get(f"/t/{'q7' * 16}?phone={NUMBER}")
    visitor.get("/e/abc-13800001234")
    visitor.get("/sign-in", {"number": NUMBER})  # without its token: refused
    for registration in tickets:
        visitor.get(f"/desk/registrations/{registration}")
    cookies = [cookie.value for cookie in (*desk.cookies, *visitor.cookies)]
    return [*names, *numbers, *(number.removeprefix("+86") for number in numbers), NUMBER, "q7q7q7", PASSWORD, *cookies]


@pytest.fixture
def secrets(served_demo: Served) -> list[str]:
    """What must not be told."""
    return sorted({secret for secret in walked(served_demo) if len(secret) > 1})


def test_the_log_tells_nothing_of_people(served_demo: Served, secrets: list[str]):
    log = served_demo.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]

    assert len(secrets) > 100
    assert {line["route"] for line in lines if line["event"] == "answered"} >= {
        "/desk/people/<int:person_id>",
        "/t/<token>",
        "/sign-in/code",
    }
    assert [line for line in lines if line["event"] == "worked" and line["request"]]
    assert [secret for secret in secrets if secret in log] == []
