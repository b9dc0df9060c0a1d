"""Earlier requests like the one that is being answered, and what was answered to them."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, load_only

from outreach.cases.models import Answer, Case, Feedback
from outreach.cases.queries.reaching import visible
from outreach.cases.rules.answers import AnswerKind
from outreach.cases.rules.likeness import (
    COMPARED,
    EarlierAnswerUnknown,
    most_alike,
    pairs_of,
    without_person,
)
from outreach.kernel.database import db
from outreach.organisations.models import Account, Organisation
from outreach.people.models import Person

LOOKED_THROUGH = 2000
"""Of a topic, latest first: what a viewer may see is picked among these, so that no desk waits for a whole ledger."""


@dataclass(frozen=True)
class EarlierAnswer:
    """The latest answer to a like request, without the name of who asked."""

    id: int
    case_id: int
    number: str
    title: str
    kind: AnswerKind
    text: str
    rule: str | None
    rule_link: str | None
    unit: str
    answered_at: datetime
    feedback: Feedback | None


def earlier_answers(viewer: Account, case: Case) -> list[EarlierAnswer]:
    """Return the answers to the requests of the same topic that are most like this one, best first.

    Compared are the latest COMPARED that the viewer may see; one whose words were erased is like none.
    """
    latest = (
        sa.select(Case.id)
        .where(Case.topic == case.topic, Case.replied_at.is_not(None))
        .order_by(Case.replied_at.desc(), Case.id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    rows = db.session.execute(
        sa.select(Case.id, Case.title, Case.words)
        .join(latest, latest.c.id == Case.id)
        .where(Case.id != case.id, visible(viewer))
        .order_by(Case.replied_at.desc(), Case.id.desc())
        .limit(COMPARED)
    )
    others = {row.id: pairs_of(row.title, row.words) for row in rows}
    best = most_alike(pairs_of(case.title, case.words), others)
    if not best:
        return []
    last = sa.select(sa.func.max(Answer.id)).where(Answer.case_id.in_(best)).group_by(Answer.case_id)
    answers = db.session.scalars(
        sa.select(Answer)
        .where(Answer.id.in_(last))
        .options(
            joinedload(Answer.unit).load_only(Organisation.short_name),
            joinedload(Answer.feedback),
            joinedload(Answer.case).options(
                load_only(Case.number, Case.title), joinedload(Case.person).load_only(Person.name)
            ),
        )
        .order_by(Answer.id)
    ).all()
    given = {answer.case_id: _earlier(answer) for answer in answers}
    return [given[case_id] for case_id in best if case_id in given]


def earlier_answer(viewer: Account, case: Case, answer_id: int | None) -> EarlierAnswer:
    """Return one of them.

    :raises EarlierAnswerUnknown: if it is none of them
    """
    found = next((one for one in earlier_answers(viewer, case) if one.id == answer_id), None)
    if found is None:
        raise EarlierAnswerUnknown
    return found


def _earlier(answer: Answer) -> EarlierAnswer:
    names = [answer.case.person.name]
    return EarlierAnswer(
        id=answer.id,
        case_id=answer.case_id,
        number=answer.case.number,
        title=without_person(answer.case.title, names),
        kind=answer.kind,
        text=without_person(answer.text, names),
        rule=answer.rule,
        rule_link=answer.rule_link,
        unit=answer.unit.short_name,
        answered_at=answer.answered_at,
        feedback=answer.feedback,
    )
