"""How far a new installation has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from outreach.cases.models import TopicRoute
from outreach.events.models import Event
from outreach.kernel.database import db
from outreach.kernel.wording import N_
from outreach.liaison.models import Pairing
from outreach.organisations.models import Account, Organisation
from outreach.people.models import Person


@dataclass(frozen=True)
class Step:
    """One of the first steps: what, why (English sources), where, and whether it is done."""

    title: str
    note: str
    endpoint: str
    done: bool


def steps() -> Sequence[Step]:
    """Return the first steps of a city in their order."""
    return [
        Step(
            N_("Bring in the units and their people"),
            N_("The tree of organisations and everybody's roles, from one spreadsheet."),
            "intake.index",
            _more_than(Organisation.id, 1),
        ),
        Step(
            N_("Hand out the one-time links"),
            N_("Everybody chooses their own password; leaders get theirs on paper."),
            "organisations.accounts",
            _more_than(Account.id, 1) and not _some(sa.select(Account.id).where(Account.password_hash.is_(None))),
        ),
        Step(
            N_("Check where requests go"),
            N_("Which unit answers housing, schooling, financing; what has no unit waits at your intake desk."),
            "cases.routes",
            _some(sa.select(TopicRoute.id)),
        ),
        Step(
            N_("Bring in the talents"),
            N_("The ledger as it is, doubled rows and spoilt numbers included; you see all before it lands."),
            "intake.index",
            _some(sa.select(Person.id)),
        ),
        Step(
            N_("Bring in who keeps in touch with whom"),
            N_("The pairings of leaders and talents, and what is due from then on."),
            "intake.index",
            _some(sa.select(Pairing.id)),
        ),
        Step(
            N_("Draft the first event"),
            N_("A second person approves it; that moment it is on the public portal."),
            "events.new",
            _some(sa.select(Event.id)),
        ),
    ]


def _some(statement: sa.Select[Any]) -> bool:
    return db.session.scalar(statement.limit(1)) is not None


def _more_than(column: Any, number: int) -> bool:
    return len(db.session.scalars(sa.select(column).limit(number + 1)).all()) > number
