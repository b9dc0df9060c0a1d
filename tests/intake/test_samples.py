"""Files whose features are still to come: read, mapped by their Chinese headings, sorted, and kept."""

import pytest

from outreach.intake import operations, queries
from outreach.intake.rules import ImportState, OnlyChecked, Verdict
from outreach.organisations.rules import Role
from tests.conftest import NOW
from tests.factories import an_account, signed_in
from tests.intake.files import SAMPLES, a_workbook, landed, previewed, rows_by_number

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
