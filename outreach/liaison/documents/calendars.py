"""What a calendar reads: the planned visits of somebody, by name and day, and nothing else about anybody."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import gettext

from outreach.kernel.clock import OFFICE
from outreach.liaison.models import PlannedVisit

LASTS = timedelta(hours=1)


def calendar_of(plans: Sequence[PlannedVisit], *, link: str, now: datetime) -> bytes:
    """Return planned visits as an iCalendar file, in the office's time zone.

    The UID of each stays and its SEQUENCE rises when it is moved or cancelled, so that a calendar replaces the entry
    (RFC 5545, 3.8.4.7 and 3.8.7.4). It names leader and talent only: who finds the address on somebody's telephone
    learns no number, no employer and no note.

    :param link: the whole address of a pairing's page, with a {} for its number
    """
    from icalendar import Calendar, Event  # noqa: PLC0415 -- slow import

    calendar = Calendar()
    calendar.add("prodid", "-//Outreach//Liaison//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", gettext("Planned visits"))
    calendar.add("refresh-interval", timedelta(hours=4), parameters={"VALUE": "DURATION"})
    for planned in plans:
        entry = Event()
        entry.add("uid", planned.uid)
        entry.add("sequence", planned.sequence)
        entry.add("dtstamp", now)
        if planned.hour is None:
            entry.add("dtstart", planned.day)
            entry.add("dtend", planned.day + timedelta(days=1))
        else:
            begins = datetime.combine(planned.day, planned.hour, tzinfo=OFFICE)
            entry.add("dtstart", begins)
            entry.add("dtend", begins + LASTS)
        pairing = planned.pairing
        entry.add(
            "summary", gettext("%(leader)s meets %(talent)s", leader=pairing.leader.name, talent=pairing.person.name)
        )
        entry.add("status", "CANCELLED" if planned.cancelled_at else "CONFIRMED")
        entry.add("url", link.format(pairing.id))
        calendar.add_component(entry)
    calendar.add_missing_timezones()
    return calendar.to_ical()
