"""The pages: asking, waiting, taking the file, and the log of those who oversee."""

import io

import pytest
from openpyxl import load_workbook

from outreach.exports.models import Export
from outreach.exports.rules import EXPORTS_A_DAY, ExportState
from outreach.kernel import history
from outreach.organisations.rules import Role
from tests.exports.files import REASON, asked_for
from tests.factories import a_contact_point, a_person, an_account, an_organisation, signed_in
from tests.intake.files import work_off

WANTED = {"format": "xlsx", "columns": ["name", "phone"], "reason": REASON}


@pytest.fixture
def organiser(city):
    return an_account("陈晓", organisation=city.lead_organisation, roles=[Role.ORGANISER])


@pytest.fixture
def desk(client, organiser):
    a_person("林知遥", organisation=organiser.organisation, at=a_contact_point("+8619901000036"))
    a_person("向致远", organisation=organiser.organisation)
    return signed_in(client, organiser)


def test_a_list_is_asked_for_written_and_taken(desk, session):
    listed = desk.get("/desk/people/?q=林知")
    assert 'href="/desk/exports/new/people?q=%E6%9E%97%E7%9F%A5"' in listed.text
    asked = desk.get("/desk/exports/new/people?q=林知")
    assert "把 1 行写成文件" in asked.text
    assert "“林知”" in asked.text

    answer = desk.post("/desk/exports/new/people?q=林知", data=WANTED)
    export = session.query(Export).one()
    assert (answer.status_code, answer.location) == (303, f"/desk/exports/{export.id}")
    assert "正在写文件" in desk.get(answer.location).text
    work_off()
    ready = desk.get(answer.location)
    assert "文件写好了" in ready.text
    assert desk.get(answer.location + "?waiting=1", headers={"HX-Request": "true"}).headers["HX-Redirect"]

    file = desk.post(f"/desk/exports/{export.id}/file")
    assert file.headers["Content-Disposition"].startswith("attachment;")
    names = [row[0] for row in load_workbook(io.BytesIO(file.data)).active.iter_rows(min_row=5, values_only=True)]
    assert names == ["林知遥"]
    assert [line.act for line in history.lines_of(export.subject)] == ["asked", "ready", "downloaded"]
    assert session.query(Export).one().downloads == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"reason": ""}, "请用几个字写清用在哪里。"),
        ({"reason": "工作"}, "请写清用在哪里，不少于 5 个字：表里的人能看到。"),
        ({"columns": []}, "至少选一列。"),
        ({"format": "exe"}, "不是有效的选择"),
        ({"in_full": ["name"]}, "name"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_what_was_typed_stays(desk, session, wrong, sentence):
    answer = desk.post("/desk/exports/new/people", data=WANTED | wrong)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'value="{(WANTED | wrong)["reason"]}"' in answer.text
    assert session.query(Export).count() == 0


def test_a_list_without_rows_is_said_to_have_none(desk):
    answer = desk.post("/desk/exports/new/people?q=没有这个人", data=WANTED)

    assert answer.status_code == 422
    assert "没有符合条件的行" in answer.text


def test_who_took_enough_today_is_told_so_and_a_program_when_to_come_again(desk, session):
    for _ in range(EXPORTS_A_DAY):
        assert desk.post("/desk/exports/new/people", data=WANTED).status_code == 303

    answer = desk.post("/desk/exports/new/people", data=WANTED)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 24 * 3600
    assert f'value="{WANTED["reason"]}"' in answer.text


def test_hostile_filters_are_words_like_others(desk, session):
    nasty = "<script>alert(1)</script>=1+1"
    assert "<script>alert" not in desk.get("/desk/exports/new/people", query_string={"q": nasty, "offer": "x"}).text
    answer = desk.post("/desk/exports/new/people?_scheme=x&page=damaged&unit=99999999999999999999", data=WANTED)
    assert answer.status_code == 303


def test_a_file_is_only_for_who_asked_for_it(desk, client, session, organiser):
    desk.post("/desk/exports/new/people", data=WANTED)
    work_off()
    export = session.query(Export).one()
    supervisor = an_account(organisation=organiser.organisation, roles=[Role.SUPERVISOR, Role.ORGANISER])
    signed_in(client, supervisor)

    paths = [f"/desk/exports/{export.id}{end}" for end in ("", "/file", "/stop", "/delete")]
    assert [client.get(paths[0]).status_code, *(client.post(path).status_code for path in paths[1:])] == [404] * 4


def test_only_who_may_see_numbers_is_offered_them_in_full(client, session, city):
    a_person("林知遥", organisation=city.lead_organisation, at=a_contact_point("+8619901000036"))
    supervisor = an_account(organisation=city.lead_organisation, roles=[Role.SUPERVISOR])
    signed_in(client, supervisor)

    page = client.get("/desk/exports/new/people").text
    answer = client.post("/desk/exports/new/people", data=WANTED | {"in_full": ["phone"]})

    assert 'name="in_full"' not in page
    assert "文件里的号码和地址都是打码的" in page
    assert (answer.status_code, session.query(Export).count()) == (422, 0)


@pytest.mark.parametrize("role", [None, Role.LEADER, Role.SERVICE_OFFICER, Role.APPROVER, Role.HANDLER])
def test_who_may_not_take_people_out_is_sent_away(client, city, role):
    account = an_account(organisation=city.lead_organisation, roles=[role] if role else [])
    signed_in(client, account)

    assert client.get("/desk/exports/new/people").status_code == 403
    assert client.post("/desk/exports/new/people", data=WANTED).status_code == 403


def test_the_log_says_who_took_what_and_why_and_finds_a_file_by_its_number(client, session, city, organiser):
    county = an_organisation("甲县", parent=city.lead_organisation)
    a_person("本县人", organisation=county, at=a_contact_point("+8619901000036"))
    theirs = an_account("向县长", organisation=county, roles=[Role.ORGANISER])
    mine = asked_for(theirs, in_full=["phone"], reason="给县里排座次")
    other = asked_for(organiser, reason="市里的年度总结")

    signed_in(client, an_account(organisation=county, roles=[Role.SUPERVISOR]))
    county_log = client.get("/desk/exports/log").text
    signed_in(client, an_account(organisation=city.lead_organisation, roles=[Role.ADMINISTRATOR]))
    whole_log = client.get("/desk/exports/log").text
    found = client.get(f"/desk/exports/log?q={mine.number}").text

    assert all(text in county_log for text in ("向县长", "给县里排座次", mine.number, "手机号"))
    assert "市里的年度总结" not in county_log
    assert "市里的年度总结" in whole_log
    assert other.number not in found
    assert mine.number in found
    assert "没有这个编号" in client.get("/desk/exports/log?q=20260101-99").text
    assert client.get(f"/desk/exports/{mine.id}").status_code == 404
    signed_in(client, organiser)
    assert client.get("/desk/exports/log").status_code == 403


def test_a_file_can_be_stopped_and_deleted_and_says_so(desk, session):
    desk.post("/desk/exports/new/people", data=WANTED)
    first = session.query(Export).one()
    assert desk.post(f"/desk/exports/{first.id}/stop").status_code == 303
    assert "您停止了这次导出" in desk.get(f"/desk/exports/{first.id}").text
    desk.post("/desk/exports/new/people", data=WANTED)
    work_off()
    second = session.query(Export).order_by(Export.id.desc()).first()

    assert desk.post(f"/desk/exports/{second.id}/delete").status_code == 303

    assert session.get(Export, second.id).state is ExportState.DELETED
    assert "文件已经删除" in desk.get(f"/desk/exports/{second.id}").text
    assert desk.post(f"/desk/exports/{second.id}/file").status_code == 410
    index = desk.get("/desk/exports/").text
    assert index.count(REASON) == 2
