"""Sessions in cookies, signed with a key that may be rotated while people are signed in."""

from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature

from outreach.kernel import sealing
from outreach.kernel.clock import now

SIGNED_ANEW = timedelta(days=1)
"""A session lives on while it is used: it is signed anew after so long, and not with every answer."""


class Session(SecureCookieSession):
    """The session of a browser."""

    signed_at: datetime | None = None
    """When what the browser sent was signed; None where it sent nothing that counts."""


class Sessions(SecureCookieSessionInterface):
    """Signs with the newest session key, and still takes what was signed with the one before."""

    session_class = Session

    def __init__(self) -> None:
        self._made: tuple[tuple[str, ...], Any] = ((), None)

    def get_signing_serializer(self, app: Flask) -> Any:
        """Return the serializer for the keys as they are now: another process may just have changed them."""
        sealing.refresh()
        keys, serializer = self._made
        if keys != sealing.ring().sessions:
            keys = sealing.ring().sessions
            app.config["SECRET_KEY"], *app.config["SECRET_KEY_FALLBACKS"] = keys
            serializer = super().get_signing_serializer(app)
            self._made = keys, serializer
        return serializer

    def open_session(self, app: Flask, request: Request) -> Session:
        """Return the session of a browser, with when it was signed."""
        kept = request.cookies.get(self.get_cookie_name(app))
        if not kept:
            return Session()
        try:
            data, signed_at = self.get_signing_serializer(app).loads(
                kept, max_age=int(app.permanent_session_lifetime.total_seconds()), return_timestamp=True
            )
        except BadSignature:
            return Session()
        session = Session(data)
        session.signed_at = signed_at
        return session

    def should_set_cookie(self, app: Flask, session: Session) -> bool:
        """Tell whether the browser gets its session anew: where it was changed, and once a day, so that it goes on."""
        if session.modified or session.signed_at is None:
            return super().should_set_cookie(app, session)
        return session.permanent and now() - session.signed_at >= SIGNED_ANEW


def mount(app: Flask) -> None:
    """Give the application its sessions. What protects forms does not change with them: nothing typed is refused."""
    app.config["SECRET_KEY"] = sealing.ring().sessions[0]
    app.config["WTF_CSRF_SECRET_KEY"] = sealing.proof("forms", purpose="csrf")
    app.session_interface = Sessions()
