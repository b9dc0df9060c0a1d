"""Building the city of the demo: everything goes through the operations that people's own clicks go through.

What happened in the past is done with the moments at which it happened, so the history, the deadlines and
the rates are what they would have been.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta

from outreach.cases import operations as cases
from outreach.cases.models import Case
from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.demo import cast
from outreach.demo.cast import Ask, Show
from outreach.door import operations as door
from outreach.door import queries as door_queries
from outreach.door.rules import EntryWay
from outreach.events import operations as events
from outreach.events.models import Event
from outreach.events.rules import EventPlan, GroupPlan, Visibility
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.database import db
from outreach.liaison import operations as liaison
from outreach.liaison.models import Pairing
from outreach.liaison.operations.planning import plan
from outreach.liaison.operations.visits import confirm
from outreach.liaison.rules import Ask as Asked
from outreach.liaison.rules import PairingKind, VisitWay
from outreach.organisations import operations as organisations
from outreach.organisations import queries as organisation_queries
from outreach.organisations.models import Account, Organisation
from outreach.people import operations as people
from outreach.people.models import ContactPoint, Person
from outreach.people.queries import CHINESE, talent_classes
from outreach.people.rules import BY_THEMSELVES, ContactKind, Degree, Gender, Revealable, Through
from outreach.programmes import operations as programmes
from outreach.programmes.models import Programme
from outreach.registration import operations as registration
from outreach.registration.models import Registration
from outreach.registration.rules import RegistrationState
from outreach.signing_in import operations as signing_in
from outreach.venues import operations as venues
from outreach.venues.models import Venue

PEOPLE = 300
MOST_GUESTS = 45
CONFIRMED_AFTER = 10
"""Visits that a secretary wrote down so many working days ago have been confirmed by their leader."""
"""How many register for one group at the most: enough to look alive, few enough to be built in seconds."""
SEED = 20261121
"""The same city every time."""


class City:
    """The city while it is being built: what later steps need of earlier ones."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.today = office_day(now)
        self.calendar = working_calendar()
        self.chance = random.Random(SEED)  # noqa: S311 -- dice for a demo, not a secret
        self.units: dict[str, Organisation] = {}
        self.clerks: dict[str, Account] = {}
        self.talents: list[Person] = []
        self.programmes: dict[str, Programme] = {}
        self.venues: list[Venue] = []

    def at(self, days: int, clock: str) -> datetime:
        """Return the moment some days from today at an office time, "19:00"."""
        day = self.today + timedelta(days=days)
        return datetime.combine(day, time.fromisoformat(clock), tzinfo=OFFICE).astimezone(UTC)

    def workday(self, days_ago: int, later: int = 0, clock: str = "10:00") -> datetime:
        """Return a moment in office hours: the first working day from `days_ago`, and working days after it."""
        day = self.today - timedelta(days=days_ago)
        if not self.calendar.is_working_day(day):
            day = self.calendar.next_working_day(day)
        for _ in range(later):
            day = self.calendar.next_working_day(day)
        return datetime.combine(day, time.fromisoformat(clock), tzinfo=OFFICE).astimezone(UTC)

    def past(self, moment: datetime) -> datetime:
        """Return the moment, or just now where it would lie ahead."""
        return min(moment, self.now - timedelta(minutes=1))

    def by(self, username: str) -> Actor:
        """Return a clerk as the author of a change."""
        return self.clerks[username].actor


def build(*, now: datetime) -> None:
    """Build the city around this moment."""
    city = City(now)
    _offices(city)
    _people(city)
    _written_down_twice(city)
    _looked_at(city)
    _programmes(city)
    for show in sorted(cast.SHOWS, key=lambda show: show.days):
        _event(city, show)
        db.session.flush()
    _unfinished_events(city)
    _children(city)
    _pairings(city)
    _requests(city)


def accounts_in_words() -> str:
    """Return the accounts of the demo as lines for a terminal."""
    lines = [f"  {clerk.username:<12} {clerk.unit} {clerk.name}，{clerk.position}" for clerk in cast.CLERKS]
    return "\n".join(
        [
            "账号（密码都是 " + cast.PASSWORD + "）· accounts (one password for all):",
            *lines,
            "参加者用任意 199 开头的手机号登录，验证码由 admin 在 /desk/sms 看到。",
            "Attendees sign in by any mobile number; admin finds their codes at /desk/sms.",
        ]
    )


def _offices(city: City) -> None:
    opened = city.now - timedelta(days=400)
    installation = organisations.set_up(
        city_name=cast.CITY,
        name=cast.LEAD.name,
        short_name=cast.LEAD.short,
        brand_colour="#0b5a6f",
        language="zh_Hans_CN",
        by=SYSTEM,
        now=opened,
    )
    installation.is_demo = True  # its passwords are known to everybody: refused where others depend on it
    installation.office_address = "雁城市江畔路 18 号市民中心 2 楼"
    installation.office_phone = "0734-812 3456"
    installation.office_hours = "工作日 8:30–17:30"
    root = organisation_queries.lead_organisation()
    city.units[cast.LEAD.short] = root
    for unit in cast.UNITS:
        city.units[unit.short] = organisations.create_organisation(
            name=unit.name, short_name=unit.short, kind=unit.kind, parent=root, by=SYSTEM, now=opened
        )
    for number, clerk in enumerate(cast.CLERKS):
        unit = city.units[clerk.unit]
        account = organisations.create_account(
            name=clerk.name,
            username=clerk.username,
            organisation=unit,
            roles=[(role, unit) for role in clerk.roles],
            position=clerk.position,
            phone=cast.NUMBERS.format(90000 + number),
            email=None,
            by=SYSTEM,
            now=opened,
        )
        signing_in.set_first_password(account=account, password=cast.PASSWORD, now=opened)
        city.clerks[clerk.username] = account
    people.seed_consent_texts(now=opened)
    people.seed_classes_and_fields()
    cases.save_routes(
        intake=root,
        units={topic: city.units[name] for topic, name in cast.ROUTES.items()},
        by=city.by("organiser"),
        now=opened,
    )


def _people(city: City) -> None:
    names = [surname + given for surname in cast.SURNAMES for given in cast.GIVEN]
    city.chance.shuffle(names)
    classes = talent_classes()
    keepers = [city.units[name] for name in ("市委人才办", "市委人才办", "高新区", "清江县", "石鼓区")]
    for number in range(PEOPLE):
        came = city.workday(city.chance.randrange(60, 390))
        point = people.contact_point(kind=ContactKind.PHONE, value=cast.NUMBERS.format(number), now=came)
        person = people.person_at(
            contact_point=point,
            name=names[number],
            organisation=keepers[number % len(keepers)],
            source="official",
            now=came,
            by=city.by("organiser"),
        )
        person.gender = city.chance.choice(list(Gender))
        person.birth = f"{city.chance.randrange(1966, 2003)}-{city.chance.randrange(1, 13):02}"
        person.degree = city.chance.choices([Degree.DOCTOR, Degree.MASTER, Degree.BACHELOR], [5, 3, 2])[0]
        person.school = city.chance.choice(cast.SCHOOLS)
        person.home_town = city.chance.choice([None, *cast.HOME_TOWNS])
        person.major = city.chance.choice(cast.FIELDS)
        person.employer = city.chance.choice(cast.EMPLOYERS)
        if person.home_town in cast.AWAY and len(city.talents) % 3 == 0:
            person.residence, person.employer = cast.AWAY[person.home_town]
        person.talent_class = city.chance.choices([*classes, None], [1, 2, 4, 3])[0]
        city.talents.append(person)
    db.session.flush()


def _written_down_twice(city: City) -> None:
    """Three people who were written down a second time, for a clerk to decide about."""
    for number, keeper in ((12, "高新区"), (45, "清江县"), (78, "市委人才办")):
        known = city.talents[number]
        known.birth = f"{known.birth}-17"  # a whole date of birth beside a name says much; a month alone does not
        again = people.add(
            organisation=city.units[keeper],
            name=known.name,
            phone=None if number == 78 else known.phone,
            email=f"talent{number}@example.com",
            values={"birth": known.birth, "employer": cast.EMPLOYERS[number % len(cast.EMPLOYERS)]},
            by=city.by("organiser"),
            now=city.workday(20 + number),
        )
        again.degree = known.degree
    db.session.flush()


def _looked_at(city: City) -> None:
    """Somebody needed a whole number, and said what for: the person sees it on the phone."""
    for username, number, reason in cast.LOOKS:
        person = city.talents[number]
        people.look(
            person=person,
            viewer=city.clerks[username],
            what=Revealable.CONTACT,
            reason=reason,
            which=person.contacts[0].id,
            now=city.workday(3 + number // 10, clock="15:10"),
        )


def _programmes(city: City) -> None:
    lead = city.units["市委人才办"]
    for name, summary, motif in cast.PROGRAMMES:
        city.programmes[name] = programmes.create(
            name=name, summary=summary, motif=motif, organisation=lead, by=city.by("organiser"), now=city.now
        )
    for name, address, way in cast.VENUES:
        city.venues.append(
            venues.create(
                name=name,
                address=address,
                how_to_get_there=way,
                organisation=lead,
                by=city.by("organiser"),
                now=city.now,
            )
        )


def _plan(city: City, show: Show) -> EventPlan:
    starts, ends = city.at(show.days, show.hours[0]), city.at(show.days + show.ends_days_later, show.hours[1])
    if show.days == 0:  # whatever the hour, tonight's event is about to begin
        starts = (city.now + timedelta(minutes=50)).replace(minute=0, second=0, microsecond=0)
        ends = starts + timedelta(hours=3)
    programme = city.programmes.get(show.programme or "")
    return EventPlan(
        title=show.title,
        subtitle=show.subtitle,
        kind=show.kind,
        mode=show.mode,
        direction=show.direction,
        visibility=Visibility.PUBLIC,
        programme_id=programme.id if programme else None,
        venue_id=city.venues[show.venue].id if isinstance(show.venue, int) else None,
        place=show.venue if isinstance(show.venue, str) else None,
        online_url="https://live.example.cn/yancheng" if show.mode is not show.mode.ON_SITE else None,
        host=cast.LEAD.short,
        about=show.about,
        starts_at=starts,
        ends_at=ends,
        doors_open_at=min(starts - timedelta(minutes=20), city.now - timedelta(minutes=30)) if show.days == 0 else None,
        groups=tuple(GroupPlan(name=name, about=about, capacity=places) for name, about, places, _ in show.groups),
    )


def _event(city: City, show: Show) -> Event:
    plan = _plan(city, show)
    opened = city.past(min(plan.starts_at, city.now) - timedelta(days=21))
    event = events.create(plan=plan, organisation=city.units["市委人才办"], by=city.by("organiser"), now=opened)
    events.submit(event=event, by=city.by("organiser"), now=opened + timedelta(hours=2))
    db.session.flush()
    events.approve(event=event, seen=event.version, by=city.by("admin"), now=opened + timedelta(hours=5))
    _registrations(city, event, show, opened + timedelta(hours=6))
    if plan.ends_at < city.now:
        events.finish(event=event, by=city.by("organiser"), now=city.past(plan.ends_at + timedelta(hours=1)))
    return event


def _registrations(city: City, event: Event, show: Show, first: datetime) -> None:
    guests = iter(city.chance.sample(city.talents, len(city.talents)))
    last = min(event.starts_at, city.now)
    taken: list[tuple[datetime, Registration]] = []
    for group, (_, _, capacity, fullness) in zip(event.groups, show.groups, strict=True):
        wanted = min(round(capacity * fullness), MOST_GUESTS)
        moments = sorted(first + (last - first) * city.chance.random() for _ in range(wanted))
        for moment, person in zip(moments, guests, strict=False):
            point = _number_of(person)
            made = registration.register(
                event=event,
                group=group,
                person=person,
                contact_point=point,
                by=Actor(ActorKind.ATTENDEE, point.id),
                now=moment,
                through=_through(city),
            )
            people.give_consent(
                person=person, purpose="registration", contact_point=point, about=f"event:{event.id}", now=moment
            )
            taken.append((moment, made))
    _arrivals(city, event, taken)


def _through(city: City) -> Through:
    """Return through whom somebody came: most by themselves, some by a station, a few by its ambassador."""
    ways = (Through(organisation_id=city.units["雁城理工"].id), Through(account_id=city.clerks["envoy"].id))
    return city.chance.choices([BY_THEMSELVES, *ways], weights=[7, 2, 1])[0]


def _children(city: City) -> None:
    """Let parents register their children for an afternoon at the university."""
    plan = EventPlan(
        title="小小科学家开放日",
        kind=cast.SHOWS[0].kind,
        starts_at=city.at(12, "14:30"),
        ends_at=city.at(12, "17:00"),
        venue_id=city.venues[0].id,
        about="人才家的孩子进实验室看一看，家长一起来。",
        groups=(GroupPlan(name="孩子", capacity=30),),
        asks_birth=True,
    )
    planned = city.workday(4)
    event = events.create(plan=plan, organisation=city.units["市委人才办"], by=city.by("organiser"), now=planned)
    events.submit(event=event, by=city.by("organiser"), now=planned)
    db.session.flush()
    events.approve(event=event, seen=event.version, by=city.by("admin"), now=city.workday(3))
    for number, name in enumerate(("林小满", "沈谷雨", "温知夏")):
        parent = city.talents[number]
        point, moment = _number_of(parent), city.workday(2)
        by, about = Actor(ActorKind.ATTENDEE, point.id), f"event:{event.id}"
        child = people.person_at(
            contact_point=point,
            name=name,
            organisation=event.organisation,
            source=f"registration:{event.id}",
            now=moment,
            by=by,
        )
        people.note_birth(person=child, birth=f"{city.today.year - 8 - number}-05-1{number}", by=by, now=moment)
        guardian = people.answer_for(
            child=child, name=parent.name, agrees=True, contact_point=point, about=about, now=moment, language=CHINESE
        )
        registration.register(
            event=event,
            group=event.groups[0],
            person=child,
            contact_point=point,
            by=by,
            now=moment,
            guardian=guardian,
        )
        people.give_consent(person=child, purpose="registration", contact_point=point, about=about, now=moment)


def _arrivals(city: City, event: Event, taken: Iterable[tuple[datetime, Registration]]) -> None:
    """Enrol two volunteers' phones and let in most of those who hold a place, at two gates."""
    if event.starts_at > city.now + timedelta(hours=2):
        return
    began = min(event.starts_at, city.now)
    invitation = door_queries.invitation_by_token(
        door.invite(event=event, by=city.by("organiser"), now=began - timedelta(hours=1)),
        now=began - timedelta(hours=1),
    )
    phones = [
        door_queries.pass_by_token(
            door.enrol(invitation=invitation, name=name, gate=gate, now=began - timedelta(minutes=55)), now=began
        )
        for name, gate in (("王小雨", "东门"), ("李知夏", "西门"))
    ]
    share = 0.85 if event.ends_at < city.now else 0.4
    came = [
        (began - timedelta(minutes=min(45, max(1, round(city.chance.gauss(14, 9))))), made.short_code)
        for _, made in taken
        if made.state is RegistrationState.CONFIRMED and city.chance.random() < share
    ]
    for moment, code in sorted(came):
        phone = city.chance.choice(phones)
        door.admit(scans=[door.Scan(pass_hash=phone.token_hash, text=code, way=EntryWay.TYPED, at=moment)])


def _unfinished_events(city: City) -> None:
    """Add one event in each state that the others do not show: a draft, one that waits, one that was called off."""
    lead = city.units["市委人才办"]
    for days, title in ((35, "人才会客厅：老厂房的新租客"), (42, "博士后出站招待会"), (10, "引才长征：江南理工大学站")):
        plan = EventPlan(
            title=title,
            kind=cast.SHOWS[0].kind,
            starts_at=city.at(days, "19:00"),
            ends_at=city.at(days, "21:00"),
            venue_id=city.venues[0].id,
            about="先记下来，细节还在商量。",
            groups=(GroupPlan(name="博士", capacity=20), GroupPlan(name="企业代表", capacity=10)),
        )
        event = events.create(plan=plan, organisation=lead, by=city.by("organiser"), now=city.workday(3))
        if days != 35:
            events.submit(event=event, by=city.by("organiser"), now=city.workday(2))
        if days == 10:
            db.session.flush()
            events.approve(event=event, seen=event.version, by=city.by("admin"), now=city.workday(2, clock="15:00"))
            events.cancel(
                event=event, reason="学校当天有校运会，改到明年春天。", by=city.by("organiser"), now=city.workday(1)
            )


def _pairings(city: City) -> None:
    """Pair leaders with talents: some seen lately, some overdue, some never met."""
    lead = city.units["市委人才办"]
    pairs = (("leader", "liaison", 6), ("leader2", "liaison2", 5))
    classed = iter([person for person in city.talents if person.talent_class and person.organisation_id == lead.id])
    for leader, officer, count in pairs:
        for number in range(count):
            person = next(classed)
            pairing = liaison.pair(
                leader=city.clerks[leader],
                person=person,
                liaison_officer=city.clerks[officer],
                kind=PairingKind.LEADER,
                rhythm=person.talent_class.rhythm,
                starts_on=city.today - timedelta(days=300 - 40 * number),
                organisation=lead,
                by=city.by("organiser"),
                now=city.workday(300 - 40 * number),
            )
            if number == 1:
                plan(
                    pairing=pairing,
                    day=city.today + timedelta(days=4),
                    hour=None,
                    note="带上人才公寓的清单。",
                    knowing=True,
                    by=city.clerks[officer],
                    now=city.workday(1),
                )
            if number != count - 1:
                _visit(city, pairing, days=(5, 55, 20, 130, 75)[number % 5], asks=())


def _visit(city: City, pairing: Pairing, *, days: int, asks: Sequence[Ask]) -> list[Case]:
    moment = city.past(city.workday(days, clock="15:00"))
    visit = liaison.log_visit(
        account=pairing.liaison_officer,
        form_token=liaison.fresh_form_token(),
        pairings=[pairing],
        at=moment,
        way=city.chance.choice(list(VisitWay)),
        companions="人才办陈舒",
        asks=[Asked(person_id=pairing.person_id, topic=ask.topic, words=ask.words) for ask in asks],
        situation="团队稳定，今年新招了两名博士。家里都好。",
        advice=None,
        advised_by=None,
        confidential=False,
        now=city.past(moment + timedelta(minutes=40)),
    )
    if days > CONFIRMED_AFTER:
        confirm(visit=visit, leader=pairing.leader, now=city.past(moment + timedelta(hours=3)))
    return [link.case for link in visit.asked]


def _requests(city: City) -> None:
    # those who were visited for it; the others stay as long unseen as they are
    pairings = [
        pairing
        for number, pairing in enumerate(db.session.scalars(db.select(Pairing).order_by(Pairing.id)))
        if number % 6 < 3
    ]
    lead = city.units["市委人才办"]
    for number, ask in enumerate(sorted(cast.ASKS, key=lambda ask: -ask.days)):
        if number % 3 and ask.topic is not Topic.ADVICE:
            (case,) = _visit(city, pairings[number % len(pairings)], days=ask.days, asks=[ask])
        else:
            person = city.talents[number * 7]
            point = _number_of(person)
            case = cases.register(
                person=person,
                contact_point=point,
                topic=ask.topic,
                title=ask.title,
                words=ask.words,
                source=CaseSource.PUBLIC_FORM,
                intake=lead,
                by=Actor(ActorKind.ATTENDEE, point.id),
                now=city.past(city.workday(ask.days, clock="10:20")),
            )
        db.session.flush()
        _go(city, case, ask)


def _go(city: City, case: Case, ask: Ask) -> None:
    """Take a request as far as it has come."""
    if ask.reaches == "registered":
        return
    lead = city.units["市委人才办"]
    step = Steps(city, case, ask.days)
    if case.lead is None:
        cases.assign(case=case, unit=lead, version=case.version, by=city.by("supervisor"), now=step.after(0, "16:30"))
    handler = _handler(city, case)
    if ask.reaches == "assigned":
        return
    if ask.reaches == "returned":
        cases.return_case(
            case=case,
            ground="这件事归社保经办中心，不在我科职责内。",
            version=step.version,
            by=handler,
            now=step.after(1, "09:40"),
        )
        return
    if ask.reaches == "disputed":
        _dispute(city, case, step)
        return
    if ask.reaches == "withdrawn":
        cases.withdraw(case=case, words="单位已经帮我办好了。", by=_person(case), now=step.after(1, "11:00"))
        return
    cases.accept(case=case, version=step.version, by=handler, now=step.after(1, "09:12"))
    if ask.answer is None:
        _wait_for_others(city, case, ask, step)
        return
    if ask.reaches == "drafted":
        cases.want_approval(unit=case.lead, wanted=True, by=city.by("supervisor"), now=step.after(1))
    kind, text, rule = ask.answer
    cases.reply(
        case=case,
        kind=kind,
        text=text,
        rule=rule,
        promised_on=_promised(city, kind),
        version=step.version,
        by=handler,
        now=step.after(3, "15:20"),
    )
    if ask.reaches != "drafted":
        _hear(city, case, ask, step)


def _dispute(city: City, case: Case, step: "Steps") -> None:
    """Have two units say that it is not theirs."""
    office = city.units["市委人才办"]
    for number, unit in enumerate((case.lead, office), start=1):
        if number > 1:
            cases.assign(case=case, unit=unit, version=step.version, by=city.by("supervisor"), now=step.after(2))
        cases.return_case(
            case=case,
            ground="转诊由医保部门审批，不归我们管。" if number == 1 else "医保和卫健各执一词，请裁定由谁牵头。",
            version=step.version,
            by=_handler(city, case),
            now=step.after(number, "16:10"),
        )


def _wait_for_others(city: City, case: Case, ask: Ask, step: "Steps") -> None:
    """Have the unit wait for what others say, or for more time."""
    handler = _handler(city, case)
    if ask.reaches == "co_handled":
        others = [unit for unit in (city.units["市人社局"], city.units["市金融办"]) if unit.id != case.lead_id]
        asked = step.after(1, "10:00")
        parts = [
            cases.ask_unit(case=case, unit=unit, question="配套经费拨到哪一步了？", by=handler, now=asked)
            for unit in others
        ]
        words = "指标已下达，本月底前拨付到单位账户。"
        cases.give_part(part=parts[0], text=words, by=city.by("supervisor"), now=step.after(2, "15:00"))
    elif ask.reaches == "more_time":
        cases.ask_extension(
            case=case,
            days=5,
            reason="编制核定要等本月 28 日的编委会。",
            version=step.version,
            by=handler,
            now=step.after(3, "11:30"),
        )


def _hear(city: City, case: Case, ask: Ask, step: "Steps") -> None:
    """Let the person say, or not say, what became of it."""
    if ask.reaches == "unreached":
        for later, channel in ((4, ReachChannel.TELEPHONE), (5, ReachChannel.SMS)):
            moment = step.after(later, "10:30")
            cases.log_attempt(
                case=case,
                channel=channel,
                reached=False,
                at=moment,
                by=city.by("supervisor"),
                now=moment,
                note="没有回音",
            )
        cases.give_up_reaching(case=case, version=step.version, by=city.by("supervisor"), now=step.after(6, "10:00"))
        return
    if ask.reaches == "replied":
        return
    cases.open_answer(case=case, by=_person(case), now=step.after(3, "19:05"))
    content = ask.reaches == "closed"
    cases.take_feedback(
        case=case,
        solved=content,
        satisfaction=Satisfaction.SATISFIED if content else Satisfaction.DISSATISFIED,
        words=ask.says,
        by=_person(case),
        now=step.after(3, "19:08"),
    )
    if ask.reaches == "reopened":
        cases.reopen(
            case=case,
            reason="本人仍看不到结果，请再核一次。",
            version=step.version,
            by=city.by("supervisor"),
            now=step.after(4),
        )


class Steps:
    """The moments at which a request went on, none of them ahead."""

    def __init__(self, city: City, case: Case, days: int) -> None:
        self.city, self.case, self.days = city, case, days

    def after(self, working_days: int, clock: str = "10:00") -> datetime:
        """Return the moment some working days after the request was made."""
        return self.city.past(self.city.workday(self.days, working_days, clock))

    @property
    def version(self) -> int:
        """What the one who acts has seen of the request."""
        db.session.flush()
        return self.case.version


def _handler(city: City, case: Case) -> Actor:
    """Return who handles requests at the lead unit; the lead office's own by its organiser."""
    for account in city.clerks.values():
        if account.organisation_id == case.lead_id and any(grant.role == "handler" for grant in account.grants):
            return account.actor
    return city.by("organiser")


def _promised(city: City, kind: AnswerKind) -> date | None:
    return city.today + timedelta(days=60) if kind is AnswerKind.IN_PROGRESS else None


def _person(case: Case) -> Actor:
    return Actor(ActorKind.ATTENDEE, case.contact_point_id)


def _number_of(person: Person) -> ContactPoint:
    return person.contacts[0].contact_point
