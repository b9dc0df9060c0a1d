"""Taking a person, or what they wrote, out of their requests."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from outreach.cases.models import Case
from outreach.cases.operations.merging import split_all
from outreach.cases.operations.writing import held, move
from outreach.cases.rules.moves import (
    Move,
)
from outreach.cases.rules.telling import Happening
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.database import db
from outreach.notices import operations as notices
from outreach.people.models import ContactPoint, Person
from outreach.people.rules.traces import STRUCK


def erase_words(*, cases: Sequence[Case]) -> None:
    """Erase what was asked and answered, and where the answer went; what is counted, and the chain, stay."""
    for case in cases:
        case.title = case.words = STRUCK
        case.contact_point_id = None
        case.draft = None
        for part in case.parts:
            part.question = STRUCK
            part.text = STRUCK if part.text else None
        for extension in case.extensions:
            extension.reason = STRUCK
        for answer in case.answers:
            answer.text = STRUCK
            answer.rule, answer.rule_link = STRUCK if answer.rule else None, None
            for attempt in answer.attempts:
                attempt.note = None
            if answer.feedback is not None:
                answer.feedback.words = None
    db.session.flush()
    ids = [case.id for case in cases]
    history.forget_words(kind="case", ids=ids)
    notices.forget_about(kind="case", ids=ids)


def let_go(*, case: Case, nobody: Person, by: Actor, now: datetime) -> None:
    """Cut a request off the person who asked; one that is open is withdrawn first. Its words are erased."""
    _withdraw_if_open(case, by=by, now=now)
    case.person_id = nobody.id
    erase_words(cases=[case])


def erase_person(*, person_id: int, by: Actor, now: datetime) -> None:
    """Withdraw what a person asked for and is still open, and erase the words of all they ever asked."""
    asked = db.session.scalars(sa.select(Case).where(Case.person_id == person_id).order_by(Case.id)).all()
    for case in asked:
        _withdraw_if_open(case, by=by, now=now)
    erase_words(cases=asked)


def _withdraw_if_open(case: Case, *, by: Actor, now: datetime) -> None:
    case = held(case)
    if case.state.is_open:
        move(case, Move.WITHDRAW, Happening.WITHDRAWN, by=by, now=now)
        split_all(case=case, now=now)


def move_away(*, contact_point: ContactPoint, person: Person | None, instead: ContactPoint | None) -> None:
    """Take the requests of a person, or of everybody, away from a number; links that were sent there end with it."""
    theirs = Case.person_id == person.id if person else sa.true()
    db.session.execute(
        sa.update(Case)
        .where(Case.contact_point_id == contact_point.id, theirs)
        .values(contact_point_id=instead.id if instead else None)
    )
