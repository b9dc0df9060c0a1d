"""Finding the rows of headings and what each column is, as offices write them. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import eq
from typing import Any

from outreach.intake.rules import Cell, Field, Importer, Reason, Row, SheetJudge, Shown, plain_text
from outreach.kernel.wording import N_

SEARCHED = 30
"""Headings stand in the first rows: under titles, notes and the name of whoever fills the form in."""

MODIFIERS = re.compile(
    "本人|个人|人才|专家|学生|学员|参会|报名|申请|登记|现在|现|目前|当前|最高|主要|第一|常用|有效|移动|联系|所在|"
    "全称|名称|信息|情况|号码|编号|必填|选填|填写|内容|格式|the|your|no|of"
)
"""What may stand around the name of a field without making it another field («本人手机», never «配偶姓名»)."""


@dataclass
class Sheet:
    """What is known of one sheet of a file; kept as JSON with the import."""

    name: str
    number: int  # as the file counts, from 0
    hidden: bool = False
    rows: int = 0  # that hold anything
    blank: int = 0
    top: dict[int, list[Cell]] = field(default_factory=dict)  # the first rows, by number, for finding headings
    spans: list[tuple[int, int, int]] = field(default_factory=list)  # merged sideways: row, first and last column
    importer: int | None = None  # place in Importer.sheets
    heading: tuple[int, int] | None = None  # first and last row of headings
    headings: dict[int, str] = field(default_factory=dict)  # by column, from 0
    mapping: dict[int, str] = field(default_factory=dict)  # field names by column

    def as_json(self) -> dict[str, Any]:
        """Return what is kept: keys of JSON are text, and days are not JSON."""
        return {
            "name": self.name,
            "number": self.number,
            "hidden": self.hidden,
            "rows": self.rows,
            "blank": self.blank,
            "top": {str(number): [plain_text(cell) for cell in cells] for number, cells in self.top.items()},
            "spans": [list(span) for span in self.spans],
            "importer": self.importer,
            "heading": list(self.heading) if self.heading else None,
            "headings": {str(column): text for column, text in self.headings.items()},
            "mapping": {str(column): name for column, name in self.mapping.items()},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Sheet":
        """Return what was kept."""
        return cls(
            name=kept["name"],
            number=kept["number"],
            hidden=kept["hidden"],
            rows=kept["rows"],
            blank=kept["blank"],
            top={int(number): cells for number, cells in kept["top"].items()},
            spans=[(row, first, last) for row, first, last in kept["spans"]],
            importer=kept["importer"],
            heading=tuple(kept["heading"]) if kept["heading"] else None,
            headings={int(column): text for column, text in kept["headings"].items()},
            mapping={int(column): name for column, name in kept["mapping"].items()},
        )

    @property
    def width(self) -> int:
        """How many columns its first rows have."""
        return max((len(cells) for cells in self.top.values()), default=0)


@lru_cache(maxsize=4096)  # every heading is compared with every synonym, over and over
def bare(heading: str) -> str:
    """Return a heading without what changes from office to office: white space, brackets, punctuation, width, case."""
    plain = unicodedata.normalize("NFKC", heading).casefold()
    outside = re.sub(r"[(\[【〔{<《][^)\]】〕}>》]*[)\]】〕}>》]", "", plain)
    return re.sub(r"[\W_]+", "", outside) or re.sub(r"[\W_]+", "", plain)


def likeness(heading: str, wanted: Field) -> int:
    """Return how sure it is that a heading names a field: 0 not at all, more is surer.

    A synonym itself is surest; one with nothing but harmless words around it («本人手机号码») comes after.
    """
    plain = bare(heading)
    if not plain:
        return 0
    best = 0
    for synonym in map(bare, wanted.synonyms):
        if plain == synonym:
            return 100
        if len(synonym) > 1 and synonym in plain:
            around = MODIFIERS.sub("", plain.replace(synonym, "", 1))
            around = re.sub(r"\d+", "", around) if wanted.several else around  # 手机2; but 备注2 is its own
            if not around:
                best = max(best, 50 + len(synonym))
    if not best:
        parts = [
            part for part in re.split(r"[/、,，;；|或和与及\n]", unicodedata.normalize("NFKC", heading)) if part.strip()
        ]
        if len(parts) > 1 and any(likeness(part, wanted) == 100 for part in parts):
            best = 40
    return best


def mapped(headings: Mapping[int, str], fields: Sequence[Field]) -> dict[int, str]:
    """Return which column is which field, the surest first; a column is one field, a field one column or several."""
    sure = sorted(
        (
            (-likeness(heading, wanted), column, place)
            for column, heading in headings.items()
            for place, wanted in enumerate(fields)
        ),
    )
    found: dict[int, str] = {}
    for minus, column, place in sure:
        wanted = fields[place]
        taken = wanted.name in found.values() and not wanted.several
        if minus and column not in found and not taken:
            found[column] = wanted.name
    return found


@dataclass(frozen=True)
class _Candidate:
    """Rows that may hold the headings of a kind: how many of its fields they name, and of those it requires."""

    kind: int
    first: int
    last: int
    required: int
    named: int
    sure: int

    @property
    def merit(self) -> tuple[int, int, int, int, int]:
        """What makes one of several neighbours the better: more fields, surer, one row rather than two."""
        return (self.required, self.named, self.sure, -self.last, self.first)


def recognise(sheet: Sheet, importer: Importer) -> None:
    """Find the sheet's rows of headings, its columns and its kind, as well as can be told; writes into the sheet.

    Ledgers repeat their headings further down, so the first rows that will do are taken, not the best of all:
    what stands above the headings is never read.
    """
    numbers = sorted(sheet.top)
    found = [
        candidate
        for kind in range(len(importer.sheets))
        for first in numbers
        for last in (first, first + 1)
        if (candidate := _candidate(sheet, importer, kind, first, last)) is not None
    ]
    if not found:
        return
    most = max(found, key=lambda one: one.merit)
    good = [one for one in found if one.required == most.required and one.named * 5 >= most.named * 3]
    earliest = min(one.last for one in good)
    best = max((one for one in good if one.last <= earliest + 1), key=lambda one: one.merit)
    sheet.importer, sheet.heading = best.kind, (best.first, best.last)
    read_headings(sheet, importer.sheets[best.kind].fields)


def read_headings(sheet: Sheet, fields: Sequence[Field]) -> None:
    """Take the headings from where the sheet says they stand, and say what each column is."""
    first, last = sheet.heading or (0, 0)
    sheet.headings = _headings(sheet, first, last)
    sheet.mapping = mapped(sheet.headings, fields)


def missing(sheet: Sheet, kind: SheetJudge) -> list[Field]:
    """Return the fields without which nothing can be taken and that no column is said to be."""
    return [wanted for wanted in kind.fields if wanted.required and wanted.name not in sheet.mapping.values()]


def _candidate(sheet: Sheet, importer: Importer, kind: int, first: int, last: int) -> _Candidate | None:
    if last not in sheet.top:
        return None
    fields = {wanted.name: wanted for wanted in importer.sheets[kind].fields}
    headings = _headings(sheet, first, last)
    found = mapped(headings, importer.sheets[kind].fields)
    names = set(found.values())
    if len(names) < 2:
        return None
    return _Candidate(
        kind=kind,
        first=first,
        last=last,
        required=sum(fields[name].required for name in names),
        named=len(names),
        sure=sum(likeness(headings[column], fields[name]) for column, name in found.items()),
    )


def _headings(sheet: Sheet, first: int, last: int) -> dict[int, str]:
    lowest = _spread(sheet, last)
    headings = {column: text for column, text in lowest.items() if text}
    if last > first:
        for column, above in _spread(sheet, first).items():
            below = lowest.get(column, "")
            if above and above != below:
                headings[column] = below if below and _tells(below) else above + below
    return headings


def _tells(below: str) -> bool:
    return len(bare(below)) > 1


def _spread(sheet: Sheet, number: int) -> dict[int, str]:
    cells = [plain_text(cell).replace("\n", "") for cell in sheet.top.get(number, [])]
    for row, left, right in sheet.spans:
        if row == number and left < len(cells):
            for column in range(left + 1, min(right + 1, len(cells))):
                cells[column] = cells[column] or cells[left]
    return dict(enumerate(cells))


TOTAL = re.compile(r"(本页|以上|全市|全县|全区)?(合计|小计|共计|总计|累计|汇总|总数)[:：]?\d*[人名个条行]?")
REACHES = re.compile(r"\d{7}|@")
"""A number or an address: never the whole of a title."""
NOTE = re.compile(
    r"(注|备注|说明|填表说明|填报说明|填写说明|示例|例|填报人|填表人|制表人|制表|审核人|负责人|填报单位|填报日期|填表日期|联系人)[:：\d]"
)


class Reader:
    """Reads the rows of a sheet as the importer of its kind sees them.

    What the headings say is worked out once for all rows.
    """

    def __init__(self, sheet: Sheet, of_kind: Sequence[Field]) -> None:
        fields = {wanted.name: wanted for wanted in of_kind}
        self._sheet = sheet
        self._names = {column: name for column, name in sheet.mapping.items() if name in fields}
        self._required = [column for column, name in self._names.items() if fields[name].required]
        self._headings = [sheet.headings.get(column) for column in range(max(sheet.headings, default=-1) + 1)]
        self._wide = {row for row, left, right in sheet.spans if right - left >= 2}

    def read(self, number: int, cells: Sequence[Cell]) -> Row | Reason:
        """Return a row, or why it is no data: a title, a heading, a note or a total."""
        texts = [plain_text(cell) for cell in cells]
        return self._not_data(number, texts) or self._row(number, cells, texts)

    def row(self, number: int, cells: Sequence[Cell]) -> Row:
        """Return a row that is known to be data."""
        return self._row(number, cells, [plain_text(cell) for cell in cells])

    def _not_data(self, number: int, texts: Sequence[str]) -> Reason | None:
        held = [text for text in texts if text]
        heading = self._sheet.heading
        if heading and number <= heading[1]:
            return Reason(N_("Above the headings") if number < heading[0] else N_("Headings"))
        if not held:
            return Reason(N_("Blank"))
        first = re.sub(r"\s+", "", held[0])
        if TOTAL.fullmatch(first):
            return Reason(N_("A total"))
        if sum(map(eq, texts, self._headings)) > max(1, len(held) // 2):
            return Reason(N_("The headings once more"))
        if len(held) <= 2 and NOTE.match(first):
            return Reason(N_("A note"))
        if len(set(held)) == 1:
            named = any(texts[column] for column in self._required if column < len(texts))
            if number in self._wide or not (named or REACHES.search(held[0])):
                return Reason(N_("A title or a note"))
        return None

    def _row(self, number: int, cells: Sequence[Cell], texts: Sequence[str]) -> Row:
        by_name: dict[str, list[Cell]] = {}
        said: dict[str, list[str]] = {}
        rest: dict[str, str] = {}
        for column, text in enumerate(texts):
            if not text:
                continue
            name = self._names.get(column)
            if name is None:
                heading = self._sheet.headings.get(column) or letters(column)
                rest[heading if heading not in rest else f"{heading} ({letters(column)})"] = text
            elif name in said:
                by_name[name].append(cells[column])
                said[name].append(text)
            else:
                by_name[name], said[name] = [cells[column]], [text]
        return Row(self._sheet.number, number, by_name, said, rest)


def letters(column: int) -> str:
    """Return how a spreadsheet names a column, counted from 0: A, B, … AA."""
    name, column = "", column + 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


def brief_fields(kind: SheetJudge) -> list[Field]:
    """Return the fields that a preview shows of each row."""
    kept = [wanted for wanted in kind.fields if wanted.kept]
    return [wanted for wanted in kept if wanted.brief] or kept[:4]


def shown(text: str, how: Shown) -> str:
    """Return the text of a cell as a preview shows it."""
    if how is Shown.SECRET:
        return f"****…**{text[-2:]}" if len(text) > 4 else "****"
    if how is Shown.EMAIL and "@" in text:
        return f"{text[:1]}***@{text.rpartition('@')[2]}"
    if how in (Shown.PHONE, Shown.EMAIL):
        return re.sub(r"\d[\d\s-]{6,}\d", _masked_number, unicodedata.normalize("NFKC", text))
    return text


def example(text: str, wanted: Field | None) -> str:
    """Return the text of a cell as the page of columns shows it: as a preview would, whatever it is taken for.

    In any other column every longer number and every mail address is masked.
    """
    text = text[:40]
    if wanted is not None and wanted.shown is not Shown.PLAIN:
        return shown(text, wanted.shown)
    masked = re.sub(r"\d[\d\s-]{6,}[\dXx]", lambda found: _masked_number(found), text)
    return re.sub(r"([\w.+-])[\w.+-]*[@＠]([\w.-]+)", r"\1***@\2", masked)


def _masked_number(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0])
    digits = digits[2:] if len(digits) == 13 and digits.startswith("86") else digits
    return f"{digits[:3]}****{digits[7:] if len(digits) < 12 else digits[-4:]}"
