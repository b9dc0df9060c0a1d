"""People, how they are reached, what they agreed to, and which records turned out to be one person."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from outreach.kernel.database import IDS_ONCE, Model, db
from outreach.kernel.sealing import BlindIndex, Sealed, SealedData, blind
from outreach.kernel.word_index import WordIndex, columns_of_words, plain_text
from outreach.organisations.models import Account, Installation, Organisation
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people.rules import (
    LONGEST_SOUND,
    ContactEnd,
    ContactKind,
    Degree,
    Gender,
    Rhythm,
    normalised_name,
    readings_of,
    sound_of,
    words_of_person,
)
from outreach.people.rules.masking import masked_beside

_MERGED = sa.text("merged_into_id IS NOT NULL")
_REACHED = sa.text("until IS NULL")
_STANDING = sa.text("undone_at IS NULL")


class TalentClass(Model):
    """A class or tier of talents as the city defines them (头雁, 强雁, 雏雁; or A 类, B 类); `position` orders them."""

    __tablename__ = "talent_classes"

    name: Mapped[str] = mapped_column(sa.String(60), unique=True)
    position: Mapped[int]
    rhythm: Mapped[Rhythm | None]  # how often a leader meets them, where a pairing does not say otherwise
    retired_at: Mapped[datetime | None]  # from then on nobody is put into it; who is in it stays

    @property
    def label(self) -> str:
        """The city's own name for it."""
        return self.name


class ProfessionalField(Model):
    """A field that people work in (专业领域), from the city's list."""

    __tablename__ = "professional_fields"

    name: Mapped[str] = mapped_column(sa.String(60), unique=True)
    position: Mapped[int]
    retired_at: Mapped[datetime | None]

    @property
    def label(self) -> str:
        """The city's own name for it."""
        return self.name


class Person(Model):
    """A person, kept by one organisation. A number is how to reach somebody, not who they are.

    A record with `merged_into_id` is a tombstone: its address leads to that other record, nothing points to it, and
    no list, search or count shows it (kernel/guards.py, people/merging.py).
    """

    __tablename__ = "people"
    __table_args__ = (
        sa.Index("ix_people_list", "sound", "id", "organisation_id"),
        sa.Index("ix_people_list_of_unit", "organisation_id", "sound", "id"),
        # of the few that were merged: not to be taken for a way to the many that were not
        sa.Index("ix_people_merged_into_id", "merged_into_id", sqlite_where=_MERGED, postgresql_where=_MERGED),
        sa.Index("ix_people_name_employer", "name_key", "employer"),
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_merged_into_itself"),
        IDS_ONCE,
    )

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), active_history=True)
    name: Mapped[str] = mapped_column(sa.String(120), index=True)
    # Both follow from the name: written so that it compares, and every reading, full and by initials.
    name_key: Mapped[str] = mapped_column(sa.String(120), index=True)
    pinyin: Mapped[str] = mapped_column(sa.String(400))
    sound: Mapped[str] = mapped_column(
        plain_text(LONGEST_SOUND),
        default=lambda context: sound_of(context.get_current_parameters()["name"]),
        active_history=True,
    )  # what lists are sorted by
    # What the record is found by, and stands under in person_words; None: not indexed yet.
    words: Mapped[str | None] = mapped_column(sa.Text, active_history=True)
    gender: Mapped[Gender | None]
    birth: Mapped[str | None] = mapped_column(Sealed("person.birth"))  # ISO, as precise as known: 1979-03-19, 1970-12
    identity_number: Mapped[str | None] = mapped_column(Sealed("person.identity_number"))
    identity_index: Mapped[str | None] = mapped_column(
        BlindIndex(lambda person: ("identity", person.identity_number) if person.identity_number else None), index=True
    )
    # blind, of name and whole date of birth: finds one person written down twice, and tells no birthday
    name_birth_index: Mapped[str | None] = mapped_column(
        BlindIndex(lambda person: _name_and_birth(person.name_key, person.birth)), index=True
    )
    degree: Mapped[Degree | None]
    school: Mapped[str | None] = mapped_column(sa.String(200))
    major: Mapped[str | None] = mapped_column(sa.String(200))
    employer: Mapped[str | None] = mapped_column(sa.String(200))
    position: Mapped[str | None] = mapped_column(sa.String(200))
    talent_class_id: Mapped[int | None] = mapped_column(sa.ForeignKey("talent_classes.id"), index=True)
    home_town: Mapped[str | None] = mapped_column(sa.String(200))
    residence: Mapped[str | None] = mapped_column(sa.String(200))  # where they live and work now
    remark: Mapped[str | None] = mapped_column(Sealed("person.remark"))
    # {"entries": [{"of": field or heading, "value", "source", "row"}]}: what a ledger said that has no column here, and
    # values that differ from the record's.
    extra: Mapped[dict[str, Any] | None] = mapped_column(SealedData("person.extra"))
    source: Mapped[str | None] = mapped_column(
        sa.String(60)
    )  # "import:12", "registration:7", "official": how they came
    # through whom they came: an ambassador, a station or liaison office elsewhere
    through_account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    through_organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("people.id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # When everything that tells who it was was taken out; the row stays for what is counted (see operations.erase).
    erased_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id])
    talent_class: Mapped[TalentClass | None] = relationship()
    through_account: Mapped[Account | None] = relationship()
    through_organisation: Mapped[Organisation | None] = relationship(foreign_keys=[through_organisation_id])
    fields: Mapped[list["PersonField"]] = relationship(order_by="PersonField.id", cascade="all, delete-orphan")
    # where they can be reached now; what has ended stands in `past_contacts`
    contacts: Mapped[list["PersonContact"]] = relationship(
        back_populates="person",
        primaryjoin="and_(Person.id == PersonContact.person_id, PersonContact.until.is_(None))",
        order_by="PersonContact.id",
        lazy="selectin",
    )
    past_contacts: Mapped[list["PersonContact"]] = relationship(
        primaryjoin="and_(Person.id == PersonContact.person_id, PersonContact.until.is_not(None))",
        order_by="PersonContact.until.desc()",
        viewonly=True,
    )

    @validates("name")
    def _named(self, _attribute: str, name: str) -> str:
        for column, value in follows_from(name, self.birth).items():
            setattr(self, column, value)
        return name

    @validates("birth")
    def _born(self, _attribute: str, birth: str | None) -> str | None:
        self.name_birth_index = _blind_name_and_birth(self.name_key, birth)
        return birth

    def reached_by(self, kind: ContactKind) -> list[str]:
        """Return the numbers or addresses of the person, the first known first."""
        return [contact.contact_point.value for contact in self.contacts if contact.contact_point.kind is kind]

    @property
    def phone(self) -> str | None:
        """The first number, in E.164 form."""
        return next(iter(self.reached_by(ContactKind.PHONE)), None)

    @property
    def email(self) -> str | None:
        """The first address."""
        return next(iter(self.reached_by(ContactKind.EMAIL)), None)

    @property
    def aside(self) -> list[dict[str, Any]]:
        """What files said that has no place in the record or differs from it: see operations.Aside."""
        return (self.extra or {}).get("entries", [])

    @property
    def beside(self) -> list[dict[str, Any]]:
        """The same as a page shows it: masked where it exposes somebody."""
        return [{**entry, "value": masked_beside(entry["of"], str(entry["value"]))} for entry in self.aside]


def follows_from(name: str, birth: str | None) -> dict[str, str | None]:
    """Return the columns of a person that follow from the name and the date of birth."""
    name_key = normalised_name(name)[:120]
    return {
        "name_key": name_key,
        "pinyin": readings_of(name),
        "sound": sound_of(name),
        "name_birth_index": _blind_name_and_birth(name_key, birth),
    }


def _name_and_birth(name_key: str | None, birth: str | None) -> tuple[str, str] | None:
    whole = birth is not None and len(birth) == 10
    return ("name and birth", f"{name_key}|{birth}") if name_key and whole else None


def _blind_name_and_birth(name_key: str | None, birth: str | None) -> str | None:
    indexed = _name_and_birth(name_key, birth)
    return indexed and blind(indexed[1], purpose=indexed[0])


class PersonField(Model):
    """That a person works in a field."""

    __tablename__ = "person_fields"
    __table_args__ = (sa.UniqueConstraint("person_id", "field_id"),)

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    field_id: Mapped[int] = mapped_column(sa.ForeignKey("professional_fields.id"), index=True)

    field: Mapped[ProfessionalField] = relationship(lazy="joined")


person_words = sa.Table(
    "person_words",
    Model.metadata,
    *columns_of_words(),
    sa.Column("sound", plain_text(LONGEST_SOUND), nullable=False),
    # No foreign key: it follows its record like an index, and one would have to be searched for each deleted person.
    sa.Column("person_id", sa.Integer, nullable=False),
    sa.Column("organisation_id", sa.Integer, nullable=False),
    # The whole row is the key, in the order of the list: a search reads nothing else.
    sa.PrimaryKeyConstraint("word", "sound", "person_id", "organisation_id", "shared"),
    sqlite_with_rowid=False,
)
"""Under which words people are found."""


def _words_of(person: Person) -> Iterator[str]:
    """Yield what a person is found by; whether they are away can be said only where both places are known."""
    places: Sequence[str] = ()
    if person.home_town and person.residence:
        areas = sa.select(Organisation.short_name).where(Organisation.kind == OrganisationKind.AREA)
        places = db.session.scalars(sa.union_all(sa.select(Installation.city_name), areas)).all()
    return words_of_person(person, places)


PEOPLE_BY_WORDS = WordIndex(
    table=person_words,
    columns={"sound": "sound", "person_id": "id", "organisation_id": "organisation_id"},
    words_of=_words_of,
)
PEOPLE_BY_WORDS.follow(Person)


class ContactPoint(Model):
    """A number or an address. Several people may share one, and it may change hands."""

    __tablename__ = "contact_points"
    __table_args__ = (sa.UniqueConstraint("kind", "index"), IDS_ONCE)  # a session proves one by its id

    kind: Mapped[ContactKind]
    value: Mapped[str] = mapped_column(Sealed("contact.value"))  # E.164 or a lower-case address
    index: Mapped[str] = mapped_column(BlindIndex(lambda point: (point.kind.value, point.value)))
    tail: Mapped[str | None] = mapped_column(  # of a phone's last four digits
        BlindIndex(lambda point: ("phone.tail", point.value[-4:]) if point.kind is ContactKind.PHONE else None),
        index=True,
    )
    proven_at: Mapped[datetime | None]  # when somebody last proved by a code that they hold it
    holding: Mapped[int] = mapped_column(default=1)  # rises when it changes hands; a proof is good for one holding
    language: Mapped[str | None] = mapped_column(sa.String(12))  # the one its holder chose; else the installation's


class PersonContact(Model):
    """That a person can be reached there, or could be until a moment."""

    __tablename__ = "person_contacts"
    __table_args__ = (
        sa.Index(
            "uq_person_contacts_reached",
            "person_id",
            "contact_point_id",
            unique=True,
            sqlite_where=_REACHED,
            postgresql_where=_REACHED,
        ),
        sa.CheckConstraint("(until IS NULL) = (ended IS NULL)", name="an_end_says_why"),
    )

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    contact_point_id: Mapped[int] = mapped_column(sa.ForeignKey("contact_points.id"), index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    ended: Mapped[ContactEnd | None]

    person: Mapped[Person] = relationship(back_populates="contacts")
    contact_point: Mapped[ContactPoint] = relationship(lazy="joined")


class ConsentText(Model):
    """What people are asked to agree to, in versions that are never changed."""

    __tablename__ = "consent_texts"
    __table_args__ = (sa.UniqueConstraint("purpose", "version", "language"),)

    purpose: Mapped[str] = mapped_column(sa.String(40))  # "registration", "request"
    version: Mapped[int] = mapped_column()
    language: Mapped[str] = mapped_column(sa.String(12))
    text: Mapped[str] = mapped_column(sa.Text)
    kept_months: Mapped[int]
    valid_from: Mapped[datetime]


class Consent(Model):
    """That a person agreed to a text at a time, through a contact point."""

    __tablename__ = "consents"

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    text_id: Mapped[int] = mapped_column(sa.ForeignKey("consent_texts.id"))
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_points.id"))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    about: Mapped[str] = mapped_column(sa.String(60))  # "event:12": what it was given for

    text: Mapped[ConsentText] = relationship()


class Guardian(Model):
    """Who answers for a child under 14: the name, the telephone it was agreed with, and the consent."""

    __tablename__ = "guardians"

    child_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    name: Mapped[str] = mapped_column(Sealed("guardian.name"))
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_points.id"))
    consent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("consents.id", ondelete="SET NULL"))
    since: Mapped[datetime]

    contact_point: Mapped[ContactPoint | None] = relationship()
    consent: Mapped[Consent | None] = relationship()


class Look(Model):
    """That somebody looked at what is masked, and why. Unit and role are those of that moment."""

    __tablename__ = "looks"
    __table_args__ = (sa.Index("ix_looks_of_an_account", "account_id", "at"), sa.Index("ix_looks_at", "at"))

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    role: Mapped[Role | None]
    what: Mapped[str] = mapped_column(sa.String(40))
    reason: Mapped[str | None] = mapped_column(Sealed("look.reason"))
    at: Mapped[datetime]

    account: Mapped[Account] = relationship()
    organisation: Mapped[Organisation] = relationship()


class TakenOut(Model):
    """That people's data left the house in a file or on paper: who took them, and why."""

    __tablename__ = "taken_out"

    export_id: Mapped[int] = mapped_column(unique=True)  # of the exports' own table, which knows no people
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    role: Mapped[Role | None]
    reason: Mapped[str | None] = mapped_column(Sealed("export.reason"))
    at: Mapped[datetime] = mapped_column(index=True)

    account: Mapped[Account] = relationship()
    organisation: Mapped[Organisation] = relationship()


class PersonTakenOut(Model):
    """That a person stood in what was taken out."""

    __tablename__ = "people_taken_out"
    __table_args__ = (sa.UniqueConstraint("person_id", "taken_out_id"),)

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    taken_out_id: Mapped[int] = mapped_column(sa.ForeignKey("taken_out.id"), index=True)


class PersonMerge(Model):
    """That one record was merged into another: what it takes to undo it, and what became of that.

    `values` holds what the kept record said before and after; `rows` holds ids only: {"moved": {table.column: ids},
    "own": {table.column: ids of the kept one before}, "settled": what features did of their own}.
    """

    __tablename__ = "person_merges"
    __table_args__ = (
        sa.CheckConstraint("kept_id <> gone_id", name="two_records"),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by_id IS NULL)", name="undone_by_somebody"),
        sa.Index(
            "uq_person_merges_standing",
            "gone_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        sa.Index("ix_person_merges_kept", "kept_id", "id"),
    )

    kept_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    gone_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    values: Mapped[dict[str, Any]] = mapped_column(SealedData("merge.values"))
    rows: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    # [{"table", "id", "why"}]: what did not return, and why
    stayed: Mapped[list[Any] | None]

    kept: Mapped[Person] = relationship(foreign_keys=[kept_id])
    gone: Mapped[Person] = relationship(foreign_keys=[gone_id])
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    undone_by: Mapped[Account | None] = relationship(foreign_keys=[undone_by_id])


class Distinction(Model):
    """That somebody looked at two records and said: two different people. They are not asked about again."""

    __tablename__ = "distinctions"
    __table_args__ = (
        sa.UniqueConstraint("one_id", "other_id"),
        sa.CheckConstraint("one_id < other_id", name="the_older_first"),
    )

    one_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    # said of a record that was merged since: it holds for the one it went into as well, until that is undone
    carried_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person_merges.id"), index=True)

    account: Mapped[Account] = relationship()
