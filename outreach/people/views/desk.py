"""People: the list, a new record, correcting one, and seeing in full what stands masked."""

from datetime import datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel import clock
from outreach.kernel.refusals import Refused
from outreach.organisations.rules import Permission
from outreach.people import operations, queries
from outreach.people.forms import PersonForm, RevealForm
from outreach.people.operations import reaching
from outreach.people.rules import Degree
from outreach.web import limits
from outreach.web.access import requires
from outreach.web.unit_of_work import separately

blueprint = Blueprint("people", __name__, url_prefix="/desk/people")


@blueprint.get("/")
@requires(Permission.PEOPLE_READ)
def index() -> ResponseReturnValue:
    """Show the people the reader may see, narrowed to what they look for."""
    units = queries.organisations_with_people(current_user)
    classes = queries.talent_classes()
    fields = queries.professional_fields()
    if request.args.get("q"):
        limits.spend(limits.SEARCHING, current_user.id)
    wanted = queries.Wanted(
        text=request.args.get("q", "").strip(),
        talent_class=next((one for one in classes if str(one.id) == request.args.get("class")), None),
        degree=_one_of(Degree, request.args.get("degree")),
        field=next((one for one in fields if str(one.id) == request.args.get("field")), None),
        away=request.args.get("away") == "1",
        organisation_id=next((one.id for one in units if str(one.id) == request.args.get("unit")), None),
    )
    found = queries.find(current_user, wanted)
    return render_template(
        "people/index.html",
        page=found.page(request.args.get("page")),
        wanted=wanted,
        count=found.count(),
        most=queries.MOST_COUNTED,
        units=units,
        unit=next((one for one in units if one.id == wanted.organisation_id), None),
        classes=classes,
        fields=fields,
        Degree=Degree,
        may_edit=current_user.may(Permission.PEOPLE_EDIT),
        may_import=current_user.may(Permission.PEOPLE_IMPORT),
        may_reveal=current_user.may(Permission.PEOPLE_REVEAL),
        may_merge=current_user.may(Permission.PEOPLE_MERGE),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def new() -> ResponseReturnValue:
    """Write down a new person; whoever looks like somebody known is shown first."""
    form = PersonForm(organisation_id=current_user.organisation_id)
    units = queries.organisations_to_keep_for(current_user)
    form.offer(units, queries.choices(current_user))
    alike = []
    if form.validate_on_submit():
        alike = (
            []
            if request.form.get("another")
            else queries.alike(current_user, form.name.data, form.phone.data, form.email.data)
        )
        made = []
        if not alike and form.attempt(
            lambda: made.append(
                operations.add(
                    organisation=next(one for one in units if one.id == form.organisation_id.data),
                    name=form.name.data,
                    phone=form.phone.data,
                    email=form.email.data,
                    values=form.values(),
                    by=current_user.actor,
                    now=clock.now(),
                )
            )
        ):
            return redirect(url_for("desk.person", person_id=made[0].id), 303)
    wrong = bool(form.errors or form.refusal or alike)
    return render_template("people/edit.html", form=form, person=None, alike=alike), 422 if wrong else 200


@blueprint.route("/<int:person_id>/edit", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def edit(person_id: int) -> ResponseReturnValue:
    """Correct a record."""
    person = queries.person_for(current_user, person_id, Permission.PEOPLE_EDIT)
    form = PersonForm()
    form.offer([person.organisation], queries.choices(current_user, of=person))
    if not form.is_submitted():
        form.show(person)
    elif form.validate() and form.attempt(
        lambda: operations.change(
            person=person,
            name=form.name.data,
            phone=form.phone.data,
            email=form.email.data,
            values=form.values(),
            seen_at=_moment(form.seen_at.data),
            by=current_user.actor,
            now=clock.now(),
        )
    ):
        flash(gettext("The record of %(name)s is up to date.", name=person.name), "ok")
        return redirect(url_for("desk.person", person_id=person_id), 303)
    wrong = bool(form.errors or form.refusal)
    lines = list(reversed(queries.history_of(person)))
    return (
        render_template(
            "people/edit.html",
            form=form,
            person=person,
            alike=[],
            looks=queries.looks_at(person),
            lines=lines,
            names=queries.names_of_accounts([line.actor_id for line in lines if line.actor_id]),
            LINES=queries.LINES,
        ),
        422 if wrong else 200,
    )


@blueprint.post("/<int:person_id>/contacts/<int:contact_id>/remove")
@requires(Permission.PEOPLE_EDIT)
def forget_contact(person_id: int, contact_id: int) -> ResponseReturnValue:
    """Take a number or an address off a person."""
    person = queries.person_for(current_user, person_id, Permission.PEOPLE_EDIT)
    reaching.take_off(person=person, contact_id=contact_id, by=current_user.actor, now=clock.now())
    return redirect(url_for("people.edit", person_id=person_id), 303)


@blueprint.post("/<int:person_id>/contacts/<int:contact_id>/belongs-to-another")
@requires(Permission.PEOPLE_EDIT)
def contact_of_another(person_id: int, contact_id: int) -> ResponseReturnValue:
    """Write down that a number or an address is somebody else's now."""
    person = queries.person_for(current_user, person_id, Permission.PEOPLE_EDIT)
    reaching.belongs_to_another(
        person=person,
        contact_id=contact_id,
        reason=request.form.get("reason", ""),
        by=current_user.actor,
        now=clock.now(),
    )
    return redirect(url_for("people.edit", person_id=person_id), 303)


@blueprint.route("/<int:person_id>/in-full", methods=["GET", "POST"])
@requires(Permission.PEOPLE_REVEAL)
def reveal(person_id: int) -> ResponseReturnValue:
    """Ask what the reader needs to see in full and why, write it down, and show it."""
    person = queries.person_for(current_user, person_id, Permission.PEOPLE_REVEAL)
    form = RevealForm()
    form.offer(person, queries.guardians_of(person.id))
    shown: list[str] = []
    if form.validate_on_submit():
        what, which = form.chosen()
        try:
            with separately():
                shown.append(
                    operations.look(
                        person=person,
                        viewer=current_user,
                        what=what,
                        reason=form.reason.data,
                        now=clock.now(),
                        which=which,
                    )
                )
        except Refused as refused:
            form.refuse(refused)
    return (
        render_template(
            "people/reveal.html", form=form, person=person, shown=shown, looks=queries.looks_at(person), now=clock.now()
        ),
        422 if form.errors or form.refusal else 200,
    )


def _one_of(kind: type, value: str | None) -> object | None:
    return next((one for one in kind if one.value == value), None)


def _moment(text: str | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        abort(400)
    if moment.tzinfo is None:
        abort(400)
    return moment
