"""Every list that may be taken out: what is in it, and that it ends where the reader's scope ends."""

from datetime import UTC, date, datetime

import pytest

from outreach.cases import operations as cases
from outreach.cases.rules.answers import AnswerKind
from outreach.door.models import Arrival, facts_covered
from outreach.door.rules import EntryWay
from outreach.events.rules import EventState
from outreach.exports import queries
from outreach.exports.models import Export
from outreach.exports.rules.offers import Asked, offer_of, tables
from outreach.kernel.actor import ActorKind
from outreach.kernel.database import db
from outreach.kernel.history import keyed_hash
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people.models import PersonTakenOut
from outreach.registration.rules import RegistrationState
from tests.conftest import NOW
from tests.exports.files import rows_of, taken
from tests.factories import (
    BEFORE,
    a_case,
    a_contact_point,
    a_pairing,
    a_person,
    a_registration,
    a_visit,
    an_account,
    an_event,
    an_organisation,
    signed_in,
)

SECRET = "隔壁机密"
EVERYTHING = [Role.ORGANISER, Role.SUPERVISOR, Role.ADMINISTRATOR, Role.HANDLER, Role.LIAISON_OFFICER]


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def organiser(office):
    return an_account("陈晓", organisation=office, roles=[Role.ORGANISER])


@pytest.fixture
def beside(office):
    """A county with a row of every kind, and the ids by which a hostile address would name them."""
    county = an_organisation(f"{SECRET}县", parent=office, kind=OrganisationKind.AREA)
    leader = an_account(f"{SECRET}领导", organisation=county, roles=[Role.ORGANISER, Role.LEADER])
    point = a_contact_point("+8619911112222")
    person = a_person(f"{SECRET}人", organisation=county, at=point)
    event = an_event(f"{SECRET}活动", organisation=county, author=leader)
    a_registration(event=event, person=person, contact_point=point)
    a_case(intake=county, person=person, contact_point=point, title=f"{SECRET}诉求", words=SECRET)
    a_pairing(leader=leader, person=person)
    a_visit(leaders=[leader], talents=[person], situation=SECRET)
    return {"event": event.id, "unit": county.id}


@pytest.fixture
def neighbour(office):
    """Somebody with every role, in another county."""
    county = an_organisation("本县", parent=office, kind=OrganisationKind.AREA)
    return an_account("本县干部", organisation=county, roles=EVERYTHING)


def test_the_tables_are_those_the_office_asks_for(app):
    assert [table.key for table in tables()] == [
        "people",
        "events",
        "registrations",
        "cases",
        "pairings",
        "visits",
        "organisations",
        "accounts",
    ]


@pytest.mark.parametrize(
    "table", ["people", "events", "registrations", "cases", "pairings", "visits", "organisations", "accounts"]
)
def test_no_list_holds_what_is_another_countys(client, session, beside, neighbour, table):
    signed_in(client, neighbour)
    page = client.get(f"/desk/exports/new/{table}", query_string=beside)
    asked = client.post(
        f"/desk/exports/new/{table}",
        query_string=beside,
        data={
            "format": "xlsx",
            "reason": "看看隔壁有什么",
            "columns": [column.key for column in offer_of(table).columns],
        },
    )

    assert (page.status_code, asked.status_code) in {(404, 404), (200, 422), (200, 303)}
    assert SECRET not in page.text + asked.text
    for export in session.query(Export).all():
        rows = rows_of(taken(neighbour, table, arguments=beside, columns=export.columns))
        assert SECRET not in str(rows)
    assert session.query(PersonTakenOut).count() == 0


def test_registrations_named_in_a_hostile_way_have_no_rows(app, beside, neighbour, organiser):
    """Even without the page's own 404: the condition stands in the query."""
    counted = [
        queries.count_of(offer_of("registrations"), Asked(account, {"event": str(beside["event"])}, NOW))
        for account in (neighbour, organiser)
    ]

    assert counted == [0, 1]


def test_events_come_with_what_they_brought(session, office, organiser):
    event = an_event("人才会客厅", organisation=office, author=organiser, groups=[("博士", 2), ("企业", 3)], issue=37)
    came = a_registration(event=event, person=a_person(organisation=office))
    a_registration(event=event, person=a_person(organisation=office), state=RegistrationState.WAITLISTED)
    an_event("去年的", organisation=office, author=organiser, state=EventState.DRAFT)
    _arrived(came)
    columns = ["title", "issue", "kind", "starts_at", "place", "state", "capacity", "registered", "waiting", "arrived"]

    rows = rows_of(taken(organiser, "events", columns=columns))

    assert [list(row.values()) for row in rows] == [
        [
            "人才会客厅",
            37,
            "沙龙座谈",
            datetime(2026, 11, 28, 19, 0),  # noqa: DTZ001 -- as the office's clocks show it
            "江畔路 18 号",
            "已发布",
            5,
            1,
            1,
            1,
        ]
    ]
    assert [row["活动"] for row in rows_of(taken(organiser, "events", arguments={"tab": "drafts"}))] == ["去年的"]


def test_registrations_come_with_groups_and_arrivals_in_the_order_of_the_queue(session, office, organiser):
    event = an_event("人才会客厅", organisation=office, author=organiser, groups=[("博士", 2), ("企业", 3)])
    other = an_event(organisation=office, author=organiser)
    point = a_contact_point("+8619901000036")
    first = a_registration(event=event, person=a_person("林知遥", organisation=office), contact_point=point)
    a_registration(
        event=event,
        person=a_person("𠮷䶮", organisation=office),
        group=event.groups[1],
        state=RegistrationState.WAITLISTED,
        queued_at=NOW,
    )
    a_registration(event=other, person=a_person("别场的", organisation=office))
    _arrived(first)
    columns = ["name", "phone", "group", "state", "came_at", "signature"]

    rows = rows_of(taken(organiser, "registrations", arguments={"event": event.id}, columns=columns))
    waiting = rows_of(
        taken(organiser, "registrations", arguments={"event": event.id, "state": "waitlisted"}, columns=columns)
    )

    assert [list(row.values()) for row in rows] == [
        ["林知遥", "199****0036", "博士", "已确认", datetime(2026, 11, 24, 10, 0), None],  # noqa: DTZ001
        ["𠮷䶮", None, "企业", "候补", None, None],
    ]
    assert [row["姓名"] for row in waiting] == ["𠮷䶮"]
    title = session.query(Export).first().title
    assert title == "人才会客厅 报名名单"


def test_registrations_tell_through_whom_they_came_and_can_be_narrowed_to_one(session, office, organiser):
    event = an_event("引才长征", organisation=office, author=organiser, groups=[("博士", 9)])
    station = an_organisation("雁城大学人才工作站", parent=office)
    envoy = an_account("江远帆", organisation=office, roles=[Role.AMBASSADOR])
    for name, through in (
        ("甲一", {"through_organisation_id": station.id}),
        ("乙二", {"through_account_id": envoy.id}),
        ("丙三", {}),
    ):
        a_registration(event=event, person=a_person(name, organisation=office), **through)

    def told(**more):
        asked = {"event": event.id, **more}
        return [
            tuple(row.values())
            for row in rows_of(taken(organiser, "registrations", arguments=asked, columns=["name", "through"]))
        ]

    assert told() == [("甲一", station.name), ("乙二", envoy.name), ("丙三", None)]
    assert told(through=f"a{envoy.id}") == [("乙二", envoy.name)]
    assert told(through="none") == [("丙三", None)]


def test_the_ledger_of_requests_has_the_latest_answer_and_what_became_of_it(session, office, organiser):
    housing = an_organisation("住建局", parent=office)
    handler = an_account("向经办", organisation=housing, roles=[Role.HANDLER])
    person = a_person("林知遥", organisation=office)
    case = a_case(intake=office, person=person, contact_point=a_contact_point("+8619901000036"), title="孩子上学")
    cases.assign(
        case=case, unit=housing, complex=False, note=None, version=case.version, by=organiser.actor, now=BEFORE
    )
    cases.accept(case=case, by=handler.actor, version=case.version, now=BEFORE)
    cases.reply(
        case=case,
        kind=AnswerKind.SOLVED,
        text="已安排就近入学。",
        rule=None,
        promised_on=None,
        version=case.version,
        by=handler.actor,
        now=BEFORE,
    )
    columns = ["number", "name", "phone", "title", "lead", "state", "answer", "outcome", "overdue"]

    mine = rows_of(taken(organiser, "cases", arguments={"tab": "open"}, columns=columns))
    theirs = rows_of(taken(handler, "cases", arguments={"tab": "open"}, columns=columns))

    assert [list(row.values()) for row in mine] == [
        [case.number, "林知遥", "199****0036", "孩子上学", "住建局", "已答复", "是", "已安排就近入学。", None]
    ]
    assert theirs == mine


def test_pairings_say_when_the_next_contact_is_due(session, office, organiser):
    leader = an_account("周书记", organisation=office, roles=[Role.LEADER])
    met, never = a_person("林知遥", organisation=office), a_person("向致远", organisation=office)
    a_pairing(leader=leader, person=met)
    a_pairing(leader=leader, person=never, starts_on=date(2026, 9, 1))
    a_visit(leaders=[leader], talents=[met], at=datetime(2026, 11, 20, 2, 0, tzinfo=UTC))
    columns = ["leader", "talent", "last_at", "due_on", "standing"]

    rows = rows_of(taken(organiser, "pairings", columns=columns))
    overdue = rows_of(taken(organiser, "pairings", columns=columns, arguments={"standing": "overdue"}))

    assert [list(row.values()) for row in rows] == [
        ["周书记", "林知遥", datetime(2026, 11, 20, 10, 0), datetime(2026, 12, 20), "时间还早"],  # noqa: DTZ001
        ["周书记", "向致远", None, datetime(2026, 10, 1), "超期"],  # noqa: DTZ001
    ]
    assert overdue == rows[1:]


def test_confidential_notes_of_a_visit_stay_with_those_who_may_read_them(session, office, organiser):
    leader = an_account("周书记", organisation=office, roles=[Role.LEADER])
    secretary = an_account("小李", organisation=office, roles=[Role.LIAISON_OFFICER])
    talents = [a_person(name, organisation=office) for name in ("林知遥", "向致远")]
    a_visit(leaders=[leader], talents=talents, situation="家里有难处", account=secretary, confidential=True)
    a_visit(leaders=[leader], talents=talents[:1], advice="多办沙龙", at=NOW, confidential=False)
    columns = ["leaders", "talents", "situation", "advice"]

    for reader, situation in ((organiser, "（保密）"), (secretary, "家里有难处")):
        rows = [list(row.values()) for row in rows_of(taken(reader, "visits", columns=columns))][-1:]
        assert [(row[0], sorted(row[1].split("、")), *row[2:]) for row in rows] == [
            ("周书记", ["向致远", "林知遥"], situation, None)
        ]
    assert set(session.scalars(db.select(PersonTakenOut.person_id))) == {one.id for one in talents}


def test_units_and_accounts_are_for_administrators(client, session, office):
    administrator = an_account("管理员", organisation=office, roles=[Role.ADMINISTRATOR], phone="+8619901000036")
    an_organisation("住建局", parent=office)

    units = rows_of(taken(administrator, "organisations"))
    accounts = rows_of(taken(administrator, "accounts", columns=["name", "roles", "phone"]))

    assert [(row["全称"], row["上级单位"], row["在用账号"]) for row in units] == [
        ("市委人才办", None, 1),
        ("住建局", "市委人才办", 0),
    ]
    assert [list(row.values()) for row in accounts] == [["管理员", "管理员", "199****0036"]]
    signed_in(client, an_account(organisation=office, roles=[Role.ORGANISER, Role.SUPERVISOR]))
    assert client.get("/desk/exports/new/accounts").status_code == 403


def test_every_list_page_leads_to_its_export_with_its_filters(client, office):
    everybody = an_account(organisation=office, roles=[*EVERYTHING, Role.LEADER])
    event = an_event("人才会客厅", organisation=office, author=everybody)
    person = a_person("林知遥", organisation=office)
    a_registration(event=event, person=person)
    a_case(intake=office, person=person)
    a_pairing(leader=everybody, person=person)
    a_visit(leaders=[everybody], talents=[person])
    signed_in(client, everybody)

    for path, link in {
        "/desk/people/?degree=&q=林": "people?q=%E6%9E%97",
        "/desk/events/?tab=upcoming&page=x": "events?tab=upcoming",
        f"/desk/events/{event.id}/registrations?state=confirmed": f"registrations?state=confirmed&amp;event={event.id}",
        "/desk/requests?tab=open": "cases?tab=open",
        "/desk/liaison?whose=mine": "pairings?whose=mine",
        "/desk/visits": "visits",
        "/desk/organisations": "organisations",
        "/desk/accounts": "accounts",
    }.items():
        page = client.get(path)
        assert f'href="/desk/exports/new/{link}"' in page.text, path
        target = f"/desk/exports/new/{link.replace('&amp;', '&')}"
        assert client.get(target).status_code == 200, target


def _arrived(registration) -> None:
    facts = {
        "event_id": registration.event_id,
        "registration_id": registration.id,
        "at": NOW,
        "received_at": NOW,
        "way": EntryWay.SCANNED,
        "by_kind": ActorKind.STAFF,
        "by_id": None,
        "door_pass_id": None,
    }
    db.session.add(Arrival(**facts, hash=keyed_hash(facts_covered(**facts))))
    db.session.flush()
