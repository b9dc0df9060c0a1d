"""Many phones in the same second, against two web processes on PostgreSQL: places and guests are counted once."""

from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask, g
from flask_wtf.csrf import generate_csrf

from bench.load import load, request
from outreach.door import operations as door
from outreach.door import queries as door_queries
from outreach.door.models import Arrival
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.rules import Role
from outreach.people.operations import seed_consent_texts
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState
from tests import factories
from tests.machine import POSTGRESQL
from tests.served import Served, inside

PHONES = 8
TOGETHER, PLACES = 64, 10


@pytest.fixture
def rush(serve) -> Served:
    return serve("--workers", "2", database=POSTGRESQL)


def test_a_ticket_scanned_by_eight_phones_at_once_is_counted_once(rush: Served):
    with inside(rush):
        event = an_open_event(places=1)
        ticket = factories.a_registration(event=event, person=factories.a_person(organisation=event.organisation)).token
        link = door.invite(event=event, by=event.author.actor, now=now())
        invitation = door_queries.invitation_by_token(link, now=now())
        phones = [
            door.enrol(invitation=invitation, name=f"志愿者{number}", gate=None, now=now()) for number in range(PHONES)
        ]

    scans = [
        request(
            "POST",
            "/door/read",
            cookie=f"outreach_door={phone}",
            body=f'{{"text": "https://rc.example.cn/t/{ticket}", "way": "scanned"}}',
            headers=("Content-Type: application/json",),
        )
        for phone in phones
    ]
    answers = load(urlsplit(rush.url).port, scans, concurrency=PHONES).answers

    verdicts = sorted(each.body.partition('"verdict":"')[2].partition('"')[0] for each in answers)
    assert verdicts == ["in"] + ["twice"] * (PHONES - 1)
    with inside(rush):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Arrival)) == 1
        assert door_queries.broken_arrivals() == []


def test_sixty_four_phones_at_once_fill_ten_places_and_wait_in_a_line(rush: Served):
    with inside(rush) as app:
        event = an_open_event(places=PLACES)
        seed_consent_texts(now=now())
        presses = [press(app, event, number) for number in range(TOGETHER)]

    answers = load(urlsplit(rush.url).port, presses, concurrency=32).answers

    assert {each.status for each in answers} == {303}
    with inside(rush):
        made = db.session.scalars(sa.select(Registration).order_by(Registration.queued_at, Registration.id)).all()
        waiting = [each.id for each in made if each.state is RegistrationState.WAITLISTED]
        holding = [each.id for each in made if each.state is RegistrationState.CONFIRMED]
    assert (len(holding), len(waiting)) == (PLACES, TOGETHER - PLACES)
    assert waiting == sorted(waiting)
    assert max(holding) < min(waiting)


def an_open_event(*, places: int):
    office = factories.an_installation().lead_organisation
    organiser = factories.an_account(organisation=office, roles=[Role.ORGANISER])
    begins = now() + timedelta(hours=1)
    return factories.an_event(organisation=office, author=organiser, starts_at=begins, groups=[("博士", places)])


def press(app: Flask, event, number: int) -> str:
    point = factories.a_contact_point().id
    with app.test_request_context() as context:
        g.pop("csrf_token", None)
        proof = generate_csrf()
        session = dict(context.session) | {"contact_point_id": point}
    cookie = app.session_interface.get_signing_serializer(app).dumps(session)
    form = {"csrf_token": proof, "group": event.groups[0].id, "name": f"客人{number}", "consent": "y"}
    return request(
        "POST",
        f"/e/{event.id}/register",
        cookie=f"outreach={cookie}",
        body=urlencode(form),
        headers=("Content-Type: application/x-www-form-urlencoded",),
    )
