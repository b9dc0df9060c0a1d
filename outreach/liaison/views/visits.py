"""What belongs to visits besides their pages: pictures, the leader's word, and writing one down without a network."""

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from outreach.kernel import clock
from outreach.kernel.refusals import Refused
from outreach.liaison.documents.photographs import drawn_anew
from outreach.liaison.operations import visits as operations
from outreach.liaison.queries import visits
from outreach.liaison.rules.photographs import MOST_PHOTOGRAPHS
from outreach.organisations.rules import Permission
from outreach.web.access import requires, staff
from outreach.web.forms import sentence_of

blueprint = Blueprint("visits", __name__, url_prefix="/desk/visits")


@blueprint.get("/pulse")
@staff
def pulse() -> ResponseReturnValue:
    """Tell a page that was away from the network who is signed in now, and the token its forms need."""
    return {"account": current_user.id, "token": generate_csrf()}


@blueprint.get("/<int:visit_id>/photographs/<int:position>")
@requires(Permission.VISIT_LOG, Permission.PAIRING_READ)
def photograph(visit_id: int, position: int) -> ResponseReturnValue:
    """Show a picture of a visit to those who may read its notes."""
    return Response(visits.photograph_for(current_user, visit_id, position).content, mimetype="image/jpeg")


@blueprint.post("/<int:visit_id>/photographs")
@requires(Permission.VISIT_LOG)
def add_photographs(visit_id: int) -> ResponseReturnValue:
    """Add pictures to a visit that was logged."""
    visit = visits.visit_to_complete(current_user, visit_id)
    files = [file for file in request.files.getlist("photographs") if file.filename]
    try:
        pictures = drawn_anew([file.stream for file in files[: MOST_PHOTOGRAPHS + 1]])
        operations.add_photographs(visit=visit, pictures=pictures, by=current_user.actor, now=clock.now())
    except Refused as refused:
        flash(sentence_of(refused), "refused")
    return redirect(url_for("liaison.show", visit_id=visit_id), 303)


@blueprint.post("/<int:visit_id>/confirm")
@requires(Permission.VISIT_LOG)
def confirm(visit_id: int) -> ResponseReturnValue:
    """Let the leader say with one tap that a visit written down for them was so."""
    visit = visits.visit_for(current_user, visit_id)
    operations.confirm(visit=visit, leader=current_user, now=clock.now())
    flash(gettext("Confirmed. Thank you."))
    return redirect(url_for("liaison.show", visit_id=visit_id), 303)
