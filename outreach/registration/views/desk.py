"""The organiser's list of registrations of an event: looking, confirming, refusing, ending, adding by hand."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.events.queries import event_for
from outreach.events.rules import EventState
from outreach.kernel.clock import now
from outreach.notices.queries import messages_about
from outreach.organisations.queries import reaches
from outreach.organisations.rules import Permission
from outreach.people import operations as people
from outreach.people import queries as people_queries
from outreach.people.rules import BY_THEMSELVES, ContactKind, Through, through_in
from outreach.registration import operations, queries
from outreach.registration.forms import ByHandForm, ReasonForm
from outreach.registration.rules import GroupOfAnotherEvent, RegistrationState
from outreach.web.access import requires
from outreach.web.links import absolute

blueprint = Blueprint("registration", __name__)


@blueprint.get("/desk/events/<int:event_id>/registrations")
@requires(Permission.REGISTRATION_READ, Permission.REGISTRATION_EDIT)
def index(event_id: int) -> ResponseReturnValue:
    """Show who registered, by state and group."""
    return _page(_event(event_id, Permission.REGISTRATION_READ))


@blueprint.get("/desk/events/<int:event_id>/registrations/new")
@requires(Permission.REGISTRATION_EDIT)
def new(event_id: int) -> ResponseReturnValue:
    """Ask whom to register by hand, for somebody who telephoned."""
    return _new_page(_event(event_id, Permission.REGISTRATION_EDIT), ByHandForm())


@blueprint.post("/desk/events/<int:event_id>/registrations/new")
@requires(Permission.REGISTRATION_EDIT)
def add(event_id: int) -> ResponseReturnValue:
    """Register somebody by hand, by the same rules as everybody."""
    event = _event(event_id, Permission.REGISTRATION_EDIT)
    form = ByHandForm()
    made: list[Any] = []
    if form.validate_on_submit() and form.attempt(lambda: made.append(_register(event, form))):
        flash(
            gettext("%(name)s is on the list: %(state)s.", name=made[0].person.name, state=gettext(made[0].state.label))
        )
        return redirect(url_for("registration.index", event_id=event.id), 303)
    return _new_page(event, form), 422


@blueprint.get("/desk/events/<int:event_id>/registrations/<int:registration_id>")
@requires(Permission.REGISTRATION_READ, Permission.REGISTRATION_EDIT)
def show(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Show one registration: where it stands, what happened to it and what the person was told."""
    event = _event(event_id, Permission.REGISTRATION_READ)
    registration = _of(event, registration_id)
    return render_template(
        "registration/show.html",
        event=event,
        registration=registration,
        position=queries.position_in_line(registration),
        knows_guests=queries.knows_guests(current_user, event),
        sees_record=reaches(current_user, registration.person.organisation, Permission.PEOPLE_READ),
        came=people_queries.referrers_of([registration.through]).get(registration.through),
        guardians=people_queries.guardians_of(registration.person_id) if registration.under_age else (),
        may_reveal=reaches(current_user, registration.person.organisation, Permission.PEOPLE_REVEAL),
        happenings=queries.history_of(registration),
        messages=messages_about(registration.subject),
    )


@blueprint.post("/desk/events/<int:event_id>/registrations/<int:registration_id>/confirm")
@requires(Permission.REGISTRATION_EDIT)
def confirm(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Accept a registration."""
    registration = _registration(event_id, registration_id)
    operations.confirm(registration=registration, by=current_user.actor, now=now())
    flash(gettext("%(name)s has a place and is told.", name=registration.person.name))
    return _back(event_id)


@blueprint.post("/desk/events/<int:event_id>/registrations/<int:registration_id>/end")
@requires(Permission.REGISTRATION_EDIT)
def end(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Decline a registration that was not accepted yet, or end one that was; the person reads the reason."""
    registration = _registration(event_id, registration_id)
    form = ReasonForm()
    if not form.validate_on_submit():
        flash(next(form.refusals()), "refused")
        return _back(event_id)
    if registration.state is RegistrationState.CONFIRMED:
        operations.cancel(registration=registration, reason=form.reason.data, by=current_user.actor, now=now())
    else:
        operations.reject(registration=registration, reason=form.reason.data, by=current_user.actor, now=now())
    flash(gettext("%(name)s has no place any more and is told why.", name=registration.person.name))
    return _back(event_id)


def _register(event: Any, form: ByHandForm) -> Any:
    group = next((group for group in event.groups if str(group.id) == form.group.data), None)
    if group is None:
        raise GroupOfAnotherEvent
    contact = people.contact_point(kind=ContactKind.PHONE, value=form.phone.data, now=now())
    through = _known(through_in(form.through.data or ""))
    person = people.person_at(
        contact_point=contact,
        name=form.name.data,
        organisation=event.organisation,
        source=f"registration:{event.id}",
        now=now(),
        by=current_user.actor,
        through=through,
    )
    return operations.register(
        event=event,
        group=group,
        person=person,
        contact_point=contact,
        by=current_user.actor,
        now=now(),
        through=through,
    )


def _page(event: Any) -> str:
    state = request.args.get("state", "")
    chosen = RegistrationState(state) if state in set(RegistrationState) else None
    group = request.args.get("group", type=int)
    if group not in {one.id for one in event.groups}:
        group = None
    through = through_in(request.args["through"]) if "through" in request.args else None
    return render_template(
        "registration/index.html",
        event=event,
        page=queries.registrations_of(
            event=event, state=chosen, group_id=group, through=through, cursor=request.args.get("page")
        ),
        through=through,
        brought=queries.brought(event.id),
        referrers=_referrers(event) if event.state is EventState.PUBLISHED and not event.is_over(now()) else [],
        chosen=chosen,
        group=group,
        states=list(RegistrationState),
        counts=queries.counts_by_state(event.id),
        places=queries.places([event.id]),
        knows_guests=queries.knows_guests(current_user, event),
        now=now(),
    )


def _known(through: Through) -> Through:
    return through if people_queries.referrers_of([through]) else BY_THEMSELVES


def _referrers(event: Any) -> list[tuple[str, str]]:
    """Return whom links can be handed to, by name, each with the link that counts for them."""
    return [
        (one.name, absolute(url_for("portal.event", event_id=event.id, via=one.code)))
        for one in (*people_queries.stations(), *people_queries.ambassadors())
    ]


def _new_page(event: Any, form: ByHandForm) -> str:
    known = (*people_queries.stations(), *people_queries.ambassadors())
    form.through.choices = [
        (BY_THEMSELVES.key, gettext("By themselves")),
        *((one.through.key, one.name) for one in known),
    ]
    form.group.choices = [(str(group.id), group.name) for group in event.groups]
    return render_template("registration/new.html", event=event, form=form, places=queries.places([event.id]))


def _back(event_id: int) -> ResponseReturnValue:
    kept = {name: request.args[name] for name in ("state", "group", "through", "page") if name in request.args}
    return redirect(url_for("registration.index", event_id=event_id, **kept), 303)


def _event(event_id: int, permission: Permission) -> Any:
    return event_for(current_user, event_id, permission)


def _registration(event_id: int, registration_id: int) -> Any:
    return _of(_event(event_id, Permission.REGISTRATION_EDIT), registration_id)


def _of(event: Any, registration_id: int) -> Any:
    registration = queries.registration_of_event(event=event, registration_id=registration_id)
    if registration is None:
        abort(404)
    return registration
