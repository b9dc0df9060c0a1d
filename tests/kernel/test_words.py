"""The words by which records are found."""

import pytest

from outreach.kernel.words import Run, asked_for, folded, runs_of, shared_beginnings, words_of, written


def test_characters_are_cut_into_pairs_and_names_singly_too():
    assert list(words_of("南华大学")) == ["南华", "华大", "大学"]
    assert set(words_of("王小明", singly=True)) == {"王", "小", "明", "王小", "小明"}


def test_letters_and_digits_stay_whole_beside_characters():
    assert runs_of("BYD 5G基站，3D打印") == [
        Run("byd", spelt=True),
        Run("5g", spelt=True),
        Run("基站", spelt=False),
        Run("3d", spelt=True),
        Run("打印", spelt=False),
    ]


@pytest.mark.parametrize("text", ["𠮷田䶮", "〇", "한국", "\U0003134a"])
def test_rare_and_foreign_characters_are_characters(text):
    assert runs_of(text) == [Run(text, spelt=False)]


@pytest.mark.parametrize(
    ("written_as", "same"), [("ＢＹＤ", "byd"), ("José", "jose"), ("葛\U000e0100城", "葛城"), ("王\u200b明", "王明")]
)
def test_ways_of_writing_compare_equal(written_as, same):
    assert folded(written_as) == same


def test_what_is_no_word_divides_and_asks_for_nothing():
    assert asked_for("🎉 =SUM(%_) '; --") == [Run("sum", spelt=True)]
    assert asked_for("，。·") == []


def test_a_question_has_no_end_of_words():
    assert len(asked_for(" ".join(f"w{number}" for number in range(400)))) == 12
    assert len(asked_for("x" * 400)[0].text) == 40


def test_words_stand_between_spaces():
    assert written(["小", "王", "王"]) == " 小 王 "
    assert written([]) == ""


def test_words_of_one_beginning_are_told_apart_by_what_they_share():
    assert shared_beginnings(["ll", "lilei", "li", "wang"]) == {"li": 0, "lilei": 2, "ll": 1, "wang": 0}
