"""Several processes that serve one installation: pages in some of them, background work in one of its own."""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from outreach.config import ROOT
from outreach.web import metrics

log = logging.getLogger("outreach.serving")
LOOK_EVERY = 0.2
CONNECTIONS = 2000
"""How many may be open to one web process; who comes then waits until one is closed."""
GRACE_SECONDS = 20
"""What a process may take to end its piece of work; what is not done by then is done again by another."""
LONGEST_PAUSE = 30
MODEST = 10
"""By how much the worker stands behind the web processes where there are more of them than cores (nice): whoever waits
for a page goes first, and background work still gets about a tenth."""
STEADY_SECONDS = 60
"""Who has run for so long is begun again at once when it ends."""

LOGGING = {
    "formatters": {"ours": {"()": "outreach.kernel.logs.formatter", "in_production": True}},
    "handlers": {"ours": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "ours"}},
    "loggers": {"_granian": {"handlers": ["ours"], "propagate": False}},
}
"""Lets the server of pages write what it has to say as everybody else does (kernel/logs.py)."""


class Process:
    """A process that is begun again whenever it ends, after a pause that doubles while it keeps ending."""

    def __init__(self, name: str, command: Sequence[str], environment: dict[str, str], *, behind: int = 0) -> None:
        self.name, self.command, self.environment, self.behind = name, command, environment, behind
        self.pause = 1
        self.began = self.ended = 0.0
        self.running: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it."""
        self.running = subprocess.Popen(self.command, cwd=ROOT, env=self.environment)  # noqa: S603 -- our own commands
        os.setpriority(os.PRIO_PROCESS, self.running.pid, os.getpriority(os.PRIO_PROCESS, 0) + self.behind)
        self.began = time.monotonic()
        log.info("begun", extra={"which": self.name, "pid": self.running.pid})

    def look(self) -> None:
        """Begin it again if it ended and its pause is over."""
        now = time.monotonic()
        if self.running is not None and self.running.poll() is not None:
            log.warning("ended by itself", extra={"which": self.name, "status": self.running.returncode})
            self.pause = 1 if now - self.began > STEADY_SECONDS else min(self.pause * 2, LONGEST_PAUSE)
            self.ended, self.running = now, None
        if self.running is None and now - self.ended >= self.pause:
            self.begin()

    def ask_to_end(self) -> None:
        """Let it end what it is doing."""
        if self.running is not None and self.running.poll() is None:
            self.running.terminate()

    def see_it_end(self, until: float) -> None:
        """Wait for its end, and end it where it takes too long."""
        if self.running is None:
            return
        try:
            self.running.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("did not end in time", extra={"which": self.name})
            self.running.kill()
            self.running.wait()


def serve_together(*, host: str, port: int, workers: int, threads: int, base_url: str) -> None:
    """Serve pages from several processes and do background work in another, until told to stop.

    Each is begun again if it ends by itself; a web process that dies is replaced by its server. SIGTERM lets all end
    what they are doing.
    """
    stop = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="outreach-metrics-") as counted:
        environment = os.environ | {"OUTREACH_BASE_URL": base_url, metrics.FOLDER: counted}
        logging_file = Path(counted, "logging.json")
        logging_file.write_text(json.dumps(LOGGING))
        web = web_command(host=host, port=port, workers=workers, threads=threads, logging_file=logging_file)
        processes = [
            Process("web", web, environment),
            Process("worker", [sys.executable, "-m", "flask", "--app", "wsgi", "worker"], environment, behind=MODEST),
        ]
        try:
            for process in processes:
                process.begin()
            while not stop.wait(LOOK_EVERY):
                for process in processes:
                    process.look()
        finally:
            for process in processes:
                process.ask_to_end()
            until = time.monotonic() + GRACE_SECONDS
            for process in processes:
                process.see_it_end(until)


def web_command(*, host: str, port: int, workers: int, threads: int, logging_file: Path) -> list[str]:
    """Return the command of the server of pages: granian, which begins a web process again when it dies."""
    return [
        *(sys.executable, "-m", "granian"),
        "--interface=wsgi",
        "--no-ws",
        f"--host={host}",
        f"--port={port}",
        f"--workers={workers}",
        f"--blocking-threads={threads}",
        # What granian counts against its backpressure is open connections, idle ones too, and a browser keeps several.
        f"--backpressure={CONNECTIONS}",
        "--respawn-failed-workers",
        "--respawn-interval=1",
        f"--workers-kill-timeout={GRACE_SECONDS - 5}",
        "--log-level=error",
        f"--log-config={logging_file}",
        "wsgi:app",
    ]
