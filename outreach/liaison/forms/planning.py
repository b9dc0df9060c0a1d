"""The forms of planned visits."""

from datetime import date

from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, DateField, RadioField, SelectMultipleField, TextAreaField, TimeField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from outreach.liaison.rules.planning import MOST_AT_ONCE, MOST_PER_WEEK, PER_WEEK, Proposal
from outreach.web.forms import Form


class PlanForm(Form):
    """The next visit of a pairing: the day, perhaps the hour."""

    day = DateField(lazy_gettext("Day"), validators=[InputRequired()])
    hour = TimeField(lazy_gettext("Time"), validators=[Optional()])
    note = TextAreaField(lazy_gettext("Note"), validators=[Length(max=500)])
    knowing = BooleanField(lazy_gettext("I know, and plan it all the same"))


class MoveForm(Form):
    """Another day for a planned visit."""

    day = DateField(lazy_gettext("New day"), validators=[InputRequired()])
    hour = TimeField(lazy_gettext("Time"), validators=[Optional()])


class CancelForm(Form):
    """Why a planned visit does not take place."""

    reason = TextAreaField(lazy_gettext("Why it does not take place"), validators=[Length(max=500)])


class PaceForm(Form):
    """How many visits a week a catch-up plan may ask of a leader."""

    class Meta(Form.Meta):
        """Sent with GET: it changes nothing."""

        csrf = False

    pace = RadioField(lazy_gettext("Visits a week"), coerce=int, default=PER_WEEK, validate_choice=False)

    @property
    def per_week(self) -> int:
        """The number chosen, or the usual one where none was or it cannot be."""
        return self.pace.data if self.pace.data in range(1, MOST_PER_WEEK + 1) else PER_WEEK


class TakeOverForm(Form):
    """The visits of a catch-up plan that were chosen: «<pairing>:<day>» each, as they were shown."""

    chosen = SelectMultipleField(lazy_gettext("Visits to plan"), validate_choice=False)

    def validate_chosen(self, field: SelectMultipleField) -> None:
        """Refuse what no such plan has."""
        try:
            self.proposals = [_proposal(text) for text in field.data or ()]
        except ValueError:
            raise ValidationError(gettext("This plan is out of date. Please look at it again.")) from None
        if len(self.proposals) > MOST_AT_ONCE:
            raise ValidationError(gettext("Plan at most %(most)s visits at once.", most=MOST_AT_ONCE))


def _proposal(text: str) -> Proposal:
    pairing_id, _, day = text.partition(":")
    if not (pairing_id.isascii() and pairing_id.isdigit() and len(pairing_id) < 10):
        raise ValueError(text)
    return Proposal(int(pairing_id), date.fromisoformat(day))
