"""Leave and deputies (AB岗): what follows from the day, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from outreach.kernel import clock, history
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.history import Subject
from outreach.organisations import queries
from outreach.organisations.models import Absence, Account
from outreach.organisations.operations.leave import end_leave, write_leave
from outreach.organisations.queries import leave
from outreach.organisations.rules import Permission, Role
from outreach.organisations.rules.leave import (
    DeputyAway,
    DeputyElsewhere,
    DeputyThemselves,
    LeaveBackwards,
    LeaveOver,
    LeaveOverlaps,
    LeavePast,
    LeaveTooLong,
    StandsInThen,
    present,
    told,
)
from tests.conftest import NOW
from tests.factories import an_absence, an_account, an_organisation, signed_in

FIRST, LAST = date(2026, 11, 24), date(2026, 11, 26)


@pytest.fixture
def unit(city):
    """市教育局, below the lead office."""
    return an_organisation("市教育局", parent=city.lead_organisation)


@pytest.fixture
def handler(unit):
    return an_account("王浩", organisation=unit, roles=[Role.HANDLER, Role.ADMINISTRATOR])


@pytest.fixture
def colleague(unit):
    return an_account("宋军", organisation=unit)


def write(account, deputy=None, *, from_on=FIRST, until_on=LAST):
    return write_leave(account=account, from_on=from_on, until_on=until_on, deputy=deputy, by=account.actor, now=NOW)


def test_who_is_there_and_who_hears():
    assert present([1, 2, 3], {1: 2, 3: None}) == [2]
    assert told([1, 2, 3], {1: 2, 3: None}) == [2]
    assert told([1, 3], {1: None, 3: None}) == [1, 3]  # better heard on return than by nobody


def test_a_deputy_may_do_on_these_days_what_the_absent_one_may_but_for_administering(unit, handler, colleague):
    write(handler, colleague)

    def may(moment, permission):
        return colleague_on(moment).may(permission)

    def colleague_on(moment):
        return leave.take_duties(colleague, now=moment)

    assert may(NOW, Permission.CASE_HANDLE)
    assert queries.reaches(colleague, unit, Permission.CASE_HANDLE)
    assert queries.reached_ids(colleague, Permission.CASE_HANDLE) == [unit.id]
    assert not may(NOW, Permission.ADMINISTER)
    assert not may(NOW - timedelta(days=1), Permission.CASE_HANDLE)
    assert may(NOW + timedelta(days=2), Permission.CASE_HANDLE)
    assert not may(NOW + timedelta(days=3), Permission.CASE_HANDLE)
    assert queries.reached_ids(colleague, Permission.CASE_HANDLE) == ()


def test_what_cannot_be_leave_is_refused_by_name(unit, handler, colleague, city):
    elsewhere = an_account("唐平", organisation=city.lead_organisation)
    third = an_account("叶艳泽", organisation=unit)
    for wrong, refusal in [
        ({"until_on": FIRST - timedelta(days=1)}, LeaveBackwards),
        ({"from_on": date(2026, 11, 20), "until_on": date(2026, 11, 23)}, LeavePast),
        ({"until_on": FIRST + timedelta(days=366)}, LeaveTooLong),
        ({"deputy": handler}, DeputyThemselves),
        ({"deputy": elsewhere}, DeputyElsewhere),
    ]:
        with pytest.raises(refusal):
            write(handler, **wrong)
    write(handler, colleague)
    with pytest.raises(LeaveOverlaps):
        write(handler, from_on=LAST, until_on=LAST + timedelta(days=1))
    with pytest.raises(StandsInThen):
        write(colleague)
    with pytest.raises(DeputyAway):
        write(third, handler, from_on=LAST, until_on=LAST + timedelta(days=5))
    write(third, handler, from_on=LAST + timedelta(days=1), until_on=LAST + timedelta(days=5))


@pytest.mark.parametrize(("shift", "length"), [(0, 0), (-1, 1), (4, 3), (-9, 30)])
def test_the_database_refuses_a_second_leave_on_the_same_days(session, handler, shift, length):
    first = an_absence(account=handler)
    from_on = first.from_on + timedelta(days=shift)

    with pytest.raises(sa.exc.DatabaseError, match="already"), session.begin_nested():
        an_absence(account=handler, from_on=from_on, until_on=from_on + timedelta(days=length))
    second = an_absence(account=handler, from_on=date(2026, 11, 28), until_on=date(2026, 11, 30))
    second.from_on = first.until_on
    with pytest.raises(sa.exc.DatabaseError, match="already"):
        session.flush()


def test_of_two_who_write_the_same_leave_at_once_one_is_refused(app, session, handler):
    account_id = handler.id
    session.commit()
    gate = Barrier(2)

    def run(_):
        with app.app_context():
            gate.wait(timeout=20)
            try:
                write(db.session.get_one(Account, account_id))
                db.session.commit()
            except LeaveOverlaps as refused:
                db.session.rollback()
                return refused
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        raised = list(pool.map(run, range(2)))

    assert [type(one) for one in raised if one] == [LeaveOverlaps]
    assert session.scalar(sa.select(sa.func.count()).select_from(Absence)) == 1


def test_leave_is_ended_early_or_taken_out_and_both_are_lines_of_history(session, handler, colleague):
    absence = write(handler, colleague)

    end_leave(absence=absence, by=handler.actor, now=NOW + timedelta(days=1))
    assert absence.until_on == FIRST
    with pytest.raises(LeaveOver):
        end_leave(absence=absence, by=handler.actor, now=NOW + timedelta(days=1))
    later = write(handler, from_on=date(2026, 12, 1), until_on=date(2026, 12, 2))
    end_leave(absence=later, by=handler.actor, now=NOW)

    assert [one.from_on for one in session.scalars(sa.select(Absence))] == [FIRST]
    lines = history.lines_of(Subject("account", handler.id))
    assert [line.act for line in lines] == ["leave_written", "leave_ended"] * 2
    assert lines[0].facts["deputy"] == colleague.id


def test_an_approver_who_is_away_is_skipped_and_their_deputy_counts(unit, handler, colleague, city):
    head = an_account("胡凯", organisation=unit, roles=[Role.APPROVER])
    supervisor = an_account("叶艳泽", organisation=city.lead_organisation, roles=[Role.SUPERVISOR])

    def deciding(moment):
        [found] = queries.who_approves([(unit.path, handler.id)], now=moment)
        return dict(found)

    assert deciding(NOW) == {head.id: "胡凯"}
    absence = write(head, colleague)
    assert deciding(NOW) == {colleague.id: "宋军"}
    colleague.disabled_at = NOW
    assert deciding(NOW) == {supervisor.id: "叶艳泽"}  # nobody is there: the unit above decides
    colleague.disabled_at, absence.deputy = None, handler
    assert deciding(NOW) == {supervisor.id: "叶艳泽"}  # a deputy does not approve what they wrote
    assert deciding(NOW + timedelta(days=9)) == {head.id: "胡凯"}


def test_one_writes_ones_own_leave_at_the_desk_and_acts_as_deputy_until_it_is_ended(client, handler, colleague):
    today = office_day(clock.now())
    browser = signed_in(client, handler)
    form = {"from_on": today.isoformat(), "until_on": (today - timedelta(days=1)).isoformat(), "deputy": colleague.id}

    wrong = browser.post("/desk/leave", data=form)
    assert wrong.status_code == 422
    assert "最后一天" in wrong.text
    assert f'value="{colleague.id}"' in wrong.text
    form["until_on"] = (today + timedelta(days=2)).isoformat()
    assert browser.post("/desk/leave", data=form).status_code == 303
    assert "宋军" in browser.get("/desk/leave").text

    [absence_id] = db.session.scalars(sa.select(Absence.id))
    as_deputy = signed_in(client, colleague)
    assert as_deputy.get("/desk/requests").status_code == 200
    assert "王浩" in as_deputy.get("/desk/leave").text
    assert as_deputy.post(f"/desk/leave/{absence_id}/end").status_code == 404  # not theirs
    signed_in(client, handler).post(f"/desk/leave/{absence_id}/end")
    assert signed_in(client, colleague).get("/desk/requests").status_code == 403


def test_an_administrator_writes_leave_of_those_they_administer_and_of_nobody_else(
    client, unit, handler, colleague, city
):
    boss = an_account("总管", organisation=city.lead_organisation, roles=[Role.ADMINISTRATOR])
    today = office_day(clock.now())
    form = {"from_on": today.isoformat(), "until_on": today.isoformat(), "deputy": "0"}
    browser = signed_in(client, handler)

    assert browser.post(f"/desk/accounts/{boss.id}/leave", data=form).status_code == 404
    assert browser.post(f"/desk/accounts/{colleague.id}/leave", data=form).status_code == 303
    listed = browser.get("/desk/leave/units").text

    assert "宋军" in listed
    assert "无人代理" in browser.get(f"/desk/accounts/{colleague.id}/leave").text
