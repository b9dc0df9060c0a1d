"""The form of a visit, and those of pairings."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext, lazy_gettext
from werkzeug.datastructures import FileStorage
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    FieldList,
    FormField,
    HiddenField,
    MultipleFileField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, ValidationError

from outreach.cases.rules.asking import Topic
from outreach.kernel.clock import OFFICE
from outreach.liaison.documents.photographs import drawn_anew
from outreach.liaison.models import Pairing
from outreach.liaison.queries import PairingDue
from outreach.liaison.rules import Ask, VisitWay
from outreach.liaison.rules.photographs import MOST_PHOTOGRAPHS, TooManyPhotographs
from outreach.organisations.models import Account
from outreach.people.rules import Rhythm
from outreach.web.forms import Form

MOST_ASKS = 20
ASKED_TOPICS = tuple(topic for topic in Topic if topic is not Topic.ADVICE)
"""What can be chosen for something asked; advice has a place of its own on the form."""


def _number(text: Any) -> int | None:
    return int(text) if text not in (None, "", "None") else None


class AskForm(Form):
    """One thing that was asked: the words, what it is about, and who asked where several were met."""

    class Meta(Form.Meta):
        """Part of the form of the visit, which carries the token against forgery."""

        csrf = False

    words = TextAreaField(lazy_gettext("What was asked, in their words"), validators=[Length(max=2000)])
    topic = SelectField(lazy_gettext("About"), validate_choice=False)
    complex = BooleanField(lazy_gettext("Complex: several units, or more than five working days"))
    person_id = SelectField(lazy_gettext("Who asked"), coerce=_number, validate_choice=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written here; such a row is passed over."""
        return not self.words.data

    def validate_topic(self, field: SelectField) -> None:
        """Refuse words without a topic: the topic decides which unit gets them."""
        if not self.is_empty and field.data not in [topic.value for topic in ASKED_TOPICS]:
            raise ValidationError(gettext("Say what it is about: the unit that answers follows from it."))


class VisitForm(Form):
    """A visit as it is logged. Who may be chosen is set by the view: the pairings of whoever is signed in."""

    blank_ask: AskForm
    form_token = HiddenField(validators=[Length(min=16, max=40)])
    pairings = SelectMultipleField(lazy_gettext("Who was met"), coerce=_number, validate_choice=False)
    at = DateTimeLocalField(
        lazy_gettext("When was it"), format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], validators=[InputRequired()]
    )
    way = RadioField(lazy_gettext("How"), default=VisitWay.VISIT.value)
    companions = StringField(lazy_gettext("Who went along"), validators=[Length(max=200)])
    asks = FieldList(FormField(AskForm), label=lazy_gettext("What they need"), min_entries=1, max_entries=MOST_ASKS)
    situation = TextAreaField(lazy_gettext("How they are"))
    advice = TextAreaField(lazy_gettext("What they advise"))
    photographs = MultipleFileField(lazy_gettext("Pictures"))
    account = HiddenField(validators=[Length(max=12)])  # who had the form before them, perhaps without a network
    advised_by = SelectField(lazy_gettext("Whose advice"), coerce=_number, validate_choice=False)
    confidential = BooleanField(lazy_gettext("Notes only for this pairing"))

    def offer(self, pairings: Sequence[PairingDue]) -> None:
        """Set what can be chosen: the ways, the topics, these pairings and their talents; and the row a script adds."""
        talents = {row.pairing.person_id: row.pairing.person.name for row in pairings}
        people = [("", gettext("Choose")), *talents.items()]
        self.pairings.choices = [(row.pairing.id, row.pairing.person.name) for row in pairings]
        self.way.choices = [(way.value, gettext(way.label)) for way in VisitWay]
        self.advised_by.choices = people
        self.blank_ask = AskForm(formdata=None, prefix="asks-__n__-")
        for ask in [self.blank_ask, *(entry.form for entry in self.asks)]:
            ask.topic.choices = [
                ("", gettext("Choose")),
                *((topic.value, gettext(topic.label)) for topic in ASKED_TOPICS),
            ]
            ask.person_id.choices = people

    def chosen(self, pairings: Sequence[PairingDue]) -> list[Pairing]:
        """Return the pairings that were chosen, in the order of the list."""
        wanted = set(self.pairings.data or ())
        return [row.pairing for row in pairings if row.pairing.id in wanted]

    def validate_pairings(self, field: SelectMultipleField) -> None:
        """Refuse a visit to nobody, or to somebody who is not on the list."""
        known = {pairing_id for pairing_id, _ in field.choices}
        if not field.data or not known.issuperset(field.data):
            raise ValidationError(gettext("Choose who was met."))

    def validate_way(self, field: RadioField) -> None:
        """Refuse a way of meeting that does not exist."""
        if field.data not in list(VisitWay):
            raise ValidationError(gettext("Choose how you met."))

    def name_the_askers(self, met: Sequence[int]) -> bool:
        """Fill in who asked where only one was met; return whether it is known for everything asked and advised."""
        wants = [entry.form.person_id for entry in self.asks if not entry.form.is_empty]
        if self.advice.data:
            wants.append(self.advised_by)
        known = True
        for field in wants:
            if len(met) == 1:
                field.data = met[0]
            elif field.data not in met:
                field.errors = [*field.errors, gettext("Several were met. Say who it was.")]
                known = False
        return known

    def asked(self) -> list[Ask]:
        """Return what was asked; rows without words are passed over."""
        return [
            Ask(
                person_id=entry.form.person_id.data,
                topic=Topic(entry.form.topic.data),
                words=entry.form.words.data,
                complex=entry.form.complex.data,
            )
            for entry in self.asks
            if not entry.form.is_empty
        ]

    @property
    def moment(self) -> datetime:
        """When they met, as a moment: the form has the office's time."""
        return self.at.data.replace(tzinfo=OFFICE).astimezone(UTC)

    def pictures(self) -> list[bytes]:
        """Return the pictures that were chosen, drawn anew.

        :raises rules.photographs.TooManyPhotographs: for more than a visit may have
        :raises rules.photographs.TooLarge: and NotAPhotograph, as drawn_anew
        """
        files = [file for file in self.photographs.data or () if isinstance(file, FileStorage) and file.filename]
        if len(files) > MOST_PHOTOGRAPHS:
            raise TooManyPhotographs(most=MOST_PHOTOGRAPHS)
        return drawn_anew([file.stream for file in files])

    @property
    def requests(self) -> int:
        """How many requests the form would make now."""
        return sum(not entry.form.is_empty for entry in self.asks) + bool(self.advice.data)


class PairForm(Form):
    """A talent is joined to a leader or officer."""

    leader = SelectField(lazy_gettext("Leader or service officer"), coerce=_number, validate_choice=False)
    liaison_officer = SelectField(lazy_gettext("Liaison officer"), coerce=_number, validate_choice=False)
    rhythm = RadioField(lazy_gettext("How often they meet"), validate_choice=False)
    starts_on = DateField(lazy_gettext("First day"), validators=[InputRequired()])

    def offer(self, leaders: Sequence[Account], officers: Sequence[Account]) -> None:
        """Set whom can be chosen; the units tell namesakes apart."""
        self.leader.choices = [("", gettext("Choose …")), *((one.id, _at_unit(one)) for one in leaders)]
        self.liaison_officer.choices = [("", gettext("Nobody")), *((one.id, _at_unit(one)) for one in officers)]
        self.rhythm.choices = [(one.value, gettext(one.label)) for one in Rhythm]

    def validate_leader(self, field: SelectField) -> None:
        """Refuse a choice that was not offered."""
        if field.data not in [value for value, _text in field.choices if value]:
            raise ValidationError(gettext("Choose who keeps in touch."))

    def validate_liaison_officer(self, field: SelectField) -> None:
        """Refuse a choice that was not offered."""
        if field.data is not None and field.data not in [value for value, _text in field.choices if value]:
            raise ValidationError(gettext("Choose somebody of the list, or nobody."))

    def validate_rhythm(self, field: RadioField) -> None:
        """Refuse a choice that was not offered."""
        if field.data not in set(Rhythm):
            raise ValidationError(gettext("Choose how often they meet."))


def _at_unit(account: Account) -> str:
    known_as = [account.name, account.position, account.organisation.short_name]
    return " · ".join(part for part in known_as if part)


class EndForm(Form):
    """The end of a pairing."""

    ends_on = DateField(lazy_gettext("Last day"), validators=[InputRequired()])
