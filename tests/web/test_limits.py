import os
import time

import pytest
from limits import RateLimitItemPerMinute
from werkzeug.exceptions import TooManyRequests

from outreach.people import operations as people
from outreach.web import limits
from outreach.web.limits import Limits
from tests import factories
from tests.machine import free_port

TWICE = RateLimitItemPerMinute(2, namespace="test")
REDIS = os.environ.get("OUTREACH_TEST_REDIS", "redis://127.0.0.1:6379/15")


def spent(counting: Limits, times: int, key: str = "7") -> list[bool]:
    """Count some times and tell which were allowed."""
    return [counting.hit(TWICE, key) == 0 for _ in range(times)]


def test_one_number_has_its_own_count():
    counting = Limits(None)

    assert spent(counting, 3) == [True, True, False]
    assert spent(counting, 1, key="8") == [True]
    assert 0 < counting.hit(TWICE, "7") <= 60


def test_processes_with_redis_count_together():
    one, other = Limits(REDIS), Limits(REDIS)
    if not one.together.storage.check():
        pytest.skip("no Redis at 127.0.0.1:6379: start one, or name it by OUTREACH_TEST_REDIS")
    key = f"test-{time.time_ns()}"

    counted = [*spent(one, 1, key), *spent(other, 1, key), *spent(one, 1, key), *spent(other, 1, key)]

    assert counted == [True, True, False, False]


def test_a_redis_that_is_away_closes_nothing(caplog):
    counting = Limits(f"redis://127.0.0.1:{free_port()}/0")

    assert spent(counting, 3) == [True, True, False]
    assert {line.getMessage() for line in caplog.records} == {"redis does not answer; this process counts alone"}


@pytest.fixture
def tight(app, monkeypatch):
    """Everything that is limited may be done twice, counted from now."""
    for name in ("REGISTERING", "ASKING", "SEARCHING", "WRONG_CODES"):
        monkeypatch.setattr(limits, name, RateLimitItemPerMinute(2, namespace=name))
    monkeypatch.setitem(app.extensions, "limits", Limits(None))


def test_searching_too_often_is_said_with_the_time_to_wait(client, tight):
    office = factories.an_organisation()
    factories.signed_in(client, factories.an_account(organisation=office))

    answers = [client.get("/desk/search?q=张三") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "过 1 分钟再试" in answers[2].text
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    other = client.application.test_client()
    factories.signed_in(other, factories.an_account(organisation=office))
    assert other.get("/desk/search?q=张三").status_code == 200


def test_a_whole_hall_behind_one_address_registers(client, tight):
    office = factories.an_organisation()
    author = factories.an_account(organisation=office)
    event = factories.an_event(organisation=office, author=author, groups=(("大厅", 50),))
    people.seed_consent_texts(now=factories.BEFORE)
    answers = []
    for number in range(6):
        browser = client.application.test_client()
        factories.proven(browser, factories.a_contact_point(f"+86199777{number:05d}"))
        answers.append(
            browser.post(
                f"/e/{event.id}/register", data={"name": f"张{number}", "group": event.groups[0].id, "consent": "y"}
            )
        )

    assert [answer.status_code for answer in answers] == [303] * 6


def test_spending_says_when_it_may_be_tried_again(app, tight):
    for _ in range(2):
        limits.spend(limits.ASKING, 7)

    with pytest.raises(TooManyRequests) as refused:
        limits.spend(limits.ASKING, 7)

    assert 0 < refused.value.retry_after <= 60


def test_one_process_forgets_who_has_not_come_for_long(monkeypatch):
    counting = Limits(None)
    assert spent(counting, 2, "7") == [True, True]
    later = time.monotonic() + 61
    monkeypatch.setattr(limits.time, "monotonic", lambda: later)

    assert spent(counting, 1, "8") == [True]

    assert len(counting.alone._ends) == 1
    assert spent(counting, 2, "7") == [True, True]
