"""Events on the desk: the list, a new one, changes, and the way to publication."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.events import operations, queries
from outreach.events.forms import DecisionForm, EventForm, written
from outreach.events.queries import Filters, Tab
from outreach.events.rules import EventKind, EventState
from outreach.kernel.clock import now
from outreach.organisations.queries import organisation_for, reaches, tree
from outreach.organisations.rules import Permission
from outreach.programmes.queries import choices_for as programmes_for
from outreach.venues.queries import choices_for as venues_for
from outreach.web.access import requires

blueprint = Blueprint("events", __name__, url_prefix="/desk/events")


@blueprint.get("/")
@requires(Permission.EVENT_READ, Permission.EVENT_EDIT, Permission.EVENT_APPROVE)
def index() -> ResponseReturnValue:
    """Show the events the reader's roles reach, by saved view and filter."""
    tab = Tab(request.args["tab"]) if request.args.get("tab") in set(Tab) else Tab.UPCOMING
    programmes = programmes_for(current_user)
    filters = _filters({programme.id for programme in programmes})
    moment = now()
    found = queries.find(current_user, filters)
    return render_template(
        "events/index.html",
        tab=tab,
        tabs=list(Tab),
        filters=filters,
        kinds=list(EventKind),
        programmes=programmes,
        page=found.page(tab, cursor=request.args.get("page"), now=moment),
        counts=found.counts(now=moment),
        most=queries.MOST_COUNTED,
        awaiting=queries.awaiting(current_user, now=now()),
        now=moment,
    )


def _filters(programme_ids: set[int]) -> Filters:
    """Read the filters from the address; what makes no sense there is no filter."""
    kind = request.args.get("kind", "")
    programme = request.args.get("programme", "")
    return Filters(
        kind=EventKind(kind) if kind in set(EventKind) else None,
        programme_id=int(programme) if programme.isdecimal() and int(programme) in programme_ids else None,
        text=request.args.get("q", "").replace("\0", "").strip()[:60],
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.EVENT_EDIT)
def new() -> ResponseReturnValue:
    """Write down a new event."""
    form = _event_form(EventForm())
    if "row" in request.form:
        form.change_rows(request.form["row"])
        return _editor(form, status=200)
    if form.validate_on_submit():
        made = []
        if form.attempt(
            lambda: made.append(
                operations.create(
                    plan=form.plan(),
                    organisation=organisation_for(current_user, form.organisation.data, Permission.EVENT_EDIT),
                    by=current_user.actor,
                    now=now(),
                )
            )
        ):
            return redirect(url_for("events.preview", event_id=made[0].id), 303)
    if not form.is_submitted():
        _propose(form)
    return _editor(form, status=422 if form.is_submitted() else 200)


def _event_form(form: EventForm) -> EventForm:
    form.offer(
        units=tree(current_user, Permission.EVENT_EDIT),
        programmes=programmes_for(current_user),
        venues=venues_for(current_user),
    )
    return form


def _propose(form: EventForm) -> None:
    """Begin with the reader's own unit, one empty group, and the programme the address names."""
    if current_user.organisation_id in {choice for choice, _ in form.organisation.choices}:
        form.organisation.data = current_user.organisation_id
    programme = request.args.get("programme", "")
    if programme.isdecimal() and int(programme) in {choice for choice, _ in form.programme_id.choices}:
        form.programme_id.data = int(programme)
        form.issue.data = queries.next_issues([int(programme)])[int(programme)]
    form.groups.append_entry()


def _editor(form: EventForm, *, status: int, event: object = None) -> ResponseReturnValue:
    issues = queries.next_issues([choice for choice, _ in form.programme_id.choices if choice])
    return render_template("events/edit.html", form=form, event=event, issues=issues, now=now()), status


@blueprint.route("/<int:event_id>/edit", methods=["GET", "POST"])
@requires(Permission.EVENT_EDIT)
def edit(event_id: int) -> ResponseReturnValue:
    """Change what is written down about an event."""
    event = queries.event_for(current_user, event_id, Permission.EVENT_EDIT)
    if not event.state.is_editable:
        return redirect(url_for("events.preview", event_id=event.id))
    form = EventForm(data=written(event))
    del form.organisation
    _event_form(form)
    if "row" in request.form:
        form.change_rows(request.form["row"])
        return _editor(form, status=200, event=event)
    if form.validate_on_submit() and form.attempt(
        lambda: operations.edit(
            event=event,
            plan=form.plan(),
            seen=int(form.seen.data) if (form.seen.data or "").isdecimal() else 0,
            by=current_user.actor,
            now=now(),
        )
    ):
        flash(gettext("Saved."), "done")
        return redirect(url_for("events.preview", event_id=event.id), 303)
    return _editor(form, status=422 if form.is_submitted() else 200, event=event)


@blueprint.get("/<int:event_id>/preview")
@requires(Permission.EVENT_READ, Permission.EVENT_EDIT, Permission.EVENT_APPROVE)
def preview(event_id: int) -> ResponseReturnValue:
    """Show what the public sees or will see, where the event stands, and what happened to it."""
    return _preview(event_id, DecisionForm())


def _preview(event_id: int, form: DecisionForm) -> ResponseReturnValue:
    event = queries.event_for(current_user, event_id)
    happenings = queries.history_of(event)
    return (
        render_template(
            "events/preview.html",
            event=event,
            form=form,
            happenings=happenings,
            refusal=queries.last_refusal(happenings),
            deciding=queries.approvers_of([event], now=now())[event.id] if event.state is EventState.SUBMITTED else {},
            may_edit=reaches(current_user, event.organisation, Permission.EVENT_EDIT),
            now=now(),
        ),
        422 if form.errors or form.refusal else 200,
    )


@blueprint.post("/<int:event_id>/submit")
@requires(Permission.EVENT_EDIT)
def submit(event_id: int) -> ResponseReturnValue:
    """Ask a second person to approve the event."""
    event = queries.event_for(current_user, event_id, Permission.EVENT_EDIT)
    operations.submit(event=event, by=current_user.actor, now=now())
    return _back_to(event_id)


@blueprint.post("/<int:event_id>/withdraw")
@requires(Permission.EVENT_EDIT)
def withdraw(event_id: int) -> ResponseReturnValue:
    """Take back what was submitted, to go on writing."""
    event = queries.event_for(current_user, event_id, Permission.EVENT_EDIT)
    operations.withdraw(event=event, by=current_user.actor, now=now())
    return redirect(url_for("events.edit", event_id=event_id), 303)


@blueprint.post("/<int:event_id>/approve")
@requires(Permission.EVENT_APPROVE)
def approve(event_id: int) -> ResponseReturnValue:
    """Publish the event now, as a second person."""
    event = queries.event_for(current_user, event_id, Permission.EVENT_APPROVE)
    form = DecisionForm()
    operations.approve(event=event, seen=form.seen.data or 0, by=current_user.actor, now=now())
    return _back_to(event_id)


@blueprint.post("/<int:event_id>/refuse")
@requires(Permission.EVENT_APPROVE)
def refuse(event_id: int) -> ResponseReturnValue:
    """Send the event back to its author, with the reason."""
    event = queries.event_for(current_user, event_id, Permission.EVENT_APPROVE)
    form = DecisionForm()
    if form.validate_on_submit() and form.attempt(
        lambda: operations.refuse(event=event, reason=form.reason.data or "", by=current_user.actor, now=now())
    ):
        return _back_to(event_id)
    return _preview(event_id, form)


@blueprint.post("/<int:event_id>/cancel")
@requires(Permission.EVENT_EDIT)
def cancel(event_id: int) -> ResponseReturnValue:
    """Say that the event will not take place."""
    event = queries.event_for(current_user, event_id, Permission.EVENT_EDIT)
    form = DecisionForm()
    if form.validate_on_submit() and form.attempt(
        lambda: operations.cancel(event=event, reason=form.reason.data, by=current_user.actor, now=now())
    ):
        return _back_to(event_id)
    return _preview(event_id, form)


@blueprint.post("/<int:event_id>/finish")
@requires(Permission.EVENT_EDIT)
def finish(event_id: int) -> ResponseReturnValue:
    """Close the event when it is over."""
    event = queries.event_for(current_user, event_id, Permission.EVENT_EDIT)
    operations.finish(event=event, by=current_user.actor, now=now())
    return _back_to(event_id)


def _back_to(event_id: int) -> ResponseReturnValue:
    return redirect(url_for("events.preview", event_id=event_id), 303)
