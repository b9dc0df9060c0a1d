"""Finding records by their words on either database.

An index of words is a table with a row per word and record, sorted as its list is: by the word, then by the list's
keys. So the records of a word are read from there in order, however many there are, and a page costs what it shows.
The record itself keeps its words as one text (`words.written`), by which the other words of a question are checked.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapper, Session, object_session
from sqlalchemy.orm.attributes import get_history, set_committed_value

from outreach.kernel.database import NewRows, db, locked
from outreach.kernel.words import LONGEST_WORD, Run, shared_beginnings, written

COUNTED_UP_TO = 10_000
"""Rows of one word, so that of two frequent words the rarer is known."""
LAST_SIGN = "\U0010ffff"


def plain_text(length: int) -> sa.types.TypeEngine[str]:
    """Return a type of text that sorts by code point on both databases, whatever the language of the server's."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def columns_of_words() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Return the columns every index of words has: the word, and how much of its beginning the one before shares."""
    return (
        sa.Column("word", plain_text(LONGEST_WORD), nullable=False),
        sa.Column("shared", sa.SmallInteger, nullable=False),
    )


def has_word(index: sa.Table, word: str) -> sa.ColumnElement[bool]:
    """Return the condition on an index that holds for the rows of one word."""
    return index.c.word == word


def begins(index: sa.Table, word: str) -> sa.ColumnElement[bool]:
    """Return the condition on an index that holds once for each record with a word that begins so."""
    return sa.and_(index.c.word >= word, index.c.word < word + LAST_SIGN, index.c.shared < len(word))


@dataclass(frozen=True)
class Sought:
    """One thing that records are found by: the rows of an index that stand for it, and how a row of another is checked.

    What is a word of its own is looked up in the index once more, so that the record need not be read; what a word
    begins with is looked for in the words written on the record.
    """

    rows: sa.ColumnElement[bool]
    check: sa.ColumnElement[bool]
    on_record: bool


def word_sought(index: sa.Table, word: str, keys: Sequence[str]) -> Sought:
    """Return what finds the records of one word; `keys` are the columns behind it that tell one record from another."""
    other = index.alias()
    same = (other.c[key] == index.c[key] for key in keys)
    return Sought(has_word(index, word), sa.exists().where(other.c.word == word, *same).correlate(index), False)


def run_sought(index: sa.Table, run: Run, keys: Sequence[str], written: Any) -> list[Sought]:
    """Return what finds the records that hold a run of a question; `written` is the column of a record's words."""
    if run.spelt:
        return [Sought(begins(index, run.text), written.like(f"% {run.text}%"), True)]
    return [word_sought(index, pair, keys) for pair in run.pairs]


def contains(written: Any, run: Run) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which a record's written words contain a run of a question."""
    if run.spelt:
        return [written.like(f"% {run.text}%")]
    return [written.like(f"% {pair} %") for pair in run.pairs]


@dataclass(frozen=True)
class Reading:
    """The rows of an index that are read for a question: under which conditions, and whether with their records."""

    rows: Sequence[sa.ColumnElement[bool]]
    with_records: bool


def rarest_first(sought: Sequence[Sought]) -> Reading | None:
    """Return how records are read that are found by everything sought; None where one thing has no row, so none are.

    The rows of the rarest are read in their order and checked for the others. How many there are of each is counted no
    further than `COUNTED_UP_TO`, all in one statement.
    """
    if len(sought) == 1:
        return Reading([sought[0].rows], with_records=False)
    counts = db.session.execute(
        sa.select(
            *(
                sa.select(sa.func.count())
                .select_from(sa.select(sa.literal(1)).where(one.rows).limit(COUNTED_UP_TO).subquery())
                .scalar_subquery()
                for one in sought
            )
        )
    ).one()
    fewest = min(range(len(sought)), key=lambda at: counts[at])
    if not counts[fewest]:
        return None
    others = [one for at, one in enumerate(sought) if at != fewest]
    rows = [sought[fewest].rows, *(one.check for one in others)]
    return Reading(rows, with_records=any(one.on_record for one in others))


@dataclass(frozen=True)
class WordIndex:
    """An index of words that follows its records: whoever changes one through the ORM changes its rows with it.

    `columns` names, for each column of the table beside the word, the record's attribute it repeats; `words_of` yields
    the words of a record. The record keeps them in its attribute `words`, None where it was never indexed. These
    attributes have `active_history`, so that what stood before is known.
    """

    table: sa.Table
    columns: Mapping[str, str]
    words_of: Callable[[Any], Iterable[str]]

    def follow(self, model: type) -> None:
        """Keep the index for a model from now on; called once, beside the model."""
        event.listen(model, "before_insert", self._write_words)
        event.listen(model, "before_update", self._write_words)
        event.listen(model, "after_insert", self._enter)
        event.listen(model, "after_update", self._change)
        event.listen(model, "after_delete", self._leave)
        event.listen(Session, "after_flush", self._enter_all)
        event.listen(Session, "after_soft_rollback", self._drop_entered)

    @cached_property
    def _new_rows(self) -> NewRows:
        return NewRows(self.table, ("word", "shared", *self.columns))

    @property
    def _entered(self) -> str:
        """The key in a session's `info` of the rows of records that are being added."""
        return f"entered in {self.table.name}"

    def rows(self, record: Any) -> list[dict[str, Any]]:
        """Return a record's rows, for whoever writes many records past the ORM."""
        return self._rows(record.words, {column: getattr(record, name) for column, name in self.columns.items()})

    def take_out(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Delete rows, those of them that are there."""
        if rows:
            same = (self.table.c[name] == sa.bindparam(f"its_{name}") for name in rows[0])
            values = [{f"its_{name}": value for name, value in row.items()} for row in rows]
            connection.execute(sa.delete(self.table).where(*same), values)

    def insert(
        self, model: Any, records: Sequence[dict[str, Any]], beside: Sequence[Mapping[str, Any]] | None = None
    ) -> list[int]:
        """Write many new records of a model at once, past the ORM, with their words; return their ids in order.

        :param records: their columns by name, the same of each, but for `words`
        :param beside: of each, what else words are made of: no column, or one that stays empty
        """
        whole = [
            values | {"words": written(self.words_of(SimpleNamespace(**values, **more)))}
            for values, more in zip(records, beside or [{}] * len(records), strict=True)
        ]
        ids = _new_records(model, tuple(whole[0])).add(db.session.connection(), whole)
        rows = []
        for record_id, values in zip(ids, whole, strict=True):
            values["id"] = record_id
            rows += self._rows(values["words"], {column: values[name] for column, name in self.columns.items()})
        if rows:
            self._new_rows.add(db.session.connection(), sorted(rows, key=itemgetter("word")))
        return ids

    def delete(self, model: Any, ids: Collection[int]) -> None:
        """Delete many records of a model at once, past the ORM, with their words."""
        named = [getattr(model, name).label(column) for column, name in self.columns.items()]
        found = db.session.execute(sa.select(model.words.label("words"), *named).where(model.id.in_(ids))).mappings()
        rows = [row for one in found for row in self._rows(one["words"], {name: one[name] for name in self.columns})]
        self.take_out(db.session.connection(), sorted(rows, key=itemgetter("word")))
        db.session.execute(sa.delete(model).where(model.id.in_(ids)).execution_options(synchronize_session=False))

    def empty(self) -> None:
        """Take out all rows, before they are written anew."""
        db.session.execute(sa.delete(self.table))

    def write_anew(self, model: Any, *, after: int, limit: int) -> tuple[int, int]:
        """Write anew the words of the records past an id; return the last id and how many they were.

        For records written past the ORM, and for an upgrade that changes what words are. The caller commits, and goes
        on from the id until there are none.
        """
        records = db.session.scalars(locked(sa.select(model).where(model.id > after).order_by(model.id).limit(limit)))
        found = records.unique().all()
        rows = []
        for record in found:
            words = written(self.words_of(record))
            db.session.execute(sa.update(model.__table__).where(model.__table__.c.id == record.id).values(words=words))
            set_committed_value(record, "words", words)
            rows += self.rows(record)
        self.take_out(db.session.connection(), rows)
        if rows:
            db.session.execute(sa.insert(self.table), sorted(rows, key=lambda row: row["word"]))
        return (found[-1].id if found else after), len(found)

    def _rows(self, words: str | None, repeated: Mapping[str, Any]) -> list[dict[str, Any]]:
        shared = shared_beginnings((words or "").split())
        return [{"word": word, "shared": count, **repeated} for word, count in shared.items()]

    def _write_words(self, _mapper: Mapper[Any], _connection: sa.Connection, record: Any) -> None:
        words = written(self.words_of(record))
        if words != record.words:
            record.words = words

    def _enter(self, _mapper: Mapper[Any], _connection: sa.Connection, record: Any) -> None:
        object_session(record).info.setdefault(self._entered, []).extend(self.rows(record))

    def _enter_all(self, session: Session, _context: object) -> None:
        """Write the rows of all records that one flush has added: one statement, not one for each of them."""
        if rows := session.info.pop(self._entered, None):
            self._new_rows.add(session.connection(), rows)

    def _drop_entered(self, session: Session, _transaction: object) -> None:
        session.info.pop(self._entered, None)

    def _change(self, _mapper: Mapper[Any], connection: sa.Connection, record: Any) -> None:
        repeated = {column: _before(record, name) for column, name in self.columns.items()}
        before, now = self._rows(_before(record, "words"), repeated), self.rows(record)
        self.take_out(connection, [row for row in before if row not in now])
        if fresh := [row for row in now if row not in before]:
            connection.execute(sa.insert(self.table), fresh)

    def _leave(self, _mapper: Mapper[Any], connection: sa.Connection, record: Any) -> None:
        self.take_out(connection, self.rows(record))


@cache
def _new_records(model: Any, columns: tuple[str, ...]) -> NewRows:
    return NewRows(model.__table__, columns).numbered()


def _before(record: Any, name: str) -> Any:
    history = get_history(record, name)
    return history.deleted[0] if history.deleted else getattr(record, name)
