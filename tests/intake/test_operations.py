"""A file on its way in: read, judged, decided, landed; in steps, and once."""

import pytest

from outreach.intake import jobs, operations, queries
from outreach.intake.models import Import, ImportFile, ImportRow
from outreach.intake.rules import Decision, HeadingMissing, ImportState, NothingToLand, NotNow, Verdict
from outreach.kernel import history, outbox
from outreach.kernel.history import Subject
from outreach.organisations.rules import Role
from outreach.people.models import Person
from tests.conftest import NOW
from tests.factories import an_account, an_organisation
from tests.intake.files import SAMPLES, a_workbook, landed, previewed, rows_by_number, uploaded, work_off

HEADINGS = ["姓名", "手机", "工作单位", "党派"]


@pytest.fixture
def clerk(session):
    return an_account(organisation=an_organisation("市委人才办"), roles=[Role.ORGANISER])


def people(session) -> list[tuple[str, str | None]]:
    return [(person.name, person.employer) for person in session.scalars(db_people())]


def db_people():
    return operations.sa.select(Person).order_by(Person.id)


def test_nothing_changes_before_the_clerk_says_so(session, clerk):
    imported = previewed(a_workbook([HEADINGS, ["张三", "19901000001", "雁城新材", "无"]]), clerk)

    assert imported.state is ImportState.PREVIEWED
    assert people(session) == []


def test_a_confirmed_file_lands_and_keeps_columns_without_a_place(session, clerk):
    imported = landed(a_workbook([HEADINGS, ["张三", "19901000001", "雁城新材", "九三学社"]]), clerk)

    person = session.scalars(db_people()).one()
    assert imported.state is ImportState.LANDED
    assert (person.name, person.phone, person.employer) == ("张三", "+8619901000001", "雁城新材")
    assert person.aside == [{"of": "党派", "value": "九三学社", "source": f"import:{imported.id}", "row": 2}]
    assert person.source == f"import:{imported.id}"


def test_the_file_itself_is_gone_once_its_rows_are_read(session, clerk):
    imported = previewed(a_workbook([HEADINGS, ["张三", "19901000001"]]), clerk)

    assert session.query(ImportFile).filter_by(import_id=imported.id).count() == 0


def test_what_stood_in_the_file_is_sealed_in_the_table(session, clerk):
    previewed(a_workbook([HEADINGS, ["张三丰", "19901000001"]]), clerk, filename="张三丰.xlsx")

    raw = str(session.execute(operations.sa.text("SELECT * FROM import_rows")).all())
    raw += str(session.execute(operations.sa.text("SELECT * FROM imports")).all())
    assert "张三丰" not in raw
    assert "19901000001" not in raw


def test_the_same_file_twice_adds_nobody_twice(session, clerk):
    content = a_workbook([HEADINGS, ["张三", "19901000001", "x"], ["李四", "19901000002", "y"]])
    landed(content, clerk)

    again = landed(content, clerk)

    assert rows_by_number(again)[2][0] is Verdict.SAME
    assert [name for name, _ in people(session)] == ["张三", "李四"]


def test_two_previews_of_one_file_both_confirmed_add_nobody_twice(session, clerk):
    content = a_workbook([HEADINGS, ["张三", "19901000001", "x"], ["李四", "19901000002", "y"]])
    first, second = previewed(content, clerk), previewed(content, clerk)

    for imported in (first, second):
        operations.land(imported=imported, by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    assert [name for name, _ in people(session)] == ["张三", "李四"]
    assert queries.tally(second.id).landed == 2


def test_a_landing_broken_off_goes_on_where_it_was(session, clerk, monkeypatch):
    rows = [[f"人{number}甲", f"199010{number:05d}"] for number in range(120)]
    imported = previewed(a_workbook([HEADINGS, *rows]), clerk)
    operations.land(imported=imported, by=clerk.actor, now=NOW)
    session.commit()
    stops_at_the_second_step(monkeypatch)
    work = outbox.claim(now=NOW)
    outbox.perform(work, now=NOW)
    half = queries.tally(imported.id).landed
    monkeypatch.undo()

    outbox.perform(outbox.claim(now=NOW.replace(year=2027)), now=NOW)

    assert 0 < half < 120
    assert (queries.tally(imported.id).landed, session.query(Person).count()) == (120, 120)
    assert session.get(Import, imported.id).state is ImportState.LANDED


def stops_at_the_second_step(monkeypatch):
    monkeypatch.setattr(jobs, "LANDED_AT_ONCE", 50)
    whole, calls = operations.land_some, []

    def land_some(**arguments):
        calls.append(1)
        last = whole(**arguments)
        if len(calls) == 2:
            raise RuntimeError("killed before the step was committed")
        return last

    monkeypatch.setattr(jobs.operations, "land_some", land_some)


def test_a_refused_row_stays_out_and_says_why(session, clerk):
    imported = landed(
        a_workbook([HEADINGS, ["张三", "1990100001"], ["", "19901000002"], ["李四", "19901000003"]]), clerk
    )

    assert rows_by_number(imported)[2] == (
        Verdict.REFUSED,
        ["The mobile number has %(digits)s digits instead of 11: %(text)s"],
    )
    assert rows_by_number(imported)[3] == (Verdict.REFUSED, ["There is no name"])
    assert [name for name, _ in people(session)] == ["李四"]


def test_a_doubtful_row_waits_for_the_clerk_and_can_be_decided_later(session, clerk):
    landed(a_workbook([HEADINGS, ["张三", "19901000001", "雁城新材"]]), clerk)
    second = landed(
        a_workbook(
            [HEADINGS, ["张三", "19901000009", "雁城新材"], ["王五", "19901000001", "y"], ["赵六", "19901000005", "z"]]
        ),
        clerk,
    )
    verdicts = {number: verdict for number, (verdict, _) in rows_by_number(second).items()}
    doubtful = [queries.rows_of(second, Verdict.DOUBTFUL, None).items[place] for place in (0, 1)]

    operations.decide(imported=second, row=doubtful[0], decision=Decision.SAME, by=clerk.actor, now=NOW)
    operations.decide(imported=second, row=doubtful[1], decision=Decision.ANOTHER, by=clerk.actor, now=NOW)
    operations.land(imported=second, by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    assert verdicts == {1: Verdict.SKIPPED, 2: Verdict.DOUBTFUL, 3: Verdict.DOUBTFUL, 4: Verdict.NEW}
    assert [name for name, _ in people(session)] == ["张三", "赵六", "王五"]
    first = session.scalars(db_people()).first()
    assert [contact.contact_point.value for contact in first.contacts] == ["+8619901000001", "+8619901000009"]


def test_a_row_left_for_later_does_not_land(session, clerk):
    landed(a_workbook([HEADINGS, ["张三", "19901000001", "x"]]), clerk)
    second = previewed(a_workbook([HEADINGS, ["李四", "19901000001", "x"]]), clerk)
    row = queries.rows_of(second, Verdict.DOUBTFUL, None).items[0]
    operations.decide(imported=second, row=row, decision=Decision.LATER, by=clerk.actor, now=NOW)

    with pytest.raises(NothingToLand):
        operations.land(imported=second, by=clerk.actor, now=NOW)


def test_a_row_that_repeats_a_waiting_one_waits_with_it(session, clerk):
    landed(a_workbook([HEADINGS, ["张三", "19901000001", "雁城新材"]]), clerk)

    second = landed(
        a_workbook(
            [HEADINGS, ["张三", "19901000009", "雁城新材"], ["张三", "19901000009", ""], ["李四", "19901000002", ""]]
        ),
        clerk,
    )

    assert [name for name, _ in people(session)] == ["张三", "李四"]
    assert queries.tally(second.id).landed == 1


def test_corrected_columns_have_every_row_judged_anew(session, clerk):
    imported = previewed(a_workbook([["姓名", "代号"], ["张三", "19901000001"]]), clerk)

    operations.set_columns(
        imported=imported,
        sheet_number=0,
        heading=(1, 1),
        kind=0,
        mapping={0: "name", 1: "phone"},
        by=clerk.actor,
        now=NOW,
    )
    operations.db.session.commit()
    work_off()
    operations.land(imported=imported, by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    assert session.scalars(db_people()).one().phone == "+8619901000001"


def test_a_file_without_a_name_column_asks_for_it(session, clerk):
    imported = previewed(a_workbook([["代号", "手机"], ["张三", "19901000001"]]), clerk)

    assert imported.state is ImportState.MAPPED
    with pytest.raises(HeadingMissing):
        operations.set_columns(
            imported=imported, sheet_number=0, heading=(1, 1), kind=0, mapping={1: "phone"}, by=clerk.actor, now=NOW
        )


def test_an_abandoned_file_leaves_nothing_behind(session, clerk):
    imported = previewed(a_workbook([HEADINGS, ["张三", "19901000001"]]), clerk)

    operations.abandon(imported=imported, by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    assert session.query(ImportRow).count() == 0
    assert people(session) == []
    with pytest.raises(NotNow):
        operations.land(imported=imported, by=clerk.actor, now=NOW)


def test_a_file_that_landed_cannot_be_abandoned(session, clerk):
    imported = landed(a_workbook([HEADINGS, ["张三", "19901000001"]]), clerk)

    with pytest.raises(NotNow):
        operations.abandon(imported=imported, by=clerk.actor, now=NOW)


def test_a_broken_file_says_so_and_changes_nothing(session, clerk):
    imported = previewed(a_workbook([HEADINGS, ["张三", "19901000001"]])[:-200], clerk)

    assert (imported.state, imported.problem) == (ImportState.UNREADABLE, "broken")
    assert session.query(ImportRow).count() == 0


def test_everything_done_with_a_file_is_in_its_history(session, clerk):
    imported = landed(a_workbook([HEADINGS, ["张三", "19901000001"]]), clerk)

    lines = history.lines_of(Subject("import", imported.id))

    assert [line.act for line in lines] == ["uploaded", "read", "confirmed", "landed"]
    assert {line.actor_id for line in lines} == {clerk.id}


def test_reading_begun_twice_keeps_each_row_once(session, clerk):
    imported = uploaded((SAMPLES / "talents.xlsx").read_bytes(), clerk)
    work = outbox.claim(now=NOW)
    operations.keep_rows(import_id=imported.id, sheet_number=0, rows=[(1, '["half a file"]')])
    session.commit()

    outbox.perform(work, now=NOW)

    assert session.query(ImportRow).filter_by(import_id=imported.id).count() == 336


def test_a_million_empty_rows_and_columns_without_end_do_no_harm(session, clerk):
    far = ",".join(["姓名", "手机", *[""] * 10_000])
    empty = previewed(f"{far}\n张三,19901000001\n{chr(10) * 1_000_000}李四,19901000002\n".encode(), clerk)
    wide = previewed(",".join(f"列{n}" for n in range(10_000)).encode(), clerk)

    assert queries.tally(empty.id).new == 2
    assert (wide.state, wide.problem) == (ImportState.UNREADABLE, "too_wide")
