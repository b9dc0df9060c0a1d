from datetime import timedelta

import pytest
from flask_babel import force_locale

from outreach.cases import operations
from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.kernel import outbox
from outreach.kernel.actor import Actor, ActorKind
from outreach.notices.queries import messages_about
from tests.conftest import NOW
from tests.factories import a_case


def texts_of(case, session, now):
    """Let the worker carry what waits, and return (kind, whole text) of each message about the request."""
    session.commit()
    while (work := outbox.claim(now=now)) is not None:
        outbox.perform(work, now=now)
    return [(message.kind, f"{message.subject}\n{message.body}") for message in messages_about(case.subject)]


@pytest.fixture
def closed(city):
    """A request that came all the way twice round, with every kind of message on it."""
    city.handler.phone = "+8619908001000"
    case = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=NOW, title="就近上学")
    person, desk, boss = Actor(ActorKind.ATTENDEE, city.number.id), city.organiser.actor, city.supervisor.actor
    answer = {"kind": AnswerKind.SOLVED, "text": "江畔路小学可以收。", "by": city.handler.actor}
    operations.assign(case=case, unit=city.schools, version=case.version, by=desk, now=NOW)
    operations.accept(case=case, version=case.version, by=city.handler.actor, now=NOW)
    operations.urge(case=case, words="周五前要有说法", by=boss, now=NOW)
    operations.reply(case=case, version=case.version, now=NOW, **answer)
    operations.open_answer(case=case, by=person, now=NOW)
    said = {"satisfaction": Satisfaction.DISSATISFIED, "words": None, "by": person}
    operations.take_feedback(case=case, solved=False, now=NOW, **said)
    operations.reopen(case=case, reason="请再想办法", version=case.version, by=boss, now=NOW)
    operations.reply(case=case, version=case.version, now=NOW, **answer)
    operations.open_answer(case=case, by=person, now=NOW)
    operations.take_feedback(case=case, solved=False, now=NOW, **said)
    operations.close_with_reason(case=case, reason="学位已满", version=case.version, by=boss, now=NOW)
    return case


def test_each_step_is_told_in_chinese_with_the_secret_link(session, closed):
    told = texts_of(closed, session, NOW)

    to_person = [(kind, text) for kind, text in told if "/r/" in text]
    assert [kind for kind, _ in to_person] == [
        "case_registered",
        "case_assigned",
        "case_accepted",
        "case_replied",
        "case_reopened",
        "case_replied",
        "case_closed",
    ]
    assert all(closed.token in text and "林知遥您好" in text for _, text in to_person)
    assert "市教育局接下了" in to_person[2][1]
    assert "12月1日 周二 17:30" in to_person[1][1]
    assert "学位已满" in to_person[-1][1]


def test_no_message_carries_the_answer_itself(session, closed):
    assert not any("江畔路小学" in text for _, text in texts_of(closed, session, NOW))


def test_the_desk_of_the_unit_is_told_what_it_owes(session, closed):
    told = [(kind, text) for kind, text in texts_of(closed, session, NOW) if "/desk/requests/" in text]

    assert [kind for kind, _ in told] == ["case_for_unit", "case_urged", "case_for_unit"]
    assert "周五前要有说法" in told[1][1]


def test_whoever_was_not_reached_or_took_it_back_is_told_so(session, city):
    later = NOW + timedelta(days=1)
    case = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=NOW)
    operations.assign(case=case, unit=city.schools, version=case.version, by=city.organiser.actor, now=NOW)
    operations.accept(case=case, version=case.version, by=city.handler.actor, now=NOW)
    operations.reply(
        case=case, kind=AnswerKind.SOLVED, text="可以。", version=case.version, by=city.handler.actor, now=NOW
    )
    for channel, moment in ((ReachChannel.TELEPHONE, NOW), (ReachChannel.IN_PERSON, later)):
        operations.log_attempt(
            case=case, channel=channel, reached=False, at=moment, by=city.organiser.actor, now=moment
        )
    operations.give_up_reaching(case=case, version=case.version, by=city.organiser.actor, now=later)
    other = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=NOW)
    operations.withdraw(case=other, words=None, by=city.organiser.actor, now=NOW)

    assert "没联系上" in texts_of(case, session, later)[-1][1]
    assert "已经撤回" in texts_of(other, session, later)[-1][1]


def test_english_readers_are_told_in_english(session, city):
    city.number.language = "en"
    case = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=NOW)

    with force_locale("zh_Hans_CN"):
        told = texts_of(case, session, NOW)

    assert "we have written down your request" in told[0][1]
