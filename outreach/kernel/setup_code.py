"""The code that opens the first set-up from another machine: printed where the server starts, kept in instance/."""

import hmac
import os
import secrets
from pathlib import Path

SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that a screen confuses: no 0 o, 1 i l
LENGTH = 12
NAME = "setup-code"


def read_or_make(instance: Path) -> str:
    """Return the code of this installation, made on first use in a file that only its owner can read."""
    path = instance / NAME
    code = "".join(secrets.choice(SIGNS) for _ in range(LENGTH))
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(code)
    return code


def is_right(instance: Path, typed: str) -> bool:
    """Tell whether this is the code, however it was spaced."""
    plain = "".join(sign for sign in typed.lower() if sign.isalnum())
    return hmac.compare_digest(plain.encode(), read_or_make(instance).encode())


def forget(instance: Path) -> None:
    """Take the code away, once the set-up is done."""
    (instance / NAME).unlink(missing_ok=True)
