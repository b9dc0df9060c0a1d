"""What is reached by a secret in the address: the calendar of planned visits."""

from flask import Blueprint, Response, url_for
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
