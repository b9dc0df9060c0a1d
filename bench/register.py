"""How many people a second register in the minute an event opens: 3,000 at 32 connections, for 500 places.

An attempt is the press of the button on the page of the form, as a phone sends it: with the session of somebody who
proved a number by a code, and with the form's own proof. Both are signed beforehand as the application signs them:
3,000 codes by SMS are not what is measured, and one network may not ask for so many. Each run is an event and people
of its own. Afterwards places, waiting list, history and messages are counted.
"""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import g
from flask_wtf.csrf import generate_csrf

from bench.attendees import NAMES, contacts, event_tonight
from bench.figure import Figure, median_of, must_be, percentile, say
from bench.ground import CORES, City, Ground
from bench.load import Outcome, load, request
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine
from outreach.notices.models import Message
from outreach.organisations.queries import account_named
from outreach.people.models import Consent
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState
from outreach.web.access import CONTACT

ATTEMPTS = 3000
PLACES = 500
CONCURRENCY = 32
WARM_UP = 100


def figures(ground: Ground) -> Iterator[Figure]:
    """Yield registrations a second; on PostgreSQL."""
    with ground.city() as city, city.served(f"--workers={CORES}") as port:
        city.settle()
        rush(city, port, attempts=WARM_UP, places=WARM_UP)
        outcomes: list[Outcome] = []

        def run(_number: int) -> float:
            outcomes.append(rush(city, port, attempts=ATTEMPTS, places=PLACES))
            return outcomes[-1].per_second

        yield Figure("register_c32", median_of(run), "per_second")
        slowest = percentile([each.milliseconds for outcome in outcomes for each in outcome.answers], 0.95)
        say(f"register_c32_p95 {slowest:.1f} ms")
    with ground.city("sqlite") as city, city.served() as port:
        rush(city, port, attempts=WARM_UP, places=WARM_UP)
        say(f"on SQLite: register_c32 {rush(city, port, attempts=300, places=100).per_second:.0f} per_second")


def rush(city: City, port: int, *, attempts: int, places: int) -> Outcome:
    """Let so many people press the button, and count afterwards who has a place and who waits.

    :raises bench.figure.WrongCount: if one too many has a place, anybody is there twice or the line is out of order
    """
    event = event_tonight(organiser=account_named("organiser"), places=places, now=now())
    with city.app.test_request_context() as context:
        g.pop("csrf_token", None)  # that of another run: the application's context stays pushed meanwhile
        proof = generate_csrf()
        kept = dict(context.session) | {"_permanent": True}
    asked = [
        request(
            "POST",
            f"/e/{event.id}/register",
            cookie=city.session_cookie(**kept, **{CONTACT: point}),
            body=urlencode(
                {"csrf_token": proof, "group": event.groups[0].id, "name": NAMES[number % len(NAMES)], "consent": "y"}
            ),
            headers=("Content-Type: application/x-www-form-urlencoded",),
        )
        for number, point in enumerate(contacts(attempts))
    ]
    event_id = event.id
    db.session.execute(sa.text("ANALYZE"))  # as a database does by itself before the minute comes
    db.session.commit()
    outcome = load(port, asked, concurrency=CONCURRENCY)
    must_be("answers", Counter(each.status for each in outcome.answers), {303: attempts})
    _count(event_id, attempts=attempts, places=places)
    return outcome


def _count(event_id: int, *, attempts: int, places: int) -> None:
    """Compare everything a registration leaves behind with what it must be."""
    made = db.session.execute(
        sa.select(
            Registration.id,
            Registration.state,
            Registration.queued_at,
            Registration.person_id,
            Registration.contact_point_id,
        )
        .where(Registration.event_id == event_id)
        .order_by(Registration.queued_at, Registration.id)
    ).all()
    must_be(
        "states", {each.state for each in made} - {RegistrationState.CONFIRMED, RegistrationState.WAITLISTED}, set()
    )
    holding = [each.id for each in made if each.state is RegistrationState.CONFIRMED]
    line = [each.id for each in made if each.state is RegistrationState.WAITLISTED]
    must_be("places taken and waiting", (len(holding), len(line)), (places, attempts - places))
    must_be("the line stands in the order of acceptance", line, sorted(line))
    must_be("nobody waits who came before a holder", [each for each in line if each < max(holding)], [])
    must_be("numbers", len({each.contact_point_id for each in made}), attempts)
    must_be("people", len({each.person_id for each in made}), attempts)
    ids = sa.select(Registration.id).where(Registration.event_id == event_id)
    about = {
        "lines of history": (HistoryLine, HistoryLine.subject_kind == "registration", HistoryLine.subject_id.in_(ids)),
        "messages": (Message, Message.subject_kind == "registration", Message.subject_id.in_(ids)),
        "consents": (Consent, Consent.about == f"event:{event_id}"),
    }
    for what, (model, *conditions) in about.items():
        counted = db.session.scalar(sa.select(sa.func.count()).select_from(model).where(*conditions))
        must_be(what, counted, attempts)
    db.session.commit()
