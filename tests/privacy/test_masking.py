"""Every page, as every role, over the whole demo city: nobody stands there more fully than the role's work needs.

Nobody's number, mail address or date of birth stands anywhere in full, but for what is opened with a reason. A name
stands in full only where the reader's work is with that person; for everybody else it is 张*. Who works with whom is
read here by statements of this test's own, not through the scopes the pages use.

Except where it must: the SMS gateway's page, which shows what a carrier would get, and the numbers of those who work
here, for administrators.
"""

import re
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
import sqlalchemy as sa

from outreach.door import operations as door
from outreach.kernel import clock
from outreach.kernel.database import db
from outreach.organisations.models import Account, Installation, Organisation
from outreach.organisations.rules import Role
from outreach.people.models import Guardian, Person
from tests import factories
from tests.served import Served, Visitor, inside

PASSWORD = "yan-lai-2026"
ROLES = ("organiser", "supervisor", "leader", "liaison", "education", "league", "approver", "county", "park")
ADDED = {
    "only-admin": Role.ADMINISTRATOR,
    "only-approver": Role.APPROVER,
    "only-deputy": Role.DEPUTY_HANDLER,
    "only-envoy": Role.AMBASSADOR,
}
"""Accounts the demo has none of: what one role alone lets somebody see."""
STRANGER, VOLUNTEER = "a stranger", "a volunteer at a door"
NUMBER = re.compile(r"(?<!\d)199[\s-]?020[0-8][\s-]?\d{4}(?!\d)")
"""Of the people of the demo; those of its accounts begin with 1990209."""
ADDRESS = re.compile(r"[\w.]+@(?!localhost)[\w-]+(?:\.[\w-]+)+")
IN_FULL = {"/desk/sms"}
MOST = 60

KEPT = """
    SELECT p.name FROM people p JOIN organisations o ON o.id = p.organisation_id WHERE o.path LIKE :below
    UNION SELECT p.name FROM people p JOIN registrations r ON r.person_id = p.id JOIN events e ON e.id = r.event_id
        JOIN organisations o ON o.id = e.organisation_id WHERE o.path LIKE :below
    UNION SELECT p.name FROM people p JOIN pairings x ON x.person_id = p.id
        JOIN organisations o ON o.id = x.organisation_id WHERE o.path LIKE :below
    UNION SELECT p.name FROM people p JOIN cases c ON c.person_id = p.id
        JOIN organisations o ON o.id = c.intake_id WHERE o.path LIKE :below
"""
MET = """
    SELECT p.name FROM people p JOIN pairings x ON x.person_id = p.id
        WHERE :account IN (x.leader_id, x.liaison_officer_id)
    UNION SELECT p.name FROM people p JOIN visit_talents t ON t.person_id = p.id JOIN visits v ON v.id = t.visit_id
        LEFT JOIN visit_leaders l ON l.visit_id = v.id WHERE :account IN (v.account_id, l.account_id)
    UNION SELECT p.name FROM people p JOIN cases c ON c.person_id = p.id
        WHERE :account IN (c.registered_by_id, c.registered_for_id)
"""
ASKED = """
    SELECT p.name FROM people p JOIN cases c ON c.person_id = p.id
        JOIN organisations o ON o.id = c.lead_id WHERE o.path LIKE :below
"""


NEEDS = {
    Role.ORGANISER: (KEPT, MET),
    Role.SUPERVISOR: (KEPT, MET),
    Role.SERVICE_OFFICER: (KEPT, MET),
    Role.LEADER: (MET,),
    Role.LIAISON_OFFICER: (MET,),
    Role.HANDLER: (ASKED, MET),
    Role.DEPUTY_HANDLER: (ASKED, MET),
}
"""Whose names a role needs, at its unit and below: of whom is kept there, whom it meets, whose requests it answers."""
BESIDE = [
    ("备用电话", "19902066666"),
    ("办公电话", "0734-8866123"),
    ("家庭住址", "雁城市石鼓区江畔路 3 栋 2 单元 501"),
    ("出生年月日", "1979年4月24日"),
    ("birth", "1979-04-24"),
    ("证件号", "E12345678"),
    ("爱好", "书法"),
]
"""Columns of a ledger that have no place in a record."""


@dataclass
class City:
    """The demo city, and what in it must not be seen."""

    served: Served
    names: frozenset[str]
    secrets: dict[str, str]
    about_them: list[str]
    door: str


@dataclass
class Walk:
    """What one account was shown, and whose names it may not read."""

    pages: list[tuple[str, str]]
    strangers: frozenset[str]


def pages_of(
    visitor: Visitor, *, begin: list[str], within: tuple[str, ...] = ("/desk/", "/door/")
) -> Iterator[tuple[str, str]]:
    """Yield each kind of page the visitor can get to by links, files included, and what stands there.

    One page of each kind is enough, but for those to begin with.
    """
    waiting, kinds = list(begin), set()
    while waiting and len(kinds) < MOST:
        address = waiting.pop(0)
        kind = address if address in begin else re.sub(r"/(\d+[\w-]*|[\w-]{16,})", "/…", address.partition("?")[0])
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
            if not path.netloc and path.path.startswith(within):
                waiting.append(path.path + (f"?{path.query}" if path.query else ""))


@pytest.fixture(scope="module")
def city(served_demo: Served) -> City:
    """The demo city, with two people of whom everything is known, and an account for roles that nobody has alone."""
    with inside(served_demo):
        lead = db.session.get_one(Installation, 1).lead_organisation
        organiser = db.session.scalars(sa.select(Account).where(Account.username == "organiser")).one()
        for username, role in ADDED.items():
            factories.an_account(username, organisation=lead, roles=[role], username=username)
        secrets, about_them, link = _known_through_and_through(lead, organiser)
        staff = set(db.session.scalars(sa.select(Account.name)))
        names = {name for name in db.session.scalars(sa.select(Person.name)) if len(name) > 2} - staff
        db.session.commit()
        return City(served_demo, frozenset(names), secrets, about_them, link)


def _known_through_and_through(lead: Organisation, organiser: Account) -> tuple[dict[str, str], list[str], str]:
    """Write down a child and an adult with all that a page could tell.

    Returns what must stand nowhere, the pages about the two, and the link of a door that knows them.
    """
    event = factories.an_event(
        "小小科学家开放日",
        organisation=lead,
        author=organiser,
        starts_at=clock.now() + timedelta(hours=1),
        groups=[("孩子", 9)],
        asks_birth=True,
    )
    guardians_own = factories.a_contact_point("+8619902077777")
    child = factories.a_person("欧阳小树苗", organisation=lead)
    child.birth = "2016-03-19"
    guardian = Guardian(child_id=child.id, name="欧阳守护人", contact_point_id=guardians_own.id, since=factories.BEFORE)
    db.session.add(guardian)
    db.session.flush()
    place = factories.a_registration(
        event=event, person=child, contact_point=guardians_own, under_age=True, guardian_id=guardian.id
    )
    adult = factories.a_person("欧阳万里行", organisation=lead, at=factories.a_contact_point("+8619902088888"))
    adult.birth, adult.identity_number = "1979-04-23", "431399197904230240"
    adult.extra = {"entries": [{"of": of, "value": value, "source": "import:1", "row": 3} for of, value in BESIDE]}
    factories.a_registration(event=event, person=adult)
    secrets = {
        "a guardian's name": guardian.name,
        "a child's date of birth": child.birth,
        "a date of birth": adult.birth,
        "an identity number": adult.identity_number,
        "a number of a file": "19902066666",
        "a number on the wire of a file": "8866123",
        "a home address of a file": "2 单元 501",
        "a date of birth of a file": "4月24日",
        "another date of birth of a file": "04-24",
        "the number of a passport": "E12345678",
    }
    about = [f"/desk/people/{one.id}{page}" for one in (child, adult) for page in ("", "/edit", "/in-full", "/beside")]
    about += [f"/desk/people/{child.id}/beside/{adult.id}", f"/desk/privacy/people/{child.id}"]
    about += [f"/desk/events/{event.id}/registrations{page}" for page in ("", f"/{place.id}")]
    return secrets, about, door.invite(event=event, by=organiser.actor, now=clock.now())


@pytest.fixture(scope="module", params=[*ROLES, *ADDED, STRANGER, VOLUNTEER])
def walk(request: pytest.FixtureRequest, city: City) -> Walk:
    """Every kind of page of one account of the city, and of those who have none."""
    visitor = Visitor(city.served.url)
    if request.param == STRANGER:
        return Walk(list(pages_of(visitor, within=("/",), begin=["/"])), city.names)
    if request.param == VOLUNTEER:
        join = f"/door/join/{city.door}"
        visitor.page(join, {"csrf_token": visitor.token(join), "name": "小赵", "gate": "东门"})
        return Walk(list(pages_of(visitor, begin=["/door/", f"/door/find?q={quote('欧阳')}"])), city.names)
    visitor.sign_in(request.param, factories.PASSWORD if request.param in ADDED else PASSWORD)
    return Walk(
        list(pages_of(visitor, begin=["/desk/", *city.about_them])), city.names - _works_with(city, request.param)
    )


def _works_with(city: City, username: str) -> frozenset[str]:
    """Return whose names an account needs to read for what its roles have to do."""
    with inside(city.served):
        account = db.session.scalars(sa.select(Account).where(Account.username == username)).one()
        found: set[str] = set()
        for grant in account.grants:
            for names in NEEDS.get(grant.role, ()):
                values = {"below": f"{grant.organisation.path}%", "account": account.id}
                bound = {name: values[name] for name in values if f":{name}" in names}
                found.update(db.session.scalars(sa.text(names), bound))
        return frozenset(found)


def test_nobodys_number_or_address_stands_on_a_page_in_full(walk):
    found = [f"{at}: {match}" for at, shown in walk.pages for match in [*NUMBER.findall(shown), *_addresses(shown)]]

    assert len(walk.pages) > 1
    assert found == []


def test_nobody_reads_the_whole_name_of_whom_their_work_is_not_with(walk):
    found = sorted(f"{at}: {name}" for at, shown in walk.pages for name in walk.strangers if name in shown)

    assert found == []


EVERY_DAY = "/desk/calendar"
"""The page of working days names every day of a year, so every birthday too, and nobody."""


def test_what_is_known_through_and_through_stands_on_no_page_in_full(walk, city):
    found = [
        f"{at}: {what}"
        for at, shown in walk.pages
        for what, text in city.secrets.items()
        if text in shown and not (at.startswith(EVERY_DAY) and "date of birth" in what)
    ]

    assert found == []


def _addresses(shown: str) -> list[str]:
    """Return the mail addresses on a page but for the examples that tell how one is written."""
    plain = re.sub(r'placeholder="[^"]*"', "", shown)
    return [found for found in ADDRESS.findall(plain) if not found.startswith("name@")]


def test_the_walk_would_see_a_number_and_a_name(city):
    """The walk above would be worth nothing if what it looks for stood nowhere."""
    visitor = Visitor(city.served.url)
    visitor.sign_in("admin", PASSWORD)

    assert NUMBER.search(visitor.page("/desk/sms"))
    assert "欧阳万里行" in visitor.page(city.about_them[4])
