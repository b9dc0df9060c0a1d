"""What attendees see: the form, their tickets, the way back out."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext

from outreach.events.queries import published
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.clock import now, office_day
from outreach.kernel.refusals import Refused
from outreach.people import operations as people
from outreach.people import queries as people_queries
from outreach.people.rules import BY_THEMSELVES, InOtherHands, Through, needs_guardian, through_in
from outreach.registration import documents, operations, queries
from outreach.registration.forms import RegisterForm
from outreach.registration.rules import BirthMissing, GroupOfAnotherEvent, RegistrationState, spaced_code
from outreach.web import limits
from outreach.web.access import (
    attendees,
    attendees_by_their_session,
    claimed_contact,
    open_to_everyone,
    proven_contact,
    sent_to_prove,
)
from outreach.web.links import absolute
from outreach.web.unit_of_work import Together

blueprint = Blueprint("registration_public", __name__)
blueprint.add_app_template_filter(spaced_code)
registrations = Together(lambda applications: operations.take_down(applications=applications, now=now()), gathers=0.02)
"""A city registers in the minute an event opens: what comes while a transaction runs shares the next one."""


@blueprint.get("/e/<int:event_id>/register")
@attendees
def register(event_id: int) -> ResponseReturnValue:
    """Ask what the event needs to know, and say why."""
    event = published(event_id)
    contact = _contact()
    names = queries.names_at(contact.id)
    form = RegisterForm()
    form.name.data = names[0] if len(names) == 1 else None
    offered = [str(group.id) for group in event.groups]
    wanted = request.args.get("group")
    form.group.data = wanted if wanted in offered else offered[0] if len(offered) == 1 else None
    return _form_page(event, contact, form)


@blueprint.post("/e/<int:event_id>/register")
@attendees_by_their_session
def registered(event_id: int) -> ResponseReturnValue:
    """Take the registration down; whoever has a place or waits already is shown that same ticket."""
    offer = queries.offer_lately(event_id, now=now())
    if offer is None:
        abort(404)
    form = RegisterForm()
    if form.validate_on_submit():
        try:
            if token := _token(event_id, offer, form):
                return redirect(url_for("registration_public.ticket", token=token), 303)
        except InOtherHands:
            return sent_to_prove()
        except Refused as refused:
            form.refuse(refused)
    if proven_contact() is None:
        return sent_to_prove()
    return _form_page(published(event_id), _contact(), form), 422


def _token(event_id: int, offer: queries.Offer, form: RegisterForm) -> str:
    """Register, and return the ticket's token: with others who press in the same moment, or alone with a guardian."""
    group_id = next((group_id for group_id in offer.group_ids if str(group_id) == form.group.data), None)
    if group_id is None:
        raise GroupOfAnotherEvent
    contact_point_id, holding = claimed = claimed_contact()
    limits.spend(limits.REGISTERING, claimed)  # whoever holds it now does not pay for whoever held it
    if offer.asks_birth:
        if proven_contact() is None:
            raise InOtherHands
        made: list[Any] = []
        alone = form.attempt(lambda: made.append(_register(event_id, group_id, _contact(), form)))
        return made[0].token if alone else ""
    return registrations.ask(
        operations.Application(
            event_id=event_id,
            organisation_id=offer.organisation_id,
            group_id=group_id,
            contact_point_id=contact_point_id,
            holding=holding,
            name=form.name.data,
            language=str(get_locale()),
            through=_through(form),
        )
    )


def _register(event_id: int, group_id: int, contact: Any, form: RegisterForm) -> Any:
    event, by, moment = published(event_id), Actor(ActorKind.ATTENDEE, contact.id), now()
    group = next((group for group in event.groups if group.id == group_id), None)
    if group is None:
        raise GroupOfAnotherEvent
    person = people.person_at(
        contact_point=contact,
        name=form.name.data,
        organisation=event.organisation,
        source=f"registration:{event.id}",
        now=moment,
        by=by,
        through=_through(form),
    )
    registration = operations.register(
        event=event,
        group=group,
        person=person,
        contact_point=contact,
        by=by,
        now=moment,
        guardian=_guardian(event, person, contact, form, moment),
        through=_through(form),
    )
    if registration.created_at == moment:  # not pressed twice
        people.give_consent(
            person=person,
            purpose="registration",
            contact_point=contact,
            about=f"event:{event.id}",
            now=moment,
            language=str(get_locale()),
        )
    return registration


def _through(form: RegisterForm) -> Through:
    """Return through whom somebody came: whose link they followed, or the station they chose."""
    followed = people_queries.referrer_by_code(request.args.get("via", ""))
    if followed is not None:
        return followed.through
    chosen = through_in(form.through.data or "")
    if chosen == BY_THEMSELVES:
        return chosen
    return chosen if chosen in {one.through for one in people_queries.stations()} else BY_THEMSELVES


def _guardian(event: Any, person: Any, contact: Any, form: RegisterForm, moment: datetime) -> Any:
    """Keep the date of birth, and for a child who answers for it: whoever holds the number that was proven."""
    if not form.birth.data and not person.birth:
        raise BirthMissing
    if form.birth.data:
        people.note_birth(person=person, birth=form.birth.data, by=Actor(ActorKind.ATTENDEE, contact.id), now=moment)
    if not needs_guardian(person.birth, office_day(moment)) or queries.living(event_id=event.id, person_id=person.id):
        return None
    return people.answer_for(
        child=person,
        name=form.guardian.data,
        agrees=form.guardian_consent.data,
        contact_point=contact,
        about=f"event:{event.id}",
        now=moment,
        language=str(get_locale()),
    )


def _form_page(event: Any, contact: Any, form: RegisterForm) -> str:
    form.group.choices = [(str(group.id), group.name) for group in event.groups]
    followed = people_queries.referrer_by_code(request.args.get("via", ""))
    stations = people_queries.stations() if followed is None else []
    form.through.choices = [
        (BY_THEMSELVES.key, gettext("No, I found it myself")),
        *((one.through.key, one.name) for one in stations),
    ]
    return render_template(
        "registration/public/register.html",
        event=event,
        contact=contact,
        form=form,
        window=event.registration(now()),
        followed=followed,
        stations=stations,
        places=queries.places([event.id]),
        names=queries.names_at(contact.id),
        consent=people_queries.current_consent("registration", str(get_locale())),
        guardian_text=people_queries.current_consent("guardian", str(get_locale())) if event.asks_birth else None,
    )


@blueprint.get("/t/<token>")
@open_to_everyone
def ticket(token: str) -> ResponseReturnValue:
    """Show a ticket, or where its holder stands; whoever has the link is its holder."""
    registration = _by_ticket(token)
    moment = now()
    return render_template(
        "registration/public/ticket.html",
        registration=registration,
        event=registration.event,
        link=absolute(url_for("registration_public.ticket", token=token)),
        position=queries.position_in_line(registration),
        places=queries.places([registration.event_id])[registration.group_id],
        now=moment,
        has_begun=moment >= registration.event.starts_at,
        is_over=registration.event.is_over(moment),
    )


@blueprint.get("/t/<token>.ics")
@open_to_everyone
def calendar(token: str) -> ResponseReturnValue:
    """Hand out the ticket's event as a calendar entry."""
    registration = _by_ticket(token)
    link = absolute(url_for("registration_public.ticket", token=token))
    return Response(
        documents.calendar_entry(registration, link=link, now=now()),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="event-{registration.event_id}.ics"'},
    )


@blueprint.post("/t/<token>/withdraw")
@open_to_everyone
def withdraw(token: str) -> ResponseReturnValue:
    """Give the place back; pressing twice is as good as once."""
    registration = _by_ticket(token)
    if registration.state is not RegistrationState.CANCELLED:
        waited = registration.state is RegistrationState.WAITLISTED
        operations.cancel(
            registration=registration, by=Actor(ActorKind.ATTENDEE, registration.contact_point_id), now=now()
        )
        flash(
            gettext("You have left the waiting list.")
            if waited
            else gettext("You have withdrawn. Thank you for telling us.")
        )
    return redirect(url_for("registration_public.ticket", token=token), 303)


@blueprint.get("/my/tickets")
@attendees
def mine() -> ResponseReturnValue:
    """Show what was registered through this number or address."""
    contact = _contact()
    return render_template(
        "registration/public/mine.html",
        contact=contact,
        page=queries.registrations_at(contact.id, cursor=request.args.get("page")),
        now=now(),
    )


def _contact() -> Any:
    contact = people_queries.contact_point(proven_contact() or 0)
    if contact is None:
        abort(404)
    return contact


def _by_ticket(token: str) -> Any:
    registration = queries.by_ticket(token)
    if registration is None:
        abort(404)
    return registration
