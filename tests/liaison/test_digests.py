"""The mail of the morning, and the link in it."""

from datetime import date, timedelta

import sqlalchemy as sa

from outreach.kernel.clock import now as right_now
from outreach.kernel.outbox import Work
from outreach.liaison.jobs import digest
from outreach.liaison.queries.digests import morning_of
from outreach.liaison.rules.digests import Morning
from outreach.notices.models import Message
from outreach.signing_in import operations as signing_in
from outreach.signing_in.models import WayIn
from outreach.signing_in.rules import WAY_IN_LASTS
from tests import factories
from tests.conftest import NOW
from tests.factories import PASSWORD

SATURDAY = NOW + timedelta(days=4)


def told(session):
    return session.scalars(sa.select(Message).where(Message.kind == "digest").order_by(Message.id)).all()


def test_a_quiet_morning_needs_no_mail():
    assert Morning(0, 0, 0, 0, 0).is_quiet
    assert not Morning(0, 0, 0, 0, 1).is_quiet


def test_what_waits_is_mailed_on_working_days_once_a_day_in_figures_only(city, session):
    city.leader.email = "zhou@example.cn"
    factories.a_pairing(
        leader=city.leader,
        person=factories.a_person("温如许", organisation=city.office),
        starts_on=date(2026, 1, 5),
    )
    factories.a_planned_visit(pairing=city.pairing, day=date(2026, 11, 24))
    assert morning_of(city.leader, now=NOW) == Morning(overdue=1, soon=1, today=1, late=0, to_confirm=0)

    digest(now=SATURDAY, work=Work())
    assert told(session) == []
    digest(now=NOW, work=Work())
    digest(now=NOW + timedelta(minutes=5), work=Work())

    [message] = told(session)  # the officer has no address
    assert (message.account_id, message.values["overdue"], message.values["today"]) == (city.leader.id, 1, 1)
    assert "温如许" not in str(message.values)
    digest(now=NOW + timedelta(days=1), work=Work())
    assert len(told(session)) == 2


def test_nobody_is_mailed_for_whom_nothing_waits(city, session):
    city.leader.email = "zhou@example.cn"
    factories.a_visit(leaders=[city.leader], talents=[city.talent], at=NOW - timedelta(days=1), account=city.leader)
    session.execute(sa.text("UPDATE visit_leaders SET confirmed_at = '2026-11-23 00:00:00'"))

    digest(now=NOW, work=Work())

    assert told(session) == []


def test_the_link_opens_once_and_only_where_somebody_signed_in_before(client, city, session):
    token = signing_in.make_way_in(account=city.leader, now=right_now())
    assert client.get(f"/desk/enter/{token}").status_code == 200  # a scanner of mails presses nothing
    stranger = client.post(f"/desk/enter/{token}")
    assert stranger.headers["Location"].endswith("/desk/sign-in")

    client.post("/desk/sign-in", data={"name": city.leader.username, "password": PASSWORD})
    with client.session_transaction() as kept:
        kept.clear()  # the session ended by itself: the device is known all the same
    assert client.get("/desk/liaison").status_code == 302
    assert client.post(f"/desk/enter/{token}").headers["Location"].endswith("/desk/")
    assert client.get("/desk/liaison").status_code == 200

    with client.session_transaction() as kept:
        kept.clear()
    assert client.post(f"/desk/enter/{token}").headers["Location"].endswith("/desk/sign-in")


def test_a_device_known_for_one_opens_nothing_for_another_nor_after_signing_out(client, city):
    client.post("/desk/sign-in", data={"name": city.leader.username, "password": PASSWORD})
    with client.session_transaction() as kept:
        kept.clear()
    others = signing_in.make_way_in(account=city.officer, now=right_now())
    assert client.post(f"/desk/enter/{others}").headers["Location"].endswith("/desk/sign-in")

    client.post("/desk/sign-in", data={"name": city.leader.username, "password": PASSWORD})
    client.post("/desk/sign-out")
    mine = signing_in.make_way_in(account=city.leader, now=right_now())
    assert client.post(f"/desk/enter/{mine}").headers["Location"].endswith("/desk/sign-in")


def test_a_link_is_worth_nothing_once_its_time_is_over(client, city, session):
    client.post("/desk/sign-in", data={"name": city.leader.username, "password": PASSWORD})
    with client.session_transaction() as kept:
        kept.clear()
    token = signing_in.make_way_in(account=city.leader, now=right_now() - WAY_IN_LASTS)

    assert client.post(f"/desk/enter/{token}").headers["Location"].endswith("/desk/sign-in")
    assert session.scalars(sa.select(WayIn)).one().used_at is None
