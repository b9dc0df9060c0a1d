"""Reading events: a desk reads what its roles reach, everybody reads what is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from outreach.events.models import Event
from outreach.events.rules import EventKind, EventState, Seat, Visibility, approvers
from outreach.kernel import history
from outreach.kernel.actor import ActorKind
from outreach.kernel.database import db
from outreach.kernel.paging import Key, Page, page_of
from outreach.kernel.wording import N_
from outreach.organisations.models import Account, Grant, Organisation
from outreach.organisations.queries import reach
from outreach.organisations.rules import Permission, Role
from outreach.programmes.models import Programme
from outreach.venues.models import Venue

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


def _in_tab(tab: Tab, now: datetime) -> Any:
    return {
        Tab.UPCOMING: sa.and_(Event.state == EventState.PUBLISHED, Event.ends_at > now),
        Tab.WAITING: Event.state == EventState.SUBMITTED,
        Tab.DRAFTS: Event.state == EventState.DRAFT,
        Tab.PAST: sa.or_(
            Event.state.in_((EventState.FINISHED, EventState.ARCHIVED)),
            sa.and_(Event.state == EventState.PUBLISHED, Event.ends_at <= now),
        ),
        Tab.CANCELLED: Event.state == EventState.CANCELLED,
    }[tab]


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; None and "" are everything."""

    kind: EventKind | None = None
    programme_id: int | None = None
    text: str = ""

    def conditions(self) -> list[Any]:
        """Return the filters as conditions on events."""
        found: list[Any] = []
        if self.kind is not None:
            found.append(Event.kind == self.kind)
        if self.programme_id is not None:
            found.append(Event.programme_id == self.programme_id)
        if self.text:
            found.append(_mentions(self.text))
        return found


def _mentions(text: str) -> Any:
    own = (Event.title, Event.subtitle, Event.host, Event.place)
    programmes = sa.select(Programme.id).where(Programme.name.icontains(text, autoescape=True))
    venues = sa.select(Venue.id).where(Venue.name.icontains(text, autoescape=True))
    return sa.or_(
        *(column.icontains(text, autoescape=True) for column in own),
        Event.programme_id.in_(programmes),
        Event.venue_id.in_(venues),
    )


def on_desk(viewer: Account, *, tab: Tab, filters: Filters, cursor: str | None, now: datetime) -> Page[Event]:
    """Return one page of the events the viewer's roles reach: what comes next first, what is past latest first."""
    backwards = tab in {Tab.PAST, Tab.CANCELLED}
    return page_of(
        sa.select(Event).where(_reached(viewer), _in_tab(tab, now), *filters.conditions()).options(*FOR_A_PAGE),
        keys=(Key(Event.starts_at, descending=backwards), Key(Event.id, descending=backwards)),
        cursor=cursor,
    )


def ids_on_desk(viewer: Account, *, tab: Tab, filters: Filters, now: datetime) -> sa.Select[tuple[int]]:
    """Return the select of the ids of a whole view, in the order of its pages."""
    order = (Event.starts_at, Event.id)
    return (
        sa.select(Event.id)
        .where(_reached(viewer), _in_tab(tab, now), *filters.conditions())
        .order_by(*(key.desc() for key in order) if tab in {Tab.PAST, Tab.CANCELLED} else order)
    )


def counts_on_desk(viewer: Account, *, filters: Filters, now: datetime) -> dict[Tab, int]:
    """Return how many events each view holds, in one statement."""
    row = db.session.execute(
        sa.select(*(sa.func.count(sa.case((_in_tab(tab, now), 1))) for tab in Tab)).where(
            _reached(viewer), *filters.conditions()
        )
    ).one()
    return dict(zip(Tab, row, strict=True))


def _reached(viewer: Account) -> Any:
    return Event.organisation_id.in_(reach(viewer, Permission.EVENT_READ))


def my_next(viewer: Account, *, now: datetime, limit: int) -> Sequence[Event]:
    """Return the next published events of the organisations whose events the viewer runs, soonest first."""
    return db.session.scalars(
        sa.select(Event)
        .where(Event.organisation_id.in_(reach(viewer, Permission.EVENT_EDIT)), _in_tab(Tab.UPCOMING, now))
        .options(*FOR_A_PAGE)
        .order_by(Event.starts_at, Event.id)
        .limit(limit)
    ).all()


def awaiting(viewer: Account) -> Sequence[Event]:
    """Return the events that wait for this viewer's approval, soonest first."""
    waiting = db.session.scalars(
        sa.select(Event)
        .where(Event.organisation_id.in_(reach(viewer, Permission.EVENT_APPROVE)), Event.state == EventState.SUBMITTED)
        .options(*FOR_A_PAGE)
        .order_by(Event.starts_at, Event.id)
    ).all()
    decides = approvers_of(waiting)
    return [event for event in waiting if viewer.id in decides[event.id]]


def approvers_of(events: Sequence[Event]) -> dict[int, Mapping[int, str]]:
    """Return, by event, who may approve it: account ids and names, by domain.md's rule for the tree."""
    if not events:
        return {}
    found = db.session.execute(
        sa.select(Account.id, Account.name, Grant.role, Organisation.path)
        .join(Grant, Grant.account_id == Account.id)
        .join(Organisation, Organisation.id == Grant.organisation_id)
        .where(Account.disabled_at.is_(None), Grant.role.in_((Role.APPROVER, Role.ORGANISER, Role.SUPERVISOR)))
        .order_by(Account.id)
    ).all()
    seats = [Seat(account_id, role, path) for account_id, _, role, path in found]
    names = {account_id: name for account_id, name, _, _ in found}
    return {
        event.id: {
            account_id: names[account_id]
            for account_id in sorted(approvers(event.organisation.path, seats, event.submitted_by_id))
        }
        for event in events
    }


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
