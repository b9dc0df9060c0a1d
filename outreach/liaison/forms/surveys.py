"""The forms of a survey: sending one, and answering it."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext
from wtforms import BooleanField, DateField, FieldList, FormField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from outreach.cases.rules.asking import Topic
from outreach.liaison.rules.surveys import MOST_NEEDS, Need
from outreach.web.forms import Form

NEEDED = tuple(topic for topic in Topic if topic is not Topic.ADVICE)


class SurveyForm(Form):
    """What is asked, of whom, and until when."""

    title = StringField(lazy_gettext("Title"), validators=[InputRequired(), Length(max=120)])
    words = TextAreaField(lazy_gettext("A word to those who are asked"), validators=[InputRequired(), Length(max=1000)])
    talent_class = SelectField(
        lazy_gettext("Class"), coerce=lambda text: int(text) if text else None, validate_choice=False
    )
    field = SelectField(lazy_gettext("Field"), coerce=lambda text: int(text) if text else None, validate_choice=False)
    away = BooleanField(lazy_gettext("Only who comes from here and lives elsewhere"))
    closes_on = DateField(lazy_gettext("Last day"), validators=[InputRequired()])
    by_rule = BooleanField(lazy_gettext("What is needed becomes a request at once"))

    def offer(self, classes: Sequence[Any], fields: Sequence[Any]) -> None:
        """Set the classes of talents and the fields they work in that can be chosen."""
        self.field.choices = [("", gettext("All fields")), *((one.id, one.name) for one in fields)]
        self.talent_class.choices = [("", gettext("All I may see")), *((one.id, one.name) for one in classes)]

    def validate_talent_class(self, field: SelectField) -> None:
        """Refuse a choice that was not offered."""
        if field.data is not None and field.data not in [value for value, _text in field.choices]:
            raise ValidationError(gettext("Choose a class of the list."))

    def validate_field(self, field: SelectField) -> None:
        """Refuse a choice that was not offered."""
        if field.data is not None and field.data not in [value for value, _text in field.choices]:
            raise ValidationError(gettext("Choose a field of the list."))


class NeedForm(Form):
    """One thing somebody needs."""

    class Meta(Form.Meta):
        """Part of the form of the answer, which carries the token against forgery."""

        csrf = False

    topic = SelectField(lazy_gettext("What is it about?"), validate_choice=False)
    words = TextAreaField(lazy_gettext("What do you need?"), validators=[Length(max=2000)])

    def validate_topic(self, field: SelectField) -> None:
        """Refuse words without a topic."""
        if self.words.data and field.data not in [topic.value for topic in NEEDED]:
            raise ValidationError(gettext("Please choose what it is about."))


class AnswerForm(Form):
    """What a talent answers."""

    needs = FieldList(FormField(NeedForm), min_entries=2, max_entries=MOST_NEEDS)
    situation = TextAreaField(lazy_gettext("How are you and your family?"))
    advice = TextAreaField(lazy_gettext("What do you advise us?"))
    consent = BooleanField(
        lazy_gettext("I have read this and agree"),
        validators=[InputRequired(lazy_gettext("We may only write it down if you agree."))],
    )

    def offer(self) -> None:
        """Set the topics that can be chosen."""
        for entry in self.needs:
            entry.form.topic.choices = [
                ("", gettext("Please choose")),
                *((topic.value, gettext(topic.label)) for topic in NEEDED),
            ]

    def said(self) -> list[Need]:
        """Return what is needed; rows without words are passed over."""
        return [Need(Topic(one.form.topic.data), one.form.words.data) for one in self.needs if one.form.words.data]
