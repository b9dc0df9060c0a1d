import base64
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.kernel.outbox import Urgency, Work
from outreach.kernel.paging import Key, page_of
from tests.conftest import NOW

KEYS = [Key(Work.due_at, descending=True), Key(Work.id)]


@pytest.fixture
def rows(session):
    session.add_all(
        Work(job="x.y", arguments={}, urgency=Urgency.SOON, due_at=NOW + timedelta(hours=number // 3))
        for number in range(25)
    )
    session.flush()
    return [work.id for work in session.scalars(sa.select(Work).order_by(Work.due_at.desc(), Work.id.asc()))]


def _page(cursor, size=10):
    return page_of(sa.select(Work), keys=KEYS, cursor=cursor, size=size)


def test_walking_on_shows_every_row_once_in_order(rows):
    seen, cursor = [], None
    for _ in range(3):
        page = _page(cursor)
        seen += [work.id for work in page.items]
        cursor = page.next

    assert seen == rows
    assert cursor is None


def test_walking_back_shows_the_same_pages(rows):
    first = _page(None)
    second = _page(first.next)

    back = _page(second.previous)

    assert [work.id for work in back.items] == [work.id for work in first.items]
    assert (back.previous, back.next) == (None, first.next)


def test_a_row_that_comes_in_between_moves_no_other_row(rows, session):
    first = _page(None)
    session.add(Work(job="x.y", arguments={}, urgency=Urgency.SOON, due_at=NOW + timedelta(days=9)))
    session.flush()

    assert [work.id for work in _page(first.next).items] == rows[10:20]


@pytest.mark.parametrize(
    "cursor",
    ["x", "%%%", base64.urlsafe_b64encode(b"[false, 3]").decode(), base64.urlsafe_b64encode(b"{}").decode()]
    + [
        base64.urlsafe_b64encode(json.dumps([False, values]).encode()).decode()
        for values in (
            [1],
            ["a", "b"],
            [{"m": "2026-11-24T10:00:00"}, 3],
            [{"m": "soon"}, 3],
            [None, None],
            [{}, 1],
            [{"m": "2026-11-24T10:00:00+08:00"}, 10**30],
        )
    ],
)
def test_a_cursor_somebody_edited_gives_the_first_page(rows, cursor):
    assert [work.id for work in _page(cursor).items] == rows[:10]


def test_an_empty_list_has_no_neighbours(session):
    page = _page(None)

    assert (list(page.items), page.previous, page.next) == ([], None, None)
