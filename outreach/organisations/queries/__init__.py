"""Reading the tree and its accounts; what a person's roles reach."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from outreach.kernel.actor import ActorKind
from outreach.kernel.contact_details import normalised_email, normalised_phone
from outreach.kernel.database import db, kept_in_mind
from outreach.kernel.history import HistoryLine
from outreach.kernel.lately import Lately
from outreach.kernel.paging import Key, Page, page_of
from outreach.kernel.refusals import Refused
from outreach.kernel.sealing import blind
from outreach.organisations.models import Absence, Account, Grant, Installation, Mark, Organisation
from outreach.organisations.queries.leave import away, deputies_in, leave_among, take_duties
from outreach.organisations.rules import ROLE_PERMISSIONS, Permission, Role
from outreach.organisations.rules.approval import Seat, approvers, filled


def installation() -> Installation | None:
    """Return the installation, or None before the first set-up."""
    city = db.session.get(Installation, 1)
    if city is not None:
        kept_in_mind(city)  # a page mentions it more than once
    return city


_INSTALLATION = sa.inspect(Installation).identity_key_from_primary_key((1,))
_language = Lately[int, str](
    lambda which: db.session.scalar(sa.select(Installation.language).where(Installation.id == which))
)


def language_lately(*, now: datetime) -> str | None:
    """Return the city's language, or None before the first set-up.

    A page has read the installation anyway and gets what stands there. What answers without a page, such as the door's
    scanner, gets what this process saw within the last second, and asks nothing of the database.
    """
    if db.session.registry.has() and _INSTALLATION in db.session.identity_map:
        return the_installation().language
    return _language.about(1, now=now)


def the_installation() -> Installation:
    """Return the installation, once it is set up.

    :raises sqlalchemy.exc.NoResultFound: before the first set-up
    """
    return db.session.get_one(Installation, 1)


def mark_by_digest(digest: str) -> Mark | None:
    """Return a mark by the hash of its picture, or None."""
    return db.session.scalar(sa.select(Mark).where(Mark.digest == digest))


def lead_organisation() -> Organisation:
    """Return the lead office: the root of the tree and the city's intake desk.

    :raises sqlalchemy.exc.NoResultFound: before the first set-up
    """
    return the_installation().lead_organisation


def root() -> Organisation | None:
    """Return the top of the tree, or None while there is no tree."""
    return db.session.scalar(sa.select(Organisation).where(Organisation.parent_id.is_(None)).order_by(Organisation.id))


def reach(viewer: Account, *permissions: Permission) -> sa.Select[tuple[int]]:
    """Return a select of the ids of the organisations where one of the viewer's roles permits this.

    A role reaches the organisation it is held at and everything below it. Scoped queries of every feature use it:
    `Event.organisation_id.in_(reach(viewer, Permission.EVENT_READ))`.
    """
    paths = {
        grant.organisation.path for grant in viewer.grants_now if ROLE_PERMISSIONS[grant.role].intersection(permissions)
    }
    if not paths:
        return sa.select(Organisation.id).where(sa.false())
    return sa.select(Organisation.id).where(
        sa.or_(*(Organisation.path.startswith(path, autoescape=True) for path in sorted(paths)))
    )


def within(column: Any, viewer: Account, *permissions: Permission) -> sa.ColumnElement[bool]:
    """Return the condition that a column, never null, holds an organisation where a role of the viewer permits this.

    Says the same as `column.in_(reach(viewer, …))` with the ids themselves, or nothing at all where the viewer reaches
    the whole tree: so that a database can read a long list in its order instead of collecting and sorting it.
    """
    ids = reached_ids(viewer, *permissions)
    return sa.true() if ids is None else column.in_(ids)


MANY = 1000


def within_list(column: Any, viewer: Account, *permissions: Permission) -> sa.ColumnElement[bool]:
    """Return the same condition for a list sorted otherwise, of which the viewer may see few rows or very many.

    Few are collected and sorted. Where there are more than `MANY`, the list is read in its order until a page is full:
    a column to which nothing is added tells a database that no index helps to collect them.
    """
    condition = within(column, viewer, *permissions)
    if condition is sa.true():
        return condition
    some = sa.select(sa.literal(1)).where(condition).limit(MANY + 1).subquery()
    few = (db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0) <= MANY
    return condition if few else within(column + 0, viewer, *permissions)


def reached_ids(viewer: Account, *permissions: Permission) -> Sequence[int] | None:
    """Return the ids of the organisations where one of the viewer's roles permits this; None: all there are."""
    if not any(ROLE_PERMISSIONS[grant.role].intersection(permissions) for grant in viewer.grants_now):
        return ()
    reached = reach(viewer, *permissions)
    beyond = db.session.scalar(sa.select(Organisation.id).where(Organisation.id.not_in(reached)).limit(1))
    return None if beyond is None else sorted(db.session.scalars(reached))


def reaches(viewer: Account, organisation: Organisation, *permissions: Permission) -> bool:
    """Tell whether one of the viewer's roles permits one of these at the organisation."""
    return any(
        ROLE_PERMISSIONS[grant.role].intersection(permissions) and organisation.path.startswith(grant.organisation.path)
        for grant in viewer.grants_now
    )


def who_approves(asked: Sequence[tuple[str, int | None]], *, now: datetime) -> list[Mapping[int, str]]:
    """Return who may approve each of these, as account ids and names. Deputies count in the place of who is away today.

    :param asked: the path of the unit and the id of the author, for each
    """
    if not asked:
        return []
    found = db.session.execute(
        sa.select(Account.id, Account.name, Grant.role, Organisation.path)
        .join(Grant, Grant.account_id == Account.id)
        .join(Organisation, Organisation.id == Grant.organisation_id)
        .where(Account.disabled_at.is_(None), Grant.role.in_((Role.APPROVER, Role.ORGANISER, Role.SUPERVISOR)))
        .order_by(Account.id)
    ).all()
    names = {account_id: name for account_id, name, _, _ in found}
    absent = away(names, now=now)
    names |= {one.deputy_id: one.deputy.name for one in absent.values() if one.deputy is not None}
    seats = filled([Seat(account_id, role, path) for account_id, _, role, path in found], deputies_in(absent))
    return [
        {account_id: names[account_id] for account_id in sorted(approvers(path, seats, author_id))}
        for path, author_id in asked
    ]


def units_overseen(viewer: Account) -> sa.Select[tuple[int]] | None:
    """Return a select of the ids of the units whose exports the viewer oversees; None for who oversees none."""
    return reach(viewer, Permission.EXPORT_OVERSEE) if viewer.may(Permission.EXPORT_OVERSEE) else None


def who_wrote(lines: Iterable[HistoryLine]) -> Mapping[int, str]:
    """Return the names of those at a desk who did what lines of history tell, by the id of the line."""
    ids = {line.id: line.actor_id for line in lines if line.actor_kind is ActorKind.STAFF}
    named = sa.select(Account.id, Account.name).where(Account.id.in_(set(ids.values())))
    names = dict(db.session.execute(named).all())
    return {line_id: names[account_id] for line_id, account_id in ids.items() if account_id in names}


@dataclass(frozen=True)
class Branch:
    """An organisation and how deep it stands below the top of what is shown (0 at the top)."""

    organisation: Organisation
    depth: int


def tree(viewer: Account, *permissions: Permission) -> list[Branch]:
    """Return the organisations the viewer reaches, each right after the one it stands under."""
    return _in_order(
        db.session.scalars(sa.select(Organisation).where(Organisation.id.in_(reach(viewer, *permissions))))
    )


def units_below(organisation: Organisation) -> list[Branch]:
    """Return the organisation and everything below it, each right after the one it stands under."""
    return _in_order(
        db.session.scalars(
            sa.select(Organisation).where(Organisation.path.startswith(organisation.path, autoescape=True))
        )
    )


def organisation_for(viewer: Account, organisation_id: int, *permissions: Permission) -> Organisation:
    """Return an organisation where one of the viewer's roles permits this; 404 where none does."""
    return db.one_or_404(
        sa.select(Organisation).where(
            Organisation.id == organisation_id, Organisation.id.in_(reach(viewer, *permissions))
        )
    )


def account_for(viewer: Account, account_id: int) -> Account:
    """Return an account the viewer administers; 404 elsewhere."""
    return db.one_or_404(_administered(viewer).where(Account.id == account_id))


def accounts(
    viewer: Account, *, text: str, waiting: bool, cursor: str | None, organisation: Organisation | None = None
) -> Page[Account]:
    """Return a page of the accounts the viewer administers, newest first.

    `text` is a part of a name, username or unit, or a whole number or address; `waiting` leaves those who have not
    chosen a password yet.
    """
    return page_of(
        _accounts(viewer, text=text, waiting=waiting, organisation=organisation),
        keys=[Key(Account.id, descending=True)],
        cursor=cursor,
    )


def account_ids(viewer: Account, *, text: str, waiting: bool) -> sa.Select[tuple[int]]:
    """Return the select of the ids of all accounts that `accounts` lists, by unit."""
    return (
        _accounts(viewer, text=text, waiting=waiting, organisation=None)
        .with_only_columns(Account.id)
        .order_by(Account.organisation_id, Account.id)
    )


def accounts_to_activate(viewer: Account, *, ids: Sequence[int] | None, limit: int) -> list[Account]:
    """Return those of the ids that the viewer administers; where `ids` is None, everybody without a password yet.

    Open accounts only, by unit and name.
    """
    statement = _administered(viewer).where(Account.disabled_at.is_(None))
    statement = statement.where(Account.password_hash.is_(None) if ids is None else Account.id.in_(ids))
    return list(db.session.scalars(statement.order_by(Account.organisation_id, Account.name, Account.id).limit(limit)))


def count_waiting(viewer: Account) -> int:
    """Return how many accounts the viewer administers have no password yet."""
    waiting = _accounts(viewer, text="", waiting=True, organisation=None).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(waiting)) or 0


def headcounts(organisation_ids: Sequence[int]) -> Mapping[int, int]:
    """Return how many open accounts each organisation has, itself only."""
    rows = db.session.execute(
        sa.select(Account.organisation_id, sa.func.count())
        .where(Account.organisation_id.in_(organisation_ids), Account.disabled_at.is_(None))
        .group_by(Account.organisation_id)
    )
    return dict(rows.all())


def holders(organisation: Organisation, *roles: Role) -> Sequence[Account]:
    """Return the open accounts that hold one of the roles at exactly this organisation, in order of joining."""
    held = sa.select(Grant.account_id).where(Grant.organisation_id == organisation.id, Grant.role.in_(roles))
    return db.session.scalars(
        sa.select(Account).where(Account.id.in_(held), Account.disabled_at.is_(None)).order_by(Account.id)
    ).all()


def administrators_of_everything() -> Sequence[Account]:
    """Return the open accounts that administer the whole tree."""
    top = root()
    return holders(top, Role.ADMINISTRATOR) if top else []


def organisations_named(text: str) -> Sequence[Organisation]:
    """Return the organisations whose full or short name is exactly this, oldest first."""
    return db.session.scalars(
        sa.select(Organisation)
        .where(sa.or_(Organisation.name == text, Organisation.short_name == text))
        .order_by(Organisation.id)
    ).all()


def account_named(name: str) -> Account | None:
    """Return the account of a username, a number in E.164 or an address, each in its normal form."""
    if name.startswith("+"):
        condition = Account.phone_index == blind(name, purpose="phone")
    elif "@" in name:
        condition = Account.email_index == blind(name, purpose="email")
    else:
        condition = Account.username == name
    return db.session.scalar(sa.select(Account).where(condition))


def above(viewer: Account) -> list[int]:
    """Return the ids of the organisations the viewer holds a role at and of all that stand above them.

    What a unit offers to the units below it (its programmes, its venues) is found by these.
    """
    return sorted({int(step) for grant in viewer.grants_now for step in grant.organisation.path.split(".") if step})


def account_of_session(kept: str, *, now: datetime) -> Account | None:
    """Return the account a session was opened for, with what it may do as a deputy today.

    None if it was closed, disabled or has a new password.
    """
    account_id, _, version = kept.partition(".")
    if not (account_id.isdigit() and version.isdigit()):
        return None
    account = db.session.get(Account, int(account_id))
    if account is None or not account.is_active or account.session_version != int(version):
        return None
    return take_duties(account, now=now)


def account_on(account_id: int, now: datetime) -> Account:
    """Return an account with what it may do at a moment, as a deputy too.

    :raises sqlalchemy.exc.NoResultFound: if there is none
    """
    return take_duties(db.session.get_one(Account, account_id), now=now)


def leave_of_accounts_for(viewer: Account, *, now: datetime, cursor: str | None) -> Page[Absence]:
    """Return a page of the leave, running or to come, of the accounts the viewer administers, soonest first."""
    return leave_among(_administered(viewer), now=now, cursor=cursor)


def _in_order(organisations: sa.ScalarResult[Organisation]) -> list[Branch]:
    units = sorted(organisations, key=lambda unit: unit.id)
    known = {unit.id for unit in units}
    below: dict[int | None, list[Organisation]] = {}
    for unit in units:
        below.setdefault(unit.parent_id if unit.parent_id in known else None, []).append(unit)
    ordered: list[Branch] = []
    waiting = [Branch(unit, 0) for unit in reversed(below.get(None, []))]
    while waiting:
        branch = waiting.pop()
        ordered.append(branch)
        waiting.extend(Branch(unit, branch.depth + 1) for unit in reversed(below.get(branch.organisation.id, [])))
    return ordered


def _accounts(
    viewer: Account, *, text: str, waiting: bool, organisation: Organisation | None
) -> sa.Select[tuple[Account]]:
    statement = _administered(viewer)
    if waiting:
        statement = statement.where(Account.password_hash.is_(None), Account.disabled_at.is_(None))
    if organisation is not None:
        statement = statement.where(Account.organisation_id == organisation.id)
    if text:
        statement = statement.where(_matches(text))
    return statement


def _administered(viewer: Account) -> sa.Select[tuple[Account]]:
    """Accounts of the viewer's units, but for those who also do something elsewhere.

    Otherwise a county's administrator could make a link for somebody who administers the whole city.
    """
    reached = reach(viewer, Permission.ADMINISTER)
    elsewhere = sa.select(Grant.account_id).where(Grant.organisation_id.not_in(reached))
    return sa.select(Account).where(Account.organisation_id.in_(reached), Account.id.not_in(elsewhere))


def _matches(text: str) -> sa.ColumnElement[bool]:
    units = sa.select(Organisation.id).where(
        sa.or_(
            Organisation.name.contains(text, autoescape=True), Organisation.short_name.contains(text, autoescape=True)
        )
    )
    return sa.or_(
        Account.name.contains(text, autoescape=True),
        Account.username.contains(text.lower(), autoescape=True),
        Account.organisation_id.in_(units),
        *_reached_at(text),
    )


def _reached_at(text: str) -> Iterator[sa.ColumnElement[bool]]:
    with suppress(Refused):
        yield Account.phone_index == blind(normalised_phone(text), purpose="phone")
    with suppress(Refused):
        yield Account.email_index == blind(normalised_email(text), purpose="email")
