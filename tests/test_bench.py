"""The bench itself: that what it measures is what was asked, and that a wrong count is no figure."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa

from bench.figure import Figure, WrongCount, median_of, must_be, percentile
from bench.load import load, request
from bench.population import populate
from bench.promise import LINES, fill
from outreach.cases import queries as cases
from outreach.cases.models import Case
from outreach.cases.rules.rates import Period, Span
from outreach.events.models import Event, event_words
from outreach.kernel import history
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.models import Organisation
from outreach.organisations.rules import Role
from outreach.people import operations
from outreach.people.models import Person, person_words
from outreach.people.operations import seed_classes_and_fields
from tests.conftest import NOW
from tests.factories import an_account
from tests.machine import POSTGRESQL, ROOT, need, postgresql
from tests.served import Served


def test_a_figure_is_a_name_a_value_and_a_unit():
    assert str(Figure("checkin_c32", 812.44, "per_second")) == "checkin_c32 812.4 per_second"
    assert str(Figure("checkin_c32_floor_ratio", 0.2514, "ratio")) == "checkin_c32_floor_ratio 0.251 ratio"


def test_a_figure_is_the_median_of_its_runs():
    assert median_of([30.0, 10.0, 20.0].__getitem__) == 20.0


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.95, 96), (1.0, 100)])
def test_a_percentile_is_one_of_the_values(share: float, value: float):
    assert percentile([float(each) for each in range(100, 0, -1)], share) == value


def test_a_wrong_count_fails_the_bench():
    must_be("arrivals", (3000, 3000), (3000, 3000))
    with pytest.raises(WrongCount, match="arrivals"):
        must_be("arrivals", (2999, 2999), (3000, 3000))


def test_the_load_answers_every_request_in_its_place(served_demo: Served):
    port = urlsplit(served_demo.url).port
    paths = ["/e/1", "/nowhere", "/e/2", "/nowhere", "/static/none"] * 2

    outcome = load(port, [request("GET", path) for path in paths], concurrency=3)

    assert [each.status for each in outcome.answers] == [200, 404, 200, 404, 404] * 2
    assert all(each.milliseconds > 0 and "</html>" in each.body for each in outcome.answers)
    assert outcome.per_second == pytest.approx(len(paths) / outcome.seconds)


@pytest.fixture
def populated(city):
    seed_classes_and_fields()
    an_account("陈晓", organisation=city.lead_organisation, roles=[Role.LEADER], username="leader")
    reader = an_account("何清越", organisation=city.lead_organisation, roles=[Role.ORGANISER], username="organiser")
    populate(how_many=20, now=NOW)
    populate(how_many=10, now=NOW, first=20)
    return reader


def test_people_put_in_bulk_stand_as_if_somebody_had_written_them_down(session, populated):
    for one in session.scalars(sa.select(Person).order_by(Person.id)).all():
        by_hand = operations.add(
            organisation=session.get_one(Organisation, one.organisation_id),
            name=one.name,
            phone=one.phone,
            email=None,
            values={
                "employer": one.employer,
                "school": one.school,
                "degree": one.degree,
                "talent_class": one.talent_class,
                "home_town": one.home_town,
                "residence": one.residence,
                "fields": [field.field_id for field in one.fields],
            },
            by=populated.actor,
            now=NOW,
        )
        session.flush()
        assert values_of(by_hand, Person) == values_of(one, Person)
        assert words_of(person_words, person_words.c.person_id, by_hand) == words_of(
            person_words, person_words.c.person_id, one
        )
        assert [at.contact_point_id for at in by_hand.contacts] == [at.contact_point_id for at in one.contacts]


def test_events_put_in_bulk_stand_as_the_model_writes_them(session, populated):
    for one in session.scalars(sa.select(Event).order_by(Event.id)).all():
        columns = {column.name for column in Event.__table__.columns} - {"id", "words", "uid", "version"}
        written = Event(uid=f"again-{one.uid}", **{name: getattr(one, name) for name in columns})
        session.add(written)
        session.flush()
        assert values_of(written, Event) == values_of(one, Event)
        assert words_of(event_words, event_words.c.event_id, written) == words_of(
            event_words, event_words.c.event_id, one
        )


def test_so_many_are_there_as_were_asked_for_and_ids_go_on(session, populated):
    assert [session.scalar(sa.select(sa.func.count()).select_from(model)) for model in (Person, Case, Event)] == [
        30,
        30,
        6,
    ]
    assert len({case.number for case in session.scalars(sa.select(Case))}) == 30
    assert all(case.words.endswith("请问该找哪个部门？") for case in session.scalars(sa.select(Case)))
    sealed = session.scalar(sa.text("SELECT words FROM cases ORDER BY id LIMIT 1"))
    assert sealed.startswith("v1.k1.")


def values_of(record, model) -> dict:
    own = {"id", "source", "uid", "version", "created_at", "updated_at"}
    return {column.name: getattr(record, column.name) for column in model.__table__.columns if column.name not in own}


def words_of(table, owner, record) -> set:
    columns = [column for column in table.columns if column is not owner]
    return set(db.session.execute(sa.select(*columns).where(owner == record.id)))


@pytest.mark.served
@pytest.mark.parametrize(
    "begun", ["keys.json", "server.log"], ids=["while a city is built", "while pages are asked for"]
)
def test_a_bench_that_is_asked_to_end_puts_everything_away_and_says_no_more_than_that(tmp_path: Path, begun: str):
    need(POSTGRESQL)
    before = databases_of_benches()
    bench = subprocess.Popen(
        [sys.executable, "-m", "bench", "checkin"],
        cwd=ROOT,
        env=os.environ | {"OUTREACH_BENCH_POSTGRESQL": postgresql(), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 120
    while not list(tmp_path.glob(f"outreach-bench-*/*/{begun}")) and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(1)

    os.killpg(bench.pid, signal.SIGTERM)
    figures, said = bench.communicate(timeout=90)

    assert (bench.returncode, figures) == (128 + signal.SIGTERM, "")
    assert said.splitlines()[-1] == "stopped"
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert databases_of_benches() <= before


def databases_of_benches() -> set[str]:
    with psycopg.connect(postgresql()) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'outreach_bench_%'").fetchall()
    return {name for (name,) in found}


def test_requests_put_in_bulk_have_a_life_that_is_measured_and_a_history_that_holds(session, populated):
    before = set(session.scalars(sa.select(Case.id)))

    fill(30, first=100)

    added = session.scalars(sa.select(Case).where(Case.id.not_in(before))).all()
    measured = cases.rates_over(populated, Period.now(Span.YEAR, now()), now=now()).whole
    assert len(added) == 30
    assert {len(history.lines_of(case.subject)) for case in added} == {len(LINES)}
    assert {history.first_broken_position(session(), case.subject) for case in added} == {None}
    assert 0 < measured.answered.met <= measured.answered.all <= 30
    assert measured.solved.all > 0
