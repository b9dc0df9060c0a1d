"""People's records: written down, corrected, looked at."""

import pytest
import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.contact_details import NotAPhone
from outreach.kernel.history import Subject
from outreach.organisations.rules import Role
from outreach.people import operations, queries
from outreach.people.models import ConsentText, ContactPoint, PersonTakenOut, TakenOut
from outreach.people.rules import (
    ChangedMeanwhile,
    ContactKind,
    NoConsentText,
    NoReason,
    NotABirthDate,
    NotAnIdentityNumber,
    Revealable,
)
from tests.conftest import NOW
from tests.factories import a_contact_point, a_person, a_talent_class, an_account, an_organisation

OFFICE_NAMES = {"林知遥": "19901000001", "林若水": "19901000002", "曾令仪": "13800001234", "欧阳建": "19901001234"}


@pytest.fixture
def office(session):
    return an_organisation("市委人才办")


@pytest.fixture
def organiser(office):
    return an_account(organisation=office, roles=[Role.ORGANISER])


def added(office, organiser, name="林知遥", phone=None, email=None, **values):
    return operations.add(
        organisation=office, name=name, phone=phone, email=email, values=values, by=organiser.actor, now=NOW
    )


def at(number: str):
    return operations.contact_point(kind=ContactKind.PHONE, value=number, now=NOW)


def test_a_number_is_one_contact_point_however_it_is_typed(session):
    points = {at(typed).id for typed in ("19901000001", "+86 199 0100 0001", "１９９０１０００００１")}

    assert len(points) == 1
    assert session.query(ContactPoint).one().value == "+8619901000001"


def test_one_number_with_two_names_is_two_people(office, organiser):
    point = at("19901000001")
    about = {
        "contact_point": point,
        "organisation": office,
        "source": "registration:1",
        "now": NOW,
        "by": organiser.actor,
    }

    first = operations.person_at(name="林知遥", **about)
    again = operations.person_at(name=" 林　知遥 ", **about)
    other = operations.person_at(name="林若水", **about)

    assert again.id == first.id
    assert other.id != first.id
    assert [person.name for person in queries.people_at(point.id)] == ["林知遥", "林若水"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("林", ["林若水", "林知遥"]),
        ("知遥", ["林知遥"]),
        ("lzy", ["林知遥"]),
        ("linzhi", ["林知遥"]),
        ("zly", ["曾令仪"]),
        ("cenglingyi", ["曾令仪"]),
        ("ouyang", ["欧阳建"]),
        ("oyj", ["欧阳建"]),
        ("13800001234", ["曾令仪"]),
        ("138 0000 1234", ["曾令仪"]),
        ("1234", ["欧阳建", "曾令仪"]),
        ("a@b.example", ["林若水"]),
        ("%", []),
        ("李", []),
    ],
)
def test_people_are_found_by_name_sound_number_and_address(office, organiser, text, found):
    for name, number in OFFICE_NAMES.items():
        added(office, organiser, name, number, "A@B.example" if name == "林若水" else None)

    assert [person.name for person in queries.find(organiser, queries.Wanted(text=text)).page().items] == found


def test_last_digits_find_nobody_for_those_who_may_not_see_numbers(office, organiser):
    added(office, organiser, "曾令仪", "13800001234")
    supervisor = an_account(organisation=office, roles=[Role.SUPERVISOR])

    assert queries.find(supervisor, queries.Wanted(text="1234")).page().items == []


def test_people_of_other_units_are_not_found(office, organiser):
    a_person("林知遥", organisation=an_organisation("别的市"))

    assert queries.find(organiser, queries.Wanted(text="林")).page().items == []


def test_a_county_is_seen_from_above_and_not_from_beside(office, organiser):
    county = an_organisation("石鼓区", parent=office)
    neighbour = an_organisation("蒸湘区", parent=office)
    person = a_person("林知遥", organisation=county)
    beside = an_account(organisation=neighbour, roles=[Role.ORGANISER])

    assert [one.id for one in queries.find(organiser, queries.Wanted(text="林")).page().items] == [person.id]
    assert queries.find(beside, queries.Wanted(text="林")).page().items == []


def test_a_correction_is_kept_in_the_history_by_column_never_by_value(office, organiser):
    person = added(office, organiser, "林知遥", "19901000001")

    operations.change(
        person=person,
        name="林知遥",
        phone="19901000002",
        email=None,
        values={"employer": "雁城新材", "talent_class": a_talent_class()},
        seen_at=person.updated_at,
        by=organiser.actor,
        now=NOW,
    )

    line = history.lines_of(Subject("person", person.id))[-1]
    assert (line.act, line.facts) == ("changed", {"columns": ["employer", "talent_class"], "contacts_added": 1})
    assert person.reached_by(ContactKind.PHONE) == ["+8619901000001", "+8619901000002"]


def test_a_record_somebody_else_changed_meanwhile_is_not_overwritten(office, organiser):
    person = added(office, organiser)

    with pytest.raises(ChangedMeanwhile):
        operations.change(
            person=person,
            name="x",
            phone=None,
            email=None,
            values={},
            seen_at=NOW.replace(year=2025),
            by=organiser.actor,
            now=NOW,
        )


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"phone": "1990100"}, NotAPhone),
        ({"birth": "2099-01-01"}, NotABirthDate),
        ({"birth": "属羊"}, NotABirthDate),
        ({"identity_number": "431399197012280241"}, NotAnIdentityNumber),
    ],
)
def test_what_cannot_be_is_refused(office, organiser, values, refusal):
    with pytest.raises(refusal):
        added(office, organiser, **values)


def test_looking_leaves_a_line_that_says_who_what_when_and_why(office, organiser):
    person = added(office, organiser, "林知遥", "19901000001")
    contact = person.contacts[0]

    shown = operations.look(
        person=person,
        viewer=organiser,
        what=Revealable.CONTACT,
        reason="为走访打电话",
        now=NOW,
        which=contact.id,
    )

    assert shown == "+8619901000001"
    looked = queries.looks_at(person)[0]
    assert (looked.name, looked.what, looked.reason, looked.at) == (organiser.name, "contact", "为走访打电话", NOW)
    assert history.lines_of(Subject("person", person.id))[-1].words.text == "为走访打电话"


def test_nobody_looks_without_a_reason(office, organiser):
    person = added(office, organiser, "林知遥", "19901000001")

    with pytest.raises(NoReason):
        operations.look(person=person, viewer=organiser, what=Revealable.BIRTH, reason="  ", now=NOW)


def test_consent_is_kept_with_the_version_and_the_language_it_was_shown_in(session, office):
    operations.seed_consent_texts(now=NOW)
    operations.seed_consent_texts(now=NOW)
    person, point = a_person(organisation=office), a_contact_point()

    consent = operations.give_consent(
        person=person, purpose="registration", contact_point=point, about="event:12", now=NOW, language="en"
    )

    assert session.query(ConsentText).count() == 6  # registering, asking, a guardian: each in two languages, once
    assert (consent.text.purpose, consent.text.version, consent.text.language) == ("registration", 1, "en")
    assert queries.current_consent("registration", "fr").language == "zh_Hans_CN"
    assert [entry.kind for entry in queries.timeline_of(person.id)] == ["consent"]


def test_nobody_agrees_to_a_text_that_is_not_there(office):
    with pytest.raises(NoConsentText):
        operations.give_consent(
            person=a_person(organisation=office), purpose="registration", contact_point=None, about="event:1", now=NOW
        )


def test_everybody_in_an_export_is_noted_once_with_who_took_it_and_why(session, office, organiser):
    people = [a_person(organisation=office) for _ in range(3)]
    ids = [person.id for person in people]

    for some in (ids[:2], ids[1:], ids):  # in steps, and begun anew after a stop
        operations.note_exported(export_id=7, account_id=organiser.id, person_ids=some, reason="报送统计", now=NOW)

    taken_out = session.scalars(sa.select(TakenOut)).one()
    assert (taken_out.export_id, taken_out.role, taken_out.reason, taken_out.at) == (7, Role.ORGANISER, "报送统计", NOW)
    assert taken_out.organisation_id == office.id
    assert sorted(session.scalars(sa.select(PersonTakenOut.person_id))) == sorted(ids)
