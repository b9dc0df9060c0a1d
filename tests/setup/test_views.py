import pytest
import sqlalchemy as sa

from outreach.kernel import setup_code
from outreach.organisations.models import Account, Installation, Organisation
from outreach.organisations.rules import Role
from tests import factories

ANSWERS = {
    "city_name": "雁城市",
    "office_name": "中共雁城市委人才工作领导小组办公室",
    "office_short_name": "市委人才办",
    "language": "zh_Hans_CN",
    "colour": "#2b6141",
    "own_colour": "#0b5a6f",
    "name": "马桂",
    "username": "",
    "phone": "199 0800 0000",
    "email": "",
    "password": "a lake of reeds",
    "again": "a lake of reeds",
    "also_organises": "y",
}
ELSEWHERE = {"REMOTE_ADDR": "10.1.2.3"}


@pytest.mark.parametrize("path", ["/", "/desk/", "/desk/accounts", "/sign-in", "/no/such/page"])
def test_every_page_of_a_fresh_installation_leads_to_its_set_up(fresh_client, path):
    answer = fresh_client.get(path)

    assert (answer.status_code, answer.location) == (303, "/desk/setup")


def test_the_set_up_makes_the_root_and_its_first_administrator_and_signs_them_in(fresh_client, session):
    answer = fresh_client.post("/desk/setup", data=ANSWERS)

    lead = session.scalars(sa.select(Organisation)).one()
    first = session.scalars(sa.select(Account)).one()
    assert (answer.status_code, answer.location) == (303, "/desk/setup/steps")
    assert (lead.name, lead.parent_id, lead.path) == (ANSWERS["office_name"], None, f"{lead.id}.")
    assert (first.username, first.phone) == ("magui", "+8619908000000")
    assert {(grant.role, grant.organisation_id) for grant in first.grants} == {
        (Role.ADMINISTRATOR, lead.id),
        (Role.ORGANISER, lead.id),
    }
    assert "雁城市建好了，还差" in fresh_client.get("/desk/setup/steps").text
    assert "--brand: #2b6141" in fresh_client.get("/brand.css").text


def test_an_administrator_who_does_not_organise_holds_one_role(fresh_client, session):
    fresh_client.post("/desk/setup", data={name: value for name, value in ANSWERS.items() if name != "also_organises"})

    assert [grant.role for grant in session.scalars(sa.select(Account)).one().grants] == [Role.ADMINISTRATOR]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"city_name": ""}, "请填城市名"),
        ({"phone": "1990800000"}, "手机号是 11 位，这个有 10 位"),
        ({"again": "something else"}, "两次填的密码不一样"),
        ({"password": "short", "again": "short"}, "密码至少 10 位"),
        ({"colour": "own", "own_colour": "#ffcc00"}, "这个颜色上的白字看不清"),
        ({"colour": "own", "own_colour": "red"}, "颜色写成 # 加 6 位"),
        ({"username": "1"}, "用户名 2 到 40 位"),
    ],
)
def test_a_wrong_answer_is_said_beside_its_field_and_nothing_is_made(fresh_client, session, wrong, said):
    answer = fresh_client.post("/desk/setup", data=ANSWERS | wrong)

    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="中共雁城市委人才工作领导小组办公室"' in answer.text
    assert session.scalar(sa.select(sa.func.count()).select_from(Organisation)) == 0


def test_the_set_up_happens_once(client, session):
    looked = client.get("/desk/setup")
    again = client.post("/desk/setup", data=ANSWERS)

    assert (looked.status_code, looked.location) == (302, "/desk/")
    assert again.status_code == 409
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 0


@pytest.mark.parametrize(
    "environ",
    [
        ELSEWHERE,
        {"HTTP_X_FORWARDED_FOR": "10.1.2.3"},
        {"HTTP_HOST": "talent.example.com"},
    ],
    ids=["another machine", "through a proxy", "by another name"],
)
def test_another_machine_needs_the_code_that_the_server_printed(fresh_client, app, session, environ):
    asked = fresh_client.get("/desk/setup", environ_overrides=environ)
    refused = fresh_client.post("/desk/setup", data=ANSWERS, environ_overrides=environ)
    wrong = fresh_client.post("/desk/setup/code", data={"code": "abcdefghjkmn"}, environ_overrides=environ)
    code = setup_code.read_or_make(app.config["SETTINGS"].instance_path)
    right = fresh_client.post(
        "/desk/setup/code", data={"code": f" {code[:6]}-{code[6:].upper()}"}, environ_overrides=environ
    )
    done = fresh_client.post("/desk/setup", data=ANSWERS, environ_overrides=environ)

    assert 'name="code"' in asked.text
    assert "city_name" not in asked.text
    assert (refused.status_code, refused.location) == (303, "/desk/setup")
    assert wrong.status_code == 422
    assert right.location == "/desk/setup"
    assert done.location == "/desk/setup/steps"
    assert session.get(Installation, 1).city_name == "雁城市"
    assert not (app.config["SETTINGS"].instance_path / setup_code.NAME).exists()


def test_the_steps_tell_what_is_done(client, city):
    factories.signed_in(client, factories.an_account(organisation=city.lead_organisation, roles=[Role.ADMINISTRATOR]))
    before = client.get("/desk/setup/steps").text
    factories.an_organisation(parent=city.lead_organisation)

    after = client.get("/desk/setup/steps").text

    assert (before.count("o-todo-done"), after.count("o-todo-done")) == (0, 1)
