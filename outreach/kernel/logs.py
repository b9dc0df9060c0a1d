"""What the operator reads: one JSON object a line on standard error, or readable lines in a terminal.

No line holds personal data. Sentences are constants and values are ids, codes and figures; of an exception its class
and the places it passed are kept, never its message, which may quote what somebody typed.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from outreach.config import ROOT

MOST_PLACES = 12
REQUEST = "request"


class _StandardError(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to what standard error is at that moment; a handler that was made early would keep an old one."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


def configure(*, in_production: bool) -> None:
    """Let every logger of this process write here, those of libraries too; the second time changes nothing."""
    root = logging.getLogger()
    handler = next((each for each in root.handlers if isinstance(each, _StandardError)), None)
    if handler is None:
        handler = _StandardError()
        root.addHandler(handler)
    handler.setFormatter(formatter(in_production=in_production))
    root.setLevel(logging.INFO)
    for talkative in ("alembic", "granian", "_granian", "waitress"):
        logging.getLogger(talkative).setLevel(logging.WARNING)


def formatter(*, in_production: bool) -> logging.Formatter:
    """Return what makes a line of a record; named in the settings of programs that set up their own logging."""
    for_people = sys.stderr.isatty()
    every: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    at_the_end: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if for_people and not in_production:
        at_the_end += [structlog.dev.ConsoleRenderer()]
    elif for_people:
        at_the_end += [_without_words, structlog.dev.ConsoleRenderer()]
    else:
        at_the_end += [_without_words, structlog.processors.JSONRenderer(ensure_ascii=False)]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=every, processors=at_the_end)


@contextmanager
def about(**values: object) -> Iterator[None]:
    """Let every line written inside carry these values."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def request_id() -> str | None:
    """Return the id of the request that is being answered here, or that the work being done came from."""
    return structlog.contextvars.get_contextvars().get(REQUEST)


def _without_words(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Keep the classes of an exception and where it passed, innermost last; leave what it says."""
    event.pop("message", None)  # the event once more, put there by other handlers
    caught = event.pop("exc_info", None)
    error = sys.exc_info()[1] if caught is True else caught[1] if isinstance(caught, tuple) else caught
    if isinstance(error, BaseException):
        event["error"] = [_class_of(each) for each in _chain(error)]
        event["at"] = [
            f"{frame.filename.removeprefix(f'{ROOT}/').rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-MOST_PLACES:]
        ]
    return event


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < MOST_PLACES:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        seen += 1


def _class_of(error: BaseException) -> str:
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
