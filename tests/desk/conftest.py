"""A lead office, its education bureau, and a leader with one talent, for the tests of first pages."""

from dataclasses import dataclass

import pytest

from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from outreach.people.models import Person
from tests import factories


@dataclass
class City:
    """Who there is."""

    office: Organisation
    bureau: Organisation
    leader: Account
    officer: Account
    organiser: Account
    talent: Person


@pytest.fixture
def city(session):
    """周启明 keeps in touch with 林知遥 and 陈舒 serves him; 唐平 organises."""
    office = factories.an_installation().lead_organisation
    bureau = factories.an_organisation("市教育局", parent=office)
    leader = factories.an_account("周启明", organisation=office, roles=[Role.LEADER])
    officer = factories.an_account("陈舒", organisation=office, roles=[Role.LIAISON_OFFICER])
    organiser = factories.an_account("唐平", organisation=office, roles=[Role.ORGANISER])
    talent = factories.a_person("林知遥", organisation=office)
    factories.a_pairing(leader=leader, person=talent, liaison_officer=officer)
    return City(office, bureau, leader, officer, organiser, talent)
