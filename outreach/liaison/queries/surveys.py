"""Reading surveys: whom one may ask, what was answered, what is still to be settled."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from outreach.kernel.database import db, locked
from outreach.kernel.paging import SIZE, Key, Page, page_of
from outreach.liaison.models import NotAskedAgain, Survey, SurveyInvitation, SurveyNeed
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import reach
from outreach.organisations.rules import ROLE_PERMISSIONS, Permission
from outreach.people import queries as people
from outreach.people.models import ContactPoint, Person, PersonContact
from outreach.people.rules import ContactKind


@dataclass(frozen=True)
class Standing:
    """How a survey stands."""

    asked: int
    answered: int
    to_settle: int


def whom(viewer: Account, wanted: people.Wanted, *, limit: int) -> list[tuple[Person, ContactPoint]]:
    """Return the people the viewer may read who fit and can be asked, each with where, by mail rather than by SMS.

    Not who was erased, is under another record, cannot be reached, or does not want to be asked.
    """
    ids = people.find(viewer, wanted).people.with_only_columns(Person.id).order_by(None).subquery()
    first = (
        sa.select(PersonContact.person_id, ContactPoint.id.label("point_id"))
        .join(ContactPoint, ContactPoint.id == PersonContact.contact_point_id)
        .add_columns(
            sa.func.row_number()
            .over(
                partition_by=PersonContact.person_id,
                order_by=(ContactPoint.kind != ContactKind.EMAIL, PersonContact.id),
            )
            .label("nth")
        )
        .where(PersonContact.person_id.in_(sa.select(ids)))
        .subquery()
    )
    found = db.session.execute(
        sa.select(Person, ContactPoint)
        .join(first, sa.and_(first.c.person_id == Person.id, first.c.nth == 1))
        .join(ContactPoint, ContactPoint.id == first.c.point_id)
        .where(people.STANDING, ~sa.exists().where(NotAskedAgain.person_id == Person.id))
        .order_by(Person.id)
        .limit(limit)
    )
    return [(person, point) for person, point in found]


def surveys(viewer: Account, *, cursor: str | None, size: int = SIZE) -> Page[Survey]:
    """Return one page of the surveys of the viewer's office, the latest first."""
    return page_of(
        sa.select(Survey).where(_mine(viewer)).options(joinedload(Survey.author)),
        keys=[Key(Survey.id, descending=True)],
        cursor=cursor,
        size=size,
    )


def _mine(viewer: Account) -> sa.ColumnElement[bool]:
    return Survey.organisation_id.in_(reach(viewer, Permission.PAIRING_EDIT))


def standings(ids: Collection[int]) -> dict[int, Standing]:
    """Return how these surveys stand, by their ids."""
    open_need = sa.and_(SurveyNeed.case_id.is_(None), SurveyNeed.set_aside_at.is_(None))
    rows = db.session.execute(
        sa.select(
            SurveyInvitation.survey_id,
            sa.func.count(sa.distinct(SurveyInvitation.id)),
            sa.func.count(sa.distinct(sa.case((SurveyInvitation.answered_at.is_not(None), SurveyInvitation.id)))),
            sa.func.count(sa.case((open_need, SurveyNeed.id))),
        )
        .outerjoin(SurveyNeed, SurveyNeed.invitation_id == SurveyInvitation.id)
        .where(SurveyInvitation.survey_id.in_(ids))
        .group_by(SurveyInvitation.survey_id)
    )
    return {row[0]: Standing(*row[1:]) for row in rows}


def survey_for(viewer: Account, survey_id: int) -> Survey:
    """Return a survey of the viewer's office, or answer 404."""
    return db.first_or_404(sa.select(Survey).where(Survey.id == survey_id, _mine(viewer)))


def answers(survey: Survey, *, cursor: str | None, size: int = SIZE) -> Page[SurveyInvitation]:
    """Return one page of what was answered, in the order of those who were asked."""
    return page_of(
        sa.select(SurveyInvitation)
        .where(SurveyInvitation.survey_id == survey.id, SurveyInvitation.answered_at.is_not(None))
        .options(joinedload(SurveyInvitation.person), selectinload(SurveyInvitation.needs).joinedload(SurveyNeed.case)),
        keys=[Key(SurveyInvitation.id)],
        cursor=cursor,
        size=size,
    )


def need_for(viewer: Account, need_id: int) -> SurveyNeed:
    """Return one thing that was answered to a survey of the viewer's office, its row held, or answer 404."""
    return db.first_or_404(
        locked(
            sa.select(SurveyNeed).where(
                SurveyNeed.id == need_id,
                SurveyNeed.invitation_id.in_(
                    sa.select(SurveyInvitation.id)
                    .join(Survey, Survey.id == SurveyInvitation.survey_id)
                    .where(_mine(viewer))
                ),
            )
        )
    )


def invitation_by_token(token: str) -> SurveyInvitation:
    """Return the invitation a link was made for, or answer 404: an altered link, an erased person, another's number."""
    number, _, _ = token.partition("-")
    found = db.first_or_404(
        sa.select(SurveyInvitation)
        .join(SurveyInvitation.person)
        .where(
            SurveyInvitation.id == (int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0),
            SurveyInvitation.contact_point_id.is_not(None),
            people.STANDING,
        )
    )
    if not hmac.compare_digest(found.token.encode(), token.encode()):
        return db.first_or_404(sa.select(SurveyInvitation).where(sa.false()))
    return found


def office_of(viewer: Account) -> Organisation:
    """Return the office a survey of the viewer's is: the highest where they pair people."""
    held = [grant.organisation for grant in viewer.grants if Permission.PAIRING_EDIT in ROLE_PERMISSIONS[grant.role]]
    return min(held, key=lambda unit: len(unit.path))
