"""New keys while everybody works on: added, taken up by all processes, everything written anew, the old ones dropped.

1. The new keys are put into the key file. Every process takes up what changed in it where its next transaction
   begins (sealing.refresh); transactions from before are waited for, after a pause. From here on all write with the
   new sealing key, and look up under both index keys.
2. The index key is switched in the same way: all write under the new one, and still look up under both.
3. What stands under the old keys is written anew, some hundred rows a transaction. A value that somebody changed
   meanwhile is left alone: it was sealed with the new key.
4. When nothing stands under them and no earlier transaction is open, the old keys are dropped from the file.

Killed at any point it is simply run again. Old backups open as before: each holds the keys of its day.
"""

import fcntl
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, Session, lazyload

from outreach.kernel import key_marks, sealing
from outreach.kernel.database import Model, db, wait_for_earlier_transactions
from outreach.kernel.refusals import Refused
from outreach.kernel.sealing import BlindIndex, Keyring, Sealed, SealedBytes, SealedData
from outreach.kernel.wording import N_

ROWS_AT_A_TIME = 200
PAUSE_SECONDS = 5
"""Far more than lies between working out an index and beginning the transaction that asks for it."""
SEALED = (Sealed, SealedData, SealedBytes)


class RotationRunning(Refused):
    """Somebody is at it."""

    message = N_("The keys are being rotated by another process. Wait until it is done.")


class StandsTwice(Refused):
    """Two rows hold the same value, which must be unique."""

    message = N_(
        "Row %(id)d of %(table)s holds the same value as another row. Correct one of them, then rotate the keys again; "
        "the old keys are kept until then."
    )


@dataclass(frozen=True)
class Progress:
    """How far the rotation is: this many values of a table were written anew."""

    table: str
    values: int


def rotate(*, keys_file: Path, now: datetime, tell: Callable[[Progress], None]) -> None:
    """Change the sealing, index, history and session keys; go on with a rotation that was broken off.

    :param tell: called for each table once it is done
    :raises RotationRunning: if another process is at it
    :raises StandsTwice: if a unique value stands in two rows
    """
    with _alone(keys_file):
        if not under_way(Keyring.read(keys_file)):
            _change(keys_file, lambda ring: _with_new_keys(ring, now))
        _note(Keyring.read(keys_file))
        _let_all_know()
        _change(keys_file, lambda ring: replace(ring, current_index=list(ring.indexes)[-1]))
        _let_all_know()
        _write_anew(tell)
        # A key too many in the file does no harm, one too few stops the start: so the marks go first.
        _note(_without_old_keys(Keyring.read(keys_file)))
        _change(keys_file, _without_old_keys)


def under_way(ring: Keyring) -> bool:
    """Tell whether a rotation was begun and is not done."""
    return len(ring.sealing) > 1 or len(ring.indexes) > 1


def _let_all_know() -> None:
    """Return when nobody acts on the keys of before the last change any more."""
    time.sleep(PAUSE_SECONDS)
    wait_for_earlier_transactions(db.engine)


def _with_new_keys(ring: Keyring, now: datetime) -> Keyring:
    key, index = _next("k", ring.sealing), _next("i", ring.indexes)
    return replace(
        ring,
        sealing=ring.sealing | {key: secrets.token_bytes(32)},
        current=key,
        indexes=ring.indexes | {index: secrets.token_bytes(32)},
        histories=(*ring.histories, (now, secrets.token_bytes(32))),
        sessions=(secrets.token_urlsafe(48), ring.sessions[0]),  # who is signed in with the last one stays so
    )


def _without_old_keys(ring: Keyring) -> Keyring:
    return replace(
        ring,
        sealing={ring.current: ring.sealing[ring.current]},
        indexes={ring.current_index: ring.indexes[ring.current_index]},
    )


def _next(letter: str, keys: Iterable[str]) -> str:
    return f"{letter}{max(int(name[1:]) for name in keys) + 1}"


@contextmanager
def _alone(keys_file: Path) -> Iterator[None]:
    with keys_file.with_suffix(".rotation").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RotationRunning from error
        yield


def _change(keys_file: Path, change: Callable[[Keyring], Keyring]) -> None:
    """Change the key file; on SQLite while no writer is at work, so that each knows the keys of before or of after."""
    with db.engine.begin(), sealing.held(keys_file):
        change(Keyring.read(keys_file)).replace(keys_file)
    sealing.refresh()


def _note(ring: Keyring) -> None:
    with Session(db.engine) as session, session.begin():
        key_marks.note(session, ring)


def _write_anew(tell: Callable[[Progress], None]) -> None:
    for table in Model.metadata.sorted_tables:
        purposes = {column.name: column.type.purpose for column in table.columns if isinstance(column.type, SEALED)}
        if purposes:
            # Whole files are taken one at a time, to need little memory.
            files = any(isinstance(column.type, SealedBytes) for column in table.columns)
            tell(Progress(table.name, _seal_anew(table.name, purposes, at_a_time=1 if files else ROWS_AT_A_TIME)))
    for mapper in Model.registry.mappers:
        columns = [
            column for column in mapper.local_table.columns if isinstance(column.type, BlindIndex) and column.type.of
        ]
        if columns:
            tell(Progress(mapper.local_table.name, _index_anew(mapper, columns)))


def _seal_anew(name: str, purposes: dict[str, str], *, at_a_time: int) -> int:
    ring = sealing.ring()
    current = f"v1.{ring.current}."
    raw = sa.table(name, sa.column("id", sa.Integer), *(sa.column(column, sa.Text) for column in purposes))
    under_others = sa.or_(*(sa.not_(raw.c[column].startswith(current, autoescape=True)) for column in purposes))
    after, done = 0, 0
    while True:
        with db.engine.begin() as connection:
            rows = connection.execute(
                sa.select(raw).where(raw.c.id > after, under_others).order_by(raw.c.id).limit(at_a_time)
            ).all()
            for column, purpose in purposes.items():
                changes = [
                    {"row": row.id, "old": value, "new": ring.seal(ring.open(value, purpose=purpose), purpose=purpose)}
                    for row in rows
                    if (value := getattr(row, column)) is not None and not value.startswith(current)
                ]
                done += _swap(connection, raw, column, changes)
        if not rows:
            return done
        after = rows[-1].id


def _index_anew(mapper: Mapper[Any], columns: Sequence[sa.Column[Any]]) -> int:
    table, ring = mapper.local_table, sealing.ring()
    raw = sa.table(table.name, sa.column("id", sa.Integer), *(sa.column(column.name, sa.Text) for column in columns))
    stored = [sa.type_coerce(column, sa.Text).label(f"stored_{column.name}") for column in columns]
    after, done = 0, 0
    while True:
        with Session(db.engine) as session, session.begin():
            rows = session.execute(
                sa.select(mapper.class_, *stored)
                .where(table.c.id > after)
                .order_by(table.c.id)
                .limit(ROWS_AT_A_TIME)
                .options(lazyload("*"))
            ).all()
            for place, column in enumerate(columns, start=1):
                changes = [
                    {"row": row[0].id, "old": row[place], "new": new}
                    for row in rows
                    if row[place] is not None
                    and (indexed := column.type.of(row[0]))
                    and (new := ring.blind(indexed[1], purpose=indexed[0])) != row[place]
                ]
                done += _swap(session.connection(), raw, column.name, changes)
            after = rows[-1][0].id if rows else after
        if not rows:
            return done


def _swap(connection: sa.Connection, raw: sa.TableClause, column: str, changes: list[dict[str, Any]]) -> int:
    """Put new values in place of old ones, but not of what somebody wrote meanwhile."""
    if not changes:
        return 0
    swap = (
        sa.update(raw)
        .where(raw.c.id == sa.bindparam("row"), raw.c[column] == sa.bindparam("old"))
        .values({column: sa.bindparam("new")})
    )
    try:
        with connection.begin_nested():
            return connection.execute(swap, changes).rowcount
    except sa.exc.IntegrityError:
        return sum(_swap_one(connection, swap, raw.name, change) for change in changes)


def _swap_one(connection: sa.Connection, swap: sa.Update, table: str, change: dict[str, Any]) -> int:
    try:
        with connection.begin_nested():
            return connection.execute(swap, change).rowcount
    except sa.exc.IntegrityError as error:
        raise StandsTwice(table=table, id=change["row"]) from error
