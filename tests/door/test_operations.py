from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.door import operations, queries
from outreach.door.models import Arrival, DoorInvitation, DoorPass
from outreach.door.rules import (
    PASSES_OUTLIVE,
    AlreadyInside,
    DoorIsClosed,
    EntryWay,
    Ground,
    LinkFull,
    Verdict,
)
from outreach.events.models import Event
from outreach.events.rules import EventState
from outreach.kernel import guards, history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import db
from outreach.organisations.rules import Role
from outreach.registration.models import Registration
from outreach.registration.operations import cancel
from outreach.registration.rules import RegistrationState
from tests.conftest import NOW
from tests.factories import a_contact_point, a_person, a_registration, an_account, an_event, an_organisation

pytestmark = pytest.mark.usefixtures("session")

EVENING = NOW + timedelta(hours=1)


def an_event_tonight(**values) -> Event:
    office = an_organisation()
    organiser = an_account(organisation=office, roles=[Role.ORGANISER])
    return an_event(organisation=office, author=organiser, **{"starts_at": EVENING, "groups": [("博士", 9)], **values})


def invited(event: Event, *, now: datetime = NOW) -> DoorInvitation:
    token = operations.invite(event=event, by=event.author.actor, now=now)
    return queries.invitation_by_token(token, now=now)


def a_phone(event: Event, name: str = "李知夏", gate: str | None = "东门") -> DoorPass:
    token = operations.enrol(invitation=invited(event), name=name, gate=gate, now=NOW)
    return queries.pass_by_token(token, now=NOW)


def a_ticket(event: Event, name: str = "林知遥", **values) -> Registration:
    point = a_contact_point()
    person = a_person(name, organisation=event.organisation, at=point)
    return a_registration(event=event, person=person, contact_point=point, **values)


def link(registration: Registration) -> str:
    return f"https://rc.example.cn/t/{registration.token}"


def scan(phone: DoorPass, text: str, *, now: datetime = NOW) -> operations.Answer:
    return admit(phone, text, EntryWay.SCANNED, now=now)


def admit(phone: DoorPass, text: str, way: EntryWay = EntryWay.TYPED, *, now: datetime = NOW) -> operations.Answer:
    [answer] = operations.admit(scans=[a_scan(phone, text, way, now=now)])
    return answer


def a_scan(phone: DoorPass, text: str, way: EntryWay = EntryWay.SCANNED, *, now: datetime = NOW) -> operations.Scan:
    return operations.Scan(pass_hash=phone.token_hash, text=text, way=way, at=now)


def test_a_ticket_lets_its_holder_in_once():
    event = an_event_tonight()
    phone, ticket = a_phone(event), a_ticket(event)

    first = scan(phone, link(ticket))
    second = scan(a_phone(event, "王小雨", "西门"), link(ticket), now=NOW + timedelta(minutes=6))

    assert [first.decision.verdict, second.decision.verdict] == [Verdict.IN, Verdict.ALREADY]
    assert second.entry.by == "李知夏"
    assert second.entry.at == NOW
    assert queries.counts(event.id) == queries.Count(arrived=1, expected=1)


def test_the_short_code_does_what_the_camera_does():
    event = an_event_tonight()
    ticket = a_ticket(event)
    typed = f"{ticket.short_code[:3].lower()}-{ticket.short_code[3:].lower()}"

    answer = admit(a_phone(event), typed, EntryWay.TYPED)

    assert answer.decision.verdict is Verdict.IN
    assert queries.arrival_of(ticket.id).way is EntryWay.TYPED


def test_a_ticket_of_another_event_is_named_as_such():
    event, other = an_event_tonight(), an_event_tonight(title="专场招聘会")

    answer = scan(a_phone(event), link(a_ticket(other)))

    assert answer.decision.ground is Ground.OTHER_EVENT
    assert queries.evening_of(answer.holder.event_id).title == "专场招聘会"
    assert not answer.is_ours


def test_a_short_code_of_another_event_is_none_of_ours():
    event, other = an_event_tonight(), an_event_tonight()

    answer = admit(a_phone(event), a_ticket(other).short_code, EntryWay.TYPED)

    assert answer.decision.ground is Ground.NO_SUCH_CODE
    assert answer.holder is None


@pytest.mark.parametrize("sign", [0, 8, 23])
def test_a_link_altered_in_any_place_is_refused(sign: int):
    event = an_event_tonight()
    token = a_ticket(event).token
    altered = token[:sign] + ("A" if token[sign] != "A" else "B") + token[sign + 1 :]

    answer = scan(a_phone(event), f"https://rc.example.cn/t/{altered}")

    assert answer.decision.ground is Ground.ALTERED


@pytest.mark.parametrize(
    ("text", "way", "ground"),
    [
        ("wxp://f2f0abc", EntryWay.SCANNED, Ground.NOT_A_TICKET),
        ("随便写的", EntryWay.TYPED, Ground.NO_SUCH_CODE),
        ("", EntryWay.TYPED, Ground.NO_SUCH_CODE),
        ("K7M 4Q2", EntryWay.TYPED, Ground.NO_SUCH_CODE),
    ],
)
def test_what_is_no_ticket_is_said_plainly(text: str, way: EntryWay, ground: Ground):
    answer = admit(a_phone(an_event_tonight()), text, way)

    assert answer.decision.ground is ground


def test_a_refusal_counts_nobody():
    event = an_event_tonight()

    scan(a_phone(event), link(a_ticket(event, state=RegistrationState.WAITLISTED)))

    assert queries.counts(event.id) == queries.Count(arrived=0, expected=0)


def test_a_link_enrols_nobody_after_another_took_its_place():
    event = an_event_tonight()
    first = operations.invite(event=event, by=event.author.actor, now=NOW)

    operations.invite(event=event, by=event.author.actor, now=NOW)

    assert queries.invitation_by_token(first, now=NOW) is None


def test_a_link_that_was_revoked_leaves_the_phones_it_enrolled():
    event = an_event_tonight()
    invitation = invited(event)
    token = operations.enrol(invitation=invitation, name="李知夏", gate=None, now=NOW)

    operations.revoke_links(event=event, by=event.author.actor, now=NOW)

    assert queries.open_invitation(event.id) is None
    assert queries.pass_by_token(token, now=NOW).name == "李知夏"


def test_a_phone_that_was_taken_away_opens_nothing():
    event = an_event_tonight()
    token = operations.enrol(invitation=invited(event), name="李知夏", gate=None, now=NOW)

    operations.revoke_phone(door_pass=queries.pass_by_token(token, now=NOW), by=event.author.actor, now=NOW)

    assert queries.pass_by_token(token, now=NOW) is None
    assert [line.act for line in history.lines_of(event.subject)] == ["door.link_made", "door.phone_revoked"]


def test_a_phone_and_a_link_end_some_hours_after_the_event():
    event = an_event_tonight()
    link_token = operations.invite(event=event, by=event.author.actor, now=NOW)
    token = operations.enrol(
        invitation=queries.invitation_by_token(link_token, now=NOW), name="李知夏", gate=None, now=NOW
    )
    end = event.ends_at + PASSES_OUTLIVE

    assert queries.pass_by_token(token, now=end - timedelta(seconds=1)) is not None
    assert queries.pass_by_token(token, now=end) is None
    assert queries.invitation_by_token(link_token, now=end) is None


@pytest.mark.parametrize(
    "values", [{"state": EventState.DRAFT}, {"state": EventState.CANCELLED}, {"starts_at": NOW - timedelta(1)}]
)
def test_only_a_published_event_that_is_not_over_has_a_door(values: dict):
    event = an_event_tonight(**values)

    with pytest.raises(DoorIsClosed):
        operations.invite(event=event, by=event.author.actor, now=NOW)


def test_a_link_that_went_round_stops_somewhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(operations, "MOST_PHONES", 1)
    invitation = invited(an_event_tonight())
    operations.enrol(invitation=invitation, name="李知夏", gate=None, now=NOW)

    with pytest.raises(LinkFull):
        operations.enrol(invitation=invitation, name="王小雨", gate=None, now=NOW)


def test_only_hashes_of_links_and_phones_are_kept():
    event = an_event_tonight()
    link_token = operations.invite(event=event, by=event.author.actor, now=NOW)
    invitation = queries.invitation_by_token(link_token, now=NOW)

    token = operations.enrol(invitation=invitation, name="李知夏", gate=None, now=NOW)

    kept = [invitation.token_hash, queries.pass_by_token(token, now=NOW).token_hash]
    assert all(len(one) == 64 and one not in (link_token, token) for one in kept)


def test_who_came_in_cannot_give_the_place_back():
    event = an_event_tonight()
    ticket = a_ticket(event)
    scan(a_phone(event), link(ticket))

    with pytest.raises(AlreadyInside):
        cancel(registration=ticket, by=Actor(ActorKind.ATTENDEE, 1), now=NOW)


def test_many_phones_are_answered_by_one_transaction_each_for_itself():
    event, other = an_event_tonight(), an_event_tonight(title="专场招聘会")
    here, there = a_phone(event), a_phone(other, "王小雨", None)
    ticket, waiting = a_ticket(event), a_ticket(event, "沈亦凡", state=RegistrationState.WAITLISTED)
    gone = a_phone(event, "赵一诺")
    operations.revoke_phone(door_pass=gone, by=event.author.actor, now=NOW)

    answers = operations.admit(
        scans=[
            a_scan(here, link(ticket)),
            a_scan(here, waiting.short_code, EntryWay.TYPED),
            a_scan(there, link(ticket)),
            a_scan(gone, link(a_ticket(event, "周明"))),
            a_scan(here, ticket.short_code, EntryWay.TYPED),
            a_scan(here, "K7M 4Q2", EntryWay.TYPED),
        ]
    )

    said = [answer and (answer.decision.verdict, answer.decision.ground) for answer in answers]
    assert said == [
        (Verdict.IN, None),
        (Verdict.REFUSED, Ground.WAITLISTED),
        (Verdict.REFUSED, Ground.OTHER_EVENT),
        None,
        (Verdict.ALREADY, None),
        (Verdict.REFUSED, Ground.NO_SUCH_CODE),
    ]
    assert answers[4].entry.by == "李知夏"
    assert queries.counts(event.id).arrived == 1


def test_letting_in_asks_as_little_of_the_database_for_eight_as_for_one(statements: Callable):
    event = an_event_tonight()
    phone = a_phone(event)
    first, *others = [a_scan(phone, link(a_ticket(event, f"客人{number}"))) for number in range(9)]
    db.session.commit()

    with statements() as one:
        operations.admit(scans=[first])
        db.session.commit()
    with statements() as eight:
        operations.admit(scans=others)
        db.session.commit()

    # the phones, the tickets, the arrivals; SQLite begins by a statement of its own
    assert len(one) == len(eight) == 3 + ("BEGIN IMMEDIATE" in one)


def test_an_arrival_that_was_altered_behind_our_back_is_found():
    event = an_event_tonight()
    phone = a_phone(event)
    first, second = a_ticket(event), a_ticket(event, "沈亦凡")
    for ticket in (first, second):
        scan(phone, link(ticket))
    assert queries.broken_arrivals() == []
    altered = queries.arrival_of(second.id).id

    with unguarded():
        db.session.execute(sa.update(Arrival).where(Arrival.id == altered).values(at=NOW - timedelta(minutes=30)))

    assert queries.broken_arrivals() == [altered]


@contextmanager
def unguarded() -> Iterator[None]:
    """Past the triggers, as somebody who has the database's own password; rolled back with the test's transaction."""
    guard = next(guard for guard in guards.GUARDS if guard.table == "arrivals")
    if db.engine.dialect.name == "sqlite":
        db.session.execute(sa.text(f"DROP TRIGGER {guard.name}_update"))
    else:
        db.session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    yield


def test_arrivals_are_never_changed():
    event = an_event_tonight()
    ticket = a_ticket(event)
    scan(a_phone(event), link(ticket))
    arrival = queries.arrival_of(ticket.id)

    with pytest.raises(sa.exc.DatabaseError):
        db.session.execute(sa.update(Arrival).where(Arrival.id == arrival.id).values(at=NOW + timedelta(1)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("林", ["林知遥"]),
        ("林知", ["林知遥"]),
        ("lzy", ["林知遥"]),
        ("linzhi", ["林知遥"]),
        ("sy", ["沈亦凡"]),
        ("知遥", []),
        ("zy", []),
        ("l", []),
        ("%", []),
        ("", []),
    ],
)
def test_the_door_finds_by_the_beginning_of_a_name_or_its_pinyin(text: str, found: list[str]):
    event, other = an_event_tonight(), an_event_tonight()
    a_ticket(event, "林知遥")
    a_ticket(event, "沈亦凡", state=RegistrationState.WAITLISTED)
    a_ticket(event, "林知远", state=RegistrationState.CANCELLED)
    a_ticket(other, "林知夏")

    assert [one.person.name for one in queries.find(event.id, text)] == found


def connected() -> None:
    """Take a connection of one's own beforehand, so that what follows truly happens at once."""
    db.session.execute(sa.text("SELECT 1"))
    db.session.rollback()


def test_two_phones_that_scan_the_same_ticket_at_once_count_it_once(app: Flask):
    event = an_event_tonight()
    phones = [a_phone(event, f"志愿者{number}").id for number in range(8)]
    text, event_id = link(a_ticket(event)), event.id
    start = Barrier(len(phones))

    def press(pass_id: int) -> Verdict:
        with app.app_context():
            connected()
            start.wait(timeout=30)
            phone = db.session.get_one(DoorPass, pass_id)
            answer = scan(phone, text)
            db.session.commit()
            return answer.decision.verdict

    db.session.commit()
    db.session.close()
    with ThreadPoolExecutor(len(phones)) as volunteers:
        verdicts = sorted(volunteers.map(press, phones))

    assert verdicts == [Verdict.IN] + [Verdict.ALREADY] * 7
    assert queries.counts(event_id).arrived == 1
