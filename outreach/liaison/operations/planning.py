"""Planning visits, moving and cancelling them, and the address under which a calendar reads them."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outreach.kernel import history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.clock import office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.liaison.models import CalendarFeed, Pairing, PlannedVisit, Visit
from outreach.liaison.queries import planning
from outreach.liaison.rules.planning import (
    CancelReasonMissing,
    NothingChosen,
    PairingOver,
    PlannedAlready,
    PlanOver,
    Proposal,
    SecondLook,
    carries_out,
    check_day,
)
from outreach.organisations.models import Account


def plan(
    *,
    pairing: Pairing,
    day: date,
    hour: time | None,
    note: str | None,
    knowing: bool,
    by: Account,
    now: datetime,
) -> PlannedVisit:
    """Plan the next visit of a pairing; `hour` is on the office's clocks.

    :param knowing: that who plans it knows of others who met the talent lately or are about to
    :raises PairingOver: if the pairing has ended
    :raises PlanAhead: for a day that is past, or more than a year ahead
    :raises SecondLook: if others met the talent lately or are about to, and who plans it has not said they know
    :raises PlannedAlready: if one is planned already
    """
    db.session.scalar(locked(sa.select(Pairing.id).where(Pairing.id == pairing.id)))
    if pairing.ends_on is not None:
        raise PairingOver
    check_day(day, office_day(now))
    standing = planning.open_plan(pairing)
    if standing is not None:
        raise PlannedAlready(leader=pairing.leader.name, talent=pairing.person.name, day=standing.day.isoformat())
    if not knowing and planning.others_about(pairing, now=now):
        raise SecondLook
    planned = PlannedVisit(
        pairing=pairing,
        day=day,
        hour=hour,
        note=note or None,
        planned_by=by,
        planned_at=now,
        uid=secrets.token_hex(16),
        sequence=0,
    )
    try:
        with db.session.begin_nested():
            db.session.add(planned)
    except IntegrityError:
        standing = planning.open_plan(pairing)
        if standing is None:
            raise
        raise PlannedAlready(
            leader=pairing.leader.name, talent=pairing.person.name, day=standing.day.isoformat()
        ) from None
    _write(planned, "planned", by=by.actor, now=now, facts={"pairing": pairing.id, "day": day.isoformat()})
    return planned


def take_over(*, proposals: Sequence[Proposal], by: Account, now: datetime) -> list[PlannedVisit]:
    """Plan the visits of a catch-up plan, as it was shown and chosen; what was planned meanwhile is left as it is.

    :raises NothingChosen: without any
    :raises PlanAhead: for a day that is past meanwhile
    """
    if not proposals:
        raise NothingChosen
    made = []
    for proposal in proposals:
        pairing = db.session.get_one(Pairing, proposal.pairing_id)
        if pairing.ends_on is None and planning.open_plan(pairing) is None:
            made.append(plan(pairing=pairing, day=proposal.day, hour=None, note=None, knowing=True, by=by, now=now))
    return made


def move(*, planned: PlannedVisit, day: date, hour: time | None, by: Actor, now: datetime) -> None:
    """Put a planned visit on another day or hour; calendars follow.

    :raises PlanOver: if it took place or was cancelled
    :raises PlanAhead: for a day that is past, or more than a year ahead
    """
    _hold(planned)
    check_day(day, office_day(now))
    planned.day, planned.hour = day, hour
    planned.sequence += 1
    _write(planned, "moved", by=by, now=now, facts={"day": day.isoformat()})


def cancel(*, planned: PlannedVisit, reason: str, by: Account, now: datetime) -> None:
    """Say that a planned visit does not take place, and why; whoever plans the next one reads it.

    :raises PlanOver: if it took place or was cancelled before
    :raises CancelReasonMissing: without a reason
    """
    _hold(planned)
    if not reason:
        raise CancelReasonMissing
    _end(planned, reason=reason, by_id=by.id, now=now)
    _write(planned, "cancelled", by=by.actor, now=now, facts={})


def drop(*, pairing: Pairing, by: Actor, now: datetime) -> None:
    """Cancel what is planned for a pairing that ends; its end is the reason, so no words are written."""
    planned = planning.open_plan(pairing)
    if planned is not None:
        _end(planned, reason="", by_id=by.id if by.kind is ActorKind.STAFF else None, now=now)
        _write(planned, "cancelled", by=by, now=now, facts={})


def hand_on(*, pairing: Pairing, onward: Pairing, by: Actor, now: datetime) -> None:
    """Let what is planned for a pairing be planned for the one that follows it."""
    planned = planning.open_plan(pairing)
    if planned is not None:
        planned.pairing = onward
        planned.sequence += 1
        _write(planned, "handed_over", by=by, now=now, facts={"pairing": onward.id})


def note_visit(*, visit: Visit, pairings: Sequence[Pairing], by: Actor, now: datetime) -> None:
    """Take a visit that was logged as the one that was planned, where it is (rules.planning.carries_out)."""
    for planned in planning.open_plans([pairing.id for pairing in pairings]).values():
        if carries_out(planned_for=planned.day, met_on=office_day(visit.at)):
            planned.visit_id = visit.id
            planned.sequence += 1
            _write(planned, "carried_out", by=by, now=now, facts={"visit": visit.id})


def make_feed(*, account: Account, now: datetime) -> str:
    """Return the secret of a new address for somebody's calendar; the one before stops working."""
    revoke_feed(account=account, now=now)
    token = secrets.token_urlsafe(24)
    db.session.add(CalendarFeed(account=account, token_hash=planning.hash_of_feed(token), made_at=now))
    db.session.flush()
    history.write(subject=Subject("account", account.id), act="calendar_opened", by=account.actor, now=now)
    return token


def revoke_feed(*, account: Account, now: datetime) -> bool:
    """Close the address of somebody's calendar; return whether there was one."""
    db.session.scalar(locked(sa.select(Account.id).where(Account.id == account.id)))
    feed = planning.feed_of(account)
    if feed is None:
        return False
    feed.revoked_at = now
    db.session.flush()
    history.write(subject=Subject("account", account.id), act="calendar_closed", by=account.actor, now=now)
    return True


def erase_words(*, pairing_ids: Sequence[int]) -> None:
    """Erase what was written about planned visits; that they were planned or cancelled stays."""
    for planned in db.session.scalars(
        sa.select(PlannedVisit).where(PlannedVisit.pairing_id.in_(pairing_ids)).order_by(PlannedVisit.id)
    ):
        planned.note = None
        planned.cancel_reason = None if planned.cancel_reason is None else ""
    db.session.flush()


def erase_notes(*, visit_ids: Sequence[int]) -> None:
    """Erase what was written about the plans that these visits carried out."""
    db.session.execute(sa.update(PlannedVisit).where(PlannedVisit.visit_id.in_(visit_ids)).values(note=None))


def _hold(planned: PlannedVisit) -> None:
    db.session.scalar(locked(sa.select(PlannedVisit).where(PlannedVisit.id == planned.id)))
    if not planned.is_open:
        raise PlanOver


def _end(planned: PlannedVisit, *, reason: str, by_id: int | None, now: datetime) -> None:
    planned.cancelled_at, planned.cancelled_by_id, planned.cancel_reason = now, by_id, reason
    planned.sequence += 1
    db.session.flush()


def _write(planned: PlannedVisit, act: str, *, by: Actor, now: datetime, facts: dict[str, Any]) -> None:
    db.session.flush()
    history.write(subject=Subject("planned_visit", planned.id), act=act, by=by, now=now, facts=facts)
