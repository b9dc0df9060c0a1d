"""The office's side: wishes to be erased, proof of consents, the texts people agree to, and how long what is kept."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel.clock import now
from outreach.organisations.rules import Permission
from outreach.people import operations as people_operations
from outreach.people import queries as people
from outreach.privacy import operations, queries
from outreach.privacy.forms import AmountForm, HowForm, RefusalForm, TextForm
from outreach.privacy.rules import Kept, check_amount
from outreach.web.access import requires

blueprint = Blueprint("privacy", __name__, url_prefix="/desk/privacy")
LANGUAGES = {"zh_Hans_CN": "chinese", "en": "english"}


@blueprint.get("/")
@requires(Permission.PEOPLE_EDIT, Permission.PRIVACY_RULES)
def index() -> ResponseReturnValue:
    """Show the wishes to be erased; whoever looks after the rules alone is led to those."""
    if not current_user.may(Permission.PEOPLE_EDIT):
        return redirect(url_for(".retention"))
    return render_template(
        "privacy/index.html",
        page=queries.erasures(current_user, cursor=request.args.get("page")),
        to_check=queries.erasures_to_check(current_user),
        may_rule=current_user.may(Permission.PRIVACY_RULES),
    )


@blueprint.route("/erasures/<int:erasure_id>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_EDIT)
def erasure(erasure_id: int) -> ResponseReturnValue:
    """Show one wish, and let it go its way once the person was asked, or say why not."""
    wish = queries.erasure_for(current_user, erasure_id)
    how, refusal = HowForm(), RefusalForm()
    if request.method == "POST" and "how" in request.form:
        if how.validate() and how.attempt(
            lambda: operations.confirm(erasure=wish, how=how.how.data, account=current_user, now=now())
        ):
            flash(gettext("It is done in three days. The person is told, and can call it off until then."))
            return redirect(url_for(".index"), 303)
    elif request.method == "POST" and (
        refusal.validate()
        and refusal.attempt(
            lambda: operations.refuse(erasure=wish, reason=refusal.reason.data, account=current_user, now=now())
        )
    ):
        flash(gettext("The person is told why it is not done."))
        return redirect(url_for(".index"), 303)
    return _answer("privacy/erasure.html", how, refusal, wish=wish, how=how, refusal=refusal)


@blueprint.route("/people/<int:person_id>", methods=["GET", "POST"])
@requires(Permission.PEOPLE_READ)
def person(person_id: int) -> ResponseReturnValue:
    """Prove what somebody agreed to, and take down their wish to be erased when they come or call."""
    found = people.person_for(current_user, person_id)
    form = HowForm()
    may_edit = current_user.may(Permission.PEOPLE_EDIT)
    if request.method == "POST":
        people.person_for(current_user, person_id, Permission.PEOPLE_EDIT)
        if form.validate() and form.attempt(
            lambda: operations.erase_on_behalf(person=found, how=form.how.data, account=current_user, now=now())
        ):
            flash(gettext("It is done in three days. The person is told, and can call it off until then."))
            return redirect(url_for(".person", person_id=person_id), 303)
    return _answer(
        "privacy/person.html",
        form,
        person=found,
        agreed=queries.consents_of(found, through=None, now=now()),
        looks=people.looks_at(found, limit=50),
        wish=queries.open_erasure(found.id),
        form=form,
        may_edit=may_edit,
    )


@blueprint.get("/texts")
@requires(Permission.PRIVACY_RULES)
def texts() -> ResponseReturnValue:
    """Show every version of every text people are asked to agree to."""
    return render_template("privacy/texts.html", texts=people.consent_texts())


@blueprint.route("/texts/<purpose>", methods=["GET", "POST"])
@requires(Permission.PRIVACY_RULES)
def text(purpose: str) -> ResponseReturnValue:
    """Write a new version of a text, see it as people will, and publish it; older versions stay as they are."""
    present = people.current_consent_texts(purpose)
    if not present:
        abort(404)
    form = TextForm()
    if not form.is_submitted():
        for one in present:
            if one.language in LANGUAGES:
                form[LANGUAGES[one.language]].data = one.text
        form.kept_months.data = present[0].kept_months
    sound = form.is_submitted() and form.validate()
    if sound and request.form.get("act") == "publish" and form.attempt(lambda: _publish(purpose, form)):
        flash(gettext("Published. Everybody who registers or asks from now on is shown this version."))
        return redirect(url_for(".texts"), 303)
    return _answer(
        "privacy/text.html",
        form,
        form=form,
        purpose=purpose,
        version=present[0].version,
        preview=sound and not form.refusal,
    )


@blueprint.get("/retention")
@requires(Permission.PRIVACY_RULES)
def retention() -> ResponseReturnValue:
    """Show how long every kind of data is kept, and what the last nights removed."""
    return render_template("privacy/retention.html", kept=queries.kept_for(), runs=queries.latest_runs(), Kept=Kept)


@blueprint.route("/retention/<kind>", methods=["GET", "POST"])
@requires(Permission.PRIVACY_RULES)
def keep(kind: str) -> ResponseReturnValue:
    """Change how long a kind is kept; what a shorter time would remove is shown before it holds."""
    if kind not in set(Kept):
        abort(404)
    kept = next(each for each in queries.kept_for() if each.kind == kind)
    form, would_go = AmountForm(), None
    if not form.is_submitted():
        form.amount.data = kept.amount
    elif form.validate() and form.attempt(lambda: check_amount(kept.kind, form.amount.data, promised=kept.promised)):
        amount, moment = form.amount.data, now()
        if amount < kept.amount:
            would_go = queries.count_expired(kept.kind, kept.kind.rule.before(amount, moment))
        if would_go is None or request.form.get("act") == "keep":
            operations.keep_for(kind=kept.kind, amount=amount, by=current_user, now=moment)
            flash(gettext("It holds from the coming night on."))
            return redirect(url_for(".retention"), 303)
    return _answer("privacy/keep.html", form, form=form, kept=kept, would_go=would_go)


def _publish(purpose: str, form: TextForm) -> None:
    people_operations.publish_consent_text(
        purpose=purpose,
        texts={language: form[name].data for language, name in LANGUAGES.items()},
        kept_months=form.kept_months.data,
        by=current_user.actor,
        now=now(),
    )


def _answer(template: str, *asked: Any, **values: Any) -> ResponseReturnValue:
    wrong = any(form.is_submitted() and (form.errors or form.refusal) for form in asked)
    return render_template(template, **values), 422 if wrong else 200
