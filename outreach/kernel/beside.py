"""Pure work in a process beside this one: on another core, and in memory that is free again when it has ended.

Such a process knows no database and holds no keys, and none of our settings stand in its environment. It begins with
nothing loaded but what the work needs, and ends with the work, with whoever began it, or at the first error.
"""

import gc
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[2]

In = TypeVar("In")
Out = TypeVar("Out")


class BesideFailed(Exception):  # noqa: N818 -- what happened
    """The work raised something, told by its kind and place, not by its message: that may hold personal data."""


def done(
    work: Callable[[Any, Iterator[In]], Iterator[Out]], given: Any, things: Iterable[In], *, ahead: int | None = None
) -> Iterator[Out]:
    """Yield what `work(given, things)` yields, from a process beside this one; close it to end that process.

    :param work: a function of a module, found again by its name; what it takes and gives can be pickled
    :param ahead: of work that yields one for each thing: how many it is given before the first is waited for; None of
        work that takes all things first
    :raises BesideFailed: if it raises, or its process ends in the middle
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 -- ourselves
            [sys.executable, "-m", "outreach.kernel.beside", str(theirs.fileno())],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("OUTREACH_")},
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    try:
        with Connection(ours.detach()) as line:
            yield from _told(line, work, given, things, ahead)
    except (EOFError, OSError) as error:
        raise BesideFailed(f"ended in the middle: {process.poll()}") from error
    finally:
        process.kill()
        process.wait()


def _told(
    line: Connection,
    work: Callable[[Any, Iterator[In]], Iterator[Out]],
    given: Any,
    things: Iterable[In],
    ahead: int | None,
) -> Iterator[Out]:
    line.send((work, given))
    waiting = 0
    for thing in things:
        line.send((thing,))
        waiting += 1
        if ahead is not None and waiting > ahead:
            yield from _heard(line)
            waiting -= 1
    line.send(())
    while True:
        heard = list(_heard(line))
        if not heard:
            return
        yield heard[0]


def _heard(line: Connection) -> Iterator[Any]:
    """Yield the next thing that comes back; nothing at the end."""
    what, value = line.recv()
    if what == "raised":
        raise BesideFailed(value)
    if what == "gave":
        yield value


def _serve(line: Connection) -> None:
    """Do what one is asked to: the other side of `done`."""
    work, given = line.recv()
    gc.collect()
    gc.freeze()
    # Somebody is always listening: if both waited for the other to listen, neither would go on.
    things: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while thing := line.recv():
                things.put(thing)
            things.put(())
        except (EOFError, OSError):
            os._exit(1)  # whoever began us is gone

    threading.Thread(target=listen, daemon=True).start()
    try:
        for out in work(given, (thing for (thing,) in iter(things.get, ()))):
            line.send(("gave", out))
    except BrokenPipeError:
        return
    except Exception as error:
        place = "".join(traceback.format_tb(error.__traceback__))
        line.send(("raised", f"{type(error).__name__}\n{place}"))
    else:
        line.send(("ended", None))


if __name__ == "__main__":
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)  # they are for whoever began us: when that ends, so do we
    with Connection(int(sys.argv[1])) as told:
        _serve(told)
