"""What becomes of open requests when somebody leaves."""

from datetime import datetime

import sqlalchemy as sa

from outreach.cases import queries
from outreach.cases.models import Case
from outreach.cases.operations.writing import record
from outreach.cases.rules.telling import Happening
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, locked
from outreach.organisations.models import Account
from outreach.organisations.queries import reaches
from outreach.organisations.rules import Permission


def hand_on(*, leaver: Account, successor: Account, by: Actor, now: datetime) -> list[int]:
    """Give a successor the open requests in the hands of who leaves, or written down for them; return their ids.

    A handler's go on only where the successor may handle for the unit that leads; the unit stays answerable anyway.
    """
    handed = []
    concerned = sa.or_(Case.handler_id == leaver.id, Case.registered_for_id == leaver.id)
    for case in db.session.scalars(locked(sa.select(Case).where(queries.OPEN, concerned).order_by(Case.id))).all():
        takes = case.lead is not None and reaches(successor, case.lead, Permission.CASE_HANDLE)
        if case.registered_for_id == leaver.id:
            case.registered_for_id = successor.id
        elif not takes:
            continue
        if case.handler_id == leaver.id and takes:
            case.handler_id = successor.id
        record(case, Happening.HANDED_ON, by=by, now=now, facts={"from": leaver.id, "to": successor.id})
        handed.append(case.id)
    return handed
