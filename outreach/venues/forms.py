"""What is typed about a venue."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from outreach.organisations.queries import Branch
from outreach.web.forms import Form


class VenueForm(Form):
    """A venue's name, its address and how to get there."""

    organisation = SelectField(_l("Organisation"), coerce=int)
    name = StringField(
        _l("What it is called"), validators=[InputRequired(_l("Give the venue a name.")), Length(max=120)]
    )
    address = StringField(_l("Address"), validators=[InputRequired(_l("Say where it is.")), Length(max=200)])
    how_to_get_there = TextAreaField(_l("How to get there"), validators=[Length(max=400)])

    def offer(self, units: list[Branch]) -> None:
        """Offer these organisations as the venue's own."""
        self.organisation.choices = [(unit.organisation.id, unit.organisation.short_name) for unit in units]
