"""PDF and Word: Chinese of every kind, nothing taken for markup, nothing missing without being named."""

import io
import re
import zipfile
from types import SimpleNamespace

import docx
import pytest
from pypdf import PdfReader

from outreach.cases import operations as cases
from outreach.cases.rules.answers import AnswerKind
from outreach.exports import documents
from outreach.exports.documents import fonts
from outreach.exports.models import Export
from outreach.exports.rules import Format
from outreach.exports.rules.offers import Column, FilledForm, Line, Mark
from outreach.organisations.rules import Role
from outreach.people.models import PersonTakenOut
from tests.conftest import NOW
from tests.exports.files import REASON, taken
from tests.factories import (
    BEFORE,
    a_case,
    a_contact_point,
    a_person,
    a_registration,
    an_account,
    an_event,
    an_organisation,
    signed_in,
)
from tests.machine import SQLITE

NAMES = ["𠮷䶮", "㛃𬭎", "欧阳龘", "阿卜杜热西提·买买提", "Zoë O’Brien"]
HOSTILE = [
    "#strong[x]",
    "$1+1$ *粗* _斜_",
    "@ref <label> `code`",
    "\\ // /* */",
    "https://example.com/" + "a" * 60,
    "]#[x]",
]


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def organiser(office):
    return an_account("陈晓", organisation=office, roles=[Role.ORGANISER])


@pytest.fixture
def written(applications, tmp_path):
    """What makes a list or a form, and returns the file."""

    def write(kind: Format, what: list[str] | FilledForm) -> bytes:
        mark = Mark("名单 #x", "20261124-1", kind, [("搜索", "“*”")], "陈晓", "市委人才办", NOW, REASON, 1, "1 人")
        file = io.BytesIO()
        with applications(SQLITE).test_request_context():
            if isinstance(what, FilledForm):
                documents.write_sheet(file, kind, mark, what)
            else:
                columns = [Column("text", "文字", (None,)), Column("signature", "签名", room=18)]
                rows = map(documents.cells(columns, frozenset(), SimpleNamespace(now=NOW)), ([text] for text in what))
                documents.write_table(file, kind, mark, columns, rows, tmp_path)
        return file.getvalue()

    return write


def pages_of(content: bytes) -> list[str]:
    """The text of each page, without the marks that only say where a line may break."""
    return [page.extract_text().replace("\u200b", "") for page in PdfReader(io.BytesIO(content)).pages]


def words_of(content: bytes) -> str:
    """Everything a Word document says, its footer included."""
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in dict.fromkeys(row.cells)]
    paragraphs = [*document.paragraphs, *document.sections[0].footer.paragraphs]
    return "\n".join([*cells, *(paragraph.text for paragraph in paragraphs)])


def bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_a_printed_list_shows_every_name_and_takes_nothing_for_markup(written):
    said = bare("".join(pages_of(written(Format.PDF, [*NAMES, *HOSTILE]))))

    assert [text for text in [*NAMES, *HOSTILE] if bare(text) not in said] == []
    assert "名单#x" in said
    assert "筛选条件：搜索：“*”" in said


def test_a_character_that_no_font_has_is_named_instead_of_an_empty_box(written):
    said = bare("".join(pages_of(written(Format.PDF, ["林😀", "\U00030edd"]))))

    assert "林[U+1F600]" in said
    assert "[U+30EDD]" in said


def test_only_the_fonts_that_were_built_are_used(written):
    pages = PdfReader(io.BytesIO(written(Format.PDF, NAMES))).pages
    used = {font["/BaseFont"].partition("+")[2] for page in pages for font in _fonts_of(page)}

    assert used == {"NotoSansHans-Regular-Identity-H", "NotoSansHans-Bold-Identity-H", "NotoSansJP-Regular-Identity-H"}
    assert {"龘", "䶮", "a", "，"} <= fonts.covered()
    assert "😀" not in fonts.covered()


def test_a_long_list_repeats_its_heading_and_counts_its_pages(written):
    pages = pages_of(written(Format.PDF, [f"林知遥{number}" for number in range(120)]))

    assert len(pages) > 2
    assert all("签名" in page and "20261124-1" in page for page in pages)
    assert [f"第 {place} 页，共 {len(pages)} 页" in page for place, page in enumerate(pages, start=1)] == [True] * len(
        pages
    )


def test_a_form_says_the_same_in_word_and_on_paper(written):
    lines = [Line((("姓名", NAMES[0]), ("单位", HOSTILE[0]))), Line((("诉求", "甲\x00乙\n丙 & <丁>"),), room=30)]
    form = FilledForm(heading="人才诉求办理单", number="编号：2026-0001", lines=lines)

    paper = bare("".join(pages_of(written(Format.PDF, form))))
    words = bare(words_of(written(Format.DOCX, form)))

    for text in (
        "人才诉求办理单",
        "编号：2026-0001",
        NAMES[0],
        HOSTILE[0],
        "甲\ufffd乙丙&<丁>",
        "20261124-1陈晓",
        REASON,
    ):
        assert bare(text) in words, text
        assert bare(text).replace("\ufffd", "") in paper.replace("\ufffd", "").replace("[U+FFFD]", ""), text


def test_a_word_document_names_the_offices_typefaces_for_chinese(written):
    content = written(Format.DOCX, FilledForm("人才诉求办理单", "编号", [Line((("姓名", "林知遥"),))]))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("word/document.xml").decode()
    assert {"仿宋", "宋体", "黑体"} == set(re.findall(r'w:eastAsia="([^"]+)"', text)) - {"zh-CN"}
    about = docx.Document(io.BytesIO(content)).core_properties
    assert (about.author, about.keywords) == ("陈晓（市委人才办）", "20261124-1")


def test_the_sheet_of_a_request_is_masked_complete_and_logged(client, session, office, organiser):
    housing = an_organisation("住房和城乡建设局", parent=office)
    handler = an_account("向经办", organisation=housing, roles=[Role.HANDLER])
    person = a_person("𠮷䶮", organisation=office)
    point = a_contact_point("+8619901000036")
    case = a_case(intake=office, person=person, contact_point=point, title="孩子上学", words="想就近入学 & <急>")
    cases.assign(
        case=case, unit=housing, complex=False, note=None, version=case.version, by=organiser.actor, now=BEFORE
    )
    cases.accept(case=case, by=handler.actor, version=case.version, now=BEFORE)
    cases.reply(
        case=case,
        kind=AnswerKind.IMPOSSIBLE,
        text="学位已满。",
        rule="义务教育招生办法第八条",
        promised_on=None,
        version=case.version,
        by=handler.actor,
        now=BEFORE,
    )
    signed_in(client, handler)
    assert f"/desk/exports/new/case_sheet?case={case.id}" in client.get(f"/desk/requests/{case.id}").text
    assert client.get(f"/desk/exports/new/case_sheet?case={case.id}").status_code == 200

    arguments = {"case": case.id}
    paper = bare("".join(pages_of(taken(handler, "case_sheet", Format.PDF, arguments=arguments, columns=[]))))
    words = bare(
        words_of(taken(organiser, "case_sheet", Format.DOCX, arguments=arguments, columns=[], in_full=["phone"]))
    )

    for text in (
        "人才诉求办理单",
        case.number,
        "𠮷䶮",
        "孩子上学想就近入学&<急>",
        "住房和城乡建设局",
        "学位已满。",
        "第八条",
        "（签字）",
    ):
        assert bare(text) in paper, text
        assert bare(text) in words, text
    assert ("199****0036" in paper, "19901000036" in paper) == (True, False)
    assert "19901000036" in words
    assert [export.title for export in session.query(Export).order_by(Export.id)] == [f"诉求办理单 {case.number}"] * 2
    assert session.query(PersonTakenOut).count() == 2


def test_the_sheet_of_somebody_elses_request_is_not_there(client, office):
    county = an_organisation("甲县", parent=office)
    case = a_case(intake=county)
    stranger = an_account(organisation=an_organisation("乙县", parent=office), roles=[Role.ORGANISER, Role.HANDLER])
    signed_in(client, stranger)

    data = {"format": "pdf", "reason": "看看别人的诉求"}
    assert client.get(f"/desk/exports/new/case_sheet?case={case.id}").status_code == 404
    assert client.post(f"/desk/exports/new/case_sheet?case={case.id}", data=data).status_code == 404


def test_the_registrations_of_an_event_are_printed_to_be_signed(session, office, organiser):
    event = an_event("人才会客厅", organisation=office, author=organiser, groups=[("博士", 9)])
    for name in NAMES:
        a_registration(event=event, person=a_person(name, organisation=office))

    content = taken(
        organiser,
        "registrations",
        Format.PDF,
        arguments={"event": event.id},
        columns=["name", "group", "state", "signature"],
    )

    said = bare("".join(pages_of(content)))
    assert all(bare(text) in said for text in (*NAMES, "人才会客厅报名名单", "序号", "签名", "共5条报名"))


def _fonts_of(page):
    fonts_there = page["/Resources"]["/Font"]
    return [fonts_there[name].get_object() for name in fonts_there]
