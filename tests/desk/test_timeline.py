"""One timeline per person: what was taken down for a purpose of its own is not told, and many lines cost like few."""

from dataclasses import MISSING, fields
from datetime import timedelta

import pytest

from outreach.desk import queries
from outreach.events.rules import PURPOSES, TOLD_KINDS, EventKind
from outreach.kernel.database import db
from outreach.organisations.rules import Role
from outreach.people.models import Look
from outreach.people.rules import Purpose, TimelineEntry
from outreach.registration import queries as registration
from tests.conftest import NOW
from tests.factories import a_case, a_registration, a_visit, an_account, an_event, signed_in

DAY = timedelta(days=1)


def told(viewer, city, cursor=None):
    return queries.timeline(viewer, city.talent, cursor=cursor, now=NOW)


def test_nothing_comes_into_a_timeline_without_its_purpose():
    [purpose] = [field for field in fields(TimelineEntry) if field.name == "purpose"]

    assert (purpose.default, purpose.default_factory) == (MISSING, MISSING)
    assert set(PURPOSES) == set(EventKind)
    assert EventKind.YOUTH_SOCIAL not in TOLD_KINDS


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.SUPERVISOR, Role.SERVICE_OFFICER])
def test_a_youth_social_is_never_told(city, role):
    viewer = an_account(organisation=city.office, roles=[role])
    salon = an_event("把实验室搬进老厂房", organisation=city.office, author=city.organiser)
    social = an_event("龙凤计划", organisation=city.office, author=city.organiser, kind=EventKind.YOUTH_SOCIAL)
    for event in (salon, social):
        a_registration(event=event, person=city.talent)

    entries = [each.entry for each in told(viewer, city).items]

    assert [entry.values["event"] for entry in entries if entry.kind == "registration"] == [salon.title]
    assert not any("龙凤" in str(entry) for entry in entries)


def test_a_source_that_forgets_the_wall_is_stopped_at_the_page(city, monkeypatch):
    def of_courtship(*, person_id, before, limit):
        return [
            TimelineEntry(
                at=NOW - DAY, purpose=Purpose.COURTSHIP, kind="case", key="choice:1", sentence="Chose", values={}
            )
        ]

    monkeypatch.setattr(queries, "SOURCES", (of_courtship,))

    assert told(city.organiser, city).items == []


def test_the_page_of_a_person_says_nothing_of_a_social(client, city):
    social = an_event("龙凤计划", organisation=city.office, author=city.organiser, kind=EventKind.YOUTH_SOCIAL)
    a_registration(event=social, person=city.talent)

    page = signed_in(client, city.organiser).get(f"/desk/people/{city.talent.id}").text

    assert city.talent.name in page
    assert "龙凤" not in page


def test_looks_are_told_to_who_may_look(city):
    supervisor = an_account(organisation=city.office, roles=[Role.SUPERVISOR])
    db.session.add(
        Look(
            person_id=city.talent.id,
            account_id=city.organiser.id,
            organisation_id=city.office.id,
            role=Role.ORGANISER,
            what="birth",
            reason="核对报名",
            at=NOW - DAY,
        )
    )
    db.session.flush()

    assert "look" in [each.entry.kind for each in told(city.organiser, city).items]
    assert "look" not in [each.entry.kind for each in told(supervisor, city).items]
    assert "look" not in [each.entry.kind for each in told(city.leader, city).items]


def test_a_page_takes_as_many_statements_for_many_lines_as_for_few(city, statements):
    def add(how_many):
        for number in range(how_many):
            event = an_event("沙龙", organisation=city.office, author=city.organiser, starts_at=NOW + number * DAY)
            a_registration(event=event, person=city.talent)
            a_visit(leaders=[city.leader], talents=[city.talent], at=NOW - (number + 1) * DAY)
            a_case(intake=city.office, person=city.talent, now=NOW - number * DAY)

    def taken():
        db.session.flush()
        db.session.expire_all()
        for one in (city.organiser, city.talent):
            db.session.refresh(one)
        with statements() as counted:
            told(city.organiser, city)
        return len(counted)

    add(2)
    few = taken()
    add(25)

    assert taken() == few
    assert registration.timeline_of(person_id=city.talent.id, before=NOW + 90 * DAY, limit=5)[0].purpose.is_told
