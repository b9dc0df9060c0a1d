"""Reading what is planned: whose visits, when, who else is about to come; and the plan for catching up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.paging import SIZE, Key, Page, page_of
from outreach.kernel.sealing import proof
from outreach.liaison import queries
from outreach.liaison.models import CalendarFeed, Pairing, PlannedVisit
from outreach.liaison.queries import LIVING, OPEN_PLAN, Contact
from outreach.liaison.rules import DueState
from outreach.liaison.rules.planning import LATELY_DAYS, Behind, Proposal, catch_up
from outreach.organisations.models import Account
from outreach.organisations.queries import reach
from outreach.organisations.rules import Permission

FEED_BACK, FEED_AHEAD = timedelta(days=60), timedelta(days=400)


@dataclass(frozen=True)
class Others:
    """What others have done or are about to do with a talent: seen before another visit is planned."""

    met: Contact | None
    planned: Sequence[PlannedVisit]


@dataclass(frozen=True)
class CaughtUp:
    """One line of a catch-up plan: whom, on which day, and how it stands today."""

    row: queries.PairingDue
    day: date


def open_plan(pairing: Pairing) -> PlannedVisit | None:
    """Return the visit that is planned for a pairing, or None."""
    return open_plans([pairing.id]).get(pairing.id)


def open_plans(pairing_ids: Collection[int]) -> dict[int, PlannedVisit]:
    """Return the visits that are planned, by the id of their pairing."""
    found = db.session.scalars(
        sa.select(PlannedVisit).where(OPEN_PLAN, PlannedVisit.pairing_id.in_(pairing_ids)).order_by(PlannedVisit.id)
    )
    return {one.pairing_id: one for one in found}


def others_about(pairing: Pairing, *, now: datetime) -> Others | None:
    """Return who met the talent of a pairing lately, and who else is about to; None where nobody."""
    met = queries.last_contacts([pairing.person_id], now=now).get(pairing.person_id)
    if met is not None and (office_day(now) - office_day(met.at)).days > LATELY_DAYS:
        met = None
    planned = [
        one
        for one in queries.plans_about([pairing.person_id]).get(pairing.person_id, [])
        if one.pairing_id != pairing.id
    ]
    return Others(met, planned) if met or planned else None


def may_plan(viewer: Account) -> sa.ColumnElement[bool]:
    """Return the condition on Pairing for those whose visits the viewer plans: one's own, or of one's office."""
    return sa.or_(queries.of(viewer), Pairing.organisation_id.in_(reach(viewer, Permission.PAIRING_EDIT)))


def pairing_to_plan(viewer: Account, pairing_id: int) -> Pairing:
    """Return a living pairing whose visits the viewer may plan, or answer 404."""
    return db.first_or_404(
        sa.select(Pairing)
        .where(Pairing.id == pairing_id, LIVING, may_plan(viewer))
        .options(joinedload(Pairing.person), joinedload(Pairing.leader))
    )


def plan_for(viewer: Account, plan_id: int) -> PlannedVisit:
    """Return a planned visit that the viewer may move or cancel, or answer 404."""
    return db.first_or_404(
        sa.select(PlannedVisit).join(PlannedVisit.pairing).where(PlannedVisit.id == plan_id, may_plan(viewer))
    )


def plan_seen_by(viewer: Account, plan_id: int) -> PlannedVisit:
    """Return a planned visit that the viewer may see, or answer 404."""
    seen = sa.or_(may_plan(viewer), queries.seen_by(viewer))
    return db.first_or_404(sa.select(PlannedVisit).join(PlannedVisit.pairing).where(PlannedVisit.id == plan_id, seen))


def may_plan_it(viewer: Account, planned: PlannedVisit) -> bool:
    """Tell whether the viewer may move or cancel a planned visit."""
    return bool(db.session.scalar(sa.select(sa.exists().where(Pairing.id == planned.pairing_id, may_plan(viewer)))))


def plans(viewer: Account, *, mine: bool, cursor: str | None, size: int = SIZE) -> Page[PlannedVisit]:
    """Return one page of the visits that are planned, the soonest first: the viewer's own, or all they may see."""
    return page_of(
        sa.select(PlannedVisit)
        .join(PlannedVisit.pairing)
        .where(OPEN_PLAN, queries.of(viewer) if mine else queries.seen_by(viewer))
        .options(
            contains_eager(PlannedVisit.pairing).options(joinedload(Pairing.leader), joinedload(Pairing.person)),
            joinedload(PlannedVisit.planned_by),
        ),
        keys=[Key(PlannedVisit.day), Key(PlannedVisit.id)],
        cursor=cursor,
        size=size,
    )


def plans_of(pairing: Pairing, *, limit: int = 12) -> Sequence[PlannedVisit]:
    """Return what was planned for a pairing, what is still open first, then the latest."""
    return db.session.scalars(
        sa.select(PlannedVisit)
        .where(PlannedVisit.pairing_id == pairing.id)
        .options(joinedload(PlannedVisit.planned_by), joinedload(PlannedVisit.cancelled_by))
        .order_by(OPEN_PLAN.desc(), PlannedVisit.day.desc(), PlannedVisit.id.desc())
        .limit(limit)
    ).all()


def behind(viewer: Account, *, now: datetime, mine: bool, per_week: int) -> list[CaughtUp]:
    """Return a catch-up plan for what is overdue and not planned yet, the soonest first.

    For the pairings whose visits the viewer plans; `mine` keeps to their own.
    """
    where = queries.of(viewer) if mine else may_plan(viewer)
    unplanned = ~sa.exists().where(PlannedVisit.pairing_id == Pairing.id, OPEN_PLAN)
    standings = {
        pairing_id: due
        for due, pairing_id in queries.standings_of(sa.and_(where, unplanned), now=now)
        if due.state is DueState.OVERDUE
    }
    late = [
        Behind(pairing_id=one.id, leader_id=one.leader_id, rhythm=one.rhythm, due_on=standings[one.id].due_on)
        for one in db.session.execute(
            sa.select(Pairing.id, Pairing.leader_id, Pairing.rhythm).where(Pairing.id.in_(standings))
        )
    ]
    planned: dict[int, list[date]] = {}
    for leader_id, day in db.session.execute(
        sa.select(Pairing.leader_id, PlannedVisit.day)
        .join(PlannedVisit.pairing)
        .where(OPEN_PLAN, Pairing.leader_id.in_({one.leader_id for one in late}))
    ):
        planned.setdefault(leader_id, []).append(day)
    proposals = catch_up(late, planned=planned, calendar=working_calendar(), today=office_day(now), per_week=per_week)
    return _shown(proposals, standings, now=now)


def _shown(proposals: Sequence[Proposal], standings: dict[int, queries.Due], *, now: datetime) -> list[CaughtUp]:
    rows = queries.whole([(standings[one.pairing_id], one.pairing_id) for one in proposals], now=now)
    return [CaughtUp(row, one.day) for row, one in zip(rows, proposals, strict=True)]


def plannable(viewer: Account, pairing_ids: Collection[int]) -> set[int]:
    """Return which of these pairings are living ones whose visits the viewer plans."""
    return set(db.session.scalars(sa.select(Pairing.id).where(Pairing.id.in_(pairing_ids), LIVING, may_plan(viewer))))


def hash_of_feed(token: str) -> str:
    """Return what is kept of the secret of a calendar's address."""
    return proof(token, purpose="calendar feed")


def feed_of(account: Account) -> CalendarFeed | None:
    """Return the calendar's address that somebody has open, or None."""
    return db.session.scalar(
        sa.select(CalendarFeed).where(CalendarFeed.account_id == account.id, CalendarFeed.revoked_at.is_(None))
    )


def feed_by_token(token: str) -> CalendarFeed:
    """Return the feed of a secret, or answer 404: where it was closed, never was, or its account is closed."""
    return db.first_or_404(
        sa.select(CalendarFeed)
        .join(CalendarFeed.account)
        .where(
            CalendarFeed.token_hash == hash_of_feed(token),
            CalendarFeed.revoked_at.is_(None),
            Account.disabled_at.is_(None),
        )
    )


def plans_in_feed(account: Account, *, now: datetime) -> Sequence[PlannedVisit]:
    """Return what stands in somebody's calendar: visits of pairings they lead or serve, cancelled ones marked so."""
    today = office_day(now)
    return db.session.scalars(
        sa.select(PlannedVisit)
        .join(PlannedVisit.pairing)
        .where(queries.of(account), PlannedVisit.day >= today - FEED_BACK, PlannedVisit.day <= today + FEED_AHEAD)
        .options(contains_eager(PlannedVisit.pairing).options(joinedload(Pairing.leader), joinedload(Pairing.person)))
        .order_by(PlannedVisit.day, PlannedVisit.id)
    ).all()
