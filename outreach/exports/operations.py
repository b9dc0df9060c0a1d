"""What is done with exports: asked for, finished, taken, stopped, deleted. Each is a line of history."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import BinaryIO, Protocol

import sqlalchemy as sa

from outreach.exports import queries
from outreach.exports.models import Export, ExportPiece
from outreach.exports.rules import (
    KEPT,
    ExportMove,
    ExportState,
    FileGone,
    Format,
    NoColumn,
    NotNow,
    after,
    check_amount,
    checked_reason,
)
from outreach.exports.rules.offers import Offer, Table
from outreach.kernel import history, outbox
from outreach.kernel.actor import SYSTEM, Actor
from outreach.kernel.database import db, locked, one_at_a_time
from outreach.kernel.outbox import Urgency

PIECE = 1 << 18

concerned: list[Callable[..., None]] = []
"""Who writes down, for the people themselves, that they stood in an export; connected by the app.

Called with export_id, account_id, person_ids, reason and now, in the transaction that keeps the file.
"""


def ask(
    *,
    offer: Offer,
    kind: Format,
    title: str,
    arguments: Mapping[str, str],
    narrowed: Sequence[tuple[str, str]],
    columns: Iterable[str],
    in_full: Iterable[str],
    reason: str,
    account_id: int,
    account_name: str,
    organisation_id: int,
    organisation_name: str,
    language: str,
    by: Actor,
    now: datetime,
) -> Export:
    """Write down what somebody wants to take out and why, and have it written by a worker.

    :raises ReasonTooShort: without a reason that says something
    :raises NoColumn: if a list has no column
    :raises Refused: the refusals of `check_amount`
    """
    reason = checked_reason(reason)
    wanted, unmasked, is_list = frozenset(columns), frozenset(in_full), isinstance(offer, Table)
    chosen = [column.key for column in offer.columns if column.key in wanted or not is_list]
    full = [column.key for column in offer.columns if column.sensitive and column.key in unmasked.intersection(chosen)]
    if is_list and not chosen:
        raise NoColumn
    one_at_a_time(f"exports of {account_id}")
    asked = queries.asked(account_id, arguments, now)
    rows = queries.count_of(offer, asked) if is_list else 1
    taken = queries.taken_today(account_id, now=now)
    check_amount(
        files=taken.files,
        rows=taken.rows,
        full_rows=taken.full_rows,
        wanted=rows,
        in_full=bool(full),
        kind=kind,
        now=now,
    )
    export = Export(
        offer=offer.key,
        format=kind,
        account_id=account_id,
        account_name=account_name,
        organisation_id=organisation_id,
        organisation_name=organisation_name,
        language=language,
        title=title,
        arguments=dict(arguments),
        narrowed=[list(pair) for pair in narrowed],
        reason=reason,
        columns=chosen,
        in_full=full,
        rows=rows,
        asked_at=now,
    )
    db.session.add(export)
    db.session.flush()
    facts = {"offer": offer.key, "format": kind.value, "columns": chosen, "in_full": full, "rows": rows}
    history.write(subject=export.subject, act="asked", by=by, now=now, facts=facts, words=reason)
    export.work_id = outbox.enqueue(job="exports.write", urgency=Urgency.NOW, now=now, export_id=export.id).id
    return export


def finish(*, export_id: int, content: BinaryIO, rows: int, people: Sequence[int], now: datetime) -> None:
    """Keep the finished file, sealed, and write down whoever stands in it: all at once, or not at all.

    A worker that died, or that another one has overtaken, leaves nothing behind.
    """
    export = db.session.scalar(locked(sa.select(Export).where(Export.id == export_id)))
    if export is None or export.state is not ExportState.ASKED:
        return
    digest, size, position = hashlib.sha256(), 0, 0
    while piece := content.read(PIECE):
        digest.update(piece)
        size += len(piece)
        db.session.execute(sa.insert(ExportPiece), [{"export_id": export_id, "position": position, "content": piece}])
        position += 1
    for note in concerned:
        note(export_id=export_id, account_id=export.account_id, person_ids=people, reason=export.reason, now=now)
    export.state = after(export.state, ExportMove.FINISH)
    export.rows, export.people = rows, len(people)
    export.bytes, export.sha256 = size, digest.hexdigest()
    export.finished_at, export.expires_at = now, now + KEPT
    history.write(
        subject=export.subject,
        act="ready",
        by=SYSTEM,
        now=now,
        facts={"rows": rows, "people": len(people), "bytes": size, "sha256": export.sha256},
    )


def note_download(*, export: Export, by: Actor, now: datetime) -> None:
    """Write down that the file was taken once more.

    :raises FileGone: if it is not kept any more
    """
    export = _held(export)
    if not export.available(now):
        raise FileGone
    export.downloads += 1
    history.write(subject=export.subject, act="downloaded", by=by, now=now, facts={"times": export.downloads})


def stop(*, export: Export, by: Actor, now: datetime) -> None:
    """Let go of a file that is not written yet.

    :raises NotNow: if it is written already
    """
    export = _held(export)
    export.state = after(export.state, ExportMove.STOP)
    history.write(subject=export.subject, act="stopped", by=by, now=now)


def delete_file(*, export: Export, by: Actor, now: datetime) -> None:
    """Delete a finished file; its line in the log stays.

    :raises NotNow: if there is none
    """
    export = _held(export)
    export.state = after(export.state, ExportMove.DELETE)
    db.session.execute(sa.delete(ExportPiece).where(ExportPiece.export_id == export.id))
    history.write(subject=export.subject, act="deleted", by=by, now=now)


class Traces(Protocol):
    """What tells one person, as far as this room needs to know: see people.rules.traces."""

    def struck_from(self, text: str) -> str:
        """Return words without the person."""

    def stands_in(self, texts: Iterable[object]) -> bool:
        """Tell whether the person is named there."""


def erase_person(*, export_ids: Sequence[int], traces: Traces, by: Actor, now: datetime) -> None:
    """Delete the files a person stands in, and strike them out of what was asked for and why."""
    kept = sa.select(Export).where(Export.id.in_(export_ids), Export.state == ExportState.READY).order_by(Export.id)
    for export in db.session.scalars(kept):
        delete_file(export=export, by=by, now=now)
    for export in db.session.scalars(sa.select(Export).order_by(Export.id)):
        if traces.stands_in([export.title, export.arguments, export.narrowed, export.reason]):
            export.title, export.reason = traces.struck_from(export.title), traces.struck_from(export.reason)
            export.arguments = {name: traces.struck_from(value) for name, value in export.arguments.items()}
            export.narrowed = [[traces.struck_from(str(word)) for word in pair] for pair in export.narrowed]
            history.forget_words(kind="export", ids=[export.id])
    db.session.flush()


def delete_expired(*, now: datetime, most: int = 200) -> int:
    """Delete the files whose time is up, a number at a time; return how many went."""
    expired = db.session.scalars(
        sa.select(Export)
        .where(Export.state == ExportState.READY, Export.expires_at <= now)
        .order_by(Export.expires_at, Export.id)
        .limit(most)
    ).all()
    for export in expired:
        delete_file(export=export, by=SYSTEM, now=now)
    return len(expired)


def delete_lines(*, ids: Sequence[int]) -> None:
    """Delete lines of the log whose time is up, with the reasons in their history; its hashes stay."""
    history.forget_words(kind="export", ids=ids)
    db.session.execute(sa.delete(ExportPiece).where(ExportPiece.export_id.in_(ids)))
    db.session.execute(sa.delete(Export).where(Export.id.in_(ids)))


def _held(export: Export) -> Export:
    found = db.session.scalar(locked(sa.select(Export).where(Export.id == export.id)))
    if found is None:
        raise NotNow
    return found
