"""Which requests a viewer may reach, and what they may do with them."""

import hmac
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from outreach.cases.models import Answer, Case, CasePart
from outreach.cases.queries.desks import approvers_of
from outreach.cases.rules.asking import CODE_SIGNS, CaseSource, FoundByNobody, Origin, Topic
from outreach.cases.rules.moves import Act, TargetUnknown
from outreach.kernel.database import db
from outreach.kernel.sealing import proof
from outreach.organisations.models import Account
from outreach.organisations.queries import reached_ids, reaches
from outreach.organisations.rules import Permission
from outreach.people import queries as people

OPEN = Case.due_at.is_not(None)
"""Open is what is owed by a date: the table's own check says so, and the list by deadline holds nothing else."""


IN_CONFIDENCE = sa.and_(Case.topic == Topic.ADVICE, Case.source.in_((CaseSource.VISIT, CaseSource.SURVEY)))
"""Advice given on a visit or to a survey is for the pairing, its supervisor and whoever answers."""

followed_people: list[Callable[[Account], sa.Select[tuple[int]]]] = []
"""Selects of the ids of people whose requests an account may follow; the app connects those of features above."""


origins: list[Callable[[Account, Case], Origin | None]] = []
"""Who knows where a request was made (a visit, an event) and whether the account may see it; connected by the app."""


def visible(viewer: Account) -> sa.ColumnElement[bool]:
    """Return the condition on Case that holds for the requests the viewer may see.

    The intake desk sees what came to it, a handler and the head of a unit what is assigned to it or asked of it as a
    co-handler, whoever wrote a request down (or had it written down) that one, and a leader or officer those of the
    people they keep in touch with. What a talent advised in confidence (问策) the intake desk sees only while the next
    step is its own.
    """
    supervised = reached_ids(viewer, Permission.CASE_SUPERVISE)
    if supervised is None:
        return sa.true()
    desk = reached_ids(viewer, Permission.CASE_ASSIGN)
    led = reached_ids(viewer, Permission.CASE_HANDLE, Permission.CASE_APPROVE)
    followed = {person_id for following in followed_people for person_id in db.session.scalars(following(viewer))}
    owed_here = sa.or_(~IN_CONFIDENCE, Case.answerable_id == Case.intake_id)
    return sa.or_(
        Case.registered_by_id == viewer.id,
        Case.registered_for_id == viewer.id,
        *([Case.intake_id.in_(supervised)] if supervised else []),
        *([owed_here] if desk is None else [sa.and_(Case.intake_id.in_(desk), owed_here)] if desk else []),
        *([Case.lead_id.is_not(None)] if led is None else [Case.lead_id.in_(led)] if led else []),
        *([Case.id.in_(sa.select(CasePart.case_id).where(CasePart.unit_id.in_(led)))] if led else []),
        *([Case.person_id.in_(sorted(followed))] if followed else []),
    )


def case_for(viewer: Account, case_id: int) -> Case:
    """Return the request if the viewer may see it; 404 otherwise."""
    return db.one_or_404(sa.select(Case).where(Case.id == case_id, visible(viewer)))


def sees(viewer: Account, case: Case) -> bool:
    """Tell whether the viewer may (still) see the request."""
    return bool(db.session.scalar(sa.select(sa.exists().where(Case.id == case.id, visible(viewer)))))


def version_of(case_id: int) -> int:
    """Return the version the request has now."""
    return db.session.scalars(sa.select(Case.version).where(Case.id == case_id)).one()


def origin_of(viewer: Account, case: Case) -> Origin | None:
    """Return where the request was made, if a feature knows it and the viewer may go there."""
    return next((origin for knows in origins if (origin := knows(viewer, case)) is not None), None)


def case_by_token(token: str) -> Case:
    """Return the request a public link was made for; 404 for a link that was altered or is void."""
    case_id, _, _ = token.partition("-")
    number = int(case_id) if case_id.isascii() and case_id.isdigit() and len(case_id) < 10 else 0
    case = db.first_or_404(sa.select(Case).where(Case.id == number))
    return case if hmac.compare_digest(case.token.encode(), token.encode()) else db.first_or_404(_nothing())


def case_by_code(number: str, code: str) -> Case:
    """Return the request with this number whose public link ends in this code.

    :raises FoundByNobody: if there is none, or the code is another's; both take the same work
    """
    found = db.session.scalar(sa.select(Case).where(Case.number == number))
    token = found.token if found is not None else proof(number, purpose="case link")
    fits = hmac.compare_digest(token[-CODE_SIGNS:].encode(), code.strip().lower().encode())
    if found is None or not fits:
        raise FoundByNobody
    return found


def cases_of_contact(contact_point_id: int) -> Sequence[Case]:
    """Return the requests whose answers go to this number or address, and all of whoever is alone behind it.

    What an official wrote down on a visit is answered by mail where one is known, and belongs to the person all the
    same. Newest first (the last 200).
    """
    theirs = sa.or_(Case.contact_point_id == contact_point_id, Case.person_id.in_(people.alone_at(contact_point_id)))
    return db.session.scalars(
        sa.select(Case)
        .where(theirs)
        .options(
            joinedload(Case.lead),
            joinedload(Case.person),
            joinedload(Case.handler),
            selectinload(Case.answers).options(joinedload(Answer.feedback), joinedload(Answer.unit)),
        )
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(200)
    ).all()


def acts_of(viewer: Account, case: Case, *, now: datetime) -> frozenset[Act]:
    """Return what the viewer may do with a request they see, whatever its state allows."""
    acts: set[Act] = set()
    if reaches(viewer, case.intake, Permission.CASE_ASSIGN):
        acts |= {Act.ASSIGN, Act.TELL, Act.HEAR, Act.URGE, Act.NOTE}
    if reaches(viewer, case.intake, Permission.CASE_SUPERVISE):
        acts |= {Act.DECIDE, Act.URGE, Act.NOTE}
    if case.lead is not None and reaches(viewer, case.lead, Permission.CASE_HANDLE):
        acts |= {Act.HANDLE, Act.TELL, Act.NOTE}
    elif not acts:
        acts.add(Act.URGE)  # whoever follows it
    if case.draft is not None and viewer in approvers_of(case, author_id=case.draft.account_id, now=now):
        acts |= {Act.APPROVE, Act.NOTE}
    if parts_before(viewer, case):
        acts |= {Act.CONTRIBUTE, Act.NOTE}
    return frozenset(acts)


def parts_before(viewer: Account, case: Case) -> list[CasePart]:
    """Return the parts of the answer that the viewer's unit still owes."""
    return [
        part for part in case.open_parts if part.unit is not None and reaches(viewer, part.unit, Permission.CASE_HANDLE)
    ]


def case_by_number(viewer: Account, number: str) -> Case:
    """Return the request with this number.

    :raises TargetUnknown: if there is none that the viewer may see
    """
    found = db.session.scalar(sa.select(Case).where(Case.number == number.strip()[:12], visible(viewer)))
    if found is None:
        raise TargetUnknown
    return found


def part_by_token(token: str) -> CasePart:
    """Return the part that a link in a mail was made for; 404 for a link that was altered or is void."""
    part_id, _, _ = token.partition("-")
    number = int(part_id) if part_id.isascii() and part_id.isdigit() and len(part_id) < 10 else 0
    part = db.first_or_404(sa.select(CasePart).where(CasePart.id == number, CasePart.contact_point_id.is_not(None)))
    return part if hmac.compare_digest(part.token.encode(), token.encode()) else db.first_or_404(_no_part())


def open_cases_of(person_ids: Collection[int]) -> Sequence[Case]:
    """Return the open requests of these people, soonest due first, with person and units loaded.

    For whoever may see the people; the caller's own scope decides that.
    """
    return db.session.scalars(
        sa.select(Case)
        .where(OPEN, Case.person_id.in_(person_ids))
        .options(joinedload(Case.person), joinedload(Case.answerable), joinedload(Case.lead))
        .order_by(Case.due_at, Case.id)
    ).all()


def cases_of(viewer: Account, person_id: int) -> Sequence[Case]:
    """Return the person's requests that the viewer may see, newest first (the last 50)."""
    return db.session.scalars(
        sa.select(Case)
        .where(Case.person_id == person_id, visible(viewer))
        .options(joinedload(Case.answerable))
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(50)
    ).all()


def _no_part() -> sa.Select[tuple[CasePart]]:
    return sa.select(CasePart).where(sa.false())


def _nothing() -> sa.Select[tuple[Case]]:
    return sa.select(Case).where(sa.false())
