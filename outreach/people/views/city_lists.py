"""The city's classes of talents and fields of work, for whoever looks after the whole installation."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel.clock import now
from outreach.organisations.rules import Permission
from outreach.people import queries
from outreach.people.forms import EntryForm
from outreach.people.operations import city_lists
from outreach.people.rules import CityList
from outreach.web.access import requires

blueprint = Blueprint("city_lists", __name__, url_prefix="/desk/lists")


@blueprint.get("/")
@requires(Permission.CITY_EDIT)
def index() -> ResponseReturnValue:
    """Show both lists, and how many people stand in each entry."""
    return _page()


@blueprint.post("/<any(classes, fields):listed>/new")
@requires(Permission.CITY_EDIT)
def added(listed: str) -> ResponseReturnValue:
    """Add an entry."""
    which = CityList(listed)
    form = EntryForm(which, prefix=listed)
    if form.validate_on_submit() and form.attempt(lambda: _add(which, form)):
        return redirect(url_for("city_lists.index", _anchor=listed), 303)
    return _page({which: form}), 422


@blueprint.route("/<any(classes, fields):listed>/<int:entry_id>", methods=["GET", "POST"])
@requires(Permission.CITY_EDIT)
def entry(listed: str, entry_id: int) -> ResponseReturnValue:
    """Rename an entry, and set how often people of a class are met."""
    found = queries.listed_entry(CityList(listed), entry_id)
    form = EntryForm(CityList(listed))
    if not form.is_submitted():
        form.show(found)
    elif form.validate() and form.attempt(
        lambda: city_lists.change(
            entry=found, name=form.name.data, rhythm=form.chosen_rhythm(), by=current_user.actor, now=now()
        )
    ):
        flash(gettext("“%(name)s” is up to date.", name=found.name), "ok")
        return redirect(url_for("city_lists.index", _anchor=listed), 303)
    wrong = bool(form.errors or form.refusal)
    return render_template("people/list_entry.html", form=form, entry=found, listed=listed), 422 if wrong else 200


@blueprint.post("/<any(classes, fields):listed>/<int:entry_id>/<any(up, retire, back):act>")
@requires(Permission.CITY_EDIT)
def acted(listed: str, entry_id: int, act: str) -> ResponseReturnValue:
    """Move an entry up, retire it, or offer it again."""
    found = queries.listed_entry(CityList(listed), entry_id)
    do = {"up": city_lists.move_up, "retire": city_lists.retire, "back": city_lists.bring_back}[act]
    do(entry=found, by=current_user.actor, now=now())
    return redirect(url_for("city_lists.index", _anchor=listed), 303)


def _add(which: CityList, form: EntryForm) -> Any:
    if which is CityList.CLASSES:
        return city_lists.add_class(name=form.name.data, rhythm=form.chosen_rhythm(), by=current_user.actor, now=now())
    return city_lists.add_field(name=form.name.data, by=current_user.actor, now=now())


def _page(forms: dict[CityList, EntryForm] | None = None) -> str:
    shown = {which: EntryForm(which, formdata=None, prefix=which.value) for which in CityList} | (forms or {})
    return render_template(
        "people/lists.html", parts=[(which, queries.listed_entries(which), shown[which]) for which in CityList]
    )
