import io
from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.history import Subject
from outreach.organisations import queries
from outreach.organisations.models import Installation, Mark
from outreach.organisations.rules import OrganisationKind, Role
from tests import factories
from tests.conftest import NOW
from tests.organisations.test_mark import BOX, an_svg

LOOK = {
    "city_name": "雁城市",
    "language": "zh_Hans_CN",
    "colour": "#2b6141",
    "own_colour": "#0b5a6f",
    "office_address": "江畔路 18 号 2 楼",
    "office_phone": "0734-8123456",
    "office_hours": "工作日 8:30–17:30",
}


@pytest.fixture
def administrator(client, city):
    """A browser of somebody who looks after the whole installation."""
    account = factories.an_account("周管", organisation=city.lead_organisation, roles=[Role.ADMINISTRATOR])
    return factories.signed_in(client, account)


def a_file(content: bytes, name: str = "mark.svg"):
    """Return an upload."""
    return {"picture": (io.BytesIO(content), name)}


def test_what_is_changed_stands_on_every_page_and_in_the_history(administrator, session):
    before = administrator.get("/").text

    answer = administrator.post("/desk/city", data=LOOK | a_file(an_svg()))

    page = administrator.get("/").text
    kept = session.scalars(sa.select(Mark)).one()
    (line,) = history.lines_of(Subject("city", 1))
    assert (answer.status_code, answer.location) == (303, "/desk/city")
    assert "江畔路 18 号 2 楼" in page
    assert "0734-8123456" in page
    assert f"/mark.png?v={kept.digest}" in page
    assert "/mark.png" not in before
    assert "--brand: #2b6141" in administrator.get("/brand.css").text
    assert line.facts["changed"] == ["brand_colour", "mark", "office_address", "office_hours", "office_phone"]
    page = administrator.get("/desk/city").text
    assert "改了：" in page
    assert "<b>周管</b>" in page


def test_the_mark_is_served_as_our_own_picture_and_kept_by_browsers(administrator, client, session):
    administrator.post("/desk/city", data=LOOK | a_file(an_svg()))
    digest = session.scalar(sa.select(Mark.digest))

    named = client.get(f"/mark.png?v={digest}")
    present = client.get("/mark.png")

    assert named.data == present.data
    assert named.data.startswith(b"\x89PNG")
    assert (named.content_type, named.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert "immutable" in named.headers["Cache-Control"]
    assert present.headers["Cache-Control"] == "no-cache"
    assert client.get("/mark.png", headers={"If-None-Match": present.headers["ETag"]}).status_code == 304
    assert client.get("/mark.png?v=0").status_code == 404


def test_a_preview_changes_nothing_and_loses_nothing(administrator, session):
    answer = administrator.post("/desk/city", data=LOOK | {"preview": "1", "city_name": "新雁市"} | a_file(an_svg()))

    kept = session.scalars(sa.select(Mark)).one()
    city = session.get(Installation, 1)
    assert answer.status_code == 200
    assert 'fill="#2b6141"' in answer.text
    assert "新雁市" in answer.text
    assert f'value="{kept.digest}"' in answer.text
    assert (city.city_name, city.mark, city.office_phone) == ("雁城市", None, None)
    administrator.post("/desk/city", data=LOOK | {"kept_mark": kept.digest})
    assert session.get(Installation, 1).mark.digest == kept.digest


def test_the_geese_come_back(administrator, session):
    administrator.post("/desk/city", data=LOOK | a_file(an_svg()))

    administrator.post(
        "/desk/city", data=LOOK | {"kept_mark": session.scalar(sa.select(Mark.digest)), "without_mark": "y"}
    )

    assert session.get(Installation, 1).mark is None
    assert "/mark.png" not in administrator.get("/").text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"city_name": ""}, "请填城市名"),
        ({"colour": "own", "own_colour": "#ffcc00"}, "这个颜色上的白字看不清"),
        ({"office_phone": "1" * 61}, "60"),
        ({"office_address": "路\x07"}, "看不见的控制字符"),
        (lambda: a_file(an_svg("<script>alert(1)</script>" + BOX)), "这个 SVG 里有“script”"),
        (lambda: a_file(b"GIF89a", "mark.png"), "不是能读的 SVG 或 PNG"),
    ],
)
def test_a_wrong_answer_is_said_beside_its_field_and_changes_nothing(administrator, session, wrong, said):
    wrong = wrong() if callable(wrong) else wrong  # a file is read once: each database is sent its own
    answer = administrator.post("/desk/city", data=LOOK | wrong)

    city = session.get(Installation, 1)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="0734-8123456"' in answer.text or "office_phone" in wrong
    assert (city.brand_colour, city.office_phone, city.mark) == ("#0b5a6f", None, None)


def test_a_picture_is_not_lost_when_something_else_is_wrong(administrator, session):
    answer = administrator.post("/desk/city", data=LOOK | {"city_name": ""} | a_file(an_svg()))

    assert answer.status_code == 422
    assert f'value="{session.scalar(sa.select(Mark.digest))}"' in answer.text


def test_hostile_words_are_words(administrator):
    words = {"city_name": "<b>𠮷䶮市</b>", "office_address": "<script>alert(1)</script>", "office_hours": "=1+1 🦢"}
    administrator.post("/desk/city", data=LOOK | words)

    page = administrator.get("/").text

    assert "&lt;b&gt;𠮷䶮市&lt;/b&gt;" in page
    assert "<script>alert(1)" not in page
    assert "=1+1 🦢" in page


@pytest.mark.parametrize(("kept", "seen"), [(None, 'lang="en"'), ("zh_Hans_CN", 'lang="zh-CN"')])
def test_the_citys_language_is_what_somebody_sees_who_chose_none(administrator, client, kept, seen):
    administrator.post("/desk/city", data=LOOK | {"language": "en"})
    visitor = client.application.test_client()
    if kept:
        visitor.post("/language", data={"language": kept})

    assert seen in visitor.get("/").text


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.ORGANISER])
def test_a_county_does_not_change_the_city(client, city, role):
    county = factories.an_organisation("本县", parent=city.lead_organisation, kind=OrganisationKind.AREA)
    factories.signed_in(client, factories.an_account(organisation=county, roles=[role]))

    assert client.get("/desk/city").status_code == 403
    assert client.post("/desk/city", data=LOOK).status_code == 403


def test_the_language_is_asked_once_a_second_where_no_page_is_made(city, session, statements):
    session.commit()
    session.remove()

    with statements() as sent:
        languages = [queries.language_lately(now=NOW + timedelta(milliseconds=ms)) for ms in (0, 1, 999)]
        session.remove()
    session.execute(sa.update(Installation).values(language="en"))
    session.commit()
    session.remove()
    later = [queries.language_lately(now=NOW + timedelta(milliseconds=ms)) for ms in (999, 1000)]

    assert languages == ["zh_Hans_CN"] * 3
    assert len([statement for statement in sent if "SELECT" in statement]) == 1
    assert later == ["zh_Hans_CN", "en"]


def test_a_page_is_in_the_language_that_stands_there_now(city, session):
    queries.language_lately(now=NOW)
    session.execute(sa.update(Installation).values(language="en"))
    session.expire_all()

    queries.installation()

    assert queries.language_lately(now=NOW) == "en"
