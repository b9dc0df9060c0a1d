"""Texts as files can hold them: what goes in comes out, and nothing runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.exports.rules.texts import MOST_IN_A_CELL, as_meant, in_a_cell, inert, plain, width_of

STARTERS = "=+-@\t\r＝＋－＠"
NASTY = st.text(
    alphabet=st.one_of(st.sampled_from("=+-@'\"\t\r\n,;０12.𠮷䶮\ufeff\u200b _x041"), st.characters()), max_size=40
)


@pytest.mark.parametrize(
    "text", ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\t=1", " =1", "'=1", "＝1", '=HYPERLINK("//x")', "-", "+86 138"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize(
    "text", ["+8619900000036", "-12.5", "-3", "0012", "431399197909281600", "林知遥", "", "'quoted'"]
)
def test_numbers_and_words_are_left_as_they_are(text):
    assert inert(text) == text


@given(NASTY)
def test_what_was_made_inert_begins_no_formula_and_is_known_again(text):
    said = inert(text)

    assert as_meant(said) == text
    assert said == text or said[0] == "'"
    stripped = said.lstrip(" \n\u200b\ufeff")
    assert not stripped.startswith(tuple(STARTERS)) or stripped.lstrip("+-").replace(".", "", 1).isdigit()


@given(st.text(max_size=60))
def test_a_plain_text_is_plain_and_stays_so(text):
    said = plain(text)

    assert plain(said) == said
    assert not any((ord(sign) < 32 and sign not in "\t\n") or 127 <= ord(sign) < 160 for sign in said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("甲\r\n乙", "甲\n乙"),
        ("甲\r乙", "甲\n乙"),
        ("甲\x0b乙", "甲\n乙"),
        ("\x00甲\x1b", "\ufffd甲\ufffd"),
        ("𠮷䶮", "𠮷䶮"),
    ],
)
def test_breaks_are_line_feeds_and_controls_are_shown(text, said):
    assert plain(text) == said


@given(st.sampled_from(["a", "汉", "𠮷", "a𠮷"]), st.integers(MOST_IN_A_CELL // 2 - 5, MOST_IN_A_CELL + 5))
def test_a_cell_is_never_longer_than_excel_takes(sign, times):
    text = sign * times
    said = in_a_cell(text, "…(%(n)s)")

    units = len(said.encode("utf-16-le")) // 2
    assert units <= MOST_IN_A_CELL
    assert (said == text) == (len(text.encode("utf-16-le")) // 2 <= MOST_IN_A_CELL)
    assert said == text or said.endswith(f"…({len(text):,})")


def test_a_hanzi_is_two_figures_wide_and_the_longest_line_counts():
    assert [width_of(text) for text in ("abc", "林知遥", "a\n林知遥", "𠮷", "")] == [3, 6, 6, 2, 0]
