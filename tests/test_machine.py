import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests import machine

ABSENT = {
    "chromium": {"OUTREACH_TEST_CHROMIUM": "/no/such/browser"},
    "postgresql": {"OUTREACH_TEST_POSTGRESQL": "postgresql://127.0.0.1:9/none"},
}

Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def run_without(tmp_path: Path) -> Run:
    """Run one test that needs the thing, on this machine as it would be without it."""

    def run(missing: str, **environment: str) -> subprocess.CompletedProcess:
        test = tmp_path / "test_it.py"
        test.write_text(f"from tests.machine import need\n\ndef test_it():\n    need({missing!r})\n")
        (tmp_path / "pytest.ini").write_text("[pytest]\n")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.run", "-p", "no:cacheprovider", str(test)],
            env=os.environ | {"PYTHONPATH": str(machine.ROOT)} | ABSENT[missing] | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_new_database_is_empty_and_goes_away_again():
    machine.need(machine.POSTGRESQL)

    with machine.new_postgresql_database() as url:
        address = url.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(address) as connection:
            tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert tables == (0,)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(address)


@pytest.mark.parametrize("missing", ["chromium", "postgresql"])
def test_a_run_that_must_have_everything_fails_at_once_without_it(run_without: Run, missing: str):
    finished = run_without(missing, OUTREACH_TEST_REQUIRE="all")

    assert finished.returncode != 0
    assert "Required here, but" in finished.stdout
    assert machine.REMEDIES[missing] in finished.stdout


@pytest.mark.parametrize("missing", ["chromium", "postgresql"])
def test_a_run_that_need_not_have_everything_says_what_it_left_out(run_without: Run, missing: str):
    finished = run_without(missing, OUTREACH_TEST_REQUIRE="")

    assert finished.returncode == 0
    assert f"1 tests: {machine.REMEDIES[missing]}" in finished.stdout
