from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from outreach.events import operations, queries, signals
from outreach.events.models import Event
from outreach.events.rules import (
    AlreadyOver,
    ApprovedByItsAuthor,
    ChangedMeanwhile,
    EditRefused,
    EventKind,
    EventMode,
    EventMoveRefused,
    EventPlan,
    EventState,
    GroupInUse,
    GroupPlan,
    NobodyCanApprove,
    NotItsApprover,
    NotOverYet,
    PlaceMissing,
    ReasonMissing,
    Visibility,
    VisibilityIsSettled,
)
from outreach.kernel import history
from outreach.notices.queries import messages_about
from outreach.organisations.rules import Role
from tests.conftest import NOW
from tests.factories import an_account, an_event, an_organisation

START = datetime(2026, 11, 28, 11, 0, tzinfo=UTC)
PLAN = EventPlan(
    title="把实验室搬进老厂房",
    kind=EventKind.SALON,
    starts_at=START,
    ends_at=START + timedelta(hours=2),
    place="江畔路 18 号",
    groups=(GroupPlan("博士", 20), GroupPlan("企业代表", 10, reviewed=True)),
)


@pytest.fixture
def city(session):
    return an_organisation("市委人才办")


@pytest.fixture
def author(city):
    return an_account(organisation=city, roles=[Role.ORGANISER])


@pytest.fixture
def second(city):
    return an_account(organisation=city, roles=[Role.SUPERVISOR])


@pytest.fixture
def draft(city, author):
    return operations.create(plan=PLAN, organisation=city, by=author.actor, now=NOW)


@pytest.fixture
def announced():
    """What was announced, as (name, event, values)."""
    heard = []
    keep = []
    for name in ("event_published", "event_moved", "event_cancelled", "capacity_changed"):

        def listen(sender, *, _name=name, **values):
            heard.append((_name, sender, values))

        keep.append(listen)
        getattr(signals, name).connect(listen)
    yield heard
    del keep


def plan_of(event, **values):
    groups = tuple(GroupPlan(g.name, g.capacity, g.about, g.reviewed, g.id) for g in event.groups)
    return replace(PLAN, groups=groups, **values)


def published(draft, author, second):
    operations.submit(event=draft, by=author.actor, now=NOW)
    operations.approve(event=draft, seen=draft.version, by=second.actor, now=NOW)
    return draft


def acts(event):
    return [line.act for line in history.lines_of(event.subject)]


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_can_be_created(kind, city, author):
    event = operations.create(plan=replace(PLAN, kind=kind), organisation=city, by=author.actor, now=NOW)

    assert (event.kind, event.state, [g.name for g in event.groups]) == (kind, EventState.DRAFT, ["博士", "企业代表"])


def test_the_first_draft_is_in_its_history(draft):
    assert acts(draft) == ["event.created"]


def test_approval_by_a_second_person_publishes_at_that_moment(draft, author, second, announced):
    operations.submit(event=draft, by=author.actor, now=NOW)
    operations.approve(event=draft, seen=draft.version, by=second.actor, now=NOW)

    assert (draft.state, draft.published_at, draft.approved_by) == (EventState.PUBLISHED, NOW, second)
    assert [(name, event) for name, event, _ in announced] == [("event_published", draft)]
    assert acts(draft) == ["event.created", "event.submitted", "event.approved"]


def test_whoever_submitted_it_cannot_approve_it(draft, author, second):
    operations.submit(event=draft, by=author.actor, now=NOW)

    with pytest.raises(ApprovedByItsAuthor):
        operations.approve(event=draft, seen=draft.version, by=author.actor, now=NOW)


def test_whoever_submitted_it_cannot_send_it_back_either(draft, author, second):
    operations.submit(event=draft, by=author.actor, now=NOW)

    with pytest.raises(ApprovedByItsAuthor):
        operations.refuse(event=draft, reason="再想想", by=author.actor, now=NOW)


def test_an_organiser_of_the_city_does_not_approve_for_a_unit_that_has_an_approver(city, author, second):
    county = an_organisation(parent=city)
    organiser = an_account(organisation=county, roles=[Role.ORGANISER])
    an_account("批准的人", organisation=county, roles=[Role.APPROVER])
    event = operations.create(plan=PLAN, organisation=county, by=organiser.actor, now=NOW)
    operations.submit(event=event, by=organiser.actor, now=NOW)

    with pytest.raises(NotItsApprover) as refusal:
        operations.approve(event=event, seen=event.version, by=second.actor, now=NOW)

    assert refusal.value.values == {"names": "批准的人"}


def test_a_disabled_approver_does_not_count(draft, author, second):
    second.disabled_at = NOW

    with pytest.raises(NobodyCanApprove):
        operations.submit(event=draft, by=author.actor, now=NOW)


def test_what_was_looked_at_is_what_is_approved(draft, author, second):
    operations.submit(event=draft, by=author.actor, now=NOW)
    seen = draft.version
    operations.withdraw(event=draft, by=author.actor, now=NOW)
    operations.edit(event=draft, plan=plan_of(draft, title="另一个题目"), seen=draft.version, by=author.actor, now=NOW)
    operations.submit(event=draft, by=author.actor, now=NOW)

    with pytest.raises(ChangedMeanwhile):
        operations.approve(event=draft, seen=seen, by=second.actor, now=NOW)


def test_a_refusal_goes_back_to_draft_with_its_reason(draft, author, second):
    operations.submit(event=draft, by=author.actor, now=NOW)
    operations.refuse(event=draft, reason="时间和市里大会冲突", by=second.actor, now=NOW)

    happenings = queries.history_of(draft)
    assert draft.state is EventState.DRAFT
    assert queries.last_refusal(happenings).words == "时间和市里大会冲突"
    assert queries.last_refusal(happenings).who == second.name


def test_a_refusal_needs_its_reason(draft, author, second):
    operations.submit(event=draft, by=author.actor, now=NOW)

    with pytest.raises(ReasonMissing):
        operations.refuse(event=draft, reason=" ", by=second.actor, now=NOW)


def test_an_event_on_site_without_a_place_is_not_submitted(city, author, second):
    event = operations.create(plan=replace(PLAN, place=None), organisation=city, by=author.actor, now=NOW)

    with pytest.raises(PlaceMissing):
        operations.submit(event=event, by=author.actor, now=NOW)


def test_an_event_online_needs_no_place(city, author, second):
    online = replace(PLAN, place=None, mode=EventMode.ONLINE)
    event = operations.create(plan=online, organisation=city, by=author.actor, now=NOW)

    operations.submit(event=event, by=author.actor, now=NOW)

    assert event.state is EventState.SUBMITTED


def test_what_is_past_is_neither_submitted_nor_approved(draft, author, second):
    operations.submit(event=draft, by=author.actor, now=NOW)
    late = draft.ends_at

    with pytest.raises(AlreadyOver):
        operations.approve(event=draft, seen=draft.version, by=second.actor, now=late)


def test_what_waits_for_approval_cannot_be_changed(draft, author, second):
    operations.submit(event=draft, by=author.actor, now=NOW)

    with pytest.raises(EditRefused):
        operations.edit(event=draft, plan=plan_of(draft), seen=draft.version, by=author.actor, now=NOW)


def test_a_change_made_upon_an_old_page_is_refused(draft, author):
    seen = draft.version
    operations.edit(event=draft, plan=plan_of(draft, title="第一个"), seen=seen, by=author.actor, now=NOW)

    with pytest.raises(ChangedMeanwhile):
        operations.edit(event=draft, plan=plan_of(draft, title="第二个"), seen=seen, by=author.actor, now=NOW)

    assert draft.title == "第一个"


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        ({"ends_at": START + timedelta(hours=3)}, {"time"}),
        ({"place": "湖滨路 1 号"}, {"place"}),
        ({"title": "换个题目", "starts_at": START - timedelta(hours=1)}, {"title", "time"}),
    ],
)
def test_a_published_event_that_moves_tells_everybody(values, changed, draft, author, second, announced):
    event = published(draft, author, second)
    announced.clear()

    operations.edit(event=event, plan=plan_of(event, **values), seen=event.version, by=author.actor, now=NOW)

    assert event.sequence == 1
    assert [(name, heard["changed"]) for name, _, heard in announced] == [("event_moved", changed)]
    assert history.lines_of(event.subject)[-1].facts == {"changed": sorted(values)}


def test_a_draft_that_moves_tells_nobody(draft, author, announced):
    operations.edit(event=draft, plan=plan_of(draft, place="湖滨路 1 号"), seen=draft.version, by=author.actor, now=NOW)

    assert (draft.sequence, announced) == (0, [])


def test_saving_without_a_change_writes_no_line(draft, author):
    operations.edit(event=draft, plan=plan_of(draft), seen=draft.version, by=author.actor, now=NOW)

    assert acts(draft) == ["event.created"]


def test_more_places_are_announced_and_move_nothing(draft, author, second, announced):
    event = published(draft, author, second)
    announced.clear()
    more = plan_of(event)
    more = replace(more, groups=(replace(more.groups[0], capacity=25), more.groups[1]))

    operations.edit(event=event, plan=more, seen=event.version, by=author.actor, now=NOW)

    assert [(name, [g.name for g in heard["groups"]]) for name, _, heard in announced] == [
        ("capacity_changed", ["博士"])
    ]
    assert (event.sequence, event.groups[0].capacity) == (0, 25)


def test_a_published_group_cannot_be_taken_away(draft, author, second):
    event = published(draft, author, second)
    fewer = replace(plan_of(event), groups=plan_of(event).groups[:1])

    with pytest.raises(GroupInUse):
        operations.edit(event=event, plan=fewer, seen=event.version, by=author.actor, now=NOW)


def test_two_groups_of_a_draft_may_swap_their_names(draft, author):
    first, other = plan_of(draft).groups
    swapped = replace(PLAN, groups=(replace(first, name=other.name), replace(other, name=first.name)))

    operations.edit(event=draft, plan=swapped, seen=draft.version, by=author.actor, now=NOW)

    assert [(g.id, g.name) for g in draft.groups] == [(first.id, "企业代表"), (other.id, "博士")]


def test_a_group_of_a_draft_may_go_and_another_of_its_name_come(draft, author):
    anew = replace(PLAN, groups=(GroupPlan("企业代表", 3), GroupPlan("在读硕博", 5)))

    operations.edit(event=draft, plan=anew, seen=draft.version, by=author.actor, now=NOW)

    assert [(g.name, g.capacity) for g in draft.groups] == [("企业代表", 3), ("在读硕博", 5)]


def test_changing_only_the_groups_counts_the_version_up(draft, author):
    seen = draft.version
    more = replace(plan_of(draft), groups=(*plan_of(draft).groups, GroupPlan("在读硕博", 5)))

    operations.edit(event=draft, plan=more, seen=seen, by=author.actor, now=NOW)

    assert draft.version == seen + 1


def test_who_sees_a_published_event_is_settled(draft, author, second):
    event = published(draft, author, second)

    with pytest.raises(VisibilityIsSettled):
        operations.edit(
            event=event,
            plan=plan_of(event, visibility=Visibility.INTERNAL),
            seen=event.version,
            by=author.actor,
            now=NOW,
        )


def test_cancelling_a_published_event_needs_a_reason_and_is_announced(draft, author, second, announced):
    event = published(draft, author, second)
    announced.clear()

    with pytest.raises(ReasonMissing):
        operations.cancel(event=event, reason="", by=author.actor, now=NOW)
    operations.cancel(event=event, reason="场地漏水", by=author.actor, now=NOW)

    assert (event.state, event.sequence) == (EventState.CANCELLED, 1)
    assert [(name, heard["reason"]) for name, _, heard in announced] == [("event_cancelled", "场地漏水")]


def test_a_draft_is_dropped_without_telling_anybody(draft, author, announced):
    operations.cancel(event=draft, reason=None, by=author.actor, now=NOW)

    assert (draft.state, announced) == (EventState.CANCELLED, [])


def test_an_event_is_finished_only_when_it_is_over(draft, author, second):
    event = published(draft, author, second)

    with pytest.raises(NotOverYet):
        operations.finish(event=event, by=author.actor, now=event.ends_at - timedelta(seconds=1))
    operations.finish(event=event, by=author.actor, now=event.ends_at)

    assert event.state is EventState.FINISHED


@pytest.mark.parametrize("state", [EventState.FINISHED, EventState.ARCHIVED, EventState.CANCELLED])
def test_what_has_ended_is_not_cancelled(state, city, author):
    event = an_event(organisation=city, author=author, state=state)

    with pytest.raises(EventMoveRefused):
        operations.cancel(event=event, reason="晚了", by=author.actor, now=NOW)


def test_each_event_keeps_one_calendar_identity(city, author):
    first = operations.create(plan=PLAN, organisation=city, by=author.actor, now=NOW)
    other = operations.create(plan=PLAN, organisation=city, by=author.actor, now=NOW)

    assert isinstance(first, Event)
    assert first.uid != other.uid


def test_those_who_may_approve_are_told_and_the_submitter_hears_the_decision(session, draft, author, second):
    for account in (author, second):
        account.email = f"{account.username}@example.com"
    operations.submit(event=draft, by=author.actor, now=NOW)
    operations.refuse(event=draft, reason="时间冲突", by=second.actor, now=NOW)
    operations.submit(event=draft, by=author.actor, now=NOW)
    operations.approve(event=draft, seen=draft.version, by=second.actor, now=NOW)

    told = [(message.kind, message.account_id) for message in messages_about(draft.subject)]
    assert sorted(told) == sorted(
        [
            ("event.submitted", second.id),
            ("event.refused", author.id),
            ("event.submitted", second.id),
            ("event.approved", author.id),
        ]
    )
