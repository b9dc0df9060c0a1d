"""Forms of signing in."""

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from outreach.signing_in.rules import LONGEST_PASSWORD
from outreach.web.forms import Form

SAME = _l("The two passwords differ. Please type both again.")


class PasswordForm(Form):
    """The door of the desk."""

    name = StringField(
        _l("Username, mobile number or mail address"),
        validators=[InputRequired(_l("Please say who you are."))],
    )
    password = PasswordField(
        _l("Password"),
        validators=[InputRequired(_l("Please type your password.")), Length(max=LONGEST_PASSWORD)],
    )


class NewPasswordForm(Form):
    """A password chosen for the first time, through a one-time link."""

    password = PasswordField(
        _l("New password"),
        validators=[InputRequired(_l("Please choose a password.")), Length(max=LONGEST_PASSWORD)],
    )
    again = PasswordField(_l("The same once more"), validators=[EqualTo("password", SAME)])


class ChangePasswordForm(NewPasswordForm):
    """A password replaced by its owner."""

    present = PasswordField(
        _l("Present password"),
        validators=[InputRequired(_l("Please type your present password.")), Length(max=LONGEST_PASSWORD)],
    )


class PhoneForm(Form):
    """Where the code goes: a mobile number."""

    number = StringField(
        _l("Mobile number"), validators=[InputRequired(_l("Please give your mobile number.")), Length(max=40)]
    )


class EmailForm(Form):
    """Where the code goes: a mail address, for talent from abroad."""

    number = StringField(
        _l("Mail address"), validators=[InputRequired(_l("Please give your mail address.")), Length(max=254)]
    )


class WhoseForm(Form):
    """Who held a number before that was quiet for long."""

    name = StringField(_l("Your full name"), validators=[InputRequired(_l("Please write your name.")), Length(max=120)])


class CodeForm(Form):
    """The six digits, from a message."""

    code = StringField(
        _l("The six digits from the message"),
        validators=[InputRequired(_l("Please type the six digits.")), Length(max=20)],
    )
