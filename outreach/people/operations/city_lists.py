"""The lists a city keeps of what people are: classes of talents, and the fields they work in."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, one_at_a_time
from outreach.kernel.history import Subject
from outreach.people.models import ProfessionalField, TalentClass
from outreach.people.rules import ListedAlready, NothingWritten, Rhythm

Entry = TalentClass | ProfessionalField
LONGEST = 60


def add_class(*, name: str, rhythm: Rhythm | None, by: Actor, now: datetime) -> TalentClass:
    """Add a class of talents below those there are. `rhythm` is how often a leader meets its people.

    :raises NothingWritten: without a name
    :raises ListedAlready: if there is one of this name, retired or not
    """
    return _added(TalentClass(name=_name(name), rhythm=rhythm), by, now)


def add_field(*, name: str, by: Actor, now: datetime) -> ProfessionalField:
    """Add a field that people work in; raises as `add_class` does."""
    return _added(ProfessionalField(name=_name(name)), by, now)


def change(*, entry: Entry, name: str, rhythm: Rhythm | None = None, by: Actor, now: datetime) -> None:
    """Rename an entry, and set the rhythm of a class; everybody who has it has the new name.

    Pairings keep the rhythm they have: it was agreed for each of them. Raises as `add_class` does.
    """
    name = _name(name)
    with _once(name):
        entry.name = name
        if isinstance(entry, TalentClass):
            entry.rhythm = rhythm
    _note(entry, "changed", by, now)


def move_up(*, entry: Entry, by: Actor, now: datetime) -> None:
    """Put an entry before the one above it; the first stays where it is."""
    kind = type(entry)
    one_at_a_time(f"order of {kind.__tablename__}")
    db.session.refresh(entry)
    above = db.session.scalar(
        sa.select(kind).where(kind.position < entry.position).order_by(kind.position.desc()).limit(1)
    )
    if above is not None:
        entry.position, above.position = above.position, entry.position
        _note(entry, "moved_up", by, now)


def retire(*, entry: Entry, by: Actor, now: datetime) -> None:
    """Give it to nobody any more; whoever has it keeps it."""
    if entry.retired_at is None:
        entry.retired_at = now
        _note(entry, "retired", by, now)


def bring_back(*, entry: Entry, by: Actor, now: datetime) -> None:
    """Offer a retired entry again."""
    if entry.retired_at is not None:
        entry.retired_at = None
        _note(entry, "brought_back", by, now)


def _added(entry: Entry, by: Actor, now: datetime) -> Entry:
    kind = type(entry)
    one_at_a_time(f"order of {kind.__tablename__}")
    entry.position = (db.session.scalar(sa.select(sa.func.max(kind.position))) or 0) + 1
    with _once(entry.name):
        db.session.add(entry)
    _note(entry, "added", by, now)
    return entry


@contextmanager
def _once(name: str) -> Iterator[None]:
    try:
        with db.session.begin_nested():
            yield
    except IntegrityError:
        raise ListedAlready(name=name) from None


def _name(text: str) -> str:
    name = " ".join(text.split())[:LONGEST]
    if not name:
        raise NothingWritten
    return name


def _note(entry: Entry, act: str, by: Actor, now: datetime) -> None:
    subject = Subject(entry.__tablename__, entry.id)
    history.write(subject=subject, act=act, by=by, now=now, facts={"position": entry.position}, words=entry.name)
