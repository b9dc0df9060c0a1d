"""Which language a reader gets: the one they chose, or the city's."""

from collections.abc import Callable

from babel import Locale
from flask import Flask, current_app, request, session
from flask_babel import Babel

LANGUAGES = {"zh_Hans_CN": "中文", "en": "English"}
_LOCALES = {name: Locale.parse(name) for name in LANGUAGES}


def chosen() -> str:
    """Return the locale of this request: the reader's choice, else the city's, else that of the settings."""
    setting = current_app.config["SETTINGS"].language
    if not request:
        return setting
    kept = session.get("language")
    return kept if kept in LANGUAGES else current_app.extensions["language_of_the_city"]() or setting


def mount(app: Flask, *, of_the_city: Callable[[], str | None]) -> Babel:
    """Translate what is shown; `of_the_city` tells the language of first sight, or None before there is a city."""
    app.extensions["language_of_the_city"] = of_the_city
    return Babel(
        app,
        default_locale="zh_Hans_CN",
        default_timezone="Asia/Shanghai",
        default_translation_directories="../translations",
        locale_selector=lambda: _LOCALES[chosen()],  # parsing the name takes longer than translating a sentence
    )
