"""Co-handlers, and more time for the whole."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outreach.cases import operations, queries
from outreach.cases.models import CasePart, Extension
from outreach.cases.queries import Choice
from outreach.cases.rules.deadlines import (
    ExtensionAsked,
    ExtensionTooLate,
    NoExtensionAsked,
    OwnExtension,
)
from outreach.cases.rules.lists import Tab
from outreach.cases.rules.moves import CaseState, MoveRefused, ReasonMissing, WordsMissing
from outreach.cases.rules.parts import CoHandlerAsked, LeadCannotCoHandle, PartGiven, PartMoveRefused
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import db
from outreach.notices.queries import messages_about
from tests import factories
from tests.cases.conftest import answer_of
from tests.conftest import NOW
from tests.factories import a_contact_point

DAY = timedelta(days=1)


def keep(row):
    with db.session.begin_nested():
        db.session.add(row)
        db.session.flush()


def kinds(case):
    return [message.kind for message in messages_about(case.subject)]


@pytest.fixture
def part(city, accepted):
    """市住建局, asked for its part."""
    return operations.ask_unit(
        case=accepted, unit=city.housing, question="公寓还有几套？", by=city.handler.actor, now=NOW
    )


def ask(city, case, **values):
    asked = {"days": 3, "reason": "要等省里批复"} | values
    return operations.ask_extension(case=case, version=case.version, by=city.handler.actor, now=NOW, **asked)


def test_a_co_handler_owes_its_part_the_working_day_before_the_answer(city, accepted, part):
    assert (part.is_open, part.due_at) == (True, accepted.answer_due_at - DAY)
    assert (accepted.answerable, accepted.due_at) == (city.schools, accepted.answer_due_at)
    assert queries.sees(city.other_handler, accepted)
    assert queries.acts_of(city.other_handler, accepted, now=NOW) >= {"contribute"}
    listed = queries.list_of(city.other_handler, Choice(tab=Tab.CO_HANDLED), cursor=None, now=NOW)
    assert [case.id for case in listed.items] == [accepted.id]


def test_a_part_is_given_once_and_stands_in_the_history(city, accepted, part):
    city.handler.phone = "+8619908001000"
    with pytest.raises(WordsMissing):
        operations.give_part(part=part, text="", by=city.other_handler.actor, now=NOW)
    operations.give_part(part=part, text="还有两套", by=city.other_handler.actor, now=NOW + DAY)

    assert (part.is_open, part.given_by_id) == (False, city.other_handler.id)
    assert queries.past_of(accepted)[0].values["unit"] == "市住建局"
    assert "case_part_given" in kinds(accepted)
    with pytest.raises(PartGiven):
        operations.give_part(part=part, text="又一次", by=city.other_handler.actor, now=NOW + DAY)


def test_whom_one_cannot_ask(city, accepted, part):
    by = {"by": city.handler.actor, "now": NOW}
    with pytest.raises(CoHandlerAsked):
        operations.ask_unit(case=accepted, unit=city.housing, question="再问", **by)
    with pytest.raises(LeadCannotCoHandle):
        operations.ask_unit(case=accepted, unit=city.schools, question="自己", **by)
    with pytest.raises(WordsMissing):
        operations.ask_unit(case=accepted, unit=city.office, question="", **by)
    answer_of(city, accepted, NOW)
    with pytest.raises(PartMoveRefused):
        operations.ask_unit(case=accepted, unit=city.office, question="晚了", **by)


def test_the_database_asks_a_unit_once(city, accepted, part):
    twin = {column.key: getattr(part, column.key) for column in sa.inspect(CasePart).columns if column.key != "id"}
    with pytest.raises(IntegrityError):
        keep(CasePart(**twin))


def test_an_answer_that_goes_out_lets_go_whoever_has_not_written(city, accepted, part):
    answer_of(city, accepted, NOW + DAY)

    assert part.released_at == NOW + DAY
    with pytest.raises(PartGiven):
        operations.give_part(part=part, text="晚了一步", by=city.other_handler.actor, now=NOW + DAY)


def test_somebody_outside_the_city_is_asked_by_mail_and_reads_nothing_of_the_person(city, accepted):
    point = a_contact_point("office@example.org")

    part = operations.ask_outside(
        case=accepted,
        name="省教育厅",
        contact_point=point,
        question="转学籍要什么材料？",
        by=city.handler.actor,
        now=NOW,
    )

    [mail] = [message for message in messages_about(accepted.subject) if message.kind == "case_part_asked_outside"]
    assert mail.recipient == "office@example.org"
    assert not {"title", "name"} & mail.values.keys()
    assert queries.part_by_token(part.token) is part
    operations.give_part(part=part, text="户口本", by=Actor(ActorKind.ATTENDEE, point.id), now=NOW)
    assert (part.given_by_id, queries.past_of(accepted)[0].values["unit"]) == (None, "省教育厅")


def test_more_time_moves_the_deadline_once_another_person_granted_it(city, accepted):
    due = accepted.answer_due_at
    ask(city, accepted)

    assert accepted.due_at == due
    with pytest.raises(OwnExtension):
        operations.decide_extension(case=accepted, granted=True, reason=None, by=city.handler.actor, now=NOW)
    operations.decide_extension(case=accepted, granted=True, reason=None, by=city.supervisor.actor, now=NOW + DAY)

    assert accepted.due_at == accepted.answer_due_at == due + 3 * DAY
    assert accepted.extra_days == 3
    assert "case_extended" in kinds(accepted)
    with pytest.raises(ExtensionAsked):
        ask(city, accepted)
    with pytest.raises(NoExtensionAsked):
        operations.decide_extension(case=accepted, granted=True, reason=None, by=city.supervisor.actor, now=NOW)


def test_more_time_is_refused_with_a_word_and_may_be_asked_for_better(city, accepted):
    due = accepted.answer_due_at
    ask(city, accepted)
    with pytest.raises(WordsMissing):
        operations.decide_extension(case=accepted, granted=False, reason="", by=city.supervisor.actor, now=NOW)
    operations.decide_extension(case=accepted, granted=False, reason="够了", by=city.supervisor.actor, now=NOW)

    assert accepted.due_at == due
    assert ask(city, accepted).granted is None


@pytest.mark.parametrize("late", [False, True])
def test_more_time_is_asked_for_before_it_is_up_and_with_a_reason(city, accepted, late):
    now = accepted.answer_due_at + timedelta(minutes=1) if late else NOW
    with pytest.raises(ExtensionTooLate if late else ReasonMissing):
        operations.ask_extension(
            case=accepted,
            days=3,
            reason="等批复" if late else "",
            version=accepted.version,
            by=city.handler.actor,
            now=now,
        )


def test_more_time_lasts_when_another_unit_gets_it(city, accepted):
    ask(city, accepted)
    operations.decide_extension(case=accepted, granted=True, reason=None, by=city.supervisor.actor, now=NOW)
    due = accepted.answer_due_at

    operations.reassign(
        case=accepted, unit=city.housing, reason="换", version=accepted.version, by=city.organiser.actor, now=NOW
    )

    assert accepted.answer_due_at == due


def test_what_nobody_decided_on_lapses_with_the_answer(city, accepted):
    extension = ask(city, accepted)

    answer_of(city, accepted, NOW)

    assert (extension.granted, extension.decided_by_id, accepted.state) == (False, None, CaseState.REPLIED)
    with pytest.raises(MoveRefused):
        ask(city, accepted)


@pytest.mark.parametrize("days", [0, 16])
def test_the_database_knows_how_long_an_extension_is_and_who_decides(city, accepted, days):
    values = {"case_id": accepted.id, "reason": "等", "asked_at": NOW, "asked_by_id": city.handler.id}
    for row in (
        Extension(days=days, **values),
        Extension(days=3, granted=True, decided_at=NOW, decided_by_id=city.handler.id, **values),
        Extension(days=3, granted=True, decided_at=NOW, **values),
        Extension(days=3, decided_at=NOW, **values),
    ):
        with pytest.raises(IntegrityError):
            keep(row)


@pytest.mark.parametrize(
    ("name", "mail", "said"),
    [
        ("", "office@example.org", "请写明单位名称"),
        ("省" * 121, "office@example.org", "120"),
        ("省教育厅", "不是邮箱", "邮箱"),
        ("省教育厅", "", "邮箱"),
    ],
)
def test_a_unit_outside_the_city_has_a_name_and_an_address(client, city, accepted, name, mail, said):
    factories.signed_in(client, city.handler)
    sent = {"unit": "-1", "outside_name": name, "outside_mail": mail, "question": "要什么材料？"}

    answer = client.post(
        f"/desk/requests/{accepted.id}/parts", data={f"AskPartForm-{field}": text for field, text in sent.items()}
    )

    assert answer.status_code == 422
    assert said in answer.text
    assert "要什么材料？" in answer.text
    assert accepted.parts == []


@pytest.mark.parametrize("days", ["", "三天", "9" * 30, "-1", "１６"])
def test_days_that_are_none_are_refused_and_the_reason_is_still_there(client, city, accepted, days):
    factories.signed_in(client, city.handler)
    sent = {"days": days, "reason": "要等省里批复", "version": str(accepted.version)}

    answer = client.post(
        f"/desk/requests/{accepted.id}/extension", data={f"ExtensionForm-{field}": text for field, text in sent.items()}
    )

    assert answer.status_code == 422
    assert "要等省里批复" in answer.text
    assert accepted.extensions == []
