"""The first page of each role, a person's record, an event's overview, the search."""

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.desk import queries
from outreach.desk.queries.before import before_visit
from outreach.desk.rules import greeting_hour
from outreach.events import queries as events
from outreach.kernel import clock
from outreach.liaison import queries as liaison
from outreach.organisations.queries import reaches
from outreach.organisations.rules import Permission, Role
from outreach.people.queries import doubles, guardians_of, looks_at
from outreach.people.rules import TimelineEntry, needs_guardian
from outreach.registration.queries import brought, knows_guests
from outreach.web import limits
from outreach.web.access import requires, staff
from outreach.web.filters import moment_text
from outreach.web.links import absolute

blueprint = Blueprint("desk", __name__, url_prefix="/desk")


@blueprint.get("/")
@staff
def today() -> ResponseReturnValue:
    """Answer the one question each role of the viewer asks first."""
    now = clock.now()

    def may(*permissions: Permission) -> bool:
        return any(current_user.may(permission) for permission in permissions)

    parts = {
        "liaison": queries.liaison_part(current_user, now=now, cursor=request.args.get("page"))
        if may(Permission.VISIT_LOG)
        else None,
        "unit": queries.unit_part(current_user, now=now) if may(Permission.CASE_HANDLE) else None,
        "supervision": queries.supervision_part(current_user, now=now) if may(Permission.CASE_SUPERVISE) else None,
        "office": queries.office_part(current_user, now=now)
        if may(Permission.EVENT_EDIT, Permission.EVENT_APPROVE, Permission.CASE_ASSIGN)
        else None,
        "ambassador": queries.ambassador_part(current_user, now=now)
        if current_user.has_role(Role.AMBASSADOR)
        else None,
        "set_up": queries.set_up_part(current_user) if may(Permission.ADMINISTER) else None,
    }
    return render_template("desk/today.html", now=now, absolute=absolute, hour=greeting_hour(now), **parts)


@blueprint.get("/people/<int:person_id>")
@requires(Permission.PEOPLE_READ, Permission.VISIT_LOG)
def person(person_id: int) -> ResponseReturnValue:
    """Show a person's record, open requests first, pairings, and everything between them and the city in one line."""
    now = clock.now()
    stands = doubles.where_it_went(person_id)
    if stands is not None:
        return redirect(url_for("desk.person", person_id=stands))
    found = queries.person_for(current_user, person_id)
    may_merge = current_user.may(Permission.PEOPLE_MERGE)
    pairings = liaison.pairings_of_person(current_user, person_id)
    return render_template(
        "desk/person.html",
        person=found,
        requests=queries.open_requests_of(current_user, found, now=now),
        pairings=pairings,
        due=liaison.dues_of(pairings, now=now),
        recent=liaison.last_contacts([person_id], now=now).get(person_id),
        timeline=queries.timeline(current_user, found, cursor=request.args.get("page"), now=now),
        from_the_latest=not request.args.get("page"),
        said=said,
        may_log=any(current_user.id in (one.leader_id, one.liaison_officer_id) for one in pairings),
        may_edit=current_user.may(Permission.PEOPLE_EDIT),
        may_reveal=current_user.may(Permission.PEOPLE_REVEAL),
        looks=looks_at(found),
        came=queries.came_through(current_user, found),
        doubles=doubles.of(current_user, found) if may_merge else [],
        merges=doubles.merges_of(found.id) if may_merge else [],
        may_merge=may_merge,
        keeps_record=reaches(current_user, found.organisation, Permission.PEOPLE_READ),
        may_pair=current_user.may(Permission.PAIRING_EDIT),
        guardians=guardians_of(person_id) if needs_guardian(found.birth, clock.office_day(now)) else (),
    )


@blueprint.get("/people/<int:person_id>/before")
@requires(Permission.PEOPLE_READ, Permission.VISIT_LOG)
def before(person_id: int) -> ResponseReturnValue:
    """Show what to know on the way to a talent: what is open, what was promised, how it went last, what changed."""
    now = clock.now()
    stands = doubles.where_it_went(person_id)
    if stands is not None:
        return redirect(url_for("desk.before", person_id=stands))
    found = queries.person_for(current_user, person_id)
    pairings = [one for one in liaison.pairings_of_person(current_user, person_id) if one.ends_on is None]
    mine = next((one for one in pairings if current_user.id in (one.leader_id, one.liaison_officer_id)), None)
    return render_template(
        "desk/before.html",
        person=found,
        known=before_visit(current_user, found, now=now),
        pairings=pairings,
        due=liaison.dues_of(pairings, now=now),
        mine=mine,
        said=said,
    )


@blueprint.get("/events/<int:event_id>")
@requires(Permission.EVENT_READ)
def event(event_id: int) -> ResponseReturnValue:
    """Show how an event stands: places, the door, who just came, what is to be done."""
    now = clock.now()
    found = events.event_for(current_user, event_id)
    return render_template(
        "desk/event.html",
        event=found,
        overview=queries.overview(found, now=now),
        knows_guests=knows_guests(current_user, found),
        brought=brought(found.id) if current_user.may(Permission.REGISTRATION_READ) else [],
        guests_requests=queries.requests_of_guests(current_user, found),
        now=now,
        phase=_phase(found, now),
    )


@blueprint.get("/search")
@staff
def search() -> ResponseReturnValue:
    """Find people, events and requests by a name, a number or a title."""
    text = request.args.get("q", "")
    limits.spend(limits.SEARCHING, current_user.id)
    return render_template(
        "desk/search.html",
        text=text.strip(),
        found=queries.search(current_user, text, now=clock.now()),
        most=queries.MOST_COUNTED,
    )


def said(entry: TimelineEntry) -> str:
    """Return an entry's sentence in the reader's language; enum values by their labels, lists joined."""
    values = {name: _said(value) for name, value in entry.values.items()}
    return gettext(entry.sentence, **values) if values else gettext(entry.sentence)


def _said(value: object) -> object:
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, list | tuple):
        return gettext(", ").join(str(_said(one)) for one in value)
    return gettext(value.label) if hasattr(value, "label") else value


def _phase(event: object, now: datetime) -> str:
    """Return where the clock stands in an event: "before", "doors", "running" or "over"."""
    if now > event.ends_at:
        return "over"
    if now >= event.starts_at:
        return "running"
    return "doors" if event.doors_open_at is not None and now >= event.doors_open_at else "before"
