"""Reading files by their content: which are read, which are refused, and how."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from outreach.intake import imports
from outreach.intake.rules import Problem, Unreadable
from tests.intake.files import SAMPLES, a_workbook

HERE = Path(__file__).parent


def rows_of(content: bytes) -> list[list[object]]:
    return list(next(imports.sheets(content)).rows)


def problem_of(content: bytes) -> Problem:
    with pytest.raises(Unreadable) as refusal:
        every_row(content)
    return refusal.value.problem


def every_row(content: bytes) -> list[list[object]]:
    return [row for sheet in imports.sheets(content) for row in sheet.rows]


def a_package(**parts: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return held.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_text_is_read_in_the_encodings_and_with_the_signs_offices_use(encoding, sign):
    text = "\r\n".join(sign.join(row) for row in (["姓名", "手机", "单位"], ["𠮷川由美", "19901000067", "雁城, 新材"]))

    rows = rows_of(text.replace("雁城, 新材", "雁城新材").encode(encoding))

    assert rows == [["姓名", "手机", "单位"], ["𠮷川由美", "19901000067", "雁城新材"]]


def test_numbers_that_were_wrapped_for_excel_are_unwrapped():
    assert rows_of('姓名,身份证\n张三,"=""431399197903190126"""\n李四,\'0123\n'.encode())[1:] == [
        ["张三", "431399197903190126"],
        ["李四", "0123"],
    ]


def test_a_formula_in_text_stays_text():
    assert rows_of("姓名,备注\n张三,=1+1\n".encode())[1] == ["张三", "=1+1"]


def test_merged_cells_are_filled_downwards_and_ditto_marks_from_above():
    content = a_workbook(
        [
            ["单位", "姓名", "职务"],
            ["南岳农业", "甲", "工程师"],
            [None, "乙", "同上"],
            [None, "丙", "〃"],
            ["雁城新材", "丁", "x"],
        ],
        merged=[(1, 0, 3, 0)],
    )

    assert rows_of(content)[1:] == [
        ["南岳农业", "甲", "工程师"],
        ["南岳农业", "乙", "工程师"],
        ["南岳农业", "丙", "工程师"],
        ["雁城新材", "丁", "x"],
    ]


def test_days_and_numbers_come_as_what_they_are():
    assert rows_of(a_workbook([["a", "b"], [date(1979, 3, 19), 19901000024]]))[1] == [date(1979, 3, 19), 19901000024.0]


def test_an_old_xls_file_is_read():
    rows = rows_of((HERE / "ledger.xls").read_bytes())

    assert rows[2:5] == [
        ["姓名", "单位", "手机"],
        ["区子萱", "中轴机器人", "19901000012"],
        ["朱航远", "中轴机器人", 19901000024.0],
    ]


def test_a_file_locked_with_a_password_is_refused_as_such():
    assert problem_of((HERE / "locked.xlsx").read_bytes()) is Problem.PASSWORD


def test_a_hidden_sheet_is_marked():
    sheets = list(imports.sheets(a_workbook([["a"]], [["b"]], names=["甲", "乙"], hidden=[1])))

    assert [(sheet.name, sheet.hidden) for sheet in sheets] == [("甲", False), ("乙", True)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", Problem.EMPTY, id="nothing"),
        pytest.param(b" \r\n \r\n", Problem.EMPTY, id="white space"),
        pytest.param(b"%PDF-1.7\n1 0 obj", Problem.NOT_A_SHEET, id="pdf"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(64), Problem.NOT_A_SHEET, id="picture"),
        pytest.param(b"<html><table><tr><td>1</td></tr></table>", Problem.WEB_PAGE, id="web page called .xls"),
        pytest.param(b"PK\x03\x04" + b"x" * 100, Problem.BROKEN, id="half a package"),
        pytest.param(a_package(word__document_xml=b"<w/>"), Problem.NOT_A_SHEET, id="a letter"),
        pytest.param(a_package(mimetype=b"application/vnd.oasis"), Problem.OLD_FORMAT, id="open document"),
        pytest.param(imports.OLE + bytes(600), Problem.NOT_A_SHEET, id="an old letter"),
        pytest.param(imports.OLE + "EncryptedPackage".encode("utf-16-le"), Problem.PASSWORD, id="a locked file"),
        pytest.param("姓名\n".encode("gb18030") + b"\xff\xff\x81", Problem.ENCODING, id="no encoding"),
        pytest.param(a_workbook([["姓名"], ["甲"]])[:-300], Problem.BROKEN, id="cut off"),
        pytest.param(
            a_package(
                xl__workbook_xml=b"<workbook/>",
                xl__worksheets__sheet1_xml=b'<row><c r="A1"/></row><row><c r="XFD1048576"/></row>',
            ),
            Problem.TOO_LARGE,
            id="two cells far apart",
        ),
        pytest.param(
            a_package(xl__workbook_xml=b"<workbook/>", xl__sharedStrings_xml=bytes(imports.MOST_UNPACKED + 1)),
            Problem.TOO_LARGE,
            id="a zip bomb",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(content, problem):
    assert problem_of(content) is problem


@pytest.mark.parametrize(
    "name", ["signups.csv", "jobs.csv", "requests.xlsx", "needs_and_experts.xlsx", "pairings.xlsx"]
)
def test_every_sample_is_read(name):
    counts = [len(list(sheet.rows)) for sheet in imports.sheets((SAMPLES / name).read_bytes())]

    assert all(count > 10 for count in counts)
