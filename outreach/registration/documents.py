"""What leaves the house: the entry for a calendar."""

from datetime import datetime
from zoneinfo import ZoneInfo

from outreach.events.rules import EventState
from outreach.kernel.clock import OFFICE
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState, spaced_code

STATUS = {
    RegistrationState.CONFIRMED: "CONFIRMED",
    RegistrationState.PENDING: "TENTATIVE",
    RegistrationState.WAITLISTED: "TENTATIVE",
    RegistrationState.CANCELLED: "CANCELLED",
    RegistrationState.REJECTED: "CANCELLED",
}


def calendar_entry(registration: Registration, *, link: str, now: datetime) -> bytes:
    """Return a registration as an iCalendar file with the time zone it is told in.

    Its UID stays that of the event and its SEQUENCE rises with every change, so that a calendar replaces the entry
    rather than adding a second one (RFC 5545, 3.8.4.7 and 3.8.7.4). What did not come about is CANCELLED.

    :param link: the whole address of the ticket
    """
    from icalendar import Calendar, Event  # noqa: PLC0415 -- slow import

    event = registration.event
    entry = Event()
    entry.add("uid", event.uid)
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", now)
    entry.add("dtstart", _told(event.starts_at, OFFICE))
    entry.add("dtend", _told(event.ends_at, OFFICE))
    entry.add("summary", event.title)
    entry.add("status", "CANCELLED" if event.state is EventState.CANCELLED else STATUS[registration.state])
    where = ", ".join(part for part in (event.where, event.venue.address if event.venue else None) if part)
    if where:
        entry.add("location", where)
    entry.add("url", link)
    entry.add("description", f"{registration.person.name}\n{spaced_code(registration.short_code)}\n{link}")
    calendar = Calendar()
    calendar.add("prodid", "-//Outreach//Registration//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(entry)
    calendar.add_missing_timezones()
    return calendar.to_ical()


def _told(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone)
