"""The first set-up: where every page of a fresh installation leads."""

import logging
from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user

from outreach.config import Settings
from outreach.desk import queries as desk
from outreach.kernel import setup_code
from outreach.kernel.clock import now
from outreach.kernel.refusals import Refused
from outreach.organisations.queries import installation, language_lately
from outreach.organisations.rules import AlreadySetUp, Permission
from outreach.setup import operations
from outreach.setup.forms import CodeForm, SetupForm
from outreach.setup.rules import WrongSetupCode
from outreach.web.access import asked_from_this_machine, fresh_session, open_to_everyone, requires

log = logging.getLogger("outreach.setup")
blueprint = Blueprint("setup", __name__)
KNOWS_CODE = "knows_setup_code"
# The last asks for a phone that joined a door, which a fresh installation has not; thousands a minute need no more.
OPEN_BEFORE = frozenset({"static", "web.language", "web.theme", "organisations_public.brand", "door_phone.read"})
ALWAYS_OPEN = frozenset({"setup", "operating"})


@blueprint.before_app_request
def lead_to_the_set_up() -> ResponseReturnValue | None:
    """Send every page of a fresh installation to its set-up."""
    if request.endpoint in OPEN_BEFORE or request.blueprint in ALWAYS_OPEN or _is_set_up():
        return None
    return redirect(url_for("setup.start"), 303)


def _is_set_up() -> bool:
    """Tell whether there is a city. A page shows it anyway; what is sent from a page need not read it once more."""
    return (language_lately(now=now()) if request.method == "POST" else installation()) is not None


@blueprint.get("/desk/setup")
@open_to_everyone
def start() -> ResponseReturnValue:
    """Ask what a city says of itself; from another machine, first for the code the server printed."""
    if installation() is not None:
        return redirect("/desk/")
    if not _may_set_up():
        setup_code.read_or_make(_instance())
        log.warning("the first set-up was asked for from another machine; its code is in instance/%s", setup_code.NAME)
        return render_template("setup/code.html", form=CodeForm())
    return _page(SetupForm())


@blueprint.post("/desk/setup/code")
@open_to_everyone
def code_given() -> ResponseReturnValue:
    """Compare the set-up code."""
    if installation() is not None:
        raise AlreadySetUp
    form = CodeForm()
    if form.validate_on_submit():
        if setup_code.is_right(_instance(), form.code.data):
            session[KNOWS_CODE] = True
            return redirect(url_for("setup.start"), 303)
        form.refuse(WrongSetupCode())
    return render_template("setup/code.html", form=form), 422


@blueprint.post("/desk/setup")
@open_to_everyone
def answered() -> ResponseReturnValue:
    """Set the city up and sign its first administrator in."""
    if installation() is not None:
        raise AlreadySetUp
    if not _may_set_up():
        return redirect(url_for("setup.start"), 303)
    form = SetupForm()
    account = _first_administrator(form) if form.validate_on_submit() else None
    if account is None:
        return _page(form), 422
    language = form.language.data
    setup_code.forget(_instance())
    fresh_session()
    session["language"] = language
    login_user(account)
    return redirect(url_for("setup.steps"), 303)


@blueprint.get("/desk/setup/steps")
@requires(Permission.ADMINISTER)
def steps() -> ResponseReturnValue:
    """Show what comes next, and what is done already."""
    part = desk.set_up_part(current_user)
    return render_template("setup/steps.html", steps=part.steps, unit=part.unit)


def _first_administrator(form: SetupForm) -> Any:
    try:
        return operations.set_up_city(
            city_name=form.city_name.data,
            office_name=form.office_name.data,
            office_short_name=form.office_short_name.data,
            brand_colour=form.brand_colour,
            language=form.language.data,
            name=form.name.data,
            username=form.username.data or None,
            phone=form.phone.data,
            email=form.email.data,
            password=form.password.data,
            also_organises=form.also_organises.data,
            now=now(),
        )
    except AlreadySetUp:
        raise
    except Refused as refused:
        form.refuse(refused)
        return None


def _page(form: SetupForm) -> str:
    return render_template("setup/start.html", form=form)


def _may_set_up() -> bool:
    return session.get(KNOWS_CODE) is True or _at_the_machine()


def _at_the_machine() -> bool:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.trusted_proxies == 0 and asked_from_this_machine()


def _instance() -> Path:
    return Path(current_app.config["SETTINGS"].instance_path)
