"""Reading what waits for those who keep in touch, for the mail of the morning."""

from collections.abc import Sequence
from datetime import datetime, time

import sqlalchemy as sa

from outreach.cases.models import Case
from outreach.cases.queries import OPEN
from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.database import db
from outreach.liaison import queries
from outreach.liaison.models import Pairing, PlannedVisit, VisitLeader
from outreach.liaison.queries import LIVING, OPEN_PLAN
from outreach.liaison.rules.digests import Morning
from outreach.notices.models import Message
from outreach.organisations.models import Account

KIND = "digest"


def to_be_told(*, now: datetime) -> Sequence[int]:
    """Return the ids of those with a mail address who lead or serve a living pairing and were not told yet today."""
    midnight = datetime.combine(office_day(now), time.min, tzinfo=OFFICE)
    keeps = sa.or_(Pairing.leader_id == Account.id, Pairing.liaison_officer_id == Account.id)
    told = sa.exists().where(Message.kind == KIND, Message.account_id == Account.id, Message.created_at >= midnight)
    return db.session.scalars(
        sa.select(Account.id)
        .where(
            Account.disabled_at.is_(None),
            Account.activated_at.is_not(None),
            Account.email.is_not(None),
            sa.exists().where(LIVING, keeps),
            ~told,
        )
        .order_by(Account.id)
    ).all()


def morning_of(account: Account, *, now: datetime) -> Morning:
    """Return what waits for somebody who keeps in touch."""
    counts = queries.due_counts(account, now=now, mine=True)
    today = (
        sa.select(sa.func.count(PlannedVisit.id))
        .join(PlannedVisit.pairing)
        .where(OPEN_PLAN, queries.of(account), PlannedVisit.day == office_day(now))
    )
    late = sa.select(sa.func.count(Case.id)).where(
        OPEN, Case.due_at < now, Case.person_id.in_(queries.paired_people(account))
    )
    waiting = sa.select(sa.func.count(VisitLeader.id)).where(
        VisitLeader.account_id == account.id, VisitLeader.confirmed_at.is_(None)
    )
    return Morning(
        overdue=counts.overdue,
        soon=counts.soon,
        today=db.session.scalar(today) or 0,
        late=db.session.scalar(late) or 0,
        to_confirm=db.session.scalar(waiting) or 0,
    )
