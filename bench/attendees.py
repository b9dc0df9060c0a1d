"""An event of tonight and thousands of people who want to be there, put into the database in bulk."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bench.bulk import next_id, put
from outreach.events.models import Event, PlaceGroup
from outreach.events.rules import EventKind, EventState
from outreach.kernel.database import db
from outreach.kernel.sealing import blind
from outreach.organisations.models import Account
from outreach.people.models import ContactPoint, Person, PersonContact
from outreach.people.queries import tail_index
from outreach.people.rules import ContactKind
from outreach.registration.models import Registration
from outreach.registration.rules import CODE_LENGTH, CODE_SIGNS, RegistrationState

NAMES = ("林知遥", "沈亦凡", "周明", "欧阳若水", "王小雨", "𠮷田", "李知夏", "陈䶮", "赵一诺", "孙晓白")


def event_tonight(*, organiser: Account, places: int, now: datetime) -> Event:
    """Make a published event that begins in an hour, with one group of so many places; flushed."""
    event = Event(
        organisation=organiser.organisation,
        author=organiser,
        submitted_by=organiser,
        kind=EventKind.SALON,
        state=EventState.PUBLISHED,
        title="会客厅",
        place="江畔路 18 号",
        starts_at=now + timedelta(hours=1),
        ends_at=now + timedelta(hours=3),
        created_at=now,
        published_at=now,
        uid=f"bench-{now.timestamp()}",
    )
    event.groups = [PlaceGroup(position=0, name="博士", capacity=places)]
    db.session.add(event)
    db.session.flush()
    return event


def contacts(how_many: int) -> list[int]:
    """Make numbers nobody has used yet; return the ids of their contact points."""
    first = next_id(ContactPoint.__table__)
    ids = list(range(first, first + how_many))
    values = [f"+861990{number:07d}" for number in ids]
    put(
        ContactPoint.__table__,
        [
            {
                "id": number,
                "kind": ContactKind.PHONE,
                "value": value,
                "index": blind(value, purpose=ContactKind.PHONE.value),
                "tail": tail_index(value, ContactKind.PHONE),
            }
            for number, value in zip(ids, values, strict=True)
        ],
    )
    return ids


def registered(*, event: Event, how_many: int, now: datetime) -> list[int]:
    """Make people who hold a place at the event; return the ids of their registrations."""
    points = contacts(how_many)
    person, held, registration = (next_id(model.__table__) for model in (Person, PersonContact, Registration))
    put(
        Person.__table__,
        [
            NAMED[number % len(NAMED)]
            | {
                "id": person + number,
                "organisation_id": event.organisation_id,
                "source": f"registration:{event.id}",
                "created_at": now,
                "updated_at": now,
            }
            for number in range(how_many)
        ],
    )
    put(
        PersonContact.__table__,
        [
            {"id": held + number, "person_id": person + number, "contact_point_id": point, "since": now}
            for number, point in enumerate(points)
        ],
    )
    put(
        Registration.__table__,
        [
            {
                "id": registration + number,
                "event_id": event.id,
                "group_id": event.groups[0].id,
                "person_id": person + number,
                "contact_point_id": point,
                "state": RegistrationState.CONFIRMED,
                "short_code": _code(point),
                "created_at": now,
                "queued_at": now,
                "confirmed_at": now,
                "version": 1,
            }
            for number, point in enumerate(points)
        ],
    )
    return list(range(registration, registration + how_many))


def _named(name: str) -> dict[str, object]:
    """Return the columns of a person that follow from the name."""
    person = Person(name=name)
    return {
        column.key: getattr(person, column.key) for column in sa.inspect(Person).columns if column.key in vars(person)
    }


NAMED = [_named(name) for name in NAMES]


def _code(number: int) -> str:
    return "".join(CODE_SIGNS[number // len(CODE_SIGNS) ** place % len(CODE_SIGNS)] for place in range(CODE_LENGTH))
