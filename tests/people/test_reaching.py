"""Numbers that no longer reach somebody, seen by whoever holds them next and by whoever held them before."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.cases.models import Case
from outreach.kernel import history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import Model
from outreach.kernel.history import Subject
from outreach.notices.models import Message
from outreach.notices.rules import MessageState
from outreach.organisations.rules import Role
from outreach.people import operations, queries
from outreach.people.models import Consent
from outreach.people.operations import reaching
from outreach.people.rules import QUIET, ContactEnd, NoReason
from outreach.registration.models import Registration
from tests.conftest import NOW
from tests.factories import (
    BEFORE,
    a_case,
    a_consent_text,
    a_contact_point,
    a_person,
    a_registration,
    an_account,
    an_event,
    proven,
    signed_in,
)

NUMBER = "+8619901000036"


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def organiser(office):
    return an_account("何清越", organisation=office, roles=[Role.ORGANISER])


@pytest.fixture
def number(session):
    return a_contact_point(NUMBER)


@pytest.fixture
def lin(session, office, organiser, number):
    """Somebody with a ticket, a request and a consent, all given through the number."""
    person = a_person("林知遥", organisation=office, at=number)
    event = an_event("人才会客厅", organisation=office, author=organiser)
    a_registration(event=event, person=person, contact_point=number)
    a_case(intake=office, person=person, contact_point=number, title="配偶调动")
    a_consent_text()
    operations.give_consent(
        person=person, purpose="registration", contact_point=number, about=f"event:{event.id}", now=BEFORE
    )
    session.commit()
    return person


def taken_over(number):
    reaching.take_over(contact_point=number, by=Actor(ActorKind.ATTENDEE, number.id), now=NOW)


def at(session, number) -> dict[str, int]:
    """How many rows are seen through a number."""
    return {
        model.__tablename__: session.scalar(
            sa.select(sa.func.count()).select_from(model).where(model.contact_point_id == number.id)
        )
        for model in (Registration, Case, Consent)
    }


MOVED_OR_NOT = {
    "registrations": "moved away",
    "cases": "moved away",
    "consents": "moved away",
    "person_contacts": "ended, with its dates",
    "survey_invitations": "the link is void; what was answered stays with the person",
    "messages": "what waits is not sent; what was sent says where it went, to desks only",
    "contact_codes": "of the number itself, whoever holds it",
    "guardians": "the proof of whom the consent was taken from; no page opens it by the number",
    "case_parts": "of a unit outside the city, which is asked there",
    "erasures": "through which number it was asked: on desks only",
}


def test_every_table_that_names_a_number_was_looked_at():
    naming = {
        table.name
        for table in Model.metadata.sorted_tables
        for column in table.columns
        if any(key.target_fullname == "contact_points.id" for key in column.foreign_keys)
    }

    assert naming == set(MOVED_OR_NOT)


def test_a_new_holder_gets_nothing_of_the_old_one_who_loses_nothing(session, number, lin):
    mail = a_contact_point("lin@example.com")
    operations._reach(lin, mail.kind, mail.value, NOW)

    taken_over(number)

    assert at(session, number) == {"registrations": 0, "cases": 0, "consents": 0}
    assert at(session, mail) == {"registrations": 1, "cases": 1, "consents": 1}
    assert queries.people_at(number.id) == []
    assert [(one.ended, one.until) for one in lin.past_contacts] == [(ContactEnd.HANDED_OVER, NOW)]
    assert history.lines_of(Subject("person", lin.id))[-1].act == "contact_handed_over"
    told = session.scalars(sa.select(Message).where(Message.kind == "contact_ended")).one()
    assert (told.recipient, told.person_id, told.values["ending"]) == ("lin@example.com", lin.id, "0036")


def test_without_another_way_what_was_given_waits_for_the_desk(session, number, lin):
    taken_over(number)

    registration = session.scalars(sa.select(Registration)).one()
    assert (registration.person, registration.contact_point_id) == (lin, None)
    assert session.scalar(sa.select(sa.func.count()).select_from(Message).where(Message.kind == "contact_ended")) == 0


def test_a_message_that_waits_for_the_old_holder_is_not_sent_to_the_new_one(session, number, lin):
    waiting = session.scalars(sa.select(Message).where(Message.contact_point_id == number.id)).all()
    assert {message.state for message in waiting} == {MessageState.WAITING}

    taken_over(number)

    assert {message.state for message in waiting} == {MessageState.FAILED}


def test_a_number_goes_on_reaching_a_colleague_when_a_desk_takes_it_off_one(session, number, lin, office, organiser):
    colleague = a_person("周启衡", organisation=office, at=number)
    with pytest.raises(NoReason):
        reaching.belongs_to_another(person=lin, contact_id=lin.contacts[0].id, reason=" ", by=organiser.actor, now=NOW)

    reaching.belongs_to_another(
        person=lin, contact_id=lin.contacts[0].id, reason="本人来电说已换号", by=organiser.actor, now=NOW
    )

    assert [one.id for one in queries.people_at(number.id)] == [colleague.id]
    assert at(session, number)["registrations"] == 0
    assert history.lines_of(Subject("person", lin.id))[-1].words.text == "本人来电说已换号"
    assert number.holding == 2


def test_a_number_is_quiet_once_carriers_may_have_given_it_to_somebody_else(session, number, lin):
    assert not queries.has_been_quiet(number, now=BEFORE + QUIET)
    assert queries.has_been_quiet(number, now=BEFORE + QUIET + timedelta(seconds=1))
    number.proven_at = NOW
    assert not queries.has_been_quiet(number, now=NOW + QUIET)
    assert not queries.has_been_quiet(a_contact_point(), now=NOW + QUIET * 9)


# --- on the phone ---------------------------------------------------------------------------------


def codes_in(session, kind="sign_in_code") -> str:
    return (
        session.scalars(sa.select(Message).where(Message.kind == kind).order_by(Message.id.desc()))
        .first()
        .values["code"]
    )


def sign_in(client, session, following="/my/tickets"):
    client.post(f"/sign-in?next={following}", data={"number": NUMBER})
    return client.post(f"/sign-in/code?next={following}", data={"code": codes_in(session)})


@pytest.fixture
def long_quiet(session, number, lin):
    lin.contacts[0].since -= QUIET * 2
    number.proven_at = lin.contacts[0].since
    session.commit()


def test_a_number_proven_lately_opens_as_ever(client, session, number, lin):
    number.proven_at = BEFORE
    session.commit()

    assert sign_in(client, session).location == "/my/tickets"
    assert "人才会客厅" in client.get("/my/tickets").text


@pytest.mark.usefixtures("long_quiet")
def test_a_number_that_was_long_quiet_opens_to_whoever_knows_the_name(client, session):
    assert sign_in(client, session).location.startswith("/sign-in/whose")
    asked = client.get("/sign-in/whose").text
    assert not any(secret in asked for secret in ("林", "人才会客厅"))
    assert client.get("/my/tickets").status_code == 302
    # giving up and coming again does not get past the question
    assert sign_in_again(client, session).location.startswith("/sign-in/whose")

    wrong = client.post("/sign-in/whose", data={"name": "王小明"})
    assert (wrong.status_code, "姓名与登记的不一致" in wrong.text) == (422, True)
    assert client.post("/sign-in/whose?next=/my/tickets", data={"name": " 林 知遥"}).location == "/my/tickets"
    assert "人才会客厅" in client.get("/my/tickets").text


def sign_in_again(client, session):
    with client.session_transaction() as kept:
        kept.clear()
    session.execute(sa.text("DELETE FROM attempts"))
    session.commit()
    return sign_in(client, session)


@pytest.mark.usefixtures("long_quiet")
def test_names_cannot_be_guessed_in_a_loop(client, session):
    sign_in(client, session)

    answers = [client.post("/sign-in/whose", data={"name": f"王{n}"}).status_code for n in range(6)]
    right = client.post("/sign-in/whose", data={"name": "林知遥"})

    assert (answers, right.status_code) == ([422] * 6, 422)
    assert "请在" in right.text or "分钟" in right.text


@pytest.mark.usefixtures("long_quiet")
def test_whoever_got_the_number_later_begins_afresh_and_the_old_phone_is_signed_out(app, client, session, number):
    old_phone = proven(app.test_client(), number)
    assert "人才会客厅" in old_phone.get("/my/tickets").text
    sign_in(client, session)

    assert client.post("/sign-in/new-to-me?next=/my/tickets").location == "/my/tickets"

    mine = client.get("/my/tickets").text
    assert "人才会客厅" not in mine
    assert "配偶调动" not in client.get("/my/requests").text
    assert "林" not in client.get("/my/data/").text
    assert old_phone.get("/my/tickets").status_code == 302


def test_whoever_finds_strangers_tickets_frees_the_number(app, client, session, number, lin):
    number.proven_at = BEFORE
    session.commit()
    sign_in(client, session)
    assert "/my/number" in client.get("/my").text
    assert "林" not in client.get("/my/number").text

    client.post("/my/number")

    assert "人才会客厅" not in client.get("/my/tickets").text
    assert at(session, number) == {"registrations": 0, "cases": 0, "consents": 0}


def test_freeing_a_number_takes_a_code_given_a_moment_ago(client, session, number, lin):
    proven(client, number)
    with client.session_transaction() as kept:
        kept["proven_at"] = (BEFORE - timedelta(days=3)).isoformat()

    assert client.post("/my/number").location.startswith("/sign-in")
    assert at(session, number)["registrations"] == 1


def test_the_desk_notes_that_a_number_changed_hands(client, session, number, lin, organiser):
    desk = signed_in(client, organiser)
    contact = lin.contacts[0].id

    without = desk.post(f"/desk/people/{lin.id}/contacts/{contact}/belongs-to-another", data={"reason": ""})
    assert (without.status_code, at(session, number)["registrations"]) == (409, 1)
    desk.post(f"/desk/people/{lin.id}/contacts/{contact}/belongs-to-another", data={"reason": "本人来电"})

    page = desk.get(f"/desk/people/{lin.id}/edit").text
    assert "号码已归他人" in page
    assert at(session, number)["registrations"] == 0
