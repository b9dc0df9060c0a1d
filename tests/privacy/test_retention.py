"""Every night what has been kept long enough goes, step by step, with a report; no promise is exceeded."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from outreach.cases.models import Case
from outreach.door.models import Arrival, DoorInvitation, DoorPass
from outreach.exports.models import Export, ExportPiece
from outreach.intake.models import Import, ImportRow
from outreach.kernel import history, outbox, timetable
from outreach.kernel.history import HistoryLine, HistoryWords, Subject
from outreach.liaison.models import Visit
from outreach.notices.models import Message
from outreach.people import operations as people
from outreach.people.models import Consent, Look, Person, PersonTakenOut, TakenOut
from outreach.people.rules import NOBODY
from outreach.privacy import jobs, operations, queries
from outreach.privacy.models import RetentionRun
from outreach.privacy.rules import Kept, KeptLongerThanPromised, KeptTooShort, months_before
from outreach.registration.models import Registration
from outreach.signing_in import operations as signing_in
from outreach.signing_in.models import ContactCode
from tests import factories
from tests.conftest import NOW
from tests.privacy.conftest import NAME, worked_off
from tests.privacy.test_erasure import DUE, asked, traces_in_the_database


def night(session, at):
    """Let one night's removing be done at a moment, and return its report."""
    work = outbox.enqueue(job="privacy.retain", now=at)
    session.commit()
    worked_off(at)
    session.expire_all()
    return session.scalars(sa.select(RetentionRun).where(RetentionRun.work_id == work.id)).one()


def test_months_are_the_offices_and_end_with_the_month():
    assert months_before(datetime(2026, 3, 30, 18, 0, tzinfo=UTC), 1) == datetime(2026, 2, 27, 18, 0, tzinfo=UTC)
    assert months_before(datetime(2026, 1, 15, 1, 0, tzinfo=UTC), 24) == datetime(2024, 1, 15, 1, 0, tzinfo=UTC)


def test_what_is_young_stays(session, life):
    report = night(session, NOW + timedelta(days=1))

    assert report.removed == {}
    assert life.person.name == NAME


def test_after_a_month_files_and_volunteers_names_go_and_nothing_else(session, life):
    invitation = DoorInvitation(
        event_id=life.past.id, token_hash="0" * 64, created_at=NOW, account_id=life.organiser.id
    )
    session.add(invitation)
    session.flush()
    phone = DoorPass(
        event_id=life.past.id, invitation_id=invitation.id, name="小赵", gate="东门", token_hash="1" * 64,
        enrolled_at=NOW, seen_at=NOW,
    )  # fmt: skip
    session.add(phone)

    report = night(session, NOW + timedelta(days=32))

    assert report.removed == {"import_rows": 3, "door_passes": 1}  # the row of headings is one
    assert session.scalars(sa.select(ImportRow)).all() == []
    assert session.scalars(sa.select(Import)).one().sheets is None
    assert (phone.name, phone.gate) == ("—", None)
    assert life.person.name == NAME


def test_after_two_years_registrations_are_counted_and_nobodys(session, life):
    report = night(session, NOW + timedelta(days=740))

    rows = session.scalars(sa.select(Registration).order_by(Registration.id)).all()
    assert report.removed["registrations"] == 2
    assert {row.person.name for row in rows} == {NOBODY}
    assert {row.contact_point_id for row in rows} == {None}
    assert session.scalar(sa.select(sa.func.count()).select_from(Arrival)) == 1
    assert life.person.name == NAME


def test_after_three_years_the_logs_of_looks_and_lists_go_with_their_reasons(session, life):
    past = NOW + timedelta(days=366 * 3)
    before = session.scalar(sa.select(sa.func.count()).select_from(HistoryLine))

    report = night(session, past)

    assert (report.removed["looks"], report.removed["lists"]) == (1, 1)
    for table in (Look, Export, ExportPiece, TakenOut, PersonTakenOut):
        assert session.scalars(sa.select(table)).all() == []
    reasons = sa.select(HistoryWords).join(HistoryLine).where(HistoryLine.act.in_(("looked_at", "asked")))
    of_lists = HistoryLine.subject_kind == "export"
    assert session.scalars(reasons.where(sa.or_(HistoryLine.act == "looked_at", of_lists))).all() == []
    assert session.scalar(sa.select(sa.func.count()).select_from(HistoryLine)) > before
    assert history.first_broken_position(session, Subject("person", life.person.id)) is None
    assert life.person.name == NAME


def test_codes_and_finished_work_go_and_what_is_still_to_do_stays(session, life):
    signing_in.send_code(contact_point=life.number, now=NOW)
    session.commit()
    worked_off()
    waiting = outbox.enqueue(job="notices.deliver", now=NOW, due_at=NOW + timedelta(days=999), message_id=1).id
    session.commit()
    codes = session.scalar(sa.select(sa.func.count()).select_from(ContactCode))

    night(session, NOW + timedelta(days=29))
    young = session.scalar(sa.select(sa.func.count()).select_from(ContactCode))
    report = night(session, NOW + timedelta(days=91))

    assert young == codes > 0
    assert session.scalars(sa.select(ContactCode)).all() == []
    assert report.removed["work"] > 0
    assert session.get(outbox.Work, waiting) is not None
    shown = session.scalars(sa.select(Import.work_id)).all()
    assert session.scalars(sa.select(outbox.Work.id).where(outbox.Work.id.in_(shown))).all() == shown != []


def test_after_six_years_the_words_are_gone_the_ledger_and_the_times_stay(session, life):
    before = session.execute(sa.select(Case.number, Case.replied_at, Case.accepted_at).order_by(Case.id)).all()

    night(session, NOW + timedelta(days=366 * 6))

    assert session.execute(sa.select(Case.number, Case.replied_at, Case.accepted_at).order_by(Case.id)).all() == before
    ended = session.scalars(sa.select(Case).where(Case.ended_at.is_not(None))).one()
    assert (ended.title, ended.person.name) == ("—", NOBODY)
    assert life.open.words != "—"
    assert session.scalars(sa.select(Visit.situation)).all() == [None, None]
    assert session.scalars(sa.select(Look)).all() == []
    assert session.scalars(sa.select(PersonTakenOut)).all() == []
    assert session.scalars(sa.select(Message).where(Message.created_at < NOW + timedelta(days=1))).all() == []
    assert life.person.name == NAME  # came from a ledger, and is paired


def test_whoever_came_by_themselves_and_is_here_for_nothing_any_more_is_erased(session, life):
    guest = people.person_at(
        contact_point=factories.a_contact_point("+8619955554444"),
        name="过路客",
        organisation=life.office,
        source=f"registration:{life.past.id}",
        now=NOW,
        by=life.organiser.actor,
    )
    factories.a_registration(event=life.past, person=guest)

    night(session, NOW + timedelta(days=740))

    assert session.get_one(Person, guest.id).name == NOBODY
    assert not any("过路客" in str(row) for row in session.execute(sa.select(Person.name, Person.words)))


def test_proof_of_a_consent_goes_three_years_after_it_was_taken_back(session, life):
    consent = session.scalars(sa.select(Consent).order_by(Consent.id)).first()
    operations.withdraw_consent(consent=consent, by=life.by, now=NOW)
    session.commit()

    left = []
    for months in (35, 37):
        night(session, NOW + timedelta(days=31 * months))
        left.append(session.scalar(sa.select(sa.func.count()).select_from(Consent)))

    assert left == [2, 1]


def test_every_chain_verifies_after_the_nights(session, life):
    night(session, NOW + timedelta(days=366 * 6))

    for kind, number in [("case", life.answered.id), ("registration", life.came.id), ("visit", life.alone.id)]:
        assert history.first_broken_position(session(), Subject(kind, number)) is None


def test_a_worker_that_died_leaves_whole_steps_and_the_next_goes_on_with_the_report(session, life, monkeypatch):
    factories.a_registration(event=life.past, person=life.colleague)
    monkeypatch.setattr(jobs, "ROWS_AT_A_STEP", 1)
    at = NOW + timedelta(days=740)
    work = outbox.enqueue(job="privacy.retain", now=at)
    session.commit()
    removed, steps = operations.REMOVE[Kept.REGISTRATIONS], []

    def dies(ids, now):
        if len(steps) == 1:
            raise SystemExit
        steps.append(ids)
        removed(ids, now)

    monkeypatch.setitem(operations.REMOVE, Kept.REGISTRATIONS, dies)
    with pytest.raises(SystemExit):
        worked_off(at)
    session.rollback()
    monkeypatch.setitem(operations.REMOVE, Kept.REGISTRATIONS, removed)
    worked_off(at + outbox.CLAIM_LASTS * 4)

    session.expire_all()
    report = session.scalars(sa.select(RetentionRun)).one()
    assert (report.work_id, report.removed["registrations"]) == (work.id, 3)
    assert report.finished_at is not None
    line = history.lines_of(Subject("retention_run", report.id))
    assert [each.act for each in line] == ["carried_out"]
    assert line[0].facts == report.removed


def test_nothing_is_kept_longer_than_people_agreed_to(session, life):
    def keep(amount, kind=Kept.REGISTRATIONS):
        operations.keep_for(kind=kind, amount=amount, by=life.organiser, now=NOW)

    with pytest.raises(KeptLongerThanPromised):
        keep(25)
    with pytest.raises(KeptTooShort):
        keep(0)
    keep(6)
    people.publish_consent_text(
        purpose="registration",
        texts={"zh_Hans_CN": "只留三个月。", "en": "Three months only."},
        kept_months=3,
        by=life.organiser.actor,
        now=NOW,
    )

    assert next(each.amount for each in queries.kept_for() if each.kind is Kept.REGISTRATIONS) == 3


def test_it_is_begun_every_night_by_the_timetable(app):
    assert timetable._errands["privacy.retain"].at.hour == 3


def test_nothing_of_a_whole_life_is_left_when_every_time_is_up_and_the_ledger_lets_go(session, life):
    """The erasure and the nights together: a person from a ledger, erased, and every word about them too old."""
    asked(life)
    worked_off(DUE)
    night(session, NOW + timedelta(days=366 * 12))

    assert traces_in_the_database() == []
