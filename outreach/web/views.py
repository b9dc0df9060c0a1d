"""What every face has: the choice of language and of light or dark."""

from flask import Blueprint, redirect, request, session
from flask.typing import ResponseReturnValue

from outreach.web.access import open_to_everyone, safe_next
from outreach.web.language import LANGUAGES

blueprint = Blueprint("web", __name__)
THEMES = frozenset({"light", "dark", "auto"})


@blueprint.post("/language")
@open_to_everyone
def language() -> ResponseReturnValue:
    """Keep the reader's language for this browser."""
    chosen = request.form.get("language")
    if chosen in LANGUAGES:
        session["language"] = chosen
    return redirect(safe_next("/"), 303)


@blueprint.post("/theme")
@open_to_everyone
def theme() -> ResponseReturnValue:
    """Keep light, dark or the device's own choice for this browser."""
    chosen = request.form.get("theme")
    if chosen in THEMES:
        session["theme"] = chosen
    return redirect(safe_next("/"), 303)
