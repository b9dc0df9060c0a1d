"""The only place that asks what time it is. Everything below the views is told."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

OFFICE = ZoneInfo("Asia/Shanghai")
"""The time zone of every office: China has one."""


def now() -> datetime:
    """Return the current moment, aware, in UTC."""
    return datetime.now(UTC)


def local(moment: datetime) -> datetime:
    """Return an aware moment as the office's clocks on the wall show it."""
    return moment.astimezone(OFFICE)


def office_day(moment: datetime) -> date:
    """Return the calendar day on which an aware moment falls in the office."""
    return local(moment).date()
