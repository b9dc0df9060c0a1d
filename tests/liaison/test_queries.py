"""Who sees which pairing and visit, what is due, and who met whom."""

from datetime import UTC, date, datetime, timedelta

import pytest
from werkzeug.exceptions import NotFound

from outreach.cases.operations import save_routes
from outreach.cases.queries import case_for
from outreach.cases.rules.asking import Topic
from outreach.kernel.actor import SYSTEM
from outreach.liaison import queries
from outreach.liaison.operations import end_pairing
from outreach.liaison.queries import visits
from outreach.liaison.rules import Ask, DueState, Rhythm, VisitWay
from outreach.organisations.rules import Role
from tests.conftest import NOW
from tests.factories import a_case, a_pairing, a_person, a_visit, an_account, an_organisation
from tests.liaison.test_operations import log


def days_ago(days):
    return NOW - timedelta(days=days)


def pairings(viewer, **values):
    return queries.due_pairings(viewer, **{"now": NOW, "mine": True, **values})


def test_due_counts_only_the_leaders_own_contacts_with_the_talent(city):
    other = an_account("马文", organisation=city.office, roles=[Role.LEADER])
    a_visit(leaders=[city.leader], talents=[city.talent], at=days_ago(40))
    a_visit(leaders=[other], talents=[city.talent], at=days_ago(2), way=VisitWay.TELEPHONE)
    a_visit(leaders=[city.leader], talents=[a_person("冯华", organisation=city.office)], at=days_ago(1))

    [row] = pairings(city.leader).items

    assert (row.due.state, row.due.last_on) == (DueState.OVERDUE, date(2026, 10, 15))
    assert row.due.days_overdue == 9
    assert row.met_by_others_since.leaders == ("马文",)


def test_a_contact_of_any_way_moves_the_rhythm(city):
    a_visit(leaders=[city.leader], talents=[city.talent], at=days_ago(40))
    a_visit(leaders=[city.leader], talents=[city.talent], at=days_ago(1), way=VisitWay.TELEPHONE)

    [row] = pairings(city.leader).items

    assert (row.due.state, row.last.way, row.met_by_others_since) == (DueState.FINE, VisitWay.TELEPHONE, None)


def test_the_day_of_a_contact_is_the_offices_day(city):
    # 23:30 on 20 November in the office is still the 20th, 15:30 in UTC; 00:30 is the 21st, 16:30 in UTC
    a_visit(leaders=[city.leader], talents=[city.talent], at=datetime(2026, 11, 20, 16, 30, tzinfo=UTC))

    [row] = pairings(city.leader).items

    assert row.due.last_on == date(2026, 11, 21)


def test_never_met_counts_from_the_start(city):
    [row] = pairings(city.leader).items

    assert (row.due.never_met, row.due.due_on) == (True, date(2026, 12, 1))


def test_a_liaison_officer_has_the_pairings_served(city):
    assert [row.pairing for row in pairings(city.officer).items] == [city.pairing]


def test_a_leader_of_another_pairing_finds_nothing_here(city):
    other = an_account("马文", organisation=city.office, roles=[Role.LEADER])
    visit = a_visit(leaders=[city.leader], talents=[city.talent])

    with pytest.raises(NotFound):
        queries.pairing_for(other, city.pairing.id)
    with pytest.raises(NotFound):
        visits.visit_for(other, visit.id)
    assert visits.visit_for(city.leader, visit.id) is visit


def test_an_organiser_reads_every_pairing_of_the_office_and_no_other(city):
    organiser = an_account("唐平", organisation=city.office, roles=[Role.ORGANISER])
    below = an_organisation("石鼓区", parent=city.office)
    outsider = an_account("袁怡涵", organisation=below, roles=[Role.ORGANISER])

    assert queries.pairing_for(organiser, city.pairing.id) is city.pairing
    with pytest.raises(NotFound):
        queries.pairing_for(outsider, city.pairing.id)


def test_confidential_notes_are_for_the_pairing_and_its_supervisor(city):
    visit = a_visit(leaders=[city.leader], talents=[city.talent], account=city.officer, confidential=True)
    organiser = an_account("唐平", organisation=city.office, roles=[Role.ORGANISER])
    supervisor = an_account("叶艳泽", organisation=city.office, roles=[Role.SUPERVISOR])

    readers = {
        account.name: visits.may_read_notes(account, visit)
        for account in (city.leader, city.officer, organiser, supervisor)
    }

    assert readers == {"周启明": True, "陈舒": True, "唐平": False, "叶艳泽": True}


def test_notes_that_are_not_confidential_are_for_all_who_see_the_visit(city):
    visit = a_visit(leaders=[city.leader], talents=[city.talent])
    organiser = an_account("唐平", organisation=city.office, roles=[Role.ORGANISER])

    assert visits.may_read_notes(organiser, visit)


def test_a_leader_follows_the_requests_of_the_paired_and_of_nobody_else(city):
    paired = a_case(intake=city.office, person=city.talent)
    other = a_case(intake=city.office)

    assert case_for(city.leader, paired.id) is paired
    assert case_for(city.officer, paired.id) is paired
    with pytest.raises(NotFound):
        case_for(city.leader, other.id)


def test_an_ended_pairing_is_not_due_and_opens_no_requests(city):
    case = a_case(intake=city.office, person=city.talent)
    end_pairing(pairing=city.pairing, ends_on=date(2026, 11, 20), by=SYSTEM, now=NOW)

    assert pairings(city.leader).items == []
    with pytest.raises(NotFound):
        case_for(city.leader, case.id)


def test_the_list_is_paged_with_the_longest_overdue_first(city):
    for number in range(7):
        talent = a_person(f"人才{number}", organisation=city.office)
        a_pairing(leader=city.leader, person=talent, rhythm=Rhythm.MONTHLY, starts_on=date(2026, 3, 1 + number % 3))

    first = pairings(city.leader, size=3)
    second = pairings(city.leader, size=3, cursor=first.next)
    third = pairings(city.leader, size=3, cursor=second.next)

    shown = [row.due.due_on for page in (first, second, third) for row in page.items]
    assert len(shown) == 8
    assert shown == sorted(shown)
    assert (first.previous, third.next) == (None, None)
    again = pairings(city.leader, size=3, cursor=second.previous)
    assert [row.pairing.id for row in again.items] == [row.pairing.id for row in first.items]


def test_a_damaged_cursor_gives_the_first_page(city):
    assert [row.pairing for row in pairings(city.leader, cursor="after_2026-99-99_x").items] == [city.pairing]


def test_a_longer_list_takes_no_more_statements(city, session, statements):
    def counted(rows):
        for number in range(rows):
            talent = a_person(f"人才{number}", organisation=city.office)
            a_pairing(leader=city.leader, person=talent, liaison_officer=city.officer)
            a_visit(leaders=[city.leader], talents=[talent], at=days_ago(number + 1))
        session.commit()
        viewer = city.leader
        with statements() as sent:
            for row in pairings(viewer).items:
                _ = (row.pairing.person.name, row.pairing.leader.name, row.pairing.liaison_officer.name, row.last)
        return len(sent)

    few, many = counted(1), counted(6)

    assert few == many


def test_the_timeline_tells_visits_before_a_moment_latest_first(city):
    first = a_visit(leaders=[city.leader], talents=[city.talent], at=days_ago(9))
    second = a_visit(leaders=[city.leader], talents=[city.talent], at=days_ago(3), way=VisitWay.VIDEO)
    a_visit(leaders=[city.leader], talents=[a_person("冯华", organisation=city.office)], at=days_ago(1))

    entries = visits.timeline_of(person_id=city.talent.id, before=NOW, limit=5)
    earlier = visits.timeline_of(person_id=city.talent.id, before=second.at, limit=5)

    assert [entry.key for entry in entries] == [f"visit:{second.id}", f"visit:{first.id}"]
    assert entries[0].values == {"leaders": ["周启明"]}
    assert [entry.key for entry in earlier] == [f"visit:{first.id}"]


def test_advice_is_for_the_pairing_its_supervisor_and_whoever_answers(city):
    save_routes(intake=city.office, units={Topic.ADVICE: city.bureau}, by=SYSTEM, now=NOW)
    visit = log(city, advice="夜班公交延到十一点", asks=[Ask(city.talent.id, Topic.HOUSING, "想换一套三居室")])
    asked, advice = visits.asked_on(visit)
    roles = {
        "organiser": an_account(organisation=city.office, roles=[Role.ORGANISER]),
        "supervisor": an_account(organisation=city.office, roles=[Role.SUPERVISOR]),
        "handler": an_account(organisation=city.bureau, roles=[Role.HANDLER]),
        "stranger": an_account(organisation=city.bureau, roles=[Role.LEADER]),
        "leader": city.leader,
        "officer": city.officer,
    }

    sees = {name: visits.cases_in_sight(account, [asked.id, advice.id]) for name, account in roles.items()}

    both, only_asked, only_advice = {asked.id, advice.id}, {asked.id}, {advice.id}
    assert sees == {
        "organiser": only_asked,  # the bureau answers it by now
        "supervisor": both,
        "handler": only_advice,
        "stranger": set(),
        "leader": both,
        "officer": both,
    }


def test_the_intake_desk_sees_advice_while_it_has_to_assign_it(city):
    [advice] = visits.asked_on(log(city, advice="夜班公交延到十一点"))
    organiser = an_account(organisation=city.office, roles=[Role.ORGANISER])

    assert visits.cases_in_sight(organiser, [advice.id]) == {advice.id}
