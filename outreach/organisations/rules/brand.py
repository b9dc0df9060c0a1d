"""A city's colour: the six values of each theme that the design leaves to the installation, from one colour.

Computed in OKLCH (Björn Ottosson, «A perceptual color space for image processing», 2020), where equal lightness
looks equally light in every hue. Contrast is WCAG 2.2's, and text on every ground it stands on has at least 4.5.
"""

import math
import re
from dataclasses import dataclass

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

DEFAULT = "#0b5a6f"
"""湖青, the colour of the design itself: its values stand in the design's own tokens."""
LEAST_CONTRAST = 4.5
DARK_SURFACE = "#182022"
STEP = 0.005


class NotAColour(Refused):
    """Colours are written as six hexadecimal digits."""

    message = N_("Write a colour as # and six digits, such as #0b5a6f.")
    field = "own_colour"
    status = 422


class ColourTooPale(Refused):
    """White text on the colour could not be read."""

    message = N_(
        "White text on this colour is hard to read: its contrast is %(contrast)s and should be 4.5. Take a darker one."
    )
    field = "own_colour"
    status = 422


@dataclass(frozen=True)
class Brand:
    """The values of one theme, each "#rrggbb", by the names the design's tokens have."""

    brand: str
    brand_strong: str
    brand_deep: str
    brand_soft: str
    brand_line: str
    on_brand: str


@dataclass(frozen=True)
class _Colour:
    lightness: float
    chroma: float
    hue: float

    def at(self, lightness: float, *, chroma: float) -> str:
        """Return the colour of this hue, with as much of the chroma as screens can show."""
        while not _shown(_linear(lightness, chroma, self.hue)) and chroma > 0:
            chroma = max(0.0, chroma - 0.002)
        return _hex(_linear(lightness, chroma, self.hue))


def checked_colour(text: str) -> str:
    """Return a colour as "#rrggbb".

    :raises NotAColour: if it is none
    :raises ColourTooPale: if white text on it has a contrast under 4.5
    """
    colour = text.strip().lower()
    if re.fullmatch(r"#?[0-9a-f]{6}", colour) is None:
        raise NotAColour
    colour = f"#{colour.removeprefix('#')}"
    if contrast(colour, "#ffffff") < LEAST_CONTRAST:
        raise ColourTooPale(contrast=f"{math.floor(contrast(colour, '#ffffff') * 10) / 10}")
    return colour


def light(colour: str) -> Brand:
    """Return the values for the light theme; the colour is darkened a little where its own tint asks for it."""
    seen = _read(colour)
    soft = seen.at(0.945, chroma=min(seen.chroma, 0.014))
    lightness = seen.lightness
    brand = colour
    while contrast(brand, soft) < LEAST_CONTRAST:
        lightness -= STEP
        brand = seen.at(lightness, chroma=seen.chroma)
    return Brand(
        brand=brand,
        brand_strong=seen.at(lightness * 0.82, chroma=seen.chroma),
        brand_deep=seen.at(lightness * 0.65, chroma=seen.chroma * 0.7),
        brand_soft=soft,
        brand_line=seen.at(0.835, chroma=min(seen.chroma, 0.034)),
        on_brand="#ffffff",
    )


def dark(colour: str) -> Brand:
    """Return the values for the dark theme: the hue, light enough to be read on dark grounds."""
    seen = _read(colour)
    chroma = min(seen.chroma, 0.085)
    soft = seen.at(0.3, chroma=min(seen.chroma, 0.04))
    on_brand = seen.at(0.23, chroma=min(seen.chroma, 0.035))
    lightness = 0.76
    brand = seen.at(lightness, chroma=chroma)
    while min(contrast(brand, ground) for ground in (soft, DARK_SURFACE, on_brand)) < LEAST_CONTRAST:
        lightness += STEP
        brand = seen.at(lightness, chroma=chroma)
    return Brand(
        brand=brand,
        brand_strong=seen.at(min(lightness + 0.08, 0.93), chroma=chroma * 0.8),
        brand_deep=seen.at(0.3, chroma=min(seen.chroma, 0.05)),
        brand_soft=soft,
        brand_line=seen.at(0.42, chroma=min(seen.chroma, 0.055)),
        on_brand=on_brand,
    )


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2.2: 1 for equal ones, 21 for black on white."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = _rgb(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (_linearised(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return red, green, blue


def _linearised(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _companded(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _read(colour: str) -> _Colour:
    red, green, blue = _rgb(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return _Colour(lightness, math.hypot(a, b), math.atan2(b, a))


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _shown(linear: tuple[float, float, float]) -> bool:
    return all(-0.0005 <= value <= 1.0005 for value in linear)


def _hex(linear: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * _companded(min(1.0, max(0.0, value)))):02x}" for value in linear)
