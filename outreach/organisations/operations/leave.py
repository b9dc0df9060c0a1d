"""Leave and deputies: written by oneself or by whoever administers the account, and ended early."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.clock import office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.organisations.models import Absence, Account
from outreach.organisations.rules.leave import (
    DeputyAway,
    DeputyElsewhere,
    DeputyThemselves,
    LeaveOver,
    LeaveOverlaps,
    StandsInThen,
    check_days,
)


def write_leave(
    *, account: Account, from_on: date, until_on: date, deputy: Account | None, by: Actor, now: datetime
) -> Absence:
    """Write down that somebody is away on these days, both included, and who stands in for them.

    :raises LeaveBackwards, LeavePast, LeaveTooLong: for days that cannot be leave
    :raises LeaveOverlaps: if they are away on some of these days already
    :raises StandsInThen: if they stand in for another one on some of these days
    :raises DeputyThemselves, DeputyElsewhere, DeputyAway: for a deputy who cannot be one
    """
    check_days(from_on=from_on, until_on=until_on, today=office_day(now))
    _hold(account, deputy)
    meanwhile = sa.and_(Absence.from_on <= until_on, Absence.until_on >= from_on)
    if (other := _first(Absence.account_id == account.id, meanwhile)) is not None:
        raise LeaveOverlaps(name=account.name, from_on=other.from_on, until_on=other.until_on)
    if (other := _first(Absence.deputy_id == account.id, meanwhile)) is not None:
        raise StandsInThen(name=other.account.name, deputy=account.name, from_on=other.from_on, until_on=other.until_on)
    if deputy is not None:
        _check_deputy(account, deputy, meanwhile)
    absence = Absence(account=account, from_on=from_on, until_on=until_on, deputy=deputy)
    db.session.add(absence)
    db.session.flush()  # its history names it
    history.write(subject=Subject("account", account.id), act="leave_written", by=by, now=now, facts=_facts(absence))
    return absence


def end_leave(*, absence: Absence, by: Actor, now: datetime) -> None:
    """End a leave: from today they are there again. One that had not begun, or began today, is taken out.

    :raises LeaveOver: if its last day is past
    """
    today = office_day(now)
    _hold(absence.account, absence.deputy)
    db.session.refresh(absence)
    if absence.until_on < today:
        raise LeaveOver
    facts = _facts(absence)
    if absence.from_on >= today:
        db.session.delete(absence)
    else:
        absence.until_on = today - timedelta(days=1)
    db.session.flush()
    history.write(subject=Subject("account", absence.account_id), act="leave_ended", by=by, now=now, facts=facts)


def _check_deputy(account: Account, deputy: Account, meanwhile: sa.ColumnElement[bool]) -> None:
    if deputy.id == account.id:
        raise DeputyThemselves
    if deputy.organisation_id != account.organisation_id or not deputy.is_active:
        raise DeputyElsewhere(name=deputy.name, unit=account.organisation.short_name)
    if (other := _first(Absence.account_id == deputy.id, meanwhile)) is not None:
        raise DeputyAway(name=deputy.name, from_on=other.from_on, until_on=other.until_on)


def _hold(*accounts: Account | None) -> None:
    """Hold the accounts, in one order, so that nobody writes leave of one of them meanwhile."""
    ids = sorted({account.id for account in accounts if account is not None})
    db.session.execute(locked(sa.select(Account.id).where(Account.id.in_(ids)).order_by(Account.id)))


def _first(*conditions: sa.ColumnElement[bool]) -> Absence | None:
    return db.session.scalar(sa.select(Absence).where(*conditions).order_by(Absence.from_on, Absence.id).limit(1))


def _facts(absence: Absence) -> dict[str, object]:
    return {
        "absence": absence.id,
        "from": absence.from_on.isoformat(),
        "until": absence.until_on.isoformat(),
        "deputy": absence.deputy_id,
    }
