"""Load from a process of its own: so many connections kept open, each asking for the next thing once it is answered.

The process is a plain loop over sockets, so that of the cores it shares with the server it takes as little as it can.
It reads one JSON document (port, concurrency, whole requests) and writes another (seconds, answers).
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from outreach.config import ROOT

PATIENCE = 30
"""Seconds without any answer after which a load is given up."""


@dataclass(frozen=True)
class Answer:
    """What came back for one request, in the order of the requests: its status, how long it took, and what it said."""

    status: int
    milliseconds: float
    head: str
    body: str


@dataclass(frozen=True)
class Outcome:
    """What came of a load, and the seconds from the first request sent to the last answer read."""

    seconds: float
    answers: list[Answer]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds


def request(method: str, path: str, *, cookie: str = "", body: str = "", headers: Sequence[str] = ()) -> str:
    """Return one HTTP/1.1 request as it goes over the line; `headers` are whole lines."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return "\r\n".join(lines) + "\r\n\r\n" + body


def load(port: int, requests: Sequence[str], *, concurrency: int) -> Outcome:
    """Send the requests to a server on loopback over so many connections, from a process of their own."""
    asked = json.dumps({"port": port, "concurrency": concurrency, "requests": list(requests)})
    finished = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        input=asked,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # it ends when the bench says so
    )
    if finished.returncode != 0:
        raise RuntimeError(f"the load broke off:\n{finished.stderr[-2000:]}")
    told = json.loads(finished.stdout)
    return Outcome(told["seconds"], [Answer(*each) for each in told["answers"]])


class _Connection:
    """One connection: at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.number = -1
        self.sent_at = 0.0
        self.received = b""
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, number: int, raw: bytes) -> None:
        self.number, self.received = number, b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(raw)

    def read(self) -> tuple[bytes, bytes] | None:
        """Return head and body once the answer is whole."""
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise ConnectionError("the server closed a connection without an answer")
        self.received += piece
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return (head, body) if len(body) >= int(length or 0) else None


def _run(port: int, requests: list[bytes], concurrency: int) -> tuple[float, list[tuple[int, float, str, str]]]:
    answers: list[tuple[int, float, str, str]] = [(0, 0.0, "", "")] * len(requests)
    waiting = selectors.DefaultSelector()
    connections = [_Connection(port) for _ in range(min(concurrency, len(requests)))]
    begun, sent, done = time.perf_counter(), 0, 0
    for connection in connections:
        waiting.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(sent, requests[sent])
        sent += 1
    while done < len(requests):
        ready = waiting.select(timeout=PATIENCE)
        if not ready:
            raise TimeoutError(f"no answer for {PATIENCE} s")
        for key, _ in ready:
            connection = key.data
            answer = connection.read()
            if answer is None:
                continue
            head, body = answer
            taken = (time.perf_counter() - connection.sent_at) * 1000
            answers[connection.number] = (int(head[9:12]), taken, head.decode("latin-1"), body.decode())
            done += 1
            if b"connection: close" in head.lower():
                waiting.unregister(connection.socket)
                connection.socket.close()
                connection.open()
                waiting.register(connection.socket, selectors.EVENT_READ, connection)
            if sent < len(requests):
                connection.send(sent, requests[sent])
                sent += 1
    return time.perf_counter() - begun, answers


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    seconds, answers = _run(asked["port"], [each.encode() for each in asked["requests"]], asked["concurrency"])
    json.dump({"seconds": seconds, "answers": answers}, sys.stdout)
