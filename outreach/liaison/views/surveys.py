"""Surveys on the desk: sending one, its answers, and what becomes of them."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_login import current_user

from outreach.kernel import clock
from outreach.liaison.forms.surveys import SurveyForm
from outreach.liaison.operations import surveys as operations
from outreach.liaison.queries import surveys
from outreach.liaison.rules.surveys import MOST_ASKED
from outreach.organisations.rules import Permission
from outreach.people import queries as people
from outreach.web.access import requires

blueprint = Blueprint("surveys", __name__, url_prefix="/desk/liaison/surveys")


@blueprint.get("/")
@requires(Permission.PAIRING_EDIT)
def index() -> ResponseReturnValue:
    """List the surveys of the office, the latest first."""
    page = surveys.surveys(current_user, cursor=request.args.get("page"))
    return render_template(
        "liaison/surveys.html",
        page=page,
        standings=surveys.standings([one.id for one in page.items]),
        today=clock.office_day(clock.now()),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.PAIRING_EDIT)
def new() -> ResponseReturnValue:
    """Ask talents what they need; how many that would be is said before anything is sent."""
    now = clock.now()
    classes, fields = people.talent_classes(), people.professional_fields()
    form = SurveyForm()
    form.offer(classes, fields)
    wanted = people.Wanted(
        talent_class=next((one for one in classes if one.id == form.talent_class.data), None),
        field=next((one for one in fields if one.id == form.field.data), None),
        away=form.away.data,
    )
    asked = surveys.whom(current_user, wanted, limit=MOST_ASKED + 1)
    sound = form.validate_on_submit()
    if sound and "send" in request.form:
        made: list[Any] = []
        if form.attempt(
            lambda: made.append(
                operations.send(
                    title=form.title.data,
                    words=form.words.data,
                    by_rule=form.by_rule.data,
                    closes_on=form.closes_on.data,
                    asked=asked,
                    organisation=surveys.office_of(current_user),
                    by=current_user,
                    now=now,
                )
            )
        ):
            flash(ngettext("%(num)s person is asked.", "%(num)s people are asked.", len(asked)))
            return redirect(url_for("surveys.show", survey_id=made[0].id), 303)
    refused = form.is_submitted() and bool(form.errors or form.refusal)
    return (
        render_template(
            "liaison/survey_new.html",
            form=form,
            count=len(asked),
            most=MOST_ASKED,
            ready=sound and not refused,
            today=clock.office_day(now),
        ),
        form.status if refused else 200,
    )


@blueprint.get("/<int:survey_id>")
@requires(Permission.PAIRING_EDIT)
def show(survey_id: int) -> ResponseReturnValue:
    """Show what was answered, and make requests of it."""
    survey = surveys.survey_for(current_user, survey_id)
    return render_template(
        "liaison/survey.html",
        survey=survey,
        standing=surveys.standings([survey.id]).get(survey.id),
        page=surveys.answers(survey, cursor=request.args.get("page")),
        today=clock.office_day(clock.now()),
    )


@blueprint.post("/needs/<int:need_id>/request")
@requires(Permission.PAIRING_EDIT)
def raise_request(need_id: int) -> ResponseReturnValue:
    """Make a request of one thing that was answered."""
    need = surveys.need_for(current_user, need_id)
    case = operations.raise_request(need=need, by=current_user.actor, now=clock.now())
    flash(gettext("It is request %(number)s now.", number=case.number))
    return redirect(url_for("surveys.show", survey_id=need.invitation.survey_id), 303)


@blueprint.post("/needs/<int:need_id>/aside")
@requires(Permission.PAIRING_EDIT)
def set_aside(need_id: int) -> ResponseReturnValue:
    """Set one thing aside that asks for nothing."""
    need = surveys.need_for(current_user, need_id)
    operations.set_aside(need=need, by=current_user.actor, now=clock.now())
    return redirect(url_for("surveys.show", survey_id=need.invitation.survey_id), 303)
