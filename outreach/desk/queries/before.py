"""What somebody reads on the way to a talent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from outreach.cases import queries as cases
from outreach.cases.models import Answer, Case
from outreach.cases.rules.answers import AnswerKind
from outreach.desk import queries
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.liaison import queries as liaison
from outreach.liaison.models import PlannedVisit, Visit
from outreach.liaison.queries import visits
from outreach.organisations.models import Account
from outreach.people.models import Person


@dataclass(frozen=True)
class Promised:
    """What was promised for a day, in an answer that says the matter is in progress."""

    answer: Answer
    broken: bool


@dataclass(frozen=True)
class BeforeVisit:
    """What somebody reads on the way to a talent; `notes` are the ids of the contacts whose notes they may read."""

    requests: Sequence[queries.CaseRow]
    promised: Sequence[Promised]
    contacts: Sequence[Visit]
    notes: Collection[int]
    since: datetime | None
    changed: Sequence[queries.Told]
    planned: Sequence[PlannedVisit]


CONTACTS_SHOWN = 3
PROMISES_SHOWN_FOR = timedelta(days=180)


def before_visit(viewer: Account, person: Person, *, now: datetime) -> BeforeVisit:
    """Return what to know before meeting a talent; each part within what the viewer may see.

    What changed is told since the last contact with anybody; where there was none, the latest of everything.
    """
    contacts = visits.visits_with(viewer, person.id, limit=CONTACTS_SHOWN)
    last = liaison.last_contacts([person.id], now=now).get(person.id)
    told = queries.timeline(viewer, person, cursor=None, now=now).items
    return BeforeVisit(
        requests=queries.open_requests_of(viewer, person, now=now),
        promised=_promised_to(viewer, person, now=now),
        contacts=contacts,
        notes=visits.readable(viewer, [one.id for one in contacts]),
        since=last.at if last else None,
        changed=[one for one in told if one.entry.kind not in NO_CHANGE and (last is None or one.entry.at > last.at)],
        planned=liaison.plans_about([person.id]).get(person.id, []),
    )


NO_CHANGE = frozenset({"visit", "look"})
"""What a timeline tells that is no change in the talent's own affairs."""


def _promised_to(viewer: Account, person: Person, *, now: datetime) -> list[Promised]:
    latest = sa.select(sa.func.max(Answer.id)).where(Answer.case_id == Case.id).correlate(Case).scalar_subquery()
    today = office_day(now)
    found = db.session.scalars(
        sa.select(Answer)
        .join(Answer.case)
        .where(
            Case.person_id == person.id,
            cases.visible(viewer),
            Answer.id == latest,
            Answer.kind == AnswerKind.IN_PROGRESS,
            Answer.promised_on >= today - PROMISES_SHOWN_FOR,
        )
        .options(contains_eager(Answer.case), joinedload(Answer.unit))
        .order_by(Answer.promised_on, Answer.id)
        .limit(10)
    )
    return [Promised(answer, answer.promised_on < today) for answer in found]
