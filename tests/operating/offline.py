"""Run where there is no network: installs a bundle, serves from it, opens a page and what the page needs.

python offline.py BUNDLE TARGET; writes what it found as JSON. Only the standard library of the machine's own Python.
"""

import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE = 120


def main(bundle: Path, target: Path) -> None:
    """Install, serve, open."""
    bring_the_loopback_up()
    subprocess.run([bundle / "install", target], check=True)
    port = free_port()
    server = subprocess.Popen(
        [target / ".venv" / "bin" / "flask", "--app", "wsgi", "serve", "--port", str(port)],
        cwd=target,
        env=os.environ | {"OUTREACH_INSTANCE_PATH": str(target / "instance")},
    )
    try:
        page = opened(f"http://127.0.0.1:{port}/")
        style = re.search(r'href="(/static/dist/css/app-[^"]+)"', page).group(1)
        found = {
            "title": re.search("<title>(.*?)</title>", page).group(1),
            "style": len(opened(f"http://127.0.0.1:{port}{style}")),
            "ready": json.loads(opened(f"http://127.0.0.1:{port}/readyz"))["ready"],
            "network": reaches_out(),
        }
    finally:
        server.terminate()
        server.wait(timeout=60)
    sys.stdout.write(f"\n{json.dumps(found)}")


def reaches_out() -> bool:
    """Tell whether there is a way out of this machine; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            any_socket.connect(("192.0.2.1", 9))
        except OSError:
            return False
    return True


def bring_the_loopback_up() -> None:
    """A fresh network namespace has a loopback that is down."""
    up = 1
    with socket.socket() as any_socket:
        try:
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", up | 0x8 | 0x40))
        except OSError:
            return  # not ours to change: it is up


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def opened(address: str) -> str:
    """Return a page, once the server answers."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(address, timeout=30) as answer:
                return answer.read().decode()
        except URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
