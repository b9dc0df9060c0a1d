"""What leaves the house about people: their list, with what exposes them masked."""

from datetime import date

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import aliased

from outreach.exports.rules.offers import Asked, Column, Sensitive, Table
from outreach.kernel.wording import N_
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import within
from outreach.organisations.rules import Permission
from outreach.people import queries
from outreach.people.models import ContactPoint, Person, PersonContact, PersonField, ProfessionalField, TalentClass
from outreach.people.rules import ContactKind, Degree
from outreach.web.filters import masked_email, masked_phone


def masked_identity(value: str) -> str:
    """Return an identity number but for its last two signs."""
    return "*" * (len(value) - 2) + value[-2:]


def masked_birth(value: date | str) -> str:
    """Return the year somebody was born in."""
    return f"{str(value)[:4]}-**"


def day_or_text(value: str | None) -> date | str | None:
    """Return a day that is wholly known as a day, one known to the month or year as it was written: 1970-12."""
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return value


def national(value: str | None) -> str | None:
    """Return a Chinese number without +86, as offices write it; any other as it is."""
    return value.removeprefix("+86") if value else None


def first_contact(person_id: object, kind: ContactKind) -> sa.ScalarSelect[str]:
    """Return the number or address at which the person of a row can be reached, the first known of several."""
    return (
        sa.select(ContactPoint.value)
        .join(PersonContact, PersonContact.contact_point_id == ContactPoint.id)
        .where(PersonContact.person_id == person_id, PersonContact.until.is_(None), ContactPoint.kind == kind)
        .order_by(PersonContact.id)
        .limit(1)
        .scalar_subquery()
    )


_station = aliased(Organisation)
PHONE = Sensitive(Permission.PEOPLE_REVEAL, masked_phone)
EMAIL = Sensitive(Permission.PEOPLE_REVEAL, masked_email)


def _wanted(asked: Asked) -> queries.Wanted:
    said = asked.arguments
    return queries.Wanted(
        text=said.get("q", ""),
        talent_class=next((one for one in queries.talent_classes() if one.id == asked.number("class")), None),
        degree=next((one for one in Degree if one.value == said.get("degree")), None),
        field=next((one for one in queries.professional_fields() if one.id == asked.number("field")), None),
        away=said.get("away") == "1",
        organisation_id=next(
            (one.id for one in queries.organisations_with_people(asked.account) if one.id == asked.number("unit")), None
        ),
    )


def _rows(asked: Asked) -> sa.Select[tuple[int]]:
    return (
        sa.select(Person.id)
        .where(Person.id.in_(queries.find(asked.account, _wanted(asked)).rows))
        .where(within(Person.organisation_id, asked.account, Permission.EXPORT))
        .order_by(Person.sound, Person.id)
    )


def _source() -> sa.Select[tuple[int]]:
    return (
        sa.select(Person.id)
        .join(Organisation, Organisation.id == Person.organisation_id)
        .outerjoin(TalentClass, TalentClass.id == Person.talent_class_id)
    )


def _narrowed(asked: Asked) -> list[tuple[str, str | None]]:
    wanted = _wanted(asked)
    unit = next(
        (one for one in queries.organisations_with_people(asked.account) if one.id == wanted.organisation_id), None
    )
    return [
        (gettext("Search"), f"“{wanted.text}”" if wanted.text else None),
        (gettext("Class"), wanted.talent_class.name if wanted.talent_class else None),
        (gettext("Degree"), gettext(wanted.degree.label) if wanted.degree else None),
        (gettext("Field"), wanted.field.name if wanted.field else None),
        (gettext("Home town"), gettext("from here, living elsewhere") if wanted.away else None),
        (gettext("Kept by"), unit.short_name if unit else None),
    ]


PEOPLE = Table(
    key="people",
    label=N_("List of talents"),
    permissions=(Permission.EXPORT, Permission.PEOPLE_READ),
    columns=(
        Column("name", N_("Name"), (Person.name,)),
        Column("gender", N_("Gender"), (Person.gender,)),
        Column("talent_class", N_("Class"), (TalentClass.name,)),
        Column("employer", N_("Employer"), (Person.employer,)),
        Column("position", N_("Position"), (Person.position,)),
        Column("degree", N_("Degree"), (Person.degree,)),
        Column("school", N_("School"), (Person.school,)),
        Column("major", N_("Field of study"), (Person.major,)),
        Column(
            "fields",
            N_("Fields"),
            (
                sa.select(sa.func.aggregate_strings(ProfessionalField.name, "、"))
                .join(PersonField, PersonField.field_id == ProfessionalField.id)
                .where(PersonField.person_id == Person.id)
                .scalar_subquery(),
            ),
            chosen=False,
        ),
        Column("home_town", N_("Home town"), (Person.home_town,)),
        Column("residence", N_("Lives and works in"), (Person.residence,), chosen=False),
        Column(
            "phone",
            N_("Mobile number"),
            (first_contact(Person.id, ContactKind.PHONE),),
            shown=national,
            sensitive=PHONE,
        ),
        Column("email", N_("E-mail"), (first_contact(Person.id, ContactKind.EMAIL),), sensitive=EMAIL, chosen=False),
        Column(
            "birth",
            N_("Born"),
            (Person.birth,),
            shown=day_or_text,
            sensitive=Sensitive(Permission.PEOPLE_REVEAL, masked_birth),
            chosen=False,
        ),
        Column(
            "identity_number",
            N_("Identity number"),
            (Person.identity_number,),
            sensitive=Sensitive(Permission.PEOPLE_REVEAL, masked_identity),
            chosen=False,
        ),
        Column(
            "through",
            N_("Came through"),
            (
                sa.select(Account.name).where(Account.id == Person.through_account_id).scalar_subquery(),
                sa.select(_station.short_name).where(_station.id == Person.through_organisation_id).scalar_subquery(),
            ),
            shown=lambda name, station: "，".join(one for one in (station, name) if one) or None,
            chosen=False,
        ),
        Column("unit", N_("Kept by"), (Organisation.short_name,)),
        Column("remark", N_("Remark"), (Person.remark,), chosen=False),
        Column("created_at", N_("Written down"), (Person.created_at,), chosen=False),
    ),
    rows=_rows,
    source=_source,
    unit=N_("%(n)s people"),
    row=Person.id,
    about=Person.id,
    arguments=("q", "class", "degree", "field", "away", "unit"),
    narrowed=_narrowed,
)
