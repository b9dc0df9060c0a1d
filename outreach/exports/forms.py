"""What somebody says who takes a list out: what kind of file, which columns, what in full, and why."""

from flask_babel import gettext, lazy_gettext
from wtforms import RadioField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from outreach.exports import queries
from outreach.exports.rules import LONGEST_REASON
from outreach.exports.rules.offers import Offer
from outreach.web.forms import Form


class ExportForm(Form):
    """Format, columns, what is wanted in full, and the reason."""

    format = RadioField(lazy_gettext("Kind of file"), validators=[InputRequired()])
    columns = SelectMultipleField(lazy_gettext("Columns of the file"))
    in_full = SelectMultipleField(lazy_gettext("In full instead of masked"))
    reason = StringField(
        lazy_gettext("What is it for?"),
        validators=[
            InputRequired(lazy_gettext("Say in a few words what the file is for.")),
            Length(max=LONGEST_REASON),
        ],
    )

    def offer(self, offer: Offer, viewer: queries.Viewer) -> None:
        """Set what can be chosen; what the viewer may never see in full is not offered in full."""
        self.format.choices = [(kind.value, gettext(kind.label)) for kind in offer.formats]
        self.columns.choices = [(column.key, gettext(column.label)) for column in offer.columns]
        self.in_full.choices = [
            (column.key, gettext(column.label))
            for column in offer.columns
            if column.sensitive and viewer.may(column.sensitive.permission)
        ]
        if not self.is_submitted():
            self.format.data = offer.formats[0].value
            self.columns.data = [column.key for column in offer.columns if column.chosen]
            self.in_full.data = []
