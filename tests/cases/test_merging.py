"""Two requests for the same thing."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outreach.cases import operations, queries
from outreach.cases.models import Case
from outreach.cases.rules.moves import (
    CaseState,
    MergedIntoItself,
    MoveRefused,
    OthersMergedHere,
    TargetEnded,
    TargetUnknown,
)
from outreach.kernel import history
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import db
from outreach.notices.queries import messages_about
from tests.cases.conftest import answer_of
from tests.conftest import NOW
from tests.factories import a_case, a_contact_point, a_person

DAY = timedelta(days=1)


@pytest.fixture
def second(city):
    """The same, asked by 何青松."""
    number = a_contact_point("+8619912340099")
    return a_case(
        intake=city.office,
        person=a_person("何青松", organisation=city.office, at=number),
        contact_point=number,
        now=NOW,
    )


def merge(city, case, into, now=NOW):
    operations.merge(case=case, into=into, version=case.version, by=city.organiser.actor, now=now)


def kinds(case):
    return [message.kind for message in messages_about(case.subject)]


def test_whoever_asked_the_same_gets_the_answer_of_the_other(city, accepted, second):
    merge(city, second, accepted)

    assert (second.state, second.answerable_id, second.due_at) == (CaseState.MERGED, None, None)
    answer = answer_of(city, accepted, NOW)
    assert second.answer_for_person is answer
    assert kinds(second)[-2:] == ["case_merged", "case_replied"]
    by = Actor(ActorKind.ATTENDEE, second.contact_point_id)
    operations.open_answer(case=second, by=by, now=NOW)
    operations.open_answer(case=second, by=by, now=NOW)
    assert [line.act for line in history.lines_of(second.subject)] == ["registered", "merged", "opened"]
    assert answer.delivered_at is None  # whoever asked first has not opened it
    assert queries.past_of(second)[1].values["case"] == accepted.number


def test_there_is_a_way_back_and_the_clock_never_stopped(city, accepted, second):
    operations.assign(case=second, unit=city.schools, version=second.version, by=city.organiser.actor, now=NOW)
    due = second.answer_due_at
    merge(city, second, accepted)

    operations.split(case=second, version=second.version, by=city.organiser.actor, now=NOW + 3 * DAY)

    assert (second.state, second.answerable, second.ended_at) == (CaseState.REGISTERED, city.office, None)
    operations.assign(
        case=second, unit=city.housing, version=second.version, by=city.organiser.actor, now=NOW + 3 * DAY
    )
    assert second.answer_due_at == due
    assert second.answer_for_person is None


def test_when_the_other_is_taken_back_nobody_is_left_without_an_answer(city, accepted, second, person):
    merge(city, second, accepted)

    operations.withdraw(case=accepted, words=None, by=person, now=NOW)

    assert (second.state, second.merged_into_id) == (CaseState.REGISTERED, None)
    assert [line.act for line in history.lines_of(second.subject)][-1] == "split"


def test_when_the_other_is_erased_nobody_is_left_without_an_answer(city, accepted, second, person):
    merge(city, second, accepted)

    operations.erase_person(person_id=city.talent.id, by=person, now=NOW)

    assert second.state is CaseState.REGISTERED


def test_what_cannot_be_merged(city, case, second, person):
    with pytest.raises(MergedIntoItself):
        merge(city, case, case)
    third = a_case(intake=city.office, now=NOW)
    merge(city, third, second)
    with pytest.raises(OthersMergedHere):
        merge(city, second, case)
    operations.withdraw(case=case, words=None, by=person, now=NOW)
    with pytest.raises(TargetEnded):
        merge(city, second, case)
    with pytest.raises(MoveRefused):
        merge(city, case, second)
    with pytest.raises(TargetUnknown):
        queries.case_by_number(city.organiser, "2026-9999")


def test_what_is_merged_cannot_be_merged_into_or_again(city, case, second):
    merge(city, second, case)
    third = a_case(intake=city.office, now=NOW)

    with pytest.raises(TargetEnded):
        merge(city, third, second)
    with pytest.raises(MoveRefused):
        merge(city, second, third)


@pytest.mark.parametrize("half", ["state", "merged_into_id"])
def test_the_database_knows_what_a_merge_is(city, case, second, half):
    whole = {"state": CaseState.MERGED, "merged_into_id": case.id}
    altered = sa.update(Case).where(Case.id == second.id).values({half: whole[half]})

    with pytest.raises(IntegrityError):
        db.session.execute(altered)
