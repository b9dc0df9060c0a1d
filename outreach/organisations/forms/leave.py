"""The form of leave."""

from collections.abc import Iterable

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import DateField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from outreach.organisations.models import Account
from outreach.web.forms import Form

NOBODY = 0


class LeaveForm(Form):
    """The days somebody is away, and who stands in."""

    from_on = DateField(_l("First day away"), validators=[InputRequired(_l("Please choose the first day."))])
    until_on = DateField(_l("Last day away"), validators=[InputRequired(_l("Please choose the last day."))])
    deputy = SelectField(_l("Who stands in"), coerce=int, default=NOBODY)

    def offer(self, colleagues: Iterable[Account]) -> None:
        """Fill the list: the colleagues of the unit, and nobody."""
        self.deputy.choices = [
            SelectChoice(NOBODY, gettext("nobody stands in")),
            *(SelectChoice(one.id, f"{one.name} {one.position or ''}".strip()) for one in colleagues),
        ]
