"""Taking something out as a person at a desk does, with a worker that writes it, and reading it as others would."""

import csv
import io
from typing import Any

from openpyxl import load_workbook

from outreach.exports import operations, queries
from outreach.exports.models import Export
from outreach.exports.rules import Format
from outreach.exports.rules.offers import Asked, filters_used, offer_of
from outreach.kernel.database import db
from outreach.organisations.models import Account
from tests.conftest import NOW
from tests.intake.files import work_off

REASON = "排沙龙的座次"
HEADING_ROW = 4
"""As a spreadsheet counts."""


def asked_for(
    account: Account, offer: str = "people", kind: Format = Format.XLSX, now: Any = NOW, **values: Any
) -> Export:
    """An export that waits for a worker."""
    wanted = offer_of(offer)
    arguments = {name: str(value) for name, value in values.pop("arguments", {}).items()}
    asked = Asked(account, arguments, now)
    export = operations.ask(
        **{
            "offer": wanted,
            "kind": kind,
            "title": wanted.title(asked) if wanted.title else "人才名单",
            "arguments": arguments,
            "narrowed": filters_used(wanted, asked),
            "columns": [column.key for column in wanted.columns if column.chosen],
            "in_full": [],
            "reason": REASON,
            "account_id": account.id,
            "account_name": account.name,
            "organisation_id": account.organisation_id,
            "organisation_name": account.organisation.name,
            "language": "zh_Hans_CN",
            "by": account.actor,
            "now": now,
        }
        | values
    )
    db.session.commit()
    return export


def taken(account: Account, offer: str = "people", kind: Format = Format.XLSX, **values: Any) -> bytes:
    """The file that a worker wrote."""
    export_id = asked_for(account, offer, kind, **values).id
    work_off()
    return queries.content_of(db.session.get_one(Export, export_id))


def sheet_of(content: bytes) -> Any:
    """The only sheet of a workbook, as openpyxl reads it."""
    return load_workbook(io.BytesIO(content)).active


def unescaped(value: Any) -> Any:
    """What Excel and WPS show of a cell: «_x005F_» stands for «_» (ISO/IEC 29500, ST_Xstring); openpyxl leaves it."""
    return value.replace("_x005F_", "_") if isinstance(value, str) else value


def rows_of(content: bytes) -> list[dict[str, Any]]:
    """The rows of a workbook below its heading block, by their headings, as openpyxl reads them."""
    rows = [[cell.value for cell in row] for row in sheet_of(content).iter_rows(min_row=HEADING_ROW)]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def lines_of(content: bytes) -> list[list[str]]:
    """The lines of a .csv file, headings included."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
