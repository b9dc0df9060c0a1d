"""The stylesheet of a city's colour."""

from dataclasses import asdict

from outreach.organisations.rules import brand
from outreach.organisations.rules.brand import Brand


def brand_stylesheet(colour: str) -> str:
    """Return the CSS that puts a city's colour in the place of the design's own, in both themes.

    Nothing for the design's own colour: its values stand in the design's tokens.
    """
    if colour == brand.DEFAULT:
        return ""
    light, dark = _declarations(brand.light(colour)), _declarations(brand.dark(colour))
    return (
        f":root {{ {light} }}\n"
        f'[data-bs-theme="dark"] {{ {dark} }}\n'
        f'@media (prefers-color-scheme: dark) {{ [data-bs-theme="auto"] {{ {dark} }} }}\n'
    )


def _declarations(values: Brand) -> str:
    return " ".join(f"--{name.replace('_', '-')}: {value};" for name, value in asdict(values).items())
