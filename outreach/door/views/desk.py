"""The organiser's page of the door: the volunteers' link, their phones, who came in."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.door import operations, queries
from outreach.events.queries import event_for
from outreach.kernel.clock import now
from outreach.organisations.rules import Permission
from outreach.web.access import requires
from outreach.web.links import absolute

blueprint = Blueprint("door", __name__)
LINK = "door_link"
"""The key in the organiser's signed session of the link made last: (invitation id, secret). Nothing else keeps it."""


@blueprint.get("/desk/events/<int:event_id>/door")
@requires(Permission.DOOR_RUN)
def index(event_id: int) -> ResponseReturnValue:
    """Show the link to hand out, the phones at the door and who came in."""
    event = _event(event_id)
    moment = now()
    invitation = queries.open_invitation(event.id)
    kept = session.get(LINK)
    mine = invitation is not None and kept is not None and kept[0] == invitation.id
    return render_template(
        "door/index.html",
        event=event,
        invitation=invitation,
        link=absolute(url_for("door_phone.enrol", token=kept[1])) if mine else None,
        has_door=queries.has_a_door(event, moment),
        links=queries.links_of(event),
        phones=queries.phones_of(event.id),
        by_phone=queries.arrivals_by_phone(event.id),
        count=queries.counts(event.id),
        page=queries.arrivals_of(event, cursor=request.args.get("page")),
        now=moment,
    )


@blueprint.post("/desk/events/<int:event_id>/door/link")
@requires(Permission.DOOR_RUN)
def invite(event_id: int) -> ResponseReturnValue:
    """Make a link for volunteers; an older one ends."""
    event = _event(event_id)
    token = operations.invite(event=event, by=current_user.actor, now=now())
    session[LINK] = [queries.open_invitation(event.id).id, token]
    return _back(event_id)


@blueprint.post("/desk/events/<int:event_id>/door/link/revoke")
@requires(Permission.DOOR_RUN)
def revoke_link(event_id: int) -> ResponseReturnValue:
    """End the link."""
    operations.revoke_links(event=_event(event_id), by=current_user.actor, now=now())
    session.pop(LINK, None)
    flash(gettext("The link has ended. Phones that joined by it stay."))
    return _back(event_id)


@blueprint.post("/desk/events/<int:event_id>/door/phones/<int:pass_id>/revoke")
@requires(Permission.DOOR_RUN)
def revoke_phone(event_id: int, pass_id: int) -> ResponseReturnValue:
    """Take a phone away from the door."""
    phone = queries.phone_of_event(event=_event(event_id), pass_id=pass_id)
    if phone is None:
        abort(404)
    operations.revoke_phone(door_pass=phone, by=current_user.actor, now=now())
    flash(gettext("The phone of %(name)s opens this door no more.", name=phone.name))
    return _back(event_id)


def _event(event_id: int) -> Any:
    return event_for(current_user, event_id, Permission.DOOR_RUN)


def _back(event_id: int) -> ResponseReturnValue:
    return redirect(url_for("door.index", event_id=event_id), 303)
