"""Children under 14 come with a guardian's name and consent, given with the guardian's own telephone."""

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from outreach.kernel import clock
from outreach.organisations.rules import Role
from outreach.people import operations as people
from outreach.people.models import Consent, ContactPoint, Guardian, Look, Person
from outreach.people.rules import NeedsGuardian, needs_guardian
from outreach.privacy import queries as privacy
from outreach.registration import operations
from outreach.registration.models import Registration
from outreach.registration.rules import BirthMissing
from tests import factories

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("birth", "child"),
    [
        ("2012-11-24", False),
        ("2012-11-25", True),
        ("2012-11", True),
        ("2012", True),
        ("2011", False),
        ("2019-06-01", True),
        (None, False),
    ],
)
def test_under_fourteen_is_counted_to_the_day_and_in_doubt_a_child_is_one(birth, child):
    assert needs_guardian(birth, TODAY) is child


@pytest.fixture
def fair(city):
    office = city.lead_organisation
    organiser = factories.an_account(organisation=office, roles=[Role.ORGANISER])
    people.seed_consent_texts(now=factories.BEFORE)
    return factories.an_event(
        "亲子开放日", organisation=office, author=organiser, starts_at=clock.now() + timedelta(days=3), asks_birth=True
    )


@pytest.fixture
def parent(client, city):
    return factories.proven(client, factories.a_contact_point("+8619933334444"))


def said(fair, **more):
    return {"group": str(fair.groups[0].id), "name": "陈小满", "consent": "y", "birth": "2019-06-01", **more}


def sent(browser, fair, **more):
    return browser.post(f"/e/{fair.id}/register", data=said(fair, **more))


def test_a_child_is_registered_with_the_guardians_name_and_consent(parent, session, fair):
    answer = sent(parent, fair, guardian="陈舒", guardian_consent="y")

    assert answer.status_code == 303
    registration = session.scalars(sa.select(Registration)).one()
    guardian = session.get_one(Guardian, registration.guardian_id)
    assert (registration.under_age, registration.person.birth, guardian.name) == (True, "2019-06-01", "陈舒")
    assert guardian.contact_point_id == registration.contact_point_id
    assert {consent.text.purpose for consent in session.scalars(sa.select(Consent))} == {"registration", "guardian"}


def test_the_desk_sees_a_guardian_masked_and_in_full_for_a_reason_that_is_kept(app, parent, session, fair):
    sent(parent, fair, guardian="陈舒然", guardian_consent="y")
    registration = session.scalars(sa.select(Registration)).one()
    child = registration.person_id
    desk = factories.signed_in(app.test_client(), fair.author)
    pages = [
        desk.get(page).text
        for page in (
            f"/desk/people/{child}",
            f"/desk/events/{fair.id}/registrations/{registration.id}",
            f"/desk/people/{child}/in-full",
        )
    ]
    shown = desk.post(
        f"/desk/people/{child}/in-full", data={"what": f"guardian-{registration.guardian_id}", "reason": "孩子不舒服"}
    )

    assert ["陈**" in page for page in pages] == [True] * 3
    assert ["陈舒然" in page or "19933334444" in page for page in pages] == [False] * 3
    assert ["199****4444" in page for page in pages[:2]] == [True] * 2
    assert "陈舒然 19933334444" in shown.text
    look = session.scalars(sa.select(Look)).one()
    assert (look.person_id, look.what, look.reason) == (child, "guardian", "孩子不舒服")
    mine = parent.get(f"/my/data/{child}/looks")
    assert "监护人的姓名和手机号" in mine.text


def test_another_childs_guardian_is_not_shown_under_this_child(app, parent, session, fair):
    sent(parent, fair, guardian="陈舒然", guardian_consent="y")
    guardian = session.scalars(sa.select(Guardian)).one()
    other = factories.a_person("林小树", organisation=fair.organisation)
    desk = factories.signed_in(app.test_client(), fair.author)

    answer = desk.post(f"/desk/people/{other.id}/in-full", data={"what": f"guardian-{guardian.id}", "reason": "看看"})

    assert answer.status_code == 422
    assert "陈舒然" not in answer.text
    assert session.scalars(sa.select(Look)).all() == []


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ({"guardian": "", "guardian_consent": "y"}, "请填写监护人姓名"),
        ({"guardian": "陈舒"}, "请勾选您是监护人并且同意"),
        ({"birth": ""}, "请填出生日期"),
        ({"birth": "属羊"}, "1979-03-19"),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_nothing_is_registered(parent, session, fair, missing, sentence):
    answer = sent(parent, fair, **missing)

    assert answer.status_code == 422
    assert sentence in re.sub(r"<[^>]+>", "", answer.text)
    assert "陈小满" in answer.text
    assert session.scalars(sa.select(Registration)).all() == []
    assert session.scalars(sa.select(Person)).all() == []


def test_who_is_fourteen_needs_none(parent, session, fair):
    assert sent(parent, fair, birth="1990-01-01").status_code == 303
    assert session.scalars(sa.select(Registration)).one().under_age is False


def test_an_event_that_needs_no_age_asks_for_none(parent, session, fair):
    fair.asks_birth = False
    session.commit()

    page = parent.get(f"/e/{fair.id}/register").text

    assert 'name="birth"' not in page
    assert sent(parent, fair, birth="").status_code == 303


def test_nobody_registers_a_child_past_the_form(session, fair):
    person = factories.a_person(organisation=fair.organisation)
    common = {"event": fair, "group": fair.groups[0], "contact_point": None, "by": fair.author.actor}
    with pytest.raises(BirthMissing):
        operations.register(person=person, now=clock.now(), **common)
    person.birth = "2019-06-01"
    with pytest.raises(NeedsGuardian):
        operations.register(person=person, now=clock.now(), **common)
    registration = factories.a_registration(event=fair, person=person)
    registration.under_age = True

    with pytest.raises(sa.exc.IntegrityError, match="a_child_has_a_guardian"):
        session.flush()
    session.rollback()


def test_an_office_writes_down_no_child_by_hand(city, fair):
    with pytest.raises(NeedsGuardian):
        people.add(
            organisation=city.lead_organisation,
            name="陈小满",
            phone=None,
            email=None,
            values={"birth": "2019-06-01"},
            by=fair.author.actor,
            now=clock.now(),
        )


def test_a_parent_who_registers_a_child_keeps_a_number_of_their_own(parent, session, fair):
    own = session.scalars(sa.select(ContactPoint)).one()
    adult = factories.a_person("陈舒然", organisation=fair.organisation, at=own)
    session.commit()
    sent(parent, fair, guardian="陈舒然", guardian_consent="y")
    child = session.scalars(sa.select(Person).where(Person.name == "陈小满")).one()

    alone = {one.person.id: one.scope.alone for one in privacy.behind(own.id)}
    factories.a_person("温如许", organisation=fair.organisation, at=own)
    shared = {one.scope.alone for one in privacy.behind(own.id)}

    assert alone == {adult.id: True, child.id: False}
    assert shared == {False}
