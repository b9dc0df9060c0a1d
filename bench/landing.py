"""The drill: a ledger of 100,000 talents is brought in to the last row, and undone to the last row.

It takes a quarter of an hour on each database, so it stands outside a whole run: `make bench ONLY=landing`. Seconds by
the clock and of the worker's core are stated for each part, and how long others waited for SQLite's write lock.
"""

import os
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import sqlalchemy as sa

from bench.figure import Figure, must_be, say
from bench.ground import Ground, peak_megabytes
from bench.imports import ROWS, a_ledger, told, upload, wait, waits_for
from outreach.intake import operations, queries
from outreach.intake.models import Import
from outreach.intake.rules import ImportState
from outreach.kernel.clock import now
from outreach.kernel.database import db, only_reading
from outreach.people.models import Person


def figures(ground: Ground) -> Iterator[Figure]:
    """Yield the seconds of bringing in and of undoing on each database, once."""
    content = a_ledger(ROWS)
    for kind in ("sqlite", "postgresql"):
        with ground.city(kind) as city, city.worker() as worker:
            before = _people()
            imported_id = upload(content)
            wait(imported_id, ImportState.PREVIEWED)
            with waits_for(city.folder) if kind == "sqlite" else nullcontext() as waited:
                for name, begin, end in (
                    ("landing", operations.land, ImportState.LANDED),
                    ("undoing", operations.undo, ImportState.UNDONE),
                ):
                    began, core = time.monotonic(), _seconds_of_core(worker.pid)
                    imported = db.session.get_one(Import, imported_id)
                    begin(imported=imported, by=imported.author, now=now())
                    db.session.commit()
                    wait(imported_id, end)
                    took, core = time.monotonic() - began, _seconds_of_core(worker.pid) - core
                    _count(imported_id, end, before)
                    say(f"{name}: {took:.0f} s, {core:.0f} s of a core, load {os.getloadavg()[0]:.1f}, on {kind}")
                    yield Figure(f"{name}_100k_{kind}_seconds", took, "s")
            if waited:
                say(f"meanwhile on SQLite: {told(waited)}")
            yield Figure(f"landing_100k_{kind}_mb", peak_megabytes(worker.pid), "MB")


def _count(imported_id: int, state: ImportState, before: int) -> None:
    with only_reading():
        counted, people = queries.tally(imported_id), _people()
    if state is ImportState.LANDED:
        # whoever may be somebody else waits for a clerk's word
        must_be("rows landed, or left to a clerk", counted.landed + counted.undecided, ROWS)
        must_be("people", people, before + counted.created)
    else:
        must_be("rows and people after undoing", (counted.landed, people), (0, before))


def _people() -> int:
    with only_reading():
        return db.session.scalar(sa.select(sa.func.count(Person.id)))


def _seconds_of_core(pid: int) -> float:
    """Return the processor time a process has taken, its ended children with it."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
