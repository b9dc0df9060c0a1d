from datetime import timedelta

import pytest

from outreach.door.rules import EARLY, GROUNDS, Decision, Door, Ground, Read, Ticket, Verdict, decide, read
from outreach.events.rules import EventState
from outreach.registration.rules import RegistrationState
from tests.conftest import NOW

HERE, ELSEWHERE = 1, 2
OPENS, ENDS = NOW, NOW + timedelta(hours=3)
CONFIRMED = RegistrationState.CONFIRMED
TOKEN = "AAAAAAAbc-_defghijklmnop"


def door(state: EventState = EventState.PUBLISHED) -> Door:
    return Door(event_id=HERE, state=state, opens_at=OPENS, ends_at=ENDS)


def no(ground: Ground) -> Decision:
    return Decision(Verdict.REFUSED, ground)


@pytest.mark.parametrize(
    ("ticket", "at", "expected"),
    [
        pytest.param(Ticket(HERE, CONFIRMED, False), OPENS, Decision(Verdict.IN), id="a place, in time"),
        pytest.param(Ticket(HERE, CONFIRMED, False), OPENS - EARLY, Decision(Verdict.IN), id="as early as may be"),
        pytest.param(Ticket(HERE, CONFIRMED, True), OPENS, Decision(Verdict.ALREADY), id="came in already"),
        pytest.param(Ticket(HERE, CONFIRMED, True), ENDS, Decision(Verdict.ALREADY), id="came in, asked at the end"),
        pytest.param(
            Ticket(HERE, CONFIRMED, False), OPENS - EARLY - timedelta(seconds=1), no(Ground.TOO_EARLY), id="too early"
        ),
        pytest.param(Ticket(HERE, CONFIRMED, False), ENDS, no(Ground.OVER), id="over at this very moment"),
        pytest.param(Ticket(ELSEWHERE, CONFIRMED, False), OPENS, no(Ground.OTHER_EVENT), id="another event"),
        pytest.param(Ticket(ELSEWHERE, CONFIRMED, True), OPENS, no(Ground.OTHER_EVENT), id="came in to another event"),
        pytest.param(Ticket(HERE, RegistrationState.CANCELLED, False), OPENS, no(Ground.CANCELLED), id="given back"),
        pytest.param(Ticket(HERE, RegistrationState.REJECTED, False), OPENS, no(Ground.REJECTED), id="not accepted"),
        pytest.param(Ticket(HERE, RegistrationState.WAITLISTED, False), OPENS, no(Ground.WAITLISTED), id="waiting"),
        pytest.param(Ticket(HERE, RegistrationState.PENDING, False), OPENS, no(Ground.PENDING), id="under review"),
        pytest.param(
            Ticket(HERE, RegistrationState.WAITLISTED, False), ENDS, no(Ground.WAITLISTED), id="waiting, and over"
        ),
    ],
)
def test_the_door_decides_by_one_table(ticket: Ticket, at, expected: Decision):
    assert decide(ticket, door(), now=at) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (EventState.PUBLISHED, Decision(Verdict.IN)),
        (EventState.CANCELLED, no(Ground.EVENT_CANCELLED)),
        (EventState.FINISHED, no(Ground.OVER)),
        (EventState.ARCHIVED, no(Ground.OVER)),
    ],
)
def test_only_a_published_event_lets_people_in(state: EventState, expected: Decision):
    assert decide(Ticket(HERE, CONFIRMED, False), door(state), now=OPENS) == expected


def test_every_state_of_a_registration_has_an_answer():
    answers = {state: decide(Ticket(HERE, state, False), door(), now=OPENS) for state in RegistrationState}

    assert [state for state, answer in answers.items() if answer.verdict is Verdict.IN] == [CONFIRMED]
    assert len({answer.ground for answer in answers.values()}) == len(RegistrationState)


def test_every_no_has_its_reason_in_words():
    assert set(GROUNDS) == set(Ground)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"https://rc.example.cn/t/{TOKEN}", Read(token=TOKEN)),
        (f"http://127.0.0.1:8000/t/{TOKEN}?from=wechat", Read(token=TOKEN)),
        (f"https://rc.example.cn/t/{TOKEN}.ics", Read(token=TOKEN)),
        (f"  {TOKEN}\n", Read(token=TOKEN)),
        ("k7m 4q2", Read(code="K7M4Q2")),
        ("https://rc.example.cn/t/short", Read()),
        (f"https://rc.example.cn/t/{TOKEN}x", Read()),
        ("wxp://f2f0abcdefghijklmnopqrstuv", Read()),
        ("", Read()),
        ("A" * 5000, Read()),
    ],
)
def test_a_text_is_a_ticket_or_a_short_code_or_neither(text: str, expected: Read):
    assert read(text) == expected
