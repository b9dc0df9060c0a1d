"""Finding records by their words on either database.

An index of words is a table with a row per word and record, sorted as its list is: by the word, then by the list's
keys. So the records of a word are read from there in order, however many there are, and a page costs what it shows.
The record itself keeps its words as one text (`words.written`), by which the other words of a question are checked.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.kernel.words import LONGEST_WORD, Run

COUNTED_UP_TO = 3000
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


def rows_of(index: sa.Table, run: Run) -> list[sa.ColumnElement[bool]]:
    """Return the conditions, one a word, whose rows stand for a run of a question."""
    if run.spelt:
        return [begins(index, run.text)]
    return [has_word(index, pair) for pair in run.pairs]


def contains(written: Any, run: Run) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which a record's written words contain a run of a question."""
    if run.spelt:
        return [written.like(f"% {run.text}%")]
    return [written.like(f"% {pair} %") for pair in run.pairs]


def rarest(conditions: Sequence[sa.ColumnElement[bool]]) -> sa.ColumnElement[bool] | None:
    """Return the condition on an index with the fewest rows; None if one has no row, so that nothing fits them all.

    Counted no further than `COUNTED_UP_TO`, all in one statement.
    """
    if len(conditions) == 1:
        return conditions[0]
    counts = db.session.execute(
        sa.select(
            *(
                sa.select(sa.func.count())
                .select_from(sa.select(sa.literal(1)).where(condition).limit(COUNTED_UP_TO).subquery())
                .scalar_subquery()
                for condition in conditions
            )
        )
    ).one()
    fewest = min(range(len(conditions)), key=lambda at: counts[at])
    return conditions[fewest] if counts[fewest] else None
