"""Attendees: a number or an address and a code. And the one-time links of staff, opened on any device."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import login_user

from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.clock import now
from outreach.kernel.refusals import Refused
from outreach.people import operations as people
from outreach.people import queries as people_queries
from outreach.people.operations import reaching
from outreach.people.rules import ContactKind
from outreach.signing_in import operations, queries
from outreach.signing_in.forms import CodeForm, EmailForm, NewPasswordForm, PhoneForm, WhoseForm
from outreach.signing_in.rules import BETWEEN_CODES, LinkSpent, seconds_until
from outreach.web.access import (
    CONTACT,
    HOLDING,
    PROVE_AGAIN,
    PROVEN_AT,
    STAFF_KEYS,
    fresh_session,
    has_proven,
    open_to_everyone,
    proven_contact,
    recently_proven,
    safe_next,
)
from outreach.web.filters import grouped_phone
from outreach.web.unit_of_work import separately

blueprint = Blueprint("signing_in_public", __name__)
CODE_FOR = "code_for"
"""The key in the signed session of the contact point a code was sent to, not proven yet."""
WHOSE = "whose"
"""The key of a number that was proven but was quiet for long: its id, its holding, and when it was proven."""
WHOSE_LASTS = timedelta(minutes=15)
HOME = "/my"


@blueprint.get("/sign-in")
@open_to_everyone
def contact() -> ResponseReturnValue:
    """Ask for a number or an address, then for the code sent to it."""
    if proven_contact() is not None and PROVE_AGAIN not in session:
        return redirect(safe_next(HOME))
    return _page(_kind())


@blueprint.post("/sign-in")
@open_to_everyone
def contact_given() -> ResponseReturnValue:
    """Send a code. The answer is the same whether or not the number is known."""
    kind = _kind()
    form = _number_form(kind)
    if not form.validate_on_submit():
        return _page(kind, form=form), 422
    try:
        with separately():
            value = operations.note_code_wanted(
                kind=kind, value=form.number.data, address=request.remote_addr or "", now=now()
            )
        point = people.contact_point(kind=kind, value=value, now=now())
        operations.send_code(contact_point=point, now=now())
    except Refused as refused:
        form.refuse(refused, at="number")
        return _page(kind, form=form), refused.status
    session[CODE_FOR] = point.id
    return redirect(_onward("signing_in_public.contact", kind), 303)


@blueprint.post("/sign-in/code")
@open_to_everyone
def code_given() -> ResponseReturnValue:
    """Compare the code; a try is counted whatever becomes of the request."""
    point = _code_sent_to()
    if point is None:
        return redirect(_onward("signing_in_public.contact", _kind()), 303)
    form = CodeForm()
    if not form.validate_on_submit():
        return _page(point.kind, code_form=form), 422
    try:
        with separately():
            operations.note_code_tried(contact_point=point, address=request.remote_addr or "", now=now())
        opens = operations.prove_contact(contact_point=point, code=form.code.data, now=now())
    except Refused as refused:
        form.refuse(refused, at="code")
        return _page(point.kind, code_form=form), refused.status
    if not opens:
        fresh_session(*STAFF_KEYS)
        session[WHOSE] = [point.id, point.holding, now().isoformat()]
        return redirect(url_for("signing_in_public.whose", next=request.args.get("next")), 303)
    return _comes_in(point)


@blueprint.get("/sign-in/whose")
@open_to_everyone
def whose() -> ResponseReturnValue:
    """Ask who somebody is whose number was quiet for so long that it may have changed hands."""
    point = _asked_whose()
    if point is None:
        return redirect(url_for("signing_in_public.contact", next=request.args.get("next")), 303)
    return render_template("signing_in/public/whose.html", form=WhoseForm(formdata=None), point=point)


@blueprint.post("/sign-in/whose")
@open_to_everyone
def whose_given() -> ResponseReturnValue:
    """Open what was given through the number to whoever knows for whom; tries are counted."""
    point = _asked_whose()
    if point is None:
        return redirect(url_for("signing_in_public.contact", next=request.args.get("next")), 303)
    form = WhoseForm()
    if form.validate_on_submit():
        try:
            with separately():
                operations.note_name_tried(contact_point=point, now=now())
            operations.recognise(contact_point=point, name=form.name.data, now=now())
        except Refused as refused:
            form.refuse(refused, at="name")
        else:
            return _comes_in(point)
    return render_template("signing_in/public/whose.html", form=form, point=point), 422


@blueprint.post("/sign-in/new-to-me")
@open_to_everyone
def new_to_me() -> ResponseReturnValue:
    """Free the number from whoever held it before; whoever proved it just now begins with nothing."""
    point = _asked_whose()
    if point is None:
        return redirect(url_for("signing_in_public.contact", next=request.args.get("next")), 303)
    return _takes_over(point)


@blueprint.get("/my/number")
@recently_proven
def number() -> ResponseReturnValue:
    """Say what follows if what stands here is not theirs: the number was somebody else's before."""
    return render_template("signing_in/public/number.html", point=_proven_before())


@blueprint.post("/my/number")
@recently_proven
def number_taken_over() -> ResponseReturnValue:
    """Free the number from whoever held it before."""
    point = _proven_before()
    if point is None:
        return redirect(url_for("signing_in_public.contact"), 303)
    return _takes_over(point)


@blueprint.post("/sign-out")
@open_to_everyone
def sign_out() -> ResponseReturnValue:
    """Forget the number in this browser."""
    fresh_session(*STAFF_KEYS)
    return redirect("/", 303)


@blueprint.get("/activate/<token>")
@open_to_everyone
def activate(token: str) -> ResponseReturnValue:
    """Ask whoever holds a one-time link for a password; looking at the page does not use the link."""
    link = queries.link_of(token, now=now())
    if link is None:
        raise LinkSpent
    return render_template("signing_in/public/activate.html", form=NewPasswordForm(), link=link, token=token)


@blueprint.post("/activate/<token>")
@open_to_everyone
def activated(token: str) -> ResponseReturnValue:
    """Keep the chosen password, use the link up, and sign in."""
    with separately():
        operations.note_link(address=request.remote_addr or "", now=now())
    link = queries.link_of(token, now=now())
    if link is None:
        raise LinkSpent
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            account = operations.activate(token=token, password=form.password.data, now=now())
        except LinkSpent:
            raise
        except Refused as refused:
            form.refuse(refused)
        else:
            fresh_session(CONTACT, HOLDING, PROVEN_AT)
            login_user(account)
            return redirect("/desk/", 303)
    return render_template("signing_in/public/activate.html", form=form, link=link, token=token), 422


def _comes_in(point: Any) -> ResponseReturnValue:
    fresh_session(*STAFF_KEYS)
    session.permanent = True  # a ticket is looked at for weeks
    has_proven(point.id, point.holding)
    return redirect(safe_next(HOME), 303)


def _takes_over(point: Any) -> ResponseReturnValue:
    point = reaching.take_over(contact_point=point, by=Actor(ActorKind.ATTENDEE, point.id), now=now())
    answer = _comes_in(point)
    flash(gettext("The number is yours alone now. Nothing of whoever had it before is here any more."))
    return answer


def _asked_whose() -> Any:
    """Return the number that was proven a moment ago and opens nothing yet; None once that is long past."""
    point_id, holding, at = session.get(WHOSE) or (0, 0, "")
    point = people_queries.contact_point(point_id) if point_id else None
    if point is None or point.holding != holding or now() - datetime.fromisoformat(at) > WHOSE_LASTS:
        return None
    return point


def _kind() -> ContactKind:
    if "by" not in request.args and PROVE_AGAIN in session and (known := _proven_before()) is not None:
        return known.kind
    return ContactKind.EMAIL if request.args.get("by") == "mail" else ContactKind.PHONE


def _onward(endpoint: str, kind: ContactKind) -> str:
    by = "mail" if kind is ContactKind.EMAIL else "phone" if PROVE_AGAIN in session else None
    return url_for(endpoint, by=by, next=request.args.get("next"))


def _number_form(kind: ContactKind) -> Any:
    return EmailForm() if kind is ContactKind.EMAIL else PhoneForm()


def _code_sent_to() -> Any:
    kept = session.get(CODE_FOR)
    return people_queries.contact_point(kept) if kept is not None else None


def _proven_before() -> Any:
    known = proven_contact()
    return people_queries.contact_point(known) if known is not None else None


def _page(kind: ContactKind, *, form: Any = None, code_form: CodeForm | None = None) -> str:
    point = _code_sent_to()
    if point is not None and point.kind is not kind:
        point = None
    sent = queries.latest_code(point.id) if point else None
    if form is None:
        form = _number_form(kind)
        known = point or (_proven_before() if PROVE_AGAIN in session else None)
        if known is not None and known.kind is kind:
            form.number.data = grouped_phone(known.value) if kind is ContactKind.PHONE else known.value
    return render_template(
        "signing_in/public/contact.html",
        kind=kind,
        form=form,
        code_form=code_form or CodeForm(formdata=None),
        point=point,
        again=PROVE_AGAIN in session,
        wait=seconds_until(sent.sent_at + BETWEEN_CODES, now()) if sent else 0,
    )
