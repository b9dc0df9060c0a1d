"""The form of the first set-up."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, PasswordField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import EqualTo, InputRequired, Length

from outreach.organisations.rules import brand
from outreach.signing_in.forms import SAME
from outreach.signing_in.rules import LONGEST_PASSWORD
from outreach.web.forms import Form
from outreach.web.language import LANGUAGES

OWN = "own"
SWATCHES = (
    (brand.DEFAULT, _l("Lake")),
    ("#2b6141", _l("Pine")),
    ("#1f4e8c", _l("Sky")),
    ("#643f78", _l("Plum")),
    ("#7d4a3a", _l("Brick")),
    ("#9c2f3f", _l("Pomegranate")),
)


class CodeForm(Form):
    """The code from the server's own window."""

    code = StringField(_l("Set-up code"), validators=[InputRequired(_l("Please type the code.")), Length(max=40)])


class SetupForm(Form):
    """Everything a city says of itself before it begins."""

    city_name = StringField(_l("City"), validators=[InputRequired(_l("Please write the city's name.")), Length(max=60)])
    office_name = StringField(
        _l("Full name of the lead office"),
        validators=[InputRequired(_l("Please write the office's full name.")), Length(max=200)],
    )
    office_short_name = StringField(
        _l("Short name"), validators=[InputRequired(_l("Please write the short name.")), Length(max=60)]
    )
    language = RadioField(
        _l("Language of first sight"),
        choices=[SelectChoice(code, name) for code, name in LANGUAGES.items()],
        default="zh_Hans_CN",
    )
    colour = RadioField(
        _l("The city's colour"),
        choices=[SelectChoice(value, word) for value, word in (*SWATCHES, (OWN, _l("Another one")))],
        default=brand.DEFAULT,
    )
    own_colour = StringField(_l("Your colour"), default=brand.DEFAULT, validators=[Length(max=7)])

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

    @property
    def brand_colour(self) -> str:
        """The chosen colour, checked.

        :raises NotAColour: if the own one is none
        :raises ColourTooPale: if white text on it could not be read
        """
        return brand.checked_colour(self.own_colour.data if self.colour.data == OWN else self.colour.data)
