import pytest
import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.contact_details import NotAPhone
from outreach.kernel.history import Subject
from outreach.organisations import operations, queries
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import (
    BelowItself,
    EmailTaken,
    LastAdministrator,
    NameTaken,
    OrganisationKind,
    OrganisationNameTaken,
    OwnAccount,
    Permission,
    PhoneTaken,
    Role,
    RootExists,
    RootStays,
    UsernameUnfit,
)
from tests import factories
from tests.conftest import NOW


@pytest.fixture
def lead(city):
    return city.lead_organisation


@pytest.fixture
def administrator(lead):
    return factories.an_account(organisation=lead, roles=[Role.ADMINISTRATOR])


def _unit(name, parent, administrator, kind=OrganisationKind.DEPARTMENT):
    return operations.create_organisation(
        name=name, short_name=name, kind=kind, parent=parent, by=administrator.actor, now=NOW
    )


def _account(name, unit, administrator, **values):
    defaults = {"roles": [], "position": None, "phone": None, "email": None, "by": administrator.actor, "now": NOW}
    return operations.create_account(name=name, organisation=unit, **(defaults | values))


def test_a_unit_stands_below_its_parent_and_its_history_says_who_added_it(lead, administrator):
    county = _unit("衡东县", lead, administrator)
    town = _unit("新塘镇", county, administrator)

    assert town.path == f"{lead.id}.{county.id}.{town.id}."
    line = history.lines_of(Subject("organisation", town.id))[0]
    assert (line.act, line.actor, line.facts["parent"]) == ("created", administrator.actor, county.id)


def test_a_second_root_and_a_doubled_name_are_refused(lead, administrator):
    _unit("衡东县", lead, administrator)

    with pytest.raises(RootExists):
        _unit("另一个市", None, administrator)
    with pytest.raises(OrganisationNameTaken):
        _unit("衡东县", lead, administrator)


def test_a_moved_unit_takes_everything_below_it_along_and_who_sees_it_changes(session, lead, administrator):
    first, second = _unit("甲县", lead, administrator), _unit("乙县", lead, administrator)
    town = _unit("镇", first, administrator)
    village = _unit("村", town, administrator)
    county = factories.an_account(organisation=second, roles=[Role.ADMINISTRATOR])

    operations.move_organisation(organisation=town, parent=second, by=administrator.actor, now=NOW)

    assert village.path == f"{lead.id}.{second.id}.{town.id}.{village.id}."
    assert queries.reaches(county, village, Permission.ADMINISTER)
    assert [branch.depth for branch in queries.tree(county, Permission.ADMINISTER)] == [0, 1, 2]


def test_a_unit_is_not_moved_below_itself_nor_the_root_anywhere(lead, administrator):
    county = _unit("衡东县", lead, administrator)
    town = _unit("新塘镇", county, administrator)

    with pytest.raises(BelowItself):
        operations.move_organisation(organisation=county, parent=town, by=administrator.actor, now=NOW)
    with pytest.raises(RootStays):
        operations.move_organisation(organisation=lead, parent=county, by=administrator.actor, now=NOW)


def test_a_username_is_made_of_the_name_and_never_twice(lead, administrator):
    names = [_account("马桂", lead, administrator).username for _ in range(3)]

    assert names == ["magui", "magui2", "magui3"]


def test_numbers_and_addresses_are_kept_in_one_form_and_belong_to_one_account(lead, administrator):
    account = _account("马桂", lead, administrator, phone="１９９ 0800 0000", email="U0@Example.com")

    assert (account.phone, account.email) == ("+8619908000000", "u0@example.com")
    with pytest.raises(PhoneTaken):
        _account("唐平", lead, administrator, phone="+86 199-0800-0000")
    with pytest.raises(EmailTaken):
        _account("唐平", lead, administrator, email="u0@example.com")
    with pytest.raises(NotAPhone):
        _account("唐平", lead, administrator, phone="1.9908E+10")


@pytest.mark.parametrize("username", ["1", "19908000000", "a@b.cc", "有 空格", "x" * 41])
def test_a_username_cannot_be_taken_for_a_number_or_an_address(lead, administrator, username):
    with pytest.raises(UsernameUnfit):
        _account("马桂", lead, administrator, username=username)


def test_a_username_belongs_to_one_account_however_it_is_written(lead, administrator):
    _account("马桂", lead, administrator, username="magui")

    with pytest.raises(NameTaken):
        _account("马贵", lead, administrator, username="ＭａＧｕｉ")


def test_an_edit_says_what_changed_and_none_says_nothing(lead, administrator):
    account = _account("马桂", lead, administrator, phone="19908000000")
    same = {
        "account": account,
        "name": "马桂",
        "username": "magui",
        "organisation": lead,
        "position": None,
        "phone": "199 0800 0000",
        "email": None,
        "by": administrator.actor,
        "now": NOW,
    }

    operations.edit_account(**same)
    operations.edit_account(**(same | {"position": "科长"}))

    lines = history.lines_of(Subject("account", account.id))
    assert [(line.act, line.facts.get("columns")) for line in lines] == [("created", None), ("edited", ["position"])]


def test_somebody_always_looks_after_the_whole_installation(lead, administrator):
    other = factories.an_account(organisation=lead, roles=[Role.ORGANISER])

    with pytest.raises(LastAdministrator):
        operations.set_roles(account=administrator, roles=[], by=other.actor, now=NOW)


def test_nobody_closes_their_own_account(lead, administrator):
    with pytest.raises(OwnAccount):
        operations.disable_account(account=administrator, by=administrator.actor, now=NOW)


def test_a_closed_account_ends_its_sessions_and_can_be_opened_again(lead, administrator):
    account = factories.an_account(organisation=lead, roles=[Role.HANDLER])
    kept = account.get_id()

    operations.disable_account(account=account, by=administrator.actor, now=NOW)
    closed = queries.account_of_session(kept, now=NOW)
    operations.enable_account(account=account, by=administrator.actor, now=NOW)

    assert closed is None
    assert queries.account_of_session(kept, now=NOW) is None
    assert queries.account_of_session(account.get_id(), now=NOW) is account


def test_the_sms_page_is_for_administrators_of_the_whole_city_only(lead, administrator):
    county = factories.an_organisation(parent=lead)

    assert administrator.may(Permission.SMS_PAGE)
    assert not factories.an_account(organisation=county, roles=[Role.ADMINISTRATOR]).may(Permission.SMS_PAGE)


def test_the_database_keeps_one_account_for_a_number(session, lead, administrator):
    factories.an_account(organisation=lead, phone="+8619908000000")

    with pytest.raises(sa.exc.IntegrityError):
        factories.an_account(organisation=lead, phone="+8619908000000")

    session.rollback()
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 0
    assert session.scalar(sa.select(sa.func.count()).select_from(Organisation)) == 0
