"""What changes the city, the tree, its accounts and their roles. Every change is a line in its subject's history."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.contact_details import normalised_email, normalised_phone
from outreach.kernel.database import db, locked, one_at_a_time_while_keys_change
from outreach.kernel.history import Subject
from outreach.kernel.references import pointed_to, standing_alone
from outreach.kernel.sealing import blind
from outreach.organisations import queries
from outreach.organisations.models import Account, Grant, Installation, Mark, Organisation
from outreach.organisations.rules import (
    USERNAME_LONGEST,
    AlreadySetUp,
    BelowItself,
    EmailTaken,
    LastAdministrator,
    NameTaken,
    OrganisationKind,
    OrganisationNameTaken,
    OwnAccount,
    PhoneTaken,
    Role,
    RootExists,
    RootStays,
    UsernameUnfit,
    checked_username,
)
from outreach.organisations.signals import places_changed


def set_up(
    *, city_name: str, name: str, short_name: str, brand_colour: str, language: str, by: Actor, now: datetime
) -> Installation:
    """Make this database the installation of a city, with its lead office as the root of the tree.

    :raises AlreadySetUp: the second time
    """
    if queries.installation() is not None:
        raise AlreadySetUp
    lead = create_organisation(
        name=name, short_name=short_name, kind=OrganisationKind.LEAD, parent=None, by=by, now=now
    )
    installation = Installation(
        id=1,
        city_name=city_name,
        brand_colour=brand_colour,
        language=language,
        lead_organisation=lead,
        set_up_at=now,
    )
    db.session.add(installation)
    try:
        with db.session.begin_nested():
            db.session.flush()
    except sa.exc.IntegrityError as error:  # another browser was quicker: the table holds one row
        raise AlreadySetUp from error
    return installation


def keep_mark(*, png: bytes, now: datetime) -> Mark:
    """Keep a mark that was drawn anew; the same one is kept once."""
    digest = hashlib.sha256(png).hexdigest()
    kept = queries.mark_by_digest(digest)
    if kept is None:
        kept = Mark(png=png, digest=digest, made_at=now)
        db.session.add(kept)
        db.session.flush()
    return kept


def edit_city(
    *,
    installation: Installation,
    city_name: str,
    brand_colour: str,
    language: str,
    mark: Mark | None,
    office_address: str | None,
    office_phone: str | None,
    office_hours: str | None,
    by: Actor,
    now: datetime,
) -> None:
    """Change what every page says of the city and wears; its history says what was changed."""
    installation.city_name = city_name
    installation.brand_colour = brand_colour
    installation.language = language
    installation.mark = mark
    installation.office_address = office_address or None
    installation.office_phone = office_phone or None
    installation.office_hours = office_hours or None
    changed = sorted(attribute.key for attribute in sa.inspect(installation).attrs if attribute.history.has_changes())
    if not changed:
        return
    db.session.flush()
    if "city_name" in changed:
        places_changed.send(installation, now=now)
    history.write(
        subject=Subject("city", installation.id),
        act="edited",
        by=by,
        now=now,
        facts={"changed": changed, "colour": brand_colour, "language": language, "mark": mark.id if mark else None},
        words=" · ".join(each for each in (city_name, office_address, office_phone, office_hours) if each),
    )


def create_organisation(
    *, name: str, short_name: str, kind: OrganisationKind, parent: Organisation | None, by: Actor, now: datetime
) -> Organisation:
    """Add a body to the tree, below `parent`; only the lead office of the first set-up has none.

    :raises RootExists: for a second root
    :raises OrganisationNameTaken: if there is one of this full or short name under the same parent
    """
    if parent is None and queries.root() is not None:
        raise RootExists
    _refuse_a_doubled_name(parent, name, short_name, except_id=None)
    organisation = Organisation(name=name, short_name=short_name, kind=kind, parent=parent, path="")
    db.session.add(organisation)
    db.session.flush()  # the path is made of ids
    organisation.path = f"{parent.path if parent else ''}{organisation.id}."
    history.write(
        subject=Subject("organisation", organisation.id),
        act="created",
        by=by,
        now=now,
        facts={"kind": kind, "parent": parent.id if parent else None},
        words=f"{name} ({short_name})",
    )
    if kind is OrganisationKind.AREA:
        places_changed.send(organisation, now=now)
    return organisation


def take_back_organisations(*, ids: Iterable[int], by: Actor, now: datetime) -> set[int]:
    """Remove bodies that a file added, those below first; return those that stay because something stands on them."""
    left = set()
    for organisation_id in sorted(ids, reverse=True):
        organisation = db.session.get(Organisation, organisation_id)
        if organisation is None:
            continue
        if not standing_alone("organisation", "organisations", [organisation_id]):
            left.add(organisation_id)
            continue
        history.write(subject=Subject("organisation", organisation_id), act="removed", by=by, now=now)
        if organisation.kind is OrganisationKind.AREA:
            places_changed.send(organisation, now=now)
        db.session.delete(organisation)
        db.session.flush()
    return left


def take_back_accounts(*, ids: Iterable[int], by: Actor, now: datetime) -> set[int]:
    """Remove accounts that a file opened; return those that stay because they are in use or something names them."""
    held = db.session.scalars(locked(sa.select(Account.id).where(Account.id.in_(list(ids))).order_by(Account.id))).all()
    used = pointed_to("accounts", held, apart_from=["grants"])
    left = set()
    for account in (db.session.get_one(Account, account_id) for account_id in held):
        if account.activated_at is not None or account.id in used:
            left.add(account.id)
            continue
        history.write(subject=Subject("account", account.id), act="removed", by=by, now=now)
        account.grants.clear()
        db.session.delete(account)
    db.session.flush()
    return left


def edit_organisation(
    *, organisation: Organisation, name: str, short_name: str, kind: OrganisationKind, by: Actor, now: datetime
) -> None:
    """Rename a body or correct its kind.

    :raises OrganisationNameTaken: if a sibling has the name
    """
    if (organisation.name, organisation.short_name, organisation.kind) == (name, short_name, kind):
        return
    _refuse_a_doubled_name(organisation.parent, name, short_name, except_id=organisation.id)
    if OrganisationKind.AREA in (organisation.kind, kind):
        places_changed.send(organisation, now=now)
    organisation.name, organisation.short_name, organisation.kind = name, short_name, kind
    history.write(
        subject=Subject("organisation", organisation.id),
        act="edited",
        by=by,
        now=now,
        facts={"kind": kind},
        words=f"{name} ({short_name})",
    )


def move_organisation(*, organisation: Organisation, parent: Organisation, by: Actor, now: datetime) -> None:
    """Put a body, with everything below it, under another one. Who sees what changes with it at once.

    :raises RootStays: for the lead office
    :raises BelowItself: if the new parent is the body itself or stands below it
    :raises OrganisationNameTaken: if there is one of its name already
    """
    if organisation.parent_id == parent.id:
        return
    if organisation.parent_id is None:
        raise RootStays
    if parent.path.startswith(organisation.path):
        raise BelowItself(name=organisation.short_name)
    _refuse_a_doubled_name(parent, organisation.name, organisation.short_name, except_id=organisation.id)
    old, new = organisation.path, f"{parent.path}{organisation.id}."
    below = db.session.scalars(
        locked(sa.select(Organisation).where(Organisation.path.startswith(old, autoescape=True)))
    ).all()
    history.write(
        subject=Subject("organisation", organisation.id),
        act="moved",
        by=by,
        now=now,
        facts={"from": organisation.parent_id, "to": parent.id},
    )
    for unit in below:
        unit.path = new + unit.path.removeprefix(old)
    organisation.parent = parent
    db.session.flush()


def create_account(
    *,
    name: str,
    organisation: Organisation,
    roles: Iterable[tuple[Role, Organisation]],
    position: str | None,
    phone: str | None,
    email: str | None,
    by: Actor,
    now: datetime,
    username: str | None = None,
) -> Account:
    """Open an account for somebody who works here; they choose a password by a one-time link (signing_in).

    Without a username one is made of the name's pinyin. Phone and address may be written as people write them.

    :raises kernel.contact_details.NotAPhone: for what is no mobile number
    :raises kernel.contact_details.NotAnEmail: for what is no address
    :raises PhoneTaken: if an account has the number
    :raises EmailTaken: if an account has the address
    :raises UsernameUnfit: if the username could be taken for a number or an address
    :raises NameTaken: if an account has the username
    """
    account = Account(
        name=name,
        username=_free_username(username, None) if username else _username_for(name),
        organisation=organisation,
        position=position or None,
        created_at=now,
    )
    _reach_at(account, phone=phone, email=email)
    account.grants = [Grant(role=role, organisation=at) for role, at in dict.fromkeys(roles)]
    db.session.add(account)
    db.session.flush()  # its history needs its id
    history.write(
        subject=Subject("account", account.id),
        act="created",
        by=by,
        now=now,
        facts={"organisation": organisation.id, "roles": _roles(account)},
        words=name,
    )
    return account


def edit_account(
    *,
    account: Account,
    name: str,
    username: str,
    organisation: Organisation,
    position: str | None,
    phone: str | None,
    email: str | None,
    by: Actor,
    now: datetime,
) -> None:
    """Correct what is known of somebody who works here.

    :raises kernel.refusals.Refused: as create_account
    """
    account.name = name
    account.username = _free_username(username, account.id)
    account.organisation = organisation
    account.position = position or None
    _reach_at(account, phone=phone, email=email)
    changed = sorted(column.key for column in sa.inspect(account).mapper.column_attrs if _changed(account, column.key))
    moved = sa.inspect(account).attrs.organisation.history.has_changes()
    if not changed and not moved:
        return
    db.session.flush()
    history.write(
        subject=Subject("account", account.id),
        act="edited",
        by=by,
        now=now,
        facts={"columns": changed, "organisation": organisation.id},
        words=name,
    )


def set_roles(*, account: Account, roles: Iterable[tuple[Role, Organisation]], by: Actor, now: datetime) -> None:
    """Let an account hold exactly these roles.

    :raises LastAdministrator: if nobody else looks after the whole installation
    """
    wanted = dict.fromkeys((role, at) for role, at in roles)
    before = _roles(account)
    kept = [grant for grant in account.grants if (grant.role, grant.organisation) in wanted]
    held = {(grant.role, grant.organisation) for grant in kept}
    account.grants = kept + [Grant(role=role, organisation=at) for role, at in wanted if (role, at) not in held]
    if _roles(account) == before:
        return
    db.session.flush()
    _refuse_without_an_administrator(account)
    history.write(
        subject=Subject("account", account.id),
        act="roles_changed",
        by=by,
        now=now,
        facts={"before": before, "roles": _roles(account)},
    )


def disable_account(*, account: Account, by: Actor, now: datetime) -> None:
    """Close an account: its sessions end at once, its name stays on what it did.

    :raises OwnAccount: for the account of whoever asks
    :raises LastAdministrator: if nobody else looks after the whole installation
    """
    if by == account.actor:
        raise OwnAccount
    if account.disabled_at is not None:
        return
    account.disabled_at = now
    account.session_version += 1
    db.session.flush()
    _refuse_without_an_administrator(account)
    history.write(subject=Subject("account", account.id), act="disabled", by=by, now=now)


def enable_account(*, account: Account, by: Actor, now: datetime) -> None:
    """Open a closed account again; it keeps its password and its roles."""
    if account.disabled_at is None:
        return
    account.disabled_at = None
    history.write(subject=Subject("account", account.id), act="enabled", by=by, now=now)


def _refuse_a_doubled_name(parent: Organisation | None, name: str, short_name: str, *, except_id: int | None) -> None:
    siblings = sa.select(Organisation).where(
        Organisation.parent_id == (parent.id if parent else None), Organisation.id != (except_id or 0)
    )
    for sibling in db.session.scalars(siblings.order_by(Organisation.id)):
        for taken in (name, short_name):
            if taken in (sibling.name, sibling.short_name):
                raise OrganisationNameTaken(name=taken)


def _reach_at(account: Account, *, phone: str | None, email: str | None) -> None:
    number = normalised_phone(phone) if phone else None
    address = normalised_email(email) if email else None
    one_at_a_time_while_keys_change("accounts")
    number_index = blind(number, purpose="phone") if number else None
    address_index = blind(address, purpose="email") if address else None
    with db.session.no_autoflush:
        if number_index and _another(account, Account.phone_index == number_index):
            raise PhoneTaken
        if address_index and _another(account, Account.email_index == address_index):
            raise EmailTaken
    if account.phone_index != number_index:  # sealing the same number anew would look like a change
        account.phone, account.phone_index = number, number_index
    if account.email_index != address_index:
        account.email, account.email_index = address, address_index


def _another(account: Account, condition: sa.ColumnElement[bool]) -> bool:
    return (
        db.session.scalar(sa.select(Account.id).where(condition, Account.id != (account.id or 0)).limit(1)) is not None
    )


def _free_username(username: str, account_id: int | None) -> str:
    wanted = checked_username(username)
    with db.session.no_autoflush:
        holder = db.session.scalar(sa.select(Account.id).where(Account.username == wanted))
    if holder is not None and holder != account_id:
        raise NameTaken(username=wanted)
    return wanted


def _username_for(name: str) -> str:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 -- 55 MB, which only whoever opens an account needs

    spelled = "".join(sign for sign in "".join(lazy_pinyin(name, style=Style.NORMAL)).lower() if sign.isalnum())
    try:
        stem = checked_username(spelled[: USERNAME_LONGEST - 4])
    except UsernameUnfit:
        stem = "user"
    taken = set(
        db.session.scalars(sa.select(Account.username).where(Account.username.startswith(stem, autoescape=True)))
    )
    free = stem
    number = 1
    while free in taken:
        number += 1
        free = f"{stem}{number}"
    return free


def _roles(account: Account) -> list[list[object]]:
    return sorted([grant.role.value, grant.organisation.id] for grant in account.grants)


def _changed(account: Account, key: str) -> bool:
    return sa.inspect(account).attrs[key].history.has_changes()


def _refuse_without_an_administrator(account: Account) -> None:
    if not queries.administrators_of_everything():
        raise LastAdministrator(name=account.name)
