import json
import logging
import re

import pytest
import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.web import request_log
from tests import factories


@pytest.fixture
def answered(caplog):
    """The lines about answers since the test began."""
    caplog.set_level(logging.INFO, logger="outreach.requests")
    return lambda: [
        (line.method, line.route, line.status) for line in caplog.records if line.name == request_log.log.name
    ]


@pytest.fixture
def behind_a_proxy(app):
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = before.model_copy(update={"trusted_proxies": 1})
    yield
    app.config["SETTINGS"] = before


def test_an_address_is_logged_as_its_pattern(client, answered):
    client.get("/t/a-secret-of-a-ticket?from=13800001234")
    client.get("/no/such/13800001234")

    assert answered() == [("GET", "/t/<token>", 404), ("GET", "(none)", 404)]


def test_a_number_given_by_a_trusted_proxy_is_taken(client, behind_a_proxy):
    answer = client.get("/no-such-page", headers={"X-Request-ID": "0f3a-from-nginx"})

    assert answer.headers["X-Request-ID"] == "0f3a-from-nginx"
    assert "错误编号" in answer.text
    assert "0f3a-from-nginx" in answer.text


def test_a_number_given_by_a_stranger_is_not_taken(client):
    answer = client.get("/", headers={"X-Request-ID": "0f3a-from-nginx"})

    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    "given", ["short", "x" * 65, "<script>alert(1)</script>", "张三张三张三张三", 'a" b="12345678']
)
def test_a_misshapen_number_is_replaced(client, behind_a_proxy, given):
    answer = client.get("/", headers={"X-Request-ID": given.encode().decode("latin-1")})

    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])


@pytest.mark.parametrize("path", ["/", "/desk/"])
def test_a_failure_of_ours_is_logged_under_the_number_on_the_page(app, client, caplog, monkeypatch, path):
    secret = "张三 13800001234"

    def broken(*_args, **_kwargs):
        raise ValueError(secret)

    app.config["PROPAGATE_EXCEPTIONS"] = False
    endpoint = app.url_map.bind("localhost").match(path)[0]
    monkeypatch.setitem(app.view_functions, endpoint, broken)

    answer = client.get(path)

    app.config["PROPAGATE_EXCEPTIONS"] = None
    (line,) = [line for line in caplog.records if line.name == "outreach.errors"]
    assert (answer.status_code, line.getMessage()) == (500, "failed")
    assert answer.headers["X-Request-ID"] in answer.text
    assert secret not in answer.text


@pytest.mark.parametrize("path", ["/", "/desk/"])
def test_a_database_that_is_away_gives_a_page_that_needs_none(app, client, caplog, monkeypatch, path):
    factories.signed_in(client, factories.an_account(organisation=factories.an_organisation()))

    def away(*_args, **_kwargs):
        raise sa.exc.OperationalError("SELECT 13800001234", {}, Exception("server closed the connection"))

    monkeypatch.setattr(type(db.session()), "execute", away)
    monkeypatch.setattr(type(db.session()), "get", away)

    answer = client.get(path)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "请稍等一会儿" in answer.text
    assert [line.getMessage() for line in caplog.records if line.name == "outreach.errors"] == [
        "the database does not answer"
    ]


def test_lines_fit_into_json(client, caplog):
    caplog.set_level(logging.INFO, logger="outreach.requests")

    client.get("/")

    (line,) = [line for line in caplog.records if line.name == "outreach.requests"]
    assert json.loads(json.dumps({"ms": line.ms, "route": line.route}))["ms"] >= 0
