"""The standard answers of units: those a viewer keeps, and those that can be chosen for a request."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.cases.models import Case, StandardAnswer
from outreach.cases.queries.desks import units_with_handlers
from outreach.cases.rules.standard import StandardUnknown
from outreach.kernel import history
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine
from outreach.kernel.paging import Key, Page, page_of
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import lead_organisation, reach
from outreach.organisations.rules import Permission

KEEPERS = (Permission.CASE_HANDLE, Permission.CASE_ASSIGN)
CHOOSABLE = 30
"""Beside the form; a unit that keeps more finds the others by topic."""


def _kept_by(viewer: Account) -> sa.ColumnElement[bool]:
    return StandardAnswer.unit_id.in_(reach(viewer, *KEEPERS))


def units_keeping(viewer: Account) -> Sequence[Organisation]:
    """Return the units for which the viewer may keep standard answers: their desks, and the lead office's for all."""
    desks = sa.or_(Organisation.id.in_(units_with_handlers()), Organisation.id == lead_organisation().id)
    return db.session.scalars(
        sa.select(Organisation)
        .where(Organisation.id.in_(reach(viewer, *KEEPERS)), desks)
        .order_by(Organisation.path, Organisation.id)
    ).all()


def standards_for(viewer: Account, *, cursor: str | None) -> Page[StandardAnswer]:
    """Return a page of what the viewer's units keep, newest first, retired ones too."""
    statement = sa.select(StandardAnswer).where(_kept_by(viewer)).options(joinedload(StandardAnswer.unit))
    return page_of(statement, keys=[Key(StandardAnswer.id, descending=True)], cursor=cursor)


def standard_for(viewer: Account, standard_id: int) -> StandardAnswer:
    """Return one that the viewer's units keep; 404 otherwise."""
    return db.one_or_404(sa.select(StandardAnswer).where(StandardAnswer.id == standard_id, _kept_by(viewer)))


def past_of_standard(standard: StandardAnswer) -> Sequence[tuple[HistoryLine, str]]:
    """Return what happened to it, latest first, each with the name of who did it."""
    lines = history.lines_of(standard.subject)
    asked = sa.select(Account.id, Account.name).where(Account.id.in_({line.actor_id for line in lines}))
    names = dict(db.session.execute(asked).all())
    return [(line, names.get(line.actor_id, "")) for line in reversed(lines)]


def choosable_for(case: Case) -> Sequence[StandardAnswer]:
    """Return what its lead unit and its intake desk keep for its topic or for every topic, those of the topic first."""
    units = {case.lead_id, case.intake_id} - {None}
    return db.session.scalars(
        sa.select(StandardAnswer)
        .where(
            StandardAnswer.unit_id.in_(units),
            StandardAnswer.retired_at.is_(None),
            sa.or_(StandardAnswer.topic == case.topic, StandardAnswer.topic.is_(None)),
        )
        .order_by(StandardAnswer.topic.is_(None), StandardAnswer.id.desc())
        .limit(CHOOSABLE)
    ).all()


def chosen_for(case: Case, standard_id: int) -> StandardAnswer:
    """Return one of them.

    :raises StandardUnknown: if it is none of them
    """
    found = next((one for one in choosable_for(case) if one.id == standard_id), None)
    if found is None:
        raise StandardUnknown
    return found
