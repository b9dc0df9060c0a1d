"""Whether the history is as it was written: every line, every arrival, and none of them gone.

A chain shows what was altered, taken out or put in another order within it, not that its end was cut off, or that the
whole of it is gone. Anchors show that: each night the number of lines, and the sum of their keyed hashes, is written
into a file beside the keys, outside the database, under a keyed hash of its own. Lines may be added to a sum, never
taken away from it. Who can change the database alone cannot make both agree.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext

from outreach.door.models import HASHED, Arrival, facts_covered
from outreach.kernel import sealing
from outreach.kernel.database import db, wait_for_earlier_transactions, writing
from outreach.kernel.history import HistoryLine, HistoryWords, follows, holds, keyed_hash
from outreach.kernel.sealing import SealBroken
from outreach.web.filters import moment_text

ANCHORS = "history.anchors"
ROWS_AT_A_TIME = 2000
TELL_EVERY = 20_000
MODULUS = 2**256
MOST_NAMED = 100


@dataclass(frozen=True)
class Broken:
    """A record whose chain does not hold from a line on, or an arrival that is not as it was written."""

    kind: str
    id: int
    position: int | None


@dataclass
class Sum:
    """The rows up to an id: how many, and the sum of their keyed hashes."""

    up_to: int
    count: int = 0
    sum: int = 0

    def add(self, row_id: int, kept: str) -> None:
        """Count a row, if it is one of them."""
        if row_id <= self.up_to:
            self.count += 1
            self.sum = (self.sum + _number(kept)) % MODULUS


@dataclass(frozen=True)
class Anchor:
    """What stood in the database at a moment."""

    at: datetime
    lines: Sum
    arrivals: Sum


@dataclass
class Verdict:
    """What was found: how much was read, what is broken, and what the last anchor says is gone or was replaced."""

    lines: int = 0
    chains: int = 0
    arrivals: int = 0
    broken: list[Broken] = field(default_factory=list)
    anchored_at: datetime | None = None
    missing: int = 0
    replaced: bool = False
    anchors_altered: bool = False

    @property
    def whole(self) -> bool:
        """Whether everything is as it was written."""
        return not (self.broken or self.missing or self.replaced or self.anchors_altered)


def verify(*, folder: Path, tell: Callable[[int], None] = lambda _: None) -> Verdict:
    """Read the whole history once, with a little memory, from one state of the database.

    :param folder: where the anchors are kept
    :param tell: called with the number of rows read, now and then
    """
    verdict = Verdict()
    anchor = _last_anchor(folder, verdict)
    lines = Sum(anchor.lines.up_to if anchor else 0)
    arrivals = Sum(anchor.arrivals.up_to if anchor else 0)
    with _one_state() as connection:
        for line in _lines(connection, verdict):
            lines.add(line.id, line.hash)
            if verdict.lines % TELL_EVERY == 0:
                tell(verdict.lines)
        for arrival in _rows(connection, sa.select(Arrival.id, Arrival.hash, *(getattr(Arrival, it) for it in HASHED))):
            verdict.arrivals += 1
            arrivals.add(arrival.id, arrival.hash)
            facts = {name: getattr(arrival, name) for name in HASHED}
            if not holds(arrival.hash, facts_covered(**facts), at=arrival.received_at):
                verdict.broken.append(Broken("arrival", arrival.id, None))
            if verdict.arrivals % TELL_EVERY == 0:
                tell(verdict.lines + verdict.arrivals)
    if anchor:
        _compare(verdict, [(anchor.lines, lines), (anchor.arrivals, arrivals)])
    return verdict


def sentences(verdict: Verdict) -> Iterator[str]:
    """Say what was found, in the reader's language, what is broken last."""
    yield gettext(
        "%(lines)d lines of %(chains)d records and %(arrivals)d arrivals were read.",
        lines=verdict.lines,
        chains=verdict.chains,
        arrivals=verdict.arrivals,
    )
    if verdict.whole:
        yield gettext("Everything is as it was written.")
        if verdict.anchored_at is None:
            yield gettext("There was no anchor yet: what was cut off the end of a record before now is not noticed.")
        else:
            yield gettext("Nothing is gone since the anchor of %(moment)s.", moment=moment_text(verdict.anchored_at))
    if verdict.missing and verdict.anchored_at:
        yield gettext(
            "%(count)d rows that stood at the anchor of %(moment)s are gone.",
            count=verdict.missing,
            moment=moment_text(verdict.anchored_at),
        )
    if verdict.replaced and verdict.anchored_at:
        yield gettext(
            "Rows that stood at the anchor of %(moment)s were replaced by others.",
            moment=moment_text(verdict.anchored_at),
        )
    if verdict.anchors_altered:
        yield gettext("The file of anchors was altered.")
    for broken in verdict.broken[:MOST_NAMED]:
        if broken.position is None:
            yield gettext("%(kind)s %(id)d is not as it was written.", kind=broken.kind, id=broken.id)
        else:
            yield gettext(
                "%(kind)s %(id)d: line %(position)d was altered, taken out or put in another place.",
                kind=broken.kind,
                id=broken.id,
                position=broken.position,
            )
    if len(verdict.broken) > MOST_NAMED:
        yield gettext("… and %(count)d more records.", count=len(verdict.broken) - MOST_NAMED)


def anchored_at(folder: Path) -> datetime | None:
    """Return when the last anchor was set that is as it was written."""
    anchor = _last_anchor(folder, Verdict())
    return anchor.at if anchor else None


def set_anchor(*, folder: Path, now: datetime) -> Verdict:
    """Write down what stands in the database now, if all that stood at the last anchor still does; compare first.

    Only what was committed by everybody counts: transactions that may still add an earlier number are waited for.
    """
    verdict = Verdict()
    anchor = _last_anchor(folder, verdict)
    with _one_state() as connection:
        newest = [connection.scalar(sa.select(sa.func.max(it.id))) or 0 for it in (HistoryLine, Arrival)]
    wait_for_earlier_transactions(db.engine)
    found: list[tuple[Sum, Sum]] = []
    with _one_state() as connection:
        for model, up_to, before in zip(
            (HistoryLine, Arrival), newest, (anchor.lines, anchor.arrivals) if anchor else (Sum(0), Sum(0)), strict=True
        ):
            then, today = Sum(before.up_to), Sum(up_to)
            for row in _rows(connection, sa.select(model.id, model.hash)):
                then.add(row.id, row.hash)
                today.add(row.id, row.hash)
            found.append((then, today))
    if anchor:
        pairs = zip((anchor.lines, anchor.arrivals), found, strict=True)
        _compare(verdict, [(before, then) for before, (then, _) in pairs])
    if verdict.whole:
        _write(folder / ANCHORS, Anchor(now, found[0][1], found[1][1]))
        verdict.anchored_at = now
    return verdict


def _lines(connection: sa.Connection, verdict: Verdict) -> Iterator[Any]:
    """Yield every line in the order of the chains, noting those that do not hold: the first of each record."""
    statement = (
        sa.select(
            HistoryLine.__table__,
            HistoryWords.salt.label("salt"),
            sa.type_coerce(HistoryWords.text, sa.Text).label("sealed_words"),
        )
        .outerjoin(HistoryWords, HistoryWords.line_id == HistoryLine.id)
        .order_by(HistoryLine.subject_kind, HistoryLine.subject_id, HistoryLine.position)
    )
    of, position, previous, broken = None, 0, "", False
    for line in _rows(connection, statement):
        if of != (line.subject_kind, line.subject_id):
            of, position, previous, broken = (line.subject_kind, line.subject_id), 0, "", False
            verdict.chains += 1
        position += 1
        verdict.lines += 1
        if not broken and not _holds(line, position, previous):
            broken = True
            verdict.broken.append(Broken(line.subject_kind, line.subject_id, position))
        previous = line.hash
        yield line


def _holds(line: Any, position: int, previous: str) -> bool:
    words = None
    if line.sealed_words is not None:
        try:
            words = line.salt, sealing.ring().open(line.sealed_words, purpose="history.words")
        except SealBroken:
            return False
    return follows(line, words, position=position, previous=previous)


def _rows(connection: sa.Connection, statement: sa.Select[Any]) -> Iterator[Any]:
    with connection.execute(statement, execution_options={"yield_per": ROWS_AT_A_TIME}) as rows:
        yield from rows


@contextmanager
def _one_state() -> Iterator[sa.Connection]:
    """Hold one state of the database for reading, while others write on."""
    token = writing.set(False)
    try:
        with db.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
    finally:
        writing.reset(token)


def _compare(verdict: Verdict, sums: list[tuple[Sum, Sum]]) -> None:
    for before, now in sums:
        verdict.missing += max(0, before.count - now.count)
        verdict.replaced |= before.count <= now.count and before.sum != now.sum


def _last_anchor(folder: Path, verdict: Verdict) -> Anchor | None:
    file = folder / ANCHORS
    written = file.read_text().splitlines() if file.exists() else []
    if not written:
        return None
    try:
        kept = json.loads(written[-1])
        anchor = Anchor(datetime.fromisoformat(kept["at"]), _sum(kept["lines"]), _sum(kept["arrivals"]))
        if not holds(kept["hash"], _covered(anchor), at=anchor.at):
            raise ValueError("altered")
    except (ValueError, KeyError, TypeError):
        verdict.anchors_altered = True
        return None
    verdict.anchored_at = anchor.at
    return anchor


def _write(file: Path, anchor: Anchor) -> None:
    line = {
        "at": anchor.at.isoformat(),
        "lines": [anchor.lines.up_to, anchor.lines.count, f"{anchor.lines.sum:064x}"],
        "arrivals": [anchor.arrivals.up_to, anchor.arrivals.count, f"{anchor.arrivals.sum:064x}"],
        "hash": keyed_hash(_covered(anchor)),
    }
    with file.open("a") as kept:
        kept.write(json.dumps(line) + "\n")
    file.chmod(0o600)


def _covered(anchor: Anchor) -> list[object]:
    return [
        "anchor",
        anchor.at.isoformat(),
        *(part for each in (anchor.lines, anchor.arrivals) for part in (each.up_to, each.count, f"{each.sum:064x}")),
    ]


def _sum(kept: list[Any]) -> Sum:
    up_to, count, total = kept
    return Sum(up_to, count, int(total, 16))


def _number(kept: str) -> int:
    try:
        return int(kept, 16)
    except ValueError:
        return 0  # no hash of ours: the line is named as broken anyway
