"""What the clock has to look at, and how far up the ladder of supervision a deadline has come."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from outreach.cases.models import Case, CaseRung
from outreach.cases.queries.reaching import OPEN
from outreach.cases.rules.ladder import UPWARDS, Rung
from outreach.kernel.database import db


def rungs_of(case: Case) -> Sequence[Rung]:
    """Return the rungs that were climbed with the deadline that stands now, lowest first."""
    climbed = db.session.scalars(
        sa.select(CaseRung.rung).where(CaseRung.case_id == case.id, CaseRung.due_at == case.due_at)
    )
    return sorted(climbed, key=UPWARDS.index)


def rung_of(case: Case) -> Rung | None:
    """Return the highest rung that was climbed with the deadline that stands now."""
    climbed = rungs_of(case) if case.due_at is not None else []
    return climbed[-1] if climbed else None


def to_climb(*, until: datetime, after_id: int, limit: int) -> Sequence[int]:
    """Return the ids, above one, of open requests due until a moment that have not come to the top of the ladder."""
    top = sa.exists().where(CaseRung.case_id == Case.id, CaseRung.due_at == Case.due_at, CaseRung.rung == UPWARDS[-1])
    return db.session.scalars(
        sa.select(Case.id).where(OPEN, Case.due_at <= until, Case.id > after_id, ~top).order_by(Case.id).limit(limit)
    ).all()


def to_count_again(*, after_id: int, limit: int) -> Sequence[int]:
    """Return the ids of open requests above one: any deadline may cross a day that changed."""
    return db.session.scalars(sa.select(Case.id).where(OPEN, Case.id > after_id).order_by(Case.id).limit(limit)).all()
