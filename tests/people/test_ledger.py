"""What the cells of a talents' ledger mean."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.intake.rules import Row, plain_text
from outreach.intake.rules.days import day_said
from outreach.kernel.contact_details import normalised_phone
from outreach.kernel.refusals import Refused
from outreach.people.rules import Degree, Gender, normalised_identity_number, readings_of
from outreach.people.rules.ledger import Entry, contradict, understood

TODAY = date(2026, 11, 21)


def entry_of(rest: dict[str, str] | None = None, **cells: object) -> Entry:
    given = {"name": "张三"} | cells
    cells = {name: cell if isinstance(cell, list) else [cell] for name, cell in given.items()}
    cells = {name: [cell for cell in held if plain_text(cell)] for name, held in cells.items()}
    said = {name: [plain_text(cell) for cell in held] for name, held in cells.items()}
    return understood(
        Row(sheet=0, number=5, cells=cells, said=said, rest=rest or {}),
        TODAY,
        ("头雁", "强雁", "A类", "AA类"),
    )


def sentences(entry: Entry) -> tuple[list[str], list[str]]:
    return [reason.sentence for reason in entry.refusals], [reason.sentence for reason in entry.notes]


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        (date(1979, 3, 19), "1979-03-19"),
        (datetime(1979, 3, 19), "1979-03-19"),  # noqa: DTZ001 -- as a spreadsheet has it
        ("1970年12月", "1970-12"),
        ("1970年3月9日", "1970-03-09"),
        ("1964-3-6", "1964-03-06"),
        ("1970.01", "1970-01"),
        ("2001/12/24", "2001-12-24"),
        ("１９７９．０５", "1979-05"),
        ("19790319", "1979-03-19"),
        ("197903", "1979-03"),
        (197903.0, "1979-03"),
        (19790319.0, "1979-03-19"),
        ("1988年", "1988"),
        ("1988", "1988"),
        (28933.0, "1979-03-19"),
        ("28933", "1979-03-19"),
        (1979.03, "1979-03"),
        (1979.1, "1979"),
        ("1979-03-19 00:00:00", "1979-03-19"),
        ("属羊", None),
        ("1979-13-01", None),
        ("1979-02-30", None),
    ],
)
def test_a_birth_date_is_read_as_precisely_as_it_was_given(cell, iso):
    assert day_said(cell) == iso


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("1979-03", "1979-03-19", False),
        ("1979-04", "1979-03-19", True),
        (None, "1979", False),
        ("1979", "1980-01", True),
    ],
)
def test_dates_of_different_precision_contradict_only_where_they_differ(one, other, clash):
    assert contradict(one, other) is clash


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        (19901000012.0, ["+8619901000012"]),
        (19901000012, ["+8619901000012"]),
        ("+86 199 0100 0012", ["+8619901000012"]),
        ("１９９０１００００１２", ["+8619901000012"]),
        ("199-0100-0012", ["+8619901000012"]),
        ("19901000012/19901000013", ["+8619901000012", "+8619901000013"]),
        ("19901000012、19901000013", ["+8619901000012", "+8619901000013"]),
        ("19901000012 19901000013", ["+8619901000012", "+8619901000013"]),
        ("19901000012\n19901000012", ["+8619901000012"]),
        ("手机：19901000012", ["+8619901000012"]),
        ("19901000012（同微信）", ["+8619901000012"]),
        ("+1 650 253 0000", ["+16502530000"]),
        ("待补", []),
        ("/", []),
    ],
)
def test_numbers_are_found_however_they_are_written(cell, numbers):
    entry = entry_of(phone=cell)

    assert (entry.phones, entry.refusals) == (numbers, [])


def test_a_cell_with_a_number_and_an_address_gives_both():
    entry = entry_of(phone="19901000012，Zhang@Example.COM")

    assert (entry.phones, entry.emails) == (["+8619901000012"], ["zhang@example.com"])


def test_a_land_line_is_kept_beside_the_record():
    entry = entry_of(phone="0734-7000000")

    assert (entry.phones, entry.aside, entry.refusals) == ([], [("phone", "0734-7000000")], [])


def test_a_number_with_a_digit_missing_refuses_the_row():
    assert sentences(entry_of(phone="1990100001"))[0] == [
        "The mobile number has %(digits)s digits instead of 11: %(text)s"
    ]


def test_a_broken_number_beside_a_good_one_is_kept_aside():
    entry = entry_of(phone="19901000012/1990100001")

    assert (entry.phones, entry.aside, entry.refusals) == (["+8619901000012"], [("phone", "1990100001")], [])


def test_an_identity_number_gives_the_exact_birth_date():
    entry = entry_of(identity_number="431399197012280240", birth="1970年12月")

    assert (entry.birth, entry.aside) == ("1970-12-28", [])


def test_a_contradicting_birth_date_is_kept_beside_the_record():
    entry = entry_of(identity_number="431399197012280240", birth="1971-01")

    assert (entry.birth, entry.aside) == ("1970-12-28", [("birth", "1971-01")])
    assert len(entry.notes) == 1


def test_a_lower_case_x_is_the_same_sign():
    assert entry_of(identity_number="43139919940803036x").identity_number == "43139919940803036X"


@pytest.mark.parametrize("cell", [4.313991979092816e17, "4.31399E+17", "431399197909281000"])
def test_a_rounded_identity_number_is_kept_but_never_used(cell):
    entry = entry_of(identity_number=cell)

    assert entry.identity_number is None
    assert entry.aside[0][0] == "identity_number"
    assert entry.refusals == []


def test_a_mistyped_identity_number_refuses_the_row():
    assert sentences(entry_of(identity_number="431399197012280241"))[0] == ["The identity number is mistyped: %(text)s"]


def test_a_passport_is_kept_beside_the_record():
    assert entry_of(identity_number="E12345678").aside == [("identity_number", "E12345678")]


@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("硕士研究生", Degree.MASTER),
        ("博士", Degree.DOCTOR),
        ("大学本科", Degree.BACHELOR),
        ("研究生/硕士", Degree.MASTER),
        ("博士（在读）", Degree.DOCTOR),
        ("大专", Degree.COLLEGE),
        ("PhD", Degree.DOCTOR),
    ],
)
def test_degrees_are_known_by_their_synonyms(text, degree):
    assert entry_of(degree=text).degree is degree


def test_a_degree_that_says_more_keeps_its_own_words():
    assert entry_of(degree="博士（在读）").aside == [("degree", "博士（在读）")]


def test_two_columns_of_degrees_give_the_higher():
    assert entry_of(degree=["本科", "硕士"]).degree is Degree.MASTER


def test_class_gender_and_name_are_read():
    entry = entry_of(talent_class="头雁人才", gender="女", name=" 苏 雨嘉　")

    assert (entry.talent_class, entry.gender, entry.name) == ("头雁", Gender.FEMALE, "苏雨嘉")


def test_a_class_is_one_of_the_citys_and_the_longer_name_wins():
    assert entry_of(talent_class="市级AA类人才").talent_class == "AA类"
    assert (entry_of(talent_class="领军人才").talent_class, entry_of(talent_class="领军人才").aside) == (
        None,
        [("talent_class", "领军人才")],
    )


def test_a_name_of_several_words_keeps_its_spaces():
    assert entry_of(name="Anna-Maria  O'Neill").name == "Anna-Maria O'Neill"


@pytest.mark.parametrize("name", ["", "待补", "12345", "——"])
def test_a_row_without_a_name_is_refused(name):
    assert len(entry_of(name=name).refusals) == 1


@pytest.mark.parametrize("cell", ["2091-01-01", "1850-01", date(2026, 11, 22)])
def test_nobody_is_born_in_the_future_or_long_ago(cell):
    assert sentences(entry_of(birth=cell))[0] == ["Born in %(year)s cannot be"]


def test_columns_without_a_place_are_kept_by_their_heading():
    assert entry_of(rest={"党派": "九三学社"}).aside == [("党派", "九三学社")]


def test_a_text_too_long_is_kept_whole_beside_the_record():
    entry = entry_of(employer="长" * 300)

    assert (len(entry.employer), entry.aside) == (200, [("employer", "长" * 300)])


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("曾国藩", {"zengguofan", "cengguofan", "zgf", "cgf"}),
        ("单远", {"shanyuan", "danyuan", "sy", "dy"}),
        ("仇英", {"qiuying", "chouying", "qy"}),
        ("查静", {"zhajing", "chajing", "zj"}),
        ("区怡", {"ouyi", "quyi", "oy", "qy"}),
        ("欧阳杰", {"ouyangjie", "oyj"}),
        ("迪丽娜尔·买买提江", {"dilinaermaimaitijiang"}),
    ],
)
def test_a_name_is_found_by_every_reading_of_its_surname(name, ways):
    readings = readings_of(name).split()

    assert ways <= set(readings)


def test_the_surname_reading_comes_first():
    assert readings_of("单远").startswith("shanyuan")


def test_a_child_under_fourteen_is_not_taken_from_a_list():
    assert sentences(entry_of(birth="2019-06-01"))[0] == [
        "A child under 14 is registered by a guardian, not from a list"
    ]


def result_of(understand: Callable[[str], object], text: str) -> object:
    """What a rule makes of a text: what it returns, or how it refuses it."""
    try:
        return understand(text)
    except Refused as refused:
        return type(refused), dict(refused.values)


@given(st.from_regex(r"\A1[0-9]{8,12}\Z"))
def test_a_plain_number_is_read_without_looking_twice_and_no_otherwise(text):
    assert result_of(normalised_phone, text) == result_of(normalised_phone, f"　{text}")


@given(st.integers(0, 3000), st.integers(0, 13), st.integers(0, 32))
def test_a_plain_day_is_read_without_looking_twice_and_no_otherwise(year, month, day):
    text = f"{year:04}-{month:02}-{day:02}"
    assert day_said(text) == day_said(f"　{text}")


@given(st.from_regex(r"\A[1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-3])[0-3][0-9]{4}[0-9Xx]\Z"))
def test_a_plain_identity_number_is_read_without_looking_twice_and_no_otherwise(text):
    assert result_of(normalised_identity_number, text) == result_of(normalised_identity_number, f" {text}")
    assert entry_of(identity_number=text) == entry_of(identity_number=f"{text[:6]} {text[6:]}")


@given(
    st.from_regex(r"\A(1[0-9]{9,12}|[A-Za-z0-9_.+-]{1,8}@[A-Za-z0-9.-]{1,12})\Z"), st.sampled_from(["phone", "email"])
)
def test_a_plain_contact_is_read_without_looking_twice_and_no_otherwise(text, column):
    assert entry_of(**{column: text}) == entry_of(**{column: f"{text}；"})
