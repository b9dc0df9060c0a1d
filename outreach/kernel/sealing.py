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
import logging
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.sql.operators import OperatorType

log = logging.getLogger("outreach.keys")
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""Before anything was written by this program: when a first history key came into force."""


class SealBroken(Exception):  # noqa: N818 -- what happened, not what kind of class it is
    """A sealed value does not open: its key is missing, or it was altered or moved."""


@dataclass(frozen=True)
class Keyring:
    """The keys of one installation; they live beside the database, never in it.

    Sealing and index keys have ids: while they are rotated there are two of each, and `current` and `current_index`
    say which one writes. History keys are never dropped, for lines cannot be written anew: each has the moment it
    came into force. The key of what was handed out (tickets, links) stays, or all of it would be void.
    """

    sealing: dict[str, bytes]
    current: str
    indexes: dict[str, bytes]
    current_index: str
    histories: tuple[tuple[datetime, bytes], ...]
    ticket: bytes
    sessions: tuple[str, ...]

    @classmethod
    def fresh(cls) -> "Keyring":
        """Return a new keyring of random keys."""
        return cls(
            sealing={"k1": secrets.token_bytes(32)},
            current="k1",
            indexes={"i1": secrets.token_bytes(32)},
            current_index="i1",
            histories=((BEGINNING, secrets.token_bytes(32)),),
            ticket=secrets.token_bytes(32),
            sessions=(secrets.token_urlsafe(48),),
        )

    @classmethod
    def read(cls, path: Path) -> "Keyring":
        """Return the keyring kept in a file.

        :raises OSError: if it cannot be read
        :raises ValueError: if it is not a keyring
        """
        try:
            kept = json.loads(path.read_text())
            ring = cls(
                sealing={key_id: bytes.fromhex(key) for key_id, key in kept["sealing"].items()},
                current=kept["current"],
                indexes={key_id: bytes.fromhex(key) for key_id, key in kept["indexes"].items()},
                current_index=kept["current_index"],
                histories=tuple(
                    (datetime.fromisoformat(since), bytes.fromhex(key)) for since, key in kept["histories"]
                ),
                ticket=bytes.fromhex(kept["ticket"]),
                sessions=tuple(kept["sessions"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path.name} is not a keyring") from error
        if not (ring.current in ring.sealing and ring.current_index in ring.indexes and ring.histories):
            raise ValueError(f"{path.name} lacks a key that it says is in use")
        return ring

    def write(self, path: Path) -> None:
        """Keep the keyring in a new file that only its owner can read.

        :raises FileExistsError: rather than overwrite keys
        """
        kept = {
            "sealing": {key_id: key.hex() for key_id, key in self.sealing.items()},
            "current": self.current,
            "indexes": {key_id: key.hex() for key_id, key in self.indexes.items()},
            "current_index": self.current_index,
            "histories": [[since.isoformat(), key.hex()] for since, key in self.histories],
            "ticket": self.ticket.hex(),
            "sessions": self.sessions,
        }
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(kept, file, indent=1)
            file.flush()
            os.fsync(file.fileno())

    def replace(self, path: Path) -> None:
        """Keep the keyring in place of the one in the file: whoever reads it finds the one or the other, whole."""
        beside = path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        self.write(beside)
        beside.replace(path)

    @property
    def history(self) -> bytes:
        """The key of the lines of history written now."""
        return self.histories[-1][1]

    def history_hash(self, covered: bytes) -> str:
        """Return the keyed hash (64 hex digits) of a line of history written now."""
        return hmac.new(self.history, covered, hashlib.sha256).hexdigest()

    def wrote(self, kept: str, covered: bytes, *, at: datetime) -> bool:
        """Tell whether this is the keyed hash of a line of that moment.

        It may stand under the key of its time or a later one, and under an earlier one for the hour in which a clock
        may have been late: whoever got hold of an old key cannot write new lines with it.
        """
        ends = [*(since + timedelta(hours=1) for since, _ in self.histories[1:]), None]
        return any(
            hmac.compare_digest(kept, hmac.new(key, covered, hashlib.sha256).hexdigest())
            for (_, key), end in zip(self.histories, ends, strict=True)
            if end is None or at < end
        )

    def seal(self, text: str, *, purpose: str) -> str:
        """Return the text unreadable to whoever lacks the keys."""
        nonce = os.urandom(12)
        sealed = _cipher(self.sealing[self.current]).encrypt(nonce, text.encode(), purpose.encode())
        return f"v1.{self.current}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, purpose: str) -> str:
        """Return the text that was sealed for this purpose.

        :raises SealBroken: if it cannot be opened
        """
        try:
            _, key_id, body = sealed.split(".", 2)
            raw = base64.b64decode(body)
            return _cipher(self.sealing[key_id]).decrypt(raw[:12], raw[12:], purpose.encode()).decode()
        except (KeyError, ValueError, InvalidTag) as error:
            raise SealBroken(purpose) from error

    def blind(self, text: str, *, purpose: str) -> str:
        """Return the keyed hash (64 hex digits) by which equal values of a purpose are found."""
        return _keyed_hash(self.indexes[self.current_index], text, purpose)

    def other_blinds(self, text: str, *, purpose: str) -> list[str]:
        """Return what `blind` would be under the other index keys there are while they are rotated."""
        return [_keyed_hash(key, text, purpose) for name, key in self.indexes.items() if name != self.current_index]

    def proof(self, text: str, *, purpose: str) -> str:
        """Return the keyed hash (64 hex digits) by which we know again what we handed out; it is never rotated."""
        return _keyed_hash(self.ticket, text, purpose)

    def fingerprints(self) -> dict[str, str]:
        """Return for each key what tells it from another without giving it away, by its name."""
        keys = {f"sealing {name}": key for name, key in self.sealing.items()}
        keys |= {f"index {name}": key for name, key in self.indexes.items()}
        keys |= {f"history {since:%Y-%m-%d}": key for since, key in self.histories}
        keys["ticket"] = self.ticket
        return {name: _keyed_hash(key, name, "fingerprint")[:32] for name, key in keys.items()}


_cipher = lru_cache(maxsize=16)(AESGCM)
"""Making one takes as long as sealing a cell."""


@lru_cache(maxsize=16)
def _mac(key: bytes) -> hmac.HMAC:
    """Return a keyed hash of nothing yet, to be copied: beginning one takes as long as all the rest."""
    return hmac.new(key, digestmod="sha256")


def _keyed_hash(key: bytes, text: str, purpose: str) -> str:
    begun = _mac(key).copy()
    begun.update(f"{purpose}\0{text}".encode())
    return begun.hexdigest()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Let one process at a time change a key file, or take the keys and the data they belong to together."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


_ring: Keyring | None = None
_file: Path | None = None
_seen: tuple[int, int, int] | None = None
_pairs: dict[str, tuple[str, bool]] = {}
"""While index keys are rotated: a value's index under the one key, its index under the other, and whether the first is
the one that was given out last."""
MOST_PAIRS = 400_000
_forget_at: float | None = None
READERS_TAKE = 3600.0
"""Seconds after which nobody reads a state of the database from before a rotation any more."""


def use(ring: Keyring, file: Path | None = None) -> None:
    """Take these keys from now on; called once, when the application is made.

    :param file: where they are kept; what a rotation changes in it is taken up by `refresh`
    """
    global _ring, _file, _seen, _forget_at
    _pairs.clear()
    _forget_at = None
    _ring, _file, _seen = ring, file, _state_of(file) if file else None


def refresh() -> None:
    """Take up what changed in the key file; called where each transaction begins, so that a rotation can rely on it.

    A reader may still hold a state of the database from before: keys dropped from the file are remembered here, those
    of the indexes for as long as such a reader may take.
    """
    global _ring, _seen, _forget_at
    state = _state_of(_file) if _file else None
    if _forget_at is not None and time.monotonic() > _forget_at:
        _forget_at = None
        _ring = replace(ring(), indexes={ring().current_index: ring().indexes[ring().current_index]})
        _pairs.clear()
    if state is None or state == _seen or _ring is None:
        return
    try:
        kept = Keyring.read(_file)
    except (OSError, ValueError):
        log.exception("the key file cannot be read; going on with the keys of before")
    else:
        _ring = replace(kept, sealing=_ring.sealing | kept.sealing, indexes=_ring.indexes | kept.indexes)
        _forget_at = time.monotonic() + READERS_TAKE if len(kept.indexes) == 1 else None
    _seen = state


def _state_of(file: Path) -> tuple[int, int, int] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def ring() -> Keyring:
    """Return the keys of this installation.

    :raises RuntimeError: before the application was made
    """
    if _ring is None:
        raise RuntimeError("no keys: the application was not made")
    return _ring


def blind(text: str, *, purpose: str) -> str:
    """Return the blind index of a normalised value; purposes are "phone", "email", "identity"."""
    keys = ring()
    index = keys.blind(text, purpose=purpose)
    if len(keys.indexes) == 1:
        return index
    for other in keys.other_blinds(text, purpose=purpose):
        while len(_pairs) >= MOST_PAIRS:
            _pairs.pop(next(iter(_pairs)), None)
        _pairs[index], _pairs[other] = (other, True), (index, False)
    return index


def under_every_key(indexes: Collection[str]) -> list[str]:
    """Return blind indexes as they may stand in a table: while keys are rotated, each under both.

    For a list that is one parameter of a statement; `==` and `in_` see to it themselves.
    """
    return [*indexes, *(_pairs[index][0] for index in indexes if index in _pairs)]


def being_rotated() -> bool:
    """Tell whether an index may stand under one of two keys; then no unique index sees a value that stands twice."""
    return len(ring().indexes) > 1


def proof(text: str, *, purpose: str) -> str:
    """Return the proof that we handed something out: for links and codes, which outlive a rotation of the keys."""
    return ring().proof(text, purpose=purpose)


class BlindIndex(sa.TypeDecorator[str]):
    """The blind index of another column. Equality finds it under either key while index keys are rotated.

    `of` says for a record what is indexed, as purpose and text, or None for nothing: by it the indexes are written
    anew. Without `of` a column ages out: what was written under an old key is no longer found once that is dropped.
    """

    impl = sa.String(64)
    cache_ok = True

    def __init__(self, of: Callable[[Any], tuple[str, str] | None] | None = None) -> None:
        super().__init__()
        self.of = of

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the index as `blind` gave it, also where it stands under the other key, so that it compares."""
        other, given = _pairs.get(value or "", ("", True))
        return value if given else other

    class comparator_factory(sa.TypeDecorator.Comparator[str]):  # noqa: N801 -- SQLAlchemy's name
        """Compares for equality with a value under both keys."""

        def operate(self, op: OperatorType, *other: Any, **kwargs: Any) -> sa.ColumnElement[Any]:
            """Widen `==` and `in_` while there are two keys."""
            if _pairs and op is operators.eq and isinstance(other[0], str) and other[0] in _pairs:
                return super().operate(operators.in_op, [other[0], _pairs[other[0]][0]], **kwargs)
            if _pairs and op is operators.in_op and isinstance(other[0], list | tuple | set | frozenset):
                others = [_pairs[value][0] for value in other[0] if value in _pairs]
                return super().operate(op, [*other[0], *others], **kwargs)
            return super().operate(op, *other, **kwargs)


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
