import tomllib

from tests.machine import ROOT

# They stand under or above the features and have an inner order of their own.
NO_FEATURES = {"kernel", "web", "setup", "demo", "operating"}


def test_the_order_inside_a_feature_holds_for_every_feature():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    packages = {file.parent.name for file in (ROOT / "outreach").glob("*/__init__.py")}

    covered = contracts["inside"]["containers"]

    assert sorted(covered) == sorted(f"outreach.{name}" for name in packages - NO_FEATURES)
