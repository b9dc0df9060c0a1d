"""What an answer is, when it has reached the person, and what they said of it. Source: domain.md."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from outreach.cases.rules.moves import Move
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class AnswerKind(StrEnum):
    """What an answer says."""

    SOLVED = "solved"
    IN_PROGRESS = "in_progress"  # with a plan and a date
    IMPOSSIBLE = "impossible"  # only with its reason and the rule it rests on

    @property
    def label(self) -> str:
        """The name of the kind, to be translated."""
        return {
            AnswerKind.SOLVED: N_("It can be done"),
            AnswerKind.IN_PROGRESS: N_("Partly, with a plan"),
            AnswerKind.IMPOSSIBLE: N_("It cannot be done, with the reason and the rule"),
        }[self]


class Satisfaction(StrEnum):
    """What the talent says of it in the end."""

    SATISFIED = "satisfied"
    MOSTLY = "mostly"
    DISSATISFIED = "dissatisfied"

    @property
    def label(self) -> str:
        """The name of the degree, to be translated."""
        return {
            Satisfaction.SATISFIED: N_("Satisfied"),
            Satisfaction.MOSTLY: N_("Mostly satisfied"),
            Satisfaction.DISSATISFIED: N_("Not satisfied"),
        }[self]


class ReachChannel(StrEnum):
    """How somebody tried to reach the person with an answer."""

    MAIL = "mail"
    SMS = "sms"
    TELEPHONE = "telephone"
    IN_PERSON = "in_person"
    PAGE = "page"  # the person opened the answer themselves

    @property
    def label(self) -> str:
        """The name of the channel, to be translated."""
        return {
            ReachChannel.MAIL: N_("Mail"),
            ReachChannel.SMS: N_("SMS"),
            ReachChannel.TELEPHONE: N_("Telephone"),
            ReachChannel.IN_PERSON: N_("In person"),
            ReachChannel.PAGE: N_("Opened by the person"),
        }[self]


SPOKEN = frozenset({ReachChannel.TELEPHONE, ReachChannel.IN_PERSON})
"""Where a member of staff can say that the person heard it. A mail or an SMS that was sent has not been heard."""


class AnswerMissing(Refused):
    """An answer says something."""

    message = N_("Write the answer.")
    field = "text"


class RuleMissing(Refused):
    """«Cannot be done» is an answer only with the rule it rests on."""

    message = N_("Name the rule this rests on: the document and its article.")
    field = "rule"


class PlanDateMissing(Refused):
    """A plan has a date."""

    message = N_("Say by which day it will be done.")
    field = "promised_on"


class PlanDatePast(Refused):
    """A plan lies ahead."""

    message = N_("This day is past already.")
    field = "promised_on"


class NotDelivered(Refused):
    """Nobody can say whether an answer helped that they have not had."""

    message = N_("The person has not had the answer yet, so there is nothing to say of it.")


class AlreadyHeard(Refused):
    """What a person said of an answer is taken down once."""

    message = N_("It has been said already what this answer was worth; thank you.")


class NotHeardByMessage(Refused):
    """A message that was sent has not been heard."""

    message = N_("A message that was sent has not been heard yet. Only a call or a meeting can be logged as reached.")
    field = "channel"


class AttemptOutOfTime(Refused):
    """An attempt lies between the answer and now."""

    message = N_("An attempt to bring the answer lies after the answer and not in the future.")
    field = "at"


class TooFewAttempts(Refused):
    """Giving up takes two logged attempts."""

    message = N_("Two attempts that failed must be logged before giving up; there are %(count)s so far.")


class OneChannelOnly(Refused):
    """Giving up takes two channels."""

    message = N_("Both attempts were by “%(channel)s”. Try it once in another way before giving up.")


class OneDayOnly(Refused):
    """Giving up takes two days."""

    message = N_("Both attempts were on the same day. Try it once more on another day before giving up.")


@dataclass(frozen=True)
class FailedAttempt:
    """An attempt that did not reach the person, on its day in the office."""

    channel: ReachChannel
    day: date


def check_unreached(failed: Collection[FailedAttempt]) -> None:
    """Pass if the attempts allow to give up: two that failed, on two channels, on different days (domain.md).

    Wherever there are two channels and two days among them, two attempts differ in both.

    :raises TooFewAttempts: if there are less than two
    :raises OneChannelOnly: if all were on one channel
    :raises OneDayOnly: if all were on one day
    """
    if len(failed) < 2:
        raise TooFewAttempts(count=len(failed))
    channels = {attempt.channel for attempt in failed}
    if len(channels) == 1:
        raise OneChannelOnly(channel=channels.pop())
    if len({attempt.day for attempt in failed}) == 1:
        raise OneDayOnly


def is_content(*, solved: bool, satisfaction: Satisfaction) -> bool:
    """Tell whether a request closes on this feedback; not solved or not satisfied goes to a supervisor."""
    return solved and satisfaction is not Satisfaction.DISSATISFIED


def feedback_move(kind: AnswerKind | None, *, solved: bool, satisfaction: Satisfaction) -> Move:
    """Return the move that feedback is: it closes, goes to a supervisor, or holds the unit to the plan it gave.

    :param kind: of the answer; None before there is one
    """
    if is_content(solved=solved, satisfaction=satisfaction):
        return Move.CONTENT
    if kind is AnswerKind.IN_PROGRESS and satisfaction is not Satisfaction.DISSATISFIED:
        return Move.KEEP_PLAN
    return Move.CONTEST
