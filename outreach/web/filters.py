"""How values are shown: dates, spans, distances, masked numbers and names. One place for every page."""

from datetime import date, datetime

from flask import Flask
from flask_babel import get_locale, gettext
from markupsafe import Markup

from outreach.kernel.clock import local, now

WEEKDAYS_ZH = "一二三四五六日"


def mount(app: Flask) -> None:
    """Offer the filters to templates."""
    for shown in (
        label,
        day,
        moment,
        moment_text,
        span,
        clock_time,
        lately,
        weekday,
        month,
        day_figure,
        ago_or_ahead,
        masked_phone,
        masked_name,
        masked_email,
        grouped_phone,
        thousands,
        capped,
        iso,
    ):
        app.add_template_filter(shown)
    app.add_template_global(now)


def label(value: object) -> str:
    """Return the name of an enum member (or of anything with a `label`) in the reader's language."""
    return gettext(value.label)


def _chinese() -> bool:
    return str(get_locale()).startswith("zh")


def _day_text(there: date, today: date) -> str:
    if _chinese():
        year = f"{there.year}年" if there.year != today.year else ""
        return f"{year}{there.month}月{there.day}日 周{WEEKDAYS_ZH[there.weekday()]}"
    year = f" {there.year}" if there.year != today.year else ""
    return f"{there:%a} {there.day} {there:%b}{year}"


def _date_of(value: datetime | date) -> date:
    return local(value).date() if isinstance(value, datetime) else value


def _time_element(value: datetime | date, text: str) -> Markup:
    stamp = local(value).isoformat(timespec="minutes") if isinstance(value, datetime) else value.isoformat()
    return Markup('<time class="o-d" datetime="{}">{}</time>').format(stamp, text)


def day(value: datetime | date) -> Markup:
    """Show a day: «11月28日 周六»; the year only if it is not this one."""
    return _time_element(value, _day_text(_date_of(value), local(now()).date()))


def moment(value: datetime) -> Markup:
    """Show a point in time: «11月28日 周六 19:00»."""
    return _time_element(value, moment_text(value))


def moment_text(value: datetime | str) -> str:
    """Return a point in time as plain words, for what is not HTML: «11月28日 周六 19:00».

    Values of messages are JSON, so a moment may come in ISO form.
    """
    there = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{_day_text(_date_of(there), local(now()).date())} {local(there):%H:%M}"


def span(start: datetime, end: datetime) -> Markup:
    """Show a span: «11月28日 周六 19:00–21:00», both days where it crosses midnight."""
    today = local(now()).date()
    first = f"{_day_text(_date_of(start), today)} {local(start):%H:%M}"
    if _date_of(start) == _date_of(end):
        return _time_element(start, f"{first}–{local(end):%H:%M}")
    last = f"{_day_text(_date_of(end), today)} {local(end):%H:%M}"
    return _time_element(start, first) + Markup(" – ") + _time_element(end, last)  # a phone breaks it between the two


def clock_time(value: datetime) -> Markup:
    """Show the time of day: «18:42»."""
    return _time_element(value, clock_text(value))


def clock_text(value: datetime) -> str:
    """Return the time of day as plain words: «18:42»."""
    return f"{local(value):%H:%M}"


def lately(value: datetime) -> Markup:
    """Show a point in time that is usually today's: «18:42», or the day too where it was another."""
    return clock_time(value) if _date_of(value) == local(now()).date() else moment(value)


def lately_text(value: datetime) -> str:
    """Return the same as plain words."""
    return clock_text(value) if _date_of(value) == local(now()).date() else moment_text(value)


def weekday(value: datetime | date) -> str:
    """Return the day of the week: «周六»."""
    there = _date_of(value)
    return f"周{WEEKDAYS_ZH[there.weekday()]}" if _chinese() else f"{there:%a}"


def month(value: datetime | date) -> str:
    """Return the month: «11月», «Nov»; with its year if it is not this one."""
    there, today = _date_of(value), local(now()).date()
    if _chinese():
        return f"{there.month}月" if there.year == today.year else f"{there.year}年{there.month}月"
    return f"{there:%b}" if there.year == today.year else f"{there:%b %Y}"


def day_figure(value: datetime | date) -> str:
    """Return the day of the month as a figure: «28»."""
    return str(_date_of(value).day)


def ago_or_ahead(value: datetime | date) -> str:
    """Return the distance in calendar days: «4 天后», «今天», «3 天前»."""
    days = (_date_of(value) - local(now()).date()).days
    if days == 0:
        return gettext("today")
    if days == 1:
        return gettext("tomorrow")
    if days == -1:
        return gettext("yesterday")
    return gettext("in %(n)s days", n=days) if days > 0 else gettext("%(n)s days ago", n=-days)


def iso(value: datetime | date) -> str:
    """Return the machine's form in office time, for form fields and attributes."""
    return f"{local(value):%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else value.isoformat()


def masked_phone(value: str | None) -> str:
    """Mask a number in E.164 or national form: «138****1234»."""
    if not value:
        return ""
    national = value.removeprefix("+86")
    if len(national) < 8:
        return "*" * len(national)
    return f"{national[:3]}****{national[-4:]}"


def grouped_phone(value: str | None) -> str:
    """Show one's own number in groups: «199 0000 0036»."""
    national = (value or "").removeprefix("+86")
    return f"{national[:3]} {national[3:7]} {national[7:]}" if len(national) == 11 else national


def masked_name(value: str | None) -> str:
    """Mask a name but for its first character: «张*», «欧**»."""
    return f"{value[0]}{'*' * min(len(value) - 1, 2)}" if value else ""


def masked_email(value: str | None) -> str:
    """Mask an address but for its first letter and its host: «t***@example.com»."""
    name, _, host = (value or "").partition("@")
    return f"{name[:1]}***@{host}" if host else ""


def thousands(value: int) -> str:
    """Show a count with commas from 1,000."""
    return f"{value:,}"


def capped(count: int, most: int) -> str:
    """Show a count that was not counted further than one beyond `most`: «412», «1,000+»."""
    return f"{thousands(most)}+" if count > most else thousands(count)
