"""The base of every form: what was typed is kept, what is refused is said beside its field."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from flask import g
from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import Field, IntegerField, StringField, TextAreaField
from wtforms.validators import Length, ValidationError
from wtforms.widgets import DateTimeLocalInput, TextInput

from outreach.kernel.clock import OFFICE, local
from outreach.kernel.database import db
from outreach.kernel.refusals import Refused
from outreach.web.filters import moment_text

TOO_OFTEN = 429


def stripped(value: str | None) -> str | None:
    """Filter: take surrounding white space away, the full-width space included."""
    return value.strip(" \t\r\n\u3000\u00a0") if isinstance(value, str) else value


def printable(_form: FlaskForm, field: Field) -> None:
    """Validator: refuse control characters, which no keyboard types and some databases refuse."""
    if any((ord(sign) < 32 and sign not in "\n\r\t") or ord(sign) == 127 for sign in field.data or ""):
        raise ValidationError(gettext("There is an invisible control character in this text. Please type it again."))


class MomentField(Field):
    """A day and a time of day on the office's clocks (`datetime-local`); its data is an aware moment or None.

    Where a browser knows no such field people type: «2026-11-28 19:00», with slashes and full-width colons too.
    """

    widget = DateTimeLocalInput()

    def _value(self) -> str:
        if self.raw_data:
            return self.raw_data[0]
        return f"{local(self.data):%Y-%m-%dT%H:%M}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed.

        :raises ValueError: with a sentence for the reader
        """
        self.data = None
        typed = unicodedata.normalize("NFKC", valuelist[0] if valuelist else "").strip()
        if not typed:
            return
        parts = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[T ]+(\d{1,2}):(\d{2})(?::\d{2})?", typed)
        if parts is None:
            raise ValueError(gettext("Write the day and the time like this: 2026-11-28 19:00."))
        try:
            self.data = datetime(*(int(part) for part in parts.groups()), tzinfo=OFFICE).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError(gettext("There is no such day or time in the calendar.")) from None


class CountField(IntegerField):
    """A whole number; full-width figures are figures too.

    A text field: a number field keeps nothing of what it does not understand, and refuses full-width figures.
    """

    widget = TextInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed.

        :raises ValueError: with a sentence for the reader
        """
        self.data = None
        typed = unicodedata.normalize("NFKC", valuelist[0] if valuelist else "").strip()
        if not typed:
            return
        if re.fullmatch(r"[+-]?\d{1,9}", typed) is None:
            raise ValueError(gettext("Type a whole number, such as 20."))
        self.data = int(typed)


class Form(FlaskForm):
    """A form of ours. Text fields are stripped, limited and free of control characters by themselves."""

    refusal: str | None = None

    status = 422
    """What a page with this form answers when something in it was refused."""

    class Meta(FlaskForm.Meta):
        """WTForms' own messages in the reader's language."""

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            if issubclass(unbound_field.field_class, StringField):
                own = unbound_field.kwargs
                options["filters"] = [*own.get("filters", []), stripped]
                longest = 4000 if issubclass(unbound_field.field_class, TextAreaField) else 200
                limits = [] if any(isinstance(v, Length) for v in own.get("validators", [])) else [Length(max=longest)]
                options["validators"] = [*own.get("validators", []), printable, *limits]
            return unbound_field.bind(form=form, **options)

    def attempt(self, operation: Callable[[], Any]) -> bool:
        """Run an operation; on a refusal undo it, keep the sentence (`refusal` or the field's error), return False."""
        try:
            with db.session.begin_nested():
                operation()
        except Refused as refused:
            self.refuse(refused)
            return False
        return True

    def refuse(self, refused: Refused, *, at: str | None = None) -> None:
        """Show a refusal beside the field it belongs to (or the one named), or above the form."""
        g.refused = refused
        if refused.status == TOO_OFTEN:
            self.status = TOO_OFTEN
        sentence = sentence_of(refused)
        field = self._fields.get(at or refused.field or "")
        if field is None:
            self.refusal = sentence
        else:
            field.errors = [*field.errors, sentence]

    def refusals(self) -> Iterator[str]:
        """Yield every message of the form, the one above it first."""
        if self.refusal:
            yield self.refusal
        for messages in self.errors.values():
            yield from messages


def sentence_of(refused: Refused) -> str:
    """Return the refusal as a sentence in the reader's language; enum values show their labels, moments their day."""
    values = {name: _said(value) for name, value in refused.values.items()}
    return gettext(refused.message, **values) if values else gettext(refused.message)


def _said(value: object) -> object:
    if isinstance(value, datetime):
        return moment_text(value)
    return gettext(value.label) if hasattr(value, "label") else value
