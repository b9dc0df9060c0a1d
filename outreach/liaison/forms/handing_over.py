"""The form of a hand-over."""

from collections.abc import Sequence

from flask_babel import gettext, lazy_gettext
from wtforms import SelectField
from wtforms.validators import ValidationError

from outreach.organisations.models import Account
from outreach.web.forms import Form


class HandOverForm(Form):
    """To whom everything open goes."""

    successor = SelectField(
        lazy_gettext("Successor"), coerce=lambda text: int(text) if text else None, validate_choice=False
    )

    def offer(self, accounts: Sequence[Account]) -> None:
        """Set who can be chosen; the units tell namesakes apart."""
        self.successor.choices = [
            ("", gettext("Choose …")),
            *(
                (one.id, " · ".join(part for part in (one.name, one.position, one.organisation.short_name) if part))
                for one in accounts
            ),
        ]

    def validate_successor(self, field: SelectField) -> None:
        """Refuse a choice that was not offered."""
        if field.data not in [value for value, _text in field.choices if value]:
            raise ValidationError(gettext("Choose the successor."))
