"""What a person may do with their own data, and what follows from it. Source: PIPL, articles 15, 44 to 47, 50."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from outreach.kernel.clock import local
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.people.rules.merging import Rows

CHANGED_MIND = timedelta(days=3)
"""Between asking to be erased and being erased: whoever holds a lost phone must not be able to do it in a minute."""


ROWS_OF_A_PERSON = (Rows("erasures", N_("wishes to be erased")),)
"""What merging two records of one person calls what stands here."""


class Follows(StrEnum):
    """What follows when a consent is taken back."""

    PLACE_GIVEN_BACK = "place_given_back"
    NAME_TAKEN_OFF = "name_taken_off"
    REQUEST_WITHDRAWN = "request_withdrawn"
    WORDS_ERASED = "words_erased"
    NOTHING_LEFT = "nothing_left"

    @property
    def label(self) -> str:
        """What the person is told before they decide, to be translated."""
        return {
            Follows.PLACE_GIVEN_BACK: N_(
                "Your place at this event is given back at once, and somebody who waits may get it. What you entered "
                "for it is deleted. You can register again while places are left."
            ),
            Follows.NAME_TAKEN_OFF: N_(
                "Your name and number are taken off this event. That somebody came stays in the count, without a name."
            ),
            Follows.REQUEST_WITHDRAWN: N_(
                "Nobody goes on working on this request, and what you wrote is deleted. That there was a request, and "
                "how long it took, stays, without name and words, so that the office can account for its work."
            ),
            Follows.WORDS_ERASED: N_(
                "What you wrote and what was answered is deleted. That there was a request, and how long it took, "
                "stays, without name and words, so that the office can account for its work."
            ),
            Follows.NOTHING_LEFT: N_("Nothing that you gave for this is kept any more; we only write down your wish."),
        }[self]


class ErasureState(StrEnum):
    """Where a person's wish to be erased stands."""

    AT_THE_OFFICE = "at_the_office"  # several people share the number: somebody asks the person themselves
    WAITING = "waiting"  # it can be called off until it is due
    DONE = "done"
    CALLED_OFF = "called_off"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """The name of the state, to be translated."""
        return {
            ErasureState.AT_THE_OFFICE: N_("To be checked with the person"),
            ErasureState.WAITING: N_("Can still be called off"),
            ErasureState.DONE: N_("Erased"),
            ErasureState.CALLED_OFF: N_("Called off"),
            ErasureState.REFUSED: N_("Not done"),
        }[self]

    @property
    def is_open(self) -> bool:
        """Whether something is still to happen."""
        return self in {ErasureState.AT_THE_OFFICE, ErasureState.WAITING}


class ErasureMove(StrEnum):
    """What somebody does with the wish."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    CALL_OFF = "call_off"
    CARRY_OUT = "carry_out"

    @property
    def label(self) -> str:
        """The name of the move, to be translated."""
        return {
            ErasureMove.CONFIRM: N_("confirm it"),
            ErasureMove.REFUSE: N_("refuse it"),
            ErasureMove.CALL_OFF: N_("call it off"),
            ErasureMove.CARRY_OUT: N_("carry it out"),
        }[self]


MOVES = {
    (ErasureState.AT_THE_OFFICE, ErasureMove.CONFIRM): ErasureState.WAITING,
    (ErasureState.AT_THE_OFFICE, ErasureMove.REFUSE): ErasureState.REFUSED,
    (ErasureState.AT_THE_OFFICE, ErasureMove.CALL_OFF): ErasureState.CALLED_OFF,
    (ErasureState.WAITING, ErasureMove.CALL_OFF): ErasureState.CALLED_OFF,
    (ErasureState.WAITING, ErasureMove.CARRY_OUT): ErasureState.DONE,
}


class ErasureMoveRefused(Refused):
    """The wish has moved on in the meantime."""

    message = N_("This wish stands at “%(state)s” now, so nobody can %(move)s any more.")


class ErasureAskedBefore(Refused):
    """One wish is enough."""

    message = N_("You have asked for this already; it is on its way.")


class NotThatName(Refused):
    """Whoever sees all of somebody's data knows at least their name; a number may have changed hands."""

    message = N_("This is not the full name we have for this number. Write it as you registered it.")
    field = "name"
    status = 422


class NumberShared(Refused):
    """Several people are reached there: a code proves who holds the telephone, not which of them asks."""

    message = N_(
        "Several people are reached at this number, so it does not prove which of them you are. "
        "Sign in with the person's own number, or ask the office."
    )
    status = 403


class HowMissing(Refused):
    """An erasure cannot be taken back, so it stands who made sure of it and how."""

    message = N_("Please write how you made sure that it is the person's own wish.")
    field = "how"
    status = 422


class ReasonMissing(Refused):
    """The law asks for the reason when a wish is refused (PIPL, article 50)."""

    message = N_("Please write why it is not done: the person reads it.")
    field = "reason"
    status = 422


class Kept(StrEnum):
    """Kinds of data that go when their time is up."""

    REGISTRATIONS = "registrations"
    REQUESTS = "requests"
    VISIT_NOTES = "visit_notes"
    SURVEYS = "surveys"
    PEOPLE = "people"
    MESSAGES = "messages"
    IMPORT_ROWS = "import_rows"
    DOOR_PASSES = "door_passes"
    LOOKS = "looks"
    LISTS = "lists"
    SIGN_INS = "sign_ins"
    WORK = "work"
    CONSENTS = "consents"

    @property
    def label(self) -> str:
        """The name of the kind, to be translated."""
        return RULES[self].label

    @property
    def rule(self) -> "Rule":
        """What happens to it, and when."""
        return RULES[self]


@dataclass(frozen=True)
class Rule:
    """What becomes of a kind of data after a time, counted from `since`. `default` is in months, or in days.

    `purpose` is that of the consent text whose promise the time must not exceed.
    """

    label: str
    since: str
    what: str
    default: int
    in_days: bool = False
    purpose: str | None = None

    def before(self, amount: int, now: datetime) -> datetime:
        """Return the moment before which the kind is too old."""
        return now - timedelta(days=amount) if self.in_days else months_before(now, amount)


RULES = {
    Kept.REGISTRATIONS: Rule(
        label=N_("Registrations"),
        since=N_("after the event"),
        what=N_("Cut off the person; place and arrival stay in the counts."),
        default=24,
        purpose="registration",
    ),
    Kept.REQUESTS: Rule(
        label=N_("Requests"),
        since=N_("after they ended"),
        what=N_("Cut off the person and emptied; the times of each step stay for the rates."),
        default=36,
        purpose="request",
    ),
    Kept.VISIT_NOTES: Rule(
        label=N_("Notes of visits"),
        since=N_("after the visit"),
        what=N_("Deleted; that the visit took place stays."),
        default=60,
    ),
    Kept.SURVEYS: Rule(
        label=N_("Answers to surveys"),
        since=N_("after the survey's last day"),
        what=N_("Deleted; that they were asked stays, and requests made of them keep their own time."),
        default=24,
        purpose="request",
    ),
    Kept.PEOPLE: Rule(
        label=N_("People who are here for nothing any more"),
        since=N_("after they were last heard of"),
        what=N_("Erased. Whoever is paired or came from a ledger stays until the office takes them out."),
        default=24,
    ),
    Kept.MESSAGES: Rule(label=N_("Messages"), since=N_("after they were written"), what=N_("Deleted."), default=12),
    Kept.IMPORT_ROWS: Rule(
        label=N_("Rows of imported files"),
        since=N_("after the import"),
        what=N_("Deleted; what landed stays. A file that nobody brought in is closed."),
        default=30,
        in_days=True,
    ),
    Kept.DOOR_PASSES: Rule(
        label=N_("Volunteers' names at the door"),
        since=N_("after the event"),
        what=N_("Taken off the telephones they scanned with."),
        default=30,
        in_days=True,
    ),
    Kept.LOOKS: Rule(
        label=N_("Who looked at what in full"),
        since=N_("after the look"),
        what=N_("Deleted, with the reasons."),
        default=36,
    ),
    Kept.LISTS: Rule(
        label=N_("Log of lists taken out"),
        since=N_("after the list was asked for"),
        what=N_("Deleted, with the reasons and whom they named. The file itself is kept for three days only."),
        default=36,
    ),
    Kept.SIGN_INS: Rule(
        label=N_("Codes for signing in"),
        since=N_("after they were sent"),
        what=N_("Deleted. Attempts to sign in go after two days."),
        default=30,
        in_days=True,
    ),
    Kept.WORK: Rule(
        label=N_("Work the system has done"),
        since=N_("after it was done"),
        what=N_("Deleted. It names records by number only."),
        default=90,
        in_days=True,
    ),
    Kept.CONSENTS: Rule(
        label=N_("Proof of consents"),
        since=N_("after they were taken back or the person was erased"),
        what=N_("Deleted."),
        default=36,
    ),
}
SHORTEST, LONGEST = 1, 240


class KeptTooShort(Refused):
    """Nothing is kept for no time at all, and nothing for ever."""

    message = N_("Please write a number from %(shortest)s to %(longest)s.")
    field = "amount"
    status = 422


class KeptLongerThanPromised(Refused):
    """People agreed to a time; only a new text that they agree to could make it longer, and only for them."""

    message = N_("People were told %(promised)s months in a text they agreed to, so it cannot be longer than that.")
    field = "amount"
    status = 422


def check_amount(kind: Kept, amount: int | None, *, promised: int | None) -> None:
    """Refuse a time that is none, or longer than people agreed to; `promised` is the shortest of every version.

    :raises KeptTooShort: for none, or too much
    :raises KeptLongerThanPromised: for more than was promised
    """
    if amount is None or not SHORTEST <= amount <= LONGEST:
        raise KeptTooShort(shortest=SHORTEST, longest=LONGEST)
    if promised is not None and amount > promised:
        raise KeptLongerThanPromised(promised=promised)


def months_before(moment: datetime, months: int) -> datetime:
    """Return the same time so many months earlier on the office's calendar, or the last day where there is none."""
    there = local(moment)
    years, month = divmod(there.year * 12 + there.month - 1 - months, 12)
    day = min(there.day, monthrange(years, month + 1)[1])
    return there.replace(year=years, month=month + 1, day=day)


@dataclass(frozen=True)
class Scope:
    """What the holder of a number may do for a person reached there.

    Whoever is alone behind a number is taken for the person once they know the name. Where several people share it,
    each sees only what was given through it, and takes back only that.
    """

    alone: bool

    def check_alone(self) -> None:
        """Let only the person's own number further.

        :raises NumberShared: if others are reached there too
        """
        if not self.alone:
            raise NumberShared


def after(state: ErasureState, move: ErasureMove) -> ErasureState:
    """Return where a wish stands after a move.

    :raises ErasureMoveRefused: if it cannot be made from there
    """
    if (state, move) not in MOVES:
        raise ErasureMoveRefused(state=state, move=move)
    return MOVES[state, move]


class BeingErased(Refused):
    """Whoever asked to be erased is not made one with somebody who did not."""

    message = N_("%(name)s has asked to be erased. Until that is done or called off, the records stay apart.")
