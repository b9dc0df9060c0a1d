"""The systemd units as docs/operating.md prints them."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.machine import ROOT

UNIT = re.compile(r"`/etc/systemd/system/([a-z-]+\.(?:service|timer))`:\n\n((?:(?: {4}.*)?\n)+)")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze was found")
def test_systemd_takes_the_units_of_the_page(tmp_path: Path):
    units = dict(UNIT.findall((ROOT / "docs" / "operating.md").read_text()))
    assert set(units) == {"outreach.service", "outreach-backup.service", "outreach-backup.timer"}
    for name, unit in units.items():
        # programs and folders of this machine, for systemd looks whether they are there
        here = unit.replace("/opt/outreach/.venv/bin/flask", sys.executable).replace("/opt/outreach", str(ROOT))
        (tmp_path / name).write_text(textwrap.dedent(here))

    verified = subprocess.run(
        ["systemd-analyze", "verify", *(tmp_path / name for name in units)], capture_output=True, text=True, check=False
    )

    assert (verified.returncode, verified.stderr) == (0, "")
