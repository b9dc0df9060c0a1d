import pytest
import sqlalchemy as sa

from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Role
from tests import factories
from tests.statements import statements


@pytest.fixture
def desk(client, city):
    administrator = factories.an_account("沈管理", organisation=city.lead_organisation, roles=[Role.ADMINISTRATOR])
    return factories.signed_in(client, administrator)


def _form(**values):
    return {"name": "雁城市教育局", "short_name": "市教育局", "kind": "department"} | values


def test_a_unit_is_added_renamed_and_moved(desk, city, session):
    lead = city.lead_organisation.id
    desk.post("/desk/organisations/new", data=_form(parent=lead))
    county = factories.an_organisation("衡东县", parent=city.lead_organisation).id
    unit = session.scalars(sa.select(Organisation).where(Organisation.short_name == "市教育局")).one()

    answer = desk.post(f"/desk/organisations/{unit.id}", data=_form(short_name="县教育局", parent=county))

    assert answer.status_code == 303
    assert (unit.short_name, unit.parent_id) == ("县教育局", county)
    shown = desk.get(f"/desk/organisations/{unit.id}").text
    assert "换了上级单位" in shown
    assert "改成：雁城市教育局 (县教育局)" in shown


def test_a_refused_unit_keeps_what_was_typed_and_says_why_beside_the_field(desk, city, session):
    factories.an_organisation("雁城市教育局", parent=city.lead_organisation)

    answer = desk.post("/desk/organisations/new", data=_form(parent=city.lead_organisation.id))

    assert answer.status_code == 422
    assert "那里已经有一个叫“雁城市教育局”的单位" in answer.text
    assert 'value="市教育局"' in answer.text
    assert session.scalar(sa.select(sa.func.count()).select_from(Organisation)) == 2


def test_the_tree_is_shown_with_its_people_in_as_many_queries_however_large(desk, city):
    county = factories.an_organisation("衡东县", parent=city.lead_organisation)
    factories.an_account(organisation=county)
    with statements() as small:
        desk.get("/desk/organisations")
    for _ in range(4):
        factories.an_account(organisation=factories.an_organisation(parent=county))

    with statements() as large:
        shown = desk.get("/desk/organisations")

    assert "您管的这一片有 6 个单位" in shown.text
    assert len(large) == len(small)


def test_accounts_are_listed_in_as_many_queries_however_many(desk, city):
    factories.an_account(organisation=city.lead_organisation, roles=[Role.HANDLER])
    with statements() as small:
        desk.get("/desk/accounts")
    for _ in range(5):
        factories.an_account(organisation=city.lead_organisation, roles=[Role.HANDLER, Role.APPROVER])

    with statements() as large:
        desk.get("/desk/accounts")

    assert len(large) == len(small)


def test_an_account_is_opened_with_roles_at_its_unit_and_changed(desk, city, session):
    unit = factories.an_organisation("市教育局", parent=city.lead_organisation)
    opened = desk.post(
        "/desk/accounts/new",
        data={"name": "王浩", "organisation": unit.id, "phone": "199 0800 1000", "roles": ["handler", "approver"]},
    )
    account = session.scalars(sa.select(Account).where(Account.name == "王浩")).one()

    desk.post(
        f"/desk/accounts/{account.id}",
        data={"name": "王浩", "username": "wanghao", "organisation": unit.id, "phone": "", "roles": ["handler"]},
    )

    assert opened.location == f"/desk/accounts/{account.id}"
    assert (account.username, account.phone) == ("wanghao", None)
    assert [(grant.role, grant.organisation_id) for grant in account.grants] == [(Role.HANDLER, unit.id)]
    assert "改了角色" in desk.get(f"/desk/accounts/{account.id}").text


def test_a_wrong_number_is_said_beside_its_field_and_opens_nothing(desk, city, session):
    answer = desk.post(
        "/desk/accounts/new", data={"name": "王浩", "organisation": city.lead_organisation.id, "phone": "1990800"}
    )

    assert answer.status_code == 422
    assert "手机号是 11 位，这个有 7 位" in answer.text
    assert 'value="1990800"' in answer.text
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 1


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "叶艳"}, ["叶艳泽"]),
        ({"q": "199-0800-0002"}, ["叶艳泽"]),
        ({"q": "u1@example.com"}, ["王浩"]),
        ({"q": "教育"}, ["王浩"]),
        ({"show": "waiting"}, ["王浩"]),
        ({"q": "%"}, []),
    ],
    ids=str,
)
def test_accounts_are_found_by_what_is_known_of_them(desk, city, asked, found):
    unit = factories.an_organisation("市教育局", parent=city.lead_organisation)
    factories.an_account("叶艳泽", organisation=city.lead_organisation, phone="+8619908000002")
    factories.an_account("王浩", organisation=unit, email="u1@example.com", password_hash=None)

    shown = desk.get("/desk/accounts", query_string=asked).text

    assert [name for name in ("叶艳泽", "王浩") if f">{name}</a>" in shown] == found


def test_an_account_is_closed_and_opened_again(desk, city, app):
    account = factories.an_account(organisation=city.lead_organisation)
    elsewhere = factories.signed_in(app.test_client(), account)

    desk.post(f"/desk/accounts/{account.id}/disable")
    out = elsewhere.get("/desk/account").status_code
    desk.post(f"/desk/accounts/{account.id}/enable")

    assert out == 302
    assert account.disabled_at is None
