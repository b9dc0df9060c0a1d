"""Merging and undoing, tried by chance."""

from contextlib import contextmanager
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outreach.kernel import guards, history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import Model, db
from outreach.kernel.history import Subject
from outreach.organisations.models import Installation
from outreach.organisations.rules import Role
from outreach.people.models import Person, PersonContact, PersonField, ProfessionalField
from outreach.people.operations import merging, reaching
from outreach.people.rules.merging import COLUMNS
from outreach.registration import operations as registrations
from outreach.registration.models import Registration
from outreach.registration.rules import LIVING
from tests.conftest import NOW
from tests.factories import (
    BEFORE,
    a_case,
    a_contact_point,
    a_pairing,
    a_person,
    a_registration,
    a_visit,
    an_account,
    an_event,
)

HAS = (
    "contact",
    "shared contact",
    "registration",
    "shared event",
    "case",
    "pairing",
    "shared pairing",
    "visit",
    "field",
)
DOES = ("case", "visit", "contact", "correct", "take off", "take over", "cancel", "register", "end pairing")


class World:
    """Two records of an office, and what they may have to do with."""

    def __init__(self) -> None:
        office = self.office = db.session.get_one(Installation, 1).lead_organisation
        self.organiser = an_account(organisation=office, roles=[Role.ORGANISER])
        self.leaders = [an_account(organisation=office, roles=[Role.LEADER]) for _ in range(3)]
        self.shared = a_contact_point()
        self.events = [
            an_event(organisation=office, author=self.organiser, groups=(("博士", 2), ("企业", 9))) for _ in range(3)
        ]
        self.field = ProfessionalField(name="新材料", position=1)
        db.session.add(self.field)
        self.two = [a_person("林知遥", organisation=office) for _ in range(2)]

    def give(self, who: int, what: str) -> None:
        """Let one of the two have something; "shared" is what both may have of one kind."""
        person, leader, event = self.two[who], self.leaders[who], self.events[who]
        if what in ("contact", "shared contact"):
            point = self.shared if what.startswith("shared") else a_contact_point()
            if point.id not in [one.contact_point_id for one in person.contacts]:
                db.session.add(PersonContact(person=person, contact_point=point, since=BEFORE))
        elif what in ("registration", "shared event"):
            event = self.events[2] if what.startswith("shared") else event
            if registrations.queries.living(event_id=event.id, person_id=person.id) is None:
                a_registration(event=event, person=person, group=event.groups[1])
        elif what == "case":
            a_case(intake=self.office, person=person)
        elif what in ("pairing", "shared pairing"):
            leader = self.leaders[2] if what.startswith("shared") else leader
            pair = sa.select(Model.metadata.tables["pairings"].c.id).where(
                sa.text(f"leader_id = {leader.id} AND person_id = {person.id} AND ends_on IS NULL")
            )
            if db.session.scalar(pair) is None:
                a_pairing(leader=leader, person=person, starts_on=date(2026, 1 + who, 1))
        elif what == "visit":
            a_visit(leaders=[leader], talents=self.two if leader is self.leaders[0] else [person])
        elif not person.fields:
            person.fields = [PersonField(field=self.field)]
        db.session.flush()

    def do(self, what: str) -> None:
        """Change something of the record that stands."""
        person = self.two[0]
        db.session.expire_all()
        if what == "case":
            a_case(intake=self.office, person=person, now=NOW)
        elif what == "visit":
            a_visit(leaders=[self.leaders[0]], talents=[person], at=NOW)
        elif what == "contact":
            db.session.add(PersonContact(person=person, contact_point=a_contact_point(), since=NOW))
        elif what == "correct":
            person.employer = f"{person.employer or ''}新"
        elif what == "take off" and person.contacts:
            reaching.take_off(person=person, contact_id=person.contacts[0].id, by=self.organiser.actor, now=NOW)
        elif what == "take over" and person.contacts:
            point = person.contacts[-1].contact_point
            reaching.take_over(contact_point=point, by=Actor(ActorKind.ATTENDEE, point.id), now=NOW)
        elif what == "cancel":
            living = sa.select(Registration).where(Registration.person_id == person.id, Registration.state.in_(LIVING))
            for registration in db.session.scalars(living.limit(1)):
                registrations.cancel(registration=registration, by=self.organiser.actor, now=NOW, reason="不来了")
        elif what == "register":
            other = a_person(organisation=self.office)
            a_registration(event=self.events[2], person=other, group=self.events[2].groups[1])
        db.session.flush()


def pointing() -> dict[tuple[str, str, int], int]:
    """Who every row points to."""
    found = {}
    for table, column in guards.references_to_people():
        rows = Model.metadata.tables[table]
        for row_id, person_id in db.session.execute(sa.select(rows.c.id, rows.c[column])):
            found[table, column, row_id] = person_id
    return found


def values_of(person: Person) -> dict[str, object]:
    return {column: getattr(person, column) for column in COLUMNS}


@contextmanager
def forgotten_afterwards():
    """Leave nothing of an attempt, however it ends."""
    try:
        yield
    finally:
        db.session.rollback()
        db.session.expunge_all()


@pytest.fixture
def set_up(session, city):
    session.commit()


WORDS = st.sampled_from(["", "雁城新材", "来雁数据", "𠮷野", "<b>", "=1+1"])


@pytest.mark.usefixtures("set_up")
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    has=st.lists(st.tuples(st.integers(0, 1), st.sampled_from(HAS)), max_size=10),
    does=st.lists(st.sampled_from(DOES), max_size=6),
    words=st.tuples(WORDS, WORDS, WORDS, WORDS),
    leads=st.sets(st.sampled_from(["employer", "school"])),
)
def test_after_any_changes_undoing_brings_everything_back_or_says_why_not(has, does, words, leads):
    with forgotten_afterwards():
        world = World()
        kept, gone = world.two
        kept.employer, gone.employer, kept.school, gone.school = (word or None for word in words)
        for who, what in has:
            world.give(who, what)
        before, said = pointing(), [values_of(person) for person in world.two]

        merge = merging.merge(kept=kept, gone=gone, leads=leads, by=world.organiser, now=NOW)
        after = pointing()
        assert gone.id not in after.values()
        for what in does:
            world.do(what)
        stayed = merging.undo(merge=merge, different=False, by=world.organiser, now=NOW + timedelta(hours=1)).stayed

        listed = {(entry["table"], entry["id"]) for entry in stayed}
        corrected = {entry["column"] for entry in stayed if "column" in entry}
        now_at = pointing()
        both = {kept.id, gone.id}
        for (table, column, row_id), person_id in now_at.items():
            if (table, row_id) not in listed and person_id in both:
                assert before.get((table, column, row_id)) == person_id, (table, row_id)
        for table, _column, row_id in before.keys() - now_at.keys():
            assert (table, row_id) in listed
        assert values_of(gone) == said[1]
        assert {c: v for c, v in values_of(kept).items() if c not in corrected} == {
            c: v for c, v in said[0].items() if c not in corrected
        }
        assert (gone.merged_into_id, kept.aside, gone.aside) == (None, [], [])
        for person in world.two:
            assert history.first_broken_position(db.session(), Subject("person", person.id)) is None
