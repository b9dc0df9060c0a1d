"""Whose a request is: taken away, returned twice, decided by an arbiter; what stands first."""

from datetime import timedelta

import pytest

from outreach.cases import operations, queries
from outreach.cases.queries import Choice
from outreach.cases.rules.answers import AnswerKind
from outreach.cases.rules.lists import Tab
from outreach.cases.rules.moves import (
    ArbiterHasDecided,
    CaseState,
    MoveRefused,
    NothingOwed,
    Rank,
    ReasonMissing,
    SameUnit,
    WordsMissing,
)
from outreach.kernel import history
from outreach.kernel.actor import Actor, ActorKind
from outreach.notices.queries import messages_about
from outreach.organisations.models import Grant
from outreach.organisations.rules import Role
from tests.cases.conftest import answer_of
from tests.conftest import NOW
from tests.factories import a_case, an_account

DAY = timedelta(days=1)


def told(case, kind):
    return [message.account_id for message in messages_about(case.subject) if message.kind == kind]


@pytest.fixture
def disputed(city, assigned):
    """It, returned by two units."""
    operations.return_case(case=assigned, ground="不归我们", version=assigned.version, by=city.handler.actor, now=NOW)
    operations.assign(case=assigned, unit=city.housing, version=assigned.version, by=city.organiser.actor, now=NOW)
    operations.return_case(
        case=assigned, ground="也不归我们", version=assigned.version, by=city.other_handler.actor, now=NOW
    )
    return assigned


def test_the_second_return_waits_for_the_supervisor_of_the_intake_desk(city, disputed):
    city.supervisor.email = "ye@example.org"

    assert (disputed.state, disputed.answerable, disputed.returns) == (CaseState.DISPUTED, city.office, 2)
    with pytest.raises(MoveRefused):
        operations.assign(case=disputed, unit=city.schools, version=disputed.version, by=city.organiser.actor, now=NOW)


def test_what_the_arbiter_decides_stands(city, disputed):
    due = disputed.answer_due_at
    with pytest.raises(ReasonMissing):
        operations.arbitrate(
            case=disputed, unit=city.schools, reason="", version=disputed.version, by=city.supervisor.actor, now=NOW
        )
    operations.arbitrate(
        case=disputed,
        unit=city.schools,
        reason="三定方案写明",
        version=disputed.version,
        by=city.supervisor.actor,
        now=NOW + DAY,
    )

    assert (disputed.state, disputed.lead, disputed.answer_due_at) == (CaseState.ASSIGNED, city.schools, due)
    with pytest.raises(ArbiterHasDecided):
        operations.return_case(
            case=disputed, ground="还是不归", version=disputed.version, by=city.handler.actor, now=NOW + DAY
        )


def test_the_intake_desk_takes_it_from_one_unit_and_gives_it_to_another(city, accepted):
    city.handler.phone, city.other_handler.phone = "+8619908001000", "+8619908001001"
    due = accepted.answer_due_at
    again = {"case": accepted, "version": accepted.version, "by": city.organiser.actor, "now": NOW + DAY}

    with pytest.raises(SameUnit):
        operations.reassign(unit=city.schools, reason="机构调整", **again)
    with pytest.raises(ReasonMissing):
        operations.reassign(unit=city.housing, reason="", **again)
    operations.reassign(unit=city.housing, reason="机构调整", **again)

    assert (accepted.state, accepted.lead, accepted.handler) == (CaseState.ASSIGNED, city.housing, None)
    assert accepted.answer_due_at == due
    assert told(accepted, "case_taken_away") == [city.handler.id]
    assert city.other_handler.id in told(accepted, "case_for_unit")


def test_after_a_reopening_another_unit_keeps_the_new_deadline(city, replied, person):
    operations.open_answer(case=replied, by=person, now=NOW)
    operations.take_feedback(case=replied, solved=False, satisfaction="dissatisfied", words=None, by=person, now=NOW)
    operations.reopen(
        case=replied, reason="再办", version=replied.version, by=city.supervisor.actor, now=NOW + 20 * DAY
    )
    due = replied.answer_due_at

    operations.reassign(
        case=replied,
        unit=city.housing,
        reason="换一家",
        version=replied.version,
        by=city.organiser.actor,
        now=NOW + 20 * DAY,
    )

    assert replied.answer_due_at == due > NOW + 20 * DAY


def test_urgent_ones_come_first_then_what_leaders_were_asked(city):
    late = a_case(intake=city.office, now=NOW - 9 * DAY)
    leaders = a_case(intake=city.office, now=NOW, by=Actor(ActorKind.STAFF, city.organiser.id, city.supervisor.id))
    urgent = a_case(intake=city.office, now=NOW, urgent=True)

    page = queries.list_of(city.supervisor, Choice(tab=Tab.OPEN), cursor=None, now=NOW)

    assert [case.id for case in page.items] == [urgent.id, leaders.id, late.id]
    operations.assign(
        case=urgent, unit=city.schools, version=urgent.version, urgent=False, by=city.organiser.actor, now=NOW
    )
    assert urgent.rank == Rank.ORDINARY


def test_a_note_is_for_desks_and_an_addition_is_told_to_whoever_owes_the_step(city, accepted, person):
    city.handler.phone = "+8619908001000"
    with pytest.raises(WordsMissing):
        operations.note(case=accepted, words="", by=city.handler.actor, now=NOW)
    operations.note(case=accepted, words="校方说只剩两个学位", by=city.handler.actor, now=NOW)
    operations.add(case=accepted, words="孩子九月满六岁", by=person, now=NOW)

    assert [entry.words for entry in queries.added_by_person(accepted)] == ["孩子九月满六岁"]
    assert told(accepted, "case_added") == [city.handler.id]
    answer_of(city, accepted, NOW)
    operations.withdraw(case=accepted, words=None, by=person, now=NOW)
    with pytest.raises(NothingOwed):
        operations.add(case=accepted, words="还有一句", by=person, now=NOW)


@pytest.fixture
def head(city):
    """The head of 市教育局, who approves what its desk answers."""
    account = an_account("周敏", organisation=city.schools, roles=[Role.APPROVER], email="zhou@example.org")
    operations.want_approval(unit=city.schools, wanted=True, by=account.actor, now=NOW)
    return account


def test_where_the_unit_wants_it_an_answer_waits_for_its_head(city, accepted, head):
    city.handler.email = "wang@example.org"
    due = accepted.answer_due_at

    assert answer_of(city, accepted, NOW) is None
    assert (accepted.state, accepted.answerable, accepted.due_at) == (CaseState.DRAFTED, city.schools, due)
    assert (accepted.answer, told(accepted, "case_to_approve")) == (None, [head.id])

    with pytest.raises(WordsMissing):
        operations.send_back(case=accepted, reason="", version=accepted.version, by=head.actor, now=NOW)
    operations.send_back(case=accepted, reason="写明找谁", version=accepted.version, by=head.actor, now=NOW)
    assert (accepted.state, accepted.due_at) == (CaseState.ACCEPTED, due)
    assert told(accepted, "case_sent_back") == [city.handler.id]

    answer_of(city, accepted, NOW, text="找李老师")
    answer = operations.approve_answer(case=accepted, version=accepted.version, by=head.actor, now=NOW)

    assert (accepted.state, accepted.draft, accepted.answer) == (CaseState.REPLIED, None, answer)
    assert (answer.text, answer.account_id, answer.approved_by_id) == ("找李老师", city.handler.id, head.id)
    assert [line.act for line in history.lines_of(accepted.subject)][-4:] == [
        "submitted",
        "sent_back",
        "submitted",
        "approved",
    ]


def test_nobody_approves_their_own_answer(city, accepted, head):
    accepted.answerable  # noqa: B018 -- loaded before the role changes
    city.handler.grants.append(Grant(role=Role.APPROVER, organisation=city.schools))
    answer_of(city, accepted, NOW)

    assert [account.id for account in queries.approvers_of(accepted, author_id=city.handler.id, now=NOW)] == [head.id]
    assert "approve" not in queries.acts_of(city.handler, accepted, now=NOW)
    assert "approve" in queries.acts_of(head, accepted, now=NOW)


def test_without_a_head_the_office_above_approves(city, accepted, head):
    head.disabled_at = NOW

    answer_of(city, accepted, NOW)

    approving = {account.id for account in queries.approvers_of(accepted, author_id=city.handler.id, now=NOW)}
    assert approving == {city.organiser.id, city.supervisor.id}


def test_a_unit_that_wants_no_approval_answers_by_itself(city, accepted, head):
    operations.want_approval(unit=city.schools, wanted=False, by=head.actor, now=NOW)

    assert answer_of(city, accepted, NOW, kind=AnswerKind.SOLVED) is not None
