"""Rates: what is counted in the cases that are hard, who sees which, the page, its rows, and the bulletin."""

import io
from datetime import UTC, date, datetime, timedelta

import docx
import pytest

from outreach.cases import operations, queries
from outreach.cases.rules.answers import ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.moves import CaseState, Step
from outreach.cases.rules.rates import Happened, Period, Rate, Rates, Span, Term, follow, is_met, rank_key
from outreach.cases.rules.telling import Happening
from outreach.exports import queries as exports
from outreach.exports.models import Export
from outreach.exports.rules import Format
from outreach.kernel.database import db
from tests.cases.conftest import answer_of
from tests.conftest import NOW
from tests.exports.files import asked_for
from tests.factories import a_case, signed_in
from tests.intake.files import work_off

OFFICE, SCHOOLS, HOUSING = 1, 2, 3
ACCEPT_BY, ANSWER_BY = NOW + timedelta(days=1), NOW + timedelta(days=7)
GIVEN, ON = CaseState.ASSIGNED, CaseState.ACCEPTED
NOVEMBER = Period.read("2026-11")
MONTH_END = datetime(2026, 11, 30, 15, tzinfo=UTC)


def told(terms, what, hours, state, unit=SCHOOLS, **values):
    """Something that happens hours after NOW; the step is due by ACCEPT_BY while it is assigned."""
    due_at = ACCEPT_BY if state is GIVEN else ANSWER_BY
    standing = {"due_at": due_at, "answer_due_at": ANSWER_BY} | values
    follow(terms, Happened(what, NOW + timedelta(hours=hours), state, unit, **standing))


@pytest.fixture
def terms():
    """Those of a request that was given to the schools just now."""
    found = []
    told(found, Happening.ASSIGNED, 0, GIVEN)
    return found


def of(terms, step):
    return [(term.unit_id, is_met(term)) for term in terms if term.step is step]


def test_a_unit_that_gives_it_back_in_time_owed_no_acceptance(terms):
    told(terms, Happening.RETURNED, 5, CaseState.RETURNED, OFFICE)

    assert of(terms, Step.ACCEPT) == []


def test_a_unit_that_gives_it_back_late_did_not_accept_in_time(terms):
    told(terms, Happening.RETURNED, 30, CaseState.RETURNED, OFFICE)
    told(terms, Happening.ASSIGNED, 31, GIVEN, HOUSING, due_at=ACCEPT_BY + timedelta(days=2))
    told(terms, Happening.ACCEPTED, 32, ON, HOUSING)

    assert of(terms, Step.ACCEPT) == [(SCHOOLS, False), (HOUSING, True)]


def test_the_answer_is_owed_by_whoever_has_it_when_it_falls_due(terms):
    told(terms, Happening.RETURNED, 5, CaseState.RETURNED, OFFICE)
    told(terms, Happening.ASSIGNED, 200, GIVEN, HOUSING)  # the deadline passed while it lay with the desk
    told(terms, Happening.REPLIED, 210, CaseState.REPLIED, OFFICE)

    assert of(terms, Step.ANSWER) == [(OFFICE, False)]


def test_an_extension_moves_the_deadline_of_the_one_term(terms):
    longer = ANSWER_BY + timedelta(days=5)
    told(terms, Happening.ACCEPTED, 1, ON)
    told(terms, Happening.EXTENDED, 180, ON, due_at=longer, answer_due_at=longer)
    told(terms, Happening.REPLIED, 200, CaseState.REPLIED, OFFICE, answer_due_at=longer)
    assert of(terms, Step.ANSWER) == [(SCHOOLS, False)]  # answered, and not delivered yet

    told(terms, Happening.TOLD, 201, CaseState.REPLIED, OFFICE, delivered_at=NOW + timedelta(hours=201))

    assert of(terms, Step.ANSWER) == [(SCHOOLS, True)]


def test_a_reopening_keeps_the_first_lateness(terms):
    told(terms, Happening.ACCEPTED, 1, ON)
    told(terms, Happening.REPLIED, 200, CaseState.REPLIED, OFFICE)
    told(terms, Happening.OPENED, 201, CaseState.REPLIED, OFFICE, delivered_at=NOW + timedelta(hours=201))
    told(terms, Happening.CONTESTED, 202, CaseState.CONTESTED, OFFICE)
    again = NOW + timedelta(days=15)
    told(terms, Happening.REOPENED, 203, ON, due_at=again, answer_due_at=again)
    told(terms, Happening.REPLIED, 204, CaseState.REPLIED, OFFICE, answer_due_at=again)
    told(terms, Happening.OPENED, 205, CaseState.REPLIED, OFFICE, delivered_at=NOW + timedelta(hours=205))

    assert of(terms, Step.ANSWER) == [(SCHOOLS, False), (SCHOOLS, True)]


def test_an_answer_delivered_after_the_deadline_is_late():
    done, due = NOW, NOW + timedelta(hours=1)

    assert is_met(Term(Step.ANSWER, SCHOOLS, due, done, due))
    assert not is_met(Term(Step.ANSWER, SCHOOLS, due, done, due + timedelta(seconds=1)))
    assert not is_met(Term(Step.ANSWER, SCHOOLS, due, done, None))


def test_a_hundred_means_all():
    assert Rate(1999, 2000).share == 99.9
    assert Rate(2000, 2000).share == 100
    assert Rate(0, 0).share is None


def test_a_unit_of_which_nothing_was_due_stands_last():
    best, worse, nothing = (Rates(answered=rate) for rate in (Rate(9, 10), Rate(8, 10), Rate()))

    assert sorted([nothing, worse, best], key=rank_key) == [best, worse, nothing]


@pytest.mark.parametrize(
    ("key", "first", "before", "after"),
    [
        ("2026-01", date(2026, 1, 1), "2025-12", "2026-02"),
        ("2026Q4", date(2026, 10, 1), "2026Q3", "2027Q1"),
        ("2026", date(2026, 1, 1), "2025", "2027"),
    ],
)
def test_a_period_knows_its_neighbours(key, first, before, after):
    period = Period.read(key)

    assert (period.key, period.first_day, period.previous.key, period.next.key) == (key, first, before, after)
    assert Period.at(period.span, first) == period


@pytest.mark.parametrize("text", ["", "2026-13", "2026Q5", "26", "2026-1", "1999", "２０２６"])
def test_what_names_no_period_is_none(text):
    assert Period.read(text) is None


def test_a_month_begins_at_midnight_of_the_office():
    assert NOVEMBER.begins == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert Period.now(Span.MONTH, datetime(2026, 10, 31, 16, tzinfo=UTC)) == NOVEMBER


@pytest.fixture
def late(city, assigned):
    """A request that the schools gave back late and that housing has since; and one the schools closed in time."""
    operations.return_case(
        case=assigned,
        ground="不归我们管",
        version=assigned.version,
        by=city.handler.actor,
        now=NOW + timedelta(days=2),
    )
    operations.assign(
        case=assigned,
        unit=city.housing,
        version=assigned.version,
        by=city.organiser.actor,
        now=NOW + timedelta(days=2),
    )
    well = a_case(
        intake=city.office, person=city.talent, contact_point=city.number, topic=Topic.HOUSING, title="公积金", now=NOW
    )
    operations.assign(case=well, unit=city.schools, version=well.version, by=city.organiser.actor, now=NOW)
    operations.accept(case=well, version=well.version, by=city.handler.actor, now=NOW)
    answer_of(city, well, NOW)
    operations.log_attempt(
        case=well, channel=ReachChannel.TELEPHONE, reached=True, at=NOW, by=city.handler.actor, now=NOW
    )
    operations.take_feedback(
        case=well,
        solved=True,
        satisfaction=Satisfaction.MOSTLY,
        words=None,
        by=city.organiser.actor,
        now=NOW,
    )
    return assigned


def test_a_unit_sees_itself_and_the_desk_sees_all(city, late):
    def seen(viewer):
        overview = queries.rates_over(viewer, NOVEMBER, now=MONTH_END)
        return [(unit.name, rates.accepted, rates.solved) for unit, rates in overview.units]

    of_schools, of_housing = ("市教育局", Rate(1, 2), Rate(1, 1)), ("市住建局", Rate(0, 1), Rate())

    assert seen(city.supervisor) == seen(city.organiser) == [of_schools, of_housing]
    assert seen(city.handler) == [of_schools]
    assert seen(city.other_handler) == [of_housing]


def test_what_is_not_due_yet_is_not_counted(city, late):
    accepted = queries.rates_over(city.supervisor, NOVEMBER, now=NOW + timedelta(hours=1)).whole.accepted

    assert accepted == Rate()


def test_an_earlier_ledgers_request_is_not_measured(city, case):
    taken_over = operations.take_over(
        person=city.talent,
        contact_point=None,
        topic=Topic.HOUSING,
        title="旧事",
        words="旧事",
        intake=city.office,
        unit=None,
        state=CaseState.REGISTERED,
        received_on=date(2026, 11, 2),
        ended_on=None,
        remarks=None,
        origin="import:1",
        by=city.organiser.actor,
        now=NOW,
    )
    operations.assign(case=taken_over, unit=city.schools, version=taken_over.version, by=city.organiser.actor, now=NOW)

    assert taken_over.source is CaseSource.IMPORT
    assert taken_over.terms == []
    assert queries.rates_over(city.supervisor, NOVEMBER, now=MONTH_END).whole.is_empty


def test_the_page_opens_the_rows_of_each_figure(client, city, late, monkeypatch):
    monkeypatch.setattr("outreach.cases.views.rates.now", lambda: MONTH_END)
    signed_in(client, city.handler)

    page = client.get("/desk/requests/rates?period=2026-11").text
    rows = client.get(f"/desk/requests/rates/rows?period=2026-11&figure=accepted&met=no&unit={city.schools.id}").text

    assert "50%" in page
    assert f"period=2026-11&amp;figure=accepted&amp;unit={city.schools.id}" in page
    assert "市住建局" not in page
    assert f"{late.number}：已不在贵单位" in rows
    assert late.title not in rows
    assert "公积金" not in rows
    assert client.get("/desk/requests/rates/rows?period=2026-11&figure=solved").text.count("公积金") == 1


def test_the_page_of_an_empty_period_says_so(client, city):
    page = signed_in(client, city.supervisor).get("/desk/requests/rates?period=2019")

    assert page.status_code == 200
    assert "还没有可算的" in page.text


@pytest.mark.parametrize("query", ["", "period=2026-11", "period=x&figure=solved", "period=2026&figure=solved&unit={}"])
def test_rows_that_nobody_offered_are_not_there(client, city, query):
    page = signed_in(client, city.handler).get("/desk/requests/rates/rows?" + query.format(city.housing.id))

    assert page.status_code == 404


def test_the_page_takes_as_many_statements_for_many_units(client, city, late, statements):
    signed_in(client, city.supervisor).get("/desk/requests/rates?period=2026-11")
    with statements() as few:
        client.get("/desk/requests/rates?period=2026-11")
    for unit in (city.office, city.housing):
        one = a_case(intake=city.office, person=city.talent, contact_point=city.number, now=NOW)
        operations.assign(case=one, unit=unit, version=one.version, by=city.organiser.actor, now=NOW)
    with statements() as many:
        client.get("/desk/requests/rates?period=2026-11")

    assert len(many) == len(few)


def test_the_bulletin_ranks_units_and_names_what_is_late(city, late):
    arguments, moment = {"period": "2026Q4"}, datetime(2026, 12, 4, 1, tzinfo=UTC)
    export = asked_for(city.supervisor, "bulletin", Format.DOCX, arguments=arguments, columns=[], now=moment).id
    work_off(now=moment)
    document = docx.Document(io.BytesIO(exports.content_of(db.session.get_one(Export, export))))
    units, named = ([[cell.text for cell in row.cells] for row in table.rows] for table in document.tables[:2])
    texts = [paragraph.text for paragraph in document.paragraphs]

    assert texts[0] == "雁城市人才诉求办理情况通报"
    assert texts[1] == "2026 年第 4 季度  截至 2026-12-04 09:00"
    assert units == [
        ["名次", "单位", "响应率", "按时办结率", "解决率", "满意率"],
        ["1", "市教育局", "50%\n1/2", "100%\n1/1", "100%\n1/1", "100%\n1/1"],
        ["2", "市住建局", "0%\n0/1", "0%\n0/1", "—", "—"],
    ]
    assert named[1:] == [
        [late.number, late.title, "市教育局", "签收", "11-25 17:30", "超期后转出"],
        [late.number, late.title, "市住建局", "签收", "11-27 17:30", "5（尚未办）"],
        [late.number, late.title, "市住建局", "答复", "12-01 17:30", "3（尚未办）"],
    ]
    assert len(document.inline_shapes) == 1
    assert document.inline_shapes[0]._inline.docPr.get("descr") == "市教育局 100%  1/1；市住建局 0%  0/1"


def test_a_handler_takes_no_bulletin(client, city):
    assert signed_in(client, city.handler).get("/desk/exports/new/bulletin?period=2026-11").status_code == 403


def test_a_bulletin_of_no_period_is_not_there(client, city):
    assert signed_in(client, city.supervisor).get("/desk/exports/new/bulletin?period=x").status_code == 404
    assert signed_in(client, city.supervisor).get("/desk/exports/new/bulletin?period=2026Q4").status_code == 200
