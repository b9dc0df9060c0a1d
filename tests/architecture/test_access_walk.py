"""Every route, as every role and as a stranger, with ids that belong to somebody else.

The walker works in one county; every id it is given belongs to the county beside it. A new kind of argument
in a route needs a line in `foreign_world`, and a test below fails until it is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from outreach.cases.rules.asking import Topic
from outreach.door import operations as door
from outreach.door.models import DoorInvitation, DoorPass
from outreach.door.views.phone import COOKIE, FACE
from outreach.events.rules import EventState
from outreach.exports.models import Export
from outreach.exports.rules import Format
from outreach.intake.models import ImportRow
from outreach.kernel import clock
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine
from outreach.liaison.models import HandOver, Survey, SurveyInvitation, SurveyNeed, Visit, VisitPhotograph
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people import operations as people
from outreach.people.models import Person
from outreach.people.operations import merging
from outreach.privacy.models import Erasure
from outreach.privacy.rules import ErasureState
from outreach.registration.models import Registration
from tests import factories
from tests.intake.files import a_workbook, previewed

SECRET = "隔壁机密"
"""Stands in every foreign row that is not public; it must be on no page the walker is shown."""
STRANGER, ATTENDEE, VOLUNTEER, NO_ROLE = "stranger", "attendee", "volunteer", "no role"
WALKERS = [STRANGER, ATTENDEE, VOLUNTEER, NO_ROLE, *Role]
SIGNED_OUT = {STRANGER, ATTENDEE, VOLUNTEER}
REFUSED = {403, 404}


@dataclass
class World:
    """The walker's own county and the ids of the one beside it, by the names that routes give them."""

    ours: Organisation
    ids: dict[str, Any]
    code: str
    """Of a ticket of the event beside."""

    def of(self, rule: Rule) -> dict[str, Any]:
        """Return the foreign values for the arguments of a route."""
        return {name: self.ids[name] for name in rule.arguments}

    def body(self) -> dict[str, Any]:
        """Return a form that names foreign rows in every way a form might."""
        named = {key: value for name, value in self.ids.items() for key in (name, name.removesuffix("_id"))}
        return named | {"code": self.code, "text": self.code}


@pytest.fixture
def world(city) -> World:
    """Two counties of one city; everything is in the other one."""
    ours = factories.an_organisation("本县", parent=city.lead_organisation, kind=OrganisationKind.AREA)
    ids = foreign_world(city.lead_organisation)
    return World(ours, ids, db.session.get_one(Registration, ids["registration_id"]).short_code)


def foreign_world(lead: Organisation) -> dict[str, Any]:
    """Make a row of every kind in another county, and return their ids by the names that routes give them."""
    people.seed_consent_texts(now=factories.BEFORE)
    county = factories.an_organisation(f"{SECRET}县", parent=lead, kind=OrganisationKind.AREA)
    organiser = factories.an_account(f"{SECRET}干部", organisation=county, roles=[Role.ORGANISER])
    point = factories.a_contact_point("+8619911112222")
    person = factories.a_person(f"{SECRET}人", organisation=county, at=point)
    event = factories.an_event(f"{SECRET}活动", organisation=county, author=organiser, state=EventState.DRAFT)
    registration = factories.a_registration(event=event, person=person, contact_point=point)
    case = factories.a_case(intake=county, person=person, contact_point=point, title=f"{SECRET}诉求", words=SECRET)
    pairing = factories.a_pairing(leader=organiser, person=person)
    visit = factories.a_visit(leaders=[organiser], talents=[person])
    imported = previewed(
        a_workbook([["姓名", "手机"], [f"{SECRET}人", "19911112222"]]), organiser, filename=f"{SECRET}.xlsx"
    )
    consent = people.give_consent(
        person=person, purpose="registration", contact_point=point, about=f"event:{event.id}", now=factories.BEFORE
    )
    erasure = Erasure(person_id=person.id, state=ErasureState.AT_THE_OFFICE, asked_at=factories.BEFORE)
    db.session.add(erasure)
    db.session.flush()
    row = db.session.scalars(sa.select(ImportRow).where(ImportRow.import_id == imported.id)).first()
    return {
        "organisation_id": county.id,
        "account_id": organiser.id,
        "absence_id": factories.an_absence(account=organiser).id,
        "year": clock.now().year,
        "person_id": person.id,
        "other_person_id": factories.a_person(f"{SECRET}人", organisation=county).id,
        "entry_id": factories.a_talent_class("邻县不能改的类别").id,
        "listed": "classes",
        "act": "retire",
        "merge_id": _merge(county, organiser),
        "contact_id": person.contacts[0].id,
        "event_id": event.id,
        "registration_id": registration.id,
        "case_id": case.id,
        "standard_id": factories.a_standard_answer(unit=county, by=organiser, title=SECRET, text=SECRET).id,
        "part_id": factories.a_part(case=case, by=organiser).id,
        "pairing_id": pairing.id,
        "plan_id": factories.a_planned_visit(pairing=pairing, note=SECRET).id,
        "visit_id": visit.id,
        "position": _photograph(visit),
        "hand_over_id": _hand_over(organiser, county),
        **_survey(organiser, person),
        "import_id": imported.id,
        "row_id": row.id,
        "export_id": _export(organiser),
        "offer": "people",
        "consent_id": consent.id,
        "purpose": "registration",
        "kind": "messages",
        "erasure_id": erasure.id,
        "pass_id": _door_pass(event, organiser),
        # what a city shows to everybody has no secret in its name, and may still be changed by its owner only
        "programme_id": factories.a_programme("邻县品牌", organisation=county).id,
        "venue_id": factories.a_venue("邻县会客厅", organisation=county).id,
        # whoever holds a link may use it: here nobody does
        "token": "nobody-holds-this-link",
    }


@pytest.mark.parametrize("walker", WALKERS)
def test_no_route_fails_or_shows_or_changes_what_is_somebody_elses(
    app: Flask, client: FlaskClient, world: World, walker
):
    account = _account_of(walker, world)
    before = _history_of(world)

    wrong = list(_walk(app, world, walker, account))

    assert wrong == []
    assert _history_of(world) == before


def _survey(organiser: Account, person: Person) -> dict[str, int]:
    survey = Survey(
        organisation=organiser.organisation,
        author=organiser,
        title=SECRET,
        words=SECRET,
        closes_on=factories.BEFORE.date(),
        sent_at=factories.BEFORE,
    )
    need = SurveyNeed(topic=Topic.HOUSING, words=SECRET)
    db.session.add(SurveyInvitation(survey=survey, person=person, answered_at=factories.BEFORE, needs=[need]))
    db.session.flush()
    return {"survey_id": survey.id, "need_id": need.id}


def _hand_over(organiser: Account, county: Organisation) -> int:
    successor = factories.an_account(f"{SECRET}接手人", organisation=county, roles=[Role.LEADER])
    taken = {"led": [], "served": [], "plans": [], "cases": [], "drafts": []}
    one = HandOver(
        organisation=county, leaver=organiser, successor=successor, by=organiser, at=factories.BEFORE, taken=taken
    )
    db.session.add(one)
    db.session.flush()
    return one.id


def _photograph(visit: Visit) -> int:
    db.session.add(VisitPhotograph(visit_id=visit.id, position=0, content=SECRET.encode(), added_at=factories.BEFORE))
    db.session.flush()
    return 0


def test_the_secret_can_be_seen_by_its_owner(client, world):
    """The walk above would be worth nothing if the secret stood nowhere."""
    factories.signed_in(client, db.session.get_one(Account, world.ids["account_id"]))

    shown = [
        client.get(path.format(**world.ids)).text for path in ("/desk/events/{event_id}", "/desk/requests/{case_id}")
    ]

    assert [SECRET in page for page in shown] == [True, True]


def test_a_volunteer_is_let_in_at_their_own_door(app: Flask, world: World):
    """The walk of a volunteer would be worth nothing if the phone stood at no door."""
    browser = _browser(app, VOLUNTEER, None, world)

    found = browser.get("/door/find", query_string={"q": SECRET})
    admitted = browser.post("/door/admit", data={"code": world.code})

    assert [browser.get(page).status_code for page in ("/door/", "/door/type")] == [200, 200]
    assert (found.status_code, SECRET in found.text.replace(f'value="{SECRET}"', "")) == (200, False)
    assert (admitted.status_code, SECRET in admitted.text) == (200, False)
    assert browser.get("/desk/").status_code == 302


def test_every_argument_of_a_route_is_known_to_the_walk(app: Flask, world: World):
    unknown = {
        name: rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for name in rule.arguments - set(world.ids)
    }

    assert unknown == {}


def _walk(app: Flask, world: World, walker: str, account: Account | None) -> Iterator[str]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        if rule.endpoint == "static":
            continue
        for method in sorted(rule.methods & {"GET", "POST"}):
            browser = _browser(app, walker, account, world)
            with app.test_request_context():
                address = app.url_map.bind("localhost").build(rule.endpoint, world.of(rule))
            if method == "GET":
                answer = browser.get(address, query_string={"q": SECRET})
            else:
                answer = browser.post(address, data=world.body())
            if (problem := _problem(rule, method, walker, answer)) is not None:
                yield f"{method} {rule.rule}: {problem}"


def _problem(rule: Rule, method: str, walker: str, answer: Any) -> str | None:
    if answer.status_code >= 500:
        return f"failed with {answer.status_code}"
    shown = answer.text.replace(f'value="{SECRET}"', "").replace(
        f"“{SECRET}”", ""
    )  # what was typed may stand there again
    if answer.status_code < 400 and SECRET in shown:
        return "shows what is somebody else's"
    owned = any(name.endswith("_id") and name not in {"programme_id"} for name in rule.arguments)
    changes = method == "POST" and any(name.endswith("_id") for name in rule.arguments)
    if not (owned or changes):
        return None
    allowed = REFUSED | ({302, 303} if walker in SIGNED_OUT or not rule.rule.startswith("/desk/") else set())
    return None if answer.status_code in allowed else f"answers {answer.status_code} for somebody else's"


def _account_of(walker: str, world: World) -> Account | None:
    if walker in SIGNED_OUT:
        return None
    roles = [walker] if isinstance(walker, Role) else []
    return factories.an_account("本县干部", organisation=world.ours, roles=roles)


def _browser(app: Flask, walker: str, account: Account | None, world: World) -> FlaskClient:
    browser = app.test_client()
    if account is not None:
        factories.signed_in(browser, account)
    if walker == ATTENDEE:
        factories.proven(browser, factories.a_contact_point())
    if walker == VOLUNTEER:
        browser.set_cookie(COOKIE, _pass_at_our_door(world), path=FACE)
    return browser


def _pass_at_our_door(world: World) -> str:
    """Enrol a phone at a door of the walker's own county, and return its secret."""
    organiser = factories.an_account(organisation=world.ours, roles=[Role.ORGANISER])
    starts_at = clock.now() + timedelta(hours=1)
    event = factories.an_event("本县沙龙", organisation=world.ours, author=organiser, starts_at=starts_at)
    door.invite(event=event, by=organiser.actor, now=clock.now())
    invitation = db.session.scalars(sa.select(DoorInvitation).where(DoorInvitation.event_id == event.id)).one()
    return door.enrol(invitation=invitation, name="小赵", gate="东门", now=clock.now())


def _history_of(world: World) -> int:
    """Count what was ever done to the foreign rows."""
    subjects = [
        sa.and_(HistoryLine.subject_kind == name.removesuffix("_id"), HistoryLine.subject_id == value)
        for name, value in world.ids.items()
        if name.endswith("_id")
    ]
    return db.session.scalar(sa.select(sa.func.count()).select_from(HistoryLine).where(sa.or_(*subjects)))


def _merge(county: Organisation, organiser: Account) -> int:
    kept, gone = (factories.a_person(f"{SECRET}人", organisation=county) for _ in range(2))
    return merging.merge(kept=kept, gone=gone, leads=[], by=organiser, now=factories.BEFORE).id


def _export(organiser: Account) -> int:
    export = Export(
        offer="people",
        format=Format.XLSX,
        account_id=organiser.id,
        account_name=organiser.name,
        organisation_id=organiser.organisation_id,
        organisation_name=organiser.organisation.name,
        language="zh_Hans_CN",
        title=SECRET,
        arguments={},
        narrowed=[],
        reason=SECRET,
        columns=["name"],
        in_full=[],
        rows=1,
        asked_at=factories.BEFORE,
    )
    db.session.add(export)
    db.session.flush()
    return export.id


def _door_pass(event: Any, organiser: Account) -> int:
    invitation = DoorInvitation(
        event_id=event.id, token_hash="0" * 64, created_at=factories.BEFORE, account_id=organiser.id
    )
    db.session.add(invitation)
    db.session.flush()
    phone = DoorPass(
        event_id=event.id,
        invitation_id=invitation.id,
        name=SECRET,
        gate=None,
        token_hash="1" * 64,
        enrolled_at=factories.BEFORE,
        seen_at=factories.BEFORE,
    )
    db.session.add(phone)
    db.session.flush()
    return phone.id
