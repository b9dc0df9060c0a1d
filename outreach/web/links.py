"""Whole addresses, for what leaves the page: QR codes, calendars, links to pass on."""

from flask import current_app


def absolute(path: str) -> str:
    """Return a path of ours with the address the city is reached at, whatever host this request came by."""
    return current_app.config["SETTINGS"].base_url.rstrip("/") + path
