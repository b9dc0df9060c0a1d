"""What a clerk sends: a file, and what its columns are."""

from collections.abc import Sequence
from pathlib import PurePath

from flask_babel import gettext, lazy_gettext
from flask_wtf.file import FileField
from wtforms import RadioField
from wtforms.validators import InputRequired, ValidationError

from outreach.intake import imports
from outreach.intake.rules import Importer, Unreadable
from outreach.web.forms import Form, sentence_of

LONGEST_NAME = 120


class UploadForm(Form):
    """A file and what kind it is. The file is looked at at once: what is no spreadsheet never enters."""

    kind = RadioField(lazy_gettext("What does it hold?"), validators=[InputRequired()])
    file = FileField(lazy_gettext("The file"))

    content: bytes = b""

    def offer(self, kinds: Sequence[Importer]) -> None:
        """Set the kinds that the reader may bring in."""
        self.kind.choices = [(kind.key, gettext(kind.label)) for kind in kinds]
        if self.kind.data is None:
            self.kind.data = kinds[0].key

    @property
    def filename(self) -> str:
        """The name of the file, without folders and no longer than a line."""
        return PurePath((self.file.data.filename or "").replace("\\", "/")).name[-LONGEST_NAME:] or gettext("A file")

    def validate_file(self, field: FileField) -> None:
        """Look into the file."""
        if not field.data:
            raise ValidationError(gettext("Please choose a file."))
        self.content = field.data.read()
        try:
            imports.check(self.content)
        except Unreadable as unreadable:
            raise ValidationError(sentence_of(unreadable)) from None
