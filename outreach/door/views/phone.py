"""What a volunteer's phone shows: joining, scanning, and the answer. It sees one event and no lists of people."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from outreach.door import operations, queries
from outreach.door.forms import CodeForm, EnrolForm
from outreach.door.rules import PASSES_OUTLIVE, EntryWay
from outreach.kernel.clock import now
from outreach.web.headers import allow_wasm

blueprint = Blueprint("door_phone", __name__)
COOKIE = "outreach_door"
FACE = "/door/"
"""The phone's secret is sent to these pages only."""
LONGEST_READ = 400
"""More than any ticket's link has; what is longer is no ticket."""
View = Callable[..., ResponseReturnValue]


def invited(view: View) -> View:
    """Let in whoever holds a link that is still good; say to the others that it has ended."""

    @wraps(view)
    def entered(token: str) -> ResponseReturnValue:
        invitation = queries.invitation_by_token(token, now=now())
        if invitation is None:
            return render_template("door/ended.html", link=True), 410
        return view(token, invitation)

    entered.admits = "invited volunteers"
    return entered


def door_phones(view: View) -> View:
    """Let in a phone that has joined a door and was not taken away; say to the others how one joins."""

    @wraps(view)
    def entered(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        kept = request.cookies.get(COOKIE)
        g.door_pass = queries.pass_by_token(kept, now=now()) if kept else None
        if g.door_pass is None:
            return render_template("door/ended.html", link=False), 403
        return view(*args, **kwargs)

    entered.admits = "door phones"
    return entered


@blueprint.get("/door/join/<token>")
@invited
def enrol(token: str, invitation: Any) -> ResponseReturnValue:
    """Ask a volunteer who they are and where they stand."""
    return render_template("door/join.html", form=EnrolForm(), event=invitation.event, token=token)


@blueprint.post("/door/join/<token>")
@invited
def enrolled(token: str, invitation: Any) -> ResponseReturnValue:
    """Give the phone its own pass, for this event only."""
    form = EnrolForm()
    made: list[str] = []
    if form.validate_on_submit() and form.attempt(
        lambda: made.append(
            operations.enrol(invitation=invitation, name=form.name.data, gate=form.gate.data, now=now())
        )
    ):
        response = redirect(url_for("door_phone.scan"), 303)
        response.set_cookie(
            COOKIE,
            made[0],
            expires=invitation.event.ends_at + PASSES_OUTLIVE,
            path=FACE,
            httponly=True,
            samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
        )
        return response
    return render_template("door/join.html", form=form, event=invitation.event, token=token), 422


@blueprint.get("/door/")
@door_phones
def scan() -> ResponseReturnValue:
    """Scan; without a camera, type or find by name."""
    allow_wasm()
    return render_template("door/scan.html", form=CodeForm(), **_place())


@blueprint.post("/door/admit")
@door_phones
def admit() -> ResponseReturnValue:
    """Answer a short code that was typed or somebody found by name: the whole screen is the answer."""
    form = CodeForm()
    if not form.validate_on_submit():
        return render_template("door/typing.html", form=form, **_place()), 422
    way = EntryWay.FOUND if request.form.get("way") == EntryWay.FOUND else EntryWay.TYPED
    return render_template("door/answer.html", **_answer(form.code.data, way))


@blueprint.post("/door/read")
@door_phones
def read() -> ResponseReturnValue:
    """Answer what a camera read or a script sent: the verdict, and the same screen as a piece of page."""
    asked = request.get_json(silent=True)
    text = asked.get("text") if isinstance(asked, dict) else None
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_READ or "\0" in text:
        text = ""
    way = EntryWay.TYPED if isinstance(asked, dict) and asked.get("way") == EntryWay.TYPED else EntryWay.SCANNED
    shown = _answer(text, way)
    return {"verdict": shown["answer"].decision.verdict, "page": render_template("door/_answer.html", **shown)}


@blueprint.get("/door/find")
@door_phones
def find() -> ResponseReturnValue:
    """Find somebody who has no ticket at hand, by the beginning of their name."""
    text = request.args.get("q", "").strip()[:40]
    found = queries.find(g.door_pass.event_id, text)
    return render_template(
        "door/find.html",
        text=text,
        found=found[: queries.MOST_FOUND],
        more=len(found) > queries.MOST_FOUND,
        form=CodeForm(),
        **_place(),
    )


@blueprint.get("/door/type")
@door_phones
def typing() -> ResponseReturnValue:
    """Type a short code on a page of its own."""
    return render_template("door/typing.html", form=CodeForm(), **_place())


def _answer(text: str, way: EntryWay) -> dict[str, Any]:
    moment = now()
    answer = operations.admit(door_pass=g.door_pass, text=text, way=way, now=moment)
    registration = answer.registration
    # Of another event's ticket the door learns which event it is for, and nothing about its holder.
    ours = registration is not None and registration.event_id == g.door_pass.event_id
    return {
        "answer": answer,
        "verdict": answer.decision.verdict.value,
        "registration": registration if ours else None,
        "other_event": registration.event if registration is not None and not ours else None,
        "now": moment,
        **_place(),
    }


def _place() -> dict[str, Any]:
    return {
        "door_pass": g.door_pass,
        "event": g.door_pass.event,
        "count": queries.counts(g.door_pass.event_id),
    }
