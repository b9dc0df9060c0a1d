"""A PostgreSQL server of a test's own, that is stopped and started again."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Cluster:
    """A server reached by a socket in its own folder, run by somebody unprivileged where the tests run as root."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self._user = "postgres" if os.geteuid() == 0 else None
        self.url = f"postgresql+psycopg://test@/postgres?host={folder}"
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "--username=test", "--auth=trust", "--encoding=UTF8")

    def begin(self) -> None:
        """Start it; after a crash it repairs itself first."""
        options = f"-k {self._folder} -c listen_addresses="
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """End it at once, as a loss of power would."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, "-D", self._folder / "data", *arguments],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
        )


@contextmanager
def a_cluster() -> Iterator[Cluster]:
    """A fresh server, begun; skips where PostgreSQL's programs are missing."""
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    found = kept[-1] if kept else shutil.which("initdb")
    if found is None:
        pytest.skip("no PostgreSQL server was found to start one of the test's own")
    folder = Path(tempfile.mkdtemp(prefix="outreach-pg-"))
    try:
        cluster = Cluster(folder, Path(found).parent)
        cluster.begin()
        try:
            yield cluster
        finally:
            cluster.crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
