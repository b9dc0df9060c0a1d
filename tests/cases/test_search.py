"""Finding requests: by number, by words of the person, in few statements, however many there are."""

import pytest

from outreach.cases import queries
from outreach.cases.queries import Choice, counts_for, list_of, units_in_list
from outreach.cases.rules.lists import Tab
from outreach.organisations.rules import Role
from tests.conftest import NOW
from tests.factories import a_case, a_person, an_account, an_organisation, signed_in


@pytest.fixture
def office(city):
    return city.office


@pytest.fixture
def organiser(office):
    return an_account("何清越", organisation=office, roles=[Role.ORGANISER])


def found(viewer, text, tab=Tab.OPEN):
    return list_of(viewer, Choice(tab=tab, text=text), cursor=None, now=NOW).items


def test_a_text_finds_by_number_or_by_words_of_the_person(office, organiser, monkeypatch):
    wang = a_case(intake=office, person=a_person("王小明", organisation=office), now=NOW)
    zeng = a_case(intake=office, person=a_person("曾国凡", organisation=office), now=NOW)

    for most in (1000, 0):  # few are looked up at once; of many each row is asked
        monkeypatch.setattr("outreach.people.queries.MOST_COUNTED", most)
        assert found(organiser, "小明") == [wang]
        assert found(organiser, "王小明") == [wang]
        assert found(organiser, "zengg") == [zeng]
    assert found(organiser, wang.number) == [wang]
    assert found(organiser, wang.number[:6]) == [wang, zeng]
    assert found(organiser, "2026") == [wang, zeng]
    for nothing in ("1999", "汪", "%", "2026-%", "🎉"):
        assert found(organiser, nothing) == []


def test_counts_are_capped(office, organiser, monkeypatch):
    monkeypatch.setattr(queries.lists, "COUNTED_UP_TO", 2)
    for _ in range(5):
        a_case(intake=office, now=NOW)

    assert counts_for(organiser, [Tab.OPEN, Tab.TO_ASSIGN, Tab.ENDED], now=NOW) == {
        Tab.OPEN: 3,
        Tab.TO_ASSIGN: 3,
        Tab.ENDED: 0,
    }


def test_units_of_the_list_are_those_that_owe_something_seen(office, organiser):
    unit = an_organisation("教育局", parent=office)
    handler = an_account(organisation=unit, roles=[Role.HANDLER])
    a_case(intake=office, now=NOW)

    assert units_in_list(organiser) == [office]
    assert units_in_list(handler) == []


def test_the_list_takes_as_many_statements_for_many_as_for_few(client, office, organiser, statements):
    desk = signed_in(client, organiser)
    paths = ("/desk/requests?tab=open", "/desk/requests?tab=open&q=林&page=last", "/desk/search?q=林")

    def taken():
        counts = []
        for path in paths:
            with statements() as counted:
                assert desk.get(path).status_code == 200
            counts.append(len(counted))
        return counts

    for _ in range(8):  # more than the search shows of each
        a_case(intake=office, person=a_person(organisation=office), now=NOW)
    taken()
    few = taken()
    for _ in range(12):
        a_case(intake=office, person=a_person(organisation=office), now=NOW)

    assert taken() == few
