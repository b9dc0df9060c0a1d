from dataclasses import astuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from outreach.organisations.documents import brand_stylesheet
from outreach.organisations.rules import brand
from outreach.organisations.rules.brand import ColourTooPale, NotAColour, contrast

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_the_one_of_the_guidelines():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@given(colours)
def test_every_colour_that_is_taken_can_be_read_wherever_it_stands(colour):
    assume(contrast(colour, "#ffffff") >= brand.LEAST_CONTRAST)

    light, dark = brand.light(brand.checked_colour(colour)), brand.dark(colour)

    assert min(contrast(light.brand, ground) for ground in (light.on_brand, light.brand_soft, "#f6f6f2")) >= 4.5
    assert contrast(light.on_brand, light.brand_strong) >= 4.5
    assert min(contrast(dark.brand, ground) for ground in (dark.on_brand, dark.brand_soft, "#182022")) >= 4.5
    assert all(len(value) == 7 for value in astuple(light) + astuple(dark))


def test_a_colour_dark_enough_stays_as_the_city_chose_it():
    assert brand.light("#2b6141").brand == "#2b6141"


@pytest.mark.parametrize("text", ["red", "#12345", "#gggggg", ""])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(NotAColour):
        brand.checked_colour(text)


def test_a_colour_white_text_cannot_be_read_on_is_refused_with_its_contrast():
    with pytest.raises(ColourTooPale) as refusal:
        brand.checked_colour("#FFCC00")

    assert refusal.value.values == {"contrast": "1.5"}


def test_the_design_s_own_colour_needs_no_stylesheet():
    assert brand_stylesheet(brand.DEFAULT) == ""
    assert brand_stylesheet("#643f78").count("--brand-line") == 3
