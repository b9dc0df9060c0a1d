"""What a worker does for exports: write a file from its first row to its last, and delete those whose time is up."""

from array import array
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from flask import current_app
from flask_babel import force_locale, gettext

from outreach.exports import documents, operations, queries
from outreach.exports.models import Export
from outreach.exports.rules import ExportState
from outreach.exports.rules.offers import Mark, Offer, Sheet, Table, offer_of
from outreach.exports.rules.texts import plain
from outreach.kernel import clock
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, still_at_it
from outreach.kernel.scratch import Scratch


class Stopped(Exception):  # noqa: N818 -- what happened, not an error
    """Whoever asked for the file does not want it any more."""


def write(*, export_id: int, now: datetime, work: Work) -> None:
    """Write a file, and keep it sealed.

    Begun again after a worker died, it begins from the first row: what the dead one wrote was never kept.
    """
    export, work_id = db.session.get(Export, export_id), work.id
    if export is None or export.state is not ExportState.ASKED:
        return
    offer = offer_of(export.offer)
    if offer is None:
        raise LookupError(export.offer)
    people = array("q")
    with Scratch(_desk()) as file, force_locale(export.language):
        try:
            rows = (
                _write_table(export, offer, file, people, work_id)
                if isinstance(offer, Table)
                else _write_sheet(export, offer, file, people)
            )
        except Stopped:
            return
        file.rewind()
        operations.finish(
            export_id=export_id,
            content=file,
            rows=rows,
            people=_each_once(people),
            now=clock.now(),
        )
    db.session.commit()


def delete_expired(*, now: datetime, work: Work) -> None:
    """Delete the files whose time is up."""
    while operations.delete_expired(now=now):
        still_at_it(work.id, done=0, total=None, now=clock.now())
        db.session.commit()


def _write_table(export: Export, table: Table, file: BinaryIO, people: "array[int]", work_id: int) -> int:
    asked, columns = queries.asked_of(export), queries.chosen_columns(export)
    in_full = frozenset(export.in_full)
    export_id, kind = export.id, export.format
    with queries.rows_of(table, asked, columns) as (total, batches):
        mark = _mark(export, table, total)
        db.session.commit()  # no transaction stays open but the one that reads

        def rows() -> Iterator[list[object]]:
            done = 0
            cells = documents.cells(columns, in_full, asked)
            for batch in batches:
                people.extend(batch.people)
                yield from map(cells, batch.rows)
                done += len(batch.rows)
                _step(export_id, work_id, done, total)

        documents.write_table(file, kind, mark, columns, rows(), _desk())
    return total


def _write_sheet(export: Export, sheet: Sheet, file: BinaryIO, people: "array[int]") -> int:
    asked = queries.asked_of(export)
    people.extend(sheet.about(asked))
    form = sheet.filled(asked, frozenset(export.in_full))
    documents.write_sheet(file, export.format, _mark(export, sheet, 1), form)
    db.session.rollback()  # it was only read
    return 1


def _each_once(people: "array[int]") -> "array[int]":
    """Return ids in order, each once; a byte for each id there may be, where sorting them would take forty."""
    there = bytearray(max(people, default=0) + 1)
    for person in people:
        there[person] = 1
    return array("q", (person for person, is_there in enumerate(there) if is_there))


def _mark(export: Export, offer: Offer, rows: int) -> Mark:
    return Mark(
        title=plain(export.title),
        number=export.number,
        format=export.format,
        narrowed=[(plain(name), plain(value)) for name, value in export.narrowed],
        by=plain(export.account_name),
        organisation=plain(export.organisation_name),
        at=export.asked_at,
        reason=plain(export.reason),
        rows=rows,
        counted=gettext(offer.unit, n=f"{rows:,}") if "%(n)" in offer.unit else gettext(offer.unit),
    )


def _step(export_id: int, work_id: int, done: int, total: int) -> None:
    """Say how far it is.

    :raises Stopped: if nobody wants it any more
    """
    wanted = queries.state_of(export_id) is ExportState.ASKED
    still_at_it(work_id, done=done, total=total, now=clock.now())
    db.session.commit()
    if not wanted:
        raise Stopped


def _desk() -> Path:
    """Return a folder that only the worker's own user can enter."""
    desk = Path(current_app.instance_path) / "exports"
    desk.mkdir(mode=0o700, exist_ok=True)
    return desk
