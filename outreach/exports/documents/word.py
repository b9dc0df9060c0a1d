"""Documents to complete and sign in Word or WPS, in the typefaces that offices use."""

from typing import Any, BinaryIO

from flask_babel import gettext

from outreach.exports.documents.lines import taken_by, warning
from outreach.exports.rules.offers import FilledForm, Mark
from outreach.exports.rules.texts import in_two_lines, plain
from outreach.kernel.clock import local

BODY, HEADING, LABEL, LATIN = "仿宋", "宋体", "黑体", "Times New Roman"
"""The names under which Word and WPS have them; a machine without one shows its own. Source: GB/T 9704-2012."""
WIDTHS = (3.1, 5.2, 3.1, 5.2)
"""Of the columns, in centimetres; they fill A4 between its margins."""


LOWEST = 8.5
"""Of a row, in millimetres."""


def write_form(file: BinaryIO, mark: Mark, form: FilledForm) -> None:
    """Write a form about one record as .docx."""
    import docx  # noqa: PLC0415 -- slow to load, and only documents need it
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT  # noqa: PLC0415
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.shared import Cm, Mm, Pt  # noqa: PLC0415

    document = docx.Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(22)
    page.top_margin, page.bottom_margin = Mm(24), Mm(20)
    _typeface(document.styles["Normal"], BODY, Pt(12))
    heading = document.add_paragraph()
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _say(heading, form.heading, HEADING, Pt(22), bold=True)
    record = document.add_paragraph()
    record.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _say(record, form.number)
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
    _mark(document, mark, form, WD_ALIGN_PARAGRAPH.RIGHT, Pt(8))
    document.save(file)


def _keep_together(row: Any) -> None:
    from docx.oxml import OxmlElement  # noqa: PLC0415 -- as above

    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _texts(fields: tuple[tuple[str, str | None], ...]) -> list[str]:
    return [text or "" for field in fields for text in field]


def _mark(document: Any, mark: Mark, form: FilledForm, right: Any, small: Any) -> None:
    for text in (form.note, taken_by(mark), warning(mark)):
        if text:
            note = document.add_paragraph()
            note.paragraph_format.space_before = note.paragraph_format.space_after = int(small / 2)
            _say(note, text, size=small)
    foot = document.sections[0].footer.paragraphs[0]
    foot.alignment = right
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
