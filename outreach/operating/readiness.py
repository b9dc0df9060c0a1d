"""Whether this process can do its work: asked by a proxy or a monitor, every few seconds, by anybody."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.kernel.sealing import SealBroken
from outreach.operating import schema
from outreach.operating.figures import oldest_due
from outreach.organisations.models import Account
from outreach.people.models import ContactPoint

log = logging.getLogger("outreach.readiness")
WAITS_AT_MOST = timedelta(minutes=15)
"""Work that has been due for longer is stuck: no worker runs, or all are at something that does not end."""


def checked(*, now: datetime) -> Mapping[str, bool]:
    """Return what was looked at and whether it is well, in an order in which one thing rests on those before it."""
    checks: dict[str, Callable[[], bool]] = {
        "database": _answers,
        "migrations": _is_at_head,
        "keys": _opens_what_was_sealed,
        "queue": lambda: _moves(now),
    }
    found: dict[str, bool] = {}
    for name, check in checks.items():
        found[name] = all(found.values()) and _holds(name, check)
    return found


def _holds(name: str, check: Callable[[], bool]) -> bool:
    try:
        well = check()
    except (sa.exc.SQLAlchemyError, SealBroken) as error:
        db.session.rollback()
        log.warning("not ready: %s", name, exc_info=error)
        return False
    if not well:
        log.warning("not ready: %s", name)
    return well


def _answers() -> bool:
    return db.session.scalar(sa.select(1)) == 1


def _is_at_head() -> bool:
    return schema.version_of(db.session.connection()) == _newest()


@cache
def _newest() -> str:
    return schema.newest()  # reads the folder of migrations


def _opens_what_was_sealed() -> bool:
    db.session.scalar(sa.select(Account.phone).where(Account.phone.is_not(None)).order_by(Account.id).limit(1))
    db.session.scalar(sa.select(ContactPoint.value).order_by(ContactPoint.id).limit(1))
    return True


def _moves(now: datetime) -> bool:
    oldest = oldest_due(now=now)
    return oldest is None or now - oldest <= WAITS_AT_MOST
