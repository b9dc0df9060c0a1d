"""What is typed about requests."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.standard import (
    LONGEST_ARTICLE,
    LONGEST_DOCUMENT,
    LONGEST_LINK,
    LONGEST_NUMBER,
    LONGEST_TITLE,
)
from outreach.kernel.clock import OFFICE, local
from outreach.web.forms import CountField, Form

LONGEST_RULE = 400
YES, NO = "yes", "no"
REOPEN, CLOSE = "reopen", "close"
ASKED_BY_HAND = (CaseSource.PHONE, CaseSource.OFFICIAL, CaseSource.MINUTES, CaseSource.FEEDBACK)
ONE = [InputRequired(_l("Please choose one."))]


def _labelled(members: Iterable[Any]) -> list[SelectChoice]:
    """Return the choices of a field; labels are translated when they are shown."""
    return [SelectChoice(member.value, _l(member.label)) for member in members]


class MoveForm(Form):
    """A form that acts on the request as it stood when the page was opened."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired()])

    def take_version(self, version: int) -> None:
        """Stand on this version from now on: what changed meanwhile has been shown."""
        self.version.raw_data, self.version.data = None, version


class AssignForm(MoveForm):
    """To which unit."""

    unit = SelectField(_l("Unit"), coerce=int)
    complex = BooleanField(_l("Complex: 15 working days to answer instead of 5"))
    urgent = BooleanField(_l("Urgent: marked in every list"))
    note = TextAreaField(_l("A word to the unit"), validators=[Optional()])


class ReassignForm(MoveForm):
    """To another unit than the one that has it."""

    unit = SelectField(_l("Unit"), coerce=int)
    reason = TextAreaField(_l("Why; both desks read it"))


class ArbitrateForm(MoveForm):
    """Whose it is, decided once and for all."""

    unit = SelectField(_l("Unit"), coerce=int)
    reason = TextAreaField(_l("Why; both desks read it"))


class MergeForm(MoveForm):
    """Into which request."""

    number = StringField(_l("Number of the other request"), validators=[InputRequired(_l("Please write the number."))])


class SplitForm(MoveForm):
    """Out of it again."""


class AskPartForm(Form):
    """Of whom, and what."""

    unit = SelectField(_l("Unit"), coerce=int)
    outside_name = StringField(_l("Its name"), validators=[Optional(), Length(max=120)])
    outside_mail = StringField(_l("Its e-mail"), validators=[Optional()])
    question = TextAreaField(_l("What you need from them"))


class PartForm(Form):
    """A co-handler's part of the answer."""

    words = TextAreaField(_l("What your unit says"))


class ExtensionForm(MoveForm):
    """More time."""

    days = CountField(_l("More working days"), default=5, validators=[InputRequired(_l("Please say how many."))])
    reason = TextAreaField(_l("Why; the person is told"))


class DecideExtensionForm(Form):
    """Whether there is more time."""

    granted = RadioField(
        _l("Decision"),
        choices=[SelectChoice(YES, _l("Grant it")), SelectChoice(NO, _l("No more time"))],
        validators=ONE,
    )
    words = TextAreaField(_l("A word to the unit"), validators=[Optional()])


class ApproveForm(MoveForm):
    """Letting the answer go out."""


class SendBackForm(MoveForm):
    """What is missing in it."""

    words = TextAreaField(_l("What should be better"))


class NoteForm(Form):
    """A word among those at desks."""

    words = TextAreaField(_l("Note"))


class AddForm(Form):
    """What the person adds."""

    words = TextAreaField(_l("What you want to add"))


class AcceptForm(MoveForm):
    """Taking it on."""


class ReturnForm(MoveForm):
    """Giving it back."""

    ground = TextAreaField(_l("Why it is not for your unit"))


class ReplyForm(MoveForm):
    """The answer."""

    kind = RadioField(
        _l("What the answer is"),
        choices=[
            SelectChoice(AnswerKind.SOLVED.value, _l("It can be done")),
            SelectChoice(AnswerKind.IN_PROGRESS.value, _l("Partly, with a plan")),
            SelectChoice(AnswerKind.IMPOSSIBLE.value, _l("It cannot be done")),
        ],
        default=AnswerKind.SOLVED.value,
    )
    text = TextAreaField(_l("What you tell them"))
    promised_on = DateField(_l("Done by"), validators=[Optional()])
    rule = StringField(_l("The rule it rests on"), validators=[Optional(), Length(max=LONGEST_RULE)])
    link = StringField(_l("Link to the rule"), validators=[Optional(), Length(max=LONGEST_LINK)])


class StandardForm(Form):
    """What a unit answers again and again."""

    version = IntegerField(widget=HiddenInput(), validators=[Optional()])
    unit = SelectField(_l("Unit"), coerce=int)
    topic = SelectField(_l("Topic"), choices=[SelectChoice("", _l("Every topic")), *_labelled(Topic)])
    title = StringField(_l("Title"), validators=[Length(max=LONGEST_TITLE)])
    text = TextAreaField(_l("The words"), validators=[Optional()])
    document = StringField(_l("Title of the document"), validators=[Optional(), Length(max=LONGEST_DOCUMENT)])
    number = StringField(_l("Number of the document"), validators=[Optional(), Length(max=LONGEST_NUMBER)])
    article = StringField(_l("Article"), validators=[Optional(), Length(max=LONGEST_ARTICLE)])
    link = StringField(_l("Link to the rule"), validators=[Optional(), Length(max=LONGEST_LINK)])


class RetireForm(MoveForm):
    """Out of what can be chosen, or back."""


class SpokenForm(Form):
    """When somebody spoke with the person, and how."""

    channel = RadioField(
        _l("How"),
        choices=_labelled([ReachChannel.TELEPHONE, ReachChannel.IN_PERSON]),
        default=ReachChannel.TELEPHONE.value,
    )
    at = DateTimeLocalField(
        _l("When"), format="%Y-%m-%dT%H:%M", validators=[InputRequired(_l("Please say when it was."))]
    )

    def moment(self) -> datetime:
        """Return when it was, aware; the form asks in office time."""
        return self.at.data.replace(tzinfo=OFFICE).astimezone(UTC)

    def begin(self, now: datetime) -> None:
        """Propose the current minute."""
        self.at.data = local(now).replace(tzinfo=None, second=0, microsecond=0)


class AttemptForm(SpokenForm):
    """An attempt to bring the person the answer."""

    channel = RadioField(
        _l("How"),
        choices=_labelled([ReachChannel.TELEPHONE, ReachChannel.IN_PERSON, ReachChannel.SMS, ReachChannel.MAIL]),
        default=ReachChannel.TELEPHONE.value,
    )
    reached = RadioField(
        _l("Did they hear the answer?"),
        choices=[SelectChoice(YES, _l("Yes, I told them")), SelectChoice(NO, _l("No, not reached"))],
        validators=ONE,
    )
    note = TextAreaField(_l("What happened"), validators=[Optional()])


SOLVED_CHOICES = [SelectChoice(YES, _l("Solved")), SelectChoice(NO, _l("Not solved"))]


class HeardForm(SpokenForm):
    """What the person said of the answer, taken down by somebody who spoke with them."""

    solved = RadioField(_l("Is it solved?"), choices=SOLVED_CHOICES, validators=ONE)
    satisfaction = RadioField(_l("How satisfied are they?"), choices=_labelled(Satisfaction), validators=ONE)
    words = TextAreaField(_l("In their words"), validators=[Optional()])


class GiveUpForm(MoveForm):
    """Closing without having reached the person."""


class DecideForm(MoveForm):
    """What becomes of an answer that did not help."""

    decision = RadioField(
        _l("Decision"),
        choices=[SelectChoice(REOPEN, _l("Answer it again")), SelectChoice(CLOSE, _l("Close it with a reason"))],
        validators=ONE,
    )
    reason = TextAreaField(_l("Why; the person is told"))


class UrgeForm(Form):
    """Asking to hurry."""

    words = TextAreaField(_l("A word to the unit"), validators=[Optional()])


class WithdrawForm(Form):
    """Taking it back by the person's wish."""

    words = TextAreaField(_l("What the person said"), validators=[Optional()])


class NewForm(Form):
    """A request as an official writes it down."""

    name = StringField(_l("Name"))
    contact = StringField(_l("Mobile number or e-mail"))
    reach_at = RadioField(_l("Where the answer goes"), coerce=int)
    source = SelectField(_l("Where it came from"), choices=_labelled(ASKED_BY_HAND))
    topic = SelectField(_l("Topic"))
    title = StringField(_l("In one sentence"), validators=[InputRequired(_l("Say in one sentence what is asked for."))])
    words = TextAreaField(_l("In their own words"), validators=[Optional()])
    complex = BooleanField(_l("Complex: 15 working days to answer instead of 5"))
    urgent = BooleanField(_l("Urgent: marked in every list"))


class FeedbackForm(Form):
    """What the person says of the answer."""

    solved = RadioField(
        _l("Is it solved?"),
        choices=[SelectChoice(YES, _l("Solved")), SelectChoice(NO, _l("Not yet"))],
        validators=ONE,
    )
    satisfaction = RadioField(
        _l("Are you satisfied with how it was handled?"),
        choices=_labelled(Satisfaction),
        validators=ONE,
    )
    words = TextAreaField(_l("Anything you want to add"), validators=[Optional()])


class AskForm(Form):
    """A request as the person writes it."""

    name = StringField(_l("Your name"), validators=[InputRequired(_l("Please write your name."))])
    topic = SelectField(
        _l("What is it about?"),
        choices=[
            SelectChoice("", _l("Please choose")),
            *(
                SelectChoice(topic.value, _l("An idea for the city") if topic is Topic.ADVICE else _l(topic.label))
                for topic in Topic
            ),
        ],
        validators=ONE,
    )
    title = StringField(
        _l("What do you need, in one sentence?"),
        validators=[InputRequired(_l("Please say in one sentence what you need."))],
    )
    words = TextAreaField(_l("Tell us more"), validators=[Optional()])
    consent = BooleanField(
        _l("I have read this and agree"), validators=[InputRequired(_l("We may only write it down if you agree."))]
    )


class FindForm(Form):
    """By what somebody without a number or address to prove finds their request."""

    number = StringField(_l("Number of your request"), validators=[InputRequired(_l("Please write the number."))])
    code = StringField(_l("Code"), validators=[InputRequired(_l("Please write the code.")), Length(max=40)])


def routes_form(topics: list[Topic]) -> type[Form]:
    """Return a form with one select of units for each topic."""
    fields = {topic.value: SelectField(_l(topic.label), coerce=int) for topic in topics}
    return type("RoutesForm", (Form,), fields)


def approval_form(units: Sequence[Any]) -> type[Form]:
    """Return a form with one box for each unit."""
    return type("ApprovalForm", (Form,), {f"unit_{unit.id}": BooleanField(unit.short_name) for unit in units})
