"""What happened to a record, in lines that the application cannot rewrite.

One chain per record. A line holds ids, codes, times and a salted hash of its words; the words stand in a
row of their own that the law may require to be erased, and the chain still verifies. Each line's keyed
hash covers the one before it. Triggers (guards.py) refuse to change or delete a line.
"""

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import Model, NewRows, db
from outreach.kernel.sealing import Sealed, ring


@dataclass(frozen=True)
class Subject:
    """The record a line belongs to: a kind ("case", "event", …) and its id."""

    kind: str
    id: int


class HistoryLine(Model):
    """One thing that happened to one record."""

    __tablename__ = "history_lines"
    __table_args__ = (
        sa.UniqueConstraint("subject_kind", "subject_id", "position"),
        sa.CheckConstraint("position > 0", name="position_counts_from_one"),
        sa.Index("ix_history_lines_at", "at"),
    )

    subject_kind: Mapped[str] = mapped_column(sa.String(32))
    subject_id: Mapped[int]
    position: Mapped[int]
    at: Mapped[datetime]
    act: Mapped[str] = mapped_column(sa.String(48))
    actor_kind: Mapped[ActorKind]
    actor_id: Mapped[int | None]
    for_id: Mapped[int | None]
    facts: Mapped[dict[str, Any]]
    words_hash: Mapped[str | None] = mapped_column(sa.String(64))
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))

    words: Mapped["HistoryWords | None"] = relationship(back_populates="line", lazy="joined")

    @property
    def actor(self) -> Actor:
        """Who did it."""
        return Actor(self.actor_kind, self.actor_id, self.for_id)


class HistoryWords(Model):
    """The free words of a line: what the law may require to be erased."""

    __tablename__ = "history_words"

    line_id: Mapped[int] = mapped_column(sa.ForeignKey("history_lines.id"), unique=True)
    salt: Mapped[str] = mapped_column(sa.String(32))
    text: Mapped[str] = mapped_column(Sealed("history.words"))

    line: Mapped[HistoryLine] = relationship(back_populates="words")


_LINES = NewRows(HistoryLine.__table__, [each.name for each in HistoryLine.__table__.columns if each.name != "id"])


def write(
    *,
    subject: Subject,
    act: str,
    by: Actor,
    now: datetime,
    facts: dict[str, Any] | None = None,
    words: str | None = None,
) -> HistoryLine:
    """Add a line to the record's chain, in the caller's transaction.

    `facts` may hold ids, codes, numbers and ISO times only, never a name or a free word: those go into
    `words`. Whoever changes a record holds its row (`locked`), which also keeps its chain in order.
    """
    last = db.session.scalar(_last(subject))
    salt = secrets.token_hex(16) if words is not None else None
    line = HistoryLine(
        subject_kind=subject.kind,
        subject_id=subject.id,
        position=last.position + 1 if last else 1,
        at=now,
        act=act,
        actor_kind=by.kind,
        actor_id=by.id,
        for_id=by.for_id,
        facts=facts or {},
        words_hash=_hash_of_words(salt, words) if words is not None else None,
        previous_hash=last.hash if last else "",
    )
    line.hash = keyed_hash(covered(line))
    if words is not None:
        line.words = HistoryWords(salt=salt, text=words)
    db.session.add(line)
    db.session.flush()  # the next line of this record needs this one's position and hash
    return line


def forget_words(*, kind: str, ids: Sequence[int], act: str | None = None, at: datetime | None = None) -> None:
    """Erase the free words of some records' lines; the lines and their hashes stay, and the chains still verify.

    :param act: only of this act, written at the moment `at`; None for every line
    """
    lines = sa.select(HistoryLine.id).where(HistoryLine.subject_kind == kind, HistoryLine.subject_id.in_(ids))
    if act is not None:
        lines = lines.where(HistoryLine.act == act, HistoryLine.at == at)
    db.session.execute(
        sa.delete(HistoryWords).where(HistoryWords.line_id.in_(lines)).execution_options(synchronize_session=False)
    )


def write_for_many(
    *,
    act: str,
    by: Actor | Mapping[Subject, Actor],
    now: datetime,
    facts: Mapping[Subject, dict[str, Any]],
    new: bool = False,
) -> None:
    """Add the same act to the chains of many records of one kind at once, each with its own facts and no words.

    `by` is who did it to all of them, or to each.
    `new` says that the records were made just now, so that there is nothing to look up. As with `write`, the caller
    holds the records' rows.
    """
    if not facts:
        return
    last = {} if new else _last_of_many(facts)
    lines = []
    for subject, said in facts.items():
        position, previous = last.get(subject, (0, ""))
        actor = by if isinstance(by, Actor) else by[subject]
        line = SimpleNamespace(
            subject_kind=subject.kind,
            subject_id=subject.id,
            position=position + 1,
            at=now,
            act=act,
            actor_kind=actor.kind,
            actor_id=actor.id,
            for_id=actor.for_id,
            facts=said,
            words_hash=None,
            previous_hash=previous,
        )
        lines.append(vars(line) | {"hash": keyed_hash(covered(line))})
    db.session.flush()  # what happened, before that it happened
    _LINES.add(db.session.connection(), lines)


def lines_of(subject: Subject) -> Sequence[HistoryLine]:
    """Return the record's lines, oldest first, with their words."""
    return db.session.scalars(
        sa.select(HistoryLine)
        .where(HistoryLine.subject_kind == subject.kind, HistoryLine.subject_id == subject.id)
        .order_by(HistoryLine.position)
    ).all()


def first_broken_position(session: Session, subject: Subject) -> int | None:
    """Return where the record's chain was altered, cut out or reordered; None while it holds.

    A chain cut at its very end cannot be told from a shorter one by itself: that takes an anchor kept elsewhere
    (operating/verification.py).
    """
    expected, previous = 1, ""
    for line in session.scalars(
        sa.select(HistoryLine)
        .where(HistoryLine.subject_kind == subject.kind, HistoryLine.subject_id == subject.id)
        .order_by(HistoryLine.position)
    ):
        words = line.words and (line.words.salt, line.words.text)
        if not follows(line, words, position=expected, previous=previous):
            return expected
        expected, previous = expected + 1, line.hash
    return None


def follows(line: Any, words: tuple[str, str] | None, *, position: int, previous: str) -> bool:
    """Tell whether a line is as it was written, and the next of its chain after the hash of the one before.

    :param line: a HistoryLine, or a row of its columns
    :param words: their salt and text, unless they were erased or there were none
    """
    return (
        line.position == position
        and line.previous_hash == previous
        and holds(line.hash, covered(line), at=line.at)
        and (words is None or line.words_hash == _hash_of_words(*words))
    )


def _last(subject: Subject) -> sa.Select[tuple[HistoryLine]]:
    return (
        sa.select(HistoryLine)
        .where(HistoryLine.subject_kind == subject.kind, HistoryLine.subject_id == subject.id)
        .order_by(HistoryLine.position.desc())
        .limit(1)
    )


def _last_of_many(subjects: Collection[Subject]) -> dict[Subject, tuple[int, str]]:
    kinds = {subject.kind for subject in subjects}
    of_these = sa.and_(
        HistoryLine.subject_kind.in_(kinds), HistoryLine.subject_id.in_([subject.id for subject in subjects])
    )
    latest = (
        sa.select(HistoryLine.subject_kind, HistoryLine.subject_id, sa.func.max(HistoryLine.position).label("position"))
        .where(of_these)
        .group_by(HistoryLine.subject_kind, HistoryLine.subject_id)
        .subquery()
    )
    found = db.session.execute(
        sa.select(HistoryLine.subject_kind, HistoryLine.subject_id, HistoryLine.position, HistoryLine.hash).join(
            latest,
            sa.and_(
                HistoryLine.subject_kind == latest.c.subject_kind,
                HistoryLine.subject_id == latest.c.subject_id,
                HistoryLine.position == latest.c.position,
            ),
        )
    )
    return {Subject(kind, subject_id): (position, line_hash) for kind, subject_id, position, line_hash in found}


def _hash_of_words(salt: str | None, words: str) -> str:
    return hashlib.sha256(f"{salt}\0{words}".encode()).hexdigest()


def covered(line: Any) -> list[object]:
    """Return what the hash of a line covers: all of it but its words, whose own hash it holds."""
    return [
        line.subject_kind,
        line.subject_id,
        line.position,
        line.at.astimezone(UTC).isoformat(),
        line.act,
        line.actor_kind,
        line.actor_id,
        line.for_id,
        line.facts,
        line.words_hash,
        line.previous_hash,
    ]


def keyed_hash(covered: Sequence[object]) -> str:
    """Return the hash of facts (JSON-able) that only who has the keys can make: 64 hex digits.

    For rows that are their own line of history: append-only, each written once by one short transaction.
    """
    return ring().history_hash(_text(covered))


def holds(kept: str, covered: Sequence[object], *, at: datetime) -> bool:
    """Tell whether this is the keyed hash of facts written down at that moment."""
    return ring().wrote(kept, _text(covered), at=at)


def _text(covered: Sequence[object]) -> bytes:
    return json.dumps(covered, ensure_ascii=True, sort_keys=True).encode()
