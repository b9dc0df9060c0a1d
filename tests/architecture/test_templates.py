import ast
import re
from pathlib import Path

import pytest

from tests.machine import ROOT

TEMPLATES = ROOT / "templates"
PAGES = sorted([*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.txt")])
SHARED = {"layouts", "components", "errors"}

NAMED = re.compile(r"""{%-?\s*(?:extends|include|import|from)\s+["']([^"']+)["']""")
COMMENT = re.compile(r"{#.*?#}", re.DOTALL)
INLINE = {
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a script of its own": re.compile(r"<script\b(?![^>]*\b(?:src|type=\"application/(?:ld\+)?json\"))", re.IGNORECASE),
    "an on… attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
}


def rendered_by(file: Path) -> list[str]:
    """Return the templates a module names in render_template and its kin."""
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    return [
        call.args[0].value
        for call in calls
        if ast.unparse(call.func).rpartition(".")[2] in {"render_template", "stream_template"}
        and call.args
        and isinstance(call.args[0], ast.Constant)
    ]


def test_a_feature_renders_only_its_own_templates():
    strays = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in sorted((ROOT / "outreach").rglob("*.py"))
        for name in rendered_by(file)
        if name.partition("/")[0] not in SHARED | {file.relative_to(ROOT / "outreach").parts[0]}
    ]

    assert strays == []


def test_a_template_builds_only_on_its_own_folder_and_the_shared_ones():
    strays = [
        f"{page.relative_to(TEMPLATES)}: {name}"
        for page in PAGES
        for name in NAMED.findall(page.read_text())
        if name.partition("/")[0] not in SHARED | {page.relative_to(TEMPLATES).parts[0]}
    ]

    assert strays == []


def test_every_template_that_is_named_is_there():
    named = {name for file in (ROOT / "outreach").rglob("*.py") for name in rendered_by(file)}
    named |= {name for page in PAGES for name in NAMED.findall(page.read_text())}

    assert sorted(name for name in named if not (TEMPLATES / name).exists()) == []


@pytest.mark.parametrize("what", INLINE)
def test_no_template_carries_what_the_content_policy_forbids(what: str):
    found = [
        f"{page.relative_to(TEMPLATES)}: {match.group()[:80]}"
        for page in PAGES
        for match in INLINE[what].finditer(COMMENT.sub("", page.read_text()))
    ]

    assert found == []
