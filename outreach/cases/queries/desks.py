"""Whose desk is whose: units that can be assigned to, standing routes, who approves."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from outreach.cases.models import AnswersApproved, Case, TopicRoute
from outreach.cases.rules.asking import Topic
from outreach.cases.rules.ladder import OWED_TO
from outreach.cases.rules.moves import Step
from outreach.kernel.database import db
from outreach.organisations.models import Account, Grant, Organisation
from outreach.organisations.queries import lead_organisation, reach, reaches, who_approves
from outreach.organisations.queries.leave import deputies
from outreach.organisations.rules import ROLE_PERMISSIONS, OrganisationKind, Permission
from outreach.organisations.rules.leave import told


def intake_for(viewer: Account) -> Organisation | None:
    """Return the intake desk the viewer works at: the lead office, if a role of theirs assigns there; else None."""
    office = lead_organisation()
    return office if reaches(viewer, office, Permission.CASE_ASSIGN) else None


def wants_approval(unit: Organisation) -> AnswersApproved | None:
    """Return the unit's wish that its head approves its answers; None where it has none."""
    return db.session.scalar(sa.select(AnswersApproved).where(AnswersApproved.unit_id == unit.id))


def approvers_of(case: Case, *, author_id: int, now: datetime) -> Sequence[Account]:
    """Return who may approve an answer that this account wrote for the lead unit, by domain.md's rule for the tree."""
    [found] = who_approves([(case.lead.path, author_id)], now=now)
    return db.session.scalars(sa.select(Account).where(Account.id.in_(found)).order_by(Account.id)).all()


def units_with_approval(viewer: Account) -> Sequence[tuple[Organisation, bool]]:
    """Return the units whose head the viewer is, or that the viewer supervises, and whether answers wait for approval.

    Only units whose desk answers requests.
    """
    reached = reach(viewer, Permission.CASE_APPROVE, Permission.CASE_SUPERVISE)
    wanted = sa.exists().where(AnswersApproved.unit_id == Organisation.id)
    return db.session.execute(
        sa.select(Organisation, wanted)
        .where(Organisation.id.in_(reached), Organisation.id.in_(units_with_handlers()))
        .order_by(Organisation.path, Organisation.id)
    ).all()


def units_to_assign_to(intake: Organisation) -> Sequence[Organisation]:
    """Return the units an intake desk may make answerable: itself and everything below it but employers."""
    return db.session.scalars(
        sa.select(Organisation)
        .where(
            Organisation.path.startswith(intake.path, autoescape=True), Organisation.kind != OrganisationKind.EMPLOYER
        )
        .order_by(Organisation.path, Organisation.id)
    ).all()


def desk_of(unit: Organisation, permission: Permission, *, now: datetime) -> Sequence[Account]:
    """Return who is to hear what comes to a desk: the open accounts with a role with this permission at this very unit.

    Deputies hear it in the place of those who are away today; where nobody is left, those who are away do.
    """
    roles = [role for role, permissions in ROLE_PERMISSIONS.items() if permission in permissions]
    holding = db.session.scalars(
        sa.select(Account.id)
        .where(
            Account.disabled_at.is_(None),
            Account.id.in_(sa.select(Grant.account_id).where(Grant.organisation_id == unit.id, Grant.role.in_(roles))),
        )
        .order_by(Account.id)
    ).all()
    hearing = told(holding, deputies(holding, now=now))
    return db.session.scalars(sa.select(Account).where(Account.id.in_(hearing)).order_by(Account.id)).all()


def owing(case: Case, *, now: datetime) -> Sequence[Account]:
    """Return who is to take the next step of an open request; the intake desk where nobody at the unit can."""
    if case.step is Step.APPROVE and case.draft is not None:
        found = approvers_of(case, author_id=case.draft.account_id, now=now)
    else:
        found = desk_of(case.answerable, OWED_TO[case.step], now=now)
    return found or desk_of(case.intake, Permission.CASE_ASSIGN, now=now)


def units_with_handlers() -> frozenset[int]:
    """Return the ids of the units where somebody can accept and answer."""
    roles = [role for role, permissions in ROLE_PERMISSIONS.items() if Permission.CASE_HANDLE in permissions]
    return frozenset(db.session.scalars(sa.select(Grant.organisation_id).where(Grant.role.in_(roles)).distinct()))


def route_for(intake: Organisation, topic: Topic) -> TopicRoute | None:
    """Return the intake desk's standing route of a topic, if a person has saved one."""
    return db.session.scalar(sa.select(TopicRoute).where(TopicRoute.intake_id == intake.id, TopicRoute.topic == topic))


def routes_of(intake: Organisation) -> dict[Topic, TopicRoute]:
    """Return the intake desk's standing routes by topic."""
    found = db.session.scalars(
        sa.select(TopicRoute).where(TopicRoute.intake_id == intake.id).order_by(TopicRoute.topic)
    )
    return {route.topic: route for route in found}
