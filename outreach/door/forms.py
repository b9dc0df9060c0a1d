"""Forms of the door."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from outreach.door.rules import LONGEST_NAME
from outreach.web.forms import Form


class EnrolForm(Form):
    """Who stands where: other phones say so when a ticket comes twice."""

    name = StringField(
        _l("Your name"),
        validators=[
            DataRequired(_l("Please write your name: other phones show who let somebody in.")),
            Length(max=LONGEST_NAME),
        ],
    )
    gate = StringField(_l("Which door"), validators=[Length(max=LONGEST_NAME)])


class CodeForm(Form):
    """A ticket, by what is printed under its QR code."""

    code = StringField(_l("Short code"), validators=[DataRequired(_l("Please type the six signs under the QR code."))])
