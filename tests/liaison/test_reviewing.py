"""The yearly review: what the rhythm asked, what is decided, by whom, once or again."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from outreach.kernel import clock
from outreach.kernel.clock import office_day
from outreach.kernel.history import Subject, lines_of
from outreach.liaison.models import PairingReview
from outreach.liaison.operations.reviewing import review
from outreach.liaison.queries import reviewing
from outreach.liaison.rules import Rhythm
from outreach.liaison.rules.reviewing import (
    Decided,
    Decision,
    NothingDecided,
    NotThisYear,
    RhythmMissing,
    check_year,
    expected,
)
from outreach.organisations.rules import Role
from tests import factories
from tests.conftest import NOW

END = date(2026, 12, 31)


@pytest.mark.parametrize(
    ("rhythm", "starts_on", "ends_on", "today", "count"),
    [
        (Rhythm.MONTHLY, date(2020, 1, 1), None, END, 12),
        (Rhythm.QUARTERLY, date(2020, 1, 1), None, END, 4),
        (Rhythm.HALF_YEARLY, date(2026, 4, 15), None, END, 1),
        (Rhythm.MONTHLY, date(2026, 11, 1), None, date(2026, 11, 24), 0),
        (Rhythm.MONTHLY, date(2026, 10, 1), None, date(2026, 11, 24), 1),
        (Rhythm.MONTHLY, date(2026, 1, 1), date(2026, 3, 31), END, 3),
        (Rhythm.MONTHLY, date(2027, 1, 1), None, END, 0),
    ],
)
def test_how_many_contacts_the_rhythm_asked_of_a_year(rhythm, starts_on, ends_on, today, count):
    assert expected(rhythm=rhythm, starts_on=starts_on, ends_on=ends_on, year=2026, today=today) == count


@pytest.mark.parametrize("year", [2024, 2027])
def test_only_this_year_and_the_last_are_reviewed(year):
    with pytest.raises(NotThisYear):
        check_year(year, date(2026, 11, 24))


@pytest.fixture
def organiser(city):
    return factories.an_account("何清越", organisation=city.office, roles=[Role.ORGANISER])


def decide(city, organiser, decision, rhythm=None, **values):
    one = Decided(city.pairing.id, decision, rhythm)
    defaults = {
        "year": 2026,
        "decided": [one],
        "pairings": {city.pairing.id: city.pairing},
        "by": organiser,
        "now": NOW,
    }
    return review(**{**defaults, **values})


def test_a_pairing_is_kept_changed_or_ended_and_it_is_known_by_whom(city, organiser, session):
    decide(city, organiser, Decision.KEEP)
    decide(city, organiser, Decision.CHANGE, Rhythm.QUARTERLY, now=NOW + timedelta(hours=1))

    one = session.scalars(sa.select(PairingReview)).one()  # decided again: the later word stands
    assert (one.decision, one.rhythm_before, one.rhythm_after) == (Decision.CHANGE, Rhythm.MONTHLY, Rhythm.QUARTERLY)
    assert (one.reviewed_by, city.pairing.rhythm) == (organiser, Rhythm.QUARTERLY)
    assert [line.act for line in lines_of(Subject("pairing", city.pairing.id))] == ["reviewed", "reviewed"]

    decide(city, organiser, Decision.END)
    assert city.pairing.ends_on == date(2026, 11, 24)


@pytest.mark.parametrize("rhythm", [None, Rhythm.MONTHLY])
def test_another_rhythm_is_another_one(city, organiser, rhythm):
    with pytest.raises(RhythmMissing):
        decide(city, organiser, Decision.CHANGE, rhythm)


def test_what_is_not_theirs_is_passed_over(city, organiser):
    with pytest.raises(NothingDecided):
        decide(city, organiser, Decision.END, pairings={})
    assert city.pairing.ends_on is None


def test_a_change_that_changes_nothing_is_refused_by_the_database(city, organiser, session):
    values = {"pairing_id": city.pairing.id, "year": 2026, "reviewed_by_id": organiser.id, "reviewed_at": NOW}
    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(
            sa.insert(PairingReview).values(
                decision=Decision.CHANGE, rhythm_before=Rhythm.MONTHLY, rhythm_after=Rhythm.MONTHLY, **values
            )
        )


def test_the_roster_counts_the_contacts_of_the_year(city, organiser):
    for days in (1, 20, 400):
        factories.a_visit(leaders=[city.leader], talents=[city.talent], at=NOW - timedelta(days=days))

    [line] = reviewing.roster(organiser, 2026, cursor=None, now=NOW).items

    assert (line.pairing, line.met, line.review) == (city.pairing, 2, None)
    assert reviewing.standing(organiser, 2026) == reviewing.Standing(1, 0)


def test_the_roster_asks_no_query_per_row(city, organiser, statements):
    def asked() -> int:
        with statements() as counted:
            reviewing.roster(organiser, 2026, cursor=None, now=NOW)
        return len(counted)

    first = asked()
    for _ in range(4):
        factories.a_pairing(leader=city.leader, person=factories.a_person(organisation=city.office))
    assert asked() == first


def test_a_page_is_decided_in_one_step(client, city, organiser):
    year = office_day(clock.now()).year
    desk = factories.signed_in(client, organiser)
    assert desk.get("/desk/liaison/review/").status_code == 200
    wrong = desk.post(f"/desk/liaison/review/?year={year}", data={f"decision-{city.pairing.id}": "change"})
    assert (wrong.status_code, "林知遥" in wrong.text) == (422, True)

    done = desk.post(f"/desk/liaison/review/?year={year}", data={f"decision-{city.pairing.id}": "keep"})

    assert done.status_code == 303
    assert "何清越" in desk.get(f"/desk/liaison/review/?year={year}").text
    assert factories.signed_in(client, city.leader).get("/desk/liaison/review/").status_code == 403
