"""Marking strings for translation where nothing may know the web."""


def N_(message: str) -> str:  # noqa: N802 -- the gettext convention for a marked, not yet translated string
    """Mark an English source string for extraction; the web layer translates it when it is shown."""
    return message
