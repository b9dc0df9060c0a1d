"""One request, one transaction: an answer below 400 commits, anything else rolls back.

Or several requests, one transaction (`Together`), where many people press the same button in the same second.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from flask import Flask, Response, g, request

from outreach.kernel.database import db, writing

READING = frozenset({"GET", "HEAD", "OPTIONS"})
Asked = TypeVar("Asked")
Answered = TypeVar("Answered")


def mount(app: Flask) -> None:
    """Give every request its transaction."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_forget)


@contextmanager
def separately() -> Iterator[None]:
    """Commit what happens inside before the rest of the request, so that it survives a refusal.

    For what must be counted even when the request fails, such as an attempt to sign in. Used first in a
    view, while nothing else has been changed.
    """
    yield
    db.session.commit()


class _Turn(Generic[Asked]):
    """One request's place in the line of a `Together`."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.called = threading.Lock()  # held until it is called: an Event costs as much as a small request
        self.called.acquire()
        self.answer: list[object] = []
        self.alone = False


class Together(Generic[Asked, Answered]):
    """Does what several requests of this process ask in one transaction, and commits it before any is answered.

    Whoever comes while nobody is at it begins at once with all who wait, itself among them; whoever comes meanwhile
    waits, and the first of those begins next. So nobody waits for more than one transaction besides their own, a
    request on its own is not held up, and under a rush one statement and one commit serve many. If a transaction
    fails, each of its requests is done again alone, so that only the one that cannot be done sees the failure.

    :param do: what is asked of the database: answers in the order of what was asked, and never commits
    :param most: how many are done in one transaction
    :param gathers: seconds for which whoever begins waits at most, until as many have come as the transaction before
        did: where a transaction for one costs nearly what it costs for many. Nobody waits where they come one by one.
    """

    def __init__(
        self, do: Callable[[Sequence[Asked]], Sequence[Answered]], *, most: int = 64, gathers: float = 0
    ) -> None:
        self._do = do
        self._most = most
        self._gathers = gathers
        self._expected = 1
        self._all_here = threading.Event()
        self._line: deque[_Turn[Asked]] = deque()
        self._lock = threading.Lock()
        self._at_it = False

    def ask(self, asked: Asked) -> Answered:
        """Return the answer once it is committed. Used first in a view, while nothing has been changed.

        What the view read before is let go: on SQLite it would keep the lock that the others wait for.
        """
        db.session.rollback()
        turn = _Turn(asked)
        with self._lock:
            self._line.append(turn)
            begins, self._at_it = not self._at_it, True
            if len(self._line) >= self._expected:
                self._all_here.set()
        if not begins:
            turn.called.acquire()
        if not turn.answer and not turn.alone:
            self._do_all()
        if turn.alone:
            try:
                turn.answer[:] = self._do([asked])
                db.session.commit()
            except BaseException:
                db.session.rollback()  # the page that says why keeps nothing of it
                raise
        return turn.answer[0]

    def _do_all(self) -> None:
        if self._gathers:
            self._all_here.wait(self._gathers)
        with self._lock:
            turns = [self._line.popleft() for _ in range(min(self._most, len(self._line)))]
            self._expected = len(turns)
            if len(self._line) < self._expected:
                self._all_here.clear()
        try:
            answers = self._do([turn.asked for turn in turns])
            db.session.commit()
            for turn, answer in zip(turns, answers, strict=True):
                turn.answer.append(answer)
        except BaseException as error:
            db.session.rollback()
            for turn in turns:
                turn.alone = True
            if not isinstance(error, Exception):
                raise
        finally:
            with self._lock:
                self._at_it = bool(self._line)
                next_turn = self._line[0] if self._line else None
            if next_turn is not None:
                next_turn.called.release()
            for turn in turns:
                turn.called.release()


def _begin() -> None:
    g.writing = writing.set(request.method not in READING)


def _end(response: Response) -> Response:
    if not (db.session.registry.has() and db.session().in_transaction()):  # nothing was asked of the database since
        return response
    if response.status_code < 400:
        db.session.commit()
    else:
        db.session.rollback()
    return response


def _forget(_error: BaseException | None) -> None:
    token = g.pop("writing", None)
    if token is not None:
        writing.reset(token)
