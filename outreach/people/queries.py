"""Reading people: always those the viewer's roles reach."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.kernel import history
from outreach.kernel.contact_details import NotAnEmail, NotAPhone, normalised_email, normalised_phone
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine, Subject
from outreach.kernel.paging import Key, Page, page_of
from outreach.kernel.sealing import blind
from outreach.kernel.wording import N_
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import reach
from outreach.organisations.rules import Permission
from outreach.people.models import Consent, ConsentText, ContactPoint, Look, Person, PersonContact, TalentClass
from outreach.people.rules import ContactKind, Degree, TimelineEntry, normalised_name

CHINESE = "zh_Hans_CN"
MOST_COUNTED = 1000
STANDING = Person.merged_into_id.is_(None)
"""Leaves out the records that were merged into others."""


@dataclass(frozen=True)
class Wanted:
    """What a list of people is narrowed to."""

    text: str = ""
    talent_class: TalentClass | None = None
    degree: Degree | None = None
    organisation_id: int | None = None


def person_for(viewer: Account, person_id: int, permission: Permission = Permission.PEOPLE_READ) -> Person:
    """Return a person kept by an organisation where one of the viewer's roles permits this; 404 elsewhere."""
    return db.one_or_404(
        sa.select(Person)
        .where(Person.id == person_id, STANDING, Person.organisation_id.in_(reach(viewer, permission)))
        .options(joinedload(Person.organisation))
    )


def contact_point(contact_point_id: int) -> ContactPoint | None:
    """Return a number or an address by its id."""
    return db.session.get(ContactPoint, contact_point_id)


def search(viewer: Account, text: str, cursor: str | None = None) -> Page[Person]:
    """Return a page of the people the viewer may see whom a text finds; see `listed`."""
    return listed(viewer, Wanted(text=text), cursor)


def listed(viewer: Account, wanted: Wanted, cursor: str | None = None) -> Page[Person]:
    """Return a page of the people the viewer may see, by the sound of their names.

    A text finds by name (one character is enough), by pinyin and its initials, by a whole number or address, and by
    a number's last four digits where the viewer may see numbers.
    """
    return page_of(
        _narrowed(viewer, wanted).options(joinedload(Person.organisation), joinedload(Person.talent_class)),
        keys=[Key(Person.pinyin), Key(Person.id)],
        cursor=cursor,
    )


def count_of(viewer: Account, wanted: Wanted) -> int:
    """Count the people of a list, up to one more than `MOST_COUNTED`."""
    some = _narrowed(viewer, wanted).with_only_columns(Person.id).limit(MOST_COUNTED + 1).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def organisations_with_people(viewer: Account) -> Sequence[Organisation]:
    """Return the organisations within the viewer's reach that keep people, in the order of the tree."""
    keeping = sa.select(Person.organisation_id).where(STANDING).distinct()
    return db.session.scalars(
        sa.select(Organisation)
        .where(Organisation.id.in_(keeping), Organisation.id.in_(reach(viewer, Permission.PEOPLE_READ)))
        .order_by(Organisation.path)
    ).all()


def talent_classes(*, also: TalentClass | None = None) -> Sequence[TalentClass]:
    """Return the classes people are put into, the highest first; and `also` one that is retired by now."""
    wanted = TalentClass.retired_at.is_(None)
    if also is not None:
        wanted = sa.or_(wanted, TalentClass.id == also.id)
    return db.session.scalars(sa.select(TalentClass).where(wanted).order_by(TalentClass.position)).all()


def organisations_to_keep_for(viewer: Account) -> Sequence[Organisation]:
    """Return the organisations for which the viewer may write down people, their own first."""
    return db.session.scalars(
        sa.select(Organisation)
        .where(Organisation.id.in_(reach(viewer, Permission.PEOPLE_EDIT)))
        .order_by(sa.case((Organisation.id == viewer.organisation_id, 0), else_=1), Organisation.path)
    ).all()


def alike(viewer: Account, name: str, phone: str | None, email: str | None) -> Sequence[Person]:
    """Return the people the viewer may see who have this name, or can be reached there; at most five."""
    points = []
    for kind, value, normal in (
        (ContactKind.PHONE, phone, normalised_phone),
        (ContactKind.EMAIL, email, normalised_email),
    ):
        try:
            points += [blind(normal(value), purpose=kind.value)] if value else []
        except (NotAPhone, NotAnEmail):
            continue
    same = [Person.name_key == normalised_name(name)]
    if points:
        same.append(_reached_by(ContactPoint.index.in_(points)))
    within = sa.and_(STANDING, Person.organisation_id.in_(reach(viewer, Permission.PEOPLE_READ)))
    return (
        db.session.scalars(sa.select(Person).where(within, sa.or_(*same)).order_by(Person.id).limit(5)).unique().all()
    )


def _narrowed(viewer: Account, wanted: Wanted) -> sa.Select[tuple[Person]]:
    people = sa.select(Person).where(STANDING, Person.organisation_id.in_(reach(viewer, Permission.PEOPLE_READ)))
    if wanted.talent_class:
        people = people.where(Person.talent_class_id == wanted.talent_class.id)
    if wanted.degree:
        people = people.where(Person.degree == wanted.degree)
    if wanted.organisation_id:
        people = people.where(Person.organisation_id == wanted.organisation_id)
    found = _found_by(viewer, wanted.text)
    return people if found is None else people.where(found)


def _found_by(viewer: Account, text: str) -> sa.ColumnElement[bool] | None:
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return None
    for kind, normal in ((ContactKind.EMAIL, normalised_email), (ContactKind.PHONE, normalised_phone)):
        try:
            return _reached_by(ContactPoint.index == blind(normal(plain), purpose=kind.value))
        except (NotAPhone, NotAnEmail):
            continue
    if re.fullmatch(r"\d{4}", plain) and viewer.may(Permission.PEOPLE_REVEAL):
        return _reached_by(ContactPoint.tail == blind(plain, purpose="phone.tail"))
    key = normalised_name(plain)
    if not key:
        return sa.false()
    if key.isascii():
        sound = re.sub(r"[^a-z0-9]", "", key)
        begins = [Person.name_key.contains(key, autoescape=True)]
        if sound:
            begins += [Person.pinyin.startswith(sound), Person.pinyin.contains(f" {sound}")]
        return sa.or_(*begins)
    return sa.or_(
        Person.name_key.contains(key, autoescape=True),
        Person.employer.contains(plain, autoescape=True) if len(key) > 1 else sa.false(),
    )


def _reached_by(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return Person.id.in_(
        sa.select(PersonContact.person_id)
        .join(ContactPoint, ContactPoint.id == PersonContact.contact_point_id)
        .where(PersonContact.until.is_(None), condition)
    )


def tail_index(value: str, kind: ContactKind) -> str | None:
    """Return the blind index of a number's last four digits; None for addresses."""
    return blind(value[-4:], purpose="phone.tail") if kind is ContactKind.PHONE else None


def people_at(contact_point_id: int) -> Sequence[Person]:
    """Return everybody who can be reached at a number or address, in the order they came."""
    return (
        db.session.scalars(
            sa.select(Person)
            .join(PersonContact, PersonContact.person_id == Person.id)
            .where(PersonContact.contact_point_id == contact_point_id, PersonContact.until.is_(None))
            .order_by(Person.id)
        )
        .unique()
        .all()
    )


def current_consent(purpose: str, language: str = CHINESE) -> ConsentText | None:
    """Return the newest version of what people are asked to agree to, in this language or else in Chinese."""
    newest = (
        sa.select(ConsentText)
        .where(ConsentText.purpose == purpose)
        .order_by(
            ConsentText.version.desc(),
            sa.case((ConsentText.language == language, 0), (ConsentText.language == CHINESE, 1), else_=2),
        )
        .limit(1)
    )
    return db.session.scalar(newest)


@dataclass(frozen=True)
class Looked:
    """That somebody looked at what is masked: who, at what, when and why."""

    name: str
    what: str
    reason: str
    at: datetime


def looks_at(person: Person, limit: int = 20) -> Sequence[Looked]:
    """Return who looked at a person's masked data, the latest first."""
    return [
        Looked(name, what, reason, at)
        for name, what, reason, at in db.session.execute(
            sa.select(Account.name, Look.what, Look.reason, Look.at)
            .join(Account, Account.id == Look.account_id)
            .where(Look.person_id == person.id)
            .order_by(Look.at.desc(), Look.id.desc())
            .limit(limit)
        )
    ]


def consents_of(person: Person) -> Sequence[Consent]:
    """Return what a person agreed to, the latest first."""
    return db.session.scalars(
        sa.select(Consent)
        .where(Consent.person_id == person.id)
        .options(joinedload(Consent.text))
        .order_by(Consent.given_at.desc(), Consent.id.desc())
    ).all()


def history_of(person: Person) -> Sequence[HistoryLine]:
    """Return everything that was done with a record, oldest first."""
    return history.lines_of(Subject("person", person.id))


def names_of_accounts(ids: Sequence[int]) -> Mapping[int, str]:
    """Return the names of accounts, for lines of history."""
    return dict(db.session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(set(ids)))).all())


LINES = {
    "created": N_("Entered into the records"),
    "imported": N_("Completed from a file"),
    "changed": N_("Record corrected"),
    "contact_removed": N_("A number or address was taken off"),
    "looked_at": N_("Somebody looked at masked data"),
}
"""What a line of a person's history says, by its act."""


def timeline_of(person_id: int, before: datetime | None = None, limit: int = 20) -> list[TimelineEntry]:
    """Return how a person came into the records, what files completed, and what they agreed to, latest first.

    :param before: only what happened earlier
    """
    lines = sa.select(HistoryLine).where(
        HistoryLine.subject_kind == "person",
        HistoryLine.subject_id == person_id,
        HistoryLine.act.in_(["created", "imported"]),
    )
    agreed = sa.select(Consent).where(Consent.person_id == person_id).options(joinedload(Consent.text))
    if before is not None:
        lines = lines.where(HistoryLine.at < before)
        agreed = agreed.where(Consent.given_at < before)
    entries = [
        TimelineEntry(
            at=line.at,
            kind="import",
            key=f"person-{line.id}",
            sentence=N_("Came in by a file, row %(row)s")
            if line.facts.get("row")
            else N_("Came in by registering")
            if str(line.facts.get("source", "")).startswith("registration")
            else LINES[line.act],
            values={"row": line.facts["row"]} if line.facts.get("row") else {},
        )
        for line in db.session.scalars(lines.order_by(HistoryLine.at.desc(), HistoryLine.id.desc()).limit(limit))
    ]
    entries += [
        TimelineEntry(
            at=consent.given_at,
            kind="consent",
            key=f"consent-{consent.id}",
            sentence=N_("Agreed to how their data are used, version %(version)s"),
            values={"version": consent.text.version},
        )
        for consent in db.session.scalars(agreed.order_by(Consent.given_at.desc(), Consent.id.desc()).limit(limit))
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.key), reverse=True)[:limit]


def known_people(
    viewer: Account, *, identities: Sequence[str], contacts: Sequence[str], names: Sequence[str]
) -> Sequence[Person]:
    """Return the people within the viewer's reach who share an identity, a contact or a name, each by its index or key.

    For comparing many rows of a file at once: three look-ups, however many rows.
    """
    within = sa.and_(
        STANDING, Person.organisation_id.in_(reach(viewer, Permission.PEOPLE_READ, Permission.PEOPLE_IMPORT))
    )
    ids: set[int] = set()
    if identities:
        ids.update(db.session.scalars(sa.select(Person.id).where(within, Person.identity_index.in_(identities))))
    if names:
        ids.update(db.session.scalars(sa.select(Person.id).where(within, Person.name_key.in_(names))))
    if contacts:
        ids.update(
            db.session.scalars(
                sa.select(PersonContact.person_id)
                .join(ContactPoint, ContactPoint.id == PersonContact.contact_point_id)
                .join(Person, Person.id == PersonContact.person_id)
                .where(within, PersonContact.until.is_(None), ContactPoint.index.in_(contacts))
            )
        )
    return people_by_id(sorted(ids))


def people_by_id(ids: Sequence[int]) -> Sequence[Person]:
    """Return people by their ids, for features that already know the viewer may see them."""
    if not ids:
        return []
    return db.session.scalars(sa.select(Person).where(Person.id.in_(ids)).order_by(Person.id)).unique().all()


def account_by_id(account_id: int) -> Account:
    """Return the account that brings a file."""
    return db.session.get_one(Account, account_id)
