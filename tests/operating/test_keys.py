"""Keys that are gone, damaged or another database's stop the start, on both engines, before anything is written."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from outreach.app import create_app
from outreach.config import Settings, SettingsRefused
from outreach.kernel.database import db
from outreach.kernel.sealing import Keyring
from outreach.operating.commands import bring_up_to_date
from tests.machine import free_port


@pytest.fixture
def settings(elsewhere: Callable[[str], Flask], database: str) -> Settings:
    """The settings of an installation that was begun with keys of its own."""
    other = elsewhere(database)
    bring_up_to_date()
    db.session.remove()
    return other.config["SETTINGS"]


def test_the_right_keys_are_taken(settings: Settings):
    assert create_app(settings)


def test_missing_keys_are_not_made_anew(settings: Settings):
    settings.keys_file.unlink()

    with pytest.raises(SettingsRefused, match=r"keys\.json is gone"):
        create_app(settings)

    assert not settings.keys_file.exists()


@pytest.mark.parametrize("content", ["", "{}", '{"sealing": {"k1": "zz"}}'])
def test_damaged_keys_are_named(settings: Settings, content: str):
    settings.keys_file.write_text(content)

    with pytest.raises(SettingsRefused, match=r"keys\.json is damaged"):
        create_app(settings)


def test_the_keys_of_another_database_are_refused(settings: Settings):
    Keyring.fresh().replace(settings.keys_file)

    with pytest.raises(SettingsRefused, match="not those of this database") as refused:
        create_app(settings)

    assert "sealing k1" in refused.value.sentences[0]


def test_no_keys_are_made_for_a_database_that_does_not_answer(tmp_path: Path):
    away = Settings(instance_path=tmp_path, database_url=f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/x")

    with pytest.raises(SettingsRefused, match="does not answer"):
        create_app(away)

    assert not (tmp_path / "keys.json").exists()


def test_an_operator_is_told_without_a_traceback(settings: Settings, run_command: Callable):
    settings.keys_file.unlink()

    finished = run_command(settings, "migrate")

    assert finished.returncode == 1
    assert "keys.json is gone" in finished.stderr
    assert "Traceback" not in finished.stderr
