"""A lead office with a leader, the liaison officer and their talent, for the tests of liaison."""

from dataclasses import dataclass

import pytest

from outreach.liaison.models import Pairing
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
    talent: Person
    pairing: Pairing


@pytest.fixture
def city(session):
    """A lead office, its education bureau, and one pairing with its liaison officer."""
    office = factories.an_installation().lead_organisation
    bureau = factories.an_organisation("市教育局", parent=office)
    leader = factories.an_account("周启明", organisation=office, roles=[Role.LEADER])
    officer = factories.an_account("陈舒", organisation=office, roles=[Role.LIAISON_OFFICER])
    talent = factories.a_person("林知遥", organisation=office)
    pairing = factories.a_pairing(leader=leader, person=talent, liaison_officer=officer)
    return City(office, bureau, leader, officer, talent, pairing)
