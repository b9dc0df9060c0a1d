import re
from datetime import datetime, timedelta

import icalendar
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from outreach.events.models import Event
from outreach.events.rules import EventState
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.rules import Role
from outreach.people.models import Consent, ContactPoint, Person
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState
from tests.factories import (
    a_consent_text,
    a_contact_point,
    a_person,
    a_registration,
    an_account,
    an_event,
    an_organisation,
    proven,
    signed_in,
)

pytestmark = pytest.mark.usefixtures("city")


def next_week() -> datetime:
    return (now() + timedelta(7)).replace(minute=0, second=0, microsecond=0)


def an_event_next_week(**values) -> Event:
    office = an_organisation("衡阳市人才办")
    organiser = an_account("周明", organisation=office, roles=[Role.ORGANISER])
    a_consent_text()
    return an_event(organisation=office, author=organiser, **{"starts_at": next_week(), **values})


def a_phone_of(client: FlaskClient, number: str = "+8613812340036") -> ContactPoint:
    point = a_contact_point(number)
    proven(client, point)
    return point


def send(client: FlaskClient, event: Event, **values):
    filled = {"group": str(event.groups[0].id), "name": "林知遥", "consent": "y", **values}
    return client.post(f"/e/{event.id}/register", data={k: v for k, v in filled.items() if v is not None})


def registrations() -> list[Registration]:
    return list(db.session.scalars(sa.select(Registration).order_by(Registration.id)))


def test_a_stranger_proves_a_number_first(client: FlaskClient):
    event = an_event_next_week()

    response = client.get(f"/e/{event.id}/register?group={event.groups[0].id}")

    assert response.status_code == 302
    assert response.location == f"/sign-in?next=/e/{event.id}/register?group%3D{event.groups[0].id}"


@pytest.mark.parametrize("filled", [{}, {"name": ""}, {"group": "0"}], ids=["filled", "no name", "no such group"])
@pytest.mark.parametrize("asks_birth", [False, True], ids=["together", "alone"])
def test_whoever_held_a_number_before_registers_nobody_through_it(client: FlaskClient, filled: dict, asks_birth: bool):
    event = an_event_next_week(asks_birth=asks_birth)
    point = a_phone_of(client)
    point.holding += 1
    db.session.commit()

    answer = send(client, event, birth="1990-01-02", **filled)

    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/")
    assert registrations() == []
    assert db.session.scalars(sa.select(Person)).all() == []


def test_registering_leads_to_the_ticket(client: FlaskClient):
    event = an_event_next_week()
    a_phone_of(client)

    answer = send(client, event)
    [registration] = registrations()
    page = client.get(answer.location)

    assert answer.status_code == 303
    assert answer.location == f"/t/{registration.token}"
    assert registration.state is RegistrationState.CONFIRMED
    assert f"{registration.short_code[:3]} {registration.short_code[3:]}" in page.text
    assert 'class="o-qr"' in page.text


def test_agreement_is_kept_with_the_version_of_its_text(client: FlaskClient):
    event = an_event_next_week()
    point = a_phone_of(client)

    send(client, event)

    [consent] = db.session.scalars(sa.select(Consent))
    assert (consent.text.version, consent.contact_point_id, consent.about) == (1, point.id, f"event:{event.id}")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"consent": None}, "没有您的同意，我们不能留您的姓名。同意后才能报名。", id="without agreement"),
        pytest.param({"name": "　 "}, "请写来的人的姓名。", id="a name of spaces"),
        pytest.param({"group": None}, "请从这里列出的名额里选一个。", id="no group"),
        pytest.param({"group": "999999"}, "请从这里列出的名额里选一个。", id="a group of another event"),
        pytest.param({"group": "x"}, "请从这里列出的名额里选一个。", id="an altered page"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    client: FlaskClient, values: dict, message: str
):
    event = an_event_next_week(groups=[("博士", 2), ("企业代表", 2)])
    a_phone_of(client)

    answer = send(client, event, **{"name": "沈亦凡", **values})

    assert answer.status_code == 422
    assert message in answer.text
    assert registrations() == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Person)) == 0
    if "name" not in values:
        assert 'value="沈亦凡"' in answer.text


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"state": EventState.CANCELLED}, "这场活动已经取消，不用报名了。"),
        ({"registration_opens_at": next_week() - timedelta(1)}, "开始报名，请到时再来。"),
        ({"registration_closes_at": now() - timedelta(hours=1)}, "报名已在"),
    ],
)
def test_a_page_that_takes_no_registrations_says_why(client: FlaskClient, values: dict, sentence: str):
    event = an_event_next_week(**values)
    a_phone_of(client)

    page = client.get(f"/e/{event.id}/register")
    answer = send(client, event)

    assert sentence in page.text
    assert "提交报名" not in page.text
    assert answer.status_code == 422
    assert registrations() == []


def test_an_event_that_is_not_public_is_not_found(client: FlaskClient):
    event = an_event_next_week(state=EventState.DRAFT)
    a_phone_of(client)

    assert client.get(f"/e/{event.id}/register").status_code == 404
    assert send(client, event).status_code == 404


def test_pressing_twice_gives_the_same_ticket_and_one_agreement(client: FlaskClient):
    event = an_event_next_week()
    a_phone_of(client)

    first, second = send(client, event), send(client, event)

    assert first.location == second.location
    assert len(registrations()) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Consent)) == 1


def test_one_phone_registers_two_people_and_each_has_a_ticket(client: FlaskClient):
    event = an_event_next_week()
    a_phone_of(client)

    send(client, event)
    send(client, event, name="沈亦凡")

    assert [one.person.name for one in registrations()] == ["林知遥", "沈亦凡"]
    assert len({one.token for one in registrations()}) == 2


def test_the_name_registered_from_this_number_before_is_filled_in(client: FlaskClient):
    event, another = an_event_next_week(), None
    a_phone_of(client)
    send(client, event)
    another = an_event(organisation=event.organisation, author=event.author, starts_at=next_week())

    page = client.get(f"/e/{another.id}/register")

    assert 'value="林知遥"' in page.text


def test_what_the_office_knows_of_a_number_is_not_told_to_who_holds_it(client: FlaskClient):
    event = an_event_next_week()
    a_person("前一位机主", organisation=event.organisation, at=a_phone_of(client))

    page = client.get(f"/e/{event.id}/register")

    assert "前一位机主" not in page.text


def test_a_full_group_shows_the_number_one_would_get(client: FlaskClient):
    event = an_event_next_week(groups=[("博士", 1)])
    for state in (RegistrationState.CONFIRMED, RegistrationState.WAITLISTED):
        a_registration(event=event, person=a_person(organisation=event.organisation), state=state)
    a_phone_of(client)

    page = client.get(f"/e/{event.id}/register")

    assert "已满，可以候补，排第 2 位" in page.text


def test_a_ticket_that_waits_shows_its_number_and_no_qr_code(client: FlaskClient):
    event = an_event_next_week(groups=[("博士", 0)])
    a_phone_of(client)

    page = client.get(send(client, event).location)

    assert re.sub(r"\s", "", re.sub(r"<[^>]+>", "", page.text)).count("第1位") == 1
    assert 'class="o-qr"' not in page.text


@pytest.mark.parametrize("token", ["x", "A" * 24, "%00", "林", "A" * 3000])
def test_a_link_we_did_not_make_is_not_found(client: FlaskClient, token: str):
    an_event_next_week()

    answers = [
        client.get(f"/t/{token}").status_code,
        client.get(f"/t/{token}.ics").status_code,
        client.post(f"/t/{token}/withdraw").status_code,
    ]

    assert set(answers) <= {400, 404}


def test_a_link_with_one_sign_changed_is_not_found(client: FlaskClient):
    event = an_event_next_week()
    token = a_registration(event=event, person=a_person(organisation=event.organisation)).token

    altered = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]

    assert {client.get(f"/t/{one}").status_code for one in altered} == {404}
    assert client.get(f"/t/{token}").status_code == 200


def test_withdrawing_twice_is_as_good_as_once_and_the_next_in_line_has_the_place(client: FlaskClient):
    event = an_event_next_week(groups=[("博士", 1)])
    a_phone_of(client)
    send(client, event)
    send(client, event, name="沈亦凡")
    first, second = registrations()

    answers = [client.post(f"/t/{first.token}/withdraw").status_code for _ in range(2)]

    assert answers == [303, 303]
    assert [first.state, second.state] == [RegistrationState.CANCELLED, RegistrationState.CONFIRMED]
    assert "您已退出这场活动" in client.get(f"/t/{first.token}").text


def test_the_calendar_entry_says_when_where_and_what(client: FlaskClient):
    title = "沙龙；江畔, 第 37 期\\夜谈"
    event = an_event_next_week(title=title, place="江畔路 18 号, 2 号楼; 三层", sequence=2)
    registration = a_registration(event=event, person=a_person("林知遥", organisation=event.organisation))

    response = client.get(f"/t/{registration.token}.ics")

    calendar = icalendar.Calendar.from_ical(response.data)
    [entry], [zone] = calendar.walk("VEVENT"), calendar.walk("VTIMEZONE")
    assert response.content_type == "text/calendar; charset=utf-8"
    assert (str(entry["uid"]), int(entry["sequence"]), str(entry["status"])) == (event.uid, 2, "CONFIRMED")
    assert (str(entry["summary"]), str(entry["location"])) == (title, "江畔路 18 号, 2 号楼; 三层")
    assert entry["dtstart"].dt == event.starts_at
    assert entry["dtstart"].params["TZID"] == str(zone["tzid"]) == "Asia/Shanghai"
    assert registration.token in str(entry["url"])


@pytest.mark.parametrize(
    ("state", "event_state", "status"),
    [
        (RegistrationState.WAITLISTED, EventState.PUBLISHED, "TENTATIVE"),
        (RegistrationState.CANCELLED, EventState.PUBLISHED, "CANCELLED"),
        (RegistrationState.CONFIRMED, EventState.CANCELLED, "CANCELLED"),
    ],
)
def test_a_calendar_learns_that_nothing_came_of_it(
    client: FlaskClient, state: RegistrationState, event_state: EventState, status: str
):
    event = an_event_next_week(state=event_state)
    registration = a_registration(event=event, person=a_person(organisation=event.organisation), state=state)

    response = client.get(f"/t/{registration.token}.ics")

    [entry] = icalendar.Calendar.from_ical(response.data).walk("VEVENT")
    assert str(entry["status"]) == status


def test_my_tickets_are_those_of_this_number_only(client: FlaskClient):
    event = an_event_next_week(groups=[("博士", 9)])
    mine = a_phone_of(client)
    a_registration(event=event, person=a_person("林知遥", organisation=event.organisation), contact_point=mine)
    a_registration(
        event=event, person=a_person("沈亦凡", organisation=event.organisation), contact_point=a_contact_point()
    )

    page = client.get("/my/tickets").text

    assert "林知遥" in page
    assert "沈亦凡" not in page


# The desk


def desk_url(event: Event, rest: str = "") -> str:
    return f"/desk/events/{event.id}/registrations{rest}"


def a_registered(event: Event, name: str = "林知遥", **values) -> Registration:
    point = a_contact_point("+8613812340036")
    person = a_person(name, organisation=event.organisation, at=point)
    return a_registration(event=event, person=person, contact_point=point, **values)


def test_the_desk_shows_masked_numbers_only(client: FlaskClient):
    event = an_event_next_week()
    a_registered(event)
    signed_in(client, event.author)

    page = client.get(desk_url(event)).text

    assert "林知遥" in page
    assert "138****0036" in page
    assert "13812340036" not in page.replace(" ", "")


def test_the_desk_of_another_unit_sees_nothing(client: FlaskClient):
    event = an_event_next_week(groups=[("博士", 9)])
    registration = a_registered(event, state=RegistrationState.PENDING)
    elsewhere = an_organisation("别的单位")
    signed_in(client, an_account(organisation=elsewhere, roles=[Role.ORGANISER]))

    answers = [
        client.get(desk_url(event)),
        client.get(desk_url(event, f"/{registration.id}")),
        client.get(desk_url(event, "/new")),
        client.post(desk_url(event, f"/{registration.id}/confirm")),
        client.post(desk_url(event, f"/{registration.id}/end"), data={"reason": "因为"}),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert registration.state is RegistrationState.PENDING


def test_a_registration_tells_what_happened_to_it_and_what_the_person_was_told(client: FlaskClient):
    event = an_event_next_week(groups=[("博士", 1)])
    a_phone_of(client)
    send(client, event)
    [registration] = registrations()
    signed_in(client, event.author)
    client.post(desk_url(event, f"/{registration.id}/end"), data={"reason": "她打电话来说不来了"})

    page = client.get(desk_url(event, f"/{registration.id}")).text

    told = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert re.search(r"周明：结束了报名 ?她打电话来说不来了.*本人：报了名", told)
    assert page.count('data-label="标题"') == 2


def test_a_registration_is_reached_through_its_own_event_only(client: FlaskClient):
    event = an_event_next_week()
    other = an_event(organisation=event.organisation, author=event.author)
    registration = a_registered(event, state=RegistrationState.PENDING)
    signed_in(client, event.author)

    assert client.post(desk_url(other, f"/{registration.id}/confirm")).status_code == 404


def test_an_approver_reads_the_list_and_changes_nothing(client: FlaskClient):
    event = an_event_next_week()
    registration = a_registered(event, state=RegistrationState.PENDING)
    signed_in(client, an_account(organisation=event.organisation, roles=[Role.APPROVER]))

    assert client.get(desk_url(event)).status_code == 200
    assert client.post(desk_url(event, f"/{registration.id}/confirm")).status_code == 403


def test_an_organiser_confirms_and_declines(client: FlaskClient):
    event = an_event_next_week(groups=[("博士", 9)])
    first = a_registered(event, state=RegistrationState.PENDING)
    second = a_registration(
        event=event, person=a_person(organisation=event.organisation), state=RegistrationState.PENDING
    )
    signed_in(client, event.author)

    client.post(desk_url(event, f"/{first.id}/confirm"))
    client.post(desk_url(event, f"/{second.id}/end"), data={"reason": "这次只请博士"})

    assert [first.state, second.state] == [RegistrationState.CONFIRMED, RegistrationState.REJECTED]
    assert second.reason == "这次只请博士"


def test_nobody_loses_a_place_without_a_reason(client: FlaskClient):
    event = an_event_next_week()
    registration = a_registered(event)
    signed_in(client, event.author)

    answer = client.post(desk_url(event, f"/{registration.id}/end"), data={"reason": " "})
    page = client.get(answer.location)

    assert "请写明原因，本人会看到。" in page.text
    assert registration.state is RegistrationState.CONFIRMED


def test_somebody_who_telephones_is_registered_by_the_same_rules(client: FlaskClient):
    event = an_event_next_week(groups=[("博士", 1)])
    a_registration(event=event, person=a_person(organisation=event.organisation))
    signed_in(client, event.author)

    answer = client.post(
        desk_url(event, "/new"),
        data={"group": str(event.groups[0].id), "name": "沈亦凡", "phone": "138 1234 0518"},
    )
    page = client.get(answer.location)

    assert "沈亦凡 报上了：候补。" in page.text
    assert registrations()[-1].state is RegistrationState.WAITLISTED


def test_a_wrong_number_is_said_beside_its_field(client: FlaskClient):
    event = an_event_next_week()
    signed_in(client, event.author)

    page = client.post(
        desk_url(event, "/new"), data={"group": str(event.groups[0].id), "name": "沈亦凡", "phone": "12"}
    )

    assert page.status_code == 422
    assert 'value="沈亦凡"' in page.text
    assert registrations() == []


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_of_the_desk_asks_the_database_no_more_often_for_more_rows(client: FlaskClient, rows: int):
    event = an_event_next_week(groups=[("博士", 9)])
    for number in range(rows):
        point = a_contact_point()
        person = a_person(f"林知遥{number}", organisation=event.organisation, at=point)
        a_registration(event=event, person=person, contact_point=point)
    signed_in(client, event.author)
    asked: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))

    client.get(desk_url(event))

    assert len(asked) <= 14  # one of them asks for whom the viewer stands in
