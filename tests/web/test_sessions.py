"""When a browser gets its session anew."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from outreach.kernel.clock import now
from outreach.web.access import CONTACT
from outreach.web.sessions import SIGNED_ANEW
from tests.factories import a_contact_point, proven

pytestmark = pytest.mark.usefixtures("city")


def signed(app: Flask, values: dict, *, ago: timedelta, monkeypatch: pytest.MonkeyPatch) -> str:
    serializer: URLSafeTimedSerializer = app.session_interface.get_signing_serializer(app)
    then = int((now() - ago).timestamp())
    with monkeypatch.context() as earlier:
        earlier.setattr("itsdangerous.timed.TimestampSigner.get_timestamp", lambda _: then)
        return serializer.dumps(values)


@pytest.mark.parametrize(
    ("ago", "permanent", "anew"),
    [
        (timedelta(hours=1), True, False),
        (SIGNED_ANEW + timedelta(minutes=1), True, True),
        (SIGNED_ANEW + timedelta(minutes=1), False, False),
    ],
    ids=["an hour ago", "a day ago", "a day ago, until the browser is closed"],
)
def test_a_session_that_is_used_is_signed_anew_once_a_day(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, ago: timedelta, permanent: bool, anew: bool
):
    point = a_contact_point()
    proven(client, point)
    with client.session_transaction() as session:
        values = dict(session) | {"_permanent": permanent, "_fresh": False, "csrf_token": "0" * 40}
    cookie = signed(app, values, ago=ago, monkeypatch=monkeypatch)
    client.set_cookie("outreach", cookie)

    answer = client.get("/my/tickets")

    assert answer.status_code == 200
    assert ("Set-Cookie" in answer.headers) is anew
    with client.session_transaction() as session:
        assert session[CONTACT] == point.id


def test_a_session_signed_by_somebody_else_counts_for_nothing(client: FlaskClient):
    proven(client, a_contact_point())
    client.set_cookie("outreach", client.get_cookie("outreach").value[:-4] + "AAAA")

    assert client.get("/my/tickets").status_code == 302
