"""The yearly review of the roster: keep, end or change, on one page."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from flask_login import current_user

from outreach.kernel import clock
from outreach.kernel.refusals import Refused
from outreach.liaison.operations.reviewing import review
from outreach.liaison.queries import reviewing
from outreach.liaison.rules.reviewing import Decided, Decision
from outreach.organisations.rules import Permission
from outreach.people.rules import Rhythm
from outreach.web.access import requires
from outreach.web.forms import sentence_of

blueprint = Blueprint("pairing_reviews", __name__, url_prefix="/desk/liaison/review")


@blueprint.get("/")
@requires(Permission.PAIRING_EDIT)
def index() -> ResponseReturnValue:
    """List the pairings of a year with the contacts they had, to be kept, ended or changed."""
    return _page(_year())


@blueprint.post("/")
@requires(Permission.PAIRING_EDIT)
def save() -> ResponseReturnValue:
    """Carry out what was decided on this page."""
    year, decided = _year(), _decided()
    pairings = reviewing.reviewable(current_user, [one.pairing_id for one in decided])
    try:
        count = review(year=year, decided=decided, pairings=pairings, by=current_user, now=clock.now())
    except Refused as refused:
        return _page(year, refusal=sentence_of(refused)), 422
    flash(ngettext("%(num)s pairing is reviewed.", "%(num)s pairings are reviewed.", count))
    return redirect(url_for(".index", year=year, page=request.args.get("page")), 303)


def _year() -> int:
    return request.args.get("year", clock.office_day(clock.now()).year, type=int)


def _page(year: int, *, refusal: str | None = None) -> str:
    now = clock.now()
    today = clock.office_day(now)
    shown = year if year in (today.year - 1, today.year) else today.year
    return render_template(
        "liaison/review.html",
        year=shown,
        years=(today.year, today.year - 1),
        page=reviewing.roster(current_user, shown, cursor=request.args.get("page"), now=now),
        standing=reviewing.standing(current_user, shown),
        decisions=Decision,
        rhythms=Rhythm,
        refusal=refusal,
        chosen=request.form,
    )


def _decided() -> list[Decided]:
    found = []
    for name, value in request.form.items():
        kind, _, number = name.partition("-")
        if kind == "decision" and number.isascii() and number.isdigit() and len(number) < 10 and value in set(Decision):
            rhythm = request.form.get(f"rhythm-{number}", "")
            found.append(Decided(int(number), Decision(value), Rhythm(rhythm) if rhythm in set(Rhythm) else None))
    return found
