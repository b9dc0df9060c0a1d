"""Planned visits: the rule of catching up, planning, moving, cancelling, and the calendar's address."""

import threading
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound

from outreach.kernel import clock
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.history import Subject, first_broken_position, lines_of
from outreach.kernel.refusals import Refused
from outreach.kernel.working_days import WorkingCalendar
from outreach.liaison.documents.calendars import calendar_of
from outreach.liaison.models import Pairing, PlannedVisit
from outreach.liaison.operations import end_pairing
from outreach.liaison.operations import planning as operations
from outreach.liaison.queries import planning
from outreach.liaison.rules.planning import (
    MOST_PER_WEEK,
    Behind,
    CancelReasonMissing,
    PairingOver,
    PlanAhead,
    PlannedAlready,
    PlanOver,
    SecondLook,
    carries_out,
    catch_up,
    week_of,
)
from outreach.organisations.models import Account
from outreach.organisations.rules import Role
from outreach.people.rules import Rhythm
from tests import factories
from tests.conftest import NOW
from tests.liaison.test_operations import log

TODAY = office_day(NOW)
NEXT_WEEK = TODAY + timedelta(days=7)
PLAIN = WorkingCalendar(exceptions={}, published=frozenset({2026, 2027}))
CALENDARS = st.builds(
    WorkingCalendar,
    exceptions=st.dictionaries(
        st.dates(date(2026, 11, 1), date(2027, 6, 1)).filter(lambda day: day.weekday() != 2), st.booleans(), max_size=30
    ),
    published=st.just(frozenset({2026})),
)
BEHIND = st.lists(
    st.builds(
        Behind,
        pairing_id=st.integers(1, 500),
        leader_id=st.integers(1, 4),
        rhythm=st.sampled_from(Rhythm),
        due_on=st.dates(date(2026, 1, 1), TODAY - timedelta(days=1)),
    ),
    max_size=40,
    unique_by=lambda one: one.pairing_id,
)
PLANNED = st.dictionaries(
    st.integers(1, 4), st.lists(st.dates(TODAY, TODAY + timedelta(days=40)), max_size=6), max_size=4
)


@given(BEHIND, PLANNED, CALENDARS, st.integers(1, MOST_PER_WEEK))
def test_catching_up_is_a_plan_that_can_be_kept(behind, planned, calendar, per_week):
    proposals = catch_up(behind, planned=planned, calendar=calendar, today=TODAY, per_week=per_week)

    by_id = {one.pairing_id: one for one in behind}
    assert sorted(one.pairing_id for one in proposals) == sorted(by_id)  # each once, and nobody else
    assert proposals == sorted(proposals, key=lambda one: (one.day, one.pairing_id))
    for leader_id in {one.leader_id for one in behind}:
        mine = [one for one in proposals if by_id[one.pairing_id].leader_id == leader_id]
        days = [one.day for one in mine]
        before = list(planned.get(leader_id, ()))
        assert all(calendar.is_working_day(day) and day > TODAY for day in days)
        assert len(set(days)) == len(days)
        assert not set(days) & set(before)
        for week in {week_of(day) for day in days}:
            assert sum(week_of(day) == week for day in [*days, *before]) <= per_week
        order = sorted(
            mine, key=lambda one: (by_id[one.pairing_id].rhythm.months, by_id[one.pairing_id].due_on, one.pairing_id)
        )
        assert [one.day for one in order] == sorted(days)  # who matters more is never later


def test_catching_up_leaves_no_free_day_behind():
    behind = [Behind(number, 1, Rhythm.MONTHLY, TODAY - timedelta(days=number)) for number in (1, 2, 3)]

    days = [one.day for one in catch_up(behind, planned={}, calendar=PLAIN, today=TODAY, per_week=2)]

    # a Tuesday: Wednesday and Thursday of this week, then Monday of the next
    assert days == [date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 30)]


def test_a_week_without_visits_cannot_be_asked_for():
    with pytest.raises(ValueError, match="one visit at least"):
        catch_up([], planned={}, calendar=PLAIN, today=TODAY, per_week=0)


@pytest.mark.parametrize(("met", "done"), [(-4, False), (-3, True), (0, True), (20, True)])
def test_which_contact_was_the_planned_one(met, done):
    assert carries_out(planned_for=TODAY, met_on=TODAY + timedelta(days=met)) is done


def planned(city, **values):
    defaults = {"pairing": city.pairing, "day": NEXT_WEEK, "hour": None, "note": None, "knowing": False}
    return operations.plan(**{**defaults, "by": city.officer, "now": NOW, **values})


def acts(one) -> list[str]:
    return [line.act for line in lines_of(Subject("planned_visit", one.id))]


def test_a_visit_is_planned_moved_and_cancelled_with_its_reason(city, session):
    one = planned(city, hour=time(9, 30), note="带上人才公寓的清单")

    operations.move(planned=one, day=NEXT_WEEK + timedelta(days=1), hour=None, by=city.leader.actor, now=NOW)
    with pytest.raises(CancelReasonMissing):
        operations.cancel(planned=one, reason="", by=city.leader, now=NOW)
    operations.cancel(planned=one, reason="出差到月底", by=city.leader, now=NOW)

    assert (one.sequence, one.cancel_reason, one.cancelled_by) == (2, "出差到月底", city.leader)
    assert acts(one) == ["planned", "moved", "cancelled"]
    assert first_broken_position(session(), Subject("planned_visit", one.id)) is None
    with pytest.raises(PlanOver):
        operations.move(planned=one, day=NEXT_WEEK, hour=None, by=city.leader.actor, now=NOW)
    assert planning.open_plan(city.pairing) is None
    assert planned(city, day=NEXT_WEEK).id != one.id  # another can be planned


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), TODAY + timedelta(days=367)])
def test_nothing_is_planned_for_the_past_or_for_years_ahead(city, day):
    with pytest.raises(PlanAhead):
        planned(city, day=day)


def test_one_visit_at_a_time(city, session):
    planned(city)

    with pytest.raises(PlannedAlready):
        planned(city, day=NEXT_WEEK + timedelta(days=3))
    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(
            sa.insert(PlannedVisit).values(
                pairing_id=city.pairing.id,
                day=NEXT_WEEK,
                planned_by_id=city.officer.id,
                planned_at=NOW,
                uid="another",
                sequence=0,
            )
        )


def test_a_cancelled_visit_cannot_have_taken_place(city, session):
    one = planned(city)
    visit = log(city)

    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(
            sa.update(PlannedVisit)
            .where(PlannedVisit.id == one.id)
            .values(visit_id=visit.id, cancelled_at=NOW, cancel_reason="x")
        )


def test_who_was_met_lately_or_is_about_to_be_is_seen_before_another_visit_is_planned(city):
    other = factories.an_account("许闻笛", organisation=city.office, roles=[Role.LEADER])
    second = factories.a_pairing(leader=other, person=city.talent)
    planned(city)

    with pytest.raises(SecondLook):
        planned(city, pairing=second, by=other)
    assert [one.pairing for one in planning.others_about(second, now=NOW).planned] == [city.pairing]
    assert planned(city, pairing=second, by=other, knowing=True)

    factories.a_visit(leaders=[other], talents=[city.talent], at=NOW - timedelta(days=5))
    assert planning.others_about(city.pairing, now=NOW).met.leaders == ("许闻笛",)
    assert planning.others_about(second, now=NOW + timedelta(days=60)).met is None  # long ago


def test_a_visit_that_is_logged_carries_out_what_was_planned(city):
    far = planned(city, day=TODAY + timedelta(days=30))
    log(city)
    assert far.is_open  # a call today is not the visit of next month

    operations.move(planned=far, day=TODAY, hour=None, by=city.officer.actor, now=NOW)
    visit = log(city, form_token="another-form-of-its-own")

    assert (far.visit_id, far.is_open) == (visit.id, False)
    assert acts(far)[-1] == "carried_out"


def test_what_is_planned_goes_with_the_pairing(city):
    one = planned(city)

    end_pairing(pairing=city.pairing, ends_on=TODAY, by=city.leader.actor, now=NOW)

    assert (one.is_open, one.cancel_reason) == (False, "")
    with pytest.raises(PairingOver):
        planned(city)


def test_only_who_leads_serves_or_keeps_the_list_plans(city):
    stranger = factories.an_account("路人", organisation=city.office, roles=[Role.LEADER])
    organiser = factories.an_account("何清越", organisation=city.office, roles=[Role.ORGANISER])
    one = planned(city)

    for account in (city.leader, city.officer, organiser):
        assert planning.plan_for(account, one.id) is one
    for account in (stranger, factories.an_account(organisation=city.bureau, roles=[Role.ORGANISER])):
        with pytest.raises(NotFound):
            planning.plan_for(account, one.id)
        with pytest.raises(NotFound):
            planning.pairing_to_plan(account, city.pairing.id)


def test_a_catch_up_plan_holds_what_is_overdue_and_not_planned(city):
    others = [
        factories.a_pairing(
            leader=city.leader, person=factories.a_person(organisation=city.office), starts_on=date(2026, 9, number)
        )
        for number in (1, 2)
    ]
    late = factories.a_pairing(
        leader=city.leader, person=factories.a_person(organisation=city.office), starts_on=date(2026, 8, 1)
    )
    planned(city, pairing=late, by=city.leader)

    lines = planning.behind(city.leader, now=NOW, mine=True, per_week=1)

    assert [line.row.pairing for line in lines] == others  # city.pairing is in good time, `late` is planned
    # this week is free, the next has the planned one already
    assert [line.day for line in lines] == [date(2026, 11, 25), date(2026, 12, 7)]


def test_two_who_plan_at_once_plan_one_visit(app: Flask, city):
    by_id, pairing_id, found = city.officer.id, city.pairing.id, []
    db.session.commit()  # and begin nothing more: it would hold SQLite's write lock
    begin = threading.Barrier(2)

    def press() -> None:
        with app.app_context():
            begin.wait()
            try:
                pairing = db.session.get(Pairing, pairing_id)
                operations.plan(
                    pairing=pairing,
                    day=NEXT_WEEK,
                    hour=None,
                    note=None,
                    knowing=False,
                    by=db.session.get(Account, by_id),
                    now=NOW,
                )
                db.session.commit()
                found.append("planned")
            except Refused as refused:
                db.session.rollback()
                found.append(type(refused).__name__)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == ["PlannedAlready", "planned"]


# --- the calendar --------------------------------------------------------------------------------


def test_a_calendar_reads_what_is_planned_and_follows_what_changes(city):
    from icalendar import Calendar  # noqa: PLC0415 -- slow import

    def read(account):
        file = calendar_of(planning.plans_in_feed(account, now=NOW), link="https://x/{}", now=NOW)
        calendar = Calendar.from_ical(file)
        return file.decode(), list(calendar.walk("VEVENT"))

    one = planned(city, hour=time(9, 30), note="机密的备注")
    text, [entry] = read(city.officer)

    assert (entry["uid"], entry["sequence"], entry["status"]) == (one.uid, 0, "CONFIRMED")
    assert entry["dtstart"].dt.isoformat() == "2026-12-01T09:30:00+08:00"
    assert "BEGIN:VTIMEZONE" in text
    assert "机密" not in text
    assert read(factories.an_account(organisation=city.office))[1] == []

    operations.cancel(planned=one, reason="出差", by=city.leader, now=NOW)
    text, [entry] = read(city.leader)
    assert (entry["uid"], entry["sequence"], entry["status"]) == (one.uid, 1, "CANCELLED")
    assert "出差" not in text


def test_a_calendars_address_is_secret_and_can_be_closed(client, city):
    planned(city)
    first = operations.make_feed(account=city.officer, now=NOW)
    assert client.get(f"/calendar/{first}.ics").mimetype == "text/calendar"

    second = operations.make_feed(account=city.officer, now=NOW)
    assert client.get(f"/calendar/{first}.ics").status_code == 404
    assert client.get(f"/calendar/{second}.ics").status_code == 200

    operations.revoke_feed(account=city.officer, now=NOW)
    assert client.get(f"/calendar/{second}.ics").status_code == 404
    assert client.get("/calendar/nothing.ics").status_code == 404


def test_a_closed_account_has_no_calendar(client, city):
    token = operations.make_feed(account=city.officer, now=NOW)
    city.officer.disabled_at = NOW

    assert client.get(f"/calendar/{token}.ics").status_code == 404


# --- pages ---------------------------------------------------------------------------------------


def test_the_pages_of_planning(client, city):
    factories.signed_in(client, city.officer)
    soon = office_day(clock.now()) + timedelta(days=5)

    assert client.get(f"/desk/liaison/{city.pairing.id}/plan").status_code == 200
    wrong = client.post(f"/desk/liaison/{city.pairing.id}/plan", data={"day": "2020-01-01", "note": "带清单"})
    assert (wrong.status_code, "带清单" in wrong.text) == (422, True)
    assert client.post(f"/desk/liaison/{city.pairing.id}/plan", data={"day": soon.isoformat()}).status_code == 303
    one = planning.open_plan(city.pairing)
    assert one.day == soon
    assert client.get("/desk/liaison/plans").status_code == 200
    assert client.get(f"/desk/liaison/plans/{one.id}").status_code == 200
    assert client.post(f"/desk/liaison/plans/{one.id}/cancel", data={"reason": ""}).status_code == 422
    assert client.post(f"/desk/liaison/plans/{one.id}/cancel", data={"reason": "改期"}).status_code == 303
    page = client.get(f"/desk/liaison/{city.pairing.id}")
    assert "改期" in page.text


def test_a_catch_up_plan_is_taken_over_in_one_step(client, city):
    person = factories.a_person("温如许", organisation=city.office)
    late = factories.a_pairing(leader=city.leader, person=person, starts_on=date(2026, 1, 5))
    mine = factories.signed_in(client, city.leader)

    page = mine.get("/desk/liaison/catch-up")
    assert "温如许" in page.text
    value = page.text.split(f'value="{late.id}:')[1].split('"')[0]
    stolen = factories.a_pairing(leader=factories.an_account(organisation=city.office), person=person)
    taken = mine.post("/desk/liaison/catch-up", data={"chosen": [f"{late.id}:{value}", f"{stolen.id}:{value}"]})

    assert taken.status_code == 303
    assert planning.open_plan(late).day == date.fromisoformat(value)
    assert planning.open_plan(stolen) is None
    assert mine.post("/desk/liaison/catch-up", data={}).status_code == 422
    assert mine.post("/desk/liaison/catch-up", data={"chosen": "7:tomorrow"}).status_code == 422


def test_the_address_of_the_calendar_is_shown_once(client, city):
    mine = factories.signed_in(client, city.officer)

    mine.post("/desk/liaison/calendar")

    assert ".ics" in mine.get("/desk/liaison/plans").text
    assert ".ics" not in mine.get("/desk/liaison/plans").text
    assert mine.post("/desk/liaison/calendar/close").status_code == 303


def test_a_supervisor_reads_what_is_planned_and_moves_nothing(client, city):
    supervisor = factories.an_account(organisation=city.office, roles=[Role.SUPERVISOR])
    planned = factories.a_planned_visit(pairing=city.pairing)
    factories.signed_in(client, supervisor)

    shown = client.get(f"/desk/liaison/plans/{planned.id}")

    assert (shown.status_code, "/move" in shown.text) == (200, False)
    assert "/catch-up" not in client.get("/desk/liaison").text + client.get("/desk/liaison/plans").text
    assert client.post(f"/desk/liaison/plans/{planned.id}/move", data={"day": "2026-12-01"}).status_code == 403
