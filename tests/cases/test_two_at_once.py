"""Two people in the same second, in threads with transactions of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from outreach.cases import operations, queries
from outreach.cases.rules.moves import ChangedMeanwhile
from outreach.kernel import history
from outreach.kernel.database import db
from outreach.organisations.models import Account, Organisation
from outreach.people.models import ContactPoint, Person
from tests.conftest import NOW
from tests.factories import a_case


def at_once(app, *actions):
    """Run the actions together and return what each raised or None."""
    gate = Barrier(len(actions))

    def run(action):
        with app.app_context():
            gate.wait(timeout=20)
            try:
                action()
                db.session.commit()
            except ChangedMeanwhile as refused:
                db.session.rollback()
                return refused
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def test_of_two_who_accept_and_return_at_once_one_does_and_the_other_is_told(app, session, city):
    case = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=NOW)
    operations.assign(case=case, unit=city.schools, version=case.version, by=city.organiser.actor, now=NOW)
    case_id, version, handler_id = case.id, case.version, city.handler.id
    session.commit()  # and nothing is read after it: on SQLite the test's own transaction would hold the lock

    def seen():
        handler = db.session.get_one(Account, handler_id)
        return {"case": queries.case_for(handler, case_id), "version": version, "by": handler.actor, "now": NOW}

    raised = at_once(
        app,
        lambda: operations.accept(**seen()),
        lambda: operations.return_case(ground="归住建局管", **seen()),
    )

    session.expire_all()
    assert [type(refusal) for refusal in raised if refusal] == [ChangedMeanwhile]
    assert len(history.lines_of(case.subject)) == 3
    assert history.first_broken_position(session(), case.subject) is None


def test_numbers_given_at_once_are_all_different(app, session, city):
    office_id, talent_id, number_id = city.office.id, city.talent.id, city.number.id
    session.commit()

    def ask():
        a_case(
            intake=db.session.get_one(Organisation, office_id),
            person=db.session.get_one(Person, talent_id),
            contact_point=db.session.get_one(ContactPoint, number_id),
            now=NOW,
        )

    at_once(app, *[ask] * 6)

    session.expire_all()
    numbers = sorted(case.number for case in queries.cases_of_contact(number_id))
    assert numbers == [f"2026-{place:04}" for place in range(1, 7)]
