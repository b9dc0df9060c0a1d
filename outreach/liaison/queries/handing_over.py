"""Reading what somebody who leaves has open, and what was handed over."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from outreach.cases.models import Case
from outreach.cases.queries import OPEN, open_cases_of
from outreach.events.models import Event
from outreach.events.rules import EventState
from outreach.kernel.database import db
from outreach.liaison.models import HandOver, Pairing, PlannedVisit
from outreach.liaison.queries import LIVING, OPEN_PLAN
from outreach.organisations.models import Account
from outreach.organisations.queries import reach
from outreach.organisations.rules import Permission


@dataclass(frozen=True)
class Open:
    """Everything open that hangs on one account."""

    led: Sequence[Pairing]
    served: Sequence[Pairing]
    plans: Sequence[PlannedVisit]
    cases: Sequence[Case]
    drafts: Sequence[Event]

    def __bool__(self) -> bool:
        return bool(self.led or self.served or self.plans or self.cases or self.drafts)


def _in_hand(column: sa.ColumnElement[int], viewer: Account) -> sa.Select[tuple[int]]:
    return sa.select(column).where(LIVING, Pairing.organisation_id.in_(reach(viewer, Permission.PAIRING_EDIT)))


def leavers(viewer: Account) -> Sequence[Account]:
    """Return those who lead or serve a living pairing of the viewer's office, by name; closed accounts too."""
    return db.session.scalars(
        sa.select(Account)
        .where(
            sa.or_(
                Account.id.in_(_in_hand(Pairing.leader_id, viewer)),
                Account.id.in_(_in_hand(Pairing.liaison_officer_id, viewer)),
            )
        )
        .options(joinedload(Account.organisation))
        .order_by(Account.name, Account.id)
    ).all()


def leaver_for(viewer: Account, account_id: int) -> Account:
    """Return an account whose pairings the viewer may hand over, or answer 404."""
    return db.first_or_404(
        sa.select(Account).where(
            Account.id == account_id,
            sa.or_(
                Account.id.in_(_in_hand(Pairing.leader_id, viewer)),
                Account.id.in_(_in_hand(Pairing.liaison_officer_id, viewer)),
            ),
        )
    )


def open_of(account: Account) -> Open:
    """Return everything open that hangs on an account: pairings, planned visits, requests, drafts of events."""
    pairings = db.session.scalars(
        sa.select(Pairing)
        .where(LIVING, sa.or_(Pairing.leader_id == account.id, Pairing.liaison_officer_id == account.id))
        .options(joinedload(Pairing.person), joinedload(Pairing.leader))
        .order_by(Pairing.id)
    ).all()
    led = [one for one in pairings if one.leader_id == account.id]
    plans = db.session.scalars(
        sa.select(PlannedVisit)
        .join(PlannedVisit.pairing)
        .where(OPEN_PLAN, Pairing.leader_id == account.id)
        .options(contains_eager(PlannedVisit.pairing).joinedload(Pairing.person))
        .order_by(PlannedVisit.day, PlannedVisit.id)
    ).all()
    cases = db.session.scalars(
        sa.select(Case)
        .where(OPEN, sa.or_(Case.handler_id == account.id, Case.registered_for_id == account.id))
        .options(joinedload(Case.person), joinedload(Case.answerable), joinedload(Case.lead))
        .order_by(Case.due_at, Case.id)
    ).all()
    drafts = db.session.scalars(
        sa.select(Event).where(Event.author_id == account.id, Event.state == EventState.DRAFT).order_by(Event.id)
    ).all()
    return Open(led, [one for one in pairings if one.leader_id != account.id], plans, cases, drafts)


def hand_over_for(viewer: Account, hand_over_id: int) -> HandOver:
    """Return a hand-over for those whose office it is, who left and who took over, or answer 404."""
    return db.first_or_404(
        sa.select(HandOver).where(
            HandOver.id == hand_over_id,
            sa.or_(
                HandOver.leaver_id == viewer.id,
                HandOver.successor_id == viewer.id,
                HandOver.organisation_id.in_(reach(viewer, Permission.PAIRING_EDIT)),
            ),
        )
    )


def hand_overs(viewer: Account) -> Sequence[HandOver]:
    """Return the hand-overs the viewer may see, the latest first (the last 20)."""
    return db.session.scalars(
        sa.select(HandOver)
        .where(
            sa.or_(
                HandOver.leaver_id == viewer.id,
                HandOver.successor_id == viewer.id,
                HandOver.organisation_id.in_(reach(viewer, Permission.PAIRING_EDIT)),
            )
        )
        .options(joinedload(HandOver.leaver), joinedload(HandOver.successor))
        .order_by(HandOver.id.desc())
        .limit(20)
    ).all()


@dataclass(frozen=True)
class Handed:
    """What was handed over, as it stands now."""

    pairings: Sequence[Pairing]
    plans: Sequence[PlannedVisit]
    cases: Sequence[Case]
    drafts: Sequence[Event]
    asked: Sequence[Case]  # open requests of the talents that were handed over


def handed(one: HandOver) -> Handed:
    """Return what a hand-over was about."""

    def rows(model: type, ids: Sequence[int]) -> Sequence:
        return db.session.scalars(sa.select(model).where(model.id.in_(ids)).order_by(model.id)).all()

    pairings = rows(Pairing, [*(new for _, new in one.taken["led"]), *one.taken["served"]])
    return Handed(
        pairings=pairings,
        plans=rows(PlannedVisit, one.taken["plans"]),
        cases=rows(Case, one.taken["cases"]),
        drafts=rows(Event, one.taken["drafts"]),
        asked=open_cases_of([pairing.person_id for pairing in pairings]),
    )
