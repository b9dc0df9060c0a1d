"""Staff: password, one's own account, the one-time links of others, signing out."""

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user, login_user, logout_user

from outreach.kernel.clock import now
from outreach.kernel.refusals import Refused
from outreach.organisations import queries as organisations
from outreach.organisations.rules import Permission
from outreach.signing_in import operations
from outreach.signing_in.forms import ChangePasswordForm, PasswordForm
from outreach.signing_in.rules import LINK_LASTS, LINKS_ON_A_SHEET, TRUST_LASTS
from outreach.web.access import CONTACT, HOLDING, PROVEN_AT, fresh_session, open_to_everyone, requires, safe_next, staff
from outreach.web.forms import sentence_of
from outreach.web.unit_of_work import separately

blueprint = Blueprint("signing_in", __name__)
DEVICE = "outreach_device"
"""The cookie by which a browser that was signed in on with a password is known again."""


@blueprint.get("/desk/sign-in")
@open_to_everyone
def password() -> ResponseReturnValue:
    """Ask for name and password."""
    if current_user.is_authenticated:
        return redirect(safe_next("/desk/"))
    return render_template("signing_in/password.html", form=PasswordForm())


@blueprint.post("/desk/sign-in")
@open_to_everyone
def password_given() -> ResponseReturnValue:
    """Compare name and password; the attempt is counted whatever becomes of the request."""
    form = PasswordForm()
    account = _account_proven_by(form) if form.validate_on_submit() else None
    if account is None:
        return render_template("signing_in/password.html", form=form), form.status
    fresh_session(CONTACT, HOLDING, PROVEN_AT)
    login_user(account)
    answer = redirect(safe_next("/desk/"), 303)
    answer.set_cookie(
        DEVICE,
        operations.trust_device(account=account, now=now()),
        max_age=TRUST_LASTS,
        path="/desk/",
        httponly=True,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        samesite="Lax",
    )
    return answer


@blueprint.post("/desk/sign-out")
@staff
def sign_out() -> ResponseReturnValue:
    """End the session in this browser, which links of mails open nothing on any more."""
    operations.distrust_device(token=request.cookies.get(DEVICE, ""))
    logout_user()
    fresh_session()
    answer = redirect(url_for("signing_in.password"), 303)
    answer.delete_cookie(DEVICE, path="/desk/")
    return answer


@blueprint.get("/desk/enter/<token>")
@open_to_everyone
def enter(token: str) -> ResponseReturnValue:
    """Offer to come in by the link of a mail; only a press does it, for scanners of mails open links too."""
    if current_user.is_authenticated:
        return redirect("/desk/")
    return render_template("signing_in/enter.html", token=token)


@blueprint.post("/desk/enter/<token>")
@open_to_everyone
def entered(token: str) -> ResponseReturnValue:
    """Sign in by the link of a mail on a device that is known; anywhere else the password is asked for."""
    try:
        with separately():
            operations.note_link(address=request.remote_addr or "", now=now())
        account = operations.enter(token=token, device=request.cookies.get(DEVICE, ""), now=now())
    except Refused as refused:
        flash(sentence_of(refused), "wait")
        return redirect(url_for("signing_in.password"), 303)
    fresh_session(CONTACT, HOLDING, PROVEN_AT)
    login_user(account)
    return redirect("/desk/", 303)


@blueprint.get("/desk/account")
@staff
def account() -> ResponseReturnValue:
    """Show what is known of oneself, and let the password be changed."""
    return render_template("signing_in/account.html", form=ChangePasswordForm())


@blueprint.post("/desk/account")
@staff
def password_changed() -> ResponseReturnValue:
    """Replace one's own password; this browser stays signed in, others do not."""
    form = ChangePasswordForm()
    if form.validate_on_submit() and _changed(form):
        login_user(current_user._get_current_object())
        flash(gettext("Your password is changed. Other machines have to sign in again."))
        return redirect(url_for("signing_in.account"), 303)
    return render_template("signing_in/account.html", form=form), form.status


@blueprint.post("/desk/accounts/links")
@requires(Permission.ADMINISTER)
def links() -> ResponseReturnValue:
    """Make one-time links for the chosen accounts, or for everybody who has no password yet, on a sheet to print.

    Links exist only on this answer: the database keeps their hashes. Where there is an address, the link is mailed too.
    """
    chosen = request.form.getlist("account", type=int) if "everybody" not in request.form else None
    found = organisations.accounts_to_activate(current_user, ids=chosen, limit=LINKS_ON_A_SHEET)
    if not found:
        flash(gettext("Choose somebody first: tick the rows, then make the links."), "wait")
        return redirect(url_for("organisations.accounts"), 303)
    made = operations.make_links(accounts=found, by=current_user.actor, now=now())
    return render_template(
        "signing_in/links.html",
        links=made,
        address=current_app.config["SETTINGS"].base_url.rstrip("/") + "/activate/",
        until=now() + LINK_LASTS,
        more=organisations.count_waiting(current_user) - len(found) if chosen is None else 0,
    )


def _changed(form: ChangePasswordForm) -> bool:
    try:
        with separately():
            operations.note_password(name=current_user.username, address=request.remote_addr or "", now=now())
        operations.change_password(
            account=current_user,
            present=form.present.data,
            password=form.password.data,
            by=current_user.actor,
            now=now(),
        )
    except Refused as refused:
        form.refuse(refused)
        return False
    return True


def _account_proven_by(form: PasswordForm) -> Any:
    try:
        with separately():
            attempt = operations.note_password(name=form.name.data, address=request.remote_addr or "", now=now())
        return operations.sign_in(attempt=attempt, password=form.password.data)
    except Refused as refused:
        form.refuse(refused)
        return None
