"""One installation served by several processes."""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.machine import POSTGRESQL, need
from tests.served import Served

PATIENCE = 90
GREETINGS = ("雁来: ", "First set-up ")
"""What `serve` tells whoever begins it."""


def eventually(what: Callable[[], Any]) -> Any:
    """Return what is true at last."""
    until = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)
    return found


def begun(served: Served, which: str) -> list[int]:
    """Return the processes of a kind that were begun, in order."""
    lines = [json.loads(line) for line in served.log.read_text().splitlines() if line.startswith("{")]
    return [line["pid"] for line in lines if line["event"] == "begun" and line["which"] == which]


def children(pid: int) -> set[int]:
    """Return the processes that a process began."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def lives(pid: int) -> bool:
    """Tell whether a process is there, and not only its remains."""
    with suppress(FileNotFoundError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


def seen(served: Served) -> float:
    """Open a page once more and return how many times that happened, as Prometheus is told."""
    assert answers(served)
    with urlopen(f"{served.url}/metrics", timeout=30) as answer:
        page = answer.read().decode()
    return float(re.search(r'outreach_answers_total{[^}]*route="/desk/setup",status="200"} (\S+)', page).group(1))


def answers(served: Served) -> bool:
    """Tell whether a page comes back."""
    with suppress(OSError), urlopen(f"{served.url}/desk/setup", timeout=5) as answer:
        return answer.status == 200
    return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the processes in /proc")
def test_a_process_that_dies_is_begun_again_and_all_end_when_told(serve):
    need(POSTGRESQL)
    served = serve("--workers", "2", "--threads", "2", database=POSTGRESQL)
    (web,), (worker,) = begun(served, "web"), begun(served, "worker")
    assert os.getpriority(os.PRIO_PROCESS, worker) == os.getpriority(os.PRIO_PROCESS, web) + 10  # pages go first
    eventually(lambda: answers(served))
    first = eventually(lambda: len(children(web)) == 2 and children(web))

    os.kill(min(first), signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)

    pages = eventually(lambda: children(web) != first and len(children(web)) == 2 and children(web))
    second = eventually(lambda: begun(served, "worker")[1:])
    eventually(lambda: answers(served))
    assert begun(served, "web") == [web]
    lines = [json.loads(line) for line in served.log.read_text().splitlines() if not line.startswith(GREETINGS)]
    assert "_granian" in {line["logger"] for line in lines}  # it told of the process that died as everybody tells
    counted = [seen(served) for _ in range(12)]
    assert counted == sorted(counted)  # whichever process answers, it knows of all the others' answers
    assert counted[-1] - counted[0] == 11

    os.kill(int(Path(f"/proc/{web}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGTERM)

    eventually(lambda: not any(lives(pid) for pid in (web, *second, *pages)))
