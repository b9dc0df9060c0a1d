"""Asking for a file, having it written, taking it, stopping it, and its end; who is told."""

import hashlib
import io
import os
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from outreach.exports import jobs, operations, queries
from outreach.exports.models import Export, ExportPiece
from outreach.exports.rules import (
    EXPORTS_A_DAY,
    FULL_ROWS_A_DAY,
    KEPT,
    ExportState,
    FileGone,
    Format,
    NoColumn,
    NothingThere,
    NotNow,
    ReasonTooShort,
    TooManyFiles,
    TooManyInFullToday,
)
from outreach.kernel import history, outbox, timetable
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine, first_broken_position
from outreach.organisations.rules import Role
from outreach.people.models import PersonField, PersonTakenOut, ProfessionalField, TakenOut
from tests.conftest import NOW
from tests.exports.files import REASON, asked_for, rows_of, taken
from tests.factories import a_contact_point, a_person, an_account, an_organisation
from tests.intake.files import work_off


@pytest.fixture
def organiser(city):
    return an_account("陈晓", organisation=city.lead_organisation, roles=[Role.ORGANISER])


@pytest.fixture
def people(organiser):
    return [a_person(f"林知{sign}", organisation=organiser.organisation, at=a_contact_point()) for sign in "遥远近"]


def acts(export) -> list[str]:
    return [line.act for line in history.lines_of(export.subject)]


def test_a_list_comes_in_the_order_of_its_page_and_is_written_down(session, organiser, people):
    content = taken(organiser)

    export = session.query(Export).one()
    assert [row["姓名"] for row in rows_of(content)] == ["林知近", "林知遥", "林知远"]
    assert (export.state, export.rows, export.people) == (ExportState.READY, 3, 3)
    assert (export.bytes, export.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert export.expires_at - export.finished_at == KEPT
    assert acts(export) == ["asked", "ready"]
    assert history.lines_of(export.subject)[0].words.text == REASON
    assert first_broken_position(db.session, export.subject) is None


def test_the_people_in_it_can_see_who_took_them_and_why(session, organiser, people):
    taken(organiser)

    noted = session.query(TakenOut).one()
    assert (noted.export_id, noted.account_id, noted.reason) == (session.query(Export).one().id, organiser.id, REASON)
    assert set(session.scalars(sa.select(PersonTakenOut.person_id))) == {person.id for person in people}


def test_another_countys_people_are_in_nobody_elses_file(session, city, organiser, people):
    county = an_organisation("甲县", parent=city.lead_organisation)
    other = an_organisation("乙县", parent=city.lead_organisation)
    a_person("本县人", organisation=county)
    foreign = a_person("外县人", organisation=other)
    theirs = an_account(organisation=county, roles=[Role.ORGANISER])

    found = rows_of(taken(theirs))

    assert [row["姓名"] for row in found] == ["本县人"]
    assert [row["姓名"] for row in rows_of(taken(theirs, arguments={"unit": county.id}))] == ["本县人"]
    with pytest.raises(NothingThere):
        asked_for(theirs, arguments={"q": foreign.name})
    assert foreign.id not in set(session.scalars(sa.select(PersonTakenOut.person_id)))


def test_who_may_read_in_one_place_and_export_in_another_gets_only_where_both_meet(session, city):
    county = an_organisation("甲县", parent=city.lead_organisation)
    other = an_organisation("乙县", parent=city.lead_organisation)
    a_person("本县人", organisation=county)
    a_person("服务对象", organisation=other)
    account = an_account(organisation=county, roles=[Role.ORGANISER])
    account.grants.append(type(account.grants[0])(role=Role.SERVICE_OFFICER, organisation=other))

    assert [row["姓名"] for row in rows_of(taken(account))] == ["本县人"]


@pytest.mark.parametrize(
    ("wrong", "refusal"), [({"reason": "工作"}, ReasonTooShort), ({"columns": ["no such"]}, NoColumn)]
)
def test_what_is_wrong_is_refused_and_nothing_is_kept(session, organiser, people, wrong, refusal):
    with pytest.raises(refusal):
        asked_for(organiser, **wrong)

    session.rollback()
    assert session.query(Export).count() == session.query(outbox.Work).count() == 0


def test_what_one_account_takes_on_a_day_is_limited_and_begins_anew_at_midnight(session, organiser, people):
    for _ in range(EXPORTS_A_DAY):
        asked_for(organiser)

    with pytest.raises(TooManyFiles):
        asked_for(organiser)
    session.rollback()
    assert asked_for(organiser, now=NOW + timedelta(days=1)).id


def test_rows_in_full_are_limited_further_and_what_was_stopped_does_not_count(session, organiser, people):
    export = asked_for(organiser, in_full=["phone"])
    export.rows = FULL_ROWS_A_DAY - 2
    session.commit()

    assert asked_for(organiser).in_full == []
    with pytest.raises(TooManyInFullToday):
        asked_for(organiser, in_full=["phone"])
    session.rollback()
    operations.stop(export=export, by=organiser.actor, now=NOW)
    assert asked_for(organiser, in_full=["phone"]).in_full == ["phone"]


def test_a_file_is_kept_sealed_and_only_while_its_time_is_not_up(session, organiser, people):
    taken(organiser)
    export = session.query(Export).one()
    stored = session.scalar(sa.text("SELECT content FROM export_pieces"))
    late = export.expires_at

    assert stored.startswith("v1.k1.")
    operations.note_download(export=export, by=organiser.actor, now=late - timedelta(seconds=1))
    with pytest.raises(FileGone):
        operations.note_download(export=export, by=organiser.actor, now=late)
    session.rollback()


def test_the_night_deletes_files_whose_time_is_up_and_leaves_the_log(session, organiser, people):
    taken(organiser)
    asked_for(organiser)
    export = session.query(Export).order_by(Export.id).first()
    assert "exports.delete_expired" in timetable._errands

    work = outbox.enqueue(job="exports.delete_expired", now=NOW)
    jobs.delete_expired(now=export.expires_at - timedelta(seconds=1), work=work)
    assert session.query(ExportPiece).count() == 1
    jobs.delete_expired(now=export.expires_at, work=work)

    assert session.query(ExportPiece).count() == 0
    assert (export.state, export.rows, acts(export)) == (ExportState.DELETED, 3, ["asked", "ready", "deleted"])
    assert queries.content_of(export) == b""


def test_what_is_stopped_is_not_written(session, organiser, people):
    export = asked_for(organiser)
    operations.stop(export=export, by=organiser.actor, now=NOW)
    session.commit()

    work_off()

    assert (export.state, session.query(ExportPiece).count(), session.query(TakenOut).count()) == (
        ExportState.STOPPED,
        0,
        0,
    )
    with pytest.raises(NotNow):
        operations.stop(export=export, by=organiser.actor, now=NOW)


def test_what_is_stopped_while_it_is_written_leaves_nothing_behind(app, session, organiser, people, monkeypatch):
    export = asked_for(organiser)
    step = jobs._step

    def stopped_in_the_middle(*arguments):
        operations.stop(export=db.session.get_one(Export, export.id), by=organiser.actor, now=NOW)
        step(*arguments)

    monkeypatch.setattr(jobs, "_step", stopped_in_the_middle)
    work_off()

    assert (export.state, session.query(ExportPiece).count(), session.query(TakenOut).count()) == (
        ExportState.STOPPED,
        0,
        0,
    )
    assert list(jobs._desk().iterdir()) == []


def test_a_worker_that_dies_leaves_one_file_and_one_log(app, session, organiser, people, monkeypatch):
    export = asked_for(organiser)
    claimed = outbox.claim(now=NOW)
    step = jobs._step

    class Killed(BaseException):
        pass

    def killed(*_arguments):
        raise Killed

    monkeypatch.setattr(jobs, "_step", killed)
    with pytest.raises(Killed):
        outbox.perform(claimed, now=NOW)
    session.rollback()
    monkeypatch.setattr(jobs, "_step", step)

    again = outbox.claim(now=NOW + outbox.CLAIM_LASTS + timedelta(seconds=1))
    assert again.id == export.work_id
    outbox.perform(again, now=NOW)

    assert (export.state, acts(export)) == (ExportState.READY, ["asked", "ready"])
    assert session.query(TakenOut).count() == 1
    assert session.query(PersonTakenOut).count() == 3
    assert len(rows_of(queries.content_of(export))) == 3


def test_nobody_finds_what_is_written_on_the_disk(app, session, organiser, people, monkeypatch):
    """Neither by a name nor on the disk itself, through the descriptors of the process that writes."""
    asked_for(organiser, kind=Format.CSV)
    finish, found = operations.finish, []

    def looked_at(**arguments):
        found.append(([one.name for one in jobs._desk().iterdir()], open_files_in(jobs._desk())))
        finish(**arguments)

    monkeypatch.setattr(operations, "finish", looked_at)
    work_off()

    [(names, contents)] = found
    written = queries.content_of(session.query(Export).one())
    assert names == []
    assert [len(content) for content in contents] == [len(written)]
    assert not any("林知遥".encode() in content for content in contents)
    assert "林知遥".encode() in written


def open_files_in(folder: Path) -> list[bytes]:
    """What this process has written into files of a folder that have no name."""
    handles = [handle for handle in Path("/proc/self/fd").iterdir() if handle.is_symlink()]
    return [handle.read_bytes() for handle in handles if os.readlink(handle).startswith(f"{folder}/")]


def test_a_worker_that_was_overtaken_keeps_nothing(session, organiser, people):
    taken(organiser)
    export = session.query(Export).one()
    before = session.query(HistoryLine).count()

    operations.finish(export_id=export.id, content=io.BytesIO(b"other"), rows=9, people=[], now=NOW)

    assert (session.query(ExportPiece).count(), export.rows, session.query(HistoryLine).count()) == (1, 3, before)


def test_a_long_file_is_kept_in_pieces_and_comes_back_whole(session, organiser, people, monkeypatch):
    monkeypatch.setattr(operations, "PIECE", 1000)
    content = taken(organiser)

    export = session.query(Export).one()
    assert session.query(ExportPiece).count() == -(-export.bytes // 1000) > 3
    assert hashlib.sha256(content).hexdigest() == export.sha256


def test_rows_that_change_while_they_are_read_are_those_of_one_moment(session, organiser, people, monkeypatch):
    monkeypatch.setattr(queries, "READ_AT_ONCE", 1)
    step = jobs._step

    def renamed_meanwhile(*arguments):
        people[1].name = "阿明"
        a_person("后来者", organisation=organiser.organisation)
        step(*arguments)

    monkeypatch.setattr(jobs, "_step", renamed_meanwhile)

    assert [row["姓名"] for row in rows_of(taken(organiser))] == ["林知近", "林知遥", "林知远"]


def test_the_heading_says_the_field_and_that_they_are_away(session, organiser, people):
    field = ProfessionalField(name="新材料", position=1)
    session.add(field)
    session.flush()
    people[0].home_town, people[0].residence = "雁城市", "深圳"
    people[0].fields = [PersonField(field_id=field.id)]

    content = taken(organiser, arguments={"field": field.id, "away": "1"})

    assert [row["姓名"] for row in rows_of(content)] == [people[0].name]
    heading = " ".join(str(cell.value) for cell in load_workbook(io.BytesIO(content)).active[2] if cell.value)
    assert "新材料" in heading
    assert "在外人才" in heading


def test_what_is_asked_and_why_stands_sealed(session, organiser, people):
    asked_for(organiser, arguments={"q": "林知遥"})

    row = session.execute(sa.text("SELECT title, arguments, narrowed, reason FROM exports")).one()
    assert all(value.startswith("v1.k1.") for value in row)


@pytest.mark.parametrize("kind", [Format.XLSX, Format.CSV])
def test_a_list_is_read_in_a_fixed_number_of_statements(session, organiser, people, kind, statements):
    def count() -> int:
        asked_for(organiser, kind=kind)
        with statements() as sent:
            work_off()
        return sum("FROM people" in statement and "taken_out" not in statement for statement in sent)

    few = count()
    for _ in range(20):
        a_person(organisation=organiser.organisation, at=a_contact_point())

    assert count() == few
