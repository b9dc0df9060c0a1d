"""Reading the rows of a sheet, up to where something must be looked up. Pure."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from outreach.intake.rules import Field, Reason, Row, cells_from_json
from outreach.intake.rules.headings import Reader, Sheet

KeptRow = tuple[int, str]
"""A row by its number, its cells as the JSON that is kept of them."""
ReadRow = tuple[int, Any]
"""A row by its number: what it was understood as, or the Reason why it is no data."""


@dataclass(frozen=True)
class HowToRead:
    """What a sheet is, what its columns may be, and what makes of a row what judging needs."""

    sheet: Sheet
    fields: tuple[Field, ...]
    understand: Callable[[Row], Any]


def as_it_stands(row: Row) -> Row:
    """Return a row of a kind that wants it as it is."""
    return row


def read_rows(how: HowToRead, batches: Iterator[Sequence[KeptRow]]) -> Iterator[list[ReadRow]]:
    """Yield for each batch of rows what they say."""
    reader = Reader(how.sheet, how.fields)
    for batch in batches:
        found = []
        for number, cells in batch:
            one = reader.read(number, cells_from_json(json.loads(cells)))
            found.append((number, one if isinstance(one, Reason) else how.understand(one)))
        yield found
