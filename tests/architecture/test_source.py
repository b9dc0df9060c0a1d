"""What import contracts cannot say about the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.machine import ROOT

SOURCES = sorted((ROOT / "outreach").rglob("*.py"))
# The request's commit, the outbox's steps, and what runs outside a request.
MAY_COMMIT = {"unit_of_work", "outbox", "commands", "jobs"}


def attributes(file: Path) -> Iterator[ast.Attribute]:
    return (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute))


def place(file: Path, node: ast.expr) -> str:
    return f"{file.relative_to(ROOT)}:{node.lineno}"


def test_only_the_edge_commits():
    bound = [file for file in SOURCES if not MAY_COMMIT & set(file.relative_to(ROOT).with_suffix("").parts)]

    commits = [place(file, node) for file in bound for node in attributes(file) if node.attr == "commit"]

    assert commits == []


def test_nothing_uses_the_legacy_query():
    legacy = [
        place(file, node)
        for file in SOURCES
        for node in attributes(file)
        if node.attr == "query"
        and isinstance(node.value, ast.Name | ast.Attribute)
        # Model.query and session.query
        and (ast.unparse(node.value)[:1].isupper() or ast.unparse(node.value).endswith("session"))
    ]

    assert legacy == []


def test_relationships_name_both_ends():
    assert [str(file) for file in SOURCES if "backref=" in file.read_text()] == []
