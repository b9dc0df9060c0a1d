"""How often one may do the same: soft where many share an address, hard for one number, one account, one phone.

What is counted is never the address of a machine: a whole city hall shares one, and so do all phones of a mobile
network's gateway. Counts are kept in Redis where one is set, so that every process knows of the others; else each
process counts for itself. A Redis that is away must not close the house: until it is back each process counts alone.
(Signing in has limits of its own, kept in the database: signing_in/rules.py.)
"""

import logging
import math
import threading
import time
from collections import deque

from flask import Flask, current_app
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import TooManyRequests

log = logging.getLogger("outreach.limits")

REGISTERING = RateLimitItemPerHour(60, namespace="registering")
"""Registrations from one proven number: a secretary registers a whole office with hers."""
ASKING = RateLimitItemPerHour(30, namespace="asking")
"""Requests from one proven number."""
FINDING = RateLimitItemPerHour(10, namespace="finding")
"""Codes tried for one request's number, be there such a request or not: ten guesses are nothing against 32 bits."""
SEARCHING = RateLimitItemPerMinute(120, namespace="searching")
"""Searches of one account: more than anybody types, less than a program that copies the ledger."""
WRONG_CODES = RateLimitItemPerMinute(60, namespace="wrong-codes")
"""Codes read or typed by one door's phone that belong to nobody: a volunteer meets a few in an evening."""


SWEPT_EVERY = 60.0
"""Seconds after which what this process counted and no limit asks for any more is forgotten."""


class InThisProcess:
    """Counts of one process. (The library's own look through all keys a hundred times a second, and keep them.)"""

    def __init__(self) -> None:
        self._ends: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self._sweep_at = time.monotonic() + SWEPT_EVERY

    def hit(self, limit: RateLimitItem, key: str) -> float:
        """Count one more and return 0, or the seconds until one more is allowed."""
        now = time.monotonic()
        with self._lock:
            if now >= self._sweep_at:
                self._ends = {name: ends for name, ends in self._ends.items() if ends[-1] > now}
                self._sweep_at = now + SWEPT_EVERY
            ends = self._ends.setdefault(limit.key_for(key), deque())
            while ends and ends[0] <= now:
                ends.popleft()
            if len(ends) >= limit.amount:
                return max(1.0, ends[0] - now)
            ends.append(now + limit.get_expiry())
        return 0


class Limits:
    """Counts in a shared place, and in this process while that is away."""

    def __init__(self, redis_url: str | None) -> None:
        self.alone = InThisProcess()
        self.together: MovingWindowRateLimiter | None = None
        if redis_url:
            storage = storage_from_string(
                redis_url, wrap_exceptions=True, socket_connect_timeout=0.5, socket_timeout=0.5, key_prefix="outreach"
            )
            self.together = MovingWindowRateLimiter(storage)

    def hit(self, limit: RateLimitItem, key: str) -> float:
        """Count one more and return 0, or the seconds until one more is allowed."""
        if self.together is not None:
            try:
                return _hit(self.together, limit, key)
            except StorageError:
                log.warning("redis does not answer; this process counts alone")
        return self.alone.hit(limit, key)


def mount(app: Flask) -> None:
    """Give the application a place to count in."""
    redis_url = app.config["SETTINGS"].redis_url
    app.extensions["limits"] = Limits(redis_url.get_secret_value() if redis_url else None)


def spend(limit: RateLimitItem, key: object) -> None:
    """Count one more for a key: the id of a contact point, an account or a door's phone, the number of a request.

    :raises TooManyRequests: once it is too often; its page says when it may be tried again
    """
    seconds = current_app.extensions["limits"].hit(limit, str(key))
    if seconds:
        raise TooManyRequests(retry_after=math.ceil(seconds))


def _hit(strategy: MovingWindowRateLimiter, limit: RateLimitItem, key: str) -> float:
    if strategy.hit(limit, key):
        return 0
    return max(1.0, strategy.get_window_stats(limit, key).reset_time - time.time())
