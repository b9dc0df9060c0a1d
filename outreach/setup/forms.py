"""The form of the first set-up."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from outreach.organisations.forms import LookForm
from outreach.signing_in.forms import SAME
from outreach.signing_in.rules import LONGEST_PASSWORD
from outreach.web.forms import Form


class CodeForm(Form):
    """The code from the server's own window."""

    code = StringField(_l("Set-up code"), validators=[InputRequired(_l("Please type the code.")), Length(max=40)])


class SetupForm(LookForm):
    """Everything a city says of itself before it begins."""

    office_name = StringField(
        _l("Full name of the lead office"),
        validators=[InputRequired(_l("Please write the office's full name.")), Length(max=200)],
    )
    office_short_name = StringField(
        _l("Short name"), validators=[InputRequired(_l("Please write the short name.")), Length(max=60)]
    )
    name = StringField(_l("Your name"), validators=[InputRequired(_l("Please write your name.")), Length(max=120)])
    username = StringField(_l("Username"), validators=[Length(max=40)])
    phone = StringField(_l("Mobile number"), validators=[Length(max=40)])
    email = StringField(_l("Mail address"), validators=[Length(max=254)])
    password = PasswordField(
        _l("Password"),
        validators=[InputRequired(_l("Please choose a password.")), Length(max=LONGEST_PASSWORD)],
    )
    again = PasswordField(_l("The same once more"), validators=[EqualTo("password", SAME)])
    also_organises = BooleanField(_l("I also organise"), default=True)
