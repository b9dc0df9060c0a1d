"""`make bench`: one line a figure on standard output, `name value unit`, and nothing else.

`python -m bench checkin lists` measures only those parts. A part is a module of this package with a function
`figures(ground)` that yields figures; what it says besides goes to standard error.
"""

import signal
import sys
import time
from importlib import import_module

from bench.figure import say
from bench.ground import ground

ENDINGS = (signal.SIGTERM, signal.SIGINT)
STOPPED = 128 + signal.SIGTERM
"""What a shell calls the status of whoever was asked to end."""
PARTS = ("checkin", "register", "pages", "export", "imports", "lists")
"""What a run without names measures, within twelve minutes on two cores."""


def main(parts: tuple[str, ...]) -> None:
    """Measure the parts and print their figures as they come."""
    modules = [(part, import_module(f"bench.{part}")) for part in parts]
    begun = time.monotonic()
    with ground() as here:
        for part, module in modules:
            for figure in module.figures(here):
                print(figure, flush=True)  # noqa: T201 -- what it is for
            say(f"{part}: done after {time.monotonic() - begun:.0f} s")


def _stop(*_: object) -> None:
    """End the bench as Ctrl-C does, which all that is at work understands; once: what was started is put away."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for ending in ENDINGS:
        signal.signal(ending, _stop)
    try:
        main(tuple(sys.argv[1:]) or PARTS)
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(STOPPED)
