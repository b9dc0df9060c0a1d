from datetime import timedelta

import pytest

from outreach.kernel import lately
from outreach.kernel.lately import Lately
from tests.conftest import NOW


class Asked:
    """Answers with what stands there, and notes about what it was asked."""

    def __init__(self) -> None:
        self.standing = {"林": 1, "沈": 5}
        self.about: list[str] = []

    def __call__(self, key):
        self.about.append(key)
        return self.standing.get(key)


@pytest.fixture
def asked():
    return Asked()


@pytest.mark.parametrize(
    ("later", "answer"),
    [(0, 1), (999, 1), (1000, 2), (-1, 2)],
    ids=["at once", "within the second", "after it", "a clock set back"],
)
def test_an_answer_is_at_most_a_second_old(asked, later, answer):
    seen = Lately(asked)
    seen.about("林", now=NOW)
    asked.standing["林"] = 2

    assert seen.about("林", now=NOW + timedelta(milliseconds=later)) == answer
    assert seen.about("沈", now=NOW) == 5


def test_that_there_is_nothing_is_not_remembered(asked):
    seen = Lately(asked)

    assert seen.about("周", now=NOW) is None
    asked.standing["周"] = 3
    assert seen.about("周", now=NOW) == 3
    del asked.standing["周"]
    assert seen.about("周", now=NOW + timedelta(seconds=1)) is None
    assert seen.about("周", now=NOW + timedelta(seconds=1)) is None


def test_who_comes_while_it_is_asked_does_not_ask_too():
    seen: Lately[str, int] = Lately(lambda key: given.append(key) or among_them())
    given: list[str] = []

    def among_them():
        return 1 if len(given) == 1 else seen.about("林", now=NOW + timedelta(seconds=2)) + 1

    assert seen.about("林", now=NOW) == 1
    assert seen.about("林", now=NOW + timedelta(seconds=2)) == 2
    assert len(given) == 2


def test_all_is_forgotten_where_the_database_is_another(asked):
    seen = Lately(asked)
    seen.about("林", now=NOW)

    lately.forget_all()

    asked.standing["林"] = 2
    assert seen.about("林", now=NOW) == 2


def test_no_more_is_remembered_than_may_be(asked, monkeypatch):
    monkeypatch.setattr(lately, "MOST", 2)
    asked.standing = dict.fromkeys("abcd", 1)
    seen = Lately(asked)

    for key in "abcd":
        seen.about(key, now=NOW)

    assert len(seen._seen) <= 2
