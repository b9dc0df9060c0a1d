"""Programmes on the desk: the list, a new one, changes."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel.clock import now
from outreach.organisations.queries import organisation_for, reaches, tree
from outreach.organisations.rules import Permission
from outreach.programmes import operations, queries
from outreach.programmes.forms import ProgrammeForm
from outreach.programmes.rules import Motif
from outreach.web.access import requires

blueprint = Blueprint("programmes", __name__, url_prefix="/desk/programmes")


@blueprint.get("/")
@requires(Permission.PROGRAMME_EDIT, Permission.EVENT_READ)
def index() -> ResponseReturnValue:
    """Show the programmes events may stand under, by name."""
    page = queries.on_desk(current_user, cursor=request.args.get("page"))
    mine = {
        programme.id
        for programme in page.items
        if reaches(current_user, programme.organisation, Permission.PROGRAMME_EDIT)
    }
    return render_template("programmes/index.html", page=page, mine=mine)


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.PROGRAMME_EDIT)
def new() -> ResponseReturnValue:
    """Begin a programme."""
    form = ProgrammeForm()
    form.offer(tree(current_user, Permission.PROGRAMME_EDIT))
    if form.validate_on_submit() and form.attempt(
        lambda: operations.create(
            name=form.name.data,
            summary=form.summary.data or None,
            motif=Motif(form.motif.data),
            organisation=organisation_for(current_user, form.organisation.data, Permission.PROGRAMME_EDIT),
            by=current_user.actor,
            now=now(),
        )
    ):
        flash(gettext("%(name)s is there. Events can stand under it from now on.", name=form.name.data), "done")
        return redirect(url_for("programmes.index"), 303)
    return render_template("programmes/edit.html", form=form, programme=None, motifs=list(Motif)), _status(form)


@blueprint.route("/<int:programme_id>/edit", methods=["GET", "POST"])
@requires(Permission.PROGRAMME_EDIT)
def edit(programme_id: int) -> ResponseReturnValue:
    """Change a programme."""
    programme = queries.programme_for(current_user, programme_id)
    form = ProgrammeForm(obj=programme)
    del form.organisation
    if form.validate_on_submit() and form.attempt(
        lambda: operations.edit(
            programme=programme,
            name=form.name.data,
            summary=form.summary.data or None,
            motif=Motif(form.motif.data),
            by=current_user.actor,
            now=now(),
        )
    ):
        flash(gettext("Saved."), "done")
        return redirect(url_for("programmes.index"), 303)
    return render_template("programmes/edit.html", form=form, programme=programme, motifs=list(Motif)), _status(form)


def _status(form: ProgrammeForm) -> int:
    return 422 if form.is_submitted() else 200
