"""Where an import stands, what becomes of each row, and what a feature tells to have its files brought in."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from outreach.kernel.actor import Actor
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class ImportState(StrEnum):
    """From a file to rows in the system."""

    UPLOADED = "uploaded"  # waiting to be read
    MAPPED = "mapped"  # columns recognised, the clerk may correct them
    JUDGING = "judging"
    PREVIEWED = "previewed"  # every row has a verdict; nothing has changed yet
    LANDING = "landing"
    LANDED = "landed"
    UNDOING = "undoing"
    UNDONE = "undone"  # what it brought is out again, but for what could not be undone
    ABANDONED = "abandoned"
    UNREADABLE = "unreadable"

    @property
    def label(self) -> str:
        """The name of the state, to be translated."""
        return IMPORT_STATES[self]


IMPORT_STATES = {
    ImportState.UPLOADED: N_("Being read"),
    ImportState.MAPPED: N_("Columns to check"),
    ImportState.JUDGING: N_("Being compared"),
    ImportState.PREVIEWED: N_("Preview"),
    ImportState.LANDING: N_("Being brought in"),
    ImportState.LANDED: N_("Brought in"),
    ImportState.UNDOING: N_("Being undone"),
    ImportState.UNDONE: N_("Undone"),
    ImportState.ABANDONED: N_("Abandoned"),
    ImportState.UNREADABLE: N_("Not readable"),
}


class Verdict(StrEnum):
    """What a row is."""

    NEW = "new"
    SAME = "same"
    DOUBTFUL = "doubtful"
    REFUSED = "refused"
    SKIPPED = "skipped"  # a total, a title or a blank line: not data

    @property
    def label(self) -> str:
        """The name of the verdict, to be translated."""
        return VERDICTS[self]


VERDICTS = {
    Verdict.NEW: N_("New"),
    Verdict.SAME: N_("Already here"),
    Verdict.DOUBTFUL: N_("Perhaps already here"),
    Verdict.REFUSED: N_("Cannot be taken"),
    Verdict.SKIPPED: N_("Not data"),
}


BUSY = frozenset({ImportState.UPLOADED, ImportState.JUDGING, ImportState.LANDING, ImportState.UNDOING})
"""A worker is at it, unless it was stopped."""

NO_ROOM = "disk full"
"""Why a piece of work waits, where the server's disk is full."""

OPEN_STATES = frozenset({ImportState.UPLOADED, ImportState.MAPPED, ImportState.JUDGING, ImportState.PREVIEWED})
"""Nothing has landed yet: the file may still be abandoned, and its columns corrected."""


class Decision(StrEnum):
    """What the clerk says of a doubtful row."""

    SAME = "same"
    ANOTHER = "another"
    LATER = "later"


class Problem(StrEnum):
    """Why a file cannot be read."""

    EMPTY = "empty"
    NOT_A_SHEET = "not_a_sheet"
    WEB_PAGE = "web_page"
    OLD_FORMAT = "old_format"
    PASSWORD = "password"  # noqa: S105 -- the name of a problem
    BROKEN = "broken"
    TOO_LARGE = "too_large"
    ENCODING = "encoding"
    TOO_WIDE = "too_wide"

    @property
    def label(self) -> str:
        """The sentence for it, to be translated: what it is, and what to do."""
        return PROBLEMS[self]


PROBLEMS = {
    Problem.EMPTY: N_("There is nothing in this file. Nothing was changed."),
    Problem.NOT_A_SHEET: N_("This is not a spreadsheet. Choose an .xlsx, .xls or .csv file; nothing was changed."),
    Problem.WEB_PAGE: N_(
        "This file is a web page that calls itself a spreadsheet. Open it in Excel or WPS, save it as .xlsx and "
        "upload that; nothing was changed."
    ),
    Problem.OLD_FORMAT: N_(
        "This kind of spreadsheet cannot be read here. Open it in Excel or WPS and save it as .xlsx; nothing was "
        "changed."
    ),
    Problem.PASSWORD: N_(
        "This file is protected by a password. Take the password off, save it and upload it again; nothing was changed."
    ),
    Problem.BROKEN: N_(
        "This file is damaged: it ends too early or does not fit together. Open it in Excel or WPS, save it again and "
        "upload that; nothing was changed."
    ),
    Problem.TOO_LARGE: N_(
        "Unpacked, this file is far too large. Perhaps a stray cell stands millions of cells away: copy the rows into "
        "a new sheet and upload that; nothing was changed."
    ),
    Problem.TOO_WIDE: N_(
        "This file has more than 500 columns with something in them. Leave only the columns that are meant and upload "
        "it again; nothing was changed."
    ),
    Problem.ENCODING: N_(
        "The characters of this file cannot be read. Save it as .xlsx, or as .csv in UTF-8 or GB18030; nothing was "
        "changed."
    ),
}


class Unreadable(Refused):
    """A file that cannot be read, and why."""

    message = N_("This file cannot be read. Nothing was changed.")
    field = "file"

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__()
        self.message = problem.label


class NotNow(Refused):
    """An import is not at the point where this can be done."""

    message = N_("This file has moved on in the meantime. Look at where it stands now; nothing was changed.")


class HeadingMissing(Refused):
    """Rows cannot be told without the columns that matter most."""

    message = N_("Without a column for “%(label)s” nothing can be taken from this file. Choose which column it is.")


class ColumnTwice(Refused):
    """Two columns are said to be the same thing."""

    message = N_("Two columns are said to be “%(label)s”. Choose one of them.")


class OnlyChecked(Refused):
    """A kind of file that can be checked, and whose rows have no place to land in yet."""

    message = N_("Files of this kind can be checked, but not brought in yet. Nothing was changed.")


class NothingToLand(Refused):
    """A file in which nothing is left to do."""

    message = N_("Nothing in this file is ready to be brought in.")


@dataclass(frozen=True)
class Reason:
    """Why a row is taken for what it is: an English source sentence, translated when shown, filled with `values`.

    Values are strings or numbers, masked already where they expose somebody (a phone: "199****273").
    """

    sentence: str
    values: Mapping[str, str | int] = field(default_factory=dict)


class Shown(StrEnum):
    """How a cell of a field is shown in a preview."""

    PLAIN = "plain"
    PHONE = "phone"
    EMAIL = "email"
    SECRET = "secret"  # noqa: S105 -- identity numbers, birth dates: the last two signs only


@dataclass(frozen=True)
class Field:
    """One thing a row can say. A column is recognised by its heading: the label's own Chinese is one synonym.

    `synonyms` are compared without white space, brackets, punctuation and the difference of full and half width.
    `several` allows more than one column (手机, 备用电话); see `Row.texts`.
    `kept` is False for what is no data at all (序号). `brief` fields are shown in the rows of a preview, the first
    of them large; where none is brief, the first four are.
    """

    name: str
    label: str
    synonyms: tuple[str, ...]
    required: bool = False
    shown: Shown = Shown.PLAIN
    several: bool = False
    kept: bool = True
    brief: bool = False


Cell = str | int | float | bool | date | datetime | None


@dataclass
class Row:
    """One row of a sheet as an importer sees it: cells by field name, merged ranges already filled down; no blanks.

    `said` is what stands in `cells`, as text without outer white space or invisible signs. `rest` holds what stands in
    columns that belong to no field, as text by heading.
    """

    sheet: int  # as the file counts its sheets, from 0
    number: int  # as the spreadsheet counts, from 1
    cells: Mapping[str, Sequence[Cell]]
    said: Mapping[str, Sequence[str]]
    rest: Mapping[str, str]

    def cell(self, name: str) -> Cell:
        """Return the first cell of a field, as the file had it; None if there is none."""
        return next(iter(self.cells.get(name, ())), None)

    def text(self, name: str) -> str:
        """Return that cell as text; "" if there is none."""
        return next(iter(self.said.get(name, ())), "")

    def texts(self, name: str) -> Sequence[str]:
        """Return every cell of a field, as text."""
        return self.said.get(name, ())


@dataclass(frozen=True)
class RowKey:
    """A row of the same file."""

    sheet: int
    number: int


@dataclass(frozen=True)
class Judgement:
    """What an importer takes a row for.

    SAME and DOUBTFUL name what the row is, or may be: a record (`match_id`) or an earlier row of the same file
    (`match_row`). NEW and SAME may carry reasons too: what is odd but kept. `fills` counts the blanks of the
    record that the row would fill.
    """

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    match_id: int | None = None
    match_row: RowKey | None = None
    fills: int = 0


@dataclass
class Errand:
    """Who brings a file, for which organisation, and when.

    `seen` is the importer's own memory over one judging of one file: what earlier rows and earlier sheets said,
    by whatever key it likes. It is empty when rows are judged once more just before they land: by then the earlier
    rows stand in the database.
    """

    import_id: int
    account_id: int
    organisation_id: int
    by: Actor
    now: datetime
    seen: dict[Hashable, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Landing:
    """A row that is to land: on a record that is there, or as a new one."""

    row: Row
    onto: int | None


@dataclass(frozen=True)
class Landed:
    """What became of a row: the record it stands in, or why it could not be taken after all.

    `trace` is what the importer needs to undo it, as JSON; it is kept sealed with the row.
    """

    record_id: int | None
    trace: Mapping[str, Any] = field(default_factory=dict)
    refused: Refused | None = None


class SheetJudge(Protocol):
    """What a feature knows about one kind of sheet that can be checked."""

    key: str
    label: str  # English source
    fields: tuple[Field, ...]

    def judge(self, rows: Sequence[Row], errand: Errand) -> Sequence[Judgement]:
        """Say what each row is, against the database and earlier rows; one judgement a row, nothing is changed.

        Called with a few hundred rows at a time, in the order of the file: look things up once a call, not once a
        row. Titles, totals and blank rows never arrive here.
        """


@runtime_checkable
class Understanding(Protocol):
    """What a kind of sheet has besides whose rows can be understood before anything is looked up.

    In a long file that is done in a process of its own, beside the one that looks up and writes.
    """

    def understanding(self, errand: Errand) -> Callable[[Row], Any]:
        """Return what makes of a row all that judging needs: pure, and a function of a module of rules."""

    def judge_understood(self, rows: Sequence[tuple[RowKey, Any]], errand: Errand) -> Sequence[Judgement]:
        """Do as `judge` does, of rows that were understood."""


class SheetImporter(SheetJudge, Protocol):
    """What a feature knows about one kind of sheet whose rows can land."""

    def land(self, rows: Sequence[Landing], errand: Errand) -> Sequence[Landed]:
        """Write rows and say what became of each, one for one.

        Called in the order of the file, in a transaction that is committed after the call. Blanks of an existing
        record are filled; what differs is never overwritten silently.
        """

    def undo(self, landed: Sequence[Landed], errand: Errand) -> Sequence[Reason | None]:
        """Take out again what rows brought in, the latest first; say of each why it stays, or None.

        A record that was made is removed unless something else came to stand on it since; what was filled is
        emptied again unless it was changed since. Called in a transaction that is committed after the call.
        """

    def existing(self, ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """Return what the records say, by field name as text: the preview shows them beside the file's rows."""


@dataclass(frozen=True)
class Onward:
    """Where to go once a file has landed: an English source label and an endpoint without arguments."""

    label: str
    endpoint: str


@dataclass(frozen=True)
class Words:
    """What the pages say of the rows of one kind of file, as English sources; of people unless the kind says otherwise.

    `landed` is filled with %(created)s and %(known)s.
    """

    same: str = N_("Already here")
    doubtful: str = N_("Perhaps already here")
    no_same: str = N_("No row is of somebody who is here already")
    is_same: str = N_("Same")
    is_another: str = N_("Another")
    landed: str = N_("%(created)s new, %(known)s that were here already.")


@dataclass(frozen=True)
class Importer:
    """One kind of file. Sheets land in this order, wherever they stand in the file; any may be missing.

    `permission` is what `current_user.may` is asked; `record` is the endpoint of a record's page and the name of
    its argument, or None. `lands_with` is None where rows can land; else an English source that says with what they
    will: until then such a file can be checked, and its columns and verdicts are kept.
    """

    key: str
    label: str  # English source
    permission: Any
    sheets: tuple[SheetJudge, ...]
    record: tuple[str, str] | None = None
    onward: tuple[Onward, ...] = ()
    words: Words = Words()
    lands_with: str | None = None


_importers: dict[str, Importer] = {}


def register(*importers: Importer) -> None:
    """Make kinds of files known; called once by the composition root."""
    _importers.update({importer.key: importer for importer in importers})


def importers() -> Sequence[Importer]:
    """Return every kind of file, in the order they were made known."""
    return tuple(_importers.values())


def importer_of(key: str) -> Importer:
    """Return one kind of file.

    :raises KeyError: if nobody made it known
    """
    return _importers[key]


_INVISIBLE = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF])


def plain_text(cell: Cell) -> str:
    """Return a cell as text: whole numbers without «.0», days in ISO form, no outer white space, nothing invisible."""
    if cell is None:
        return ""
    if type(cell) is str and cell.isprintable():  # most cells: nothing invisible, no white space but blanks
        return cell.strip(" ")
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, datetime) and cell.time() == time(0):
        cell = cell.date()
    return str(cell).translate(_INVISIBLE).strip(" \t\r\n\u3000\u00a0")


def cells_as_json(cells: Sequence[Cell]) -> list[Any]:
    """Return cells as JSON can keep them: days and moments are marked."""
    return [_as_json(cell) if isinstance(cell, date) else cell for cell in cells]


def _as_json(day: date) -> dict[str, str]:
    return {"m" if isinstance(day, datetime) else "d": day.isoformat()}


def cells_from_json(kept: Sequence[Any]) -> list[Cell]:
    """Return cells as the file had them."""
    return [
        cell
        if not isinstance(cell, dict)
        else datetime.fromisoformat(cell["m"])
        if "m" in cell
        else date.fromisoformat(cell["d"])
        for cell in kept
    ]
