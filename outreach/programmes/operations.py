"""What people do with programmes."""

from datetime import datetime

import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, locked
from outreach.organisations.models import Organisation
from outreach.programmes.models import Programme
from outreach.programmes.rules import Motif, ProgrammeNameTaken


def create(
    *, name: str, summary: str | None, motif: Motif, organisation: Organisation, by: Actor, now: datetime
) -> Programme:
    """Begin a programme of this organisation.

    :raises ProgrammeNameTaken: if the organisation has one of this name
    """
    _free(name, organisation)
    programme = Programme(name=name, summary=summary, motif=motif, organisation=organisation, created_at=now)
    db.session.add(programme)
    db.session.flush()
    history.write(subject=programme.subject, act="programme.created", by=by, now=now)
    return programme


def edit(*, programme: Programme, name: str, summary: str | None, motif: Motif, by: Actor, now: datetime) -> None:
    """Change what a programme is called, says and wears.

    :raises ProgrammeNameTaken: if its organisation has another of this name
    """
    programme = db.session.scalars(locked(sa.select(Programme).where(Programme.id == programme.id))).one()
    _free(name, programme.organisation, but=programme)
    new = {"name": name, "summary": summary, "motif": motif}
    changed = [field for field, value in new.items() if getattr(programme, field) != value]
    if not changed:
        return
    for field in changed:
        setattr(programme, field, new[field])
    db.session.flush()
    history.write(subject=programme.subject, act="programme.changed", by=by, now=now, facts={"changed": changed})


def _free(name: str, organisation: Organisation, but: Programme | None = None) -> None:
    taken = sa.select(Programme.id).where(Programme.organisation_id == organisation.id, Programme.name == name)
    if but is not None:
        taken = taken.where(Programme.id != but.id)
    if db.session.scalar(taken) is not None:
        raise ProgrammeNameTaken(organisation=organisation.short_name)
