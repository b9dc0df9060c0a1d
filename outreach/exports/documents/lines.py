"""What every file says about itself, in words: what it was narrowed to, who took it, and what for."""

from flask_babel import gettext

from outreach.exports.rules.offers import Mark
from outreach.kernel.clock import local


def filters_in_words(mark: Mark) -> str:
    """Return what the list was narrowed to: «层次：头雁；学历：博士», or that it was not."""
    return "；".join(f"{name}：{value}" for name, value in mark.narrowed) or gettext("none, everything in reach")


def taken_by(mark: Mark) -> str:
    """Return the line that says who took the list, when, and how many rows it has."""
    return gettext(
        "Taken by: %(name)s (%(organisation)s)  Time: %(at)s  In all: %(counted)s  Number: %(number)s",
        name=mark.by,
        organisation=mark.organisation,
        at=f"{local(mark.at):%Y-%m-%d %H:%M}",
        counted=mark.counted,
        number=mark.number,
    )


def warning(mark: Mark) -> str:
    """Return the line that says what it may be used for."""
    return gettext("For: %(reason)s. For this only; do not pass it on.", reason=mark.reason)
