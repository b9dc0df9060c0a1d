"""What is typed about a programme."""

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from outreach.organisations.queries import Branch
from outreach.programmes.rules import Motif
from outreach.web.forms import Form


class ProgrammeForm(Form):
    """A programme's name, what it is about, and the drawing its events wear."""

    organisation = SelectField(_l("Organisation"), coerce=int)
    name = StringField(
        _l("What it is called"), validators=[InputRequired(_l("Give the programme a name.")), Length(max=120)]
    )
    summary = TextAreaField(_l("In one or two sentences"), validators=[Length(max=400)])
    motif = RadioField(
        _l("Cover of its events"),
        choices=lambda: [(motif.value, gettext(motif.label)) for motif in Motif],
        default=Motif.PLAIN.value,
    )

    def offer(self, units: list[Branch]) -> None:
        """Offer these organisations as the programme's own."""
        self.organisation.choices = [(unit.organisation.id, unit.organisation.short_name) for unit in units]
