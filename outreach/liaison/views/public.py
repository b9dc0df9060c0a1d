"""What is reached without signing in: the calendar of planned visits and a survey, by a secret in the address."""

from flask import Blueprint, Response, abort, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from outreach.kernel import clock
from outreach.kernel.actor import Actor, ActorKind
from outreach.liaison.documents.calendars import calendar_of
from outreach.liaison.forms.surveys import AnswerForm
from outreach.liaison.operations import surveys as operations
from outreach.liaison.queries import planning, surveys
from outreach.people import queries as people
from outreach.web import limits
from outreach.web.access import open_to_everyone
from outreach.web.language import chosen
from outreach.web.links import absolute

blueprint = Blueprint("liaison_public", __name__)


@blueprint.get("/calendar/<token>.ics")
@open_to_everyone
def calendar(token: str) -> ResponseReturnValue:
    """Give a calendar the planned visits of whoever opened this address; 404 once it is closed."""
    now = clock.now()
    feed = planning.feed_by_token(token)
    pairing = absolute(url_for("liaison.pairing", pairing_id=0)).rstrip("0") + "{}"
    file = calendar_of(planning.plans_in_feed(feed.account, now=now), link=pairing, now=now)
    return Response(file, mimetype="text/calendar; charset=utf-8")


@blueprint.get("/visit-worker.js")
@open_to_everyone
def worker() -> ResponseReturnValue:
    """Give the script that lets a visit be written down without a network; it rules over the form of visits only.

    A browser asks for it again whenever it likes, also after somebody signed out.
    """
    script = current_app.jinja_env.globals["asset"]("liaison/worker.js")
    answer = Response(f'import "{script}";\n', mimetype="text/javascript")
    answer.headers["Service-Worker-Allowed"] = "/desk/visits/"
    return answer


@blueprint.route("/survey/<token>", methods=["GET", "POST"])
@open_to_everyone
def survey(token: str) -> ResponseReturnValue:
    """Ask what somebody needs, how they are and what they advise; the name stands masked, for links get passed on."""
    invitation = surveys.invitation_by_token(token)
    consent = people.current_consent("request", chosen())
    if consent is None:
        abort(503)
    form = AnswerForm()
    form.offer()
    now = clock.now()

    def operation() -> None:
        limits.spend(limits.ASKING, invitation.contact_point_id)
        operations.answer(
            invitation=invitation,
            needs=form.said(),
            situation=form.situation.data,
            advice=form.advice.data,
            language=consent.language,
            by=Actor(ActorKind.ATTENDEE, invitation.contact_point_id),
            now=now,
        )

    if form.validate_on_submit() and form.attempt(operation):
        return redirect(url_for(".survey", token=token), 303)
    return (
        render_template(
            "liaison/answer.html",
            form=form,
            invitation=invitation,
            consent=consent,
            token=token,
            over=clock.office_day(now) > invitation.survey.closes_on,
        ),
        form.status if form.is_submitted() else 200,
    )


@blueprint.post("/survey/<token>/not-again")
@open_to_everyone
def not_again(token: str) -> ResponseReturnValue:
    """Ask this person no more."""
    invitation = surveys.invitation_by_token(token)
    operations.not_again(
        invitation=invitation, by=Actor(ActorKind.ATTENDEE, invitation.contact_point_id), now=clock.now()
    )
    return render_template("liaison/not_again.html")
