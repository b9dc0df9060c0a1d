import re
from pathlib import Path

import pytest
from flask import Flask
from pydantic.fields import FieldInfo

from outreach.config import Settings
from tests.machine import ROOT

OPERATING = ROOT / "docs" / "operating.md"


def test_every_setting_is_described():
    described = set(re.findall(r"`(OUTREACH_[A-Z_]+)`", OPERATING.read_text()))

    settings = {f"OUTREACH_{name.upper()}" for name in Settings.model_fields}

    assert sorted(settings - described) == []
    assert sorted(name for name in described - settings if not name.startswith("OUTREACH_TEST_")) == []


@pytest.mark.parametrize(("name", "field"), list(Settings.model_fields.items()))
def test_a_setting_is_described_with_its_default_and_its_meaning(name: str, field: FieldInfo):
    row = re.search(rf"^\| `OUTREACH_{name.upper()}` \| (.+?) \| (.+?) \|$", OPERATING.read_text(), re.MULTILINE)

    assert row, "needs a row of the table: setting, without it, means"
    default, meaning = row.groups()
    assert len(meaning) > 5
    if field.default not in (None, False) and not isinstance(field.default, Path):
        assert str(field.default) in default.replace("`", "")


def test_every_command_is_described(app: Flask):
    text = OPERATING.read_text()

    ours = {
        name
        for name, command in app.cli.commands.items()
        if command.callback.__module__.startswith("outreach.") and not command.hidden
    }

    assert sorted(name for name in ours if f"`{name}`" not in text) == []


@pytest.mark.parametrize("readme", sorted(file.name for file in ROOT.glob("README*.md")))
def test_a_readme_names_every_make_target(readme: str):
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = (ROOT / readme).read_text()

    assert [target for target in targets if f"make {target}" not in text] == []
