"""People, how they are reached, and what they agreed to."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from outreach.kernel.database import Model
from outreach.kernel.sealing import Sealed, SealedData
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from outreach.people.rules import ContactKind, Degree, Gender, TalentClass, normalised_name, readings_of


class Person(Model):
    """A person, kept by one organisation. A number is how to reach somebody, not who they are."""

    __tablename__ = "people"
    __table_args__ = (sa.Index("ix_people_list", "organisation_id", "pinyin", "id"),)

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(sa.String(120), index=True)
    # Both follow from the name: written so that it compares, and every reading, full and by initials.
    name_key: Mapped[str] = mapped_column(sa.String(120), index=True)
    pinyin: Mapped[str] = mapped_column(sa.String(400))
    gender: Mapped[Gender | None]
    birth: Mapped[str | None] = mapped_column(Sealed("person.birth"))  # ISO, as precise as known: 1979-03-19, 1970-12
    identity_number: Mapped[str | None] = mapped_column(Sealed("person.identity_number"))
    identity_index: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    degree: Mapped[Degree | None]
    school: Mapped[str | None] = mapped_column(sa.String(200))
    major: Mapped[str | None] = mapped_column(sa.String(200))
    employer: Mapped[str | None] = mapped_column(sa.String(200))
    position: Mapped[str | None] = mapped_column(sa.String(200))
    talent_class: Mapped[TalentClass | None]
    home_town: Mapped[str | None] = mapped_column(sa.String(200))
    remark: Mapped[str | None] = mapped_column(Sealed("person.remark"))
    # {"entries": [{"of": field or heading, "value", "source", "row"}]}: what a ledger said that has no column here, and
    # values that differ from the record's.
    extra: Mapped[dict[str, Any] | None] = mapped_column(SealedData("person.extra"))
    source: Mapped[str | None] = mapped_column(
        sa.String(60)
    )  # "import:12", "registration:7", "official": how they came
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()
    contacts: Mapped[list["PersonContact"]] = relationship(
        back_populates="person", order_by="PersonContact.id", lazy="selectin"
    )

    @validates("name")
    def _named(self, _attribute: str, name: str) -> str:
        self.name_key = normalised_name(name)[:120]
        self.pinyin = readings_of(name)
        return name

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


class ContactPoint(Model):
    """A number or an address. Several people may share one, and it may change hands."""

    __tablename__ = "contact_points"
    __table_args__ = (sa.UniqueConstraint("kind", "index"),)

    kind: Mapped[ContactKind]
    value: Mapped[str] = mapped_column(Sealed("contact.value"))  # E.164 or a lower-case address
    index: Mapped[str] = mapped_column(sa.String(64))  # blind, purpose "phone" or "email"
    tail: Mapped[str | None] = mapped_column(sa.String(64), index=True)  # blind, of a phone's last four digits
    proven_at: Mapped[datetime | None]  # when somebody last proved by a code that they hold it
    language: Mapped[str | None] = mapped_column(sa.String(12))  # the one its holder chose; else the installation's


class PersonContact(Model):
    """That a person can be reached there."""

    __tablename__ = "person_contacts"
    __table_args__ = (sa.UniqueConstraint("person_id", "contact_point_id"),)

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    contact_point_id: Mapped[int] = mapped_column(sa.ForeignKey("contact_points.id"), index=True)
    since: Mapped[datetime]

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
