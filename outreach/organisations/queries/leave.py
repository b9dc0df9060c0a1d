"""Who is away, and who stands in for them. What holds now follows from the moment that is asked about."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.organisations.models import Absence, Account, Grant
from outreach.organisations.rules.leave import NEVER_PASSED_ON


def running(now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition on Absence that holds for leave on the office's day of a moment."""
    today = office_day(now)
    return sa.and_(Absence.from_on <= today, Absence.until_on >= today)


def grants_stood_in_for(account: Account, *, now: datetime) -> Sequence[Grant]:
    """Return the roles of those for whom the account stands in today, but for those that are never passed on."""
    return db.session.scalars(
        sa.select(Grant)
        .join(Absence, Absence.account_id == Grant.account_id)
        .where(Absence.deputy_id == account.id, running(now), Grant.role.not_in(NEVER_PASSED_ON))
        .order_by(Grant.id)
    ).all()


def take_duties(account: Account, *, now: datetime) -> Account:
    """Let an account reach, as long as it is in this session, what those may do for whom it stands in today."""
    account.lent = tuple(grants_stood_in_for(account, now=now))
    return account


def away(account_ids: Collection[int], *, now: datetime) -> Mapping[int, Absence]:
    """Return the leave that runs today of those of these accounts that are away."""
    if not account_ids:
        return {}
    found = db.session.scalars(
        sa.select(Absence)
        .where(Absence.account_id.in_(account_ids), running(now))
        .options(joinedload(Absence.deputy))
        .order_by(Absence.id)
    )
    return {absence.account_id: absence for absence in found}


def deputies(account_ids: Collection[int], *, now: datetime) -> Mapping[int, int | None]:
    """Return, of those of these accounts that are away today, the id of the deputy; None where nobody stands in."""
    return deputies_in(away(account_ids, now=now))


def deputies_in(absent: Mapping[int, Absence]) -> Mapping[int, int | None]:
    """Return the ids of the deputies of those who are away; None for nobody, or for one whose account was closed."""
    return {
        account_id: absence.deputy_id if absence.deputy is not None and absence.deputy.is_active else None
        for account_id, absence in absent.items()
    }


def leave_of(account: Account, *, now: datetime) -> Sequence[Absence]:
    """Return the account's leave that runs or is to come, soonest first."""
    return db.session.scalars(
        sa.select(Absence)
        .where(Absence.account_id == account.id, Absence.until_on >= office_day(now))
        .options(joinedload(Absence.deputy))
        .order_by(Absence.from_on, Absence.id)
    ).all()


def stood_in_for_by(account: Account, *, now: datetime) -> Sequence[Absence]:
    """Return the leave of others, running or to come, in which this account stands in, soonest first."""
    return db.session.scalars(
        sa.select(Absence)
        .where(Absence.deputy_id == account.id, Absence.until_on >= office_day(now))
        .options(joinedload(Absence.account))
        .order_by(Absence.from_on, Absence.id)
    ).all()


def leave_among(accounts: sa.Select[tuple[Account]], *, now: datetime, cursor: str | None) -> Page[Absence]:
    """Return a page of the leave of these accounts that runs or is to come, soonest first."""
    return page_of(
        sa.select(Absence)
        .where(Absence.account_id.in_(accounts.with_only_columns(Account.id)), Absence.until_on >= office_day(now))
        .options(joinedload(Absence.account), joinedload(Absence.deputy)),
        keys=[Key(Absence.from_on), Key(Absence.id)],
        cursor=cursor,
    )


def who_may_stand_in(account: Account) -> Sequence[Account]:
    """Return the open accounts of the same unit, by name."""
    return db.session.scalars(
        sa.select(Account)
        .where(
            Account.organisation_id == account.organisation_id,
            Account.id != account.id,
            Account.disabled_at.is_(None),
        )
        .order_by(Account.name, Account.id)
    ).all()


def absence_of(account: Account, absence_id: int) -> Absence:
    """Return a leave of the account; 404 where it has no such one."""
    return db.one_or_404(sa.select(Absence).where(Absence.id == absence_id, Absence.account_id == account.id))
