import pytest
import sqlalchemy as sa

from outreach.intake.models import ImportRow
from outreach.intake.rules import ImportState, Verdict
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import OrganisationKind, Role
from tests import factories
from tests.intake.files import SAMPLES, a_workbook, landed, previewed

UNIT_HEADINGS = ["单位全称", "简称", "上级单位", "类别"]
PEOPLE_HEADINGS = ["姓名", "单位", "职务", "平台角色", "手机", "邮箱"]
LEAD = ["中共雁城市委人才工作领导小组办公室", "市委人才办", "", "牵头部门"]


@pytest.fixture
def administrator(city):
    return factories.an_account("沈管理", organisation=city.lead_organisation, roles=[Role.ADMINISTRATOR])


def _file(units, people=()):
    return a_workbook([UNIT_HEADINGS, *units], [PEOPLE_HEADINGS, *people], names=("单位", "人员"))


def _brought(content, account):
    return landed(content, account, kind="organisations", filename="organisations.xlsx")


def _seen(content, account):
    return previewed(content, account, kind="organisations", filename="organisations.xlsx")


def _reasons(session, imported, verdict=Verdict.REFUSED):
    rows = session.scalars(
        sa.select(ImportRow)
        .where(ImportRow.import_id == imported.id, ImportRow.verdict == verdict)
        .order_by(ImportRow.sheet_number, ImportRow.number)
    )
    return [reason["sentence"] % reason["values"] for row in rows for reason in row.reasons or []]


def _tree(session):
    return {
        unit.short_name: unit.parent and unit.parent.short_name for unit in session.scalars(sa.select(Organisation))
    }


def test_the_sample_brings_in_the_tree_below_the_lead_office_and_everybody_with_their_roles(
    session, city, administrator
):
    imported = _brought((SAMPLES / "organisations.xlsx").read_bytes(), administrator)

    assert imported.state is ImportState.LANDED
    assert session.scalar(sa.select(sa.func.count()).select_from(Organisation)) == 17
    assert _reasons(session, imported) == []
    assert [unit.id for unit in session.scalars(sa.select(Organisation).where(Organisation.parent_id.is_(None)))] == [
        city.lead_organisation.id
    ]
    assert _tree(session)["新塘镇"] == "衡东县"
    people = {account.name: account for account in session.scalars(sa.select(Account))}
    assert len(people) == 42
    assert people["唐平"].phone == "+8619908000001"  # a number cell
    assert people["叶艳泽"].phone == "+8619908000002"  # full width
    assert people["唐平"].organisation is city.lead_organisation  # by the file's own full name
    deputy = people["冯楷强"].grants[0]
    assert (deputy.role, deputy.organisation.short_name) == (Role.DEPUTY_HANDLER, "市教育局")
    assert people["胡超"].email is None
    assert all(account.password_hash is None for name, account in people.items() if name != "沈管理")


def test_the_same_file_twice_adds_nobody_and_nothing_twice(session, city, administrator):
    content = (SAMPLES / "organisations.xlsx").read_bytes()
    _brought(content, administrator)

    again = _seen(content, administrator)

    verdicts = session.execute(
        sa.select(ImportRow.verdict, sa.func.count())
        .where(ImportRow.import_id == again.id, ImportRow.verdict != Verdict.SKIPPED)
        .group_by(ImportRow.verdict)
    ).all()
    assert dict(verdicts) == {Verdict.SAME: 17 + 41}


def test_the_first_administrator_is_recognised_in_the_file_and_keeps_their_roles(session, city):
    first = factories.an_account(
        "马桂", organisation=city.lead_organisation, roles=[Role.ORGANISER], phone="+8619908000000"
    )
    first.grants.append(factories.Grant(role=Role.ADMINISTRATOR, organisation=city.lead_organisation))

    _brought(_file([LEAD], [["马桂", "市委人才办", "主任", "督办", "+86 199 0800 0000", "u@example.com"]]), first)

    kept = session.scalars(sa.select(Account)).one()
    assert {grant.role for grant in kept.grants} == {Role.ORGANISER, Role.ADMINISTRATOR, Role.SUPERVISOR}
    assert (kept.position, kept.email) == ("主任", "u@example.com")


def test_units_may_stand_above_the_one_they_belong_to(session, city, administrator):
    units = [
        ["衡东县新塘镇甲村", "甲村", "新塘镇", "乡镇"],
        ["衡东县新塘镇", "新塘镇", "衡东县委人才办", "乡镇"],
        ["衡东县委人才办", "衡东县", "市委人才办", "县市区"],
    ]

    imported = _brought(_file([*units, LEAD]), administrator)

    assert _reasons(session, imported) == []
    assert _tree(session) == {"市委人才办": None, "衡东县": "市委人才办", "新塘镇": "衡东县", "甲村": "新塘镇"}
    village = session.scalars(sa.select(Organisation).where(Organisation.short_name == "甲村")).one()
    assert village.path.startswith(city.lead_organisation.path)
    assert len(village.path.strip(".").split(".")) == 4


def test_a_lead_office_of_another_name_is_still_the_one_root_and_its_people_find_it(session, city, administrator):
    lead = ["雁城市人才发展服务中心", "人才中心", "", "牵头部门"]

    imported = _brought(
        _file(
            [lead, ["雁城市教育局", "市教育局", "人才中心", "职能部门"]], [["王一", "人才中心", "", "组织者", "", ""]]
        ),
        administrator,
    )

    assert _tree(session) == {"市委人才办": None, "市教育局": "市委人才办"}
    assert (
        session.scalars(sa.select(Account).where(Account.name == "王一")).one().organisation is city.lead_organisation
    )
    assert _reasons(session, imported, Verdict.SAME) == ["This is the lead office; it is called 市委人才办 here."]


@pytest.mark.parametrize(
    ("units", "people", "said"),
    [
        ([["甲局", "甲", "乙局", "职能部门"]], [], "No unit is called “乙局”, neither here nor in the file."),
        ([["甲局", "甲", "市委人才办", "兴趣小组"]], [], "“兴趣小组” is no kind of unit."),
        ([["", "甲", "市委人才办", "部门"]], [], "The unit's full name is missing."),
        ([["甲局", "甲", "乙", "部门"], ["乙局", "乙", "甲", "部门"]], [], "In this file “甲局” stands under itself"),
        ([["另一个办", "另", "市委人才办", "牵头部门"]], [], "There is one lead office, 市委人才办."),
        ([], [["王一", "没有这个局", "", "经办人", "", ""]], "No unit is called “没有这个局”"),
        ([], [["王一", "市委人才办", "", "打杂", "", ""]], "“打杂” is no role."),
        ([], [["王一", "市委人才办", "", "", "", "u@example.com"]], "The role is missing"),
        ([], [["王一", "市委人才办", "", "经办人", "1.9908E+10", ""]], "A spreadsheet has shortened this number"),
        (
            [],
            [["王一", "市委人才办", "", "经办人", "1990800000", ""]],
            "A mobile number has 11 digits, this one has 10.",
        ),
        ([], [["王一", "市委人才办", "", "经办人", "", "写错了"]], "This is not an e-mail address."),
        ([], [["王一", "", "", "经办人", "19908000009", ""]], "The unit is missing."),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_reason(session, city, administrator, units, people, said):
    imported = _seen(_file([LEAD, *units], people), administrator)

    assert _reasons(session, imported)[0].startswith(said)


def test_a_number_belongs_to_one_person_here_and_in_the_file(session, city, administrator):
    factories.an_account("任航", organisation=city.lead_organisation, phone="+8619908000007")
    people = [
        ["王一", "市委人才办", "", "组织者", "19908000007", ""],
        ["李二", "市委人才办", "", "组织者", "19908000008", ""],
        ["张三", "市委人才办", "", "组织者", "199-0800-0008", ""],
        ["李二", "市委人才办", "", "督办", "１９９０８００００08", ""],
    ]

    imported = _brought(_file([LEAD], people), administrator)

    assert [reason.partition(" has")[0] for reason in _reasons(session, imported)] == ["任航", "李二"]
    second = session.scalars(sa.select(Account).where(Account.name == "李二")).one()
    assert {grant.role for grant in second.grants} == {Role.ORGANISER, Role.SUPERVISOR}
    assert session.scalars(sa.select(Account).where(Account.name == "张三")).all() == []


def test_an_administrator_of_a_county_brings_in_nothing_elsewhere(session, city):
    county = factories.an_organisation("衡东县", parent=city.lead_organisation, kind=OrganisationKind.AREA)
    factories.an_organisation("石鼓区", parent=city.lead_organisation, kind=OrganisationKind.AREA)
    administrator = factories.an_account(organisation=county, roles=[Role.ADMINISTRATOR])

    imported = _brought(
        _file(
            [["石鼓区甲镇", "甲镇", "石鼓区", "乡镇"], ["衡东县新塘镇", "新塘镇", "", "乡镇"]],
            [["王一", "石鼓区", "", "组织者", "", ""], ["李二", "市委人才办", "", "管理员", "", ""]],
        ),
        administrator,
    )

    assert len(_reasons(session, imported)) == 3
    assert _tree(session)["新塘镇"] == "衡东县"
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == 1
