"""The test run as a whole: what it must have, what `make quick` leaves out, and what it says at its end."""

import os
from collections import Counter

import pytest

from tests.machine import REMEDIES, has


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse to begin where something that must be there is missing."""
    required = os.environ.get("OUTREACH_TEST_REQUIRE", "")
    things = list(REMEDIES) if required == "all" else [thing for thing in required.split(",") if thing]
    missing = [REMEDIES[thing] for thing in things if not has(thing)]
    if missing:
        pytest.exit("Required here, but " + "; ".join(missing), returncode=pytest.ExitCode.USAGE_ERROR)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the served application or a browser, so that `make quick` can leave them out."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))  # items of plugins have none
        if fixtures & {"serve", "served", "served_demo"}:
            item.add_marker(pytest.mark.served)
        if "chromium" in fixtures:
            item.add_marker(pytest.mark.browser)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say plainly what could not run on this machine, how much of it, and what would help."""
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("could not run on this machine")
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count} tests: {reason}")
