"""What is typed about a person."""

from collections.abc import Sequence
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from outreach.organisations.models import Organisation
from outreach.people.models import Guardian, Person, ProfessionalField, TalentClass
from outreach.people.queries import Choices
from outreach.people.rules import CityList, Degree, Gender, Revealable, Rhythm
from outreach.web.filters import masked_email, masked_name, masked_phone
from outreach.web.forms import Form

CHOSEN = ("gender", "degree", "talent_class")
WRITTEN = ("school", "major", "employer", "position", "home_town", "residence", "remark")
SEALED = ("birth", "identity_number")
"""Not shown again in a form: to see them whole takes a reason. Left blank, they stay as they are."""


THROUGH = ("through_account_id", "through_organisation_id")


class PersonForm(Form):
    """A person's record."""

    name = StringField(lazy_gettext("Name"), validators=[InputRequired(), Length(max=120)])
    organisation_id = SelectField(lazy_gettext("Kept by"), coerce=int)
    gender = RadioField(lazy_gettext("Gender"))
    birth = StringField(lazy_gettext("Born"), validators=[Length(max=20)])
    identity_number = StringField(lazy_gettext("Identity number"), validators=[Length(max=30)])
    degree = SelectField(lazy_gettext("Degree"))
    school = StringField(lazy_gettext("School"))
    major = StringField(lazy_gettext("Field of study"))
    employer = StringField(lazy_gettext("Employer"))
    position = StringField(lazy_gettext("Position"))
    talent_class = SelectField(lazy_gettext("Class"))
    fields = SelectMultipleField(lazy_gettext("Fields"), coerce=int)
    home_town = StringField(lazy_gettext("Home town"))
    residence = StringField(lazy_gettext("Lives and works in"))
    through_account_id = SelectField(lazy_gettext("Came through this ambassador"))
    through_organisation_id = SelectField(lazy_gettext("Came through this station or office"))
    phone = StringField(lazy_gettext("Mobile number"))
    email = StringField(lazy_gettext("E-mail"))
    remark = TextAreaField(lazy_gettext("Remark"))
    seen_at = HiddenField()

    def offer(self, organisations: Sequence[Organisation], choices: Choices) -> None:
        """Set what can be chosen."""
        none = ("", gettext("not known"))
        self.organisation_id.choices = [(one.id, one.short_name) for one in organisations]
        self.gender.choices = [none, *((one.value, gettext(one.label)) for one in Gender)]
        self.degree.choices = [none, *((one.value, gettext(one.label)) for one in Degree)]
        self._classes = {str(one.id): one for one in choices.classes}
        self.talent_class.choices = [none, *((key, one.name) for key, one in self._classes.items())]
        self.fields.choices = [(one.id, one.name) for one in choices.fields]
        self.through_account_id.choices = [none, *((str(one.id), one.name) for one in choices.ambassadors)]
        self.through_organisation_id.choices = [none, *((str(one.id), one.short_name) for one in choices.stations)]
        for chosen in (self.through_account_id, self.through_organisation_id):
            chosen.data = chosen.data or ""
        if not self.is_submitted():
            for chosen in (self.gender, self.degree, self.talent_class):
                chosen.data = chosen.data or ""

    def show(self, person: Person) -> None:
        """Fill the form with a record, but for what is sealed."""
        self.name.data = person.name
        self.organisation_id.data = person.organisation_id
        for name in (*CHOSEN, *WRITTEN):
            self._fields[name].data = getattr(person, name) or ""
        self.talent_class.data = str(person.talent_class_id or "")
        self.fields.data = [one.field_id for one in person.fields]
        for name in THROUGH:
            self._fields[name].data = str(getattr(person, name) or "")
        self.seen_at.data = person.updated_at.isoformat()

    def values(self) -> dict[str, Any]:
        """Return what was said of a person, as `operations.add` and `operations.change` take it."""
        kinds = {"gender": Gender, "degree": Degree, "talent_class": self._classes.get}
        said: dict[str, Any] = {name: self._fields[name].data or None for name in WRITTEN}
        for name, kind in kinds.items():
            said[name] = kind(self._fields[name].data) if self._fields[name].data else None
        for name in THROUGH:
            said[name] = int(self._fields[name].data) if self._fields[name].data else None
        said["fields"] = self.fields.data or []
        return said | {name: self._fields[name].data for name in SEALED if self._fields[name].data}


class MergeForm(Form):
    """Which of two records leads, field by field: a choice for each in which they differ."""

    def __init__(self, differing: Sequence[str]) -> None:
        super().__init__()
        self._differing = differing

    def leads(self) -> list[str]:
        """Return the columns in which the second record's value leads."""
        return [column for column in self._differing if request.form.get(f"lead-{column}") == "other"]

    def leading(self, column: str) -> str:
        """Return which of the two leads in a column: "one" unless the other was chosen."""
        return "other" if request.form.get(f"lead-{column}") == "other" else "one"


class UndoForm(Form):
    """Making two records of one again."""

    different = BooleanField(lazy_gettext("They are two different people: do not ask about them again"), default=True)


class EntryForm(Form):
    """An entry of one of the city's lists."""

    name = StringField(
        lazy_gettext("What it is called"), validators=[InputRequired(lazy_gettext("Please write what it is called."))]
    )
    rhythm = SelectField(lazy_gettext("A leader meets them"))

    def __init__(self, which: CityList, **options: Any) -> None:
        super().__init__(**options)
        self.rhythm.choices = [
            ("", gettext("as agreed each time")),
            *((one.value, gettext(one.label)) for one in Rhythm),
        ]
        self.rhythm.data = self.rhythm.data or ""
        if which is CityList.FIELDS:
            del self.rhythm

    def show(self, entry: TalentClass | ProfessionalField) -> None:
        """Fill the form with an entry."""
        self.name.data = entry.name
        if self.rhythm:
            self.rhythm.data = (entry.rhythm or "") if isinstance(entry, TalentClass) else ""

    def chosen_rhythm(self) -> Rhythm | None:
        """Return how often people of the class are met; None for a field, or where it is agreed each time."""
        return Rhythm(self.rhythm.data) if self.rhythm and self.rhythm.data else None


class RevealForm(Form):
    """What is to be shown in full, and why."""

    what = RadioField(lazy_gettext("What do you need to see?"), validators=[InputRequired()])
    reason = StringField(lazy_gettext("What is it for?"), validators=[InputRequired(), Length(min=2, max=200)])

    def offer(self, person: Person, guardians: Sequence[Guardian]) -> None:
        """Set what of the person, and of those who answer for them, stands masked."""
        choices = [
            (f"{Revealable.CONTACT.value}-{contact.id}", _masked(contact.contact_point.value))
            for contact in person.contacts
        ]
        choices += [
            (f"{Revealable.GUARDIAN.value}-{one.id}", gettext("Guardian %(name)s", name=masked_name(one.name)))
            for one in guardians
        ]
        alone = {
            Revealable.IDENTITY_NUMBER: person.identity_number,
            Revealable.BIRTH: person.birth,
            Revealable.BESIDE: person.beside != person.aside,
        }
        choices += [(what.value, gettext(what.label)) for what, masked in alone.items() if masked]
        self.what.choices = choices
        if not self.is_submitted() and choices:
            self.what.data = choices[0][0]

    def chosen(self) -> tuple[Revealable, int | None]:
        """Return what was chosen, and which one where there may be several."""
        kind, _, which = self.what.data.partition("-")
        return Revealable(kind), int(which) if which else None


def _masked(value: str) -> str:
    return masked_email(value) if "@" in value else masked_phone(value)
