"""What a volunteer's phone shows: joining, scanning, and the answer. It sees one event and no lists of people."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, abort, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from outreach.door import operations, queries
from outreach.door.forms import CodeForm, EnrolForm
from outreach.door.rules import PASSES_OUTLIVE, EntryWay, Ground, Verdict
from outreach.kernel.clock import now
from outreach.registration.rules import spaced_code
from outreach.web import limits
from outreach.web.filters import clock_text, lately_text, moment_text, thousands
from outreach.web.headers import allow_wasm
from outreach.web.unit_of_work import Together

blueprint = Blueprint("door_phone", __name__)
COOKIE = "outreach_door"
FACE = "/door/"
"""The phone's secret is sent to these pages only."""
LONGEST_READ = 400
"""More than any ticket's link has; what is longer is no ticket."""
View = Callable[..., ResponseReturnValue]


admissions = Together(lambda scans: operations.admit(scans=scans))
"""Many phones scan in the same second: what comes while a transaction runs shares the next one."""


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


def scanning_phones(view: View) -> View:
    """Let in a phone that has joined a door and sends what it read, and hand its secret's hash on.

    Whether the phone is still good is decided by the transaction that decides about the ticket, which saves asking
    twice. Another site's page cannot press this button: the phone's cookie is not sent for one (SameSite), and JSON
    cannot be sent to us from one without our leave (CORS), so the form's own proof is not asked for.
    """

    @wraps(view)
    def entered() -> ResponseReturnValue:
        if not request.is_json:
            abort(415)
        kept = request.cookies.get(COOKIE)
        answer = view(queries.hash_of(kept)) if kept else None
        return answer if answer is not None else (render_template("door/ended.html", link=False), 403)

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
    scan = operations.Scan(pass_hash=g.door_pass.token_hash, text=form.code.data, way=way, at=now())
    [answer] = operations.admit(scans=[scan])
    if answer is None:  # taken away in this very moment
        return render_template("door/ended.html", link=False), 403
    _count_guesses(answer, g.door_pass.token_hash)
    shown = _shown(answer, queries.counts(answer.phone.event_id))
    return render_template("door/answer.html", verdict=answer.decision.verdict, shown=shown)


@blueprint.post("/door/read")
@scanning_phones
def read(pass_hash: str) -> ResponseReturnValue | None:
    """Answer what a camera read or a script sent: the verdict, and what fills the screen of that verdict."""
    asked = request.get_json(silent=True)
    text = asked.get("text") if isinstance(asked, dict) else None
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST_READ or "\0" in text:
        text = ""
    way = EntryWay.TYPED if isinstance(asked, dict) and asked.get("way") == EntryWay.TYPED else EntryWay.SCANNED
    answer = admissions.ask(operations.Scan(pass_hash=pass_hash, text=text, way=way, at=now()))
    if answer is None:
        return None
    _count_guesses(answer, pass_hash)
    count = queries.counts_lately(answer.phone.event_id, now=now())
    return {"verdict": answer.decision.verdict, "shown": _shown(answer, count)}


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


def _count_guesses(answer: Any, pass_hash: str) -> None:
    """Count what belongs to nobody, so that a phone that was let in cannot try all codes."""
    if answer.holder is None:
        limits.spend(limits.WRONG_CODES, pass_hash)


def _shown(answer: Any, count: Any) -> dict[str, str]:
    """Return what fills the screen, by slot: the page and the scanner's script show the same."""
    holder = answer.holder
    shown = _top(answer.phone, answer.phone.title, count) | {"why": _why(answer)}
    if answer.is_ours:
        shown |= {"name": holder.name, "group": holder.group, "code": spaced_code(holder.short_code)}
        if holder.phone:
            shown["tail"] = holder.phone[-4:]
    return shown


def _top(phone: Any, title: str, count: Any) -> dict[str, str]:
    """Return where a phone stands and how many have come, the two lines at the top."""
    arrived, expected = thousands(count.arrived), thousands(count.expected)
    are_in = gettext("%(arrived)s of %(expected)s are in", arrived=arrived, expected=expected)
    return {"door": f"{phone.gate} · {phone.name}" if phone.gate else phone.name, "count": f"{title} · {are_in}"}


def _why(answer: Any) -> str:
    """Return the sentence under the verdict."""
    decision, entry, door = answer.decision, answer.entry, answer.phone.door
    if decision.verdict is Verdict.IN:
        return gettext("Taken down at %(time)s", time=clock_text(entry.at))
    if decision.verdict is Verdict.ALREADY:
        return _let_in(entry)
    if decision.ground is Ground.OTHER_EVENT:
        other = queries.evening_of(answer.holder.event_id)
        moment = moment_text(other.starts_at)
        return gettext("This ticket is for “%(event)s”, %(moment)s", event=other.title, moment=moment)
    if decision.ground is Ground.OVER:
        return gettext("This event ended on %(moment)s.", moment=moment_text(door.ends_at))
    if decision.ground is Ground.TOO_EARLY:
        return gettext(
            "It is too early. The doors open on %(moment)s, and tickets are taken from two hours before.",
            moment=moment_text(door.opens_at),
        )
    return gettext(decision.ground.label)


def _let_in(entry: Any) -> str:
    """Say when somebody came in, where, and by whom: a volunteer can ask that person."""
    values = {"when": lately_text(entry.at), "gate": entry.gate, "name": entry.by}
    if entry.by and entry.gate:
        sentence = gettext("%(when)s at %(gate)s, let in by %(name)s", **values)
    else:
        sentence = gettext("%(when)s, let in by %(name)s", **values) if entry.by else values["when"]
    minutes = int((now() - entry.at).total_seconds() // 60)
    if minutes < 1:
        return sentence + gettext(", just now")
    if minutes < 120:
        return sentence + gettext(", ") + ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes)
    return sentence


def _place() -> dict[str, Any]:
    phone = g.door_pass
    return {
        "event": phone.event,
        "shown": _top(phone, phone.event.title, queries.counts(phone.event_id)),
        "verdicts": tuple(Verdict),
    }
