"""A city with a lead office, two departments and one talent, for the tests of requests."""

from dataclasses import dataclass

import pytest

from outreach.cases import operations
from outreach.cases.rules.answers import AnswerKind
from outreach.kernel.actor import Actor, ActorKind
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from outreach.people.models import ContactPoint, Person
from tests.conftest import NOW
from tests.factories import a_case, a_contact_point, a_person, an_account, an_installation, an_organisation


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


def answer_of(city, case, now, **values):
    """Have the handler of 市教育局 answer it."""
    answer = {"kind": AnswerKind.SOLVED, "text": "江畔路小学，4 月 20 日登记。"} | values
    return operations.reply(case=case, version=case.version, by=city.handler.actor, now=now, **answer)


@pytest.fixture
def case(city):
    """A request of 林知遥, written down just now."""
    return a_case(intake=city.office, person=city.talent, contact_point=city.number, now=NOW)


@pytest.fixture
def assigned(city, case):
    """It, assigned to 市教育局."""
    operations.assign(case=case, unit=city.schools, version=case.version, by=city.organiser.actor, now=NOW)
    return case


@pytest.fixture
def accepted(city, assigned):
    """It, accepted there."""
    operations.accept(case=assigned, version=assigned.version, by=city.handler.actor, now=NOW)
    return assigned


@pytest.fixture
def replied(city, accepted):
    """It, answered there."""
    answer_of(city, accepted, NOW)
    return accepted


@pytest.fixture
def person(city):
    """林知遥, acting on their own page."""
    return Actor(ActorKind.ATTENDEE, city.number.id)
