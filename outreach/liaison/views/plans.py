"""Planned visits: the list, planning one, moving and cancelling it, catching up, and the calendar's address."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_login import current_user

from outreach.kernel import clock
from outreach.liaison import queries
from outreach.liaison.forms.planning import CancelForm, MoveForm, PaceForm, PlanForm, TakeOverForm
from outreach.liaison.operations import planning as operations
from outreach.liaison.queries import planning
from outreach.liaison.rules.planning import MOST_PER_WEEK, week_of
from outreach.organisations.rules import Permission
from outreach.web.access import requires
from outreach.web.links import absolute

blueprint = Blueprint("plans", __name__, url_prefix="/desk/liaison")
FEED = "calendar_feed"
"""The key in the session under which the address of one's calendar stands until it was shown."""


@blueprint.get("/plans")
@requires(Permission.VISIT_LOG, Permission.PAIRING_READ)
def index() -> ResponseReturnValue:
    """List the visits that are planned, the soonest first, and offer a plan for what is overdue without one."""
    now = clock.now()
    may_see_all = current_user.may(Permission.PAIRING_READ)
    mine = not may_see_all or request.args.get("whose") == "mine"
    secret = session.pop(FEED, None)
    return render_template(
        "liaison/plans.html",
        page=planning.plans(current_user, mine=mine, cursor=request.args.get("page")),
        today=clock.office_day(now),
        mine=mine,
        may_see_all=may_see_all,
        may_log=current_user.may(Permission.VISIT_LOG),
        may_catch_up=current_user.may(Permission.VISIT_LOG) or current_user.may(Permission.PAIRING_EDIT),
        overdue=queries.due_counts(current_user, now=now, mine=mine).overdue,
        feed=planning.feed_of(current_user),
        address=absolute(url_for("liaison_public.calendar", token=secret)) if secret else None,
    )


@blueprint.route("/<int:pairing_id>/plan", methods=["GET", "POST"])
@requires(Permission.VISIT_LOG, Permission.PAIRING_EDIT)
def plan(pairing_id: int) -> ResponseReturnValue:
    """Plan the next visit of a pairing, seeing first who met the talent lately and who else is about to."""
    now = clock.now()
    pairing = planning.pairing_to_plan(current_user, pairing_id)
    form = PlanForm()
    if form.validate_on_submit() and form.attempt(
        lambda: operations.plan(
            pairing=pairing,
            day=form.day.data,
            hour=form.hour.data,
            note=form.note.data,
            knowing=form.knowing.data,
            by=current_user,
            now=now,
        )
    ):
        flash(gettext("Planned. It stands in the calendar of whoever keeps in touch."))
        return redirect(url_for("liaison.pairing", pairing_id=pairing_id), 303)
    return (
        render_template(
            "liaison/plan.html",
            form=form,
            pairing=pairing,
            due=queries.dues_of([pairing], now=now)[pairing.id],
            others=planning.others_about(pairing, now=now),
            last=queries.last_contacts([pairing.person_id], now=now).get(pairing.person_id),
            standing=planning.open_plan(pairing),
            today=clock.office_day(now),
        ),
        form.status if form.is_submitted() else 200,
    )


@blueprint.route("/plans/<int:plan_id>", methods=["GET"])
@requires(Permission.VISIT_LOG, Permission.PAIRING_EDIT, Permission.PAIRING_READ)
def show(plan_id: int) -> ResponseReturnValue:
    """Show a planned visit; offer to move or to cancel it to whoever may."""
    planned = planning.plan_seen_by(current_user, plan_id)
    return _shown(planned, MoveForm(formdata=None), CancelForm(formdata=None))


@blueprint.post("/plans/<int:plan_id>/move")
@requires(Permission.VISIT_LOG, Permission.PAIRING_EDIT)
def move(plan_id: int) -> ResponseReturnValue:
    """Put a planned visit on another day."""
    planned = planning.plan_for(current_user, plan_id)
    form = MoveForm()
    if form.validate_on_submit() and form.attempt(
        lambda: operations.move(
            planned=planned, day=form.day.data, hour=form.hour.data, by=current_user.actor, now=clock.now()
        )
    ):
        return redirect(url_for("liaison.pairing", pairing_id=planned.pairing_id), 303)
    return _shown(planned, form, CancelForm(formdata=None)), form.status


@blueprint.post("/plans/<int:plan_id>/cancel")
@requires(Permission.VISIT_LOG, Permission.PAIRING_EDIT)
def cancel(plan_id: int) -> ResponseReturnValue:
    """Cancel a planned visit with its reason."""
    planned = planning.plan_for(current_user, plan_id)
    form = CancelForm()
    if form.validate_on_submit() and form.attempt(
        lambda: operations.cancel(planned=planned, reason=form.reason.data, by=current_user, now=clock.now())
    ):
        return redirect(url_for("liaison.pairing", pairing_id=planned.pairing_id), 303)
    return _shown(planned, MoveForm(formdata=None), form), form.status


@blueprint.get("/catch-up")
@requires(Permission.VISIT_LOG, Permission.PAIRING_EDIT)
def catch_up() -> ResponseReturnValue:
    """Propose days for everything that is overdue and not planned, a few in each week."""
    return _catching_up(TakeOverForm(formdata=None))


@blueprint.post("/catch-up")
@requires(Permission.VISIT_LOG, Permission.PAIRING_EDIT)
def take_over() -> ResponseReturnValue:
    """Plan what was chosen of the catch-up plan, in one step."""
    form = TakeOverForm()
    made: list[Any] = []
    if form.validate_on_submit():
        mine = planning.plannable(current_user, [one.pairing_id for one in form.proposals])
        proposals = [one for one in form.proposals if one.pairing_id in mine]
        if form.attempt(
            lambda: made.extend(operations.take_over(proposals=proposals, by=current_user, now=clock.now()))
        ):
            flash(ngettext("%(num)s visit is planned.", "%(num)s visits are planned.", len(made)))
            return redirect(url_for("plans.index"), 303)
    return _catching_up(form), form.status


@blueprint.post("/calendar")
@requires(Permission.VISIT_LOG)
def open_calendar() -> ResponseReturnValue:
    """Make a secret address for one's own calendar; it is shown once, and the one before stops working."""
    session[FEED] = operations.make_feed(account=current_user, now=clock.now())
    return redirect(url_for("plans.index", _anchor="calendar"), 303)


@blueprint.post("/calendar/close")
@requires(Permission.VISIT_LOG)
def close_calendar() -> ResponseReturnValue:
    """Close the address of one's own calendar."""
    if operations.revoke_feed(account=current_user, now=clock.now()):
        flash(gettext("The address is closed. Calendars that read it find nothing there any more."))
    return redirect(url_for("plans.index"), 303)


def _shown(planned: Any, move_form: MoveForm, cancel_form: CancelForm) -> str:
    if not move_form.is_submitted():
        move_form.day.data, move_form.hour.data = planned.day, planned.hour
    return render_template(
        "liaison/planned.html",
        planned=planned,
        pairing=planned.pairing,
        move_form=move_form,
        cancel_form=cancel_form,
        may_plan=planning.may_plan_it(current_user, planned),
        today=clock.office_day(clock.now()),
    )


def _catching_up(form: TakeOverForm) -> str:
    pace = PaceForm(request.args)
    pace.pace.choices = [(number, str(number)) for number in range(1, MOST_PER_WEEK + 1)]
    mine = not current_user.may(Permission.PAIRING_EDIT)
    return render_template(
        "liaison/catch_up.html",
        form=form,
        per_week=pace.per_week,
        paces=range(1, MOST_PER_WEEK + 1),
        weeks=_by_week(planning.behind(current_user, now=clock.now(), mine=mine, per_week=pace.per_week)),
    )


def _by_week(lines: list[planning.CaughtUp]) -> list[tuple[Any, list[planning.CaughtUp]]]:
    weeks: dict[tuple[int, int], list[planning.CaughtUp]] = {}
    for line in lines:
        weeks.setdefault(week_of(line.day), []).append(line)
    return [(of_week[0].day, of_week) for of_week in weeks.values()]
