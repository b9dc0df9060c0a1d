"""Promises, the one timeline, an event's figures, the search: each within what the viewer may reach."""

from datetime import timedelta

import pytest
from werkzeug.exceptions import NotFound

from outreach.cases.rules.asking import Topic
from outreach.cases.rules.lists import Tab as CaseTab
from outreach.cases.rules.moves import CaseState
from outreach.desk import queries
from outreach.events.queries import Tab as EventTab
from outreach.events.rules import EventState
from outreach.liaison.operations import log_visit
from outreach.liaison.queries import loggable
from outreach.liaison.rules import Ask, VisitWay
from outreach.organisations.rules import Role
from outreach.registration.rules import RegistrationState
from tests.conftest import NOW
from tests.factories import a_case, a_person, a_registration, a_visit, an_account, an_event, an_organisation

DAY = timedelta(days=1)


def test_a_leaders_promises_are_those_of_the_paired_the_longest_overdue_first(city):
    late = a_case(intake=city.office, person=city.talent, now=NOW - 20 * DAY)
    fresh = a_case(intake=city.office, person=city.talent, now=NOW - DAY)
    a_case(intake=city.office, now=NOW - 30 * DAY)

    part = queries.liaison_part(city.leader, now=NOW, cursor=None)

    assert [promise.case for promise in part.promises.items] == [late, fresh]
    assert (part.open, part.late, part.longest.case, part.for_others) == (2, 1, late, False)


def test_a_liaison_officer_follows_the_promises_of_the_leader(city):
    case = a_case(intake=city.office, person=city.talent, now=NOW)

    part = queries.liaison_part(city.officer, now=NOW, cursor=None)

    assert ([promise.case for promise in part.promises.items], part.for_others) == ([case], True)


def test_promises_are_paged(city):
    for number in range(queries.SHOWN + 1):
        a_case(intake=city.office, person=city.talent, now=NOW - number * DAY)

    first = queries.liaison_part(city.leader, now=NOW, cursor=None)
    second = queries.liaison_part(city.leader, now=NOW, cursor=first.promises.next)

    assert (len(first.promises.items), len(second.promises.items)) == (queries.SHOWN, 1)
    assert (first.open, second.longest) == (queries.SHOWN + 1, None)


def keys(page):
    return [told.entry.key for told in page.items]


def test_the_timeline_merges_what_every_feature_knows_latest_first(city):
    event = an_event("把实验室搬进老厂房", organisation=city.office, author=city.organiser)
    registration = a_registration(event=event, person=city.talent)
    [row] = loggable(city.leader, now=NOW)
    visit = log_visit(
        account=city.leader,
        form_token="a-form-token-of-its-own",
        pairings=[row.pairing],
        at=NOW,
        way=VisitWay.VISIT,
        companions=None,
        asks=[Ask(city.talent.id, Topic.SCHOOLING, "女儿明年上小学"), Ask(city.talent.id, Topic.SPOUSE, "爱人找工作")],
        situation=None,
        advice=None,
        advised_by=None,
        confidential=False,
        now=NOW,
    )

    page = queries.timeline(city.leader, city.talent, cursor=None, now=NOW)

    first, second = sorted((f"case:{asked.case_id}" for asked in visit.asked), reverse=True)
    assert keys(page)[:3] == [f"visit:{visit.id}", first, second]
    assert f"registration:{registration.id}" in keys(page)
    moments = [told.entry.at for told in page.items]
    assert moments == sorted(moments, reverse=True)


def test_the_timeline_is_paged_without_a_gap_or_a_repeat_even_within_one_moment(city, monkeypatch):
    monkeypatch.setattr(queries, "TIMELINE_SIZE", 4)
    for number in range(3):
        a_visit(leaders=[city.leader], talents=[city.talent], at=NOW - number * DAY)
    for _ in range(6):
        a_case(intake=city.office, person=city.talent, now=NOW - DAY)

    whole, cursor = [], None
    for _ in range(10):
        page = queries.timeline(city.leader, city.talent, cursor=cursor, now=NOW)
        whole += [(told.entry.at, told.entry.key) for told in page.items]
        cursor = page.next
        if cursor is None:
            break

    assert len([key for _, key in whole if key.startswith(("visit", "case"))]) == 9
    assert len(set(whole)) == len(whole)
    assert whole == sorted(whole, reverse=True)


def test_a_damaged_place_begins_at_the_latest(city):
    visit = a_visit(leaders=[city.leader], talents=[city.talent], at=NOW - DAY)

    page = queries.timeline(city.leader, city.talent, cursor="nonsense", now=NOW)

    assert keys(page)[0] == f"visit:{visit.id}"


def test_who_may_not_see_a_request_reads_neither_its_words_nor_its_title(city):
    a_case(intake=city.office, person=city.talent, now=NOW, title="想换三居室", words="两代人住得太挤。")
    a_visit(leaders=[city.leader], talents=[city.talent], at=NOW - DAY)
    service = an_account("邓子", organisation=city.office, roles=[Role.SERVICE_OFFICER])

    page = queries.timeline(service, city.talent, cursor=None, now=NOW)
    told = {told.entry.kind: told for told in page.items}

    assert (told["case"].url, told["case"].entry.values, told["case"].entry.words) == (None, {}, None)
    assert told["visit"].url is None
    own = {told.entry.kind: told for told in queries.timeline(city.leader, city.talent, cursor=None, now=NOW).items}
    assert own["case"].entry.values["title"] == "想换三居室"
    assert own["visit"].url[0] == "liaison.show"


def test_a_leader_reads_the_paired_and_nobody_else(city):
    other = a_person("冯华", organisation=city.office)

    assert queries.person_for(city.leader, city.talent.id) is city.talent
    assert queries.person_for(city.officer, city.talent.id) is city.talent
    for viewer in (city.leader, city.officer):
        with pytest.raises(NotFound):
            queries.person_for(viewer, other.id)


def test_an_events_figures_count_each_state_by_group(city):
    event = an_event(organisation=city.office, author=city.organiser, groups=(("博士", 3), ("企业", 1)))
    doctors, firms = event.groups
    for state in (RegistrationState.CONFIRMED, RegistrationState.CONFIRMED, RegistrationState.PENDING):
        a_registration(event=event, person=a_person(organisation=city.office), group=doctors, state=state)
    for state in (RegistrationState.WAITLISTED, RegistrationState.CANCELLED):
        a_registration(event=event, person=a_person(organisation=city.office), group=firms, state=state)

    shown = queries.overview(event, now=NOW)

    assert [(row.confirmed, row.arrived, row.pending, row.waiting, row.free) for row in shown.groups] == [
        (2, 0, 1, 0, 0),
        (0, 0, 0, 1, 1),
    ]
    assert (shown.total("confirmed"), shown.capacity) == (2, 4)


def test_search_finds_only_what_the_viewer_may_see(city):
    a_case(intake=city.office, person=city.talent, now=NOW)
    an_event("林下沙龙", organisation=city.office, author=city.organiser)
    elsewhere = an_organisation("石鼓区", parent=city.office)
    outsider = an_account("袁怡涵", organisation=elsewhere, roles=[Role.ORGANISER])

    own = queries.search(city.organiser, "林", now=NOW)
    leaders = queries.search(city.leader, "林知", now=NOW)
    others = queries.search(outsider, "林", now=NOW)

    assert (len(own.people), len(own.events), len(own.requests)) == (1, 1, 1)
    assert (leaders.people, len(leaders.requests), leaders.events) == ([city.talent], 1, [])
    assert others.nothing


def test_a_search_says_how_many_more_there_are_in_each_view(city, monkeypatch):
    monkeypatch.setattr(queries, "MOST_COUNTED", 8)
    for number in range(10):
        a_person(f"许{'一二三四五六七八九十'[number]}", organisation=city.office)
    someone = a_person("许安", organisation=city.office)
    for _ in range(4):
        a_case(intake=city.office, person=someone, now=NOW)
    over = a_case(intake=city.office, person=someone, now=NOW)
    over.state, over.answerable, over.due_at, over.ended_at = CaseState.WITHDRAWN, None, None, NOW
    an_event("许愿沙龙", organisation=city.office, author=city.organiser, state=EventState.DRAFT)

    found = queries.search(city.organiser, "许", now=NOW)

    assert (len(found.people), found.people_count) == (6, 9)
    assert {tab: count for tab, count in found.request_counts.items() if count} == {CaseTab.OPEN: 4, CaseTab.ENDED: 1}
    assert [case.ended_at is None for case in found.requests] == [True] * 4 + [False]
    assert {tab: count for tab, count in found.event_counts.items() if count} == {EventTab.DRAFTS: 1}


def test_a_request_is_found_by_its_number(city):
    case = a_case(intake=city.office, person=city.talent, now=NOW)

    assert queries.search(city.leader, case.number, now=NOW).requests == [case]


def test_the_steps_of_a_fresh_city_follow_from_what_is_there(city):
    part = queries.set_up_part(an_account(organisation=city.office, roles=[Role.ADMINISTRATOR]))

    assert [step.done for step in part.steps] == [True, True, False, False, True, True, False]


def test_who_administers_a_county_sees_the_steps_of_the_county(city):
    county = an_organisation("石鼓区", parent=city.office)
    administrator = an_account(organisation=county, roles=[Role.ADMINISTRATOR])

    before = queries.set_up_part(administrator)
    an_account(organisation=county)
    a_person(organisation=county)
    after = queries.set_up_part(administrator)

    assert before.unit == county
    assert [step.done for step in before.steps] == [False, False, False, False, False]
    assert [step.done for step in after.steps] == [True, True, True, False, False]
    assert {step.endpoint for step in after.steps}.isdisjoint({"city.show", "cases.routes"})
