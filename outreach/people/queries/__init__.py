"""Reading people: always those the viewer's roles reach."""

import hmac
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from outreach.kernel import history, word_index
from outreach.kernel.contact_details import NotAnEmail, NotAPhone, normalised_email, normalised_phone
from outreach.kernel.database import among, db, kept_in_mind
from outreach.kernel.history import HistoryLine, Subject
from outreach.kernel.paging import SIZE, Key, Page, page_of
from outreach.kernel.sealing import blind, proof, under_every_key
from outreach.kernel.wording import N_
from outreach.kernel.words import LONGEST_WORD, Run, asked_for
from outreach.organisations.models import Account, Grant, Organisation
from outreach.organisations.queries import reach, within, within_list
from outreach.organisations.rules import OrganisationKind, Permission, Role
from outreach.people.models import (
    Consent,
    ConsentText,
    ContactPoint,
    Guardian,
    Look,
    Person,
    PersonContact,
    PersonField,
    PersonTakenOut,
    ProfessionalField,
    TakenOut,
    TalentClass,
    person_words,
)
from outreach.people.rules import (
    QUIET,
    WORD_FOR_AWAY,
    CityList,
    ContactKind,
    Degree,
    Purpose,
    Revealable,
    Through,
    TimelineEntry,
    normalised_name,
    through_in,
    without_dots,
    word_for_class,
    word_for_degree,
    word_for_field,
)

CHINESE = "zh_Hans_CN"
MOST_COUNTED = 1000
LAST_DIGITS = re.compile(r"\d{4}", re.ASCII)
NOTHING_BUT_A_NUMBER = re.compile(r"[\d\s+().-]+", re.ASCII)
STANDING = sa.and_(Person.merged_into_id.is_(None), Person.erased_at.is_(None))
"""Leaves out the records that were merged into others, and those that were erased."""


@dataclass(frozen=True)
class Wanted:
    """What a list of people is narrowed to."""

    text: str = ""
    talent_class: TalentClass | None = None
    degree: Degree | None = None
    field: ProfessionalField | None = None
    away: bool = False  # only who comes from the city and lives elsewhere
    organisation_id: int | None = None

    @property
    def held(self) -> list[str]:
        """The words that stand for what was chosen; the unit is a column of the index itself."""
        return [
            *([word_for_class(self.talent_class.id)] if self.talent_class else []),
            *([word_for_degree(self.degree)] if self.degree else []),
            *([word_for_field(self.field.id)] if self.field else []),
            *([WORD_FOR_AWAY] if self.away else []),
        ]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is wanted but everybody."""
        return bool(self.text or self.held or self.organisation_id)


def person_for(viewer: Account, person_id: int, permission: Permission = Permission.PEOPLE_READ) -> Person:
    """Return a person kept by an organisation where one of the viewer's roles permits this; 404 elsewhere."""
    return db.one_or_404(
        sa.select(Person)
        .where(Person.id == person_id, STANDING, Person.organisation_id.in_(reach(viewer, permission)))
        .options(joinedload(Person.organisation))
    )


def contact_point(contact_point_id: int) -> ContactPoint | None:
    """Return a number or an address by its id."""
    point = db.session.get(ContactPoint, contact_point_id)
    if point is not None:
        kept_in_mind(point)  # whether it is still held is asked first, then whose it is
    return point


@dataclass(frozen=True)
class Found:
    """People found: their records and the keys they are listed by, and the rows alone, for counting."""

    people: sa.Select[tuple[Person]]
    keys: Sequence[Key]
    rows: sa.Select[Any]

    def page(self, cursor: str | None = None, size: int = SIZE) -> Page[Person]:
        """Return one page of them, by the sound of their names."""
        people = self.people.options(joinedload(Person.organisation), joinedload(Person.talent_class))
        return page_of(people, keys=self.keys, cursor=cursor, size=size)

    def count(self, up_to: int | None = None) -> int:
        """Count them, up to one more than `up_to`, or than `MOST_COUNTED`."""
        some = self.rows.limit((MOST_COUNTED if up_to is None else up_to) + 1).subquery()
        return db.session.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def find(viewer: Account, wanted: Wanted) -> Found:
    """Find the people the viewer may see and who fit what is wanted.

    A text finds by every word of it: characters anywhere in a name (one is enough), the beginning of its pinyin or of
    its initials, words of employer and school, a whole number or address, and a number's last four digits where the
    viewer may see numbers. What is read comes in its order from the index of the rarest of these words.
    """
    question = _question(viewer, wanted.text)
    if question.people is not None:
        checks = [check for run in question.runs for check in _checks(run)]
        checks += [Person.words.contains(f" {word} ") for word in wanted.held]
        return _found_among(viewer, wanted, [Person.id.in_(question.people), *checks])
    sought = [one for run in question.runs for one in _sought(run)]
    sought += [word_index.word_sought(person_words, word, RECORD) for word in wanted.held]
    if not sought:
        return _found_among(viewer, wanted, [])
    reading = word_index.rarest_first(sought)
    if reading is None:
        return _found_among(viewer, wanted, [sa.false()])
    index = person_words.c
    conditions = [*reading.rows, within(index.organisation_id, viewer, Permission.PEOPLE_READ)]
    if wanted.organisation_id:
        conditions.append(index.organisation_id == wanted.organisation_id)
    in_one_place = [check for run in question.runs for check in _in_one_place(run)]
    record = index.person_id == Person.id
    found = sa.select(index.person_id).where(*conditions)
    return Found(
        people=sa.select(Person).join(person_words, record).where(*conditions, *in_one_place),
        keys=[Key(index.word), Key(index.sound), Key(index.person_id)],
        rows=found.join(Person, record).where(*in_one_place) if in_one_place or reading.with_records else found,
    )


def said_of(person_id: Any, text: str) -> sa.ColumnElement[bool]:
    """Return the condition on a column with a person's id that a text names the person, by words alone.

    For lists of other things: few people are looked up at once; for the many that a common word names, each row of
    the list is asked.
    """
    runs = _joined(asked_for(without_dots(text)))
    sought = [one for run in runs for one in _sought(run)]
    reading = word_index.rarest_first(sought) if sought else None
    if reading is None:
        return sa.false()
    checks = [check for run in runs for check in _checks(run)]
    named = sa.select(person_words.c.person_id).where(*reading.rows)
    in_one_place = [check for run in runs for check in _in_one_place(run)]
    if in_one_place or reading.with_records:
        named = named.join(Person, Person.id == person_words.c.person_id).where(*in_one_place)
    ids = db.session.scalars(named.limit(MOST_COUNTED + 1)).all()
    if len(ids) <= MOST_COUNTED:
        return person_id.in_(ids)
    return sa.exists().where(Person.id == person_id, *checks)


def _found_among(viewer: Account, wanted: Wanted, conditions: Sequence[sa.ColumnElement[bool]]) -> Found:
    """Find people without the help of words: all of a few, or the list as it stands."""
    unit = [Person.organisation_id == wanted.organisation_id] if wanted.organisation_id else []
    narrow = within if conditions or unit else within_list
    scope = narrow(Person.organisation_id, viewer, Permission.PEOPLE_READ)
    found = sa.and_(STANDING, scope, *unit, *conditions)
    return Found(
        people=sa.select(Person).where(found),
        keys=[Key(Person.sound), Key(Person.id)],
        rows=sa.select(Person.id).where(found),
    )


@dataclass(frozen=True)
class _Question:
    """What a text asks for: runs of words, and the few people whom a number or an address in it names (None: none)."""

    runs: Sequence[Run] = ()
    people: Sequence[int] | None = None


def _question(viewer: Account, text: str) -> _Question:
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return _Question()
    reached = _people_at(viewer, plain)
    if reached is not None:
        return _Question(people=sorted(reached))
    words = []
    for word in plain.split():
        at = _people_at(viewer, word)
        if at is None:
            words.append(word)
        else:
            reached = at if reached is None else reached & at
    runs = asked_for(without_dots(" ".join(words)))
    if not runs and reached is None:
        return _Question(people=())
    return _Question(runs=_joined(runs), people=None if reached is None else sorted(reached))


def _joined(runs: Sequence[Run]) -> Sequence[Run]:
    """Return «wang xiao ming» as one run where somebody's name begins with it: readings are kept in one."""
    if len(runs) < 2 or not all(run.spelt and run.text.isalpha() for run in runs):
        return runs
    whole = Run("".join(run.text for run in runs)[:LONGEST_WORD], spelt=True)
    known = sa.select(sa.literal(1)).where(word_index.begins(person_words, whole.text)).limit(1)
    return [whole] if db.session.scalar(known) else runs


def _people_at(viewer: Account, word: str) -> set[int] | None:
    """Return the people reached at a whole number or address, or at one that ends in these four digits; None: neither.

    Last digits find only for those who may see numbers in full.
    """
    for kind, normal in ((ContactKind.EMAIL, normalised_email), (ContactKind.PHONE, normalised_phone)):
        if kind is ContactKind.PHONE and not NOTHING_BUT_A_NUMBER.fullmatch(word):
            continue
        try:
            at = ContactPoint.index == blind(normal(word), purpose=kind.value)
        except (NotAPhone, NotAnEmail):
            continue
        return set(db.session.scalars(_ids_reached_by(at)))
    if LAST_DIGITS.fullmatch(word) and viewer.may(Permission.PEOPLE_REVEAL):
        return set(db.session.scalars(_ids_reached_by(ContactPoint.tail == blind(word, purpose="phone.tail"))))
    return None


def asks_for_last_digits(viewer: Account, text: str) -> bool:
    """Tell whether a text looks people up by the last four digits of a number, as `find` does for this viewer."""
    words = unicodedata.normalize("NFKC", text).split()
    return viewer.may(Permission.PEOPLE_REVEAL) and any(LAST_DIGITS.fullmatch(word) for word in words)


RECORD = ("sound", "person_id")
"""What tells one person's rows of the index from another's."""


def _sought(run: Run) -> list[word_index.Sought]:
    return word_index.run_sought(person_words, run, RECORD, Person.words)


def _checks(run: Run) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which a record says a run: all its words, and its characters in one place."""
    return [*word_index.contains(Person.words, run), *_in_one_place(run)]


def _in_one_place(run: Run) -> list[sa.ColumnElement[bool]]:
    """Return the condition that the characters of a run stand together; up to two are one word, so they do."""
    if run.spelt or len(run.text) <= 2:
        return []
    bare = sa.func.replace(Person.name_key, "·", "")
    places = (bare, Person.employer, Person.school, Person.home_town, Person.residence)
    return [sa.or_(*(place.contains(run.text, autoescape=True) for place in places))]


def organisations_with_people(viewer: Account) -> Sequence[Organisation]:
    """Return the organisations within the viewer's reach that keep people, in the order of the tree."""
    keeping = sa.exists().where(Person.organisation_id == Organisation.id, STANDING)
    return db.session.scalars(
        sa.select(Organisation)
        .where(keeping, within(Organisation.id, viewer, Permission.PEOPLE_READ))
        .order_by(Organisation.path)
    ).all()


def talent_classes(*, also: TalentClass | None = None) -> Sequence[TalentClass]:
    """Return the classes people are put into, the highest first; and `also` one that is retired by now."""
    wanted = TalentClass.retired_at.is_(None)
    if also is not None:
        wanted = sa.or_(wanted, TalentClass.id == also.id)
    return db.session.scalars(sa.select(TalentClass).where(wanted).order_by(TalentClass.position)).all()


def came_by(source: str | None) -> str:
    """Return how somebody came into the records, as an English source sentence; see Person.source."""
    return CAME_BY.get((source or "").partition(":")[0], N_("written down by the office"))


CAME_BY = {
    "import": N_("by a file"),
    "registration": N_("by registering"),
    "public_form": N_("by asking something on the public page"),
}


def professional_fields(*, also: Sequence[int] = ()) -> Sequence[ProfessionalField]:
    """Return the fields people can be said to work in, in the city's order; and `also` those, retired by now."""
    wanted = sa.or_(ProfessionalField.retired_at.is_(None), ProfessionalField.id.in_(also))
    return db.session.scalars(sa.select(ProfessionalField).where(wanted).order_by(ProfessionalField.position)).all()


@dataclass(frozen=True)
class Choices:
    """What can be chosen on a person's form."""

    classes: Sequence[TalentClass]
    fields: Sequence[ProfessionalField]
    ambassadors: Sequence[Account]
    stations: Sequence[Organisation]


def choices(viewer: Account, of: Person | None = None) -> Choices:
    """Return what can be chosen on a person's form, and what this person has although it is no longer given."""
    held = of.through_account_id if of else None
    ambassadors = (
        sa.select(Account)
        .where(
            sa.or_(
                sa.and_(Account.disabled_at.is_(None), Account.grants.any(Grant.role == Role.AMBASSADOR)),
                Account.id == held,
            )
        )
        .order_by(Account.name, Account.id)
    )
    within_reach = Organisation.id.in_(reach(viewer, Permission.PEOPLE_READ))
    stations = (
        sa.select(Organisation)
        .where(sa.or_(within_reach, Organisation.id == (of.through_organisation_id if of else None)))
        .order_by(Organisation.path)
    )
    return Choices(
        classes=talent_classes(also=of.talent_class if of else None),
        fields=professional_fields(also=[one.field_id for one in of.fields] if of else []),
        ambassadors=db.session.scalars(ambassadors).unique().all(),
        stations=db.session.scalars(stations).all(),
    )


@dataclass(frozen=True)
class Referrer:
    """An ambassador or a station, by the name that lists tell."""

    through: Through
    name: str

    @property
    def code(self) -> str:
        """Return what stands in their links: nobody can make one up for somebody else."""
        return f"{self.through.key}-{proof(self.through.key, purpose='referrer')[:8]}"


def stations() -> list[Referrer]:
    """Return the stations that bring people in: universities, stations and liaison offices, in the tree's order."""
    bring = (OrganisationKind.SCHOOL, OrganisationKind.STATION)
    found = db.session.scalars(sa.select(Organisation).where(Organisation.kind.in_(bring)).order_by(Organisation.path))
    return [Referrer(Through(organisation_id=one.id), one.name) for one in found]


def ambassadors() -> list[Referrer]:
    """Return the ambassadors at work, by name."""
    found = db.session.scalars(
        sa.select(Account)
        .where(Account.disabled_at.is_(None), Account.grants.any(Grant.role == Role.AMBASSADOR))
        .order_by(Account.name, Account.id)
    ).unique()
    return [Referrer(Through(account_id=one.id), one.name) for one in found]


def referrer_by_code(code: str) -> Referrer | None:
    """Return whose link it was, also of who has left since; None for a code that was made up."""
    key, _, said = code.partition("-")
    found = next(iter(referrers_of([through_in(key)]).values()), None)
    return found if found is not None and hmac.compare_digest(found.code.encode(), f"{key}-{said}".encode()) else None


def referrers_of(throughs: Collection[Through]) -> dict[Through, Referrer]:
    """Return the ambassadors and stations through whom people came."""
    found: list[Referrer] = []
    for kind, attribute in ((Account, "account_id"), (Organisation, "organisation_id")):
        ids = {number for each in throughs if (number := getattr(each, attribute)) is not None}
        if ids:
            named = sa.select(kind.id, kind.name).where(kind.id.in_(ids)).order_by(kind.id)
            found += [Referrer(Through(**{attribute: number}), name) for number, name in db.session.execute(named)]
    return {one.through: one for one in found}


LISTED: dict[CityList, tuple[type[TalentClass | ProfessionalField], sa.ColumnElement[int]]] = {
    CityList.CLASSES: (TalentClass, Person.talent_class_id),
    CityList.FIELDS: (ProfessionalField, PersonField.field_id),
}


def listed_entries(which: CityList) -> list[tuple[TalentClass | ProfessionalField, int]]:
    """Return every entry of one of the city's lists in its order, and how many people stand in it."""
    kind, column = LISTED[which]
    people = sa.select(column, sa.func.count()).where(STANDING, column.is_not(None)).group_by(column)
    if which is CityList.FIELDS:
        people = people.join(Person, Person.id == PersonField.person_id)
    counted = dict(db.session.execute(people).all())
    entries = db.session.scalars(sa.select(kind).order_by(kind.position))
    return [(entry, counted.get(entry.id, 0)) for entry in entries]


def listed_entry(which: CityList, entry_id: int) -> TalentClass | ProfessionalField:
    """Return an entry of one of the city's lists; 404 where there is none."""
    kind, _ = LISTED[which]
    return db.one_or_404(sa.select(kind).where(kind.id == entry_id))


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


def _reached_by(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return Person.id.in_(_ids_reached_by(condition))


def _ids_reached_by(condition: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    return (
        sa.select(PersonContact.person_id)
        .join(ContactPoint, ContactPoint.id == PersonContact.contact_point_id)
        .where(PersonContact.until.is_(None), condition)
    )


def is_held(contact_point_id: int, holding: int) -> bool:
    """Tell whether a number or an address is still in the hands it was in at this holding."""
    point = contact_point(contact_point_id)
    return point is not None and point.holding == holding


def has_been_quiet(point: ContactPoint, *, now: datetime) -> bool:
    """Tell whether a number or an address that reaches somebody may have changed hands without anybody saying so.

    So it may where for longer than `QUIET` nobody proved it and nobody was written down with it.
    """
    latest = db.session.scalar(
        sa.select(sa.func.max(PersonContact.since)).where(
            PersonContact.contact_point_id == point.id, PersonContact.until.is_(None)
        )
    )
    if latest is None:
        return False
    return now - max(latest, point.proven_at or latest) > QUIET


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


def alone_at(contact_point_id: int) -> sa.Select[tuple[int]]:
    """Return a select of the id of the one person reached at a number or address; of nobody where several share it.

    Children for whom somebody answers there do not count: a parent who registers them keeps a number of their own.
    """
    return (
        sa.select(sa.func.min(PersonContact.person_id))
        .where(
            PersonContact.contact_point_id == contact_point_id,
            PersonContact.until.is_(None),
            PersonContact.person_id.not_in(children_of(contact_point_id)),
        )
        .having(sa.func.count() == 1)
    )


def children_of(contact_point_id: int) -> sa.Select[tuple[int]]:
    """Return a select of the ids of the children for whom whoever holds a number or address answers."""
    return sa.select(Guardian.child_id).where(Guardian.contact_point_id == contact_point_id)


_HELD = (
    sa.select(ContactPoint.id, ContactPoint.kind, ContactPoint.value, ContactPoint.language, ContactPoint.holding)
    .where(among(ContactPoint.id, "ids"))
    .order_by(ContactPoint.id)  # two transactions hold what both want in the same order
    .with_for_update()
)
_REACHED = (
    sa.select(PersonContact.contact_point_id, Person.id, Person.name, Person.name_key, Person.birth)
    .join(Person, Person.id == PersonContact.person_id)
    .where(among(PersonContact.contact_point_id, "points"), PersonContact.until.is_(None))
    .order_by(Person.id)
)


def hold_points(ids: Collection[int]) -> dict[int, Any]:
    """Return rows of numbers and addresses by their ids, held until the transaction ends.

    Of each id, kind, value, language and holding.
    """
    return {point.id: point for point in db.session.execute(_HELD, {"ids": sorted(ids)})}


def reached_at(contact_point_ids: Collection[int]) -> Sequence[Any]:
    """Return who can be reached at some numbers or addresses, in the order they came.

    Rows of contact_point_id, and the id, name, name_key and birth of the person.
    """
    return db.session.execute(_REACHED, {"points": list(contact_point_ids)}).all()


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


def merged_into(person_id: int) -> Sequence[int]:
    """Return the ids of the records that went into this one, and of those that had gone into them."""
    found: list[int] = []
    level = [person_id]
    while level:
        level = list(
            db.session.scalars(sa.select(Person.id).where(Person.merged_into_id.in_(level)).order_by(Person.id))
        )
        found += level
    return found


def current_consent_texts(purpose: str) -> Sequence[ConsentText]:
    """Return the version of a purpose's text that holds, in every language it has, Chinese first."""
    newest = sa.select(sa.func.max(ConsentText.version)).where(ConsentText.purpose == purpose).scalar_subquery()
    return db.session.scalars(
        sa.select(ConsentText)
        .where(ConsentText.purpose == purpose, ConsentText.version == newest)
        .order_by(sa.case((ConsentText.language == CHINESE, 0), else_=1), ConsentText.language)
    ).all()


def consent_texts() -> Sequence[ConsentText]:
    """Return every version of every text, by purpose, the newest first and Chinese before its translations."""
    return db.session.scalars(
        sa.select(ConsentText).order_by(
            ConsentText.purpose,
            ConsentText.version.desc(),
            sa.case((ConsentText.language == CHINESE, 0), else_=1),
            ConsentText.language,
        )
    ).all()


@dataclass(frozen=True)
class Looked:
    """That somebody saw in full what is masked, or took it out in a list: who, for which unit, what, when and why."""

    name: str
    unit: str
    role: Role | None
    what: str
    reason: str | None
    at: datetime


TAKEN_OUT = "export"
"""What was seen, where it was a list that left the house."""


def looks_at(person: Person, limit: int = 20, before: datetime | None = None) -> Sequence[Looked]:
    """Return who saw a person's masked data or took them out, the latest first.

    :param before: only what happened earlier
    """
    looks = (
        sa.select(Account.name, Organisation.name, Look.role, Look.what, Look.reason, Look.at)
        .join(Account, Account.id == Look.account_id)
        .join(Organisation, Organisation.id == Look.organisation_id)
        .where(Look.person_id == person.id)
    )
    lists = (
        sa.select(Account.name, Organisation.name, TakenOut.role, sa.literal(TAKEN_OUT), TakenOut.reason, TakenOut.at)
        .join(PersonTakenOut, PersonTakenOut.taken_out_id == TakenOut.id)
        .join(Account, Account.id == TakenOut.account_id)
        .join(Organisation, Organisation.id == TakenOut.organisation_id)
        .where(PersonTakenOut.person_id == person.id)
    )
    if before is not None:
        looks, lists = looks.where(Look.at < before), lists.where(TakenOut.at < before)
    found = [
        Looked(*row)
        for row in (
            *db.session.execute(looks.order_by(Look.at.desc(), Look.id.desc()).limit(limit)),
            *db.session.execute(lists.order_by(TakenOut.at.desc(), TakenOut.id.desc()).limit(limit)),
        )
    ]
    return sorted(found, key=lambda looked: looked.at, reverse=True)[:limit]


def exports_with(person_id: int) -> Sequence[int]:
    """Return the ids of the exports a person stood in."""
    return db.session.scalars(
        sa.select(TakenOut.export_id)
        .join(PersonTakenOut, PersonTakenOut.taken_out_id == TakenOut.id)
        .where(PersonTakenOut.person_id == person_id)
        .order_by(TakenOut.export_id)
    ).all()


def looks_by(account_id: int, *, since: datetime) -> Sequence[datetime]:
    """Return when an account looked at something in full after a moment."""
    return db.session.scalars(sa.select(Look.at).where(Look.account_id == account_id, Look.at > since)).all()


def guardians_of(child_id: int) -> Sequence[Guardian]:
    """Return who answered for a child under 14 when it was registered, the latest first; each number's holder once."""
    found = db.session.scalars(
        sa.select(Guardian)
        .where(Guardian.child_id == child_id)
        .options(joinedload(Guardian.contact_point), joinedload(Guardian.consent).joinedload(Consent.text))
        .order_by(Guardian.id.desc())
    )
    latest: dict[tuple[str, int | None], Guardian] = {}
    for one in found:
        latest.setdefault((one.name, one.contact_point_id), one)
    return list(latest.values())


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
    "removed": N_("Taken out again with the file that brought it"),
    "import_undone": N_("What a file had completed was emptied again"),
    "created": N_("Entered into the records"),
    "imported": N_("Completed from a file"),
    "changed": N_("Record corrected"),
    "contact_removed": N_("A number or address was taken off"),
    "merged": N_("Another record went into this one"),
    "merged_into": N_("This record went into another one"),
    "merge_undone": N_("A merge was undone"),
    "told_apart": N_("Told apart from a record like it"),
    "perhaps_one": N_("Perhaps one person with another record after all"),
    "contact_handed_over": N_("A number or address was noted as belonging to somebody else now"),
    "looked_at": N_("Somebody looked at masked data"),
    "consent_withdrawn": N_("Took back what they had agreed to"),
    "copy_taken": N_("Took a copy of their own data"),
}
"""What a line of a person's history says, by its act."""


def timeline_of(person_id: int, before: datetime | None = None, limit: int = 20) -> list[TimelineEntry]:
    """Return how a person's record came to be what it is, and what they agreed to, latest first.

    :param before: only what happened earlier
    """
    lines = sa.select(HistoryLine).where(
        HistoryLine.subject_kind == "person",
        HistoryLine.subject_id == person_id,
        HistoryLine.act.in_(TOLD),
    )
    agreed = sa.select(Consent).where(Consent.person_id == person_id).options(joinedload(Consent.text))
    if before is not None:
        lines = lines.where(HistoryLine.at < before)
        agreed = agreed.where(Consent.given_at < before)
    entries = [
        TimelineEntry(
            at=line.at,
            purpose=Purpose.RECORD,
            kind="merge" if line.act in {"merged", "merge_undone"} else "import",
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
            purpose=Purpose.SERVICE,
            kind="consent",
            key=f"consent-{consent.id}",
            sentence=N_("Agreed to how their data are used, version %(version)s"),
            values={"version": consent.text.version},
        )
        for consent in db.session.scalars(agreed.order_by(Consent.given_at.desc(), Consent.id.desc()).limit(limit))
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.key), reverse=True)[:limit]


TOLD = ("created", "imported", "merged", "merge_undone", "contact_handed_over", "consent_withdrawn", "import_undone")
"""The lines of a record's history that its timeline tells; the others stand where the record is corrected."""


def looks_on_timeline(person_id: int, before: datetime, limit: int) -> list[TimelineEntry]:
    """Return who saw something of a person in full before a moment, latest first; for those who may look themselves."""
    found = db.session.execute(
        sa.select(Look.id, Look.at, Look.what, Look.reason, Account.name)
        .join(Account, Account.id == Look.account_id)
        .where(Look.person_id == person_id, Look.at < before)
        .order_by(Look.at.desc(), Look.id.desc())
        .limit(limit)
    )
    return [
        TimelineEntry(
            at=at,
            purpose=Purpose.OVERSIGHT,
            kind="look",
            key=f"look:{look_id}",
            sentence=N_("%(name)s saw it in full: %(what)s"),
            values={"name": name, "what": Revealable(what) if what in set(Revealable) else what},
            words=reason,
        )
        for look_id, at, what, reason, name in found
    ]


def known_people(
    viewer: Account, *, identities: Sequence[str], contacts: Sequence[str], names: Sequence[str]
) -> Sequence[Person]:
    """Return the people within the viewer's reach who share an identity, a contact or a name, each by its index or key.

    For comparing many rows of a file at once: three look-ups, however many rows, that read the same each time.
    """
    within = sa.and_(
        STANDING, Person.organisation_id.in_(reach(viewer, Permission.PEOPLE_READ, Permission.PEOPLE_IMPORT))
    )
    ids: set[int] = set()
    if identities:
        of_identities = sa.select(Person.id).where(within, among(Person.identity_index, "identities"))
        ids.update(db.session.scalars(of_identities, {"identities": under_every_key(identities)}))
    if names:
        ids.update(
            db.session.scalars(sa.select(Person.id).where(within, among(Person.name_key, "names")), {"names": names})
        )
    if contacts:
        reached = (
            sa.select(PersonContact.person_id)
            .join(ContactPoint, ContactPoint.id == PersonContact.contact_point_id)
            .join(Person, Person.id == PersonContact.person_id)
            .where(within, PersonContact.until.is_(None), among(ContactPoint.index, "contacts"))
        )
        ids.update(db.session.scalars(reached, {"contacts": under_every_key(contacts)}))
    return people_by_id(sorted(ids))


@dataclass(frozen=True)
class Namesake:
    """What tells people of one name apart, without opening what is sealed."""

    id: int
    name_key: str
    employer: str | None
    school: str | None
    has_birth: bool


def namesakes(viewer: Account, names: Sequence[str]) -> list[Namesake]:
    """Return everybody within the viewer's reach who has one of these names, each by its key; one look-up."""
    if not names:
        return []
    found = db.session.execute(
        sa.select(Person.id, Person.name_key, Person.employer, Person.school, Person.name_birth_index.is_not(None))
        .where(
            STANDING,
            Person.organisation_id.in_(reach(viewer, Permission.PEOPLE_READ, Permission.PEOPLE_IMPORT)),
            among(Person.name_key, "names"),
        )
        .order_by(Person.id),
        {"names": names},
    )
    return [Namesake(*row) for row in found]


def people_by_id(ids: Sequence[int]) -> Sequence[Person]:
    """Return people by their ids, for features that already know the viewer may see them."""
    if not ids:
        return []
    found = sa.select(Person).where(Person.id.in_(ids)).options(selectinload(Person.fields)).order_by(Person.id)
    return db.session.scalars(found).unique().all()


def account_by_id(account_id: int) -> Account:
    """Return the account that brings a file."""
    return db.session.get_one(Account, account_id)
