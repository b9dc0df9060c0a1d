"""Merging and undoing by two clerks at once, in threads with transactions of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from outreach.cases.models import Case
from outreach.kernel.database import db
from outreach.kernel.refusals import Refused
from outreach.organisations.models import Account
from outreach.organisations.rules import Role
from outreach.people import operations
from outreach.people.models import Person, PersonMerge
from outreach.people.operations import merging
from tests.conftest import NOW
from tests.factories import a_case, a_contact_point, a_person, an_account


def at_once(app, *actions):
    """Run the actions together, each in a transaction of its own, and return what each raised or None."""
    gate = Barrier(len(actions))

    def run(action):
        with app.app_context():
            gate.wait(timeout=20)
            try:
                action()
                db.session.commit()
            except Refused as refused:
                db.session.rollback()
                return type(refused).__name__
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


@pytest.fixture
def trio(session, city):
    office = city.lead_organisation
    organiser = an_account(organisation=office, roles=[Role.ORGANISER])
    point = a_contact_point()
    people = [a_person("林知遥", organisation=office, at=point) for _ in range(3)]
    ids = (organiser.id, *(person.id for person in people))
    session.commit()
    return ids


def merging_of(kept_id, gone_id, account_id):
    return lambda: merging.merge(
        kept=db.session.get_one(Person, kept_id),
        gone=db.session.get_one(Person, gone_id),
        leads=[],
        by=db.session.get_one(Account, account_id),
        now=NOW,
    )


def test_of_two_clerks_who_merge_the_same_pair_one_does_and_the_other_is_told(app, session, trio):
    account, one, other, _ = trio

    raised = at_once(app, merging_of(one, other, account), merging_of(other, one, account))

    assert sorted(raised, key=str) == ["MergedMeanwhile", None]
    assert session.scalar(sa.select(sa.func.count()).select_from(PersonMerge)) == 1


def test_merging_in_a_circle_at_once_ends_with_one_record(app, session, trio):
    account, *people = trio

    at_once(app, *(merging_of(people[n], people[(n + 1) % 3], account) for n in range(3)))

    standing = session.scalars(sa.select(Person.id).where(Person.merged_into_id.is_(None))).all()
    assert len(standing) == 1


def test_two_who_undo_at_once_undo_it_once(app, session, trio):
    account, one, other, _ = trio
    at_once(app, merging_of(one, other, account))
    merge_id = session.scalars(sa.select(PersonMerge.id)).one()
    session.commit()

    def undo():
        merging.undo(
            merge=db.session.get_one(PersonMerge, merge_id),
            different=True,
            by=db.session.get_one(Account, account),
            now=NOW,
        )

    raised = at_once(app, undo, undo)

    assert sorted(raised, key=str) == ["AlreadyUndone", None]


def test_whoever_asks_something_during_a_merge_asks_as_the_record_that_stays(app, session, trio):
    account, one, other, _ = trio
    office_id = session.get_one(Person, one).organisation_id
    session.commit()

    def ask():
        person = operations.held(other)
        a_case(intake=person.organisation, person=person, now=NOW)

    raised = at_once(app, merging_of(one, other, account), ask, ask)

    assert office_id
    assert session.scalars(sa.select(Case.person_id).distinct()).all() in ([one], [])
    assert {refusal for refusal in raised if refusal} <= {"MergedMeanwhile"}
