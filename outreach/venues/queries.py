"""Reading venues."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.organisations.models import Account
from outreach.organisations.queries import above, reach
from outreach.organisations.rules import Permission
from outreach.venues.models import Venue


def venue_for(viewer: Account, venue_id: int) -> Venue:
    """Return the venue if one of the viewer's roles lets them edit it; 404 otherwise."""
    return db.one_or_404(
        sa.select(Venue)
        .where(Venue.id == venue_id, Venue.organisation_id.in_(reach(viewer, Permission.EVENT_EDIT)))
        .options(joinedload(Venue.organisation))
    )


def usable_by(viewer: Account) -> sa.Select[tuple[Venue]]:
    """Select the venues an event of the viewer's may take place in: their own, those below, and those above.

    The city's lounge is open to its counties.
    """
    return sa.select(Venue).where(
        sa.or_(
            Venue.organisation_id.in_(reach(viewer, Permission.EVENT_EDIT)),
            Venue.organisation_id.in_(above(viewer)),
        )
    )


def choices_for(viewer: Account) -> Sequence[Venue]:
    """Return what `usable_by` selects, by name."""
    return db.session.scalars(usable_by(viewer).order_by(Venue.name, Venue.id)).all()


def on_desk(viewer: Account, *, cursor: str | None) -> Page[Venue]:
    """Return one page of what `usable_by` selects, by name."""
    return page_of(
        usable_by(viewer).options(joinedload(Venue.organisation)),
        keys=(Key(Venue.name), Key(Venue.id)),
        cursor=cursor,
    )
