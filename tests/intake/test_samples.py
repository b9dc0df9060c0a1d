"""Files whose features are still to come: read, mapped by their Chinese headings, sorted, and kept."""

import os
from datetime import timedelta

import pytest

from outreach.intake import jobs, operations, queries
from outreach.intake.models import Import, ImportRow
from outreach.intake.rules import ImportState, OnlyChecked, Verdict
from outreach.intake.rules.reading import read_rows
from outreach.kernel import beside, outbox
from outreach.kernel.outbox import WorkState
from outreach.organisations.rules import Role
from tests.conftest import NOW
from tests.factories import an_account, signed_in
from tests.intake.files import SAMPLES, a_workbook, landed, previewed, rows_by_number, uploaded

CHECKED = {"signups": "signups.csv", "jobs": "jobs.csv", "needs_and_experts": "needs_and_experts.xlsx"}


@pytest.fixture
def clerk(city):
    return an_account("何清越", organisation=city.lead_organisation, roles=[Role.ORGANISER])


def sample(clerk, kind: str):
    return previewed((SAMPLES / CHECKED[kind]).read_bytes(), clerk, kind=kind, filename=CHECKED[kind])


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        ("signups", (197, 6, 3, 0)),
        ("jobs", (150, 0, 0, 0)),
        ("needs_and_experts", (87, 0, 0, 0)),
    ],
)
def test_every_row_of_a_sample_is_sorted(session, clerk, kind, counts):
    imported = sample(clerk, kind)

    counted = queries.tally(imported.id)
    assert imported.state is ImportState.PREVIEWED
    assert (counted.new, counted.same, counted.doubtful, counted.refused) == counts


@pytest.mark.parametrize("kind", CHECKED)
def test_every_column_of_a_sample_is_recognised(session, clerk, kind):
    for sheet in queries.taken_sheets(sample(clerk, kind)):
        assert queries.kept_aside(sheet) == []


@pytest.mark.parametrize("kind", CHECKED)
def test_the_page_says_that_it_can_be_checked_and_not_yet_taken_over(client, clerk, kind):
    imported = sample(clerk, kind)

    page = signed_in(client, clerk).get(f"/desk/imports/{imported.id}").text

    assert "现在可以先核对" in page
    assert f"/desk/imports/{imported.id}/land" not in page
    with pytest.raises(OnlyChecked):
        operations.land(imported=imported, by=clerk.actor, now=NOW)


def test_whoever_is_in_the_records_is_recognised_in_sign_ups_and_among_experts(session, clerk):
    landed(a_workbook([["姓名", "手机"], ["张三", "19901000001"], ["李四", "19901000002"]]), clerk)
    rows = [["张三", "+86 199 0100 0001", "光伏"], ["王五", "19901000002", "光伏"], ["赵六", "19901000003", "光伏"]]

    for kind, headings in (
        ("signups", ["姓名", "手机号", "专业"]),
        ("needs_and_experts", ["姓名", "手机", "研究方向"]),
    ):
        found = rows_by_number(previewed(a_workbook([headings, *rows]), clerk, kind=kind))
        assert [found[number][1][0] for number in (2, 3, 4)] == [
            "In the records: name and number or address the same.",
            "Whoever is reached there is %(other)s in the records: this is taken for another person.",
            "Not in the records yet.",
        ]


def test_a_form_sent_in_twice_and_a_shared_number_are_told_apart(session, clerk):
    headings = ["姓名", "手机号", "学校"]
    rows = [
        ["张三", "19901000001", "南华大学"],
        ["张 三", "199-0100-0001", "南华大学"],
        ["李四", "19901000001", "南华大学"],
        ["张三", "19901000009", "南华大学"],
        ["王五", "", "南华大学"],
    ]

    found = rows_by_number(previewed(a_workbook([headings, *rows]), clerk, kind="signups"))

    assert [found[number][0] for number in range(2, 7)] == [
        Verdict.NEW,
        Verdict.SAME,
        Verdict.NEW,
        Verdict.DOUBTFUL,
        Verdict.REFUSED,
    ]


def test_a_job_listed_twice_and_pay_that_does_not_say_by_what_are_told(session, clerk):
    headings = ["用人单位", "岗位名称", "招聘人数", "薪酬待遇", "联系人", "备注"]
    rows = [
        ["雁城新材", "工程师", "若干", "1.5万", "甲", "=1+1"],
        ["雁城新材", "工程师", "若干", "1.5万", "甲", "=1+1"],
        ["雁城新材", "工程师", "若干", "1.5万", "乙", ""],
        ["", "工程师", "1", "面议", "甲", ""],
    ]

    found = rows_by_number(previewed(a_workbook([headings, *rows]), clerk, kind="jobs"))

    assert [found[number][0] for number in range(2, 6)] == [
        Verdict.NEW,
        Verdict.SAME,
        Verdict.DOUBTFUL,
        Verdict.REFUSED,
    ]
    assert found[2][1] == [
        "How many are wanted is left open.",
        "“%(text)s” does not say whether by the month or by the year.",
    ]


SAMPLES_OF = CHECKED | {
    "talents": "talents.xlsx",
    "organisations": "organisations.xlsx",
    "pairings": "pairings.xlsx",
    "requests": "requests.xlsx",
}


@pytest.mark.parametrize("kind", SAMPLES_OF)
def test_a_long_file_is_judged_beside_this_process_and_says_exactly_the_same(session, clerk, monkeypatch, kind):
    def said(imported) -> list[tuple[object, ...]]:
        rows = (
            session.query(ImportRow).filter_by(import_id=imported.id).order_by(ImportRow.sheet_number, ImportRow.number)
        )
        return [
            (
                *(row.sheet_number, row.number, row.cells, row.verdict, row.reasons, row.fills),
                *(row.match_id, row.match_sheet, row.match_number),
            )
            for row in rows
        ]

    def one() -> tuple[object, ...]:
        imported = previewed((SAMPLES / SAMPLES_OF[kind]).read_bytes(), clerk, kind=kind)
        return imported.state, imported.sheets, imported.rows_total, said(imported)

    here = one()
    asked: list[object] = []
    done = beside.done
    monkeypatch.setattr(beside, "done", lambda *all_, **named: asked.append(all_[0]) or done(*all_, **named))
    monkeypatch.setattr(jobs, "LONG", 1)
    monkeypatch.setattr(jobs, "READ_AT_ONCE", 40)
    monkeypatch.setattr(jobs, "JUDGED_AT_ONCE", 40)
    monkeypatch.setattr(operations, "PIECE", 4000)

    assert one() == here
    assert {work.__name__ for work in asked} == {"read", "read_rows"}
    assert len(here[-1]) > 10


def test_a_file_that_cannot_be_read_says_so_from_beside_this_process_too(session, clerk, monkeypatch):
    monkeypatch.setattr(operations, "PIECE", 100)

    imported = previewed((SAMPLES / "talents.xlsx").read_bytes()[:9000], clerk)

    assert (imported.state, imported.problem) == (ImportState.UNREADABLE, "broken")


def test_understanding_that_dies_is_an_error_and_done_again(session, clerk, monkeypatch):
    monkeypatch.setattr(jobs, "LONG", 1)
    imported = uploaded((SAMPLES / "talents.xlsx").read_bytes(), clerk)
    outbox.perform(outbox.claim(now=NOW), now=NOW)
    monkeypatch.setattr(jobs, "read_rows", dies)
    outbox.perform(outbox.claim(now=NOW), now=NOW)
    failed = session.get(Import, imported.id).work
    assert (failed.state, failed.error) == (WorkState.WAITING, "BesideFailed")
    monkeypatch.undo()

    outbox.perform(outbox.claim(now=NOW + timedelta(minutes=5)), now=NOW)

    assert session.get(Import, imported.id).state is ImportState.PREVIEWED
    assert queries.tally(imported.id).waiting == 0


def dies(how, batches):
    """Be ended in the middle, as one that took too much memory is."""
    yield next(read_rows(how, batches))
    os._exit(9)
