"""What people see when something is not possible: what happened, what is safe, one way on."""

import logging

import sqlalchemy as sa
from flask import Flask, Response, flash, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests

from outreach.kernel.clock import now
from outreach.kernel.database import db, has_no_room
from outreach.kernel.refusals import Refused
from outreach.web.forms import sentence_of

log = logging.getLogger("outreach.errors")
OWN_PAGES = frozenset({400, 403, 404, 413, 422, 429, 500, 503})
RETRY_SECONDS = 10
RESTS_SECONDS = 300


def mount(app: Flask) -> None:
    """Answer refusals and errors with pages of ours."""
    app.register_error_handler(Refused, refused)
    app.register_error_handler(CSRFError, stale_form)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(TooManyRequests, too_often)
    app.register_error_handler(sa.exc.OperationalError, database_away)
    app.register_error_handler(InternalServerError, failed)
    app.after_request(_say_when_again)


def refused(refusal: Refused) -> ResponseReturnValue:
    """Say the sentence on the page the person came from; changes are rolled back."""
    db.session.rollback()
    g.refused = refusal
    sentence = sentence_of(refusal)
    came_from = request.referrer or ""
    if request.method == "POST" and came_from.startswith(request.host_url) and not _partial():
        flash(sentence, "refused")
        return redirect(came_from, 303)
    return _page("refused", refusal.status, message=sentence)


def stale_form(_error: CSRFError) -> ResponseReturnValue:
    """Answer a form whose time ran out or that another site sent."""
    return _page(
        "refused",
        400,
        message=gettext("This page was open for too long. Go back, reload it and send it again; nothing was changed."),
    )


def http_error(error: HTTPException) -> ResponseReturnValue:
    """Answer with the page of the status, or a plain one for the rarer statuses."""
    code = error.code or 500
    if code < 400:
        return error.get_response()
    return _page(str(code) if code in OWN_PAGES else "400", code)


def too_often(error: TooManyRequests) -> ResponseReturnValue:
    """Say how long to wait; a program reads it from Retry-After."""
    seconds = error.retry_after if isinstance(error.retry_after, int) else RESTS_SECONDS
    answer = _page(
        "429",
        429,
        message=ngettext(
            "That was very often in a short time. Nothing is lost; try again in a minute.",
            "That was very often in a short time. Nothing is lost; try again in %(num)s minutes.",
            -(-seconds // 60),
        ),
    )
    answer.retry_after = seconds
    return answer


def database_away(error: sa.exc.OperationalError) -> ResponseReturnValue:
    """Answer while the database is away or busy: nothing was changed, and a moment later it may work again.

    Or once somebody has made room for it, where its disk is full.
    """
    db.session.rollback()
    if has_no_room(error):
        log.error("the database's disk is full", exc_info=error)
        answer = _page(
            "503",
            503,
            message=gettext(
                "The disk of our server is full. What was saved before is safe; this last step was not done. Please "
                "tell the administrator; once there is room, try it again."
            ),
        )
        answer.retry_after = RESTS_SECONDS
        return answer
    log.warning("the database does not answer", exc_info=error)
    answer = _page("503", 503)
    answer.retry_after = RETRY_SECONDS
    return answer


def failed(error: InternalServerError) -> ResponseReturnValue:
    """Answer a failure of ours with its number; the log has the rest, without personal data."""
    db.session.rollback()
    original = getattr(error, "original_exception", None) or error
    if isinstance(original, sa.exc.OperationalError):  # at the commit, after the page was made
        return database_away(original)
    log.error("failed", exc_info=original)
    return _page("500", 500)


def _say_when_again(answer: Response) -> Response:
    """Tell programs, too, after how many seconds it may be tried again."""
    refusal: Refused | None = g.get("refused")
    if answer.status_code == TooManyRequests.code and refusal is not None and answer.retry_after is None:
        answer.retry_after = refusal.seconds_left(now())
    return answer


def _partial() -> bool:
    return request.headers.get("HX-Request") == "true"


def _page(name: str, status: int, message: str | None = None) -> Response:
    g.without_database = status >= 500  # it may be what broke
    return make_response(
        render_template(
            f"errors/{name}.html", message=message, status=status, on_desk=request.path.startswith("/desk/")
        ),
        status,
    )
