"""Ledgers of talents, the sample and worse, through the whole of an import."""

from datetime import date

import pytest

from outreach.intake import operations as intake_operations
from outreach.intake import queries
from outreach.intake.rules import Verdict
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people.models import Person
from outreach.people.operations import seed_classes_and_fields
from outreach.people.queries import Wanted, find
from outreach.people.rules import ContactKind, Degree
from tests.conftest import NOW
from tests.factories import an_account, an_organisation
from tests.intake.files import SAMPLES, a_workbook, landed, previewed, rows_by_number, work_off

HEADINGS = ["姓名", "手机", "身份证号", "出生年月", "工作单位", "毕业院校"]


@pytest.fixture
def clerk(session):
    seed_classes_and_fields()
    return an_account(organisation=an_organisation("市委人才办"), roles=[Role.ORGANISER])


def named(session, name: str) -> Person:
    return session.query(Person).filter_by(name=name).one()


def verdict_of(known: list[object], row: list[object], clerk) -> tuple[Verdict | None, list[str]]:
    landed(a_workbook([HEADINGS, known]), clerk)
    return rows_by_number(previewed(a_workbook([HEADINGS, row]), clerk))[2]


def test_every_row_of_the_sample_is_taken_for_what_it_is(session, clerk):
    imported = landed((SAMPLES / "talents.xlsx").read_bytes(), clerk)

    counted = queries.tally(imported.id)
    assert (counted.new, counted.same, counted.doubtful, counted.refused, counted.skipped) == (320, 12, 0, 0, 4)
    assert session.query(Person).count() == 320


def test_the_sample_is_read_cell_by_cell(session, clerk):
    landed((SAMPLES / "talents.xlsx").read_bytes(), clerk)

    person = named(session, "邓桂国")
    assert (person.employer, person.talent_class.name, person.degree) == ("来雁数据", "头雁", Degree.DOCTOR)
    assert (person.birth, person.identity_number) == ("1994-08-03", "43139919940803036X")
    assert (person.phone, person.email) == ("+8619901000036", "talent36@example.com")
    assert person.remark == "重复填报"
    assert person.aside == []


def test_a_number_the_spreadsheet_rounded_is_kept_beside_the_record(session, clerk):
    imported = landed((SAMPLES / "talents.xlsx").read_bytes(), clerk)

    person = named(session, "查然")
    assert (person.identity_number, person.birth) == (None, "1979-09")
    assert person.aside[0] == {
        "of": "identity_number",
        "value": "431399197909281600",
        "source": f"import:{imported.id}",
        "row": 29,
    }


@pytest.mark.parametrize(
    ("known", "row", "verdict"),
    [
        pytest.param(
            ["张三", "19901000001", "431399197012280240"],
            ["张三", "19901000009", "431399197012280240"],
            Verdict.SAME,
            id="one identity number is one person",
        ),
        pytest.param(
            ["张三", "19901000001"], ["张三", "+86 199 0100 0001"], Verdict.SAME, id="name and number are one person"
        ),
        pytest.param(["张三", "19901000001"], ["李四", "19901000001"], Verdict.DOUBTFUL, id="a number alone is not"),
        pytest.param(
            ["张三", "19901000001", None, None, "雁城新材"],
            ["张三", "19901000009", None, None, "雁城新材"],
            Verdict.DOUBTFUL,
            id="name and employer with another number",
        ),
        pytest.param(
            ["张三", "19901000001", None, None, None, "南华大学"],
            ["张三", "19901000009", None, None, None, "南华大学"],
            Verdict.DOUBTFUL,
            id="name and school with another number",
        ),
        pytest.param(["张三", "19901000001"], ["张三", "19901000009"], Verdict.NEW, id="a name alone is nothing"),
        pytest.param(
            ["张三", "19901000001", "431399197012280240", None, "雁城新材"],
            ["张三", "19901000009", "431399196403060451", None, "雁城新材"],
            Verdict.NEW,
            id="two identity numbers are two people",
        ),
        pytest.param(
            ["张三", "19901000001", None, "1970-12"],
            ["张三", "19901000001", None, "1985-01"],
            Verdict.DOUBTFUL,
            id="name and number, but born at another time",
        ),
        pytest.param(
            ["张三", None, None, "1970-12", "雁城新材"],
            ["张三", None, None, "1970-12", "雁城新材"],
            Verdict.SAME,
            id="nothing but what the record says already",
        ),
    ],
)
def test_who_a_row_is(session, clerk, known, row, verdict):
    assert verdict_of(known, row, clerk)[0] is verdict


def test_people_kept_by_units_the_clerk_cannot_see_are_not_compared(session, clerk):
    stranger = an_account(organisation=an_organisation("别的市"), roles=[Role.ORGANISER])
    landed(a_workbook([HEADINGS, ["张三", "19901000001"]]), stranger)

    assert rows_by_number(previewed(a_workbook([HEADINGS, ["张三", "19901000001"]]), clerk))[2][0] is Verdict.NEW


def test_blanks_are_filled_and_what_differs_overwrites_nothing(session, clerk):
    landed(a_workbook([HEADINGS, ["张三", "19901000001", None, "1970", "雁城新材", None]]), clerk)

    second = landed(a_workbook([HEADINGS, ["张三", "19901000001", None, "1970-12", "来雁数据", "南华大学"]]), clerk)

    person = named(session, "张三")
    assert (person.employer, person.school, person.birth) == ("雁城新材", "南华大学", "1970-12")
    assert person.aside == [{"of": "employer", "value": "来雁数据", "source": f"import:{second.id}", "row": 2}]


def test_a_ledger_with_headings_over_two_rows_and_every_other_defect(session, clerk):
    rows = [
        ["雁城市在外人才名册（2026）", None, None, None, None, None, None],
        ["填表人：王某", None, None, None, "2026年11月", None, None],
        ["编号", "人员", None, "学历", "联系方式", None, "政治面貌"],
        [None, "姓 名", "出生", None, "电话（微信同号）", "邮箱", None],
        ["（必填）", None, None, None, None, None, None],
        ["一、博士", None, None, None, None, None, None],
        ["A-01", "欧阳　建", 28933, "博士研究生（在读）", "19901000001/19901000002", "OY@EXAMPLE.COM", "九三学社 "],
        ["A-02", "𠮷川由美", date(1990, 3, 9), "PhD", "19901000003, yumi@example.com", None, None],
        [None, None, None, None, None, None, None],
        ["二、硕士", None, None, None, None, None, None],
        ["编号", "姓 名", "出生", "学历", "电话（微信同号）", "邮箱", "政治面貌"],
        ["A-03", "欧阳建", 28933, "博士", 19901000002, None, None],
        ["A-04", "单 伟", "属羊", "研究生", "0734-7000000", None, "=1+1"],
        ["共计 4 人", None, None, None, None, None, None],
        ["审核人：李某", None, None, None, None, None, None],
    ]

    imported = landed(a_workbook(rows, merged=[(0, 0, 0, 6), (2, 1, 2, 2), (2, 4, 2, 5)]), clerk)

    verdicts = {number: verdict.value for number, (verdict, _) in rows_by_number(imported).items()}
    assert {number for number, verdict in verdicts.items() if verdict == "skipped"} == {
        1,
        2,
        3,
        4,
        5,
        6,
        10,
        11,
        14,
        15,
    }
    assert {number: verdicts[number] for number in (7, 8, 12, 13)} == {7: "new", 8: "new", 12: "same", 13: "new"}
    assert sorted(person.name for person in session.query(Person)) == ["单伟", "欧阳建", "𠮷川由美"]
    first = named(session, "欧阳建")
    assert first.reached_by(ContactKind.PHONE) == ["+8619901000001", "+8619901000002"]
    assert (first.email, first.birth, first.degree) == ("oy@example.com", "1979-03-19", Degree.DOCTOR)
    assert {(entry["of"], entry["value"]) for entry in first.aside} >= {("政治面貌", "九三学社"), ("编号", "A-01")}
    last = {(entry["of"], entry["value"]) for entry in named(session, "单伟").aside}
    assert {("birth", "属羊"), ("phone", "0734-7000000"), ("政治面貌", "=1+1")} <= last


def test_a_ledger_as_text_in_gb18030_with_semicolons(session, clerk):
    text = (
        '台账;;;\r\n姓名;联系电话;单位名称;备注\r\n㛃曦;１９９０１０００００１;雁城新材;"重点;联系"\r\n合计;1人;;\r\n'
    )

    landed(text.encode("gb18030"), clerk, filename="台账.txt")

    person = named(session, "㛃曦")
    assert (person.phone, person.employer, person.remark) == ("+8619901000001", "雁城新材", "重点;联系")


def test_a_ledger_in_several_sheets_comes_in_whole_but_for_the_hidden_one(session, clerk):
    content = a_workbook(
        [["姓名", "手机"], ["甲乙", "19901000001"]],
        [["姓名", "手机"], ["丙丁", "19901000002"]],
        [["姓名", "手机"], ["戊己", "19901000003"]],
        [["字典"], ["头雁"]],
        names=["石鼓区", "蒸湘区", "旧表", "字典"],
        hidden=[2],
    )

    landed(content, clerk)

    assert [person.name for person in session.query(Person).order_by(Person.id)] == ["甲乙", "丙丁"]


def test_what_exposes_a_person_stands_sealed_in_the_database(session, clerk):
    landed(a_workbook([HEADINGS, ["张三", "19901000001", "431399197012280240", "1970-12-28", "x"]]), clerk)

    raw = "".join(
        str(session.connection().exec_driver_sql(f"SELECT * FROM {table}").all())
        for table in ("people", "contact_points", "import_rows", "history_lines")
    )
    assert not any(secret in raw for secret in ("19901000001", "431399197012280240", "1970-12-28"))


def test_fields_of_the_citys_list_are_taken_what_else_stands_there_is_the_field_of_study(session, clerk):
    headings = ["姓名", "手机", "专业领域"]
    landed(
        a_workbook([headings, ["张三", "19901000001", "新材料；光伏、新能源"], ["李四", "19901000002", "无"]]), clerk
    )

    person = named(session, "张三")
    assert [one.field.name for one in person.fields] == ["新材料", "新能源"]
    assert (person.major, person.aside) == ("光伏", [])
    assert (named(session, "李四").fields, named(session, "李四").major) == ([], None)
    found = find(clerk, Wanted(field=person.fields[0].field))
    assert [one.name for one in found.page().items] == ["张三"]


def test_who_comes_from_here_and_lives_elsewhere_is_found_as_away(session, clerk):
    headings = ["姓名", "手机", "籍贯", "现居地"]
    an_organisation("清江县", kind=OrganisationKind.AREA)
    rows = [["张三", "19901000001", "湖南清江", "深圳"], ["李四", "19901000002", "湖南清江", "清江县城"]]
    landed(a_workbook([headings, *rows]), clerk)

    assert named(session, "张三").residence == "深圳"
    assert [one.name for one in find(clerk, Wanted(away=True)).page().items] == ["张三"]


def test_fields_are_added_to_those_of_the_record_and_taken_off_again(session, clerk):
    landed(a_workbook([["姓名", "手机", "领域", "专业"], ["张三", "19901000001", "金融", "会计"]]), clerk)
    second = landed(a_workbook([["姓名", "手机", "领域"], ["张三", "19901000001", "教育/金融/茶道"]]), clerk)
    person = named(session, "张三")
    assert [one.field.name for one in person.fields] == ["金融", "教育"]
    assert [(one["of"], one["value"]) for one in person.aside] == [("major", "茶道")]

    intake_operations.undo(imported=second, by=clerk.actor, now=NOW)
    session.commit()
    work_off()

    session.expire_all()
    assert [one.field.name for one in named(session, "张三").fields] == ["金融"]
    assert named(session, "张三").aside == []
