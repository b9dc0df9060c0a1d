"""Pure work in a process beside this one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from outreach.kernel import beside

WORK = """
import os, sys, time

def doubled(given, things):
    for thing in things:
        if thing == "secret":
            raise ValueError(thing)
        yield (given, thing * 2)

def at_once(given, things):
    yield sum(things)
    yield os.getpid()

def surroundings(given, things):
    yield sorted(name for name in os.environ if name.startswith("OUTREACH_"))
    yield sorted(name for name in ("sqlalchemy", "flask", "cryptography") if name in sys.modules)

def dying(given, things):
    yield 1
    os._exit(3)

def endless(given, things):
    yield os.getpid()
    while True:
        time.sleep(0.01)
        yield None
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "work_beside.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield __import__("work_beside")
    sys.modules.pop("work_beside", None)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int) -> bool:
    until = time.monotonic() + 20
    while is_there(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_there(pid)


@pytest.mark.parametrize("ahead", [0, 2, None])
def test_what_comes_back_comes_in_order(work, ahead):
    found = list(beside.done(work.doubled, "a", iter(range(20)), ahead=ahead))

    assert found == [("a", number * 2) for number in range(20)]


def test_no_more_is_taken_than_it_is_ahead(work):
    taken: list[int] = []

    def things() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    for place, _ in enumerate(beside.done(work.doubled, None, things(), ahead=2)):
        assert len(taken) <= place + 3

    assert taken == list(range(10))


def test_large_things_both_ways_do_not_wait_for_each_other(work):
    large = ["x" * 3_000_000] * 6

    assert [len(text) for _, text in beside.done(work.doubled, None, iter(large), ahead=3)] == [6_000_000] * 6


def test_it_is_another_process_that_knows_no_settings_and_no_database(work, monkeypatch):
    monkeypatch.setenv("OUTREACH_DATABASE_URL", "postgresql://somebody:password@nowhere/x")

    total, pid = beside.done(work.at_once, None, iter([1, 2, 3]))

    assert (total, pid == os.getpid(), is_there(pid)) == (6, False, False)
    assert list(beside.done(work.surroundings, None, iter(()))) == [[], []]


def test_an_error_is_told_by_its_kind_and_place_and_not_by_its_words(work):
    with pytest.raises(beside.BesideFailed) as raised:
        list(beside.done(work.doubled, None, iter(["a", "secret", "b"]), ahead=1))

    assert "ValueError" in str(raised.value)
    assert "in doubled" in str(raised.value)
    assert "secret" not in str(raised.value).replace('thing == "secret"', "")


def test_one_that_dies_in_the_middle_is_an_error_and_not_an_end(work):
    with pytest.raises(beside.BesideFailed):
        list(beside.done(work.dying, None, iter(())))


def test_it_ends_when_nobody_wants_more(work):
    endless = beside.done(work.endless, None, iter(()))
    pid = next(endless)
    assert is_there(pid)

    endless.close()

    assert not is_there(pid)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_whoever_began_it(work, ending):
    begin = (
        "import time, work_beside\nfrom outreach.kernel import beside\n"
        "told = beside.done(work_beside.endless, None, iter(()))\nprint(next(told), flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", begin], stdout=subprocess.PIPE, text=True, cwd=beside.ROOT) as one:
        pid = int(one.stdout.readline())
        assert is_there(pid)
        os.kill(pid, signal.SIGTERM)  # as systemd tells all of a service: it is for whoever began it
        os.kill(pid, signal.SIGINT)
        time.sleep(0.2)
        assert is_there(pid)
        one.send_signal(ending)

    assert gone(pid)
