"""An earlier ledger of requests, the sample and worse: what was asked, who had it, and nobody is told."""

from datetime import date

import pytest

from outreach.cases.models import Case
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.moves import CaseState
from outreach.intake import queries
from outreach.intake.rules import Verdict
from outreach.kernel import history
from outreach.kernel.clock import office_day
from outreach.notices.models import Message
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people.models import Person
from tests.factories import an_account, an_installation, an_organisation
from tests.intake.files import SAMPLES, a_workbook, landed, previewed, rows_by_number

HEADINGS = ["收集日期", "人才姓名", "联系电话", "诉求类别", "诉求内容", "承办单位", "办理情况", "办结日期", "满意度"]
UNITS = ("教育局", "住建局", "人社局", "金融办", "科技局", "公安局", "医保局")


@pytest.fixture
def office(session):
    office = an_installation().lead_organisation
    for name in UNITS:
        unit = an_organisation(f"雁城市{name}", parent=office)
        unit.short_name = f"市{name}"
    return office


@pytest.fixture
def clerk(office):
    return an_account("何清越", organisation=office, roles=[Role.ORGANISER])


def asked(**values: object) -> list[object]:
    row: dict[str, object] = {
        "收集日期": "2026/05/23",
        "人才姓名": "张三",
        "联系电话": "19901000001",
        "诉求类别": "住房",
        "诉求内容": "人才公寓没有回音",
        "承办单位": "市住建局",
    }
    return [(row | values).get(heading) for heading in HEADINGS]


def brought_in(clerk, *rows: list[object]):
    return landed(a_workbook([HEADINGS, *rows]), clerk, kind="requests")


def judged(clerk, *rows: list[object]) -> list[tuple[Verdict | None, list[str]]]:
    found = rows_by_number(previewed(a_workbook([HEADINGS, *rows]), clerk, kind="requests"))
    return [found[number] for number in range(2, len(rows) + 2)]


def test_the_sample_comes_in_whole_and_nobody_is_told(session, clerk):
    imported = landed((SAMPLES / "requests.xlsx").read_bytes(), clerk, kind="requests")

    counted = queries.tally(imported.id)
    assert (counted.new, counted.same, counted.doubtful, counted.refused, counted.skipped) == (80, 0, 0, 0, 2)
    assert session.query(Case).filter_by(source=CaseSource.IMPORT).count() == 80
    assert session.query(Message).count() == 0


def test_a_closed_request_keeps_its_days_its_unit_and_the_words_of_the_ledger(session, clerk):
    brought_in(clerk, asked(办理情况="已答复本人", 办结日期=date(2026, 6, 24), 满意度="基本满意"))

    case = session.query(Case).one()
    line = history.lines_of(case.subject)[0]
    assert (case.state, case.topic, case.lead.short_name) == (CaseState.CLOSED, Topic.HOUSING, "市住建局")
    assert (office_day(case.created_at), office_day(case.ended_at)) == (date(2026, 5, 23), date(2026, 6, 24))
    assert case.number == "2026-0001"
    assert line.words.text == "办理情况：已答复本人；办结日期：2026-06-24；满意度：基本满意"
    assert case.answers == []


@pytest.mark.parametrize(
    ("progress", "unit", "state"),
    [
        ("已转交", "市住建局", CaseState.ASSIGNED),
        ("", "雁城市住建局", CaseState.ASSIGNED),
        ("正在协调", "市住建局", CaseState.ACCEPTED),
        ("已答复本人", "市住建局", CaseState.ACCEPTED),
        ("", "", CaseState.REGISTERED),
    ],
)
def test_what_the_ledger_left_open_is_owed_by_one_unit_by_one_day(session, clerk, progress, unit, state):
    brought_in(clerk, asked(办理情况=progress, 承办单位=unit))

    case = session.query(Case).one()
    assert case.state is state
    assert case.answerable == (case.lead or case.intake)
    assert office_day(case.due_at) < date(2026, 6, 5)


def test_a_unit_that_is_not_here_is_refused_with_the_nearest_names(clerk):
    verdict, reasons = judged(clerk, asked(承办单位="市住房和城乡建设局"))[0]
    far = judged(clerk, asked(承办单位="XYZ"))[0]

    assert (verdict, reasons) == (Verdict.REFUSED, ["There is no unit “%(text)s” here. Perhaps: %(names)s."])
    assert far == (Verdict.REFUSED, ["There is no unit “%(text)s” here."])


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2026/05/23", date(2026, 5, 23)),
        ("2026-6-5", date(2026, 6, 5)),
        ("2026年7月", date(2026, 7, 1)),
        ("2026.02", date(2026, 2, 1)),
        ("二〇二六年五月二十三日", date(2026, 5, 23)),
        ("2026/05/23 08:30", date(2026, 5, 23)),
        (date(2026, 9, 11), date(2026, 9, 11)),
        (46165, date(2026, 5, 23)),
    ],
)
def test_days_are_read_in_every_form_offices_write_them(session, clerk, said, day):
    brought_in(clerk, asked(收集日期=said))

    assert office_day(session.query(Case).one().created_at) == day


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"收集日期": "去年"}, "“%(text)s” is not a day."),
        ({"收集日期": "2026"}, "“%(text)s” is not a day."),
        ({"收集日期": "2027-01-01"}, "“%(text)s” lies in the future."),
        ({"办结日期": "2026-05-01"}, "It was closed before it was received."),
        ({"诉求内容": None}, "The row does not say what was asked for."),
        ({"人才姓名": None}, "There is no name"),
        ({"联系电话": None}, "Without a mobile number, the name alone does not say who is meant."),
        ({"联系电话": "1990100001"}, "The mobile number has %(digits)s digits instead of 11: %(text)s"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_with_its_reason(clerk, values, sentence):
    verdict, reasons = judged(clerk, asked(**values))[0]

    assert (verdict, reasons[0]) == (Verdict.REFUSED, sentence)


def test_the_person_is_recognised_by_name_and_number_and_otherwise_added(session, clerk):
    landed(a_workbook([["姓名", "手机"], ["张三", "+86 199 0100 0001"]]), clerk)

    brought_in(clerk, asked(), asked(人才姓名="李四", 联系电话="19901000002"))

    assert [case.person.name for case in session.query(Case).order_by(Case.id)] == ["张三", "李四"]
    assert session.query(Person).count() == 2


def test_a_number_of_somebody_else_is_refused(clerk):
    landed(a_workbook([["姓名", "手机"], ["王五", "19901000001"]]), clerk)

    assert judged(clerk, asked())[0][0] is Verdict.REFUSED


def test_the_same_ledger_twice_adds_nothing_twice(session, clerk):
    rows = [asked(), asked(收集日期="2026-06-01"), asked(诉求内容="孩子上学")]
    first = [verdict for verdict, _ in judged(clerk, *rows, asked())]
    brought_in(clerk, *rows)

    again = [verdict for verdict, _ in judged(clerk, *rows)]

    assert first == [Verdict.NEW, Verdict.DOUBTFUL, Verdict.NEW, Verdict.SAME]
    assert again == [Verdict.SAME, Verdict.DOUBTFUL, Verdict.SAME]
    assert session.query(Case).count() == 2


def test_only_the_lead_office_takes_over_a_ledger_of_requests(office):
    county = an_organisation("耒水县委人才办", parent=office, kind=OrganisationKind.AREA)
    clerk = an_account(organisation=county, roles=[Role.ORGANISER])

    assert judged(clerk, asked())[0][0] is Verdict.REFUSED
