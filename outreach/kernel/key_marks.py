"""Which keys a database was written with: their fingerprints, so that others' keys are noticed before anything is done.

A fingerprint tells one key from another and gives neither away.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from outreach.kernel.database import Model
from outreach.kernel.sealing import Keyring


class KeyMark(Model):
    """The fingerprint of a key that this database was written with."""

    __tablename__ = "key_marks"

    name: Mapped[str] = mapped_column(sa.String(60), unique=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(32))


def note(session: Session, ring: Keyring) -> None:
    """Keep the fingerprints of these keys, and no others, in the caller's transaction."""
    marks = {mark.name: mark for mark in session.scalars(sa.select(KeyMark))}
    fingerprints = ring.fingerprints()
    for name, fingerprint in fingerprints.items():
        if name not in marks:
            session.add(KeyMark(name=name, fingerprint=fingerprint))
    for name, mark in marks.items():
        if name not in fingerprints:
            session.delete(mark)
    session.flush()


def kept_in(connection: sa.Connection) -> dict[str, str]:
    """Return the fingerprints a database keeps, by the names of the keys; none before the first migration."""
    if not sa.inspect(connection).has_table(KeyMark.__tablename__):
        return {}
    return {mark.name: mark.fingerprint for mark in connection.execute(sa.select(KeyMark.name, KeyMark.fingerprint))}


def missing_from(ring: Keyring, kept: dict[str, str]) -> list[str]:
    """Return the names of the keys that a database was written with and this ring does not hold."""
    fingerprints = ring.fingerprints()
    return sorted(name for name, fingerprint in kept.items() if fingerprints.get(name) != fingerprint)
