"""What hardly changes and is asked by everybody: each process asks again after a second, and never in between.

Only for what may be a second old. Whoever changes something on the strength of it decides in the database.
"""

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

ASKED_EVERY = timedelta(seconds=1)
MOST = 1000
"""How many answers are remembered at once."""

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")
_all: list["Lately[Any, Any]"] = []


class Lately(Generic[Key, Answer]):
    """A question whose answers are remembered for a second, by what was asked about.

    :param ask: gives the answer, or None where there is none, which is not remembered
    """

    def __init__(self, ask: Callable[[Key], Answer | None]) -> None:
        self._ask = ask
        self._seen: dict[Key, tuple[datetime, Answer]] = {}
        _all.append(self)

    def about(self, key: Key, *, now: datetime) -> Answer | None:
        """Return the answer, at most a second old."""
        at, answer = self._seen.get(key, (now, None))
        if answer is None or not at <= now < at + ASKED_EVERY:
            if answer is not None:
                self._seen[key] = now, answer  # or all who come while it is asked would ask too
            answer = self._ask(key)
            if answer is None:
                self._seen.pop(key, None)
            else:
                if len(self._seen) >= MOST:
                    self._seen.clear()
                self._seen[key] = now, answer
        return answer


def forget_all() -> None:
    """Forget every answer: where the database is another from now on."""
    for each in _all:
        each._seen.clear()
