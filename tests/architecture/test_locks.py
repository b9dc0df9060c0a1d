import json
import re
import tomllib

import pytest

from tests.machine import ROOT

PYTHON = (ROOT / "requirements.lock").read_text()
PINNED = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", PYTHON, re.MULTILINE))


def test_the_python_lock_names_no_host_and_no_path():
    assert re.findall(r"^(?!\s*#).*(?:https?:|file:|@ |index-url|find-links|\s/).*", PYTHON, re.MULTILINE) == []


def test_every_python_package_is_pinned_with_its_hashes():
    requirements = re.split(r"\n(?=\S)", "\n".join(line for line in PYTHON.splitlines() if not re.match(r"\s*#", line)))

    loose = [entry.splitlines()[0] for entry in requirements if "==" not in entry or "--hash=sha256:" not in entry]

    assert loose == []


def test_every_dependency_of_the_project_stands_in_the_lock():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]

    names = {re.match(r"[A-Za-z0-9-]+", requirement).group().lower() for requirement in wanted}

    assert sorted(names - set(PINNED)) == []


def test_the_front_end_lock_says_what_but_not_from_where():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    del packages[""]

    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if "integrity" not in package] == []


@pytest.mark.parametrize("kind", ["dependencies", "devDependencies"])
def test_front_end_packages_are_pinned_exactly(kind: str):
    wanted = json.loads((ROOT / "package.json").read_text())[kind]

    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
