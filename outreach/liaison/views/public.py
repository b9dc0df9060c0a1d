"""What is reached without signing in: the calendar of planned visits, by a secret in its address."""

from flask import Blueprint, Response, current_app, url_for
from flask.typing import ResponseReturnValue

from outreach.kernel import clock
from outreach.liaison.documents.calendars import calendar_of
from outreach.liaison.queries import planning
from outreach.web.access import open_to_everyone
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
