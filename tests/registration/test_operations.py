from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.events.models import Event, PlaceGroup
from outreach.events.rules import EventState
from outreach.kernel import history, outbox
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.database import db
from outreach.notices.models import Message
from outreach.organisations.rules import Role
from outreach.people.models import Person
from outreach.people.queries import consents_of
from outreach.people.rules import InOtherHands
from outreach.registration import operations, queries
from outreach.registration.models import Registration
from outreach.registration.rules import (
    EventHasBegun,
    EventIsCancelled,
    EventNotOpen,
    GroupOfAnotherEvent,
    ReasonMissing,
    RegistrationClosed,
    RegistrationMoveRefused,
    RegistrationNotYetOpen,
    RegistrationState,
)
from tests.conftest import NOW
from tests.factories import (
    a_consent_text,
    a_contact_point,
    a_person,
    a_registration,
    an_account,
    an_event,
    an_organisation,
)

pytestmark = pytest.mark.usefixtures("session")

ATTENDEE = Actor(ActorKind.ATTENDEE, 1)
TOGETHER = 64
PLACES = 10


def an_open_event(**values) -> Event:
    office = an_organisation()
    return an_event(organisation=office, author=an_account(organisation=office, roles=[Role.ORGANISER]), **values)


def register(event: Event, name: str, *, group: int = 0, now: datetime = NOW) -> Registration:
    point = a_contact_point()
    person = a_person(name, organisation=event.organisation, at=point)
    return operations.register(
        event=event, group=event.groups[group], person=person, contact_point=point, by=ATTENDEE, now=now
    )


def told() -> list[tuple[str, str]]:
    return [
        (db.session.get_one(Person, message.person_id).name, message.kind)
        for message in db.session.scalars(sa.select(Message).order_by(Message.id))
    ]


def test_who_registers_gets_a_place_and_is_told():
    event = an_open_event()

    registration = register(event, "林知遥")

    assert registration.state is RegistrationState.CONFIRMED
    assert registration.confirmed_at == NOW
    assert told() == [("林知遥", "registration_confirmed")]
    assert [line.act for line in history.lines_of(registration.subject)] == ["registration.registered"]


def test_who_comes_when_the_group_is_full_waits_with_a_number():
    event = an_open_event(groups=[("博士", 1)])
    register(event, "林知遥")

    second, third = register(event, "沈亦凡"), register(event, "许望舒")

    assert [second.state, third.state] == [RegistrationState.WAITLISTED] * 2
    assert [queries.position_in_line(second), queries.position_in_line(third)] == [1, 2]
    assert told()[1:] == [("沈亦凡", "registration_waitlisted"), ("许望舒", "registration_waitlisted")]


def an_application(event: Event, name: str, *, point: int | None = None, group: int = 0) -> operations.Application:
    return operations.Application(
        event_id=event.id,
        organisation_id=event.organisation_id,
        group_id=event.groups[group].id,
        contact_point_id=point or a_contact_point().id,
        holding=1,
        name=name,
        language="zh_Hans_CN",
    )


def test_those_who_apply_in_one_transaction_stand_in_the_order_they_came():
    event = an_open_event(groups=[("博士", 2), ("企业", 1)])
    a_consent_text()
    names = ["林知遥", "沈亦凡", "许望舒", "周明", "欧阳若水"]
    applications = [an_application(event, name, group=name == "周明") for name in names]

    tokens = operations.take_down(applications=applications, now=NOW)

    made = [queries.by_ticket(token) for token in tokens]
    assert [each.person.name for each in made] == names
    confirmed, waits = RegistrationState.CONFIRMED, RegistrationState.WAITLISTED
    assert [each.state for each in made] == [confirmed, confirmed, waits, confirmed, waits]
    assert [queries.position_in_line(each) for each in made] == [None, None, 1, None, 2]
    numbers = [message.values["number"] for message in db.session.scalars(sa.select(Message).order_by(Message.id))]
    assert numbers == [None, None, 1, None, 2]
    assert [line.actor_id for each in made for line in history.lines_of(each.subject)] == [
        each.contact_point_id for each in made
    ]
    assert all(len(consents_of(each.person)) == 1 for each in made)


def test_who_presses_twice_in_one_transaction_has_one_ticket_and_one_message():
    event = an_open_event()
    a_consent_text()
    twice = an_application(event, "林知遥")

    first, other, second = operations.take_down(applications=[twice, an_application(event, "沈亦凡"), twice], now=NOW)

    assert first == second != other
    assert [name for name, _ in told()] == ["林知遥", "沈亦凡"]
    [consent] = consents_of(queries.by_ticket(first).person)
    assert consent.about == f"event:{event.id}"


def test_whose_number_changed_hands_meanwhile_is_refused_and_nothing_is_kept():
    event = an_open_event()
    a_consent_text()
    point = a_contact_point()
    point.holding += 1
    db.session.commit()

    with pytest.raises(InOtherHands):
        operations.take_down(applications=[an_application(event, "林知遥", point=point.id)], now=NOW)
    db.session.rollback()

    assert db.session.scalar(sa.select(sa.func.count(Registration.id))) == 0


def test_sixteen_who_apply_together_ask_little_more_than_one(statements: Callable):
    event = an_open_event(groups=[("博士", 5)])
    a_consent_text()
    first, *others = [an_application(event, f"客人{number}") for number in range(17)]
    db.session.commit()

    with statements() as one:
        operations.take_down(applications=[first], now=NOW)
        db.session.commit()
    with statements() as sixteen:
        operations.take_down(applications=others, now=NOW)
        db.session.commit()

    # On PostgreSQL they are the same statements; SQLite inserts some rows one by one, with no journey to anywhere.
    assert len(sixteen) <= len(one) * (1 if db.engine.name == "postgresql" else 8)


def test_a_full_group_takes_no_place_from_another():
    event = an_open_event(groups=[("博士", 1), ("企业", 1)])
    register(event, "林知遥")

    other = register(event, "沈亦凡", group=1)

    assert other.state is RegistrationState.CONFIRMED


def test_a_freed_place_goes_to_the_first_in_line_at_once_and_they_are_told():
    event = an_open_event(groups=[("博士", 1)])
    first, second, third = register(event, "林知遥"), register(event, "沈亦凡"), register(event, "许望舒")

    operations.cancel(registration=first, by=ATTENDEE, now=NOW)

    assert [first.state, second.state] == [RegistrationState.CANCELLED, RegistrationState.CONFIRMED]
    assert queries.position_in_line(third) == 1
    assert told()[3:] == [("林知遥", "registration_cancelled"), ("沈亦凡", "registration_promoted")]


def test_leaving_the_waiting_list_frees_no_place():
    event = an_open_event(groups=[("博士", 1)])
    register(event, "林知遥")
    second, third = register(event, "沈亦凡"), register(event, "许望舒")

    operations.cancel(registration=second, by=ATTENDEE, now=NOW)

    assert third.state is RegistrationState.WAITLISTED
    assert queries.position_in_line(third) == 1


def test_nobody_moves_up_once_the_event_has_begun():
    event = an_open_event(groups=[("博士", 1)])
    first, second = register(event, "林知遥"), register(event, "沈亦凡")

    operations.cancel(registration=first, by=SYSTEM, reason="没有来", now=event.starts_at)

    assert second.state is RegistrationState.WAITLISTED


def test_nobody_withdraws_once_the_event_has_begun():
    event = an_open_event()
    registration = register(event, "林知遥")

    with pytest.raises(EventHasBegun):
        operations.cancel(registration=registration, by=ATTENDEE, now=event.starts_at)


def test_the_same_person_pressing_again_gets_the_same_ticket_and_no_second_message():
    event = an_open_event(groups=[("博士", 1), ("企业", 1)])
    first = register(event, "林知遥")

    again = operations.register(
        event=event,
        group=event.groups[1],
        person=first.person,
        contact_point=first.contact_point,
        by=ATTENDEE,
        now=NOW + timedelta(seconds=1),
    )

    assert again is first
    assert len(told()) == 1


def test_who_withdrew_may_come_back_at_the_end_of_the_line():
    event = an_open_event(groups=[("博士", 1)])
    first = register(event, "林知遥")
    register(event, "沈亦凡")
    register(event, "许望舒")
    operations.cancel(registration=first, by=ATTENDEE, now=NOW)

    back = operations.register(
        event=event, group=event.groups[0], person=first.person, contact_point=None, by=ATTENDEE, now=NOW
    )

    assert back is not first
    assert queries.position_in_line(back) == 2


def test_who_is_accepted_later_stands_later_though_the_clock_of_their_server_is_behind():
    event = an_open_event(groups=[("博士", 0)])
    first = register(event, "林知遥", now=NOW)

    second = register(event, "沈亦凡", now=NOW - timedelta(seconds=5))

    assert [queries.position_in_line(first), queries.position_in_line(second)] == [1, 2]


def test_another_person_may_use_the_same_number():
    event = an_open_event()
    first = register(event, "林知遥")
    colleague = a_person("沈亦凡", organisation=event.organisation, at=first.contact_point)

    second = operations.register(
        event=event,
        group=event.groups[0],
        person=colleague,
        contact_point=first.contact_point,
        by=ATTENDEE,
        now=NOW,
    )

    assert second is not first
    assert second.token != first.token


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        pytest.param({"state": EventState.CANCELLED}, EventIsCancelled, id="cancelled"),
        pytest.param({"state": EventState.DRAFT}, EventNotOpen, id="a draft"),
        pytest.param({"state": EventState.FINISHED}, EventNotOpen, id="finished"),
        pytest.param({"registration_opens_at": NOW + timedelta(1)}, RegistrationNotYetOpen, id="not yet open"),
        pytest.param({"registration_closes_at": NOW}, RegistrationClosed, id="closed at this very moment"),
        pytest.param({"starts_at": NOW}, RegistrationClosed, id="begun"),
    ],
)
def test_nobody_registers_when_registration_is_not_open(values: dict, refusal: type[Exception]):
    event = an_open_event(**values)

    with pytest.raises(refusal):
        register(event, "林知遥")


def test_a_group_of_another_event_is_refused():
    event, other = an_open_event(), an_open_event()
    person = a_person(organisation=event.organisation)

    with pytest.raises(GroupOfAnotherEvent):
        operations.register(event=event, group=other.groups[0], person=person, contact_point=None, by=ATTENDEE, now=NOW)


def a_reviewed_event(capacity: int = 1) -> Event:
    event = an_open_event(groups=[("博士", capacity)])
    event.groups[0].reviewed = True
    return event


def test_in_a_reviewed_group_a_registration_holds_its_place_until_somebody_has_looked():
    event = a_reviewed_event()

    registration, waiting = register(event, "林知遥"), register(event, "沈亦凡")

    assert [registration.state, waiting.state] == [RegistrationState.PENDING, RegistrationState.WAITLISTED]
    assert queries.places([event.id])[event.groups[0].id].free == 0


def test_confirming_tells_the_person():
    event = a_reviewed_event()
    registration = register(event, "林知遥")

    operations.confirm(registration=registration, by=SYSTEM, now=NOW)

    assert registration.state is RegistrationState.CONFIRMED
    assert told()[-1] == ("林知遥", "registration_confirmed")


def test_rejecting_calls_up_the_first_in_line_to_be_looked_at():
    event = a_reviewed_event()
    registration, waiting = register(event, "林知遥"), register(event, "沈亦凡")

    operations.reject(registration=registration, reason="这次只请博士", by=SYSTEM, now=NOW)

    assert [registration.state, waiting.state] == [RegistrationState.REJECTED, RegistrationState.PENDING]
    assert told()[2:] == [("林知遥", "registration_rejected"), ("沈亦凡", "registration_called_up")]


def test_a_rejection_without_a_reason_is_refused():
    registration = register(a_reviewed_event(), "林知遥")

    with pytest.raises(ReasonMissing):
        operations.reject(registration=registration, reason="", by=SYSTEM, now=NOW)


def test_an_office_that_ends_a_registration_says_why():
    registration = register(an_open_event(), "林知遥")

    with pytest.raises(ReasonMissing):
        operations.cancel(registration=registration, by=SYSTEM, now=NOW)


def test_what_has_ended_cannot_end_again():
    registration = register(an_open_event(), "林知遥")
    operations.cancel(registration=registration, by=ATTENDEE, now=NOW)

    with pytest.raises(RegistrationMoveRefused):
        operations.cancel(registration=registration, by=ATTENDEE, now=NOW)


def test_reasons_stand_in_the_words_of_the_history_and_never_in_its_facts():
    registration = register(an_open_event(), "林知遥")

    operations.cancel(registration=registration, by=SYSTEM, reason="她打电话来说不来了", now=NOW)

    line = history.lines_of(registration.subject)[-1]
    assert line.words.text == "她打电话来说不来了"
    assert "她" not in str(line.facts)


def test_more_places_let_the_first_in_line_move_up_in_order():
    event = an_open_event(groups=[("博士", 1)])
    register(event, "林知遥")
    line = [register(event, name) for name in ("沈亦凡", "许望舒", "李知夏")]
    event.groups[0].capacity = 3

    moved = operations.fill(group=event.groups[0], now=NOW)

    assert moved == 2
    assert [one.state.value for one in line] == ["confirmed", "confirmed", "waitlisted"]


def test_a_free_place_is_not_taken_past_those_who_wait():
    event = an_open_event(groups=[("博士", 1)])
    register(event, "林知遥")
    waiting = register(event, "沈亦凡")
    event.groups[0].capacity = 2

    late = register(event, "许望舒")

    assert [waiting.state, late.state] == [RegistrationState.CONFIRMED, RegistrationState.WAITLISTED]


def work_off() -> None:
    db.session.commit()
    while work := outbox.claim(now=NOW):
        outbox.perform(work, now=NOW)
        assert work.error is None or work.job == "notices.deliver"


def test_an_event_that_is_cancelled_ends_its_registrations_and_everybody_is_told(app: Flask):
    event = an_open_event(groups=[("博士", 1)])
    first, second = register(event, "林知遥"), register(event, "沈亦凡")
    event.state = EventState.CANCELLED
    outbox.enqueue(
        job="registration.cancel_with_event", event_id=event.id, by_kind="staff", by_id=7, reason="暴雨", now=NOW
    )

    work_off()

    assert [first.state, second.state] == [RegistrationState.CANCELLED] * 2
    assert told()[2:] == [("林知遥", "registration_event_cancelled"), ("沈亦凡", "registration_event_cancelled")]


@pytest.mark.parametrize("table", ["insert", "update"])
def test_the_database_itself_refuses_one_place_too_many(table: str):
    event = an_open_event(groups=[("博士", 1)])
    a_registration(event=event, person=a_person(organisation=event.organisation))
    person = a_person(organisation=event.organisation)

    if table == "insert":
        with pytest.raises(sa.exc.IntegrityError):
            a_registration(event=event, person=person, state=RegistrationState.PENDING)
    else:
        waiting = a_registration(event=event, person=person, state=RegistrationState.WAITLISTED)
        waiting.state = RegistrationState.CONFIRMED
        with pytest.raises(sa.exc.IntegrityError):
            db.session.flush()


def test_the_database_itself_refuses_a_second_living_registration():
    event = an_open_event()
    person = a_person(organisation=event.organisation)
    a_registration(event=event, person=person)

    with pytest.raises(sa.exc.IntegrityError):
        a_registration(event=event, person=person, state=RegistrationState.WAITLISTED)


def all_at_once(app: Flask, presses: list[tuple[int, int]], *, event_id: int) -> list[Registration]:
    """Let everybody (person and group, by id) press in the same moment, each over a connection of their own."""
    start = Barrier(len(presses))

    def press(person_id: int, group_id: int) -> str:
        with app.app_context():
            start.wait(timeout=30)
            registration = operations.register(
                event=db.session.get_one(Event, event_id),
                group=db.session.get_one(PlaceGroup, group_id),
                person=db.session.get_one(Person, person_id),
                contact_point=None,
                by=SYSTEM,
                now=NOW,
            )
            db.session.commit()
            return registration.token

    db.session.commit()
    db.session.close()
    with ThreadPoolExecutor(len(presses)) as crowd:
        answers = [crowd.submit(press, *one) for one in presses]
        tokens = [answer.result(timeout=60) for answer in answers]
    return [queries.by_ticket(token) for token in tokens]


def test_when_everybody_presses_at_once_exactly_the_places_there_are_get_taken(app: Flask):
    event = an_open_event(groups=[("博士", PLACES)])
    people = [a_person(organisation=event.organisation).id for _ in range(TOGETHER)]
    event_id, group_id = event.id, event.groups[0].id

    registrations = all_at_once(app, [(person, group_id) for person in people], event_id=event_id)

    places = queries.places([event_id])[group_id]
    assert (places.taken, places.waiting) == (PLACES, TOGETHER - PLACES)
    assert {one.person_id for one in registrations} == set(people)
    line = db.session.scalars(queries.waiting_line(group_id)).all()
    assert [one.id for one in line] == sorted(one.id for one in line)
    assert [queries.position_in_line(one) for one in line] == list(range(1, len(line) + 1))


def test_when_one_person_presses_everywhere_at_once_there_is_one_ticket(app: Flask):
    event = an_open_event(groups=[("博士", PLACES), ("企业", PLACES)])
    person = a_person(organisation=event.organisation).id
    groups = [group.id for group in event.groups]

    registrations = all_at_once(app, [(person, groups[turn % 2]) for turn in range(12)], event_id=event.id)

    assert len({one.id for one in registrations}) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Registration)) == 1
