"""The portal: what one can come to, one event, one programme, and oneself."""

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from outreach.events.queries import Filters, published
from outreach.events.rules import EventKind
from outreach.kernel.clock import now
from outreach.portal import queries
from outreach.web.access import attendees, open_to_everyone, proven_contact

blueprint = Blueprint("portal", __name__)


@blueprint.get("/")
@open_to_everyone
def index() -> ResponseReturnValue:
    """Show what one can come to, soonest first; the next one large."""
    moment = now()
    kind = request.args.get("kind", "")
    filters = Filters(
        kind=EventKind(kind) if kind in set(EventKind) else None,
        text=request.args.get("q", "").replace("\0", "").strip()[:60],
    )
    cursor = request.args.get("page")
    page = queries.coming(filters=filters, cursor=cursor, now=moment)
    cards = queries.cards(page.items, moment)
    featured = next((card for card in cards if card.way.can_register), None)
    if cursor or filters.text:
        featured = None
    return render_template(
        "portal/index.html",
        outlook=queries.outlook(moment),
        filters=filters,
        page=page,
        featured=featured,
        months=queries.by_month([card for card in cards if card is not featured]),
    )


@blueprint.get("/e/<int:event_id>")
@open_to_everyone
def event(event_id: int) -> ResponseReturnValue:
    """Show one event: what, when, where, what is left, and one thing to do."""
    moment = now()
    card = queries.cards([published(event_id)], moment)[0]
    contact = proven_contact()
    mine = queries.registered_through(contact, event_id) if contact is not None else []
    return render_template("portal/event.html", card=card, event=card.event, mine=mine, now=moment)


@blueprint.get("/p/<int:programme_id>")
@open_to_everyone
def programme(programme_id: int) -> ResponseReturnValue:
    """Show a programme: what comes next, and what has been."""
    moment = now()
    shown = queries.programme(programme_id)
    ahead = queries.coming(filters=Filters(programme_id=programme_id), cursor=None, now=moment)
    past = queries.past_of(programme_id, cursor=request.args.get("page"), now=moment)
    return render_template(
        "portal/programme.html",
        programme=shown,
        ahead=queries.by_month(queries.cards(ahead.items, moment)),
        past=past,
    )


@blueprint.get("/my")
@attendees
def me() -> ResponseReturnValue:
    """Show an attendee who they are here, the ways to what is theirs, and the way out."""
    return render_template("portal/me.html", contact=queries.contact_point(proven_contact()))


@blueprint.get("/robots.txt")
@open_to_everyone
def robots() -> ResponseReturnValue:
    """Tell search engines what is not for them: desks, doors and what belongs to one person."""
    rules = ["User-agent: *", "Disallow: /desk/", "Disallow: /door/", "Disallow: /my", "Disallow: /t/", "Disallow: /r/"]
    return Response("\n".join(rules) + "\n", mimetype="text/plain")
