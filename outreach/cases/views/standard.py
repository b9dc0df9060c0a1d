"""The standard answers of a unit: the list, a new one, changing and retiring one."""

from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from outreach.cases import operations, queries
from outreach.cases.forms import RetireForm, StandardForm
from outreach.cases.rules.asking import Topic
from outreach.cases.rules.standard import StandardText
from outreach.cases.views.page import blueprint
from outreach.kernel.clock import now
from outreach.kernel.wording import N_
from outreach.organisations.rules import Permission
from outreach.web.access import requires

KEEPERS = (Permission.CASE_HANDLE, Permission.CASE_ASSIGN)
ACTS = {
    "standard_answer_kept": N_("%(who)s wrote it down"),
    "standard_answer_changed": N_("%(who)s changed it; before it said:"),
    "standard_answer_retired": N_("%(who)s retired it"),
    "standard_answer_restored": N_("%(who)s put it back"),
}


@blueprint.get("/standard")
@requires(*KEEPERS)
def standards() -> ResponseReturnValue:
    """Show what the reader's units answer again and again."""
    return render_template(
        "cases/standards.html", page=queries.standards_for(current_user, cursor=request.args.get("page"))
    )


@blueprint.route("/standard/new", methods=["GET", "POST"])
@requires(*KEEPERS)
def new_standard() -> ResponseReturnValue:
    """Keep a new one."""
    units = {unit.id: unit for unit in queries.units_keeping(current_user)}
    form = StandardForm()
    form.unit.choices = [SelectChoice(unit.id, unit.short_name) for unit in units.values()]
    if not form.is_submitted():
        own = current_user.organisation_id
        form.unit.data = own if own in units else next(iter(units), None)
    operation = partial(operations.keep_standard, by=current_user.actor, now=now())
    if form.validate_on_submit() and form.attempt(lambda: operation(unit=units[form.unit.data], kept=_kept(form))):
        flash(gettext("Kept. Whoever answers for this unit can choose it from now on."))
        return redirect(url_for(".standards"), 303)
    return render_template("cases/standard.html", form=form, standard=None, past=[]), (
        422 if form.is_submitted() else 200
    )


@blueprint.route("/standard/<int:standard_id>", methods=["GET", "POST"])
@requires(*KEEPERS)
def standard(standard_id: int) -> ResponseReturnValue:
    """Show one, and change it."""
    found = queries.standard_for(current_user, standard_id)
    form = StandardForm(data={"version": found.version, "topic": found.topic or "", **_shown(found)})
    del form.unit
    operation = partial(operations.change_standard, standard=found, by=current_user.actor, now=now())
    if form.validate_on_submit() and form.attempt(lambda: operation(kept=_kept(form), version=form.version.data)):
        flash(gettext("Changed. Answers that were given with it stay as they were."))
        return redirect(url_for(".standards"), 303)
    return render_template(
        "cases/standard.html",
        form=form,
        standard=found,
        retire_form=RetireForm(None, version=found.version),
        past=[
            {
                "at": line.at,
                "text": gettext(ACTS[line.act], who=who),
                "quote": line.words.text if line.words else None,
            }
            for line, who in queries.past_of_standard(found)
        ],
    ), 422 if form.is_submitted() else 200


@blueprint.post("/standard/<int:standard_id>/retire")
@requires(*KEEPERS)
def retire_standard(standard_id: int) -> ResponseReturnValue:
    """Take one out of what can be chosen, or put it back."""
    found = queries.standard_for(current_user, standard_id)
    form = RetireForm()
    retired = found.retired_at is None
    operation = partial(operations.retire_standard, standard=found, retired=retired, by=current_user.actor, now=now())
    if form.validate_on_submit() and form.attempt(lambda: operation(version=form.version.data)):
        flash(gettext("Retired: it cannot be chosen any more.") if retired else gettext("It can be chosen again."))
    else:
        flash(next(form.refusals(), gettext("Nothing was changed.")), "late")
    return redirect(url_for(".standard", standard_id=standard_id), 303)


def _kept(form: StandardForm) -> StandardText:
    return StandardText(
        title=form.title.data or "",
        topic=Topic(form.topic.data) if form.topic.data else None,
        text=form.text.data or "",
        document=form.document.data or None,
        number=form.number.data or None,
        article=form.article.data or None,
        link=form.link.data or None,
    )


def _shown(found: Any) -> dict[str, Any]:
    kept = found.kept
    return {name: getattr(kept, name) for name in ("title", "text", "document", "number", "article", "link")}
