"""What a feature tells to have its rows taken out as files: tables, columns, and sheets about one record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from outreach.exports.rules import Format
from outreach.kernel.wording import N_


@dataclass(frozen=True)
class Asked:
    """Who takes what, and when: `account` is the account, `arguments` the filters of the page they came from."""

    account: Any
    arguments: Mapping[str, str]
    now: datetime

    def number(self, name: str) -> int:
        """Return an argument that is an id; 0, which no row has, where it is none."""
        text = self.arguments.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@dataclass(frozen=True)
class Sensitive:
    """What stands masked in a file unless whoever takes it asks for it in full and has the permission."""

    permission: object
    masked: Callable[[Any], str]


@dataclass(frozen=True)
class Column:
    """One column. `of` is what is read of the database, or a function of `asked` that says so where it depends on
    who asks or when; `shown` makes the cell of it.

    A cell is a text, a number, a date, an aware moment, a yes or no, an enum member with a label, or None. Without
    `shown` the cell is what was read. `shown` is called with the values of `of`, and `asked` first where `dated` says
    that it depends on the clock.
    """

    key: str
    label: str
    of: tuple[Any, ...] | Callable[[Asked], tuple[Any, ...]] = ()
    shown: Callable[..., Any] | None = None
    sensitive: Sensitive | None = None
    chosen: bool = True  # whether it is ticked to begin with
    dated: bool = False
    room: int = 0  # on paper, in figures: how much is left to write in by hand

    def read(self, asked: Asked) -> tuple[Any, ...]:
        """Return what is read of the database for somebody's cells."""
        return self.of(asked) if callable(self.of) else self.of


@dataclass(frozen=True)
class Table:
    """One list that may be taken out.

    `rows` returns a select of `row`, the unique integer of each, in the order of the list's page; its conditions are
    the reader's scope and filters. `source` returns a select of `row` without conditions, joined to all that the
    columns name. `about` is a person's id, or a text of several with commas between, for each row. `narrowed` says the
    filters in words, (name, value) each, without a value where that filter is not used, and answers 404 where an
    argument names what is not the reader's.
    `arguments` are the filters understood.
    """

    key: str
    label: str
    permissions: tuple[object, ...]
    columns: tuple[Column, ...]
    rows: Callable[[Asked], Any]
    source: Callable[[], Any]
    row: Any
    unit: str  # "%(n)s people", to be translated
    about: Any = None
    arguments: tuple[str, ...] = ()
    narrowed: Callable[[Asked], list[tuple[str, str | None]]] = field(default=lambda _asked: [])
    title: Callable[[Asked], str] | None = None
    formats: tuple[Format, ...] = (Format.XLSX, Format.CSV, Format.PDF)


@dataclass(frozen=True)
class Line:
    """One line of a form: one field over its whole width, or two beside each other; (label, value) each.

    `room` is how high it is at least, in millimetres: what is left to write in by hand.
    """

    fields: tuple[tuple[str, str | None], ...]
    room: int = 0


@dataclass(frozen=True)
class FilledForm:
    """A form about one record, as offices print, sign and file it. All texts are in the reader's language."""

    heading: str
    number: str
    lines: Sequence[Line]
    note: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar of a drawing: how much of its whole (0 to 1) is full, and what is written behind it."""

    label: str
    share: float
    text: str


@dataclass(frozen=True)
class Part:
    """A part of a report: a title, sentences, a drawing of bars, a table with its headings. What is empty is left out.

    `widths` are those of the columns against each other; the first column is words, so are columns named in `words`.
    """

    title: str
    text: str = ""
    bars: Sequence[Bar] = ()
    labels: Sequence[str] = ()
    widths: Sequence[float] = ()
    rows: Sequence[Sequence[str]] = ()
    words: frozenset[int] = frozenset({0})


@dataclass(frozen=True)
class Report:
    """A document of several parts, to go on with in Word. All texts are in the reader's language."""

    heading: str
    number: str
    parts: Sequence[Part]
    note: str = ""


@dataclass(frozen=True)
class Sheet:
    """One record on paper, or a report. `filled` returns it, told which columns were asked for in full; `about` returns
    the ids of the people it names.

    `narrowed` names the record and answers 404 where it is not the reader's. The columns are what stands masked unless
    it is asked for in full.
    """

    key: str
    label: str
    permissions: tuple[object, ...]
    arguments: tuple[str, ...]
    columns: tuple[Column, ...]
    narrowed: Callable[[Asked], list[tuple[str, str | None]]]
    about: Callable[[Asked], Sequence[int]]
    filled: Callable[[Asked, frozenset[str]], FilledForm | Report]
    title: Callable[[Asked], str]
    formats: tuple[Format, ...] = (Format.DOCX, Format.PDF)
    unit: str = N_("1 sheet")


Offer = Table | Sheet


def filters_used(offer: Offer, asked: Asked) -> list[tuple[str, str]]:
    """Return what somebody narrowed a list to, or which record a sheet is about, in words: (name, value) each."""
    return [(name, value) for name, value in offer.narrowed(asked) if value]


@dataclass(frozen=True)
class Mark:
    """What a file says about itself: what it is, who took it, when and for what, and its line in the log."""

    title: str
    number: str
    format: Format
    narrowed: Sequence[tuple[str, str]]
    by: str
    organisation: str
    at: datetime
    reason: str
    rows: int
    counted: str = ""  # "1,204 people", in the reader's language


_offers: dict[str, Offer] = {}


def register(*offers: Offer) -> None:
    """Take up what the features offer; done once, when the application is made."""
    _offers.clear()
    _offers.update((offer.key, offer) for offer in offers)


def offer_of(key: str) -> Offer | None:
    """Return what stands under a key."""
    return _offers.get(key)


def tables() -> list[Table]:
    """Return every list that may be taken out, in the order they were registered."""
    return [offer for offer in _offers.values() if isinstance(offer, Table)]
