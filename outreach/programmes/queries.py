"""Reading programmes."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.organisations.models import Account
from outreach.organisations.queries import above, reach
from outreach.organisations.rules import Permission
from outreach.programmes.models import Programme


def programme_for(viewer: Account, programme_id: int) -> Programme:
    """Return the programme if one of the viewer's roles lets them edit it; 404 otherwise."""
    return db.one_or_404(
        sa.select(Programme)
        .where(Programme.id == programme_id, Programme.organisation_id.in_(reach(viewer, Permission.PROGRAMME_EDIT)))
        .options(joinedload(Programme.organisation))
    )


def programme_at(programme_id: int) -> Programme:
    """Return a programme as everybody may read its name; 404 where there is none."""
    return db.one_or_404(
        sa.select(Programme).where(Programme.id == programme_id).options(joinedload(Programme.organisation))
    )


def usable_by(viewer: Account) -> sa.Select[tuple[Programme]]:
    """Select the programmes an event of the viewer's may stand under: their own, those below, and those above.

    A county's event may be a stop of the city's programme.
    """
    return sa.select(Programme).where(
        sa.or_(
            Programme.organisation_id.in_(reach(viewer, Permission.PROGRAMME_EDIT, Permission.EVENT_READ)),
            Programme.organisation_id.in_(above(viewer)),
        )
    )


def choices_for(viewer: Account) -> Sequence[Programme]:
    """Return what `usable_by` selects, by name."""
    return db.session.scalars(usable_by(viewer).order_by(Programme.name, Programme.id)).all()


def on_desk(viewer: Account, *, cursor: str | None) -> Page[Programme]:
    """Return one page of what `usable_by` selects, by name."""
    return page_of(
        usable_by(viewer).options(joinedload(Programme.organisation)),
        keys=(Key(Programme.name), Key(Programme.id)),
        cursor=cursor,
    )
