"""Reading links, codes and attempts."""

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.signing_in.models import ActivationLink, Attempt, ContactCode
from outreach.signing_in.rules import AttemptKind, plain_link


def attempts(kind: AttemptKind, key: str, *, since: datetime) -> list[Attempt]:
    """Return the attempts of a kind for a key after a moment, oldest first."""
    return list(
        db.session.scalars(
            sa.select(Attempt)
            .where(Attempt.kind == kind, Attempt.key == key, Attempt.at > since)
            .order_by(Attempt.at, Attempt.id)
        )
    )


def times_of(kind: AttemptKind, key: str, *, now: datetime, within: timedelta) -> list[datetime]:
    """Return when something was attempted for a key within a time, oldest first."""
    return [attempt.at for attempt in attempts(kind, key, since=now - within)]


def link_of(token: str, *, now: datetime) -> ActivationLink | None:
    """Return the one-time link of a token, while it is valid and its account open."""
    link = db.session.scalar(sa.select(ActivationLink).where(ActivationLink.token_hash == hash_of_link(token)))
    if link is None or link.used_at is not None or link.expires_at <= now or not link.account.is_active:
        return None
    return link


def hash_of_link(token: str) -> str:
    """Return what is kept of a link. It is random enough that a plain hash cannot be turned round."""
    return hashlib.sha256(plain_link(token).encode()).hexdigest()


def latest_code(contact_point_id: int) -> ContactCode | None:
    """Return the code last sent to a contact point; only that one can be used."""
    return db.session.scalar(
        sa.select(ContactCode)
        .where(ContactCode.contact_point_id == contact_point_id)
        .order_by(ContactCode.sent_at.desc(), ContactCode.id.desc())
        .limit(1)
    )
