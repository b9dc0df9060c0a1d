"""What leaves the house about events: what they brought, and who registered and came."""

from typing import Any

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import aliased

from outreach.door.models import Arrival
from outreach.events.models import Event, PlaceGroup
from outreach.events.queries import Filters, Tab, event_for, find
from outreach.events.rules import EventKind
from outreach.exports.rules.offers import Asked, Column, Table
from outreach.kernel.wording import N_
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import within
from outreach.organisations.rules import Permission
from outreach.people.documents import PHONE, national
from outreach.people.models import ContactPoint, Person
from outreach.people.queries import referrers_of
from outreach.people.rules import through_in
from outreach.programmes.models import Programme
from outreach.programmes.queries import choices_for as programmes_for
from outreach.registration.models import Registration
from outreach.registration.queries import came_through
from outreach.registration.rules import HOLDING, RegistrationState
from outreach.venues.models import Venue


def _tab(asked: Asked) -> Tab:
    return next((tab for tab in Tab if tab.value == asked.arguments.get("tab")), Tab.UPCOMING)


def _filters(asked: Asked) -> Filters:
    programmes = {programme.id for programme in programmes_for(asked.account)}
    programme_id = asked.number("programme")
    return Filters(
        kind=next((kind for kind in EventKind if kind.value == asked.arguments.get("kind")), None),
        programme_id=programme_id if programme_id in programmes else None,
        text=asked.arguments.get("q", "")[:60],
    )


def _event_rows(asked: Asked) -> sa.Select[tuple[int]]:
    return (
        find(asked.account, _filters(asked))
        .ids(_tab(asked), now=asked.now)
        .where(within(Event.organisation_id, asked.account, Permission.EXPORT))
    )


def _event_source() -> sa.Select[tuple[int]]:
    return (
        sa.select(Event.id)
        .join(Organisation, Organisation.id == Event.organisation_id)
        .join(Account, Account.id == Event.author_id)
        .outerjoin(Programme, Programme.id == Event.programme_id)
        .outerjoin(Venue, Venue.id == Event.venue_id)
    )


def _event_words(asked: Asked) -> list[tuple[str, str | None]]:
    filters = _filters(asked)
    programme = next((one for one in programmes_for(asked.account) if one.id == filters.programme_id), None)
    return [
        (gettext("View"), gettext(_tab(asked).label)),
        (gettext("Search"), f"“{filters.text}”" if filters.text else ""),
        (gettext("Sort of event"), gettext(filters.kind.label) if filters.kind else ""),
        (gettext("Programme"), programme.name if programme else ""),
    ]


def _registered(*states: RegistrationState) -> Any:
    return (
        sa.select(sa.func.count(Registration.id))
        .where(Registration.event_id == Event.id, Registration.state.in_(states))
        .scalar_subquery()
    )


EVENTS = Table(
    key="events",
    label=N_("Ledger of events"),
    permissions=(Permission.EXPORT, Permission.EVENT_READ),
    columns=(
        Column("title", N_("Event"), (Event.title,)),
        Column("subtitle", N_("Subtitle"), (Event.subtitle,), chosen=False),
        Column("programme", N_("Programme"), (Programme.name,)),
        Column("issue", N_("Issue"), (Event.issue,), chosen=False),
        Column("kind", N_("Sort of event"), (Event.kind,)),
        Column("mode", N_("Mode"), (Event.mode,), chosen=False),
        Column("direction", N_("Direction"), (Event.direction,), chosen=False),
        Column("starts_at", N_("Begins"), (Event.starts_at,)),
        Column("ends_at", N_("Ends"), (Event.ends_at,)),
        Column("place", N_("Where"), (sa.func.coalesce(Venue.name, Event.place),)),
        Column("unit", N_("Organised by"), (Organisation.short_name,)),
        Column("host", N_("Host"), (Event.host,), chosen=False),
        Column("state", N_("State"), (Event.state,)),
        Column(
            "capacity",
            N_("Places"),
            (sa.select(sa.func.sum(PlaceGroup.capacity)).where(PlaceGroup.event_id == Event.id).scalar_subquery(),),
        ),
        Column("registered", N_("Registered"), (_registered(*sorted(HOLDING)),)),
        Column("waiting", N_("Waiting"), (_registered(RegistrationState.WAITLISTED),), chosen=False),
        Column(
            "arrived",
            N_("Came"),
            (sa.select(sa.func.count(Arrival.id)).where(Arrival.event_id == Event.id).scalar_subquery(),),
        ),
        Column("author", N_("Planned by"), (Account.name,), chosen=False),
        Column("published_at", N_("Published at"), (Event.published_at,), chosen=False),
    ),
    rows=_event_rows,
    source=_event_source,
    row=Event.id,
    unit=N_("%(n)s events"),
    arguments=("tab", "kind", "programme", "q"),
    narrowed=_event_words,
)


_station = aliased(Organisation)


def _event(asked: Asked) -> Event:
    return event_for(asked.account, asked.number("event"), Permission.REGISTRATION_READ)


def _registration_rows(asked: Asked) -> sa.Select[tuple[int]]:
    rows = (
        sa.select(Registration.id)
        .join(Event, Event.id == Registration.event_id)
        .where(
            Event.id == asked.number("event"),
            within(Event.organisation_id, asked.account, Permission.REGISTRATION_READ),
            within(Event.organisation_id, asked.account, Permission.EXPORT),
        )
        .order_by(Registration.queued_at, Registration.id)
    )
    if (state := _state(asked)) is not None:
        rows = rows.where(Registration.state == state)
    if group := asked.number("group"):
        rows = rows.where(Registration.group_id == group)
    if "through" in asked.arguments:
        rows = rows.where(*came_through(through_in(asked.arguments["through"])))
    return rows


def _state(asked: Asked) -> RegistrationState | None:
    return next((state for state in RegistrationState if state.value == asked.arguments.get("state")), None)


def _registration_source() -> sa.Select[tuple[int]]:
    return (
        sa.select(Registration.id)
        .join(Person, Person.id == Registration.person_id)
        .join(PlaceGroup, PlaceGroup.id == Registration.group_id)
        .outerjoin(ContactPoint, ContactPoint.id == Registration.contact_point_id)
        .outerjoin(Arrival, Arrival.registration_id == Registration.id)
    )


def _registration_words(asked: Asked) -> list[tuple[str, str | None]]:
    event, state = _event(asked), _state(asked)
    group = next((one.name for one in event.groups if one.id == asked.number("group")), "")
    return [
        (gettext("Event"), event.title),
        (gettext("State"), gettext(state.label) if state else ""),
        (gettext("Group of places"), group),
        (gettext("Through whom"), _through_words(asked)),
    ]


def _through_words(asked: Asked) -> str:
    if "through" not in asked.arguments:
        return ""
    through = through_in(asked.arguments["through"])
    found = referrers_of([through]).get(through)
    return found.name if found else gettext("by themselves")


REGISTRATIONS = Table(
    key="registrations",
    label=N_("List of registrations"),
    permissions=(Permission.EXPORT, Permission.REGISTRATION_READ),
    columns=(
        Column("name", N_("Name"), (Person.name,)),
        Column("employer", N_("Employer"), (Person.employer,)),
        Column("position", N_("Position"), (Person.position,)),
        Column("phone", N_("Mobile number or address"), (ContactPoint.value,), shown=national, sensitive=PHONE),
        Column("group", N_("Group of places"), (PlaceGroup.name,)),
        Column("state", N_("State"), (Registration.state,)),
        Column("registered_at", N_("Registered at"), (Registration.created_at,)),
        Column("came_at", N_("Came in at"), (Arrival.at,)),
        Column(
            "through",
            N_("Came through"),
            (
                sa.select(Account.name).where(Account.id == Registration.through_account_id).scalar_subquery(),
                sa.select(_station.name).where(_station.id == Registration.through_organisation_id).scalar_subquery(),
            ),
            shown=lambda name, station: station or name,
        ),
        Column("way", N_("Taken down"), (Arrival.way,), chosen=False),
        Column("code", N_("Short code"), (Registration.short_code,), chosen=False),
        Column("gender", N_("Gender"), (Person.gender,), chosen=False),
        Column("reason", N_("Reason"), (Registration.reason,), chosen=False),
        Column("signature", N_("Signature"), chosen=False, room=18),
    ),
    rows=_registration_rows,
    source=_registration_source,
    row=Registration.id,
    about=Registration.person_id,
    unit=N_("%(n)s registrations"),
    arguments=("event", "state", "group", "through"),
    narrowed=_registration_words,
    title=lambda asked: gettext("Registrations for %(event)s", event=_event(asked).title),
)
