"""What every page says of the city and wears, for administrators of the whole installation."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel import history
from outreach.kernel.clock import now
from outreach.kernel.history import Subject
from outreach.kernel.refusals import Refused
from outreach.organisations import documents, operations, queries
from outreach.organisations.forms import CityForm
from outreach.organisations.rules import Permission, brand
from outreach.organisations.rules.mark import LARGEST_FILE
from outreach.web.access import requires
from outreach.web.unit_of_work import separately

blueprint = Blueprint("city", __name__)


@blueprint.get("/desk/city")
@requires(Permission.CITY_EDIT)
def show() -> ResponseReturnValue:
    """Show how the city looks and what it says of its office, and let it be changed."""
    return _page(CityForm.showing(queries.the_installation()))


@blueprint.post("/desk/city")
@requires(Permission.CITY_EDIT)
def edited() -> ResponseReturnValue:
    """Change the city, or only show what it would look like; a picture that was sent is kept meanwhile."""
    form = CityForm()
    well = form.validate_on_submit()
    well = _takes_the_picture(form) and well
    well = well and form.attempt(lambda: form.brand_colour)
    if not well:
        return _page(form), 422
    if "preview" in request.form:
        return _page(form)
    operations.edit_city(
        installation=queries.the_installation(),
        city_name=form.city_name.data,
        brand_colour=form.brand_colour,
        language=form.language.data,
        mark=queries.mark_by_digest(form.kept_mark.data) if form.kept_mark.data else None,
        office_address=form.office_address.data,
        office_phone=form.office_phone.data,
        office_hours=form.office_hours.data,
        by=current_user.actor,
        now=now(),
    )
    flash(gettext("Every page shows it from now on."))
    return redirect(url_for("city.show"), 303)


def _takes_the_picture(form: CityForm) -> bool:
    """Draw an uploaded mark anew and keep it at once, so that a preview or a refused form does not lose it."""
    if form.without_mark.data:
        form.kept_mark.data = ""
    if not form.picture.data:
        return True
    try:
        png = documents.drawn_anew(form.picture.data.read(LARGEST_FILE + 1))
    except Refused as refused:
        form.refuse(refused, at="picture")
        return False
    with separately():
        form.kept_mark.data = operations.keep_mark(png=png, now=now()).digest
    return True


def _page(form: CityForm) -> str:
    try:
        colour = form.brand_colour
    except Refused:
        colour = queries.the_installation().brand_colour
    return render_template(
        "organisations/city.html",
        form=form,
        looks=_looks(colour),
        picture=queries.mark_by_digest(form.kept_mark.data) if form.kept_mark.data else None,
        lines=(lines := history.lines_of(Subject("city", 1))),
        who=queries.who_wrote(lines),
    )


def _looks(colour: str) -> list[dict[str, Any]]:
    """Return both themes' values: the design's own for its own colour."""
    return [
        {"name": gettext("Light"), "values": brand.light(colour), "ground": "#ffffff", "ink": "#1b2628"},
        {"name": gettext("Dark"), "values": brand.dark(colour), "ground": brand.DARK_SURFACE, "ink": "#e6ecec"},
    ]
