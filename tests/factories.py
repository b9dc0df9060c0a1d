"""One plain factory per model: a sound row with nothing surprising in it, flushed so that it has an id."""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from argon2 import PasswordHasher

from outreach.cases.models import Case, CasePart, StandardAnswer
from outreach.cases.operations import keep_standard, register
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.standard import StandardText
from outreach.events.models import Event, PlaceGroup
from outreach.events.rules import EventKind, EventState
from outreach.kernel import clock
from outreach.kernel.actor import SYSTEM
from outreach.kernel.database import Model, db
from outreach.kernel.sealing import blind
from outreach.liaison.models import Pairing, PlannedVisit, Visit, VisitLeader, VisitTalent
from outreach.liaison.rules import Rhythm, VisitWay
from outreach.organisations.models import Absence, Account, Grant, Installation, Organisation
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people.models import ConsentText, ContactPoint, Person, PersonContact, TalentClass
from outreach.people.queries import tail_index
from outreach.people.rules import ContactKind, readings_of
from outreach.programmes.models import Programme
from outreach.registration.models import Registration
from outreach.registration.rules import CODE_SIGNS, RegistrationState
from outreach.venues.models import Venue

BEFORE = datetime(2026, 11, 1, 1, 0, tzinfo=UTC)
"""When everything a test begins with was made."""
PASSWORD = "a lake of reeds"
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_number = itertools.count(1)


def _kept(row: Any) -> Any:
    db.session.add(row)
    db.session.flush()
    return row


def an_organisation(
    name: str | None = None,
    *,
    parent: Organisation | None = None,
    kind: OrganisationKind = OrganisationKind.DEPARTMENT,
) -> Organisation:
    """An organisation of the tree, at its root unless it has a parent."""
    name = name or f"单位{next(_number)}"
    organisation = _kept(Organisation(name=name, short_name=name[:60], kind=kind, parent=parent))
    organisation.path = f"{parent.path if parent else ''}{organisation.id}."
    return _kept(organisation)


def an_installation(city_name: str = "雁城市") -> Installation:
    """A city that is set up, with its lead office as the root of the tree."""
    lead = an_organisation("市委人才办", kind=OrganisationKind.LEAD)
    return _kept(Installation(id=1, city_name=city_name, lead_organisation=lead, set_up_at=BEFORE))


def an_account(
    name: str | None = None,
    *,
    organisation: Organisation,
    roles: Sequence[Role] = (),
    at: Organisation | None = None,
    phone: str | None = None,
    email: str | None = None,
    **values: Any,
) -> Account:
    """An active account of the organisation that holds these roles there, or at another; its password is PASSWORD.

    Number and address stand in their normal form.
    """
    number = next(_number)
    defaults: dict[str, Any] = {
        "username": f"account{number}",
        "created_at": BEFORE,
        "activated_at": BEFORE,
        "password_hash": PASSWORD_HASH,
        "phone": phone,
        "phone_index": phone and blind(phone, purpose="phone"),
        "email": email,
        "email_index": email and blind(email, purpose="email"),
    }
    account = _kept(Account(name=name or f"干部{number}", organisation=organisation, **(defaults | values)))
    for role in roles:
        account.grants.append(Grant(role=role, organisation=at or organisation))
    return _kept(account)


def an_absence(*, account: Account, deputy: Account | None = None, **values: Any) -> Absence:
    """A week away, from Monday 23 to Friday 27 November 2026, with nobody standing in unless named."""
    days = {"from_on": date(2026, 11, 23), "until_on": date(2026, 11, 27)}
    return _kept(Absence(**({"account": account, "deputy": deputy} | days | values)))


def a_programme(name: str | None = None, *, organisation: Organisation, **values: Any) -> Programme:
    """A programme of the organisation."""
    name = name or f"品牌{next(_number)}"
    return _kept(Programme(name=name, organisation=organisation, created_at=BEFORE, **values))


def a_venue(name: str | None = None, *, organisation: Organisation, **values: Any) -> Venue:
    """A venue of the organisation."""
    name = name or f"场馆{next(_number)}"
    return _kept(Venue(**{"name": name, "organisation": organisation, "address": "江畔路 18 号", **values}))


def an_event(
    title: str | None = None,
    *,
    organisation: Organisation,
    author: Account,
    starts_at: datetime = datetime(2026, 11, 28, 11, 0, tzinfo=UTC),
    state: EventState = EventState.PUBLISHED,
    groups: Sequence[tuple[str, int]] = (("博士", 2),),
    **values: Any,
) -> Event:
    """A salon of two hours on Saturday evening, published unless another state is given."""
    number = next(_number)
    been_public = state not in {EventState.DRAFT, EventState.SUBMITTED}
    defaults: dict[str, Any] = {
        "kind": EventKind.SALON,
        "ends_at": starts_at + timedelta(hours=2),
        "place": "江畔路 18 号",
        "created_at": BEFORE,
        "published_at": BEFORE if been_public else None,
        "submitted_by": None if state is EventState.DRAFT else author,
        "uid": f"event-{number}",
    }
    event = Event(
        title=title or f"活动{number}",
        organisation=organisation,
        author=author,
        starts_at=starts_at,
        state=state,
        **(defaults | values),
    )
    event.groups = [
        PlaceGroup(position=position, name=name, capacity=capacity) for position, (name, capacity) in enumerate(groups)
    ]
    return _kept(event)


def signed_in(client: Any, account: Account) -> Any:
    """The browser after the account signed in on it."""
    with client.session_transaction() as kept:
        kept["_user_id"] = account.get_id()
        kept["_fresh"] = True
    return client


def proven(client: Any, contact_point: Model) -> Any:
    """The browser after an attendee proved a number or an address on it, a moment ago."""
    with client.session_transaction() as kept:
        kept["contact_point_id"] = contact_point.id
        kept["proven_at"] = clock.now().isoformat()
    return client


def a_contact_point(value: str | None = None) -> ContactPoint:
    """A mobile number, or the address if there is an @ in it."""
    value = value or f"+8619900{next(_number):06d}"
    kind = ContactKind.EMAIL if "@" in value else ContactKind.PHONE
    index = blind(value, purpose=kind.value)
    return _kept(ContactPoint(kind=kind, value=value, index=index, tail=tail_index(value, kind)))


def a_person(name: str | None = None, *, organisation: Organisation, at: ContactPoint | None = None) -> Person:
    """A person kept by the organisation, reachable at the number or address if one is given."""
    name = name or f"林知遥{next(_number)}"
    person = _kept(
        Person(name=name, organisation=organisation, pinyin=readings_of(name), created_at=BEFORE, updated_at=BEFORE)
    )
    if at is not None:
        _kept(PersonContact(person=person, contact_point=at, since=BEFORE))
    return person


def a_talent_class(name: str = "头雁", *, rhythm: Rhythm | None = Rhythm.MONTHLY) -> TalentClass:
    """A class of talents of the city, after those it has."""
    return _kept(TalentClass(name=name, position=next(_number), rhythm=rhythm))


def a_registration(
    *,
    event: Event,
    person: Person,
    contact_point: ContactPoint | None = None,
    group: PlaceGroup | None = None,
    state: RegistrationState = RegistrationState.CONFIRMED,
    queued_at: datetime = BEFORE,
    **values: Any,
) -> Registration:
    """A confirmed registration in the event's first group, unless another state or group is given."""
    number = next(_number)
    return _kept(
        Registration(
            event_id=event.id,
            group_id=(group or event.groups[0]).id,
            person=person,
            contact_point=contact_point,
            state=state,
            short_code="".join(CODE_SIGNS[number // len(CODE_SIGNS) ** place % len(CODE_SIGNS)] for place in range(6)),
            created_at=queued_at,
            queued_at=queued_at,
            confirmed_at=queued_at if state is RegistrationState.CONFIRMED else None,
            **values,
        )
    )


def a_case(*, intake: Organisation, person: Person | None = None, now: datetime = BEFORE, **values: Any) -> Case:
    """A request of a talent with a number, registered at the intake desk by the system."""
    contact_point = values.pop("contact_point", None) or a_contact_point()
    defaults: dict[str, Any] = {
        "contact_point": contact_point,
        "topic": Topic.SCHOOLING,
        "title": "孩子明年上小学",
        "words": "女儿明年六岁了，想就近上学。",
        "source": CaseSource.OFFICIAL,
        "by": SYSTEM,
    }
    person = person or a_person(organisation=intake, at=contact_point)
    return register(person=person, intake=intake, now=now, **(defaults | values))


def a_standard_answer(*, unit: Organisation, by: Account, title: str = "就近入学", **values: Any) -> StandardAnswer:
    """What a unit answers again and again."""
    kept = StandardText(title=title, **({"text": "按实际居住地就近登记。"} | values))
    return keep_standard(unit=unit, kept=kept, by=by.actor, now=BEFORE)


def a_part(*, case: Case, by: Account) -> CasePart:
    """What a co-handler, the intake desk, is asked for."""
    values = {"question": "请说明。", "asked_at": BEFORE, "due_at": BEFORE, "due_days": 1}
    return _kept(CasePart(case=case, unit=case.intake, asked_by_id=by.id, **values))


def a_pairing(
    *,
    leader: Account,
    person: Person,
    liaison_officer: Account | None = None,
    rhythm: Rhythm = Rhythm.MONTHLY,
    starts_on: date = date(2026, 11, 1),
    organisation: Organisation | None = None,
) -> Pairing:
    """A living pairing of the leader's organisation, to meet once a month."""
    return _kept(
        Pairing(
            organisation=organisation or leader.organisation,
            leader=leader,
            liaison_officer=liaison_officer,
            person=person,
            rhythm=rhythm,
            starts_on=starts_on,
            created_at=BEFORE,
        )
    )


def a_planned_visit(*, pairing: Pairing, day: date = date(2026, 12, 1), **values: Any) -> PlannedVisit:
    """A visit the pairing's leader planned for the first of December."""
    defaults = {"planned_by": pairing.leader, "planned_at": BEFORE, "uid": f"plan-{next(_number)}", "sequence": 0}
    return _kept(PlannedVisit(pairing=pairing, day=day, **(defaults | values)))


def a_visit(*, leaders: Sequence[Account], talents: Sequence[Person], at: datetime = BEFORE, **values: Any) -> Visit:
    """A visit that the first leader logged, with nothing asked and nothing noted."""
    return _kept(
        Visit(
            **{
                "organisation_id": leaders[0].organisation_id,
                "account": leaders[0],
                "form_token": f"form-token-number-{next(_number)}",
                "at": at,
                "way": VisitWay.VISIT,
                "logged_at": at,
                "leaders": [VisitLeader(account=leader) for leader in leaders],
                "talents": [VisitTalent(person=talent) for talent in talents],
                **values,
            }
        )
    )


def a_consent_text(purpose: str = "registration", **values: Any) -> ConsentText:
    """The first version of what people are asked to agree to, in Chinese."""
    defaults = {"version": 1, "language": "zh_Hans_CN", "text": "我们只为这场活动使用您的信息。", "kept_months": 6}
    return _kept(ConsentText(purpose=purpose, valid_from=BEFORE, **(defaults | values)))
