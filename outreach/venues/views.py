"""Venues on the desk: the list, a new one, changes."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel.clock import now
from outreach.organisations.queries import organisation_for, reaches, tree
from outreach.organisations.rules import Permission
from outreach.venues import operations, queries
from outreach.venues.forms import VenueForm
from outreach.web.access import requires

blueprint = Blueprint("venues", __name__, url_prefix="/desk/venues")


@blueprint.get("/")
@requires(Permission.EVENT_EDIT)
def index() -> ResponseReturnValue:
    """Show the venues events may take place in, by name."""
    page = queries.on_desk(current_user, cursor=request.args.get("page"))
    mine = {venue.id for venue in page.items if reaches(current_user, venue.organisation, Permission.EVENT_EDIT)}
    return render_template("venues/index.html", page=page, mine=mine)


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.EVENT_EDIT)
def new() -> ResponseReturnValue:
    """Enter a venue."""
    form = VenueForm()
    form.offer(tree(current_user, Permission.EVENT_EDIT))
    if form.validate_on_submit() and form.attempt(
        lambda: operations.create(
            name=form.name.data,
            address=form.address.data,
            how_to_get_there=form.how_to_get_there.data or None,
            organisation=organisation_for(current_user, form.organisation.data, Permission.EVENT_EDIT),
            by=current_user.actor,
            now=now(),
        )
    ):
        flash(gettext("%(name)s is there. Events can take place in it from now on.", name=form.name.data), "done")
        return redirect(url_for("venues.index"), 303)
    return render_template("venues/edit.html", form=form, venue=None), _status(form)


@blueprint.route("/<int:venue_id>/edit", methods=["GET", "POST"])
@requires(Permission.EVENT_EDIT)
def edit(venue_id: int) -> ResponseReturnValue:
    """Change a venue."""
    venue = queries.venue_for(current_user, venue_id)
    form = VenueForm(obj=venue)
    del form.organisation
    if form.validate_on_submit() and form.attempt(
        lambda: operations.edit(
            venue=venue,
            name=form.name.data,
            address=form.address.data,
            how_to_get_there=form.how_to_get_there.data or None,
            by=current_user.actor,
            now=now(),
        )
    ):
        flash(gettext("Saved."), "done")
        return redirect(url_for("venues.index"), 303)
    return render_template("venues/edit.html", form=form, venue=venue), _status(form)


def _status(form: VenueForm) -> int:
    return 422 if form.is_submitted() else 200
