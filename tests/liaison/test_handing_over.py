"""Somebody leaves: everything open goes to a named successor in one step, both are told, and a list is signed."""

from datetime import date, timedelta
from io import BytesIO

import docx
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from outreach.cases.operations import accept, save_routes
from outreach.cases.rules.asking import Topic
from outreach.events.rules import EventState
from outreach.exports.documents import write_sheet
from outreach.exports.rules import Format
from outreach.exports.rules.offers import Asked, Mark
from outreach.kernel.actor import SYSTEM
from outreach.kernel.clock import office_day
from outreach.kernel.history import Subject, first_broken_position, lines_of
from outreach.liaison import queries
from outreach.liaison.documents.handing_over import SHEET
from outreach.liaison.models import HandOver, Pairing
from outreach.liaison.operations.handing_over import hand_over
from outreach.liaison.operations.planning import make_feed
from outreach.liaison.queries import handing_over
from outreach.liaison.queries.planning import feed_of
from outreach.liaison.rules.handing_over import (
    NothingToHandOver,
    Roles,
    SameAccount,
    SuccessorCannotLead,
    SuccessorCannotServe,
    check_successor,
)
from outreach.notices.models import Message
from outreach.organisations.rules import Role
from tests import factories
from tests.conftest import NOW
from tests.liaison.test_on_a_phone import here, signed_in  # noqa: F401 -- a fixture

TODAY = office_day(NOW)


@pytest.fixture
def successor(city):
    return factories.an_account("顾行舟", organisation=city.office, roles=[Role.LEADER], email="gu@example.cn")


@pytest.fixture
def organiser(city):
    return factories.an_account("何清越", organisation=city.office, roles=[Role.ORGANISER])


@pytest.mark.parametrize(
    ("leads", "serves", "roles", "refusal"),
    [
        (1, 0, Roles(leads=False, serves=True), SuccessorCannotLead),
        (0, 1, Roles(leads=True, serves=False), SuccessorCannotServe),
        (1, 1, Roles(leads=True, serves=True), None),
        (0, 0, Roles(leads=False, serves=False), None),
    ],
)
def test_a_successor_can_do_what_is_handed_over(leads, serves, roles, refusal):
    values = {"leaver": "甲", "name": "乙", "leads": leads, "serves": serves, "roles": roles}
    if refusal is None:
        check_successor(**values)
    else:
        with pytest.raises(refusal):
            check_successor(**values)


def test_everything_open_goes_to_the_successor(city, successor, organiser, session):
    plan = factories.a_planned_visit(pairing=city.pairing)
    factories.a_visit(leaders=[city.leader], talents=[city.talent], at=NOW - timedelta(days=40))
    make_feed(account=city.leader, now=NOW)
    draft = factories.an_event(organisation=city.office, author=city.leader, state=EventState.DRAFT)

    one = hand_over(leaver=city.leader, successor=successor, by=organiser, now=NOW)

    [new] = queries.due_pairings(successor, now=NOW, mine=True).items
    assert (new.pairing.person, new.pairing.liaison_officer, new.pairing.starts_on) == (
        city.talent,
        city.officer,
        TODAY,
    )
    assert new.due.never_met  # the successor has not met them; who did stays written
    assert new.last_by_anyone.leaders == ("周启明",)
    assert city.pairing.ends_on == TODAY
    assert (plan.pairing_id, plan.sequence, plan.is_open) == (new.pairing.id, 1, True)
    assert draft.author_id == successor.id
    assert feed_of(city.leader) is None
    assert not handing_over.open_of(city.leader)
    assert one.taken == {
        "led": [[city.pairing.id, new.pairing.id]],
        "served": [],
        "plans": [plan.id],
        "cases": [],
        "drafts": [draft.id],
    }
    for kind, number, act in (
        ("pairing", city.pairing.id, "handed_over"),
        ("pairing", new.pairing.id, "taken_over"),
        ("planned_visit", plan.id, "handed_over"),
        ("hand_over", one.id, "handed_over"),
    ):
        assert lines_of(Subject(kind, number))[-1].act == act
        assert first_broken_position(session(), Subject(kind, number)) is None


def test_both_are_told(city, successor, organiser, session):
    city.leader.email = "zhou@example.cn"

    hand_over(leaver=city.leader, successor=successor, by=organiser, now=NOW)

    told = session.scalars(sa.select(Message).where(Message.kind == "handed_over")).all()
    assert {message.account_id for message in told} == {city.leader.id, successor.id}


def test_a_talent_whom_the_successor_meets_already_is_met_once(city, successor, organiser, session):
    standing = factories.a_pairing(leader=successor, person=city.talent)
    mine, theirs = factories.a_planned_visit(pairing=city.pairing), factories.a_planned_visit(pairing=standing)

    hand_over(leaver=city.leader, successor=successor, by=organiser, now=NOW)

    living = sa.select(Pairing).where(Pairing.ends_on.is_(None), Pairing.person_id == city.talent.id)
    assert session.scalars(living).all() == [standing]
    assert (mine.is_open, theirs.is_open) == (False, True)


def test_a_liaison_officers_leaders_get_a_new_one(city, organiser):
    second = factories.an_account("苏念", organisation=city.office, roles=[Role.LIAISON_OFFICER])

    hand_over(leaver=city.officer, successor=second, by=organiser, now=NOW)

    assert (city.pairing.liaison_officer, city.pairing.ends_on) == (second, None)
    assert lines_of(Subject("pairing", city.pairing.id))[-1].act == "officer_changed"


def test_requests_in_hand_go_along_and_stay_with_their_unit(city, successor, organiser):
    save_routes(intake=city.office, units={Topic.SCHOOLING: city.bureau}, by=SYSTEM, now=NOW)
    city.leader.grants.append(type(successor.grants[0])(role=Role.HANDLER, organisation=city.bureau))
    successor.grants.append(type(successor.grants[0])(role=Role.HANDLER, organisation=city.bureau))
    case = factories.a_case(intake=city.office, person=city.talent, now=NOW)
    accept(case=case, version=case.version, by=city.leader.actor, now=NOW)

    one = hand_over(leaver=city.leader, successor=successor, by=organiser, now=NOW)

    assert (case.handler, case.answerable, one.taken["cases"]) == (successor, city.bureau, [case.id])
    assert lines_of(case.subject)[-1].act == "handed_on"


def test_what_cannot_be_handed_over_is_refused_and_nothing_changes(city, successor, organiser):
    handler = factories.an_account(organisation=city.bureau, roles=[Role.HANDLER])

    with pytest.raises(SameAccount):
        hand_over(leaver=city.leader, successor=city.leader, by=organiser, now=NOW)
    with pytest.raises(SuccessorCannotLead):
        hand_over(leaver=city.leader, successor=handler, by=organiser, now=NOW)
    with pytest.raises(NothingToHandOver):
        hand_over(leaver=handler, successor=successor, by=organiser, now=NOW)
    assert city.pairing.ends_on is None


def test_a_hand_over_to_oneself_is_refused_by_the_database(city, organiser, session):
    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(
            sa.insert(HandOver).values(
                organisation_id=city.office.id,
                leaver_id=city.leader.id,
                successor_id=city.leader.id,
                by_id=organiser.id,
                at=NOW,
                taken={},
            )
        )


@pytest.mark.parametrize("kind", [Format.DOCX, Format.PDF])
def test_the_list_names_what_was_handed_over(city, successor, organiser, kind, tmp_path):
    factories.a_planned_visit(pairing=city.pairing, day=date(2026, 12, 1))
    case = factories.a_case(intake=city.office, person=city.talent, now=NOW)
    one = hand_over(leaver=city.leader, successor=successor, by=organiser, now=NOW)
    asked = Asked(successor, {"hand_over": str(one.id)}, NOW)
    file = BytesIO()
    mark = Mark("交接清单", "E-1", kind, [], "何清越", "市委人才办", NOW, "交接", 1)

    write_sheet(file, kind, mark, SHEET.filled(asked, frozenset()))

    if kind is Format.DOCX:
        table = docx.Document(BytesIO(file.getvalue())).tables[0]
        text = "\n".join(cell.text for row in table.rows for cell in row.cells)
        for word in ("周启明", "顾行舟", "林知遥", "2026-12-01", case.number):
            assert word in text
    else:
        assert file.getvalue().startswith(b"%PDF")


def test_only_the_office_hands_over_and_only_its_own(client, city, successor, organiser):
    assert factories.signed_in(client, city.leader).get("/desk/liaison/hand-overs/").status_code == 403
    county = factories.an_organisation("外县", parent=city.office)
    stranger = factories.an_account(organisation=county, roles=[Role.ORGANISER])
    factories.signed_in(client, stranger)
    assert client.get(f"/desk/liaison/hand-overs/new?who={city.leader.id}").status_code == 404

    factories.signed_in(client, organiser)
    assert client.get("/desk/liaison/hand-overs/").status_code == 200
    wrong = client.post(f"/desk/liaison/hand-overs/new?who={city.leader.id}", data={"successor": "99999"})
    assert wrong.status_code == 422
    done = client.post(f"/desk/liaison/hand-overs/new?who={city.leader.id}", data={"successor": str(successor.id)})
    assert done.status_code == 303
    assert client.get(done.headers["Location"]).status_code == 200


def test_a_leader_leaves_and_the_successor_goes_on(devices, app, city, successor, organiser, here):  # noqa: F811
    desk = signed_in(devices.desk(here), app, organiser, here)
    desk.goto("/desk/liaison")
    desk.get_by_role("link", name="有人离任").click()
    desk.get_by_role("listitem").filter(has_text="周启明").get_by_role("link").click()
    desk.get_by_label("接手人").select_option(label="顾行舟 · 市委人才办")
    desk.get_by_role("button", name="全部交接").click()
    expect(desk.get_by_role("heading", name="顾行舟接手周启明的工作")).to_be_visible()

    phone = signed_in(devices.phone(here), app, successor, here)
    phone.goto("/desk/liaison")
    expect(phone.get_by_role("link", name="林知遥")).to_be_visible()
