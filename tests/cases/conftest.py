"""A city with a lead office, two departments and one talent, for the tests of requests."""

from dataclasses import dataclass

import pytest

from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from outreach.people.models import ContactPoint, Person
from tests.factories import a_contact_point, a_person, an_account, an_installation, an_organisation


@dataclass
class City:
    """The people and units a request passes through."""

    office: Organisation
    schools: Organisation
    housing: Organisation
    organiser: Account
    supervisor: Account
    handler: Account
    other_handler: Account
    number: ContactPoint
    talent: Person


@pytest.fixture
def city(session) -> City:
    """The lead office 市委人才办 with 市教育局 and 市住建局 below it, and 林知遥 with a number."""
    office = an_installation().lead_organisation
    schools = an_organisation("市教育局", parent=office)
    housing = an_organisation("市住建局", parent=office)
    number = a_contact_point("+8619912340036")
    return City(
        office=office,
        schools=schools,
        housing=housing,
        organiser=an_account("唐平", organisation=office, roles=[Role.ORGANISER]),
        supervisor=an_account("叶艳泽", organisation=office, roles=[Role.SUPERVISOR]),
        handler=an_account("王浩", organisation=schools, roles=[Role.HANDLER]),
        other_handler=an_account("宋军", organisation=housing, roles=[Role.HANDLER]),
        number=number,
        talent=a_person("林知遥", organisation=office, at=number),
    )
