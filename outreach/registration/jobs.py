"""What happens to many registrations at once, step by step; each job may be begun twice."""

from datetime import datetime

import sqlalchemy as sa

from outreach.events.models import PlaceGroup
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import db
from outreach.kernel.outbox import Work
from outreach.registration import operations, queries
from outreach.registration.rules import RegistrationMoveRefused

STEP = 50


def cancel_with_event(
    *, event_id: int, by_kind: str, by_id: int | None, reason: str | None, now: datetime, work: Work
) -> None:
    """End every living registration of an event that will not take place, and tell each person."""
    by = Actor(ActorKind(by_kind), by_id)
    while batch := queries.living_of_event(event_id, after_id=0, limit=STEP):
        for registration in batch:
            try:
                operations.cancel_with_event(registration=registration, reason=reason, by=by, now=now)
            except RegistrationMoveRefused:
                continue  # withdrawn by the person in this very moment
        work.progress += len(batch)
        db.session.commit()


def tell_of_move(*, event_id: int, now: datetime, work: Work) -> None:
    """Tell everybody who holds or awaits a place that the event has another time or place.

    Begun anew after a crash it goes on after the last one told: `work.progress` is that registration's id.
    """
    while batch := queries.living_of_event(event_id, after_id=work.progress, limit=STEP):
        for registration in batch:
            operations.tell_of_move(registration=registration, now=now)
        work.progress = batch[-1].id
        db.session.commit()


def fill(*, group_id: int, now: datetime, work: Work) -> None:
    """Give the places of a group whose capacity was raised to those who wait, in order."""
    group = db.session.scalar(sa.select(PlaceGroup).where(PlaceGroup.id == group_id))
    if group is not None:
        while operations.fill(group=group, most=STEP, now=now):
            db.session.commit()
    db.session.commit()
