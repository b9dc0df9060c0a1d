"""Columns that are unreadable in a stolen database, and exact look-ups in them.

A sealed value is `v1.<key id>.<base64 of nonce and AES-256-GCM ciphertext>`; the purpose of the column is
authenticated with it, so a value moved to another column does not open. The index of a value is a keyed
hash of its normal form: equal values can be found, none can be read.
"""

import base64
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.engine import Dialect


class SealBroken(Exception):  # noqa: N818 -- what happened, not what kind of class it is
    """A sealed value does not open: its key is missing, or it was altered or moved."""


@dataclass(frozen=True)
class Keyring:
    """The keys of one installation; they live beside the database, never in it."""

    sealing: dict[str, bytes]
    current: str
    index: bytes
    history: bytes
    ticket: bytes
    session: str

    @classmethod
    def fresh(cls) -> "Keyring":
        """Return a new keyring of random keys."""
        return cls(
            sealing={"k1": secrets.token_bytes(32)},
            current="k1",
            index=secrets.token_bytes(32),
            history=secrets.token_bytes(32),
            ticket=secrets.token_bytes(32),
            session=secrets.token_urlsafe(48),
        )

    @classmethod
    def read(cls, path: Path) -> "Keyring":
        """Return the keyring kept in a file.

        :raises OSError: if it cannot be read
        :raises ValueError: if it is not a keyring
        """
        try:
            kept = json.loads(path.read_text())
            return cls(
                sealing={key_id: bytes.fromhex(key) for key_id, key in kept["sealing"].items()},
                current=kept["current"],
                index=bytes.fromhex(kept["index"]),
                history=bytes.fromhex(kept["history"]),
                ticket=bytes.fromhex(kept["ticket"]),
                session=kept["session"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name} is not a keyring") from error

    def write(self, path: Path) -> None:
        """Keep the keyring in a new file that only its owner can read.

        :raises FileExistsError: rather than overwrite keys
        """
        kept = {
            "sealing": {key_id: key.hex() for key_id, key in self.sealing.items()},
            "current": self.current,
            "index": self.index.hex(),
            "history": self.history.hex(),
            "ticket": self.ticket.hex(),
            "session": self.session,
        }
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(kept, file, indent=1)

    def seal(self, text: str, *, purpose: str) -> str:
        """Return the text unreadable to whoever lacks the keys."""
        nonce = os.urandom(12)
        sealed = AESGCM(self.sealing[self.current]).encrypt(nonce, text.encode(), purpose.encode())
        return f"v1.{self.current}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, purpose: str) -> str:
        """Return the text that was sealed for this purpose.

        :raises SealBroken: if it cannot be opened
        """
        try:
            _, key_id, body = sealed.split(".", 2)
            raw = base64.b64decode(body)
            return AESGCM(self.sealing[key_id]).decrypt(raw[:12], raw[12:], purpose.encode()).decode()
        except (KeyError, ValueError, InvalidTag) as error:
            raise SealBroken(purpose) from error

    def blind(self, text: str, *, purpose: str) -> str:
        """Return the keyed hash (64 hex digits) by which equal values of a purpose are found."""
        return hmac.new(self.index, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Let one process at a time change a key file, or take the keys and the data they belong to together."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


_ring: Keyring | None = None


def use(ring: Keyring) -> None:
    """Take these keys from now on; called once, when the application is made."""
    global _ring
    _ring = ring


def ring() -> Keyring:
    """Return the keys of this installation.

    :raises RuntimeError: before the application was made
    """
    if _ring is None:
        raise RuntimeError("no keys: the application was not made")
    return _ring


def blind(text: str, *, purpose: str) -> str:
    """Return the blind index of a normalised value; purposes are "phone", "email", "identity"."""
    return ring().blind(text, purpose=purpose)


class Sealed(sa.TypeDecorator[str]):
    """Text that stands sealed in the table. The one column type for what identifies or exposes a person."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else ring().seal(value, purpose=self.purpose)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else ring().open(value, purpose=self.purpose)


class SealedData(sa.TypeDecorator[Any]):
    """JSON that stands sealed in the table."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else ring().seal(json.dumps(value, ensure_ascii=False), purpose=self.purpose)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(ring().open(value, purpose=self.purpose))


class SealedBytes(sa.TypeDecorator[bytes]):
    """Bytes that stand sealed in the table."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else ring().seal(base64.b64encode(value).decode(), purpose=self.purpose)

    def process_result_value(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else base64.b64decode(ring().open(value, purpose=self.purpose))
