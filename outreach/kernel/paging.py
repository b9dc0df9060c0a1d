"""Lists paged by key: the next page begins after the last row seen, however long the list is."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from outreach.kernel.database import db

Row = TypeVar("Row")
SIZE = 40
LAST = "last"
"""The cursor of the last page of any list."""


@dataclass(frozen=True)
class Key:
    """A column a list is sorted by; never null, and the last key of a list is unique."""

    column: Any
    descending: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list and the cursors of its neighbours (None at either end)."""

    items: Sequence[Row]
    previous: str | None
    next: str | None


def page_of(statement: sa.Select[Any], *, keys: Sequence[Key], cursor: str | None, size: int = SIZE) -> Page[Any]:
    """Run an unordered select of one entity as one page, sorted by the keys.

    A cursor that is damaged or of another list gives the first page: it comes from a URL that anybody may edit.
    """
    backwards, values = (True, None) if cursor == LAST else _read(cursor, keys)
    columns = [key.column for key in keys]
    query = statement.add_columns(*columns)
    if values is not None:
        query = query.where(_beyond(keys, values, backwards=backwards))
    order = [
        column.desc() if key.descending != backwards else column.asc()
        for key, column in zip(keys, columns, strict=True)
    ]
    found = db.session.execute(query.order_by(*order).limit(size + 1)).unique().all()
    more, found = len(found) > size, list(found[:size])
    if backwards:
        found.reverse()
    has_previous = more if backwards else values is not None
    has_next = values is not None if backwards else more
    return Page(
        items=[row[0] for row in found],
        previous=_cursor(found[0][-len(keys) :], backwards=True) if found and has_previous else None,
        next=_cursor(found[-1][-len(keys) :], backwards=False) if found and has_next else None,
    )


def _beyond(keys: Sequence[Key], values: Sequence[Any], *, backwards: bool) -> Any:
    """Return the condition for rows beyond a place, so that both databases begin to read at the place itself."""
    falling = [key.descending != backwards for key in keys]
    if len(set(falling)) == 1:
        columns = sa.tuple_(*(key.column for key in keys))
        place = sa.tuple_(*(sa.literal(value, key.column.type) for key, value in zip(keys, values, strict=True)))
        return columns < place if falling[0] else columns > place
    steps = []
    for depth, key in enumerate(keys):
        same = [keys[i].column == values[i] for i in range(depth)]
        onward = key.column < values[depth] if falling[depth] else key.column > values[depth]
        steps.append(sa.and_(*same, onward))
    first = keys[0].column <= values[0] if falling[0] else keys[0].column >= values[0]
    return sa.and_(first, sa.or_(*steps))


def _cursor(values: Sequence[Any], *, backwards: bool) -> str:
    plain = [
        {"m": value.isoformat()}
        if isinstance(value, datetime)
        else {"d": value.isoformat()}
        if isinstance(value, date)
        else value
        for value in values
    ]
    return base64.urlsafe_b64encode(json.dumps([backwards, plain]).encode()).decode().rstrip("=")


def _read(cursor: str | None, keys: Sequence[Key]) -> tuple[bool, list[Any] | None]:
    if not cursor:
        return False, None
    try:
        backwards, plain = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [_value(item) for item in plain]
        fits = len(values) == len(keys) and all(
            isinstance(value, key.column.type.python_type) and _storable(value)
            for value, key in zip(values, keys, strict=True)
        )
    except (ValueError, TypeError, KeyError, binascii.Error):
        return False, None
    return (bool(backwards), values) if fits else (False, None)


def _storable(value: Any) -> bool:
    """Tell whether a database can compare with it: SQLite's integers have 64 bits, PostgreSQL's texts no zero."""
    return not ((isinstance(value, int) and abs(value) >= 2**63) or (isinstance(value, str) and "\0" in value))


def _value(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    if "m" in item:
        moment = datetime.fromisoformat(item["m"])
        if moment.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return moment
    return date.fromisoformat(item["d"])
