"""The ladder of supervision, and deadlines made again by a new calendar."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from outreach.cases import jobs, operations, queries
from outreach.cases.models import Case, CaseRung
from outreach.cases.rules.answers import AnswerKind
from outreach.cases.rules.deadlines import Clock
from outreach.cases.rules.ladder import UPWARDS, Rung, next_rung, rung_due
from outreach.cases.rules.telling import Happening
from outreach.kernel import history, outbox
from outreach.kernel.actor import SYSTEM, ActorKind
from outreach.kernel.calendar_days import CalendarDay, CalendarYear, working_calendar
from outreach.kernel.clock import local, office_day
from outreach.kernel.clock import now as right_now
from outreach.kernel.database import db
from outreach.kernel.outbox import Work
from outreach.kernel.working_days import CLOSES, OPENS, WorkingCalendar
from outreach.notices.models import Message
from outreach.organisations.operations.working_days import set_working_days
from outreach.organisations.rules import Role
from outreach.organisations.rules.working_days import (
    YearChangedMeanwhile,
    YearOutOfRange,
    days_of,
    differing,
    state_of,
)
from tests.cases.oracle import rates
from tests.conftest import NOW
from tests.factories import a_case, an_absence, an_account, signed_in

HOLIDAYS = {date(2026, 11, 26): False, date(2026, 11, 28): True}
CALENDAR = WorkingCalendar(exceptions=HOLIDAYS, published=frozenset({2026}))
MOMENTS = st.integers(0, 25 * 24 * 60).map(
    lambda minutes: datetime(2026, 11, 16, tzinfo=UTC) + timedelta(minutes=minutes)
)
NEW_YEAR = date(2027, 1, 1)  # a Friday
EVE = datetime(2026, 12, 29, 2, 0, tzinfo=UTC)  # a Tuesday, 10:00


@given(since=MOMENTS, days=st.integers(1, 6), now=MOMENTS)
def test_a_rung_speaks_in_office_hours_only_and_says_how_far_the_deadline_is(since, days, now):
    due_at = CALENDAR.due(since, days).at

    rung = rung_due(since=since, due_at=due_at, now=now, calendar=CALENDAR)

    there = local(now)
    if not (CALENDAR.is_working_day(there.date()) and OPENS <= there.time() < CLOSES):
        assert rung is None
        return
    left = sum(  # counted by hand, not by the calendar's own arithmetic
        CALENDAR.is_working_day(there.date() + timedelta(days=ahead))
        for ahead in range(1, (local(due_at).date() - there.date()).days + 1)
    )
    late = sum(
        CALENDAR.is_working_day(local(due_at).date() + timedelta(days=ahead))
        for ahead in range(1, (there.date() - local(due_at).date()).days + 1)
    )
    if late:
        assert rung is (Rung.LISTED if late >= 2 else Rung.SUPERVISED)
    elif left == 0:
        assert rung is Rung.URGED
    elif left == 1 and since < now and CALENDAR.received_on(since) < there.date():
        assert rung is Rung.REMINDED
    else:
        assert rung is None


@given(since=MOMENTS, days=st.integers(1, 6), first=MOMENTS, second=MOMENTS)
def test_a_deadline_only_comes_higher_with_time(since, days, first, second):
    due_at = CALENDAR.due(since, days).at
    earlier, later = (
        rung_due(since=since, due_at=due_at, now=moment, calendar=CALENDAR) for moment in sorted((first, second))
    )

    if earlier is not None and later is not None:
        assert UPWARDS.index(later) >= UPWARDS.index(earlier)


@given(standing=st.sampled_from([None, *Rung]), climbed=st.sets(st.sampled_from(Rung)))
def test_no_rung_is_climbed_twice_or_after_a_higher_one(standing, climbed):
    rung = next_rung(standing, climbed)

    assert rung in {None, standing}
    if rung is not None:
        assert all(UPWARDS.index(rung) > UPWARDS.index(one) for one in climbed)


def acts(case):
    return [line.act for line in history.lines_of(case.subject)]


def at(day, hour=0, minute=40):
    """A moment of November 2026, in UTC: 8:40 in the office unless said otherwise."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def morning(session, moment):
    jobs.climb(now=moment, work=Work())
    session.expire_all()


def told(session, kind):
    return session.scalars(sa.select(Message.account_id).where(Message.kind == kind).order_by(Message.id)).all()


@pytest.fixture
def owed(city, accepted):
    """An answer owed by 市教育局 by Tuesday 1 December; everybody can be reached."""
    for place, account in enumerate((city.organiser, city.supervisor, city.handler)):
        account.email = f"desk{place}@example.cn"
    return accepted


def test_each_morning_the_deadline_climbs_and_each_rung_goes_to_its_post(session, city, owed):
    head = an_account("胡凯", organisation=city.schools, roles=[Role.APPROVER], email="head@example.cn")
    moments = [at(27), at(30), at(30, 3)]
    for moment in moments:
        morning(session, moment)
    assert told(session, "case_clock_reminded") == [city.handler.id]
    assert queries.rung_of(owed) is Rung.REMINDED
    december = datetime(2026, 12, 1, 0, 40, tzinfo=UTC)
    for days in range(6):
        morning(session, december + timedelta(days=days))

    assert [act for act in acts(owed) if act in {"reminded", "urged_by_clock", "supervised", "listed"}] == [
        "reminded",
        "urged_by_clock",
        "supervised",
        "listed",
    ]
    assert told(session, "case_clock_urged") == [city.handler.id]
    assert told(session, "case_clock_supervised") == told(session, "case_clock_listed") == [city.supervisor.id, head.id]
    assert queries.rung_of(owed) is Rung.LISTED
    last = history.lines_of(owed.subject)[-1]
    assert (last.actor_kind, last.facts["unit"]) == (ActorKind.SYSTEM, city.schools.id)
    assert history.first_broken_position(session(), owed.subject) is None
    assert [entry.happening for entry in queries.past_of(owed)][:2] == [Happening.LISTED, Happening.SUPERVISED]


@pytest.mark.parametrize("moment", [at(30, 10, 0), at(30, 0, 29), at(30, 15), at(29), at(28)])
def test_at_night_and_at_the_weekend_nothing_climbs(session, owed, moment):
    owed.due_at = at(30, 9, 30)
    before = acts(owed)

    morning(session, moment)

    assert acts(owed) == before
    assert session.scalar(sa.select(sa.func.count()).select_from(CaseRung)) == 0


def test_a_deputy_is_reminded_in_the_place_of_who_is_away(session, city, owed):
    deputy = an_account("宋军", organisation=city.schools, email="b@example.cn")
    an_absence(account=city.handler, deputy=deputy, from_on=date(2026, 11, 30), until_on=date(2026, 11, 30))

    morning(session, at(30))

    assert told(session, "case_clock_reminded") == [deputy.id]


def test_a_deadline_that_moved_is_climbed_anew(session, city, owed):
    morning(session, at(30))
    owed.due_at += timedelta(days=1)
    assert queries.rung_of(owed) is None
    session.flush()
    morning(session, datetime(2026, 12, 1, 0, 40, tzinfo=UTC))

    assert acts(owed).count("reminded") == 2


def test_two_workers_at_once_climb_each_rung_once(app, session, city, owed):
    others = [a_case(intake=city.office, person=city.talent, contact_point=city.number, now=NOW) for _ in range(4)]
    ids = [owed.id, *(case.id for case in others)]
    moment = datetime(2026, 12, 1, 0, 40, tzinfo=UTC)
    session.commit()
    gate = Barrier(2)

    def work(_):
        with app.app_context():
            gate.wait(timeout=20)
            try:
                jobs.climb(now=moment, work=Work())
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    session.expire_all()
    found = session.execute(sa.select(CaseRung.case_id, CaseRung.rung).order_by(CaseRung.case_id)).all()
    assert found == [(ids[0], Rung.URGED), *((case_id, Rung.LISTED) for case_id in ids[1:])]
    assert told(session, "case_clock_urged") == [city.handler.id]
    for case_id in ids:
        assert history.first_broken_position(session(), session.get_one(Case, case_id).subject) is None


def test_the_database_knows_each_rung_once(session, owed):
    values = {"case_id": owed.id, "due_at": owed.due_at, "rung": Rung.URGED, "climbed_at": NOW}
    session.add(CaseRung(**values))
    session.flush()

    session.add(CaseRung(**values))
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()


def test_the_page_of_a_request_says_the_rung_and_who_is_away(client, city, owed):
    deputy = an_account("宋军", organisation=city.schools)
    today = office_day(right_now())
    an_absence(account=city.handler, deputy=deputy, from_on=today, until_on=today + timedelta(days=3))
    operations.climb(case=owed, now=datetime(2026, 12, 1, 0, 40, tzinfo=UTC))

    page = signed_in(client, city.organiser).get(f"/desk/requests/{owed.id}").text

    assert "已催办：今天到期" in page
    assert "王浩 休假到" in page
    assert "由 宋军 代理" in page


@pytest.fixture
def year_2027(session):
    """Working days of 2027 may be changed; the plain week is there again after the test."""
    yield 2027
    session.rollback()
    session.execute(sa.delete(CalendarDay).where(CalendarDay.day >= NEW_YEAR))
    session.execute(sa.delete(CalendarYear).where(CalendarYear.year == 2027))
    session.commit()


def state_now():
    calendar = working_calendar()
    days = {day: worked for day, worked in calendar.exceptions.items() if day.year == 2027}
    return state_of(days, published=2027 in calendar.published)


def choose(*free, published=True, by=SYSTEM, now=EVE):
    worked = [day for day in days_of(2027) if day.weekday() < 5 and day not in free]
    return set_working_days(year=2027, worked=worked, published=published, seen=state_now(), by=by, now=now)


def counted_again(session, now=EVE):
    """Do what the change left for a worker."""
    for work in session.scalars(sa.select(Work).where(Work.job == "cases.count_again")).all():
        outbox.job_of(work.job)(**work.arguments, now=now, work=work)
        session.delete(work)
    session.expire_all()


@pytest.fixture
def across(city, year_2027):
    """An answer owed five working days after 29 December: across a New Year that is not announced yet."""
    city.handler.email = "desk@example.cn"
    case = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=EVE)
    operations.assign(case=case, unit=city.schools, version=case.version, by=city.organiser.actor, now=EVE)
    operations.accept(case=case, version=case.version, by=city.handler.actor, now=EVE)
    return case


def test_publishing_a_year_moves_what_crosses_its_holidays_and_says_so(session, city, across):
    plain = datetime(2027, 1, 5, 9, 30, tzinfo=UTC)
    assert (across.due_at, across.due_provisional) == (plain, True)
    part = operations.ask_unit(
        case=across, unit=city.housing, question="公寓还有几套？", by=city.handler.actor, now=EVE
    )
    assert part.due_provisional

    assert choose(NEW_YEAR)
    counted_again(session)

    assert (across.due_at, across.due_provisional) == (plain + timedelta(days=1), False)
    assert (across.answer_due_at, across.answer_due_provisional) == (across.due_at, False)
    assert (part.due_at, part.due_provisional) == (across.due_at - timedelta(days=1), False)
    last = history.lines_of(across.subject)[-1]
    assert (last.act, last.actor_kind, last.facts["year"]) == ("recomputed", ActorKind.SYSTEM, 2027)
    assert (last.facts["was"], last.facts["due"]) == (plain.isoformat(), across.due_at.isoformat())
    assert told(session, "case_recomputed") == [city.handler.id]

    lines = len(acts(across))
    choose(NEW_YEAR)  # nothing changed
    counted_again(session)
    assert len(acts(across)) == lines


def test_what_rates_count_moves_with_the_calendar_and_a_replay_finds_the_same(session, city, year_2027):
    eve = datetime(2026, 12, 31, 2, 0, tzinfo=UTC)
    case = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=eve)
    operations.assign(case=case, unit=city.schools, version=case.version, by=city.organiser.actor, now=eve)
    choose(NEW_YEAR, now=eve)
    counted_again(session, now=eve)
    accept_by, answer_by = datetime(2027, 1, 4, 9, 30, tzinfo=UTC), datetime(2027, 1, 8, 9, 30, tzinfo=UTC)

    assert (case.due_at, case.answer_due_at) == (accept_by, answer_by)
    assert sorted(term.due_at for term in case.terms) == [accept_by, answer_by]
    monday = accept_by - timedelta(hours=7)
    operations.climb(case=case, now=monday - timedelta(minutes=20))
    operations.accept(case=case, version=case.version, by=city.handler.actor, now=monday)
    operations.climb(case=case, now=datetime(2027, 1, 12, 1, 0, tzinfo=UTC))
    lines = [
        {"subject_id": case.id, "position": line.position, "at": line.at, "act": line.act, "facts": line.facts}
        for line in history.lines_of(case.subject)
    ]

    def replayed(due):
        found = rates(lines, begins=due, ends=due + timedelta(minutes=1), now=answer_by + timedelta(days=9))
        return found[("unit", city.schools.id)]

    assert replayed(accept_by) == {"accepted": [1, 1]}
    assert replayed(answer_by) == {"answered": [0, 1]}


def test_a_deadline_that_stays_is_no_longer_provisional_and_nobody_is_bothered(session, city, across):
    choose()
    counted_again(session)

    assert (across.due_at, across.due_provisional) == (datetime(2027, 1, 5, 9, 30, tzinfo=UTC), False)
    assert acts(across)[-1] == "confirmed"
    assert told(session, "case_recomputed") == []


def test_an_answer_that_went_out_keeps_the_deadline_it_was_measured_by(session, city, across):
    due = across.answer_due_at
    operations.reply(
        case=across, version=across.version, by=city.handler.actor, now=EVE, kind=AnswerKind.SOLVED, text="办好了。"
    )

    choose(NEW_YEAR)
    counted_again(session)

    assert (across.answer_due_at, across.answer_due_provisional) == (due, True)
    assert not across.due_provisional  # of the step that is owed now


def test_nobody_is_made_late_by_a_calendar(session, city, across):
    choose(NEW_YEAR)
    counted_again(session)
    wednesday = datetime(2027, 1, 6, 2, 0, tzinfo=UTC)

    choose(now=wednesday)  # the holiday is taken back on the last day: by that it would have been due yesterday
    counted_again(session, now=wednesday)

    assert across.due_at == across.answer_due_at == datetime(2027, 1, 7, 9, 30, tzinfo=UTC)
    assert told(session, "case_recomputed") == [city.handler.id] * 2


CHANGES = st.dictionaries(st.dates(date(2026, 11, 10), date(2027, 1, 20)), st.booleans(), max_size=12)


@given(days=st.integers(1, 20), since=MOMENTS, left=st.integers(-600, 3000), changed=CHANGES)
def test_no_calendar_puts_a_standing_deadline_into_the_past(days, since, left, changed):
    clock = Clock(since, days)
    was = clock.due(CALENDAR).at
    now = was - timedelta(minutes=left)

    again, due = clock.again(WorkingCalendar(changed, frozenset({2026})), was=was, now=now)

    assert due == again.due(WorkingCalendar(changed, frozenset({2026})))
    if was >= now:
        assert due.at >= now


def test_what_cannot_be_a_calendar_is_refused(session, city, year_2027):
    with pytest.raises(YearOutOfRange):
        set_working_days(year=2040, worked=[], published=True, seen="", by=SYSTEM, now=NOW)
    seen = state_now()
    choose(NEW_YEAR, published=False)
    with pytest.raises(YearChangedMeanwhile):
        set_working_days(year=2027, worked=[], published=True, seen=seen, by=SYSTEM, now=NOW)
    assert differing(2027, [day for day in days_of(2027) if day.weekday() < 5]) == {}


def test_an_administrator_ticks_the_days_of_a_year_and_publishes_it(client, session, city, year_2027):
    boss = an_account("总管", organisation=city.office, roles=[Role.ADMINISTRATOR])
    browser = signed_in(client, boss)
    saturday = date(2027, 2, 6)
    worked = [day.isoformat() for day in days_of(2027) if (day.weekday() < 5 or day == saturday) and day != NEW_YEAR]

    page = browser.get("/desk/calendar/2027").text
    assert "尚未公布" in page
    stale = browser.post("/desk/calendar/2027", data={"worked": worked, "seen": "older"})
    assert stale.status_code == 422
    assert 'value="2027-02-06" checked' in stale.text  # what was chosen stands
    seen = state_now()
    sent = browser.post("/desk/calendar/2027", data={"worked": worked, "seen": seen, "publish": "1"})

    assert sent.status_code == 303
    calendar = working_calendar()
    assert calendar.is_working_day(saturday)
    assert not calendar.is_working_day(NEW_YEAR)
    assert 2027 in calendar.published
    page = browser.get("/desk/calendar/2027").text
    assert "公布了这一年" in page
    assert "放假：2027-01-01" in page
    assert session.scalars(sa.select(Work.job).where(Work.job == "cases.count_again")).all() == ["cases.count_again"]
    assert browser.get("/desk/calendar/1999").status_code == 404
    assert browser.post("/desk/calendar/2027", data={"worked": ["x"], "seen": state_now()}).status_code == 422
    assert signed_in(client, city.organiser).get("/desk/calendar/2027").status_code == 403
