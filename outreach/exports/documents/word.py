"""Documents to complete and sign in Word or WPS, in the typefaces that offices use."""

from io import BytesIO
from typing import Any, BinaryIO

from flask_babel import gettext

from outreach.exports.documents.lines import taken_by, warning
from outreach.exports.documents.paper import picture_of
from outreach.exports.rules.offers import FilledForm, Mark, Part, Report
from outreach.exports.rules.texts import in_two_lines, plain
from outreach.kernel.clock import local

BODY, HEADING, LABEL, LATIN = "仿宋", "宋体", "黑体", "Times New Roman"
"""The names under which Word and WPS have them; a machine without one shows its own. Source: GB/T 9704-2012."""
WIDTHS = (3.1, 5.2, 3.1, 5.2)
"""Of the columns, in centimetres; they fill A4 between its margins."""


TEXT_WIDTH = 166
"""Of what is written on a page, in millimetres."""
LOWEST = 8.5
"""Of a row, in millimetres."""


def write_form(file: BinaryIO, mark: Mark, form: FilledForm) -> None:
    """Write a form about one record as .docx."""
    from docx.enum.table import (  # noqa: PLC0415 -- slow to load, and only documents need it
        WD_CELL_VERTICAL_ALIGNMENT,
        WD_TABLE_ALIGNMENT,
    )
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.shared import Cm, Mm, Pt  # noqa: PLC0415

    document = _begun(form.heading, form.number)
    table = document.add_table(rows=0, cols=4, style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    for column, width in zip(table.columns, WIDTHS, strict=True):
        column.width = Cm(width)
    for line in form.lines:
        row = table.add_row()
        row.height = Mm(max(line.room, LOWEST))
        cells = row.cells
        if len(line.fields) == 1:
            cells = (cells[0], cells[1].merge(cells[3]))
        else:
            _keep_together(row)
        for cell, (place, text) in zip(cells, enumerate(_texts(line.fields)), strict=True):
            paragraph = cell.paragraphs[0]
            if place % 2 == 0:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            if place % 2 == 0 or not line.room:
                cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(3)
            _say(paragraph, in_two_lines(text) if place % 2 == 0 else text, LABEL if place % 2 == 0 else BODY)
    _mark(document, mark, form.note)
    document.save(file)


def write_report(file: BinaryIO, mark: Mark, report: Report) -> None:
    """Write a report as .docx: each part with its title, sentences, drawing and table."""
    from docx.shared import Mm, Pt  # noqa: PLC0415 -- as above

    document = _begun(report.heading, report.number)
    for part in report.parts:
        title = document.add_paragraph()
        title.paragraph_format.space_before, title.paragraph_format.keep_with_next = Pt(12), True
        _say(title, part.title, LABEL, Pt(15))
        if part.text:
            text = document.add_paragraph()
            text.paragraph_format.first_line_indent, text.paragraph_format.line_spacing = Pt(24), 1.5
            _say(text, part.text)
        if part.bars:
            picture = document.add_picture(BytesIO(picture_of(part.bars)), width=Mm(TEXT_WIDTH))
            picture._inline.docPr.set("descr", "；".join(f"{bar.label} {bar.text}" for bar in part.bars))
        if part.rows:
            _table(document, part)
    _mark(document, mark, report.note)
    document.save(file)


def _table(document: Any, part: Part) -> None:
    from docx.enum.table import WD_TABLE_ALIGNMENT  # noqa: PLC0415 -- as above
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.oxml import OxmlElement  # noqa: PLC0415
    from docx.shared import Mm, Pt  # noqa: PLC0415

    table = document.add_table(rows=0, cols=len(part.labels), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    widths = [Mm(TEXT_WIDTH * width / sum(part.widths)) for width in part.widths]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for number, texts in enumerate((part.labels, *part.rows)):
        row = table.add_row()
        _keep_together(row)
        if number == 0:
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
        for place, (cell, text, width) in enumerate(zip(row.cells, texts, widths, strict=True)):
            cell.width = width
            paragraph = cell.paragraphs[0]
            if number == 0 or place not in part.words:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
            _say(paragraph, text, BODY if number else LABEL, Pt(10.5))


def _begun(heading: str, number: str) -> Any:
    """Return a document on A4, upright, with its heading and what stands below it on the right."""
    import docx  # noqa: PLC0415 -- as above
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.shared import Mm, Pt  # noqa: PLC0415

    document = docx.Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm((210 - TEXT_WIDTH) / 2)
    page.top_margin, page.bottom_margin = Mm(24), Mm(20)
    _typeface(document.styles["Normal"], BODY, Pt(12))
    said = document.add_paragraph()
    said.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _say(said, heading, HEADING, Pt(22), bold=True)
    record = document.add_paragraph()
    record.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _say(record, number)
    return document


def _keep_together(row: Any) -> None:
    from docx.oxml import OxmlElement  # noqa: PLC0415 -- as above

    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _texts(fields: tuple[tuple[str, str | None], ...]) -> list[str]:
    return [text or "" for field in fields for text in field]


def _mark(document: Any, mark: Mark, note_of_its_own: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415 -- as above
    from docx.shared import Pt  # noqa: PLC0415

    small = Pt(8)
    for text in (note_of_its_own, taken_by(mark), warning(mark)):
        if text:
            note = document.add_paragraph()
            note.paragraph_format.space_before = note.paragraph_format.space_after = int(small / 2)
            _say(note, text, size=small)
    foot = document.sections[0].footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    before, between, after = gettext("Page %(n)s of %(m)s", n="\0", m="\0").split("\0")
    _say(foot, f"{mark.number}  {mark.by}    {before}", size=small)
    _field(foot, "PAGE", small)
    _say(foot, between, size=small)
    _field(foot, "NUMPAGES", small)
    _say(foot, after, size=small)
    about = document.core_properties
    about.title, about.keywords = plain(mark.title), mark.number
    about.author = about.last_modified_by = plain(f"{mark.by}（{mark.organisation}）")[:255]
    about.comments = plain(f"{taken_by(mark)} {warning(mark)}")[:255]
    about.created = about.modified = local(mark.at).replace(tzinfo=None)


def _say(paragraph: Any, text: str, typeface: str = BODY, size: Any = None, *, bold: bool = False) -> None:
    run = paragraph.add_run(plain(text))
    run.bold = bold or None
    _typeface(run, typeface, size)


def _field(paragraph: Any, code: str, size: Any) -> None:
    """Add a figure that Word counts itself."""
    from docx.oxml import OxmlElement  # noqa: PLC0415 -- as above
    from docx.oxml.ns import qn  # noqa: PLC0415

    run = paragraph.add_run("1")
    _typeface(run, BODY, size)
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run._r.addprevious(field)
    field.append(run._r)


def _typeface(of: Any, typeface: str, size: Any) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415 -- as above

    of.font.name = LATIN
    if size is not None:
        of.font.size = size
    fonts = of.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), typeface)
    fonts.set(qn("w:hint"), "eastAsia")  # quotation marks, dots and dashes are as wide as characters
