from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from outreach.cases import operations, queries
from outreach.cases.models import Case
from outreach.cases.rules.answers import AnswerKind, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.lists import Tab
from outreach.cases.rules.moves import CaseState
from outreach.kernel import clock
from outreach.kernel.calendar_days import CalendarYear
from outreach.kernel.database import db
from outreach.kernel.paging import SIZE
from outreach.organisations.rules import Role
from outreach.people.models import Consent, ConsentText, Look, PersonContact
from outreach.people.rules import ContactEnd
from tests.factories import BEFORE, a_case, a_contact_point, a_person, an_account, proven, signed_in


@pytest.fixture
def now():
    return clock.now() - timedelta(hours=1)


@pytest.fixture
def case(city, now):
    return a_case(intake=city.office, person=city.talent, contact_point=city.number, now=now)


@pytest.fixture
def assigned(city, case, now):
    operations.assign(case=case, unit=city.schools, version=case.version, by=city.organiser.actor, now=now)
    return case


@pytest.fixture
def accepted(city, assigned, now):
    operations.accept(case=assigned, version=assigned.version, by=city.handler.actor, now=now)
    return assigned


@pytest.fixture
def replied(city, accepted, now):
    operations.reply(
        case=accepted,
        kind=AnswerKind.SOLVED,
        text="江畔路小学可以就近入学。",
        version=accepted.version,
        by=city.handler.actor,
        now=now,
    )
    return accepted


def send(client, case, step, **fields):
    form = {"assign": "AssignForm", "accept": "AcceptForm", "return": "ReturnForm", "reply": "ReplyForm"} | {
        "attempt": "AttemptForm",
        "heard": "HeardForm",
        "unreached": "GiveUpForm",
        "decide": "DecideForm",
        "urge": "UrgeForm",
        "withdraw": "WithdrawForm",
    }
    data = {f"{form[step]}-{name}": value for name, value in {"version": case.version, **fields}.items()}
    return client.post(f"/desk/requests/{case.id}/{step}", data=data)


def minute(moment: datetime) -> str:
    return f"{clock.local(moment):%Y-%m-%dT%H:%M}"


def test_the_list_of_a_handler_shows_what_the_unit_owes_and_nothing_else(client, city, assigned, now):
    other = a_case(intake=city.office, now=now, title="想租人才公寓")
    operations.assign(case=other, unit=city.housing, version=other.version, by=city.organiser.actor, now=now)

    page = signed_in(client, city.handler).get("/desk/requests")

    assert page.status_code == 200
    assert assigned.title in page.text
    assert other.title not in page.text


@pytest.mark.parametrize("role", ["organiser", "supervisor", "handler"])
@pytest.mark.parametrize(
    "tab", ["", "?tab=open", "?tab=ended", "?tab=watch&topic=housing&source=visit&q=林", "?tab=no"]
)
def test_every_view_of_the_list_opens(client, city, replied, role, tab):
    page = signed_in(client, getattr(city, role)).get(f"/desk/requests{tab}")

    assert page.status_code == 200


def test_the_list_is_paged_by_deadline(client, city, now):
    cases = [
        a_case(intake=city.office, now=now - timedelta(days=60 - number), title=f"第 {number} 件。")
        for number in range(SIZE + 1)
    ]
    choice = queries.Choice(tab=Tab.OPEN)

    first = queries.list_of(city.organiser, choice, cursor=None, now=now)
    second = queries.list_of(city.organiser, choice, cursor=first.next, now=now)

    assert [case.id for case in [*first.items, *second.items]] == [case.id for case in cases]
    assert cases[-1].title in signed_in(client, city.organiser).get(f"/desk/requests?tab=open&page={first.next}").text


@contextmanager
def statements():
    """Count what is asked of the database inside the block."""
    asked = []

    def note(connection, cursor, statement, *_):
        asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("page", ["/desk/requests?tab=open", "/my/requests"])
def test_a_list_asks_the_database_no_more_often_for_more_rows(client, city, replied, now, page):
    browser = proven(signed_in(client, city.organiser), city.number)
    browser.get(page)
    with statements() as few:
        browser.get(page)
    for number in range(5):
        handler = an_account(organisation=city.schools, roles=[Role.HANDLER])
        person = a_person(organisation=city.office, at=a_contact_point())
        case = a_case(intake=city.office, person=person, contact_point=city.number, now=now, title=f"第 {number} 件")
        operations.assign(case=case, unit=city.schools, version=case.version, by=city.organiser.actor, now=now)
        operations.accept(case=case, version=case.version, by=handler.actor, now=now)

    with statements() as more:
        browser.get(page)

    assert len(more) <= len(few) + 2  # a handler's organisation and roles, once for all


@pytest.mark.parametrize("step", ["assign", "accept", "return", "reply", "attempt", "heard", "unreached", "decide"])
def test_a_handler_of_another_unit_finds_nothing(client, city, assigned, step):
    browser = signed_in(client, city.other_handler)

    assert browser.get(f"/desk/requests/{assigned.id}").status_code == 404
    assert send(browser, assigned, step).status_code in {403, 404}


def test_a_handler_of_the_unit_may_not_do_the_work_of_the_intake_desk(client, city, replied):
    browser = signed_in(client, city.handler)

    assert [send(browser, replied, step).status_code for step in ("assign", "heard", "unreached", "decide")] == [
        403
    ] * 4


def test_whoever_wrote_it_down_sees_it_and_may_urge(client, city, now):
    officer = an_account(organisation=city.office, roles=[Role.LIAISON_OFFICER])
    case = a_case(intake=city.office, now=now, by=officer.actor)
    hidden = a_case(intake=city.office, now=now)
    browser = signed_in(client, officer)

    assert browser.get(f"/desk/requests/{case.id}").status_code == 200
    assert browser.get(f"/desk/requests/{hidden.id}").status_code == 404
    assert send(browser, case, "urge", words="请快些").status_code == 303


def test_a_feature_above_lets_people_follow(client, city, case, monkeypatch):
    leader = an_account(organisation=city.office, roles=[Role.LEADER])
    follow = sa.select(Case.person_id).where(Case.person_id == city.talent.id)
    monkeypatch.setattr(queries.reaching, "followed_people", [lambda account: follow])

    assert signed_in(client, leader).get(f"/desk/requests/{case.id}").status_code == 200


def test_the_whole_way_by_hand(client, city, case):
    send(signed_in(client, city.organiser), case, "assign", unit=city.schools.id, note="请就近安排")
    send(signed_in(client, city.handler), case, "accept")
    answered = send(client, case, "reply", kind="solved", text="可以就近入学。")
    heard = send(
        signed_in(client, city.organiser),
        case,
        "heard",
        channel="telephone",
        at=minute(clock.now()),
        solved="yes",
        satisfaction="satisfied",
    )

    assert (answered.status_code, heard.status_code) == (303, 303)
    assert case.state is CaseState.CLOSED
    assert client.get(f"/desk/requests/{case.id}").text.count("唐平") >= 2


def test_the_minute_of_a_call_may_be_the_minute_of_the_answer(client, city, accepted):
    send(signed_in(client, city.handler), accepted, "reply", kind="solved", text="可以。")

    told = send(client, accepted, "attempt", channel="telephone", reached="yes", at=minute(clock.now()))

    assert told.status_code == 303
    assert accepted.answer.delivered_at is not None


def test_returning_keeps_the_page_open_for_the_unit(client, city, assigned):
    answer = send(signed_in(client, city.handler), assigned, "return", ground="归住建局管")

    assert answer.headers["Location"].endswith(f"/desk/requests/{assigned.id}")
    assert client.get(answer.headers["Location"]).status_code == 200


def test_what_is_missing_is_said_and_nothing_typed_is_lost(client, city, accepted):
    answer = send(signed_in(client, city.handler), accepted, "reply", kind="impossible", text="按规定办不了")

    assert answer.status_code == 422
    assert "请写明依据" in answer.text
    assert "按规定办不了" in answer.text
    assert accepted.state is CaseState.ACCEPTED


@pytest.mark.parametrize("sign", ["a", "答"])
def test_two_megabytes_pasted_into_an_answer_are_refused_and_still_there(client, city, accepted, sign):
    text = sign * (2_000_000 // len(sign.encode()))

    answer = send(signed_in(client, city.handler), accepted, "reply", kind="solved", text=text)

    assert answer.status_code == 422
    assert "4000" in answer.text
    assert text in answer.text
    assert accepted.answers == []


def test_the_second_handler_is_told_and_may_send_again(client, city, accepted, now):
    deputy = an_account("冯楷强", organisation=city.schools, roles=[Role.DEPUTY_HANDLER])
    seen = accepted.version
    operations.return_case(case=accepted, ground="归住建局管", version=seen, by=city.handler.actor, now=now)

    answer = send(signed_in(client, deputy), accepted, "reply", version=seen, kind="solved", text="写了很久的答复")

    assert answer.status_code == 422
    assert "王浩" in answer.text
    assert "写了很久的答复" in answer.text
    assert f'value="{accepted.version}"' in answer.text
    assert accepted.answers == []


def test_a_move_by_hand_that_the_state_forbids_is_refused_by_name(client, city, case):
    answer = send(signed_in(client, city.organiser), case, "heard", channel="telephone", at=minute(clock.now()))
    forbidden = send(
        client,
        case,
        "heard",
        channel="telephone",
        at=minute(clock.now()),
        solved="yes",
        satisfaction="satisfied",
    )

    assert answer.status_code == 422
    assert forbidden.status_code == 422
    assert "登记" in forbidden.text
    assert case.state is CaseState.REGISTERED


def test_whoever_must_call_sees_the_whole_number_and_it_is_written_down(client, city, replied, session):
    browser = signed_in(client, city.handler)
    masked = browser.get(f"/desk/requests/{replied.id}").text

    page = browser.post(f"/desk/requests/{replied.id}/number", data={"reason": "bring"})

    assert "199 1234 0036" not in masked
    assert "199 1234 0036" in page.text
    look = session.scalars(sa.select(Look)).one()
    assert (look.account_id, look.person_id) == (city.handler.id, city.talent.id)
    assert replied.number in look.reason


def test_nobody_sees_a_number_without_saying_why(client, city, replied):
    answer = signed_in(client, city.handler).post(f"/desk/requests/{replied.id}/number", data={"reason": "x"})

    assert answer.status_code == 404


def test_an_official_writes_one_down_for_a_new_contact(client, city):
    answer = signed_in(client, city.organiser).post(
        "/desk/requests/new",
        data={
            "name": "孟夏",
            "contact": "138 0000 1234",
            "source": "phone",
            "topic": "housing",
            "title": "想租人才公寓",
            "words": "",
        },
    )

    case = queries.list_of(city.organiser, queries.Choice(tab=Tab.OPEN), cursor=None, now=clock.now()).items[0]
    assert answer.status_code == 303
    assert (case.person.name, case.contact_point.value, case.words) == ("孟夏", "+8613800001234", "想租人才公寓")
    assert case.registered_by_id == city.organiser.id


def test_an_official_writes_one_down_for_a_known_person(client, city):
    browser = signed_in(client, city.organiser)
    page = browser.get(f"/desk/requests/new?person={city.talent.id}")

    answer = browser.post(
        f"/desk/requests/new?person={city.talent.id}",
        data={"reach_at": city.number.id, "source": "official", "topic": "housing", "title": "想租人才公寓"},
    )

    assert "199****0036" in page.text
    assert answer.status_code == 303


def test_a_wrong_number_is_said_and_what_was_typed_stays(client, city):
    answer = signed_in(client, city.organiser).post(
        "/desk/requests/new",
        data={"name": "孟夏", "contact": "12", "source": "phone", "topic": "housing", "title": "想租人才公寓"},
    )

    assert answer.status_code == 422
    assert "想租人才公寓" in answer.text


def test_routes_are_proposed_by_name_and_route_nothing_before_they_are_saved(client, city):
    browser = signed_in(client, city.organiser)

    page = browser.get("/desk/requests/routes")

    assert f'<option selected value="{city.schools.id}">' in page.text
    assert a_case(intake=city.office, now=clock.now()).state is CaseState.REGISTERED


def test_saved_routes_assign_from_then_on(client, city):
    fields = {topic.value: 0 for topic in Topic} | {"schooling": city.schools.id}

    answer = signed_in(client, city.organiser).post("/desk/requests/routes", data=fields)

    assert answer.status_code == 303
    assert a_case(intake=city.office, now=clock.now()).lead_id == city.schools.id


def test_a_handler_may_not_see_the_routes(client, city):
    assert signed_in(client, city.handler).get("/desk/requests/routes").status_code == 403


# The public face


def test_my_requests_shows_what_was_asked_from_this_number_only(client, city, case, now):
    other = a_case(intake=city.office, now=now, title="别人的事")

    page = proven(client, city.number).get("/my/requests")

    assert case.title in page.text
    assert other.title not in page.text


def test_what_was_said_on_a_visit_and_is_answered_by_mail_stands_on_the_phone_too(client, city, session):
    mail = a_contact_point("zhiyao@example.com")
    session.add(PersonContact(person_id=city.talent.id, contact_point_id=mail.id, since=BEFORE))
    a_case(
        intake=city.office, person=city.talent, contact_point=mail, title="走访时说起的车位", source=CaseSource.VISIT
    )
    another = a_person("温如许", organisation=city.office)
    a_case(intake=city.office, person=another, contact_point=a_contact_point(), title="别人的事")
    session.commit()
    phone = proven(client, city.number)

    alone = phone.get("/my/requests").text
    session.add(PersonContact(person_id=another.id, contact_point_id=city.number.id, since=BEFORE))
    session.commit()
    shared = phone.get("/my/requests").text

    assert ("走访时说起的车位" in alone, "别人的事" in alone) == (True, False)
    assert ("走访时说起的车位" in shared, "别人的事" in shared) == (False, False)


def test_a_request_is_not_shown_at_a_number_that_was_taken_off(client, city, session):
    old = a_contact_point()
    session.add(
        PersonContact(
            person_id=city.talent.id,
            contact_point_id=old.id,
            since=BEFORE,
            until=BEFORE,
            ended=ContactEnd.REMOVED,
        )
    )
    a_case(intake=city.office, person=city.talent, contact_point=city.number, title="走访时说起的车位")
    session.commit()

    assert "走访时说起的车位" not in proven(client, old).get("/my/requests").text


@pytest.mark.parametrize("page", ["/my/requests", "/my/requests/new"])
def test_strangers_are_led_to_prove_a_number(client, page):
    assert "/sign-in" in client.get(page).headers["Location"]


def test_looking_at_the_link_does_not_deliver_the_answer(client, replied):
    page = client.get(f"/r/{replied.token}")

    assert page.status_code == 200
    assert "江畔路小学" not in page.text
    assert replied.answer.delivered_at is None


def test_pressing_read_the_answer_delivers_and_shows_it(client, replied):
    client.post(f"/r/{replied.token}/open")

    assert replied.answer.delivered_at is not None
    assert "江畔路小学" in client.get(f"/r/{replied.token}").text


def test_feedback_by_the_link_closes_once(client, replied):
    client.post(f"/r/{replied.token}/open")
    said = {"solved": "yes", "satisfaction": "mostly", "words": "还可以"}

    first = client.post(f"/r/{replied.token}/feedback", data=said)
    second = client.post(f"/r/{replied.token}/feedback", data=said | {"solved": "no"})

    assert (first.status_code, second.status_code) == (303, 303)
    assert replied.state is CaseState.CLOSED
    assert replied.answer.feedback.satisfaction is Satisfaction.MOSTLY
    assert "还可以" in client.get(f"/r/{replied.token}").text


def test_feedback_before_reading_is_refused(client, replied):
    answer = client.post(f"/r/{replied.token}/feedback", data={"solved": "yes", "satisfaction": "satisfied"})

    assert answer.status_code == 422
    assert replied.state is CaseState.REPLIED


def test_half_a_feedback_says_what_is_missing(client, replied):
    client.post(f"/r/{replied.token}/open")

    answer = client.post(f"/r/{replied.token}/feedback", data={"solved": "no", "words": "没解决，等了一年"})

    assert answer.status_code == 422
    assert "请选一个" in answer.text
    assert "没解决，等了一年" in answer.text


def test_not_satisfied_goes_to_a_supervisor_who_reopens(client, city, replied):
    client.post(f"/r/{replied.token}/open")
    client.post(f"/r/{replied.token}/feedback", data={"solved": "no", "satisfaction": "dissatisfied"})
    contested = replied.state

    answer = send(signed_in(client, city.supervisor), replied, "decide", decision="reopen", reason="请再想办法")

    assert contested is CaseState.CONTESTED
    assert answer.status_code == 303
    assert (replied.state, replied.reopenings) == (CaseState.ACCEPTED, 1)


@pytest.mark.parametrize("change", [lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"), lambda token: "1"])
def test_an_altered_link_leads_nowhere(client, replied, change):
    assert client.get(f"/r/{change(replied.token)}").status_code == 404
    assert client.post(f"/r/{change(replied.token)}/open").status_code == 404


def test_the_link_of_one_request_does_not_open_another(client, city, replied, now):
    other = a_case(intake=city.office, now=now)
    crossed = f"{other.id}-{replied.token.partition('-')[2]}"

    assert client.get(f"/r/{crossed}").status_code == 404


def test_the_person_takes_it_back_by_the_link(client, case):
    answer = client.post(f"/r/{case.token}/withdraw")

    assert answer.status_code == 303
    assert case.state is CaseState.WITHDRAWN
    assert client.get(f"/r/{case.token}").status_code == 200


@pytest.fixture
def consent_text(session, now):
    text = ConsentText(
        purpose="request", version=1, language="zh_Hans_CN", text="只用来办这件事。", kept_months=36, valid_from=now
    )
    session.add(text)
    session.flush()
    return text


def test_asking_in_public_needs_consent_and_records_its_version(client, city, session, consent_text):
    browser = proven(client, city.number)
    asked = {"name": "林知遥", "topic": "housing", "title": "想租人才公寓", "words": "<script>alert(1)</script>"}

    without = browser.post("/my/requests/new", data=asked)
    answer = browser.post("/my/requests/new", data=asked | {"consent": "y"})

    case = queries.cases_of_contact(city.number.id)[0]
    assert (without.status_code, answer.status_code) == (422, 303)
    assert (case.person, case.title) == (city.talent, "想租人才公寓")
    assert session.scalars(sa.select(Consent)).one().text_id == consent_text.id
    assert "<script>alert" not in browser.get(f"/r/{case.token}").text


def test_two_people_at_one_number_are_two_people(client, city, consent_text):
    browser = proven(client, city.number)

    browser.post("/my/requests/new", data={"name": "温如许", "topic": "other", "title": "一件事", "consent": "y"})

    assert queries.cases_of_contact(city.number.id)[0].person.name == "温如许"


@pytest.fixture
def without_calendars(session):
    """No year's calendar is known; afterwards they are again, as every test expects."""
    years = session.execute(sa.select(CalendarYear.__table__)).mappings().all()
    session.execute(sa.delete(CalendarYear))
    yield
    session.rollback()
    session.execute(sa.insert(CalendarYear.__table__), [dict(year) for year in years])
    session.commit()


@pytest.mark.usefixtures("without_calendars")
def test_a_deadline_in_a_year_without_a_calendar_says_so(client, city, case):
    operations.assign(case=case, unit=city.schools, version=case.version, by=city.organiser.actor, now=clock.now())

    assert "暂定" in signed_in(client, city.organiser).get(f"/desk/requests/{case.id}").text


def test_the_timeline_tells_what_was_asked_and_answered(city, replied):
    entries = queries.timeline_of(person_id=city.talent.id, before=clock.now(), limit=10)

    assert [entry.kind for entry in entries] == ["case", "answer"] or [entry.kind for entry in entries] == [
        "answer",
        "case",
    ]
    assert {entry.words for entry in entries} == {replied.words, replied.answer.text}


def test_open_requests_come_soonest_due_first(city, replied, now):
    early = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=now - timedelta(days=9))

    assert list(queries.open_cases_of([city.talent.id])) == [early, replied]


def test_a_person_elsewhere_is_not_offered(client, city):
    stranger = a_person(organisation=city.office, at=a_contact_point())
    handler = signed_in(client, an_account(organisation=city.schools, roles=[Role.LIAISON_OFFICER]))

    assert handler.get(f"/desk/requests/new?person={stranger.id}").status_code == 404
