"""Files that were taken out, opened by other readers: openpyxl, calamine, the csv module."""

import io
from datetime import date, datetime
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from outreach.exports import documents
from outreach.exports.models import Export
from outreach.exports.rules import Format
from outreach.exports.rules.offers import Column, Mark
from outreach.exports.rules.texts import MOST_IN_A_CELL, as_meant, plain
from outreach.organisations.rules import Role
from outreach.people import operations as people
from tests.conftest import NOW
from tests.exports.files import HEADING_ROW, REASON, lines_of, rows_of, sheet_of, taken, unescaped
from tests.factories import BEFORE, a_contact_point, a_person, a_talent_class, an_account
from tests.machine import SQLITE

NASTY = [
    "431399197909281600",
    "0012",
    "+8619900000036",
    "=1+1",
    "+SUM(1)",
    "-12.5",
    "-2+3",
    "@cmd|'/c calc'!A1",
    "\t=1",
    "'=1",
    "𠮷䶮",
    "甲\n乙",
    '他说"好,"',
    "_x0041_",
    "<b>&amp;",
    "<r><t>不是标记</t></r>",
    "https://example.com",
    " 前后有空格 ",
    "1e5",
    "TRUE",
    "2026-11-28",
    "龘" * 60,
]
TEXTS = st.text(
    alphabet=st.one_of(st.sampled_from("=+-@'\",\t\n _x0041_𠮷䶮"), st.characters(exclude_categories=["Cs"])),
    max_size=30,
)


@pytest.fixture
def organiser(city):
    return an_account("陈晓", organisation=city.lead_organisation, roles=[Role.ORGANISER])


@pytest.fixture
def written(applications, tmp_path):
    """What makes a file of texts in two columns, and returns it."""

    def write(kind: Format, rows: list[list[object]], labels: tuple[str, ...] = ("甲", "乙")) -> bytes:
        columns = [Column(str(place), label, (None,)) for place, label in enumerate(labels)]
        mark = Mark("名单", "20261124-1", kind, [], "陈晓", "市委人才办", NOW, REASON, len(rows))
        cells = documents.cells(columns, frozenset(), SimpleNamespace(now=NOW))
        file = io.BytesIO()
        with applications(SQLITE).test_request_context():
            documents.write_table(file, kind, mark, columns, map(cells, rows), tmp_path)
        return file.getvalue()

    return write


def test_nasty_texts_come_out_of_a_workbook_as_they_went_in(written):
    content = written(Format.XLSX, [[text, "x"] for text in NASTY])

    sheet = sheet_of(content)
    cells = [row[0] for row in sheet.iter_rows(min_row=HEADING_ROW + 1)]
    assert [unescaped(cell.value) for cell in cells] == NASTY
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert [row[0] for row in rows[HEADING_ROW:]] == NASTY


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12))
def test_any_texts_come_out_of_both_kinds_as_they_went_in(written, rows):
    wanted = [[plain(text) for text in row] for row in rows]
    wanted.append(["the", "end"])  # a sheet ends with its last cell that is not empty

    book = written(Format.XLSX, wanted)
    found = sheet_of(book).iter_rows(min_row=HEADING_ROW + 1, values_only=True)
    assert [[unescaped(value) or "" for value in row] for row in found] == wanted
    lines = lines_of(written(Format.CSV, wanted))
    assert [[as_meant(cell) for cell in line[:-1]] for line in lines[1:]] == wanted


def test_a_csv_has_its_mark_quotes_by_the_rfc_and_runs_nothing(written):
    content = written(Format.CSV, [[text, -12.5] for text in NASTY])

    assert content.startswith(b"\xef\xbb\xbf")
    assert b'"\xe4\xbb\x96\xe8\xaf\xb4""\xe5\xa5\xbd,"""' in content
    assert content.count(b"\r\n") == len(NASTY) + 1
    lines = lines_of(content)
    assert lines[0] == ["甲", "乙", "导出编号"]
    assert [as_meant(line[0]) for line in lines[1:]] == NASTY
    assert {(line[1], line[2]) for line in lines[1:]} == {("-12.5", "20261124-1")}
    signed = {"+8619900000036", "-12.5"}
    assert [line[0] for line in lines[1:] if line[0].lstrip()[:1] in tuple("=+-@") and line[0] not in signed] == []


def test_a_text_too_long_for_a_cell_says_so_and_opens(written):
    content = written(Format.XLSX, [["𠮷" * 20_000, "汉" * MOST_IN_A_CELL]])

    short, whole = next(sheet_of(content).iter_rows(min_row=HEADING_ROW + 1, values_only=True))
    assert short.endswith("（内容过长已截断，共 20,000 字）")
    assert len(short.encode("utf-16-le")) // 2 <= MOST_IN_A_CELL
    assert whole == "汉" * MOST_IN_A_CELL
    assert lines_of(written(Format.CSV, [["𠮷" * 20_000, ""]]))[1][0] == "𠮷" * 20_000


def test_days_moments_and_numbers_are_what_they_are_on_the_offices_clocks(written):
    late = datetime.fromisoformat("2026-11-23T17:30:00+00:00")
    content = written(Format.XLSX, [[date(1979, 3, 19), late], [date(1899, 1, 2), 12345], [10**17, True]])

    rows = list(sheet_of(content).iter_rows(min_row=HEADING_ROW + 1))
    assert [cell.value for cell in rows[0]] == [datetime(1979, 3, 19), datetime(2026, 11, 24, 1, 30)]  # noqa: DTZ001
    assert [cell.value for cell in rows[1]] == ["1899-01-02", 12345]
    assert [cell.value for cell in rows[2]] == ["100000000000000000", "是"]
    assert [cell.number_format for cell in rows[0]] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm"]
    assert lines_of(written(Format.CSV, [[late, date(1979, 3, 19)]]))[1][:2] == ["2026-11-24 01:30", "1979-03-19"]


def test_a_workbook_says_what_it_is_who_took_it_and_prints(session, organiser):
    a_person("林知遥", organisation=organiser.organisation)
    content = taken(organiser, arguments={"q": "林知"})

    book = load_workbook(io.BytesIO(content))
    sheet = book.active
    export = session.query(Export).one()
    title, filters, said = (sheet.cell(row, 1).value for row in (1, 2, 3))
    assert title == "人才名单"
    assert filters == "筛选条件：搜索：“林知”"
    assert said == (
        f"导出人：陈晓（市委人才办）　时间：2026-11-24 10:00　共 1 人　编号：{export.number} "
        f"用途：{REASON}。含个人信息，仅限此用途，请勿外传。"
    )
    assert sheet.title == "人才名单"
    assert {str(merged) for merged in sheet.merged_cells.ranges} == {f"A{row}:K{row}" for row in (1, 2, 3)}
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("B5", "A4:K5")
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert (sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.page_setup.fitToHeight) == (True, 0)
    assert sheet.print_title_rows == "$4:$4"
    assert f"{export.number}  陈晓" in sheet.oddFooter.left.text
    assert sheet.oddFooter.right.text.strip() == "第 &P 页，共 &N 页"
    assert (book.properties.creator, book.properties.keywords) == ("陈晓（市委人才办）", export.number)
    assert book.custom_doc_props["导出编号"].value == export.number
    assert sheet.column_dimensions["A"].width > 6


def test_what_exposes_people_is_masked_unless_it_is_asked_for_in_full(session, organiser):
    point = a_contact_point("+8619901000036")
    person = people.add(
        organisation=organiser.organisation,
        name="林知遥",
        phone=point.value,
        email="lin@example.com",
        values={"identity_number": "43139919940803036X", "birth": "1994-08-03", "talent_class": a_talent_class("头雁")},
        by=organiser.actor,
        now=BEFORE,
    )
    assert person.phone == point.value
    columns = ["name", "talent_class", "phone", "email", "birth", "identity_number"]

    masked = rows_of(taken(organiser, columns=columns))
    in_full = rows_of(taken(organiser, columns=columns, in_full=columns))

    assert masked == [
        {
            "姓名": "林知遥",
            "人才类别": "头雁",
            "手机号": "199****0036",
            "邮箱": "l***@example.com",
            "出生日期": "1994-**",
            "身份证号": "****************6X",
        }
    ]
    assert list(in_full[0].values()) == [
        "林知遥",
        "头雁",
        "19901000036",
        "lin@example.com",
        datetime(1994, 8, 3),  # noqa: DTZ001
        "43139919940803036X",
    ]
