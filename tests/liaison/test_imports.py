"""The arrangement of pairings, judged and landed row by row."""

from datetime import date

import pytest
import sqlalchemy as sa

from outreach.intake.rules import Errand, Landing, Row, Verdict, plain_text
from outreach.kernel.actor import SYSTEM
from outreach.kernel.history import Subject, lines_of
from outreach.liaison.imports import IMPORTER
from outreach.liaison.models import Pairing
from outreach.liaison.rules import Rhythm
from outreach.organisations.models import Account
from outreach.organisations.operations import create_account
from outreach.organisations.rules import Role
from outreach.people.models import Person
from tests.conftest import NOW
from tests.factories import a_contact_point, a_person, a_talent_class, an_account, an_installation

[SHEET] = IMPORTER.sheets
LINE = {
    "leader": "马文",
    "position": "市委常委、组织部部长",
    "talent": "郑洋怡",
    "employer": "南岳农业",
    "phone": "19901000056",
    "officer": "董若",
    "officer_phone": "19909000001",
}


@pytest.fixture
def office(session):
    return an_installation().lead_organisation


@pytest.fixture
def talent(office):
    person = a_person("郑洋怡", organisation=office, at=a_contact_point("+8619901000056"))
    person.talent_class = a_talent_class()
    person.employer = "南岳农业"
    return person


def row(number=3, rest=None, **cells):
    line = {**LINE, **cells}
    cells = {name: [cell] for name, cell in line.items() if cell}
    said = {name: [plain_text(cell) for cell in held] for name, held in cells.items()}
    return Row(sheet=0, number=number, cells=cells, said=said, rest=rest or {})


def errand(office):
    return Errand(import_id=1, account_id=1, organisation_id=office.id, by=SYSTEM, now=NOW)


def judge(office, *rows):
    return SHEET.judge(rows, errand(office))


def land(office, *rows):
    """Judge and land rows as the intake does, and return their verdicts."""
    run = errand(office)
    judged = SHEET.judge(rows, run)
    for one, judgement in zip(rows, judged, strict=True):
        if judgement.verdict is Verdict.NEW:
            [landed] = SHEET.land([Landing(one, None)], errand(office))
            assert landed.refused is None
    return [judgement.verdict for judgement in judged]


def test_a_row_becomes_a_pairing_with_two_accounts(office, talent, session):
    assert land(office, row()) == [Verdict.NEW]

    pairing = session.scalars(sa.select(Pairing)).one()
    assert (pairing.person, pairing.rhythm, pairing.starts_on) == (talent, Rhythm.MONTHLY, date(2026, 11, 24))
    assert (pairing.leader.name, pairing.leader.position) == ("马文", "市委常委、组织部部长")
    assert [(grant.role, grant.organisation) for grant in pairing.leader.grants] == [(Role.LEADER, office)]
    assert [grant.role for grant in pairing.liaison_officer.grants] == [Role.LIAISON_OFFICER]
    assert pairing.liaison_officer.phone == "+8619909000001"
    assert pairing.leader.password_hash is None


def test_the_same_file_twice_adds_nothing(office, talent, session):
    land(office, row())

    [again] = judge(office, row())

    assert (again.verdict, again.match_id) == (Verdict.SAME, session.scalars(sa.select(Pairing.id)).one())
    assert land(office, row()) == [Verdict.SAME]
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 2


def test_a_leader_of_several_talents_is_one_account(office, talent, session):
    a_person("彭欣", organisation=office, at=a_contact_point("+8619901000282"))

    land(office, row(), row(4, talent="彭欣", phone="19901000282"))

    assert session.scalar(sa.select(sa.func.count()).select_from(Pairing)) == 2
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 2


def test_accounts_that_exist_are_taken_and_keep_their_roles(office, talent, session):
    an_account(organisation=office, roles=[Role.ADMINISTRATOR])
    officer = create_account(
        name="董若",
        organisation=office,
        roles=[(Role.ORGANISER, office)],
        position="干部",
        phone="199 0900 0001",
        email=None,
        by=SYSTEM,
        now=NOW,
    )

    land(office, row())

    pairing = session.scalars(sa.select(Pairing)).one()
    assert pairing.liaison_officer is officer
    assert {grant.role for grant in officer.grants} == {Role.ORGANISER, Role.LIAISON_OFFICER}


def test_a_namesake_in_another_position_is_another_leader(office, talent, session):
    create_account(
        name="马文", organisation=office, roles=[], position="科员", phone=None, email=None, by=SYSTEM, now=NOW
    )

    land(office, row())

    assert sorted(session.scalars(sa.select(Account.position).where(Account.name == "马文"))) == [
        "市委常委、组织部部长",
        "科员",
    ]


def test_a_talent_who_is_not_known_is_added_with_unit_and_number(office, session):
    [judgement] = judge(office, row())
    land(office, row())

    assert judgement.verdict is Verdict.NEW
    assert "Not in the records yet" in judgement.reasons[0].sentence
    person = session.scalars(sa.select(Person)).one()
    assert (person.name, person.employer, person.source) == ("郑洋怡", "南岳农业", "import:1")


def test_a_number_that_belongs_to_somebody_else_is_refused_without_naming_them(office, talent):
    [judgement] = judge(office, row(talent="郑洋"))

    assert judgement.verdict is Verdict.REFUSED
    assert judgement.reasons[0].values == {"phone": "199****0056", "other": "郑**", "name": "郑*"}


def test_a_talent_with_a_new_number_is_found_by_name_and_unit(office, talent, session):
    [judgement] = judge(office, row(phone="19901999999"))
    land(office, row(phone="19901999999"))

    assert "Found by name and unit" in judgement.reasons[0].sentence
    assert session.scalars(sa.select(Pairing)).one().person is talent


@pytest.mark.parametrize(
    "cells",
    [{"talent": ""}, {"leader": ""}, {"phone": "1990100", "employer": ""}, {"officer_phone": "12345"}],
    ids=["no talent", "no leader", "half a number", "a wrong officer's number"],
)
def test_a_row_that_does_not_say_who_is_meant_is_refused(office, cells):
    assert [judgement.verdict for judgement in judge(office, row(**cells))] == [Verdict.REFUSED]


def test_a_row_that_repeats_an_earlier_one_is_the_same(office, talent):
    first, second = judge(office, row(3), row(4))

    assert (first.verdict, second.verdict, second.match_row.number) == (Verdict.NEW, Verdict.SAME, 3)


def test_a_later_file_fills_in_the_liaison_officer(office, talent, session):
    land(office, row(officer="", officer_phone=""))

    [judgement] = judge(office, row())
    SHEET.land([Landing(row(), judgement.match_id)], errand(office))

    assert (judgement.verdict, judgement.fills) == (Verdict.SAME, 1)
    assert session.scalars(sa.select(Pairing)).one().liaison_officer.name == "董若"


def test_a_rhythm_in_the_file_goes_before_the_class(office, talent, session):
    land(office, row(rhythm="每季度一次"))

    assert session.scalars(sa.select(Pairing)).one().rhythm is Rhythm.QUARTERLY


def test_columns_without_a_field_are_kept_with_the_history(office, talent, session):
    land(office, row(rest={"备注": "院士工作站"}))

    [line] = lines_of(Subject("pairing", session.scalars(sa.select(Pairing.id)).one()))
    assert line.words.text == "备注: 院士工作站"
