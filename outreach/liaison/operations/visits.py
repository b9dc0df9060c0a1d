"""What comes to a visit that was logged: its pictures, and the leader's word that it was so."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import lazyload

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.liaison.models import Visit, VisitLeader, VisitPhotograph
from outreach.liaison.rules import ConfirmedAlready, NotThere
from outreach.liaison.rules.photographs import MOST_PHOTOGRAPHS, TooManyPhotographs
from outreach.organisations.models import Account


def add_photographs(*, visit: Visit, pictures: Sequence[bytes], by: Actor, now: datetime) -> None:
    """Keep pictures with a visit, sealed; each is a JPEG file that was drawn anew (documents.photographs).

    :raises TooManyPhotographs: if the visit would have more than MOST_PHOTOGRAPHS
    """
    db.session.scalar(locked(sa.select(Visit.id).where(Visit.id == visit.id)))
    held = db.session.scalars(sa.select(VisitPhotograph.position).where(VisitPhotograph.visit_id == visit.id)).all()
    if len(held) + len(pictures) > MOST_PHOTOGRAPHS:
        raise TooManyPhotographs(most=MOST_PHOTOGRAPHS)
    first = max(held, default=-1) + 1
    db.session.add_all(
        VisitPhotograph(visit_id=visit.id, position=first + number, content=picture, added_at=now)
        for number, picture in enumerate(pictures)
    )
    db.session.flush()
    db.session.expire(visit, ["photographs"])
    history.write(
        subject=Subject("visit", visit.id), act="photographs_added", by=by, now=now, facts={"count": len(pictures)}
    )


def confirm(*, visit: Visit, leader: Account, now: datetime) -> None:
    """Let a leader say that a visit somebody else wrote down was so.

    :raises NotThere: if the visit does not have them among those who went
    :raises ConfirmedAlready: if they have said so, or wrote it down themselves
    """
    there = db.session.scalar(
        locked(
            sa.select(VisitLeader)
            .where(VisitLeader.visit_id == visit.id, VisitLeader.account_id == leader.id)
            .options(lazyload(VisitLeader.account))  # PostgreSQL holds no row that may be missing
        )
    )
    if there is None:
        raise NotThere
    if there.confirmed_at is not None:
        raise ConfirmedAlready
    there.confirmed_at = now
    history.write(subject=Subject("visit", visit.id), act="confirmed", by=leader.actor, now=now)


def erase_photographs(*, visit_ids: Sequence[int]) -> None:
    """Delete the pictures of these visits: nobody can be struck out of one."""
    db.session.execute(sa.delete(VisitPhotograph).where(VisitPhotograph.visit_id.in_(visit_ids)))
