"""Reading places, waiting lists, tickets and lists of registrations."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from outreach.events.models import Event, PlaceGroup
from outreach.events.queries import open_to_all
from outreach.events.rules import TOLD_KINDS
from outreach.kernel import history
from outreach.kernel.actor import ActorKind
from outreach.kernel.database import among, db
from outreach.kernel.lately import Lately
from outreach.kernel.paging import Key, Page, page_of
from outreach.organisations.models import Account
from outreach.organisations.queries import reach, reaches
from outreach.organisations.rules import Permission
from outreach.people.models import Person
from outreach.people.queries import Referrer, names_of_accounts, referrers_of
from outreach.people.rules import Through, TimelineEntry
from outreach.people.rules.merging import Named
from outreach.registration.models import Registration, id_in_token
from outreach.registration.rules import ACTS, HOLDING, LIVING, TIMELINE_SENTENCES, Places, RegistrationState

MOST_NAMES = 8


def places(event_ids: Collection[int]) -> dict[int, Places]:
    """Return what is left of every group of places of some events, by the group's id."""
    counted = db.session.execute(
        sa.select(
            PlaceGroup.id,
            PlaceGroup.capacity,
            sa.func.count(Registration.id).filter(Registration.state.in_(HOLDING)),
            sa.func.count(Registration.id).filter(Registration.state == RegistrationState.WAITLISTED),
        )
        .outerjoin(Registration, Registration.group_id == PlaceGroup.id)
        .where(PlaceGroup.event_id.in_(event_ids))
        .group_by(PlaceGroup.id, PlaceGroup.capacity)
        .order_by(PlaceGroup.id)
    )
    return {
        group_id: Places(capacity=capacity, taken=taken, waiting=waiting)
        for group_id, capacity, taken, waiting in counted
    }


def places_of(group: PlaceGroup) -> Places:
    """Return what is left of one group of places. True until the transaction ends only if its row is locked."""
    taken, waiting = db.session.execute(
        sa.select(
            sa.func.count().filter(Registration.state.in_(HOLDING)),
            sa.func.count().filter(Registration.state == RegistrationState.WAITLISTED),
        ).where(Registration.group_id == group.id, Registration.state.in_(LIVING))
    ).one()
    return Places(capacity=group.capacity, taken=taken, waiting=waiting)


def living(*, event_id: int, person_id: int) -> Registration | None:
    """Return the registration by which a person holds or awaits a place at an event."""
    return db.session.scalar(
        sa.select(Registration).where(
            Registration.event_id == event_id,
            Registration.person_id == person_id,
            Registration.state.in_(LIVING),
        )
    )


def living_of_both(one_id: int, other_id: int) -> list[tuple[Registration, Registration]]:
    """Return the registrations by which two records hold or await places at the same events, in the order of events."""
    found: dict[int, list[Registration]] = {}
    for registration in db.session.scalars(
        sa.select(Registration)
        .where(Registration.person_id.in_((one_id, other_id)), Registration.state.in_(LIVING))
        .options(joinedload(Registration.event))
        .order_by(Registration.event_id, Registration.id)
    ):
        found.setdefault(registration.event_id, []).append(registration)
    return [tuple(pair) for pair in found.values() if len(pair) == 2]


_LIVING = (
    sa.select(Registration.id, Registration.event_id, Registration.person_id)
    .where(
        among(Registration.event_id, "events"),
        among(Registration.person_id, "people"),
        Registration.state.in_(sorted(LIVING)),
    )
    .order_by(Registration.id)
)


def living_of(event_ids: Collection[int], person_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Return ids of the registrations by which people hold or await places, by the event's and the person's id."""
    found = db.session.execute(_LIVING, {"events": list(event_ids), "people": list(person_ids)})
    return {(each.event_id, each.person_id): each.id for each in found}


_LINES = (
    sa.select(
        Registration.group_id,
        sa.func.count().filter(Registration.state.in_(sorted(HOLDING))),
        sa.func.count().filter(Registration.state == RegistrationState.WAITLISTED),
        sa.func.max(Registration.queued_at).filter(Registration.state == RegistrationState.WAITLISTED),
    )
    .where(among(Registration.group_id, "groups"), Registration.state.in_(sorted(LIVING)))
    .group_by(Registration.group_id)
    .order_by(Registration.group_id)
)


def line_of(groups: Mapping[int, PlaceGroup]) -> dict[int, tuple[Places, datetime | None]]:
    """Return what is left of groups of places, and when the last of those who wait began to, by the groups' ids.

    True until the transaction ends only if their rows are locked.
    """
    if not groups:
        return {}
    found = db.session.execute(_LINES, {"groups": list(groups)})
    counted = {group_id: (taken, waiting, latest) for group_id, taken, waiting, latest in found}
    return {
        group_id: (Places(capacity=group.capacity, taken=taken, waiting=waiting), latest)
        for group_id, group in groups.items()
        for taken, waiting, latest in (counted.get(group_id, (0, 0, None)),)
    }


@dataclass(frozen=True)
class Offer:
    """What of a public event decides how the form of its page is taken."""

    organisation_id: int
    asks_birth: bool
    group_ids: frozenset[int]


def _offer(event_id: int) -> Offer | None:
    found = db.session.execute(
        sa.select(Event.organisation_id, Event.asks_birth, PlaceGroup.id)
        .outerjoin(PlaceGroup, PlaceGroup.event_id == Event.id)
        .where(Event.id == event_id, *open_to_all())
    ).all()
    if not found:
        return None
    groups = frozenset(row.id for row in found if row.id is not None)
    return Offer(found[0].organisation_id, found[0].asks_birth, groups)


_offers = Lately(_offer)


def offer_lately(event_id: int, *, now: datetime) -> Offer | None:
    """Return what a public event offers, as this process saw it within the last second; None where there is none.

    Whether there is still a place, and whether it is open at all, is decided where the place is given.
    """
    return _offers.about(event_id, now=now)


def applied_for(event_ids: Collection[int]) -> dict[int, Event]:
    """Return events by their ids as they are now, with what their tickets and messages tell of them."""
    found = db.session.scalars(
        sa.select(Event)
        .where(Event.id.in_(event_ids))
        .options(joinedload(Event.venue), selectinload(Event.groups))
        .order_by(Event.id)
        .execution_options(populate_existing=True)
    )
    return {event.id: event for event in found}


def by_ticket(token: str) -> Registration | None:
    """Return the registration a ticket's link stands for, with its event; None where the link is not one of ours."""
    registration_id = id_in_token(token)
    if registration_id is None:
        return None
    return db.session.get(
        Registration,
        registration_id,
        options=[
            joinedload(Registration.event).joinedload(Event.organisation),
            joinedload(Registration.group),
            joinedload(Registration.person),
            joinedload(Registration.contact_point),
        ],
    )


def by_short_code(*, event_id: int, code: str) -> Registration | None:
    """Return the registration of an event whose ticket has this short code (in its normal form)."""
    return db.session.scalar(
        sa.select(Registration).where(Registration.event_id == event_id, Registration.short_code == code)
    )


def waiting_line(group_id: int) -> sa.Select[tuple[Registration]]:
    """Return the select of those who wait in a group, first in line first."""
    return (
        sa.select(Registration)
        .where(Registration.group_id == group_id, Registration.state == RegistrationState.WAITLISTED)
        .order_by(Registration.queued_at, Registration.id)
    )


def position_in_line(registration: Registration) -> int | None:
    """Return the place in the waiting list, the first is 1; None for who does not wait."""
    if registration.state is not RegistrationState.WAITLISTED:
        return None
    before = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Registration)
        .where(
            Registration.group_id == registration.group_id,
            Registration.state == RegistrationState.WAITLISTED,
            sa.or_(
                Registration.queued_at < registration.queued_at,
                sa.and_(Registration.queued_at == registration.queued_at, Registration.id < registration.id),
            ),
        )
    )
    return before + 1


def names_at(contact_point_id: int) -> Sequence[str]:
    """Return the names somebody registered through this number or address before, the latest first.

    Only from registrations made there: what an office knows about a number is not told to whoever holds it now.
    """
    latest = sa.func.max(Registration.id)
    return db.session.scalars(
        sa.select(Person.name)
        .join(Registration, Registration.person_id == Person.id)
        .where(Registration.contact_point_id == contact_point_id)
        .group_by(Person.name)
        .order_by(latest.desc())
        .limit(MOST_NAMES)
    ).all()


def knows_guests(viewer: Account, event: Event) -> bool:
    """Tell whether the viewer has to do with an event's guests themselves; whoever only approves it reads 张*."""
    return reaches(viewer, event.organisation, Permission.REGISTRATION_EDIT, Permission.PEOPLE_READ)


def registrations_at(contact_point_id: int, *, cursor: str | None) -> Page[Registration]:
    """Return the registrations made through a number or an address, latest first, with their events."""
    statement = (
        sa.select(Registration)
        .where(Registration.contact_point_id == contact_point_id)
        .options(joinedload(Registration.event), joinedload(Registration.group), joinedload(Registration.person))
    )
    return page_of(statement, keys=[Key(Registration.id, descending=True)], cursor=cursor, size=20)


def registrations_of(
    *,
    event: Event,
    state: RegistrationState | None,
    group_id: int | None,
    through: Through | None,
    cursor: str | None,
) -> Page[Registration]:
    """Return the registrations of an event, first come first; the waiting list in its order when it is asked for.

    :param through: only those who came through this one, or by themselves; None for everybody
    """
    statement = (
        sa.select(Registration)
        .where(Registration.event_id == event.id)
        .options(
            joinedload(Registration.group), joinedload(Registration.person), joinedload(Registration.contact_point)
        )
    )
    if state is not None:
        statement = statement.where(Registration.state == state)
    if group_id is not None:
        statement = statement.where(Registration.group_id == group_id)
    if through is not None:
        statement = statement.where(*came_through(through))
    return page_of(statement, keys=[Key(Registration.queued_at), Key(Registration.id)], cursor=cursor)


def came_through(through: Through) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of having come through somebody, or by oneself."""
    return (
        Registration.through_account_id.is_not_distinct_from(through.account_id),
        Registration.through_organisation_id.is_not_distinct_from(through.organisation_id),
    )


@dataclass(frozen=True)
class Brought:
    """How many came to an event through somebody; `referrer` is None for those who came by themselves."""

    referrer: Referrer | None
    through: Through
    registered: int


def brought(event_id: int) -> list[Brought]:
    """Return through whom those who hold or await places at an event came, the most first, by themselves last."""
    columns = (Registration.through_account_id, Registration.through_organisation_id)
    counted = {
        Through(account_id, organisation_id): count
        for account_id, organisation_id, count in db.session.execute(
            sa.select(*columns, sa.func.count())
            .where(Registration.event_id == event_id, Registration.state.in_(LIVING))
            .group_by(*columns)
        )
    }
    known = referrers_of(counted)
    rows = [Brought(known.get(through), through, count) for through, count in counted.items()]
    return sorted(rows, key=lambda row: (row.referrer is None, -row.registered, row.through.key))


def living_of_event(event_id: int, *, after_id: int, limit: int) -> Sequence[Registration]:
    """Return the first registrations of an event, by id, that hold or await a place."""
    return db.session.scalars(
        sa.select(Registration)
        .where(Registration.event_id == event_id, Registration.id > after_id, Registration.state.in_(LIVING))
        .order_by(Registration.id)
        .limit(limit)
    ).all()


def counts_by_state(event_id: int) -> dict[RegistrationState, int]:
    """Return how many registrations of an event stand in each state."""
    counted = db.session.execute(
        sa.select(Registration.state, sa.func.count())
        .where(Registration.event_id == event_id)
        .group_by(Registration.state)
        .order_by(Registration.state)
    )
    return dict(counted.all())


def registration_of_event(*, event: Event, registration_id: int) -> Registration | None:
    """Return one registration of an event that the caller may see; None where it is another event's."""
    found = db.session.get(Registration, registration_id)
    return found if found is not None and found.event_id == event.id else None


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `act` is to be translated; `who` is None where nobody at a desk did it."""

    at: datetime
    act: str
    by: ActorKind
    who: str | None
    words: str | None


def history_of(registration: Registration) -> Sequence[Happening]:
    """Return what happened to a registration, newest first, with the names of those at a desk who did it."""
    lines = [line for line in history.lines_of(registration.subject) if line.act in ACTS]
    ids = {line.actor_id for line in lines if line.actor_kind is ActorKind.STAFF}
    names = names_of_accounts(list(ids))
    return [
        Happening(
            at=line.at,
            act=ACTS[line.act],
            by=line.actor_kind,
            who=names.get(line.actor_id) if line.actor_kind is ActorKind.STAFF else None,
            words=line.words.text if line.words else None,
        )
        for line in reversed(lines)
    ]


def name_rows(viewer: Account, ids: Collection[int]) -> dict[int, Named]:
    """Return registrations by their events' titles, those of events whose registrations the viewer may read."""
    found = db.session.scalars(
        sa.select(Registration)
        .join(Registration.event)
        .where(Registration.id.in_(ids), Event.organisation_id.in_(reach(viewer, Permission.REGISTRATION_READ)))
        .options(contains_eager(Registration.event))
        .order_by(Registration.id)
    )
    return {
        one.id: Named(one.event.title, "registration.show", {"event_id": one.event_id, "registration_id": one.id})
        for one in found
    }


def timeline_of(*, person_id: int, before: datetime, limit: int) -> list[TimelineEntry]:
    """Return what a person registered for and what became of it, latest first, before a moment."""
    found = db.session.scalars(
        sa.select(Registration)
        .join(Registration.event)
        .where(Registration.person_id == person_id, Registration.created_at < before, Event.kind.in_(TOLD_KINDS))
        .options(contains_eager(Registration.event), joinedload(Registration.group))
        .order_by(Registration.created_at.desc(), Registration.id.desc())
        .limit(limit)
    )
    return [
        TimelineEntry(
            at=one.created_at,
            purpose=one.event.kind.purpose,
            kind="registration",
            key=f"registration:{one.id}",
            sentence=TIMELINE_SENTENCES[one.state],
            values={"event": one.event.title, "group": one.group.name},
            endpoint="registration.index",
            arguments={"event_id": one.event_id},
        )
        for one in found
    ]
