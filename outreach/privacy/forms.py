"""What is typed by a person about their own data, and at the desk about somebody's wish."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from outreach.people.models import Person
from outreach.people.rules import Degree, Gender
from outreach.web.forms import CountField, Form

WRITTEN = ("school", "major", "employer", "position", "home_town", "residence")


class NameForm(Form):
    """Whose data they are."""

    name = StringField(_l("Your full name"), validators=[DataRequired(_l("Please write your name.")), Length(max=120)])


class OwnRecordForm(Form):
    """One's own record, to be corrected."""

    name = StringField(_l("Name"), validators=[DataRequired(_l("Please write your name.")), Length(max=60)])
    gender = RadioField(_l("Gender"))
    birth = StringField(_l("Born"), validators=[Length(max=20)])
    degree = SelectField(_l("Degree"))
    school = StringField(_l("School"))
    major = StringField(_l("Field of study"))
    employer = StringField(_l("Employer"))
    position = StringField(_l("Position"))
    home_town = StringField(_l("Home town"))
    residence = StringField(_l("Lives and works in"))
    email = StringField(_l("E-mail"))
    seen_at = HiddenField()

    def offer(self) -> None:
        """Set what can be chosen."""
        none = ("", gettext("I would rather not say"))
        self.gender.choices = [none, *((one.value, gettext(one.label)) for one in Gender)]
        self.degree.choices = [none, *((one.value, gettext(one.label)) for one in Degree)]
        if not self.is_submitted():
            self.gender.data, self.degree.data = self.gender.data or "", self.degree.data or ""

    def show(self, person: Person) -> None:
        """Fill the form with the record."""
        for name in ("name", "birth", *WRITTEN):
            self._fields[name].data = getattr(person, name) or ""
        self.gender.data = person.gender.value if person.gender else ""
        self.degree.data = person.degree.value if person.degree else ""
        self.seen_at.data = person.updated_at.isoformat()

    def values(self) -> dict[str, Any]:
        """Return what was said, as `people.operations.change` takes it; what was emptied is taken out."""
        said: dict[str, Any] = {name: self._fields[name].data or None for name in (*WRITTEN, "birth")}
        said["gender"] = Gender(self.gender.data) if self.gender.data else None
        said["degree"] = Degree(self.degree.data) if self.degree.data else None
        return said


class EraseForm(Form):
    """The last question."""

    sure = BooleanField(
        _l("I have read this, and I want to be erased"),
        validators=[DataRequired(_l("Please tick it if you are sure. Nothing has happened yet."))],
    )


class HowForm(Form):
    """How it was made sure that a wish is the person's own."""

    how = TextAreaField(_l("How did you make sure that it is the person's own wish?"), validators=[Length(max=400)])


class TextForm(Form):
    """A new version of what people are asked to agree to."""

    chinese = TextAreaField(
        _l("Text in Chinese"), validators=[DataRequired(_l("Please write the text.")), Length(max=4000)]
    )
    english = TextAreaField(
        _l("Text in English"), validators=[DataRequired(_l("Please write the text.")), Length(max=4000)]
    )
    kept_months = CountField(
        _l("Kept for"), validators=[InputRequired(_l("Please write for how long.")), NumberRange(min=1, max=240)]
    )


class AmountForm(Form):
    """How long a kind of data is kept."""

    amount = CountField(_l("Kept for"))


class RefusalForm(Form):
    """Why a wish is not carried out."""

    reason = TextAreaField(_l("Why is it not done?"), validators=[Length(max=400)])
