"""The pages of an import, as a clerk meets them."""

import io
import re

import openpyxl
import pytest

from outreach.intake import queries
from outreach.intake.models import Import
from outreach.intake.rules import ImportState, Verdict
from outreach.organisations.rules import Role
from outreach.people.models import Person
from tests.factories import an_account, an_organisation, signed_in
from tests.intake.files import SAMPLES, a_workbook, landed, previewed, work_off

HEADINGS = ["姓名", "手机", "工作单位", "备注"]


@pytest.fixture
def clerk(city):
    return an_account("何清越", organisation=city.lead_organisation, roles=[Role.ORGANISER])


@pytest.fixture
def desk(client, clerk):
    return signed_in(client, clerk)


def upload(desk, content: bytes, name: str = "台账.xlsx"):
    return desk.post("/desk/imports/new", data={"kind": "talents", "file": (io.BytesIO(content), name)})


def test_a_file_goes_from_upload_to_the_records_by_pages_alone(desk, session):
    answer = upload(desk, (SAMPLES / "talents.xlsx").read_bytes())
    page = answer.headers["Location"]
    waiting = desk.get(page).text
    work_off()
    preview = desk.get(page).text
    desk.post(f"{page}/land")
    work_off()
    done = desk.get(page).text

    assert "正在读文件" in waiting
    assert "332 行" in preview
    assert "导入 332 行" in preview
    assert "新建 320 位，原来就有的 12 位" in done
    assert session.query(Person).count() == 320


def test_the_name_of_a_file_says_nothing_about_what_it_is(desk, session):
    assert upload(desk, (SAMPLES / "talents.xlsx").read_bytes(), "x.csv").status_code == 303
    assert upload(desk, "姓名,手机\n张三,19901000001\n".encode("gb18030"), "x.xlsx").status_code == 303


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "这个文件是空的"),
        (b"%PDF-1.4", "这不是表格"),
        (b"<html><table>", "其实是网页"),
        (b"PK\x03\x04broken", "这个文件坏了"),
    ],
)
def test_a_wrong_file_is_refused_at_once_in_a_sentence(desk, session, content, sentence):
    answer = upload(desk, content)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert session.query(Import).count() == 0


def test_a_form_without_a_file_asks_for_one(desk):
    answer = desk.post("/desk/imports/new", data={"kind": "talents"})

    assert (answer.status_code, "请选一个文件" in answer.text) == (422, True)


def test_an_upload_too_large_is_refused(desk, session, app, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 20_000)

    answer = upload(desk, bytes(21_000))

    assert answer.status_code == 413
    assert session.query(Import).count() == 0


def test_numbers_are_masked_and_markup_is_shown_as_text(desk, clerk):
    imported = previewed(a_workbook([HEADINGS, ["<script>alert(1)</script>甲", "19901007714", "x", "y"]]), clerk)

    page = desk.get(f"/desk/imports/{imported.id}?show=new").text

    assert "199****7714" in page
    assert "19901007714" not in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_doubtful_row_is_decided_and_landed(desk, clerk, session):
    landed(a_workbook([HEADINGS, ["罗一鸣", "19901004471", "雁城理工学院"]]), clerk)
    second = previewed(a_workbook([HEADINGS, ["罗一鸣", "19901007714", "雁城理工学院"]]), clerk)
    page = f"/desk/imports/{second.id}"
    before = desk.get(page).text
    action = re.search(rf'action="({page}/rows/\d+)"', before)[1]

    desk.post(action, data={"decision": "same"})
    after = desk.get(page).text
    desk.post(f"{page}/land")
    work_off()

    assert "199****4471" in before
    assert "姓名、单位相同" in before
    assert "导入 1 行" in after
    assert [len(person.contacts) for person in session.query(Person)] == [2]


def test_a_decision_nobody_offers_is_refused(desk, clerk):
    landed(a_workbook([HEADINGS, ["罗一鸣", "19901004471", "x"]]), clerk)
    second = previewed(a_workbook([HEADINGS, ["李明", "19901004471", "x"]]), clerk)
    row = desk.get(f"/desk/imports/{second.id}").text
    action = re.search(r'action="(/desk/imports/\d+/rows/\d+)"', row)[1]

    assert desk.post(action, data={"decision": "merge"}).status_code == 400


def test_refused_rows_come_back_as_a_file_with_reasons_and_inert_formulas(desk, clerk):
    imported = previewed(
        a_workbook([HEADINGS, ["甲", "1990100001", "=1+1", "  0123"], ["乙", "19901000002", "x", None]]), clerk
    )

    answer = desk.post(f"/desk/imports/{imported.id}/refused")

    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert [[cell.value for cell in row] for row in sheet.rows] == [
        ["原表行号", "收不了的原因", *HEADINGS],
        ["2", "手机号有 10 位，应是 11 位：199****001", "甲", "1990100001", "=1+1", "0123"],
    ]
    assert sheet["E2"].data_type == "s"


def test_examples_of_columns_expose_nobody_whatever_they_are_taken_for(desk, clerk):
    rows = [
        ["姓名", "手机", "邮箱", "身份证号", "出生日期", "备用联系", "备注"],
        [
            "林知遥",
            "19912345678",
            "lin@example.com",
            "431399197012280240",
            "1979-03-19",
            "19987654321",
            "发 b.c@example.cn",
        ],
    ]
    imported = previewed(a_workbook(rows), clerk)

    page = desk.get(f"/desk/imports/{imported.id}/columns").text

    exposed = ("19912345678", "12345678", "lin@", "b.c@", "1970", "280240", "1979", "03-19", "87654321")
    assert [one for one in exposed if one in page] == []
    assert "l***@example.com" in page


def test_columns_are_corrected_on_a_page(desk, clerk, session):
    imported = previewed(a_workbook([["称呼", "号"], ["张三", "19901000001"]]), clerk)
    page = f"/desk/imports/{imported.id}"

    asked = desk.get(desk.get(page).headers["Location"]).text
    wrong = desk.post(f"{page}/columns?sheet=0", data={"heading": "1", "kind": "0", "column-1": "phone"})
    desk.post(f"{page}/columns?sheet=0", data={"heading": "1", "kind": "0", "column-0": "name", "column-1": "phone"})
    work_off()

    assert "哪一列是“姓名”" in asked
    assert (wrong.status_code, "没有“姓名”这一列" in wrong.text) == (422, True)
    assert session.get(Import, imported.id).state is ImportState.PREVIEWED


def test_letting_a_file_go_leads_back_to_the_list(desk, clerk, session):
    imported = previewed(a_workbook([HEADINGS, ["张三", "19901000001"]]), clerk)

    answer = desk.get(desk.post(f"/desk/imports/{imported.id}/abandon").headers["Location"])

    assert "已放弃这个文件" in answer.text
    assert session.get(Import, imported.id).state is ImportState.ABANDONED


def test_confirming_twice_lands_once(desk, clerk, session):
    imported = previewed(a_workbook([HEADINGS, ["张三", "19901000001"]]), clerk)

    for _ in range(2):
        desk.post(f"/desk/imports/{imported.id}/land", headers={"Referer": "http://localhost/desk/imports/"})
    work_off()

    assert session.query(Person).count() == 1


def test_another_clerks_file_is_not_there(client, clerk, session):
    imported = previewed(a_workbook([HEADINGS, ["张三", "19901000001"]]), clerk)
    colleague = an_account(organisation=clerk.organisation, roles=[Role.ORGANISER])
    signed_in(client, colleague)

    answers = [client.get(f"/desk/imports/{imported.id}"), client.post(f"/desk/imports/{imported.id}/land")]

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("role", [Role.HANDLER, Role.LEADER, Role.SUPERVISOR])
def test_who_may_not_import_is_sent_away(client, role):
    signed_in(client, an_account(organisation=an_organisation(), roles=[role]))

    assert client.get("/desk/imports/").status_code == 403


def test_every_verdict_has_a_page_of_its_own(desk, clerk):
    imported = previewed((SAMPLES / "talents.xlsx").read_bytes(), clerk)

    answers = [desk.get(f"/desk/imports/{imported.id}?show={verdict.value}") for verdict in Verdict]

    assert {answer.status_code for answer in answers} == {200}


def test_a_list_of_rows_takes_as_many_queries_for_many_rows_as_for_few(desk, clerk, statements):
    few = landed(a_workbook([HEADINGS, ["甲", "19901000001", "x"]]), clerk)
    many = landed(a_workbook([HEADINGS, *[[f"人{n}", f"1990100{n:04d}", "y"] for n in range(10, 30)]]), clerk)

    pages = [f"/desk/imports/{imported.id}?show=new" for imported in (few, many)]
    desk.get(pages[0])

    counts = []
    for page in pages:
        with statements() as seen:
            desk.get(page)
        counts.append(len(seen))

    assert counts[0] == counts[1]


def test_many_refused_rows_come_back_in_parts_and_none_is_lost(desk, clerk, monkeypatch):
    monkeypatch.setattr(queries, "REFUSED_IN_A_PART", 2)
    imported = previewed(a_workbook([HEADINGS, *[["", f"1990100{n:04d}", "x", ""] for n in range(3)]]), clerk)
    page = f"/desk/imports/{imported.id}"

    shown = desk.get(page).text
    files = [desk.post(f"{page}/refused", data={"part": part}).data for part in (1, 2)]

    numbers = [[cell.value for cell in openpyxl.load_workbook(io.BytesIO(one)).active["A"]][1:] for one in files]
    assert "第 1 到 2 行" in shown
    assert numbers == [["2", "3"], ["4"]]


def test_a_persons_page_names_the_file_they_came_by(desk, clerk, session):
    landed(a_workbook([["姓名", "手机"], ["张三", "19901000001"]]), clerk)
    person = session.query(Person).one()

    page = desk.get(f"/desk/people/{person.id}").text

    assert f"由《{session.query(Import).one().filename}》导入" in page
