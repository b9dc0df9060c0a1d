"""One request, one transaction: an answer below 400 commits, anything else rolls back."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, g, request

from outreach.kernel.database import db, writing

READING = frozenset({"GET", "HEAD", "OPTIONS"})


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


def _begin() -> None:
    g.writing = writing.set(request.method not in READING)


def _end(response: Response) -> Response:
    if response.status_code < 400:
        db.session.commit()
    else:
        db.session.rollback()
    return response


def _forget(_error: BaseException | None) -> None:
    token = g.pop("writing", None)
    if token is not None:
        writing.reset(token)
