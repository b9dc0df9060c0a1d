"""Headings as offices write them."""

import pytest

from outreach.intake.rules import Importer, Reason
from outreach.intake.rules.headings import Reader, Sheet, likeness, mapped, recognise
from outreach.people.imports import TALENTS
from outreach.people.rules.ledger import FIELDS

NAMES = {wanted.name: wanted for wanted in FIELDS}


def recognised(*rows: list[str | None], spans: list[tuple[int, int, int]] | None = None) -> Sheet:
    sheet = Sheet(name="", number=0, top=dict(enumerate(rows, start=1)), spans=spans or [])
    recognise(sheet, TALENTS)
    return sheet


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("手机号码", "phone"),
        ("联系电话", "phone"),
        ("电话", "phone"),
        ("手 机", "phone"),
        ("本人手机号（必填）", "phone"),
        ("联系方式", "phone"),
        ("＊姓　名", "name"),
        ("姓名/Name", "name"),
        ("身份证号码（18位）", "identity_number"),
        ("出生年月\n（如1979.03）", "birth"),
        ("学历/学位", "degree"),
        ("最高学历", "degree"),
        ("毕业院校及专业", "school"),
        ("现工作单位全称", "employer"),
        ("E-Mail", "email"),
        ("电子邮箱", "email"),
    ],
)
def test_a_heading_is_recognised_however_it_is_written(heading, name):
    best = max(FIELDS, key=lambda wanted: likeness(heading, wanted))

    assert (best.name, likeness(heading, best) > 0) == (name, True)


@pytest.mark.parametrize(
    "heading", ["配偶姓名", "紧急联系人电话", "家长电话", "推荐单位", "入党时间", "备注2", "  ", "单位电话"]
)
def test_another_persons_column_is_not_taken_for_ones_own(heading):
    assert [wanted.name for wanted in FIELDS if likeness(heading, wanted)] == []


def test_a_surer_heading_wins_the_field():
    assert mapped({0: "本人姓名", 1: "姓名", 2: "手机", 3: "备用电话"}, FIELDS) == {1: "name", 2: "phone", 3: "phone"}


def test_headings_are_found_under_titles():
    sheet = recognised(
        ["2026年人才台账", None, None], ["填报单位：x", None, None], ["序号", "姓名", "手机"], ["1", "张三", "199"]
    )

    assert (sheet.heading, sheet.mapping) == ((3, 3), {0: "serial", 1: "name", 2: "phone"})


def test_headings_over_two_rows_are_read_together():
    sheet = recognised(
        ["姓名", "联系", None, "工作情况", None],
        [None, "手机", "邮箱", "单位", "职务"],
        ["张三", "199", "a@b", "x", "y"],
        spans=[(1, 1, 2), (1, 3, 4)],
    )

    assert sheet.heading == (1, 2)
    assert sheet.mapping == {0: "name", 1: "phone", 2: "email", 3: "employer", 4: "position"}


def test_headings_repeated_further_down_leave_the_rows_between_in():
    sheet = recognised(
        ["人员", None, "联系"],
        ["姓名", "单位", "手机"],
        ["张三", "x", "199"],
        ["姓名", "工作单位", "手机号码"],
        ["李四", "y", "199"],
    )

    assert sheet.heading == (2, 2)


def test_english_headings_are_recognised():
    assert recognised(["Name", "Mobile", "E-mail"], ["Ann", "1", "2"]).mapping == {0: "name", 1: "phone", 2: "email"}


def test_a_sheet_without_known_headings_is_left_to_the_clerk():
    sheet = recognised(["甲", "乙"], ["丙", "丁"])

    assert (sheet.importer, sheet.heading) == (None, None)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["合计", "332人"], "A total"),
        (["小 计：", None, "12"], "A total"),
        (["共计 12 人"], "A total"),
        (["序号", "姓名", "手机"], "The headings once more"),
        (["二、在外人才", None, None], "A title or a note"),
        (["注：手机号必填", None, None], "A note"),
        (["1", "张三", "199"], None),
        ([None, "张三", None], None),
    ],
)
def test_rows_that_are_no_data_are_told_apart(cells, reason):
    sheet = recognised(["序号", "姓名", "手机"], ["1", "李四", "199"])

    found = Reader(sheet, TALENTS.sheets[0].fields).read(9, cells)

    assert (found.sentence if isinstance(found, Reason) else None) == reason


def test_the_kind_of_a_sheet_is_told_by_its_headings():
    class Units:
        key, label = "units", "Units"
        fields = (NAMES["employer"], NAMES["remark"])

    both = Importer(key="x", label="x", permission=None, sheets=(Units(), *TALENTS.sheets))
    sheet = Sheet(name="", number=0, top={1: ["单位", "备注"], 2: ["a", "b"]})

    recognise(sheet, both)

    assert sheet.importer == 0
