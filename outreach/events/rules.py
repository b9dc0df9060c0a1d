"""Kinds of events, what is written down about one, and its life from draft to archive. Source: domain.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.people.rules import Purpose


class EventKind(StrEnum):
    """What is organised."""

    RECRUITMENT_FAIR = "recruitment_fair"
    MATCHMAKING = "matchmaking"
    EXPERT_VISIT = "expert_visit"
    SALON = "salon"
    STUDY_TOUR = "study_tour"
    FORUM = "forum"
    COMPETITION = "competition"
    YOUTH_SOCIAL = "youth_social"
    TRAINING = "training"
    PRESENTATION = "presentation"
    YOUTH_LEAGUE = "youth_league"

    @property
    def label(self) -> str:
        """The name of the kind, to be translated."""
        return EVENT_KINDS[self]

    @property
    def purpose(self) -> Purpose:
        """What people register for it for: decides where it may be told (people.rules)."""
        return PURPOSES[self]


EVENT_KINDS = {
    EventKind.RECRUITMENT_FAIR: N_("Recruitment fair"),
    EventKind.MATCHMAKING: N_("Matchmaking meeting"),
    EventKind.EXPERT_VISIT: N_("Expert visit"),
    EventKind.SALON: N_("Salon"),
    EventKind.STUDY_TOUR: N_("Study tour"),
    EventKind.FORUM: N_("Forum"),
    EventKind.COMPETITION: N_("Competition"),
    EventKind.YOUTH_SOCIAL: N_("Youth social"),
    EventKind.TRAINING: N_("Training or lecture"),
    EventKind.PRESENTATION: N_("Presentation"),
    EventKind.YOUTH_LEAGUE: N_("Youth league activity"),
}


PURPOSES = {
    EventKind.RECRUITMENT_FAIR: Purpose.SERVICE,
    EventKind.MATCHMAKING: Purpose.SERVICE,
    EventKind.EXPERT_VISIT: Purpose.SERVICE,
    EventKind.SALON: Purpose.SERVICE,
    EventKind.STUDY_TOUR: Purpose.SERVICE,
    EventKind.FORUM: Purpose.SERVICE,
    EventKind.COMPETITION: Purpose.SERVICE,
    EventKind.YOUTH_SOCIAL: Purpose.COURTSHIP,
    EventKind.TRAINING: Purpose.SERVICE,
    EventKind.PRESENTATION: Purpose.SERVICE,
    EventKind.YOUTH_LEAGUE: Purpose.SERVICE,
}
TOLD_KINDS = tuple(kind for kind in EventKind if PURPOSES[kind].is_told)
"""The kinds whose registrations and arrivals a person's timeline tells; each kind says so above, or nothing imports."""


class EventMode(StrEnum):
    """Where people take part."""

    ON_SITE = "on_site"
    ONLINE = "online"
    BOTH = "both"

    @property
    def has_a_place(self) -> bool:
        """Whether somebody has to go somewhere."""
        return self is not EventMode.ONLINE

    @property
    def label(self) -> str:
        """The name of the mode, to be translated."""
        return {
            EventMode.ON_SITE: N_("On site"),
            EventMode.ONLINE: N_("Online"),
            EventMode.BOTH: N_("On site and online"),
        }[self]


class Direction(StrEnum):
    """Who goes to whom."""

    OUT = "out"
    IN = "in"

    @property
    def label(self) -> str:
        """The name of the direction, to be translated."""
        return {Direction.OUT: N_("We go to them"), Direction.IN: N_("They come to us")}[self]


class Visibility(StrEnum):
    """Who finds the event."""

    PUBLIC = "public"
    INVITATION = "invitation"
    INTERNAL = "internal"

    @property
    def label(self) -> str:
        """The name of the visibility, to be translated."""
        return {
            Visibility.PUBLIC: N_("Public"),
            Visibility.INVITATION: N_("By invitation"),
            Visibility.INTERNAL: N_("Internal"),
        }[self]


class EventState(StrEnum):
    """Where an event stands. Whether it is running or registration is open follows from the clock."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    FINISHED = "finished"
    ARCHIVED = "archived"
    CANCELLED = "cancelled"

    @property
    def is_editable(self) -> bool:
        """Whether what is written may change; never while somebody decides about it."""
        return self in {EventState.DRAFT, EventState.PUBLISHED}

    @property
    def label(self) -> str:
        """The name of the state, to be translated."""
        return EVENT_STATES[self]


EVENT_STATES = {
    EventState.DRAFT: N_("Draft"),
    EventState.SUBMITTED: N_("Waiting for approval"),
    EventState.PUBLISHED: N_("Published"),
    EventState.FINISHED: N_("Finished"),
    EventState.ARCHIVED: N_("Summed up"),
    EventState.CANCELLED: N_("Cancelled"),
}


class EventMove(StrEnum):
    """What somebody does with an event that changes its state."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"  # the author takes it back before anybody looked at it
    APPROVE = "approve"
    REFUSE = "refuse"
    FINISH = "finish"
    ARCHIVE = "archive"
    CANCEL = "cancel"

    @property
    def label(self) -> str:
        """The name of the move, to be translated."""
        return EVENT_MOVES[self]


EVENT_MOVES = {
    EventMove.SUBMIT: N_("submit it for approval"),
    EventMove.WITHDRAW: N_("take it back"),
    EventMove.APPROVE: N_("approve it"),
    EventMove.REFUSE: N_("send it back"),
    EventMove.FINISH: N_("finish it"),
    EventMove.ARCHIVE: N_("sum it up"),
    EventMove.CANCEL: N_("cancel it"),
}

MOVES: dict[EventState, dict[EventMove, EventState]] = {
    EventState.DRAFT: {EventMove.SUBMIT: EventState.SUBMITTED, EventMove.CANCEL: EventState.CANCELLED},
    EventState.SUBMITTED: {
        EventMove.WITHDRAW: EventState.DRAFT,
        EventMove.APPROVE: EventState.PUBLISHED,
        EventMove.REFUSE: EventState.DRAFT,
        EventMove.CANCEL: EventState.CANCELLED,
    },
    EventState.PUBLISHED: {EventMove.FINISH: EventState.FINISHED, EventMove.CANCEL: EventState.CANCELLED},
    EventState.FINISHED: {EventMove.ARCHIVE: EventState.ARCHIVED},
    EventState.ARCHIVED: {},
    EventState.CANCELLED: {},
}


LONGEST_TITLE = 120
MOST_PLACES = 100_000
MOST_GROUPS = 12


@dataclass(frozen=True)
class GroupPlan:
    """A group of places as written down. `id` is that of a group which exists already."""

    name: str
    capacity: int
    about: str | None = None
    reviewed: bool = False
    id: int | None = None


@dataclass(frozen=True)
class EventPlan:
    """Everything an organiser writes down about an event. Moments are aware; None is «not said».

    An event without groups of places takes whoever comes: nobody registers.
    """

    title: str
    kind: EventKind
    starts_at: datetime
    ends_at: datetime
    subtitle: str | None = None
    programme_id: int | None = None
    issue: int | None = None
    mode: EventMode = EventMode.ON_SITE
    direction: Direction = Direction.IN
    visibility: Visibility = Visibility.PUBLIC
    venue_id: int | None = None
    place: str | None = None
    online_url: str | None = None
    host: str | None = None
    about: str | None = None
    doors_open_at: datetime | None = None
    registration_opens_at: datetime | None = None
    registration_closes_at: datetime | None = None
    asks_birth: bool = False
    groups: tuple[GroupPlan, ...] = ()


class EndsBeforeItStarts(Refused):
    """An event takes time."""

    message = N_("It must end after it starts.")
    field = "ends_at"


class DoorsOpenAfterTheStart(Refused):
    """People come in before it begins."""

    message = N_("The doors open before it starts, or at that moment.")
    field = "doors_open_at"


class RegistrationOpensTooLate(Refused):
    """Nobody could register."""

    message = N_("Registration must open before it closes.")
    field = "registration_opens_at"


class RegistrationClosesAfterTheEnd(Refused):
    """Registering for what is over helps nobody."""

    message = N_("Registration must close before the event is over.")
    field = "registration_closes_at"


class NotAWebAddress(Refused):
    """A link of another kind could run a script in the reader's browser."""

    message = N_("A link begins with https:// or http://.")
    field = "online_url"


class TitleMissing(Refused):
    """An event has a name."""

    message = N_("Give it a title.")
    field = "title"


class GroupNamesRepeat(Refused):
    """People choose a group by its name."""

    message = N_("Two groups are called “%(name)s”. Give each a name of its own.")
    field = "groups"


class ImpossibleCapacity(Refused):
    """Places are counted from nought to what a stadium holds."""

    message = N_("“%(name)s” needs a number of places from 0 to 100,000.")
    field = "groups"


class TooManyGroups(Refused):
    """A phone has to show them."""

    message = N_("An event has at most 12 groups of places.")
    field = "groups"


class GroupInUse(Refused):
    """People may have registered in it."""

    message = N_("“%(name)s” is published, so it cannot be taken away. Set its places to 0 to close it.")
    field = "groups"


class PlaceMissing(Refused):
    """Nobody approves an event that nobody can find."""

    message = N_("Say where it takes place before you submit it.")
    field = "place"


class AlreadyOver(Refused):
    """What is past cannot be announced."""

    message = N_("Its end has already passed. Put in a time to come first.")
    field = "starts_at"


class NotOverYet(Refused):
    """An event is finished when it is over."""

    message = N_("It is not over yet.")


class VisibilityIsSettled(Refused):
    """Who may see it was approved by a second person."""

    message = N_("Who sees it was approved and stays as it is. Cancel this event and make a new one to change that.")
    field = "visibility"


class ChangedMeanwhile(Refused):
    """What was read is no longer what stands there."""

    message = N_("Somebody else changed this event in the meantime. Look at it again before you go on.")


class EventMoveRefused(Refused):
    """The state the event is in does not allow this."""

    message = N_("This event is now “%(state)s”, so it is not possible to %(move)s.")


class EditRefused(Refused):
    """The state the event is in does not allow changes."""

    message = N_("This event is now “%(state)s”, so it cannot be changed.")


class ApprovedByItsAuthor(Refused):
    """Approval is a second person's."""

    message = N_("Whoever submitted an event cannot approve it. Ask a second person.")


class NotItsApprover(Refused):
    """Somebody else is to decide."""

    message = N_("This event is approved by: %(names)s.")


class NobodyCanApprove(Refused):
    """The tree has no second person for it."""

    message = N_("Nobody can approve this event yet. Ask an administrator to name an approver.")


class ReasonMissing(Refused):
    """Whoever gets it back, or had planned to come, wants to know why."""

    message = N_("Say why.")
    field = "reason"


def faults(plan: EventPlan) -> Iterator[Refused]:
    """Yield everything about a plan that the rules do not allow, so that a form can say all of it at once."""
    if not plan.title.strip():
        yield TitleMissing()
    if plan.ends_at <= plan.starts_at:
        yield EndsBeforeItStarts()
    if plan.doors_open_at and plan.doors_open_at > plan.starts_at:
        yield DoorsOpenAfterTheStart()
    if plan.registration_closes_at and plan.registration_closes_at > plan.ends_at:
        yield RegistrationClosesAfterTheEnd()
    if plan.registration_opens_at and plan.registration_opens_at >= (plan.registration_closes_at or plan.ends_at):
        yield RegistrationOpensTooLate()
    if plan.online_url and not plan.online_url.lower().startswith(("https://", "http://")):
        yield NotAWebAddress()
    yield from _faults_of_groups(plan.groups)


def _faults_of_groups(groups: Sequence[GroupPlan]) -> Iterator[Refused]:
    if len(groups) > MOST_GROUPS:
        yield TooManyGroups()
    seen: set[str] = set()
    for group in groups:
        if group.name in seen:
            yield GroupNamesRepeat(name=group.name)
        seen.add(group.name)
        if not 0 <= group.capacity <= MOST_PLACES:
            yield ImpossibleCapacity(name=group.name)


def check(plan: EventPlan) -> None:
    """Let a sound plan pass.

    :raises Refused: the first of its faults
    """
    for fault in faults(plan):
        raise fault


class RegistrationWindow(StrEnum):
    """What the clock says about registering. Whether places are left is counted elsewhere."""

    NOT_NEEDED = "not_needed"  # no groups of places: whoever comes is let in
    NOT_YET = "not_yet"
    OPEN = "open"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        """What the clock says, to be translated."""
        return {
            RegistrationWindow.NOT_NEEDED: N_("No registration needed"),
            RegistrationWindow.NOT_YET: N_("Registration has not opened yet"),
            RegistrationWindow.OPEN: N_("Registration is open"),
            RegistrationWindow.CLOSED: N_("Registration has closed"),
        }[self]


def registration_window(
    *,
    state: EventState,
    has_groups: bool,
    opens_at: datetime | None,
    closes_at: datetime,
    now: datetime,
) -> RegistrationWindow:
    """Tell what the clock says about registering for an event; it opens and closes on the very moment said."""
    if state is not EventState.PUBLISHED:
        return RegistrationWindow.CLOSED
    if not has_groups:
        return RegistrationWindow.NOT_NEEDED
    if opens_at is not None and now < opens_at:
        return RegistrationWindow.NOT_YET
    return RegistrationWindow.OPEN if now < closes_at else RegistrationWindow.CLOSED


def after(state: EventState, move: EventMove) -> EventState:
    """Return the state the move leads to.

    :raises EventMoveRefused: if an event in this state cannot make it
    """
    try:
        return MOVES[state][move]
    except KeyError:
        raise EventMoveRefused(move=move, state=state) from None


def word_for_kind(kind: EventKind) -> str:
    """Return the word that stands for a kind of event where events are found by words; no text holds its first sign."""
    return f"={kind}"


def word_for_programme(programme_id: int) -> str:
    """Return the word that stands for a programme where events are found by words."""
    return f"={programme_id}"
