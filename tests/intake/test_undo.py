"""A file in steps: stopped, gone on with, killed, and taken out again; nothing lost, nothing twice."""

from datetime import timedelta

import pytest

from outreach.cases.models import Case
from outreach.intake import jobs, operations, queries
from outreach.intake.models import Import, ImportFile, ImportRow
from outreach.intake.rules import ImportState, NotNow, Verdict
from outreach.kernel import history, outbox
from outreach.kernel.clock import now
from outreach.kernel.history import HistoryLine, Subject
from outreach.liaison.models import Pairing
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from outreach.people import operations as people_operations
from outreach.people.models import ContactPoint, Person, person_words
from tests.conftest import NOW
from tests.factories import a_case, an_account, signed_in
from tests.intake.files import SAMPLES, a_workbook, landed, previewed, rows_by_number, uploaded, work_off

HEADINGS = ["姓名", "手机", "工作单位", "党派"]


@pytest.fixture
def clerk(city):
    return an_account("何清越", organisation=city.lead_organisation, roles=[Role.ORGANISER])


@pytest.fixture
def small_steps(monkeypatch):
    for name in ("READ_AT_ONCE", "JUDGED_AT_ONCE", "LANDED_AT_ONCE", "LONG"):
        monkeypatch.setattr(jobs, name, 10)
    monkeypatch.setattr(operations, "PIECE", 1000)  # several pieces: the file is read beside this process


def many(number: int) -> bytes:
    return a_workbook([HEADINGS, *[[f"人{n}甲", f"199010{n:05d}", "单位", "党"] for n in range(number)]])


def stopped_at_step(monkeypatch, imported_id: int, clerk, name: str, step: int) -> None:
    """Have somebody press «stop» in the middle of the job's step of that number."""
    whole, calls = getattr(operations, name), []

    def do(**arguments):
        calls.append(1)
        result = whole(**arguments)
        if len(calls) == step:
            imported = operations.db.session.get(Import, imported_id)
            operations.stop(imported=imported, by=clerk.actor, now=NOW)
        return result

    monkeypatch.setattr(jobs.operations, name, do)


def in_state(session, imported: Import) -> tuple[ImportState, bool]:
    session.expire_all()
    return session.get(Import, imported.id).state, queries.stands_still(session.get(Import, imported.id))


def undone(session, imported: Import, clerk) -> Import:
    operations.undo(imported=session.get(Import, imported.id), by=clerk.actor, now=NOW)
    session.commit()
    work_off()
    return session.get(Import, imported.id)


@pytest.mark.parametrize(
    ("step", "state"),
    [("keep_rows", ImportState.UPLOADED), ("keep_judgements", ImportState.JUDGING)],
)
def test_reading_and_comparing_stop_and_go_on_where_they_were(session, clerk, small_steps, monkeypatch, step, state):
    imported = uploaded(many(45), clerk)
    stopped_at_step(monkeypatch, imported.id, clerk, step, 2)
    work_off()
    still = in_state(session, imported)
    rows = session.query(ImportRow).filter_by(import_id=imported.id).count()
    monkeypatch.undo()

    operations.go_on(imported=session.get(Import, imported.id), by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    assert still == (state, True)
    assert rows == (20 if state is ImportState.UPLOADED else 46)
    assert session.query(ImportRow).filter_by(import_id=imported.id).count() == 46
    assert queries.tally(imported.id).new == 45
    assert session.query(ImportFile).count() == 0


def test_landing_stops_and_what_has_landed_stays_and_goes_on(session, clerk, small_steps, monkeypatch):
    imported = previewed(many(45), clerk)
    operations.land(imported=imported, by=clerk.actor, now=NOW)
    session.commit()
    stopped_at_step(monkeypatch, imported.id, clerk, "land_some", 2)
    work_off()
    half = (in_state(session, imported), queries.tally(imported.id).landed, session.query(Person).count())
    monkeypatch.undo()

    operations.go_on(imported=session.get(Import, imported.id), by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    assert half == ((ImportState.LANDING, True), 20, 20)
    assert in_state(session, imported) == (ImportState.LANDED, False)
    assert (queries.tally(imported.id).landed, session.query(Person).count()) == (45, 45)


def test_nobody_stops_what_rests_and_nothing_goes_on_that_was_not_stopped(session, clerk):
    imported = previewed(many(1), clerk)

    for act in (operations.stop, operations.go_on, operations.undo):
        with pytest.raises(NotNow):
            act(imported=imported, by=clerk.actor, now=NOW)


def test_an_old_worker_that_wakes_up_does_nothing_to_a_file_another_went_on_with(session, clerk, small_steps):
    imported = uploaded(many(45), clerk)
    old = outbox.claim(now=NOW)
    operations.stop(imported=imported, by=clerk.actor, now=NOW)
    operations.go_on(imported=imported, by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    outbox.perform(session.get(outbox.Work, old.id), now=NOW)

    assert session.query(ImportRow).filter_by(import_id=imported.id).count() == 46


def test_undoing_removes_who_came_and_empties_what_was_filled(session, clerk):
    landed(a_workbook([["姓名", "手机"], ["张三", "19901000001"]]), clerk)
    before = session.query(ContactPoint).count()
    second = landed(
        a_workbook([HEADINGS, ["张三", "19901000001", "雁城新材", "九三"], ["李四", "19901000002", "x", "无"]]), clerk
    )
    filled = session.query(Person).filter_by(name="张三").one()
    assert (filled.employer, len(filled.aside)) == ("雁城新材", 1)

    after = undone(session, second, clerk)

    person = session.query(Person).one()
    assert (person.name, person.employer, person.aside) == ("张三", None, [])
    assert session.query(ContactPoint).count() == before
    assert session.execute(operations.sa.select(person_words.c.person_id).distinct()).scalars().all() == [person.id]
    assert (after.state, queries.tally(second.id).landed) == (ImportState.UNDONE, 0)
    assert [line.act for line in history.lines_of(Subject("import", second.id))][-2:] == ["undo_confirmed", "undone"]


def test_whoever_something_stands_on_stays_and_is_listed_with_the_reason(session, clerk):
    imported = landed(many(3), clerk)
    people = session.query(Person).order_by(Person.id).all()
    a_case(person=people[0], intake=clerk.organisation)
    people_operations.change(
        person=people[1],
        name="改过",
        phone=None,
        email=None,
        values={},
        seen_at=people[1].updated_at,
        by=clerk.actor,
        now=NOW,
    )
    session.commit()

    undone(session, imported, clerk)

    kept = queries.kept_rows(session.get(Import, imported.id), None).items
    assert [row.number for row in kept] == [2, 3]
    assert {row.reasons[0]["sentence"] for row in kept} == {people_operations.STANDS_ON}
    assert [person.name for person in session.query(Person).order_by(Person.id)] == ["人0甲", "改过"]


def test_the_page_of_undoing_says_beforehand_what_would_stay_and_changes_nothing(session, client, clerk):
    imported = landed(many(3), clerk)
    people = session.query(Person).order_by(Person.id).all()
    a_case(person=people[1], intake=clerk.organisation)
    session.commit()
    before = [session.query(model).count() for model in (Person, ContactPoint, HistoryLine)]

    page = signed_in(client, clerk).get(f"/desk/imports/{imported.id}/undo").text

    assert ("有 1 行不能完全撤回" in page, "第 3 行" in page) == (True, True)
    assert ("人1甲" in page, "人0甲" in page, "人2甲" in page) == (True, False, False)
    assert "这些行上都没有别的内容" not in page
    assert [session.query(model).count() for model in (Person, ContactPoint, HistoryLine)] == before
    assert queries.tally(imported.id).landed == 3


def test_of_a_long_file_the_last_rows_are_looked_at_beforehand(session, client, clerk, monkeypatch):
    monkeypatch.setattr(operations, "TRIED", 2)
    imported = landed(many(3), clerk)

    page = signed_in(client, clerk).get(f"/desk/imports/{imported.id}/undo").text

    assert "已经预先看过最后 2 行" in page
    assert "看过的这些行上没有别的内容" in page


def test_a_file_whose_worker_fell_silent_says_when_it_goes_on(session, client, clerk):
    imported = uploaded(many(3), clerk)
    work = outbox.claim(now=NOW)
    desk = signed_in(client, clerk)

    work.claimed_until = now() + outbox.CLAIM_LASTS
    session.commit()
    at_it = desk.get(f"/desk/imports/{imported.id}").text
    work.claimed_until -= 2 * outbox.SILENT
    session.commit()
    silent = desk.get(f"/desk/imports/{imported.id}").text

    assert ("处理被中断了" in at_it, "处理被中断了" in silent) == (False, True)


def test_a_file_that_failed_says_when_it_is_tried_again(session, client, clerk, monkeypatch):
    imported = uploaded(many(3), clerk)
    monkeypatch.setattr(operations, "keep_rows", lambda **_: 1 / 0)
    outbox.perform(outbox.claim(now=NOW), now=NOW)
    session.get(Import, imported.id).work.due_at = now() + timedelta(seconds=30)
    session.commit()

    page = signed_in(client, clerk).get(f"/desk/imports/{imported.id}").text

    assert "处理被中断了" in page


def test_what_was_changed_since_is_not_emptied(session, clerk):
    landed(a_workbook([["姓名", "手机"], ["张三", "19901000001"]]), clerk)
    second = landed(a_workbook([HEADINGS, ["张三", "19901000001", "雁城新材", ""]]), clerk)
    person = session.query(Person).one()
    person.employer = "湘江生物"
    session.commit()

    undone(session, second, clerk)

    assert session.query(Person).one().employer == "湘江生物"
    assert queries.tally(second.id).landed == 1


def test_an_id_is_never_given_again_so_no_history_goes_on_with_somebody_else(session, clerk):
    imported = landed(many(1), clerk)
    gone = session.query(Person).one().id
    undone(session, imported, clerk)

    landed(many(1), clerk)

    person = session.query(Person).one()
    assert person.id > gone
    assert [line.act for line in history.lines_of(Subject("person", person.id))] == ["created"]
    assert [line.act for line in history.lines_of(Subject("person", gone))] == ["created", "removed"]
    assert history.first_broken_position(session, Subject("person", gone)) is None


def test_undoing_stops_and_goes_on(session, clerk, small_steps, monkeypatch):
    imported = landed(many(45), clerk)
    operations.undo(imported=imported, by=clerk.actor, now=NOW)
    session.commit()
    stopped_at_step(monkeypatch, imported.id, clerk, "undo_some", 2)
    work_off()
    half = (in_state(session, imported), session.query(Person).count())
    monkeypatch.undo()

    operations.go_on(imported=session.get(Import, imported.id), by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    assert half == ((ImportState.UNDOING, True), 25)
    assert in_state(session, imported) == (ImportState.UNDONE, False)
    assert session.query(Person).count() == 0


def test_a_landing_that_was_stopped_can_be_undone(session, clerk, small_steps, monkeypatch):
    imported = previewed(many(25), clerk)
    operations.land(imported=imported, by=clerk.actor, now=NOW)
    session.commit()
    stopped_at_step(monkeypatch, imported.id, clerk, "land_some", 1)
    work_off()
    monkeypatch.undo()
    assert session.query(Person).count() == 10

    after = undone(session, imported, clerk)

    assert (after.state, session.query(Person).count()) == (ImportState.UNDONE, 0)


def test_units_staff_pairings_and_requests_of_the_samples_are_undone(session, city, clerk):
    admin = an_account(organisation=city.lead_organisation, roles=[Role.ADMINISTRATOR])
    files = [
        ("organisations.xlsx", "organisations", admin),
        ("talents.xlsx", "talents", clerk),
        ("pairings.xlsx", "pairings", clerk),
        ("requests.xlsx", "requests", clerk),
    ]
    counted = (Organisation, Account, Person, ContactPoint, Pairing, Case)
    before = [session.query(model).count() for model in counted]

    done = [landed((SAMPLES / name).read_bytes(), by, kind=kind) for name, kind, by in files]
    meanwhile = [session.query(model).count() for model in counted]
    left = [
        queries.tally(undone(session, one, by).id).landed
        for one, (_, _, by) in zip(done[::-1], files[::-1], strict=True)
    ]

    assert all(more > few for more, few in zip(meanwhile, before, strict=True))
    assert left == [0, 0, 0, 0]
    assert [session.query(model).count() for model in counted] == before


def test_once_its_rows_are_deleted_an_import_stays_but_cannot_be_undone(session, client, clerk):
    imported = landed(many(3), clerk)
    ids = session.scalars(operations.sa.select(ImportRow.id)).all()
    operations.delete_rows(ids=ids, now=NOW + timedelta(days=31))
    session.commit()

    page = signed_in(client, clerk).get(f"/desk/imports/{imported.id}")

    assert (session.query(ImportRow).count(), session.get(Import, imported.id).sheets) == (0, None)
    assert session.query(Person).count() == 3
    assert "不能再整个撤销" in page.text
    with pytest.raises(NotNow):
        operations.undo(imported=imported, by=clerk.actor, now=NOW)


def test_pages_lead_from_stopping_to_going_on_to_undoing(client, session, clerk, small_steps, monkeypatch):
    desk = signed_in(client, clerk)
    imported = previewed(many(25), clerk)
    page = f"/desk/imports/{imported.id}"
    desk.post(f"{page}/land")
    busy = desk.get(page).text
    desk.post(f"{page}/stop")
    work_off()
    stopped = desk.get(page).text
    listed = desk.get("/desk/imports/").text
    desk.post(f"{page}/go-on")
    work_off()
    done = desk.get(page).text
    asked = desk.get(f"{page}/undo").text
    desk.post(f"{page}/undo")
    going = desk.get(page).text
    work_off()
    after = desk.get(page).text

    assert f"{page}/stop" in busy
    assert "导到一半停下了：已导入 0 行，还有 25 行没动" in stopped
    assert "已停止" in listed
    assert f"{page}/undo" in done
    assert "它新建的 25 条记录会删掉" in asked
    assert "正在把导进来的撤回" in going
    assert "导入已撤销，库里和导入之前一样" in after


def test_rows_are_judged_alike_whether_a_file_is_long_or_short(session, clerk, small_steps):
    """What earlier steps said is read once more: a repetition is found however far above it stands."""
    rows = [[f"人{n}甲", f"199010{n:05d}", "单位", ""] for n in range(40)]
    rows[35] = ["人2甲", "19901000002", "", "九三"]
    rows[38] = ["人2甲", "", "单位", ""]

    found = rows_by_number(previewed(a_workbook([HEADINGS, *rows]), clerk))

    assert {number: verdict for number, (verdict, _) in found.items() if verdict is not Verdict.NEW} == {
        1: Verdict.SKIPPED,
        37: Verdict.SAME,
        40: Verdict.DOUBTFUL,
    }
    assert session.query(HistoryLine).filter_by(subject_kind="person").count() == 0
