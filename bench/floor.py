"""What the database alone can do: the same rows written by bare psycopg over connections kept open, prepared once.

A process of its own: it reads one JSON document (where, how many connections, a statement and its rows) and writes the
seconds that all rows took. Each row is a transaction, as each guest is.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence

import psycopg

from outreach.config import ROOT


def floor(database_url: str, statement: str, rows: Sequence[Sequence[object]], *, concurrency: int) -> float:
    """Write the rows, each in a transaction of its own, over so many connections; return the seconds it took."""
    url = database_url.replace("+psycopg", "")
    asked = json.dumps({"url": url, "concurrency": concurrency, "statement": statement, "rows": list(rows)})
    finished = subprocess.run(
        [sys.executable, "-m", "bench.floor"],
        cwd=ROOT,
        input=asked,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # it ends when the bench says so
    )
    if finished.returncode != 0:
        raise RuntimeError(f"the floor broke off:\n{finished.stderr[-2000:]}")
    return float(finished.stdout)


def _run(url: str, concurrency: int, statement: str, rows: list[list[object]]) -> float:
    left, lock = iter(rows), threading.Lock()
    ready = threading.Barrier(concurrency + 1)

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            ready.wait()
            for row in _rest(left, lock):
                connection.execute(statement, row, prepare=True)

    writers = [threading.Thread(target=write) for _ in range(concurrency)]
    for writer in writers:
        writer.start()
    ready.wait()
    begun = time.perf_counter()
    for writer in writers:
        writer.join()
    return time.perf_counter() - begun


def _rest(rows: Iterator[list[object]], lock: threading.Lock) -> Iterator[list[object]]:
    while True:
        with lock:
            row = next(rows, None)
        if row is None:
            return
        yield row


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    sys.stdout.write(str(_run(asked["url"], asked["concurrency"], asked["statement"], asked["rows"])))
