"""What people do with events: write them down, submit, approve, change, cancel, finish."""

import secrets
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm.attributes import flag_modified

from outreach.events import queries, signals
from outreach.events.models import Event, PlaceGroup
from outreach.events.rules import (
    AlreadyOver,
    ApprovedByItsAuthor,
    ChangedMeanwhile,
    EditRefused,
    EventMove,
    EventPlan,
    EventState,
    GroupInUse,
    GroupPlan,
    NobodyCanApprove,
    NotItsApprover,
    NotOverYet,
    PlaceMissing,
    ReasonMissing,
    VisibilityIsSettled,
    after,
    check,
)
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, locked
from outreach.notices.operations import tell_account
from outreach.organisations.models import Account, Organisation

MOVES_THE_CALENDAR = {
    "starts_at": "time",
    "ends_at": "time",
    "doors_open_at": "time",
    "venue_id": "place",
    "place": "place",
    "online_url": "place",
    "title": "title",
}
"""What people put into their calendars, and under which name a change of it is announced."""

OWN_COLUMNS = tuple(field.name for field in fields(EventPlan) if field.name != "groups")


def create(*, plan: EventPlan, organisation: Organisation, by: Actor, now: datetime) -> Event:
    """Write down a new event as a draft of this organisation.

    :raises Refused: the first fault of the plan (rules.faults)
    """
    check(plan)
    event = Event(
        organisation=organisation,
        author_id=by.id,
        created_at=now,
        uid=secrets.token_hex(16),
        **{name: getattr(plan, name) for name in OWN_COLUMNS},
    )
    event.groups = [
        PlaceGroup(
            position=position, name=group.name, about=group.about, capacity=group.capacity, reviewed=group.reviewed
        )
        for position, group in enumerate(plan.groups)
    ]
    db.session.add(event)
    db.session.flush()
    history.write(subject=event.subject, act="event.created", by=by, now=now)
    return event


def edit(*, event: Event, plan: EventPlan, seen: int, by: Actor, now: datetime) -> None:
    """Change what is written down. `seen` is the version the person had before their eyes.

    A published event that gets another time, place or title counts its calendar sequence up and announces
    `event_moved`; other numbers of places announce `capacity_changed`.

    :raises EditRefused: unless it is a draft or published
    :raises ChangedMeanwhile: if somebody was quicker
    :raises VisibilityIsSettled: if a published event should be seen by others than approved
    :raises GroupInUse: if a published group is missing from the plan
    :raises Refused: the first fault of the plan (rules.faults)
    """
    event = _held(event, seen)
    if not event.state.is_editable:
        raise EditRefused(state=event.state)
    check(plan)
    public = event.state is EventState.PUBLISHED
    if public and plan.visibility is not event.visibility:
        raise VisibilityIsSettled
    changed = [name for name in OWN_COLUMNS if getattr(event, name) != getattr(plan, name)]
    for name in changed:
        setattr(event, name, getattr(plan, name))
    counts = _change_groups(event, plan.groups, public=public)
    if not changed and counts is None:
        return
    moved = frozenset(MOVES_THE_CALENDAR[name] for name in changed if name in MOVES_THE_CALENDAR)
    if public and moved:
        event.sequence += 1
    flag_modified(event, "title")  # new groups alone must count the version up too
    db.session.flush()
    db.session.expire(event, ["venue", "programme"])
    history.write(
        subject=event.subject,
        act="event.changed",
        by=by,
        now=now,
        facts={"changed": sorted(changed + (["groups"] if counts is not None else []))},
    )
    if public and moved:
        signals.event_moved.send(event, by=by, now=now, changed=moved)
    if public and counts:
        signals.capacity_changed.send(event, by=by, now=now, groups=counts)


def submit(*, event: Event, by: Actor, now: datetime) -> None:
    """Ask a second person to approve it; everybody who may is told.

    :raises EventMoveRefused: unless it is a draft
    :raises AlreadyOver: if its end has passed
    :raises PlaceMissing: if it is on site and says nowhere
    :raises NobodyCanApprove: if the tree has nobody to decide
    """
    event = _held(event)
    state = after(event.state, EventMove.SUBMIT)
    if event.is_over(now):
        raise AlreadyOver
    if event.mode.has_a_place and not event.where:
        raise PlaceMissing
    event.submitted_by_id = by.id
    decides = queries.approvers_of([event], now=now)[event.id]
    if not decides:
        raise NobodyCanApprove
    _move(event, state, act="event.submitted", by=by, now=now)
    for account_id in decides:
        _tell(event, account_id, "submitted", by=by, now=now)


def withdraw(*, event: Event, by: Actor, now: datetime) -> None:
    """Take back what was submitted, to go on writing.

    :raises EventMoveRefused: unless it waits for approval
    """
    event = _held(event)
    state = after(event.state, EventMove.WITHDRAW)
    event.submitted_by_id = None
    _move(event, state, act="event.withdrawn", by=by, now=now)


def approve(*, event: Event, seen: int, by: Actor, now: datetime) -> None:
    """Publish it now, as a second person. `seen` is the version they looked at. Whoever submitted it is told.

    :raises EventMoveRefused: unless it waits for approval
    :raises ChangedMeanwhile: if it is no longer what they looked at
    :raises ApprovedByItsAuthor: if they submitted it themselves
    :raises NotItsApprover: if the tree names others
    :raises AlreadyOver: if its end has passed while it waited
    """
    event = _held(event, seen)
    state = after(event.state, EventMove.APPROVE)
    _second_person(event, by, now)
    if event.is_over(now):
        raise AlreadyOver
    event.approved_by_id = by.id
    event.published_at = now
    _move(event, state, act="event.approved", by=by, now=now)
    _tell(event, event.submitted_by_id, "approved", by=by, now=now)
    signals.event_published.send(event, by=by, now=now)


def refuse(*, event: Event, reason: str, by: Actor, now: datetime) -> None:
    """Send it back to whoever submitted it; they are told the reason.

    :raises EventMoveRefused: unless it waits for approval
    :raises ApprovedByItsAuthor: if they submitted it themselves
    :raises NotItsApprover: if the tree names others
    :raises ReasonMissing: without a reason
    """
    event = _held(event)
    state = after(event.state, EventMove.REFUSE)
    _second_person(event, by, now)
    if not reason.strip():
        raise ReasonMissing
    submitter_id, event.submitted_by_id = event.submitted_by_id, None
    _move(event, state, act="event.refused", by=by, now=now, words=reason)
    _tell(event, submitter_id, "refused", by=by, now=now, reason=reason)


def cancel(*, event: Event, reason: str | None, by: Actor, now: datetime) -> None:
    """Say that it will not take place. Whoever holds a place is told why, so a published one needs the reason.

    :raises EventMoveRefused: once it is finished or cancelled
    :raises ReasonMissing: if it was published and no reason is given
    """
    event = _held(event)
    state = after(event.state, EventMove.CANCEL)
    reason = (reason or "").strip()
    if event.has_been_public:
        if not reason:
            raise ReasonMissing
        event.sequence += 1  # calendars take a cancellation only with a higher sequence
    _move(event, state, act="event.cancelled", by=by, now=now, words=reason or None)
    if event.has_been_public:
        signals.event_cancelled.send(event, by=by, now=now, reason=reason)


def finish(*, event: Event, by: Actor, now: datetime) -> None:
    """Close it when it is over.

    :raises EventMoveRefused: unless it is published
    :raises NotOverYet: before its end
    """
    event = _held(event)
    state = after(event.state, EventMove.FINISH)
    if not event.is_over(now):
        raise NotOverYet
    _move(event, state, act="event.finished", by=by, now=now)


def _held(event: Event, seen: int | None = None) -> Event:
    held = db.session.scalars(locked(sa.select(Event).where(Event.id == event.id))).one()
    if seen is not None and held.version != seen:
        raise ChangedMeanwhile
    return held


def _move(event: Event, state: EventState, *, act: str, by: Actor, now: datetime, words: str | None = None) -> None:
    event.state = state
    db.session.flush()
    history.write(subject=event.subject, act=act, by=by, now=now, words=words)


def _tell(event: Event, account_id: int, what: str, *, by: Actor, now: datetime, **values: str) -> None:
    """Tell a colleague that it is their turn, or what was decided about their event."""
    account = db.session.get_one(Account, account_id)
    tell_account(
        kind=f"event.{what}",
        account=account,
        template=f"events/messages/{what}.txt",
        values={
            "name": account.name,
            "who": db.session.get_one(Account, by.id).name,
            "event": event.title,
            "event_id": event.id,
            **values,
        },
        about=event.subject,
        now=now,
    )


def _second_person(event: Event, by: Actor, now: datetime) -> None:
    if by.id == event.submitted_by_id:
        raise ApprovedByItsAuthor
    decides = queries.approvers_of([event], now=now)[event.id]
    if by.id not in decides:
        raise NotItsApprover(names="、".join(decides.values()))


def _change_groups(event: Event, plans: Sequence[GroupPlan], *, public: bool) -> list[PlaceGroup] | None:
    """Bring the groups in line with the plan; return those with other numbers of places, None if nothing changed.

    :raises GroupInUse: if a published group is missing from the plan
    """
    by_id = {group.id: group for group in event.groups}
    by_name = {group.name: group for group in event.groups}
    kept: list[tuple[PlaceGroup | None, GroupPlan]] = []
    for plan in plans:
        existing = by_id.pop(plan.id, None) if plan.id else None
        if existing is None and plan.id is None and (same := by_name.get(plan.name)) is not None:
            existing = by_id.pop(same.id, None)  # taken away and put in again under the same name
        kept.append((existing, plan))
    for group in by_id.values():
        if public:
            raise GroupInUse(name=group.name)
        event.groups.remove(group)
    _free_names(kept)
    return _write_groups(event, kept) or ([] if by_id else None)


def _free_names(kept: Sequence[tuple[PlaceGroup | None, GroupPlan]]) -> None:
    """Give groups that are renamed a name nobody has, so that two may swap theirs."""
    renamed = [group for group, plan in kept if group is not None and group.name != plan.name]
    for group in renamed:
        group.name = f"#{group.id}"
    db.session.flush()  # names are unique in the table; taken-away groups must go, too, before new ones come


def _write_groups(event: Event, kept: Sequence[tuple[PlaceGroup | None, GroupPlan]]) -> list[PlaceGroup] | None:
    changed: list[PlaceGroup] = []
    touched = False
    for position, (existing, plan) in enumerate(kept):
        values: dict[str, Any] = {
            "position": position,
            "name": plan.name,
            "about": plan.about,
            "capacity": plan.capacity,
            "reviewed": plan.reviewed,
        }
        if existing is None:
            group = PlaceGroup(**values)
            event.groups.append(group)
            changed.append(group)
            continue
        if existing.capacity != plan.capacity:
            changed.append(existing)
        for name, value in values.items():
            if getattr(existing, name) != value:
                touched = True
                setattr(existing, name, value)
    event.groups.sort(key=lambda group: group.position)
    return changed if changed or touched else None


def hand_on_drafts(*, author: Account, to: Account, by: Actor, now: datetime) -> list[int]:
    """Make somebody else the author of the drafts of who leaves; return their ids."""
    drafts = db.session.scalars(
        locked(sa.select(Event).where(Event.author_id == author.id, Event.state == EventState.DRAFT).order_by(Event.id))
    ).all()
    for event in drafts:
        event.author_id = to.id
        db.session.flush()
        history.write(
            subject=event.subject, act="event.handed_on", by=by, now=now, facts={"from": author.id, "to": to.id}
        )
    return [event.id for event in drafts]
