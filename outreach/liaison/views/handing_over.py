"""Somebody leaves: what is open, to whom it goes, and the list both sign."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from outreach.kernel import clock
from outreach.liaison import queries
from outreach.liaison.forms.handing_over import HandOverForm
from outreach.liaison.operations.handing_over import hand_over
from outreach.liaison.queries import handing_over
from outreach.organisations.rules import Permission, Role
from outreach.web.access import requires

blueprint = Blueprint("hand_overs", __name__, url_prefix="/desk/liaison/hand-overs")
MAY_TAKE = (Role.LEADER, Role.SERVICE_OFFICER, Role.LIAISON_OFFICER)


@blueprint.get("/")
@requires(Permission.PAIRING_EDIT)
def index() -> ResponseReturnValue:
    """Ask who leaves, and list what was handed over before."""
    return render_template(
        "liaison/hand_overs.html",
        leavers=handing_over.leavers(current_user),
        past=handing_over.hand_overs(current_user),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.PAIRING_EDIT)
def new() -> ResponseReturnValue:
    """Show everything open of who leaves, and hand it to a successor."""
    leaver = handing_over.leaver_for(current_user, request.args.get("who", 0, type=int))
    accounts = [one for one in queries.who_may_keep_in_touch(current_user, *MAY_TAKE) if one.id != leaver.id]
    form = HandOverForm()
    form.offer(accounts)
    made: list[Any] = []
    if form.validate_on_submit() and form.attempt(
        lambda: made.append(
            hand_over(
                leaver=leaver,
                successor=next(one for one in accounts if one.id == form.successor.data),
                by=current_user,
                now=clock.now(),
            )
        )
    ):
        return redirect(url_for("hand_overs.show", hand_over_id=made[0].id), 303)
    return (
        render_template("liaison/hand_over.html", form=form, leaver=leaver, open=handing_over.open_of(leaver)),
        form.status if form.is_submitted() else 200,
    )


@blueprint.get("/<int:hand_over_id>")
@requires(Permission.VISIT_LOG, Permission.PAIRING_EDIT)
def show(hand_over_id: int) -> ResponseReturnValue:
    """Show what was handed over, and offer the list to be printed."""
    one = handing_over.hand_over_for(current_user, hand_over_id)
    return render_template("liaison/handed_over.html", one=one, what=handing_over.handed(one))
