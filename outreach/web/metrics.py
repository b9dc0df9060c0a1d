"""What Prometheus is told of answers: how many of each route and status, and how long they took.

Routes are patterns, so there are as many series as routes, whatever people ask for. Where several processes serve,
prometheus_client keeps each one's figures in a file of a folder they share, which `serve` names before they begin
(PROMETHEUS_MULTIPROC_DIR), and whichever is asked adds them up.
"""

import os
from functools import cache
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

own = CollectorRegistry()
_answers = Counter("outreach_answers", "Answers by route and status.", ("method", "route", "status"), registry=own)
_seconds = Histogram(
    "outreach_answer_seconds", "How long answers took.", ("method", "route"), buckets=SECONDS, registry=own
)


def count(*, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answer."""
    answers, taken = _series(method if method in METHODS else "other", route, status)
    answers.inc()
    taken.observe(seconds)


@cache
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """Return what counts these answers, and what counts how long they took; looked up once."""
    return _answers.labels(method, route, str(status)), _seconds.labels(method, route)


def exposed(*further: Collector) -> bytes:
    """Return everything in Prometheus' text format, what further collectors know included."""
    shown = CollectorRegistry()
    if os.environ.get(FOLDER):
        MultiProcessCollector(shown)
    else:
        shown.register(_Registry())
    for collector in further:
        shown.register(collector)
    return generate_latest(shown)


class _Registry(Collector):
    """Passes on what this process counted."""

    def collect(self) -> Any:
        return own.collect()
