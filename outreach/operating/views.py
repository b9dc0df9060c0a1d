"""What monitors ask, which tells nothing of people or which version runs here; and what administrators look through."""

import hmac

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from outreach.kernel.clock import now
from outreach.operating import checking, readiness
from outreach.operating.checking import State
from outreach.operating.figures import Figures
from outreach.organisations.rules import Permission
from outreach.web import metrics
from outreach.web.access import asked_from_this_machine, open_to_everyone, requires

blueprint = Blueprint("operating", __name__)


@blueprint.get("/healthz")
@open_to_everyone
def health() -> ResponseReturnValue:
    """Say that this process answers; looks at nothing else."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@open_to_everyone
def ready() -> ResponseReturnValue:
    """Say whether this process can do its work, and what it lacks by one word each."""
    found = readiness.checked(now=now())
    well = all(found.values())
    answer = jsonify(ready=well, **{name: "ok" if holds else "failing" for name, holds in found.items()})
    return answer, 200 if well else 503


@blueprint.get("/desk/check")
@requires(Permission.ADMINISTER)
def check() -> ResponseReturnValue:
    """Show an administrator whether everything is as it should be."""
    found = checking.check(settings=current_app.config["SETTINGS"], now=now(), connect=False)
    return render_template(
        "operating/check.html",
        found=sorted(found, key=lambda finding: list(State).index(finding.state), reverse=True),
        wrong=sum(finding.state is State.WRONG for finding in found),
        mind=sum(finding.state is State.MIND for finding in found),
        looked_at=now(),
    )


@blueprint.get("/metrics")
@open_to_everyone
def figures() -> ResponseReturnValue:
    """Tell Prometheus the figures: this machine itself, or whoever says the token."""
    if not (asked_from_this_machine() or _says_the_token()):
        abort(404)
    return Response(metrics.exposed(Figures(now=now())), content_type=metrics.CONTENT_TYPE)


def _says_the_token() -> bool:
    token = current_app.config["SETTINGS"].metrics_token
    said = request.headers.get("Authorization", "")
    return token is not None and hmac.compare_digest(said.encode(), f"Bearer {token.get_secret_value()}".encode())
