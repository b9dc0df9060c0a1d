from datetime import timedelta

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from outreach.kernel import clock, outbox, sealing
from outreach.kernel.database import db
from tests import factories

TOKEN = "a-token-of-16-and-more"
ELSEWHERE = {"REMOTE_ADDR": "10.1.2.3"}


def value(page: str, name: str, **labels: str) -> float | None:
    """Return a figure as Prometheus would read it."""
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def test_health_asks_the_database_nothing(client, statements):
    with statements() as counted:
        answer = client.get("/healthz", environ_base=ELSEWHERE)

    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert counted == []


def test_what_is_ready_says_so_by_one_word_each(client):
    factories.a_contact_point()

    answer = client.get("/readyz", environ_base=ELSEWHERE)

    assert answer.status_code == 200
    assert answer.json == {"ready": True, "database": "ok", "migrations": "ok", "keys": "ok", "queue": "ok"}


def test_a_fresh_installation_is_ready_too(fresh_client):
    assert fresh_client.get("/readyz").json["ready"] is True


def test_a_database_of_another_version_is_not_ready(client, session):
    head = session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))

    answer = client.get("/readyz")

    session.execute(sa.text("UPDATE alembic_version SET version_num = :head"), {"head": head})
    session.commit()
    assert (answer.status_code, answer.json["database"], answer.json["migrations"]) == (503, "ok", "failing")


def test_other_keys_are_not_ready(client):
    factories.a_contact_point()
    ours = sealing.ring()
    sealing.use(sealing.Keyring.fresh())
    try:
        answer = client.get("/readyz")
    finally:
        sealing.use(ours)

    assert (answer.status_code, answer.json["migrations"], answer.json["keys"]) == (503, "ok", "failing")


@pytest.mark.parametrize(("minutes", "moves"), [(14, True), (16, False)])
def test_a_queue_that_does_not_move_is_not_ready(client, minutes, moves):
    outbox.enqueue(job="notices.deliver", now=clock.now() - timedelta(minutes=minutes))

    assert (client.get("/readyz").json["queue"] == "ok") is moves


def test_a_database_that_is_away_is_not_ready(client, monkeypatch):
    def away(*_args, **_kwargs):
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(type(db.session()), "execute", away)
    monkeypatch.setattr(type(db.session()), "scalar", away)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json["database"], answer.json["queue"]) == (503, "failing", "failing")


def test_metrics_tell_what_happened(client):
    office = factories.an_organisation()
    author = factories.an_account(organisation=office)
    event = factories.an_event(organisation=office, author=author)
    point = factories.a_contact_point()
    person = factories.a_person(organisation=office, at=point)
    factories.a_registration(event=event, person=person, contact_point=point)
    outbox.enqueue(job="notices.deliver", now=clock.now() - timedelta(minutes=3))
    before = value(client.get("/metrics").text, "outreach_answers_total", route="/t/<token>", status="404") or 0
    client.get("/t/no-such-ticket-13800001234")
    client.get("/t/another-one")

    page = client.get("/metrics").text

    assert value(page, "outreach_answers_total", method="GET", route="/t/<token>", status="404") == before + 2
    assert value(page, "outreach_answer_seconds_count", method="GET", route="/t/<token>") >= 2
    assert value(page, "outreach_queue_length") == 1
    assert 170 < value(page, "outreach_queue_oldest_seconds") < 600
    assert value(page, "outreach_work", job="notices.deliver", state="waiting") == 1
    assert value(page, "outreach_registrations", state="confirmed") == 1
    assert "13800001234" not in page


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ({}, True),
        ({"environ_base": ELSEWHERE}, False),
        ({"headers": {"X-Forwarded-For": "10.1.2.3"}}, False),
        ({"headers": {"Host": "talent.example.cn"}}, False),
        ({"environ_base": ELSEWHERE, "headers": {"Authorization": f"Bearer {TOKEN}"}}, True),
        ({"environ_base": ELSEWHERE, "headers": {"Authorization": "Bearer 雁".encode().decode("latin-1")}}, False),
        ({"environ_base": ELSEWHERE, "headers": {"Authorization": "Bearer "}}, False),
    ],
)
def test_metrics_are_for_this_machine_or_whoever_says_the_token(app, client, how, shown):
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = before.model_copy(update={"metrics_token": SecretStr(TOKEN)})

    answer = client.get("/metrics", **how)

    app.config["SETTINGS"] = before
    assert answer.status_code == (200 if shown else 404)


def test_without_a_token_nobody_elsewhere_says_it(client):
    answer = client.get("/metrics", environ_base=ELSEWHERE, headers={"Authorization": "Bearer None"})

    assert answer.status_code == 404
