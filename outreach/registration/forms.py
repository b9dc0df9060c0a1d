"""Forms of registering and of looking at registrations."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from outreach.web.forms import Form

LONGEST_NAME = 60


class RegisterForm(Form):
    """As whom somebody comes, their name, and that they agree."""

    group = RadioField(
        _l("As whom do you come?"),
        choices=[],
        validate_choice=False,
        validators=[DataRequired(_l("Please choose one of the groups shown here."))],
    )
    name = StringField(
        _l("Name"),
        validators=[DataRequired(_l("Please write the name of the person who comes.")), Length(max=LONGEST_NAME)],
    )
    through = SelectField(_l("Did a university tell you of it?"), choices=[], validate_choice=False)
    birth = StringField(_l("Date of birth of the person who comes"), validators=[Length(max=20)])
    guardian = StringField(_l("Guardian's name"), validators=[Length(max=LONGEST_NAME)])
    guardian_consent = BooleanField(_l("I am the guardian, this is my own number, and I agree"))
    consent = BooleanField(
        _l("I agree that my information is used for the purposes above"),
        validators=[DataRequired(_l("Without your agreement we may not keep your name. Please tick it to register."))],
    )


class ReasonForm(Form):
    """Why somebody loses a place: they read it."""

    reason = TextAreaField(
        _l("Reason"), validators=[DataRequired(_l("Say why: the person reads it.")), Length(max=200)]
    )


class ByHandForm(Form):
    """Somebody who telephoned: registered by the office."""

    group = RadioField(
        _l("Group of places"),
        choices=[],
        validate_choice=False,
        validators=[DataRequired(_l("Please choose one of the groups shown here."))],
    )
    name = StringField(
        _l("Name"),
        validators=[DataRequired(_l("Please write the name of the person who comes.")), Length(max=LONGEST_NAME)],
    )
    phone = StringField(
        _l("Mobile number"), validators=[DataRequired(_l("Please write a number we can reach them at."))]
    )
    through = SelectField(_l("Through whom"), choices=[], validate_choice=False)
