"""Text can be read in both themes: every pair of ink and ground that the components use."""

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "static" / "css" / "tokens.css").read_text()
LEAST = 4.5

STATES = ("ok", "wait", "late", "run", "rest", "seal")
GROUNDS = ("page", "surface", "hover")
PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in (*GROUNDS, "sunken", "tag")),
    *((ink, ground) for ink in ("brand", "accent", *STATES) for ground in GROUNDS),
    *((state, f"{state}-soft") for state in STATES),
    ("accent", "accent-soft"),
    ("ink", "accent-soft"),
    ("ink-2", "accent-soft"),
    ("ink", "brand-soft"),
    ("ink-2", "brand-soft"),
    ("brand-strong", "brand-soft"),
    ("brand", "brand-soft"),
    ("on-brand", "brand"),
    ("on-brand", "brand-strong"),
]
ON_WHITE = ["door-in", "door-twice", "door-no"]


def block(selector: str) -> dict[str, str]:
    """Return the colours a rule of tokens.css names, by token."""
    found = re.search(rf"^ *{re.escape(selector)} \{{\n(.*?)^ *\}}", TOKENS, re.DOTALL | re.MULTILINE)
    assert found, selector
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6}|var\(--[\w-]+\));", found[1]))


LIGHT = block(":root")
DARK = LIGHT | block('[data-bs-theme="dark"]')
THEMES = {"light": LIGHT, "dark": DARK}


def colour(theme: dict[str, str], token: str) -> str:
    """Return the colour of a token as #rrggbb, through the tokens it is made of."""
    value = theme[token]
    return colour(theme, value[6:-1]) if value.startswith("var(") else value


def luminance(value: str) -> float:
    """Return the relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(value[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_text_stands_out_from_its_ground(theme: str) -> None:
    pairs = {pair: contrast(colour(THEMES[theme], pair[0]), colour(THEMES[theme], pair[1])) for pair in PAIRS}

    assert {pair: round(ratio, 2) for pair, ratio in pairs.items() if ratio < LEAST} == {}


@pytest.mark.parametrize("fill", ON_WHITE)
def test_white_words_stand_out_from_the_fills_of_the_door(fill: str) -> None:
    assert contrast(LIGHT[fill], "#ffffff") >= LEAST


def test_the_devices_own_dark_is_the_chosen_dark() -> None:
    assert block('[data-bs-theme="auto"]') == block('[data-bs-theme="dark"]')
