"""What a part of the bench yields, and how it is measured."""

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 3
"""Every figure is the median of so many runs."""


@dataclass(frozen=True)
class Figure:
    """One line: a name, its value and the unit of the value ("per_second", "ms", "s", "MB", "ratio")."""

    name: str
    value: float
    unit: str

    def __str__(self) -> str:
        digits = 3 if self.unit == "ratio" else 1
        return f"{self.name} {round(self.value, digits)} {self.unit}"


class WrongCount(Exception):  # noqa: N818 -- what happened
    """The rows counted after a run are not those there must be: its figure is worth nothing."""


def median_of(run: Callable[[int], float], *, runs: int = RUNS) -> float:
    """Return the median of what `run(0)`, `run(1)`, … return."""
    return statistics.median(run(number) for number in range(runs))


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share (0.95) of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def must_be(what: str, found: object, expected: object) -> None:
    """Pass if rows were counted as they must be.

    :raises WrongCount: if not
    """
    if found != expected:
        raise WrongCount(f"{what}: {found!r}, not {expected!r}")


def say(text: str) -> None:
    """Tell whoever watches what is going on: on standard error, so that figures stand alone on standard output."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 -- what it is for
