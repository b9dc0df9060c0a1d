"""Who may enter a route. Every view carries exactly one of these, directly under its route."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from flask import abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from outreach.config import is_loopback
from outreach.kernel.clock import now

View = Callable[..., ResponseReturnValue]

EVERYONE = "everyone"
ATTENDEES = "attendees"
STAFF = "staff"
CONTACT = "contact_point_id"
"""The key in the signed session under which the proven contact point of an attendee stands."""
HOLDING = "contact_holding"
"""The key of how often that contact point had changed hands when it was proven."""
holders: list[Callable[[int, int], bool]] = []
"""Who knows whether a contact point is still in the same hands, given its id and the holding; filled in app.py."""
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
"""What a proxy in between adds."""
PROVEN_AT = "proven_at"
"""When that was proven in this browser, in ISO form."""
PROVE_AGAIN = "prove_again"
"""Set where a page asks for a code although the browser has proven its number before."""
FRESH_FOR = timedelta(minutes=15)
"""How long a code counts as recent: long enough to read and to decide, not for whoever finds the phone later."""
STAFF_KEYS = ("_user_id", "_fresh", "_id")
"""Flask-Login's own keys in the session."""


def open_to_everyone(view: View) -> View:
    """Let everybody in; what a link may show is decided by the secret in it."""

    @wraps(view)
    def entered(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        return view(*args, **kwargs)

    entered.admits = EVERYONE
    return entered


def attendees(view: View) -> View:
    """Let in whoever proved a number or an address by a code; send the others to do so."""

    @wraps(view)
    def entered(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        return sent_to_prove() if proven_contact() is None else view(*args, **kwargs)

    entered.admits = ATTENDEES
    return entered


def attendees_by_their_session(view: View) -> View:
    """Let in whoever's session says that they proved a number or an address; the view sees whether it is still theirs.

    For what a whole city does in one minute: asked in the view's own transaction, for all who come together, it costs
    no question of its own, and nobody else can take the number over meanwhile.
    """

    @wraps(view)
    def entered(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        return sent_to_prove() if claimed_contact() is None else view(*args, **kwargs)

    entered.admits = ATTENDEES
    return entered


def sent_to_prove() -> ResponseReturnValue:
    """Return the way to prove a number or an address, and back."""
    onward = request.full_path if request.method == "GET" else url_for("portal.index")
    return redirect(url_for("signing_in_public.contact", next=onward))


def recently_proven(view: View) -> View:
    """Let in whoever proved their number by a code a moment ago: a session lives for weeks, and phones get lost.

    Others are asked for a code anew; a form they were sending is lost only where they took longer than that.
    """

    @wraps(view)
    def entered(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if proven_contact() is None or not _is_fresh():
            session[PROVE_AGAIN] = True
            onward = request.full_path if request.method == "GET" else request.path
            return redirect(url_for("signing_in_public.contact", next=onward))
        return view(*args, **kwargs)

    entered.admits = ATTENDEES
    return entered


def staff(view: View) -> View:
    """Let in everyone with an account, whatever their roles; rows still come through scoped queries."""

    @wraps(view)
    def entered(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        if not current_user.is_authenticated:
            return current_app.login_manager.unauthorized()
        return view(*args, **kwargs)

    entered.admits = STAFF
    return entered


def requires(*permissions: Any) -> Callable[[View], View]:
    """Let in those who hold one of the permissions anywhere; send strangers to sign in, others away."""

    def guard(view: View) -> View:
        @wraps(view)
        def entered(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            if not current_user.is_authenticated:
                return current_app.login_manager.unauthorized()
            if not any(current_user.may(permission) for permission in permissions):
                abort(403)
            return view(*args, **kwargs)

        entered.admits = permissions
        return entered

    return guard


def asked_from_this_machine() -> bool:
    """Tell whether the caller runs on this very machine: a loopback address, named as one, with no proxy between."""
    if any(name in request.headers for name in FORWARDED):
        return False
    host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    return is_loopback(request.remote_addr or "") and is_loopback(host.strip("[]"))


def proven_contact() -> int | None:
    """Return the id of the contact point the attendee has proven, or None.

    A proof ends where the number changed hands since.
    """
    claimed = claimed_contact()
    return claimed[0] if claimed is not None and all(still_holds(*claimed) for still_holds in holders) else None


def claimed_contact() -> tuple[int, int] | None:
    """Return the id of the contact point that was proven in this browser, and its holding then; None if none was.

    Whether it is still in the same hands nobody has looked.
    """
    known = session.get(CONTACT)
    return None if known is None else (known, session.get(HOLDING, 1))


def has_proven(contact_point_id: int, holding: int) -> None:
    """Keep in the session that whoever holds this browser has just proven a number or an address.

    :param holding: how often it had changed hands by then (people.models.ContactPoint.holding)
    """
    session[CONTACT] = contact_point_id
    session[HOLDING] = holding
    session[PROVEN_AT] = now().isoformat()


def _is_fresh() -> bool:
    at = session.get(PROVEN_AT)
    return at is not None and timedelta(0) <= now() - datetime.fromisoformat(at).astimezone(UTC) <= FRESH_FOR


def fresh_session(*kept: str) -> None:
    """Empty the session but for the choices of language and theme and what is named; done where somebody comes in.

    The two faces may be used from one browser: coming in on one keeps the proof of the other.
    """
    keep = {name: session[name] for name in ("language", "theme", *kept) if name in session}
    session.clear()
    session.update(keep)


def safe_next(fallback: str) -> str:
    """Return the page to go on to after signing in: one of ours, never another site's."""
    onward = request.values.get("next", "")
    ours = onward.startswith("/") and not onward.startswith(("//", "/\\")) and "\n" not in onward and "\r" not in onward
    return onward if ours else fallback
