"""Reading the roster of a year for its review."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.liaison.models import Pairing, PairingReview, Visit, VisitLeader, VisitTalent
from outreach.liaison.queries import LIVING
from outreach.liaison.rules.reviewing import expected
from outreach.organisations.models import Account
from outreach.organisations.queries import reach
from outreach.organisations.rules import Permission

SIZE = 25


@dataclass(frozen=True)
class Line:
    """A pairing under review: the contacts of the year against what its rhythm asked, and what was decided."""

    pairing: Pairing
    met: int
    expected: int
    review: PairingReview | None


@dataclass(frozen=True)
class Standing:
    """How far the review of a year has come."""

    all: int
    reviewed: int


def _roster(viewer: Account) -> sa.ColumnElement[bool]:
    return sa.and_(LIVING, Pairing.organisation_id.in_(reach(viewer, Permission.PAIRING_EDIT)))


def _in_year(year: int) -> sa.ColumnElement[bool]:
    return Pairing.starts_on <= date(year, 12, 31)


def roster(viewer: Account, year: int, *, cursor: str | None, now: datetime) -> Page[Line]:
    """Return one page of the living pairings of a year that the viewer may review, by leader and talent."""
    page = page_of(
        sa.select(Pairing)
        .where(_roster(viewer), _in_year(year))
        .options(joinedload(Pairing.leader), joinedload(Pairing.person)),
        keys=[Key(Pairing.leader_id), Key(Pairing.id)],
        cursor=cursor,
        size=SIZE,
    )
    return Page(_lines(page.items, year, now=now), page.previous, page.next)


def _lines(pairings: Sequence[Pairing], year: int, *, now: datetime) -> list[Line]:
    ids = [pairing.id for pairing in pairings]
    begin = datetime(year, 1, 1, tzinfo=OFFICE)
    met = dict(
        db.session.execute(
            sa.select(Pairing.id, sa.func.count(sa.distinct(Visit.id)))
            .join(VisitTalent, VisitTalent.person_id == Pairing.person_id)
            .join(Visit, Visit.id == VisitTalent.visit_id)
            .join(VisitLeader, sa.and_(VisitLeader.visit_id == Visit.id, VisitLeader.account_id == Pairing.leader_id))
            .where(
                Pairing.id.in_(ids), Visit.at >= begin, Visit.at < begin + timedelta(days=366 if year % 4 == 0 else 365)
            )
            .group_by(Pairing.id)
        ).all()
    )
    reviews = {
        one.pairing_id: one
        for one in db.session.scalars(
            sa.select(PairingReview)
            .where(PairingReview.pairing_id.in_(ids), PairingReview.year == year)
            .options(joinedload(PairingReview.reviewed_by))
        )
    }
    return [
        Line(
            pairing=pairing,
            met=met.get(pairing.id, 0),
            expected=expected(
                rhythm=pairing.rhythm,
                starts_on=pairing.starts_on,
                ends_on=pairing.ends_on,
                year=year,
                today=office_day(now),
            ),
            review=reviews.get(pairing.id),
        )
        for pairing in pairings
    ]


def standing(viewer: Account, year: int) -> Standing:
    """Return how many living pairings of a year there are to review, and how many were."""
    done = sa.exists().where(PairingReview.pairing_id == Pairing.id, PairingReview.year == year)
    row = db.session.execute(
        sa.select(sa.func.count(), sa.func.count().filter(done))
        .select_from(Pairing)
        .where(_roster(viewer), _in_year(year))
    ).one()
    return Standing(*row)


def reviewable(viewer: Account, ids: Sequence[int]) -> dict[int, Pairing]:
    """Return those of these pairings that live and that the viewer may review, by id."""
    found = db.session.scalars(sa.select(Pairing).where(Pairing.id.in_(ids), _roster(viewer)).order_by(Pairing.id))
    return {one.id: one for one in found}
