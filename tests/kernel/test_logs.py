import json
import logging

import pytest

from outreach.kernel import logs, outbox
from tests.conftest import NOW

SECRET = "张三 13800001234"


@pytest.fixture
def lines(capsys, app):
    """Every line written to standard error, read."""
    logs.configure(in_production=False)

    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_with_its_values(lines):
    with logs.about(request="abcdef01"):
        logging.getLogger("outreach.worker").warning("the database does not answer", extra={"tries": 2})

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "the database does not answer",
        "level": "warning",
        "logger": "outreach.worker",
        "request": "abcdef01",
        "tries": 2,
    }


def test_an_exception_is_told_by_its_classes_and_places_and_not_by_its_words(lines):
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError:
        logging.getLogger("outreach.errors").exception("failed")

    (line,) = lines()
    assert line["error"] == ["RuntimeError", "ValueError"]
    assert line["at"][-1].startswith("tests/kernel/test_logs.py:")
    assert SECRET not in json.dumps(line, ensure_ascii=False)


def test_work_is_logged_with_the_request_it_came_from(lines, session, monkeypatch):
    monkeypatch.setattr(outbox, "job_of", lambda _name: _fails)
    with logs.about(request="from-the-proxy"):
        work_id = outbox.enqueue(job="notices.deliver", now=NOW, person_id=7).id
    session.commit()

    outbox.perform(outbox.claim(now=NOW), now=NOW)

    failed, worked = lines()
    assert (failed["event"], failed["error"], failed["level"]) == ("failed", ["ValueError"], "warning")
    assert (worked["event"], worked["outcome"]) == ("worked", "waiting")
    assert {line["request"] for line in (failed, worked)} == {"from-the-proxy"}
    assert {line["work"] for line in (failed, worked)} == {work_id}
    assert {line["job"] for line in (failed, worked)} == {"notices.deliver"}


def _fails(**_arguments):
    raise ValueError(SECRET)
