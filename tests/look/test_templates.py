"""What templates may not do, read from their source."""

import re
from pathlib import Path

TOP = Path(__file__).parents[2]
TEMPLATES = {
    path.relative_to(TOP / "templates").as_posix(): path.read_text() for path in TOP.glob("templates/**/*.html")
}
STYLES = "".join(path.read_text() for path in TOP.glob("static/**/*.css") if "dist" not in path.parts)
SPRITE = set(re.findall(r'<symbol id="i-([\w-]+)"', TEMPLATES["components/sprite.html"]))


def test_every_icon_that_is_named_is_drawn() -> None:
    named = {
        (name, icon)
        for name, source in TEMPLATES.items()
        for pattern in (r'\b(?:icon|draw)\("([\w-]+)"', r'\bicon="([\w-]+)"', r"#i-([\w-]+)\"")
        for icon in re.findall(pattern, source)
    }

    assert {(name, icon) for name, icon in named if icon not in SPRITE} == set()


def test_no_template_carries_a_style_or_a_script_of_its_own() -> None:
    inline = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=\"|javascript:")

    assert {name: inline.findall(source) for name, source in TEMPLATES.items() if inline.search(source)} == {}


def test_no_style_leans_on_what_old_kernels_lack() -> None:
    # A value with var() is taken as it stands and fails only when it is computed: a fallback above it is never used.
    without_guard = re.sub(r"@supports[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", STYLES)

    assert re.findall(r":has\(|color-mix\(", re.sub(r"/\*.*?\*/", "", without_guard, flags=re.DOTALL)) == []


def test_every_class_that_is_written_is_drawn() -> None:
    drawn = set(re.findall(r"\.(o-[\w-]+)", STYLES))
    written = {
        (name, written)
        for name, source in TEMPLATES.items()
        for value in re.findall(r'class="([^"]*)"', re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " ", source))
        for written in value.split()
        if written.startswith("o-") and not written.endswith("-")
    }

    assert {(name, written) for name, written in written if written not in drawn} == set()
