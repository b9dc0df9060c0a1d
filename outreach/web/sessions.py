"""Sessions in cookies, signed with a key that may be rotated while people are signed in."""

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from outreach.kernel import sealing


class Sessions(SecureCookieSessionInterface):
    """Signs with the newest session key, and still takes what was signed with the one before."""

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


def mount(app: Flask) -> None:
    """Give the application its sessions. What protects forms does not change with them: nothing typed is refused."""
    app.config["SECRET_KEY"] = sealing.ring().sessions[0]
    app.config["WTF_CSRF_SECRET_KEY"] = sealing.proof("forms", purpose="csrf")
    app.session_interface = Sessions()
