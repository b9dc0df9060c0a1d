"""After an erasure: nothing tells who it was, everything that is counted is counted, and the chains verify."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.cases.models import Case
from outreach.door.models import Arrival
from outreach.intake.models import ImportRow
from outreach.kernel import history
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine, Subject
from outreach.notices.models import Message
from outreach.people.models import Consent, ContactPoint, Person, PersonContact
from outreach.people.rules import NOBODY
from outreach.privacy import operations
from outreach.privacy.models import Erasure
from outreach.privacy.rules import CHANGED_MIND, ErasureAskedBefore, ErasureMoveRefused, ErasureState, Scope
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState
from tests import factories
from tests.conftest import NOW
from tests.privacy.conftest import COLLEAGUE, IDENTITY, MAIL, NAME, PHONE, worked_off

DUE = NOW + CHANGED_MIND
TRACES = (NAME, "欧阳 思齐", PHONE.removeprefix("+86"), "199 1234 5678", MAIL, IDENTITY)


def traces_in_the_database() -> list[str]:
    """Read every value of every table as the application reads it, sealed ones opened, and say where a trace stands."""
    found = []
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(sa.select(table)).mappings():
            for column, value in row.items():
                found += [f"{table.name}.{column}: {trace}" for trace in TRACES if trace in str(value)]
    return found


def asked(life, *, alone=True):
    erasure = operations.ask_to_be_erased(
        person=life.person, scope=Scope(alone=alone), contact_point=life.number, by=life.by, now=NOW
    )
    db.session.commit()
    return erasure.id


def _counted():
    """What the yearly summary is made of."""
    return {
        "arrivals": db.session.scalar(sa.select(sa.func.count()).select_from(Arrival)),
        "registrations": db.session.execute(
            sa.select(Registration.event_id, sa.func.count())
            .group_by(Registration.event_id)
            .order_by(Registration.event_id)
        ).all(),
        "answered": db.session.execute(
            sa.select(Case.lead_id, Case.assigned_at, Case.accepted_at, Case.replied_at, Case.topic)
            .where(Case.replied_at.is_not(None))
            .order_by(Case.id)
        ).all(),
        "people": db.session.scalar(sa.select(sa.func.count()).select_from(Person)),
    }


def test_after_an_erasure_nothing_in_the_whole_database_tells_who_it_was(session, life):
    everywhere = {found.partition(":")[0] for found in traces_in_the_database()}
    assert {
        "people.name", "contact_points.value", "cases.words", "answers.text", "answers.rule", "visits.situation",
        "history_words.text", "import_rows.cells", "imports.filename", "messages.body", "messages.recipient",
        "looks.reason", "taken_out.reason", "reach_attempts.note", "case_feedback.words",
    } <= everywhere  # fmt: skip

    asked(life)
    worked_off(DUE)

    session.expire_all()
    assert traces_in_the_database() == []
    person = session.get_one(Person, life.person.id)
    assert (person.name, person.employer, person.identity_number, person.erased_at) == (NOBODY, None, None, DUE)


def test_what_is_counted_stays_and_every_chain_verifies(session, life):
    before = _counted()

    asked(life)
    worked_off(DUE)

    session.expire_all()
    assert _counted() == before
    subjects = session.execute(sa.select(HistoryLine.subject_kind, HistoryLine.subject_id).distinct()).all()
    assert len(subjects) == 9
    broken = [kept for kept in subjects if history.first_broken_position(session(), Subject(*kept)) is not None]
    assert broken == []


def test_places_and_requests_that_are_still_going_on_end(session, life):
    waiting = factories.a_registration(
        event=life.coming, person=life.colleague, state=RegistrationState.WAITLISTED, queued_at=NOW
    )

    asked(life)
    worked_off(DUE)

    session.expire_all()
    assert life.place.state is RegistrationState.CANCELLED
    assert waiting.state is RegistrationState.CONFIRMED
    assert life.came.state is RegistrationState.CONFIRMED
    assert life.open.state.value == "withdrawn"


def test_what_was_noted_about_somebody_else_stays(session, life):
    asked(life)
    worked_off(DUE)

    session.expire_all()
    assert life.together.situation == f"—想换住处，电话 —；{COLLEAGUE}一切都好。"
    assert (life.alone.situation, life.alone.advice) == (None, None)
    rows = [row.cells for row in session.scalars(sa.select(ImportRow).order_by(ImportRow.id))]
    assert rows[1] == []
    assert life.colleague.name == COLLEAGUE


def test_the_proof_that_they_agreed_stays_without_the_number(session, life):
    number_id = life.number.id
    asked(life)
    worked_off(DUE)

    session.expire_all()
    consents = session.scalars(sa.select(Consent).where(Consent.person_id == life.person.id)).all()
    assert {(consent.contact_point_id, consent.text.version) for consent in consents} == {(None, 1)}
    assert session.scalar(sa.select(ContactPoint).where(ContactPoint.id == number_id)) is None


def test_a_number_that_a_colleague_used_too_stays_theirs(session, life):
    registered = factories.a_registration(event=life.past, person=life.colleague, contact_point=life.number)
    session.add(PersonContact(person_id=life.colleague.id, contact_point_id=life.number.id, since=NOW))

    asked(life)
    worked_off(DUE)

    session.expire_all()
    assert registered.contact_point.value == PHONE
    told = session.scalars(sa.select(Message).where(Message.person_id == life.person.id)).all()
    assert len(told) > 3
    assert {(message.recipient, message.body) for message in told} == {("", None)}


def test_a_namesake_in_a_file_that_is_still_to_land_stays(session, life):
    from tests.intake.files import a_workbook, previewed  # noqa: PLC0415

    rows = [["姓名", "手机"], [NAME, "19977776666"]]
    imported = previewed(a_workbook(rows), life.organiser)

    asked(life)
    worked_off(DUE)

    session.expire_all()
    kept = session.scalars(
        sa.select(ImportRow).where(ImportRow.import_id == imported.id).order_by(ImportRow.id.desc())
    ).first()
    assert kept.cells[0] == NAME


def test_nothing_happens_before_its_time_and_it_can_be_called_off_until_then(session, life):
    erasure_id = asked(life)
    worked_off(DUE - timedelta(seconds=1))
    operations.call_off(erasure=session.get_one(Erasure, erasure_id), by=life.by, now=NOW)
    session.commit()
    worked_off(DUE + timedelta(days=1))

    session.expire_all()
    assert session.get_one(Person, life.person.id).name == NAME
    assert session.get_one(Erasure, erasure_id).state is ErasureState.CALLED_OFF


def test_begun_twice_it_is_done_once(session, life):
    erasure_id = asked(life)
    worked_off(DUE)

    with pytest.raises(ErasureMoveRefused):
        operations.carry_out(erasure=session.get_one(Erasure, erasure_id), now=DUE)


def test_one_wish_is_enough(life):
    asked(life)

    with pytest.raises(ErasureAskedBefore):
        asked(life)


def test_a_wish_through_a_shared_number_waits_for_the_office(session, life):
    erasure_id = asked(life, alone=False)
    worked_off(DUE + timedelta(days=30))

    erasure = session.get_one(Erasure, erasure_id)
    assert (erasure.state, erasure.due_at) == (ErasureState.AT_THE_OFFICE, None)

    operations.confirm(erasure=erasure, how="当面核对了身份证", account=life.organiser, now=DUE)
    session.commit()
    worked_off(DUE + CHANGED_MIND)

    session.expire_all()
    assert session.get_one(Erasure, erasure_id).state is ErasureState.DONE
    assert traces_in_the_database() == []
