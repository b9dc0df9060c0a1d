"""Finding people by characters, words, readings and numbers, within the reader's reach, however many there are."""

import pytest
import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.kernel.outbox import Work
from outreach.organisations import operations as organisations
from outreach.organisations.models import Organisation
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people.models import (
    PEOPLE_BY_WORDS,
    Person,
    PersonContact,
    PersonField,
    ProfessionalField,
    person_words,
)
from outreach.people.queries import MOST_COUNTED, Wanted, find
from outreach.people.rules import Degree, is_away
from tests.conftest import NOW
from tests.factories import BEFORE, a_contact_point, a_person, a_talent_class, an_account, an_organisation
from tests.intake.files import work_off


@pytest.fixture
def office(city):
    return city.lead_organisation


@pytest.fixture
def organiser(office):
    return an_account("何清越", organisation=office, roles=[Role.ORGANISER])


def somebody(name, office, **values):
    person = a_person(name, organisation=office)
    for column, value in values.items():
        setattr(person, column, value)
    db.session.flush()
    return person


def names(viewer, text, **wanted):
    return [person.name for person in find(viewer, Wanted(text=text, **wanted)).page().items]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("王", ["王小明"]),
        ("小", ["王小明"]),
        ("小明", ["王小明"]),
        ("王小明", ["王小明"]),
        ("王明", []),
        ("wangxiaoming", ["王小明"]),
        ("wang xiao ming", ["王小明"]),
        ("WangX", ["王小明"]),
        ("wxm", ["王小明"]),
        ("wx", ["王小明"]),
        ("xm", []),
        ("zengguofan", ["曾国凡"]),
        ("cengguofan", ["曾国凡"]),
        ("zgf", ["曾国凡"]),
        ("shan", ["单雨"]),
        ("dan", ["单雨"]),
        ("qiu", ["仇英"]),
        ("𠮷", ["𠮷田䶮"]),
        ("䶮", ["𠮷田䶮"]),
        ("田䶮", ["𠮷田䶮"]),
        ("买买提艾合", ["买买提·艾合"]),
        ("买买提•艾合", ["买买提·艾合"]),
        ("smith", ["John Smith"]),
        ("john smi", ["John Smith"]),
        ("johnsmith", ["John Smith"]),
        ("第一人民医院", ["单雨"]),
        ("南华大学", ["王小明"]),
        ("湖南大学", []),
        ("byd", ["仇英"]),
        ("ＢＹＤ", ["仇英"]),
        ("王 南华", ["王小明"]),
        ("王 医院", []),
        ("医院 shan", ["单雨"]),
        ("%", []),
        ("=leading", []),
        ("🎉", []),
        ("'; DROP TABLE people; --", []),
    ],
)
def test_a_text_finds_by_every_word_of_it(office, organiser, text, found):
    somebody("王小明", office, school="南华大学", employer="湖南中南大学产业园")
    somebody("曾国凡", office)
    somebody("单雨", office, employer="衡阳市第一人民医院")
    somebody("仇英", office, employer="BYD汽车")
    somebody("𠮷田䶮", office)
    somebody("买买提·艾合", office)
    somebody("John Smith", office)

    assert names(organiser, text) == found
    assert find(organiser, Wanted(text=text)).count() == len(found)


def test_a_beginning_finds_nobody_twice(office, organiser):
    somebody("李磊", office)  # lilei, ll
    somebody("阿爱", office)  # aai, aa

    assert (names(organiser, "l"), names(organiser, "aa"), names(organiser, "a")) == (["李磊"], ["阿爱"], ["阿爱"])


def test_the_found_are_listed_by_the_sound_of_their_names(office, organiser):
    for name in ("王振", "王阿", "王明"):
        somebody(name, office)

    assert names(organiser, "王") == ["王阿", "王明", "王振"]
    assert names(organiser, "wang") == ["王阿", "王明", "王振"]
    assert names(organiser, "") == ["王阿", "王明", "王振"]


def test_surnames_that_begin_alike_do_not_mix(office, organiser):
    for name in ("程安", "陈卓", "陈安", "曾一", "Chen Zoe"):
        somebody(name, office)

    assert names(organiser, "") == ["陈安", "陈卓", "Chen Zoe", "程安", "曾一"]


def test_whole_numbers_and_addresses_find_beside_words(office, organiser):
    person = a_person("林知遥", organisation=office, at=a_contact_point("+8619901000036"))
    a_person("冯华", organisation=office, at=a_contact_point("feng@example.com"))

    assert names(organiser, "199 0100 0036") == [person.name]
    assert names(organiser, "林 19901000036") == [person.name]
    assert names(organiser, "冯 19901000036") == []
    assert names(organiser, "林 0036") == [person.name]
    assert names(organiser, "Feng@Example.com") == ["冯华"]


def test_last_digits_find_only_for_who_may_see_numbers(office, organiser):
    a_person("林知遥", organisation=office, at=a_contact_point("+8619901000036"))
    supervisor = an_account(organisation=office, roles=[Role.SUPERVISOR])

    assert names(organiser, "0036") == ["林知遥"]
    assert names(supervisor, "0036") == []


def test_what_is_wanted_narrows_what_is_found(office, organiser):
    county = an_organisation("石鼓区", parent=office)
    leading = a_talent_class()
    somebody("王一", office, talent_class=leading, degree=Degree.DOCTOR)
    somebody("王二", office, talent_class=leading)
    somebody("王三", county, degree=Degree.DOCTOR)

    assert names(organiser, "", talent_class=leading) == ["王二", "王一"]
    assert names(organiser, "王", talent_class=leading, degree=Degree.DOCTOR) == ["王一"]
    assert names(organiser, "wang", degree=Degree.DOCTOR) == ["王三", "王一"]
    assert names(organiser, "王", organisation_id=county.id) == ["王三"]
    assert names(organiser, "一", degree=Degree.MASTER) == []


@pytest.mark.parametrize(
    ("home_town", "residence", "away"),
    [
        ("雁城市清江县", "广东深圳", True),
        ("湖南清江", "上海市浦东新区", True),
        ("雁城", "新加坡", True),
        ("雁城市清江县", "雁城市石鼓区", False),
        ("湖南长沙", "广东深圳", False),
        ("湖南长沙", "雁城市", False),
        ("雁城市清江县", None, False),
        (None, "广东深圳", False),
    ],
)
def test_whoever_comes_from_the_city_and_lives_elsewhere_is_away(home_town, residence, away):
    assert is_away(home_town, residence, ["雁城市", "清江县", "石鼓区"]) is away


def test_a_place_of_one_character_is_not_found_everywhere():
    assert not is_away("江苏新沂", "北京", ["新区"])
    assert is_away("湖北沙市区", "北京", ["沙市区"])


def test_people_are_narrowed_to_a_field_and_to_those_who_are_away(office, organiser):
    an_organisation("清江县", parent=office, kind=OrganisationKind.AREA)
    materials, finance = (ProfessionalField(name=name, position=at) for at, name in enumerate(("新材料", "金融")))
    db.session.add_all([materials, finance])
    db.session.flush()
    somebody("王一", office, fields=[PersonField(field_id=materials.id), PersonField(field_id=finance.id)])
    somebody("王二", office, home_town="湖南清江", residence="深圳", fields=[PersonField(field_id=finance.id)])
    somebody("王三", office, home_town="湖南清江", residence="雁城市")
    somebody("李四", office, home_town="雁城", residence="东京")

    assert names(organiser, "", field=finance) == ["王二", "王一"]
    assert names(organiser, "王一", field=materials) == ["王一"]
    assert names(organiser, "", away=True) == ["李四", "王二"]
    assert names(organiser, "王", away=True) == ["王二"]
    assert names(organiser, "", away=True, field=finance) == ["王二"]
    assert names(organiser, "深圳") == ["王二"]


def test_a_county_that_comes_goes_or_is_renamed_changes_by_itself_who_is_away(office, organiser, session):
    somebody("王二", office, home_town="清江老街", residence="深圳")
    somebody("王三", office, home_town="湖南", residence="深圳")
    somebody("李四", office, home_town="雁城", residence="清江镇")
    by = organiser.actor

    def add(name: str) -> int:
        return organisations.create_organisation(
            name=name, short_name=name, kind=OrganisationKind.AREA, parent=office, by=by, now=NOW
        ).id

    def away() -> list[str]:
        session.commit()
        work_off()
        return names(organiser, "", away=True)

    assert away() == ["李四"]
    county = add("清江县")
    assert away() == ["王二"]
    organisations.edit_organisation(
        organisation=session.get_one(Organisation, county),
        name="北山县",
        short_name="北山县",
        kind=OrganisationKind.AREA,
        by=by,
        now=NOW,
    )
    assert away() == ["李四"]
    again = add("清江县")
    assert away() == ["王二"]
    organisations.take_back_organisations(ids=[again], by=by, now=NOW)
    assert away() == ["李四"]


def test_a_unit_that_is_no_place_leaves_everybody_as_they_are(office, organiser, session):
    organisations.create_organisation(
        name="教育局", short_name="教育局", kind=OrganisationKind.DEPARTMENT, parent=office, by=organiser.actor, now=NOW
    )

    assert session.scalars(sa.select(Work.id)).all() == []


def test_who_moves_home_or_changes_field_is_narrowed_to_anew(office, organiser):
    materials = ProfessionalField(name="新材料", position=1)
    db.session.add(materials)
    db.session.flush()
    person = somebody("王小明", office, home_town="雁城市", residence="深圳")
    person.fields = [PersonField(field_id=materials.id)]
    db.session.flush()
    assert names(organiser, "", away=True, field=materials) == ["王小明"]

    person.residence = "雁城市"
    person.fields = []
    db.session.flush()

    assert names(organiser, "", away=True) == names(organiser, "", field=materials) == []


def test_a_county_finds_its_own_and_the_city_everybody(office, organiser):
    county, other = (an_organisation(name, parent=office) for name in ("石鼓区", "南岳区"))
    township = an_organisation("青山街道", parent=county)
    for unit in (office, county, township, other):
        somebody("王小明", unit)
    reader = an_account(organisation=county, roles=[Role.ORGANISER])

    for text in ("", "王", "小明", "wang"):
        found = find(reader, Wanted(text=text))
        assert {person.organisation_id for person in found.page().items} == {county.id, township.id}
        assert found.count() == 2
        assert find(organiser, Wanted(text=text)).count() == 4
    assert names(reader, "王", organisation_id=other.id) == []


def test_a_corrected_record_is_found_by_what_it_says_now(office, organiser):
    person = somebody("王小明", office, employer="衡阳钢管")
    county = an_organisation("石鼓区", parent=office)
    reader = an_account(organisation=county, roles=[Role.ORGANISER])
    assert names(organiser, "钢管") == ["王小明"]

    person.name, person.employer, person.organisation_id = "汪小明", None, county.id
    db.session.flush()

    assert (names(organiser, "王"), names(organiser, "钢管"), names(organiser, "汪")) == ([], [], ["汪小明"])
    assert names(reader, "小明") == ["汪小明"]
    db.session.expire(person)
    person.employer = "雁城新材"
    db.session.flush()
    assert names(organiser, "新材") == ["汪小明"]
    standing = db.session.scalars(sa.select(person_words.c.word).order_by(person_words.c.word)).all()
    assert standing == sorted(person.words.split())


def test_a_deleted_record_leaves_no_word_behind(office):
    person = somebody("王小明", office)

    db.session.delete(person)
    db.session.flush()

    assert db.session.scalar(sa.select(sa.func.count()).select_from(person_words)) == 0


def test_words_of_many_are_written_at_once_and_none_of_what_is_taken_back(office, session, statements):
    def new(name):
        return Person(name=name, organisation_id=office.id, created_at=BEFORE, updated_at=BEFORE)

    unreachable = new("张三")
    unreachable.contacts.append(PersonContact(contact_point_id=999, since=BEFORE))
    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.add(unreachable)
    many = [new(name) for name in ("王小明", "汪洋", "林知遥")]

    with statements() as sent:
        session.add_all(many)
        session.flush()

    assert len([statement for statement in sent if "INSERT INTO person_words" in statement]) == 1
    standing = session.scalars(sa.select(person_words.c.word).order_by(person_words.c.word)).all()
    assert standing == sorted(word for person in many for word in person.words.split())


def test_words_are_written_anew_for_records_that_have_none_or_old_ones(office, organiser):
    for name in ("王小明", "汪洋", "李磊"):
        somebody(name, office)
    db.session.execute(sa.update(Person).where(Person.name == "王小明").values(words=None))
    db.session.execute(sa.update(Person).where(Person.name == "汪洋").values(words=" 旧 "))
    db.session.execute(sa.delete(person_words))
    db.session.expire_all()

    after, done = PEOPLE_BY_WORDS.write_anew(Person, after=0, limit=2)
    last, rest = PEOPLE_BY_WORDS.write_anew(Person, after=after, limit=2)

    assert (done, rest, PEOPLE_BY_WORDS.write_anew(Person, after=last, limit=2)) == (2, 1, (last, 0))
    assert names(organiser, "王") == ["王小明"]
    assert (names(organiser, "汪"), names(organiser, "旧"), names(organiser, "ll")) == (["汪洋"], [], ["李磊"])


def test_a_long_list_is_capped_and_paged_from_both_ends(office, organiser, monkeypatch):
    monkeypatch.setattr("outreach.people.queries.MOST_COUNTED", 3)
    for number in range(5):
        somebody(f"王{'一二三四五'[number]}", office)

    for text in ("", "王", "w"):
        found = find(organiser, Wanted(text=text))
        whole = [person.id for person in found.page(size=10).items]
        first = found.page(size=2)
        second = found.page(first.next, size=2)
        last = found.page("last", size=2)
        before = found.page(last.previous, size=2)

        assert found.count() == 4
        assert [one.id for page in (first, second) for one in page.items] == whole[:4]
        assert [one.id for page in (before, last) for one in page.items] == whole[1:]
        assert (first.previous, last.next) == (None, None)
        assert found.page(second.previous, size=2).items == first.items


def test_many_of_a_part_of_the_tree_are_listed_like_few(office, monkeypatch):
    monkeypatch.setattr("outreach.organisations.queries.MANY", 2)
    county, other = (an_organisation(name, parent=office) for name in ("石鼓区", "南岳区"))
    for unit in (county, county, county, other):
        somebody("王小明", unit)
    reader = an_account(organisation=county, roles=[Role.ORGANISER])

    found = find(reader, Wanted())

    assert {person.organisation_id for person in found.page().items} == {county.id}
    assert found.count() == 3


def test_a_page_takes_as_many_statements_for_many_as_for_few(office, organiser, statements):
    def taken(text):
        db.session.expire_all()
        db.session.refresh(organiser)
        with statements() as counted:
            found = find(organiser, Wanted(text=text))
            found.page()
            found.count()
        return len(counted)

    texts = ("", "王", "王小", "wang", "王小明 南华大学")
    somebody("王小明", office, school="南华大学")
    few = {text: taken(text) for text in texts}
    for number in range(30):
        somebody("王小明" + "一二三"[number % 3], office, school="南华大学")
    many = {text: taken(text) for text in texts}

    assert many == few
    assert max(many.values()) <= 9


def test_the_cap_is_what_a_reader_is_told():
    assert MOST_COUNTED == 1000
