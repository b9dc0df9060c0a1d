"""What every page of the installation wears."""

from flask import Blueprint, Response, abort, request

from outreach.organisations import queries
from outreach.organisations.documents import brand_stylesheet
from outreach.organisations.rules import brand as colours
from outreach.web.access import open_to_everyone

blueprint = Blueprint("organisations_public", __name__)


@blueprint.get("/brand.css")
@open_to_everyone
def brand() -> Response:
    """Serve the city's colour as six values for each theme; asked for anew each time, sent only when it changed."""
    city = queries.installation()
    response = Response(brand_stylesheet(city.brand_colour if city else colours.DEFAULT), mimetype="text/css")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)


@blueprint.get("/mark.png")
@open_to_everyone
def mark() -> Response:
    """Serve the city's own mark. Under the hash of a picture (`v`), that one, which browsers may keep for good."""
    digest = request.args.get("v", "")
    city = queries.installation()
    kept = queries.mark_by_digest(digest) if digest else city.mark if city else None
    if kept is None:
        abort(404)
    response = Response(kept.png, mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if digest else "no-cache"
    response.set_etag(kept.digest)
    return response.make_conditional(request)
