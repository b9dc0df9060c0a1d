"""Where an export stands, how much may be taken, and what is refused."""

from datetime import datetime, time, timedelta
from enum import StrEnum

from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

KEPT = timedelta(hours=72)
"""How long a finished file is kept before it is deleted."""
EXPORTS_A_DAY = 30
ROWS_A_DAY = 250_000
FULL_ROWS_A_DAY = 10_000
"""What one account may take on one office day: files, rows, and rows in which something masked stands in full."""
MOST_ROWS = 150_000
"""Of one file."""
MOST_ROWS_ON_PAPER = 2_000
"""Of one PDF: some sixty pages."""
SHORTEST_REASON = 5
LONGEST_REASON = 200


class ExportState(StrEnum):
    """From what was asked for to a file that is gone. Whether its time is up follows from the clock."""

    ASKED = "asked"  # waiting for a worker, or being written
    READY = "ready"
    STOPPED = "stopped"
    DELETED = "deleted"

    @property
    def label(self) -> str:
        """The name of the state, to be translated."""
        return EXPORT_STATES[self]


EXPORT_STATES = {
    ExportState.ASKED: N_("Being written"),
    ExportState.READY: N_("Ready"),
    ExportState.STOPPED: N_("Stopped"),
    ExportState.DELETED: N_("File deleted"),
}


class ExportMove(StrEnum):
    """What happens to an export."""

    FINISH = "finish"
    STOP = "stop"
    DELETE = "delete"


EXPORT_MOVES = {
    (ExportState.ASKED, ExportMove.FINISH): ExportState.READY,
    (ExportState.ASKED, ExportMove.STOP): ExportState.STOPPED,
    (ExportState.READY, ExportMove.DELETE): ExportState.DELETED,
}


class Format(StrEnum):
    """What kind of file it is."""

    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"
    DOCX = "docx"

    @property
    def label(self) -> str:
        """The name of the format, to be translated."""
        return FORMATS[self]

    @property
    def media_type(self) -> str:
        """What a browser is told it is."""
        return MEDIA_TYPES[self]


FORMATS = {
    Format.XLSX: N_("Excel workbook (.xlsx)"),
    Format.CSV: N_("Text table (.csv)"),
    Format.PDF: N_("To print (PDF)"),
    Format.DOCX: N_("Word document (.docx)"),
}
MEDIA_TYPES = {
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.CSV: "text/csv; charset=utf-8",
    Format.PDF: "application/pdf",
    Format.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


class NotNow(Refused):
    """An export is not at the point where this can be done."""

    message = N_("This export has moved on in the meantime. Look at where it stands now.")


class FileGone(Refused):
    """The file was deleted when its time was up, or before."""

    message = N_("This file is not kept any more. Take the list once again; the reason is asked again too.")
    status = 410


class ReasonTooShort(Refused):
    """A reason that tells nobody anything."""

    message = N_("Say in a few words what the file is for, %(least)s characters or more: the people in it can read it.")
    field = "reason"
    status = 422


class NoColumn(Refused):
    """A list without columns."""

    message = N_("Choose at least one column.")
    field = "columns"
    status = 422


class NothingThere(Refused):
    """A list without rows."""

    message = N_("No row fits these filters. Widen them on the list first.")
    status = 422


class TooManyRows(Refused):
    """More than one file may hold."""

    message = N_("One such file holds %(most)s rows at most, and this list has more. Narrow the list first.")
    field = "format"
    status = 422


class TooManyFiles(Refused):
    """More files than one account may take on one day."""

    message = N_("You have taken %(most)s files today, the most for one day. Tomorrow you can take more.")
    status = 429


class TooManyRowsToday(Refused):
    """More rows than one account may take on one day."""

    message = N_(
        "With this file you would have taken more than %(most)s rows today. Narrow the list, or go on tomorrow."
    )
    status = 429


class TooManyInFullToday(Refused):
    """More rows in full than one account may take on one day."""

    message = N_(
        "With this file you would have taken more than %(most)s rows in full today. Leave the numbers masked, narrow "
        "the list, or go on tomorrow."
    )
    field = "in_full"
    status = 429


def after(state: ExportState, move: ExportMove) -> ExportState:
    """Return the state a move leads to.

    :raises NotNow: if it cannot be done from there
    """
    try:
        return EXPORT_MOVES[state, move]
    except KeyError:
        raise NotNow from None


def checked_reason(text: str) -> str:
    """Return a reason without white space around it.

    :raises ReasonTooShort: if it has too few signs, or only the same few over and over
    """
    reason = " ".join(text.split())
    signs = [sign for sign in reason if sign.isalnum()]
    if len(signs) < SHORTEST_REASON or len(set(signs)) < SHORTEST_REASON - 2:
        raise ReasonTooShort(least=SHORTEST_REASON)
    return reason[:LONGEST_REASON]


def check_amount(
    *, files: int, rows: int, full_rows: int, wanted: int, in_full: bool, kind: Format, now: datetime
) -> None:
    """Check what somebody wants against the limits; `files`, `rows`, `full_rows` is what they took today.

    Today ends at midnight in the office; the refusals say so to programs (`free`).

    :raises NothingThere: if no row is wanted
    :raises TooManyRows: if one file would hold too many
    :raises TooManyFiles: if enough files were taken today
    :raises TooManyRowsToday: if enough rows were
    :raises TooManyInFullToday: if enough rows in full were
    """
    most = MOST_ROWS_ON_PAPER if kind is Format.PDF else MOST_ROWS
    if not wanted:
        raise NothingThere
    if wanted > most:
        raise TooManyRows(most=f"{most:,}")
    tomorrow = datetime.combine(office_day(now) + timedelta(days=1), time(), tzinfo=OFFICE)
    if files >= EXPORTS_A_DAY:
        raise TooManyFiles(most=EXPORTS_A_DAY, free=tomorrow)
    if rows + wanted > ROWS_A_DAY:
        raise TooManyRowsToday(most=f"{ROWS_A_DAY:,}", free=tomorrow)
    if in_full and full_rows + wanted > FULL_ROWS_A_DAY:
        raise TooManyInFullToday(most=f"{FULL_ROWS_A_DAY:,}", free=tomorrow)


def number_of(export_id: int, asked_at: datetime) -> str:
    """Return the number a file bears: the office day it was asked for, and its line in the log: «20261124-42»."""
    return f"{office_day(asked_at):%Y%m%d}-{export_id}"


def id_in_number(number: str) -> int | None:
    """Return the line of the log that a file's number names; None where it is no such number."""
    day, dash, line = number.strip().partition("-")
    fits = dash and len(day) == 8 and day.isascii() and day.isdigit() and line.isascii() and line.isdigit()
    return int(line) if fits and len(line) < 10 else None
