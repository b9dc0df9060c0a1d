"""The page of the built-in SMS gateway."""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from outreach.notices import queries
from outreach.organisations.rules import Permission
from outreach.web.access import requires

blueprint = Blueprint("notices", __name__)


@blueprint.get("/desk/sms")
@requires(Permission.SMS_PAGE)
def sms() -> ResponseReturnValue:
    """Show what the built-in gateway was given, newest first."""
    page = queries.sms_page(cursor=request.args.get("page"))
    return render_template("notices/sms.html", page=page, gateway=current_app.config["SETTINGS"].sms_gateway)
