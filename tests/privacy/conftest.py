"""A person whom every feature knows something about, written down by the features themselves."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from outreach.cases import operations as cases
from outreach.cases.models import Case
from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.door.models import Arrival, facts_covered
from outreach.door.rules import EntryWay
from outreach.events.models import Event
from outreach.exports import operations as exports
from outreach.exports.rules import Format
from outreach.exports.rules.offers import offer_of
from outreach.kernel import history, outbox
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import db
from outreach.liaison.models import Visit
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from outreach.people import operations as people
from outreach.people.models import ContactPoint, Person
from outreach.people.rules import Revealable
from outreach.registration import operations as registration
from outreach.registration.models import Registration
from tests import factories
from tests.conftest import NOW
from tests.intake.files import a_workbook, landed, work_off

NAME, PHONE, MAIL, IDENTITY = "欧阳思齐", "+8619912345678", "siqi.ouyang@example.com", "431399197012280240"
COLLEAGUE = "陈松年"


@dataclass
class Life:
    """The person, the people around them, and what they did."""

    office: Organisation
    organiser: Account
    leader: Account
    handler: Account
    person: Person
    number: ContactPoint
    colleague: Person
    past: Event
    coming: Event
    came: Registration
    place: Registration
    answered: Case
    open: Case
    alone: Visit
    together: Visit

    @property
    def by(self) -> Actor:
        """The person as an author."""
        return Actor(ActorKind.ATTENDEE, self.number.id)


@pytest.fixture
def life(city) -> Life:
    """Somebody from a ledger, with places, requests, visits, looks, lists, consents and messages."""
    people.seed_consent_texts(now=factories.BEFORE)
    office = city.lead_organisation
    organiser = factories.an_account("何清越", organisation=office, roles=[Role.ORGANISER])
    leader = factories.an_account("周启明", organisation=office, roles=[Role.LEADER])
    bureau = factories.an_organisation("市教育局", parent=office)
    handler = factories.an_account("马文澜", organisation=bureau, roles=[Role.HANDLER])
    person = _from_a_ledger(organiser)
    number = next(c.contact_point for c in person.contacts if c.contact_point.value == PHONE)
    past = factories.an_event("秋季招聘会", organisation=office, author=organiser, starts_at=NOW - timedelta(days=9))
    coming = factories.an_event("百名博士进雁城", organisation=office, author=organiser, groups=[("博士", 1)])
    came = factories.a_registration(event=past, person=person, contact_point=number)
    _arrived(came)
    place = _registered(person, number, coming)
    answered, still_open = _asked(person, number, office, organiser, bureau, handler)
    colleague = factories.a_person(COLLEAGUE, organisation=office, at=factories.a_contact_point())
    for talent in (person, colleague):
        factories.a_pairing(leader=leader, person=talent)
    alone = factories.a_visit(
        leaders=[leader], talents=[person], situation=f"{NAME}说家里老人住院。", advice="路修宽一点", companions="小刘"
    )
    together = factories.a_visit(
        leaders=[leader],
        talents=[person, colleague],
        situation=f"欧阳 思齐想换住处，电话 199 1234 5678；{COLLEAGUE}一切都好。",
        companions=f"司机，{NAME}的同事",
    )
    _looked_at(person, organiser)
    db.session.commit()
    work_off()
    return Life(
        office, organiser, leader, handler, person, number, colleague, past, coming, came, place, answered,
        still_open, alone, together,
    )  # fmt: skip


def _from_a_ledger(organiser: Account) -> Person:
    rows = [
        ["姓名", "手机", "邮箱", "身份证号", "工作单位", "职务", "备注"],
        [NAME, PHONE.removeprefix("+86"), MAIL, IDENTITY, "雁城新材", "总工", f"{NAME}是引进人才"],
        [COLLEAGUE + "甲", "19912340000", None, None, "雁城新材", None, "特聘"],
    ]
    landed(a_workbook(rows), organiser, filename=f"{NAME}等人名单.xlsx")
    return db.session.query(Person).filter_by(name=NAME).one()


def _registered(person: Person, number: ContactPoint, event: Event) -> Registration:
    by = Actor(ActorKind.ATTENDEE, number.id)
    made = registration.register(
        event=event, group=event.groups[0], person=person, contact_point=number, by=by, now=NOW
    )
    people.give_consent(person=person, purpose="registration", contact_point=number, about=f"event:{event.id}", now=NOW)
    return made


def _arrived(registered: Registration) -> None:
    facts = {
        "event_id": registered.event_id,
        "registration_id": registered.id,
        "at": registered.event.starts_at,
        "received_at": registered.event.starts_at,
        "way": EntryWay.SCANNED,
        "by_kind": ActorKind.SYSTEM,
        "by_id": None,
        "door_pass_id": None,
    }
    db.session.add(Arrival(**facts, hash=history.keyed_hash(facts_covered(**facts))))
    db.session.flush()


def _asked(
    person: Person,
    number: ContactPoint,
    office: Organisation,
    organiser: Account,
    bureau: Organisation,
    handler: Account,
) -> tuple[Case, Case]:
    by = Actor(ActorKind.ATTENDEE, number.id)
    made = [
        cases.register(
            person=person,
            contact_point=number,
            topic=Topic.SCHOOLING,
            title=f"{NAME}的孩子上学",
            words=f"我是{NAME}，女儿明年六岁，电话 19912345678。",
            source=CaseSource.PUBLIC_FORM,
            intake=office,
            by=by,
            now=NOW,
        )
        for _ in range(2)
    ]
    answered, still_open = made
    people.give_consent(person=person, purpose="request", contact_point=number, about=f"case:{answered.id}", now=NOW)
    cases.assign(
        case=answered, unit=bureau, version=answered.version, by=organiser.actor, now=NOW, note=f"请联系{NAME}"
    )
    cases.accept(case=answered, version=answered.version, by=handler.actor, now=NOW)
    cases.reply(
        case=answered,
        kind=AnswerKind.IMPOSSIBLE,
        text=f"{NAME}同志，学位已满。",
        rule=f"招生办法第三条（{NAME}）",
        version=answered.version,
        by=handler.actor,
        now=NOW,
    )
    later = NOW + timedelta(hours=1)
    cases.log_attempt(
        case=answered,
        channel=ReachChannel.TELEPHONE,
        reached=True,
        at=later,
        by=organiser.actor,
        now=later,
        note=f"{NAME}接的电话",
    )
    cases.take_feedback(
        case=answered,
        solved=True,
        satisfaction=Satisfaction.SATISFIED,
        words=f"谢谢，{NAME}",
        by=by,
        now=later,
    )
    return answered, still_open


def _looked_at(person: Person, organiser: Account) -> None:
    people.look(
        person=person,
        viewer=organiser,
        what=Revealable.CONTACT,
        reason=f"给{NAME}打电话",
        now=NOW,
        which=person.contacts[0].id,
    )
    exports.ask(
        offer=offer_of("people"),
        kind=Format.CSV,
        title="人才名册",
        arguments={"q": NAME},
        narrowed=[("查找", NAME)],
        columns=["name", "phone"],
        in_full=[],
        reason=f"报送{NAME}等人的名单",
        account_id=organiser.id,
        account_name=organiser.name,
        organisation_id=organiser.organisation_id,
        organisation_name=organiser.organisation.name,
        language="zh_Hans_CN",
        by=organiser.actor,
        now=NOW,
    )


def worked_off(until=NOW) -> None:
    """Let a worker do everything that is due by a moment."""
    while (work := outbox.claim(now=until)) is not None:
        outbox.perform(work, now=until)
