"""Reading events: a desk reads what its roles reach, everybody reads what is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from outreach.events.models import Event, event_words
from outreach.events.rules import EventKind, EventState, Visibility, word_for_kind, word_for_programme
from outreach.kernel import history, word_index
from outreach.kernel.actor import ActorKind
from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.kernel.wording import N_
from outreach.kernel.words import Run, asked_for
from outreach.organisations.models import Account
from outreach.organisations.queries import reach, who_approves, within, within_list
from outreach.organisations.rules import Permission

FOR_A_PAGE = (
    joinedload(Event.programme),
    joinedload(Event.venue),
    joinedload(Event.organisation),
    selectinload(Event.groups),
)
"""What a page about events shows, in a fixed number of statements."""

BEEN_PUBLIC = (EventState.PUBLISHED, EventState.FINISHED, EventState.ARCHIVED, EventState.CANCELLED)


def event_for(viewer: Account, event_id: int, permission: Permission = Permission.EVENT_READ) -> Event:
    """Return the event if one of the viewer's roles permits this at its organisation; 404 otherwise."""
    return db.one_or_404(
        sa.select(Event)
        .where(Event.id == event_id, Event.organisation_id.in_(reach(viewer, permission)))
        .options(*FOR_A_PAGE)
    )


def published(event_id: int) -> Event:
    """Return an event that everybody may see; 404 for one that was never published or is not for everybody.

    A cancelled one stays: whoever follows a link reads that it will not take place.
    """
    return db.one_or_404(sa.select(Event).where(Event.id == event_id, *open_to_all()).options(*FOR_A_PAGE))


def open_to_all() -> tuple[Any, ...]:
    """Return the conditions under which everybody may see an event."""
    return (
        Event.visibility == Visibility.PUBLIC,
        Event.published_at.is_not(None),
        Event.state.in_(BEEN_PUBLIC),
    )


class Tab(StrEnum):
    """The saved views of the desk's list."""

    UPCOMING = "upcoming"
    WAITING = "waiting"
    DRAFTS = "drafts"
    PAST = "past"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """The name of the view, to be translated."""
        return {
            Tab.UPCOMING: N_("Coming up"),
            Tab.WAITING: N_("Waiting for approval"),
            Tab.DRAFTS: N_("Drafts"),
            Tab.PAST: N_("Past"),
            Tab.CANCELLED: N_("Cancelled"),
        }[self]


def _in_tab(tab: Tab, now: datetime, state: Any = Event.state) -> Any:
    return {
        Tab.UPCOMING: sa.and_(state == EventState.PUBLISHED, Event.ends_at > now),
        Tab.WAITING: state == EventState.SUBMITTED,
        Tab.DRAFTS: state == EventState.DRAFT,
        # Said by what it is not: most events are over, and are read in their order rather than collected.
        Tab.PAST: sa.and_(
            state.not_in((EventState.DRAFT, EventState.SUBMITTED, EventState.CANCELLED)),
            sa.or_(state != EventState.PUBLISHED, Event.ends_at <= now),
        ),
        Tab.CANCELLED: state == EventState.CANCELLED,
    }[tab]


BY_THE_CLOCK = frozenset({Tab.UPCOMING, Tab.PAST})
"""The views an event enters and leaves as time goes by, whatever its state."""


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None and "" are everything."""

    kind: EventKind | None = None
    programme_id: int | None = None
    text: str = ""

    @property
    def held(self) -> list[str]:
        """Return the words that stand for what is chosen."""
        words = [word_for_kind(self.kind)] if self.kind is not None else []
        return words + ([word_for_programme(self.programme_id)] if self.programme_id is not None else [])

    def conditions(self) -> list[Any]:
        """Return the filters as conditions on events, for lists that are short anyway."""
        found: list[Any] = []
        if self.kind is not None:
            found.append(Event.kind == self.kind)
        if self.programme_id is not None:
            found.append(Event.programme_id == self.programme_id)
        if self.text:
            found += _mentions(asked_for(self.text)) or [sa.false()]
        return found


def _mentions(runs: Sequence[Run]) -> list[Any]:
    """Return the conditions under which an event says runs of words."""
    return [check for run in runs for check in word_index.contains(Event.words, run)]


@dataclass(frozen=True)
class Found:
    """Events of the desk that were found: their records, the column of their state, and where they stand in time.

    `rows` stand for the same events without their records, for views that follow from the state alone.
    """

    events: sa.Select[tuple[Event]]
    rows: sa.Select[Any]
    state: Any
    order: tuple[Any, ...]

    def page(self, tab: Tab, *, cursor: str | None, now: datetime) -> Page[Event]:
        """Return one page of a view: what comes next first, what is past latest first."""
        backwards = tab in {Tab.PAST, Tab.CANCELLED}
        events = self.events.where(_in_tab(tab, now, self.state), *self._begun(tab, now))
        return page_of(
            events.options(*FOR_A_PAGE),
            keys=[Key(column, descending=backwards) for column in self.order],
            cursor=cursor,
        )

    def ids(self, tab: Tab, *, now: datetime) -> sa.Select[tuple[int]]:
        """Return the select of the ids of a whole view, in the order of its pages."""
        backwards = tab in {Tab.PAST, Tab.CANCELLED}
        return (
            self.events.with_only_columns(Event.id)
            .where(_in_tab(tab, now, self.state))
            .order_by(*(column.desc() if backwards else column for column in self.order))
        )

    def latest(self, limit: int) -> Sequence[Event]:
        """Return the latest of them."""
        return db.session.scalars(self.events.order_by(*(column.desc() for column in self.order)).limit(limit)).all()

    def counts(self, *, now: datetime, up_to: int | None = None) -> dict[Tab, int]:
        """Return how many events each view holds, counted no further than one beyond `up_to`, or `MOST_COUNTED`."""
        most = MOST_COUNTED if up_to is None else up_to
        whole = self.events.with_only_columns(sa.literal(1))
        counted = [
            (whole if tab in BY_THE_CLOCK else self.rows)
            .where(_in_tab(tab, now, self.state), *self._begun(tab, now))
            .limit(most + 1)
            .subquery()
            for tab in Tab
        ]
        counts = (sa.select(sa.func.count()).select_from(some).scalar_subquery() for some in counted)
        return dict(zip(Tab, db.session.execute(sa.select(*counts)).one(), strict=True))

    def _begun(self, tab: Tab, now: datetime) -> list[Any]:
        """Return, for what comes up, from where in time to read: from the beginning of what is still going on."""
        if tab is not Tab.UPCOMING:
            return []
        earliest = db.session.scalar(
            sa.select(sa.func.min(Event.starts_at)).where(Event.state == EventState.PUBLISHED, Event.ends_at > now)
        )
        return [self.order[-2] >= (earliest or now)]


MOST_COUNTED = 1000
RECORD = ("starts_at", "event_id")
"""What tells one event's rows of the index from another's."""


def find(viewer: Account, filters: Filters) -> Found:
    """Find the events the viewer's roles reach: by words of titles, hosts and places, and by what is chosen.

    They are read in their order from the index of the rarest word; the rest is checked on the event.
    """
    sought = [
        one for run in asked_for(filters.text) for one in word_index.run_sought(event_words, run, RECORD, Event.words)
    ]
    sought += [word_index.word_sought(event_words, word, RECORD) for word in filters.held]
    if not sought:
        scope = sa.false() if filters.text else within_list(Event.organisation_id, viewer, Permission.EVENT_READ)
        rows = sa.select(sa.literal(1)).select_from(Event).where(scope)
        return Found(sa.select(Event).where(scope), rows, Event.state, (Event.starts_at, Event.id))
    reading = word_index.rarest_first(sought)
    index = event_words.c
    conditions = [
        *([sa.false()] if reading is None else reading.rows),
        within(index.organisation_id, viewer, Permission.EVENT_READ),
    ]
    events = sa.select(Event).join(event_words, index.event_id == Event.id).where(*conditions)
    rows = sa.select(sa.literal(1)).select_from(event_words).where(*conditions)
    if reading is not None and reading.with_records:
        rows = rows.join(Event, index.event_id == Event.id)
    return Found(events, rows, index.state, (index.word, index.starts_at, index.event_id))


def my_next(viewer: Account, *, now: datetime, limit: int) -> Sequence[Event]:
    """Return the next published events of the organisations whose events the viewer runs, soonest first."""
    return db.session.scalars(
        sa.select(Event)
        .where(within(Event.organisation_id, viewer, Permission.EVENT_EDIT), _in_tab(Tab.UPCOMING, now))
        .options(*FOR_A_PAGE)
        .order_by(Event.starts_at, Event.id)
        .limit(limit)
    ).all()


def awaiting(viewer: Account, *, now: datetime) -> Sequence[Event]:
    """Return the events that wait for this viewer's approval, soonest first, of the first hundred that wait."""
    waiting = db.session.scalars(
        sa.select(Event)
        .where(within(Event.organisation_id, viewer, Permission.EVENT_APPROVE), Event.state == EventState.SUBMITTED)
        .options(*FOR_A_PAGE)
        .order_by(Event.starts_at, Event.id)
        .limit(100)
    ).all()
    decides = approvers_of(waiting, now=now)
    return [event for event in waiting if viewer.id in decides[event.id]]


def approvers_of(events: Sequence[Event], *, now: datetime) -> dict[int, Mapping[int, str]]:
    """Return, by event, who may approve it: account ids and names, by domain.md's rule for the tree."""
    decides = who_approves([(event.organisation.path, event.submitted_by_id) for event in events], now=now)
    return {event.id: who for event, who in zip(events, decides, strict=True)}


def next_issues(programme_ids: Sequence[int]) -> dict[int, int]:
    """Return the number each programme's next event would bear: one more than its highest."""
    highest = db.session.execute(
        sa.select(Event.programme_id, sa.func.max(Event.issue))
        .where(Event.programme_id.in_(programme_ids), Event.state != EventState.CANCELLED)
        .group_by(Event.programme_id)
    )
    return dict.fromkeys(programme_ids, 1) | {row[0]: (row[1] or 0) + 1 for row in highest}


ACTS = {
    "event.created": N_("wrote the first draft"),
    "event.changed": N_("changed it"),
    "event.submitted": N_("submitted it for approval"),
    "event.withdrawn": N_("took it back"),
    "event.approved": N_("approved it; it was published"),
    "event.refused": N_("sent it back"),
    "event.cancelled": N_("cancelled it"),
    "event.finished": N_("finished it"),
}
FIELDS = {
    "title": N_("title"),
    "subtitle": N_("subtitle"),
    "kind": N_("kind"),
    "starts_at": N_("start"),
    "ends_at": N_("end"),
    "programme_id": N_("programme"),
    "issue": N_("issue number"),
    "mode": N_("mode"),
    "direction": N_("direction"),
    "visibility": N_("who sees it"),
    "venue_id": N_("venue"),
    "place": N_("place"),
    "online_url": N_("link"),
    "host": N_("host"),
    "about": N_("description"),
    "doors_open_at": N_("doors"),
    "registration_opens_at": N_("opening of registration"),
    "registration_closes_at": N_("close of registration"),
    "groups": N_("places"),
}


@dataclass(frozen=True)
class Happening:
    """One thing that happened to an event, as its page tells it. `act` and `changed` are to be translated."""

    at: datetime
    who: str | None
    act: str
    changed: Sequence[str]
    words: str | None
    code: str


def history_of(event: Event) -> Sequence[Happening]:
    """Return what happened to the event, newest first, with the names of those who did it."""
    lines = [line for line in history.lines_of(event.subject) if line.act in ACTS]
    ids = {line.actor_id for line in lines if line.actor_kind is ActorKind.STAFF}
    names = {
        row.id: row.name for row in db.session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(ids)))
    }
    return [
        Happening(
            at=line.at,
            who=names.get(line.actor_id) if line.actor_kind is ActorKind.STAFF else None,
            act=ACTS[line.act],
            changed=[FIELDS[name] for name in line.facts.get("changed", []) if name in FIELDS],
            words=line.words.text if line.words else None,
            code=line.act,
        )
        for line in reversed(lines)
    ]


def last_refusal(happenings: Sequence[Happening]) -> Happening | None:
    """Return the refusal a draft came back with, until it is submitted again."""
    for happening in happenings:
        if happening.code == "event.refused":
            return happening
        if happening.code == "event.submitted":
            return None
    return None
