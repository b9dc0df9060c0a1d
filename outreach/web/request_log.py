"""One line for every answer: which route, how it ended, how long it took. And the number that finds it again.

The number comes from the proxy in front, where one is trusted and sends one; else it is made here. It stands in every
line of the log that the request causes, in the lines of work it leaves for later, on error pages and in the answer.
"""

import logging
import re
import secrets
import time

import structlog
from flask import Flask, Response, current_app, g, request

from outreach.kernel.logs import REQUEST
from outreach.web import metrics

log = logging.getLogger("outreach.requests")
WELL_FORMED = re.compile(r"[0-9A-Za-z-]{8,64}")
UNTOLD = frozenset({"static", "operating.health", "operating.ready", "operating.figures"})
"""Pictures and scripts, and what a monitor asks every few seconds."""
UNKNOWN = "(none)"
"""Stands for the route where nothing of ours has the address."""


def mount(app: Flask) -> None:
    """Give every request its number and every answer its line; comes before all else that looks at requests."""
    app.before_request(_begin)
    app.after_request(_name)
    app.teardown_request(_end)


def route() -> str:
    """Return the pattern of the address, such as /desk/events/<int:event_id>: ids and secrets stay out of it."""
    return request.url_rule.rule if request.url_rule is not None else UNKNOWN


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "") if current_app.config["SETTINGS"].trusted_proxies else ""
    number = g.request_id = given if WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
    g.request_began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**{REQUEST: number})


def _name(response: Response) -> Response:
    g.answer_status = response.status_code
    response.headers["X-Request-ID"] = g.get("request_id", "")
    return response


def _end(_error: BaseException | None) -> None:
    began = g.get("request_began")
    if began is not None and request.endpoint not in UNTOLD:
        seconds = time.perf_counter() - began
        what = {"method": request.method, "route": route(), "status": g.get("answer_status", 500)}
        metrics.count(**what, seconds=seconds)
        log.info("answered", extra=what | {"ms": round(seconds * 1000, 1)})
    structlog.contextvars.clear_contextvars()
