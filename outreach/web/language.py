"""Which language a reader gets: the one they chose, or the installation's."""

from flask import Flask, current_app, request, session
from flask_babel import Babel

LANGUAGES = {"zh_Hans_CN": "中文", "en": "English"}


def chosen() -> str:
    """Return the locale of this request: Chinese unless the reader or the installation chose otherwise."""
    if not request:
        return current_app.config["SETTINGS"].language
    kept = session.get("language")
    return kept if kept in LANGUAGES else current_app.config["SETTINGS"].language


def mount(app: Flask) -> Babel:
    """Translate what is shown."""
    return Babel(
        app,
        default_locale="zh_Hans_CN",
        default_timezone="Asia/Shanghai",
        default_translation_directories="../translations",
        locale_selector=chosen,
    )
