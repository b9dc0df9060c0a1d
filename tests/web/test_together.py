"""Several requests' writes in one transaction, in threads as a server has them."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread

import pytest
from flask import Flask

from outreach.web.unit_of_work import Together


class Counter:
    """Something to do: notes who was done with whom, and can be stopped in the middle of its first transaction."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun, self.may_end = Event(), Event()

    def do(self, asked: Sequence[str]) -> list[str]:
        self.batches.append(list(asked))
        if len(self.batches) == 1:
            self.begun.set()
            assert self.may_end.wait(timeout=30)
        if "bad" in asked:
            raise ValueError("bad")
        return [f"{each} is done" for each in asked]


@contextmanager
def while_the_first_is_at_it(app: Flask, counter: Counter, ask: Callable[[str], str]) -> Iterator[None]:
    def first() -> None:
        with app.app_context():
            ask("first")

    thread = Thread(target=first)
    thread.start()
    assert counter.begun.wait(timeout=30)
    yield
    counter.may_end.set()
    thread.join(timeout=30)


def ask_while_the_first_is_at_it(
    app: Flask, counter: Counter, names: Sequence[str], most: int = 64, then: Sequence[str] = (), gathers: float = 0
) -> list[object]:
    together = Together(counter.do, most=most, gathers=gathers)

    def ask(name: str) -> object:
        with app.app_context():
            try:
                return together.ask(name)
            except ValueError as error:
                return error

    with ThreadPoolExecutor(len(names)) as crowd:
        with while_the_first_is_at_it(app, counter, together.ask):
            asked = [crowd.submit(ask, name) for name in names]
            assert wait_until(lambda: len(together._line) == len(names))
        answers = [each.result(timeout=30) for each in asked]
        answers += [each.result(timeout=30) for each in [crowd.submit(ask, name) for name in then]]
    return answers


def wait_until(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while not holds() and time.monotonic() < until:
        time.sleep(0.005)
    return holds()


def test_a_request_on_its_own_is_done_at_once(app: Flask):
    counter = Counter()
    counter.may_end.set()

    assert Together(counter.do).ask("林") == "林 is done"
    assert counter.batches == [["林"]]


def test_who_comes_meanwhile_shares_the_next_transaction(app: Flask):
    counter = Counter()
    names = ["甲", "乙", "丙", "丁"]

    answers = ask_while_the_first_is_at_it(app, counter, names)

    assert answers == [f"{name} is done" for name in names]
    assert [len(batch) for batch in counter.batches] == [1, 4]


def test_no_transaction_takes_more_than_it_may(app: Flask):
    counter = Counter()

    answers = ask_while_the_first_is_at_it(app, counter, ["甲", "乙", "丙", "丁", "戊"], most=2)

    assert len(answers) == 5
    assert [len(batch) for batch in counter.batches] == [1, 2, 2, 1]


def test_in_a_rush_whoever_is_next_waits_for_as_many_as_came_before(app: Flask):
    counter = Counter()

    answers = ask_while_the_first_is_at_it(app, counter, ["甲", "乙", "丙"], then=["丁", "戊", "己"], gathers=30)

    assert answers[3:] == ["丁 is done", "戊 is done", "己 is done"]
    assert [len(batch) for batch in counter.batches] == [1, 3, 3]


def test_when_a_rush_is_over_nobody_is_waited_for_longer_than_said(app: Flask):
    counter = Counter()

    answers = ask_while_the_first_is_at_it(app, counter, ["甲", "乙", "丙"], then=["丁"], gathers=0.05)

    assert answers[3:] == ["丁 is done"]
    assert [len(batch) for batch in counter.batches] == [1, 3, 1]


def test_only_who_cannot_be_done_sees_the_failure(app: Flask):
    counter = Counter()

    answers = ask_while_the_first_is_at_it(app, counter, ["甲", "bad", "丙"])

    assert [answers[0], answers[2]] == ["甲 is done", "丙 is done"]
    assert isinstance(answers[1], ValueError)


def test_after_a_failure_the_next_one_is_done(app: Flask):
    counter = Counter()
    counter.may_end.set()
    together = Together(counter.do)

    with pytest.raises(ValueError, match="bad"):
        together.ask("bad")

    assert together.ask("林") == "林 is done"
