"""What people do with venues."""

from datetime import datetime

import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, locked
from outreach.organisations.models import Organisation
from outreach.venues.models import Venue
from outreach.venues.rules import VenueNameTaken


def create(
    *,
    name: str,
    address: str,
    how_to_get_there: str | None,
    organisation: Organisation,
    by: Actor,
    now: datetime,
) -> Venue:
    """Enter a venue of this organisation.

    :raises VenueNameTaken: if the organisation has one of this name
    """
    _free(name, organisation)
    venue = Venue(name=name, address=address, how_to_get_there=how_to_get_there, organisation=organisation)
    db.session.add(venue)
    db.session.flush()
    history.write(subject=venue.subject, act="venue.created", by=by, now=now)
    return venue


def edit(*, venue: Venue, name: str, address: str, how_to_get_there: str | None, by: Actor, now: datetime) -> None:
    """Change what a venue is called and where it is.

    :raises VenueNameTaken: if its organisation has another of this name
    """
    venue = db.session.scalars(locked(sa.select(Venue).where(Venue.id == venue.id))).one()
    _free(name, venue.organisation, but=venue)
    new = {"name": name, "address": address, "how_to_get_there": how_to_get_there}
    changed = [field for field, value in new.items() if getattr(venue, field) != value]
    if not changed:
        return
    for field in changed:
        setattr(venue, field, new[field])
    db.session.flush()
    history.write(subject=venue.subject, act="venue.changed", by=by, now=now, facts={"changed": changed})


def _free(name: str, organisation: Organisation, but: Venue | None = None) -> None:
    taken = sa.select(Venue.id).where(Venue.organisation_id == organisation.id, Venue.name == name)
    if but is not None:
        taken = taken.where(Venue.id != but.id)
    if db.session.scalar(taken) is not None:
        raise VenueNameTaken(organisation=organisation.short_name)
