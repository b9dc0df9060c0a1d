"""A file that only its passphrase or key file opens, written and read in one pass and a little memory.

    Outreach backup\\n | length of the head (4) | head, JSON | SHA-256 of all before (32) | chunks | end mark

The head says how the key is made (argon2id from a passphrase, HKDF-SHA256 from a key file), with a salt of its own,
so no key ever seals two files. A chunk is one mebibyte under AES-256-GCM; its nonce is its number and whether it is the
last, and the head is authenticated with it: a chunk altered, moved, left out or cut off is noticed. The end mark only
lets a file that is cut off be told from one that was altered.
"""

import hashlib
import hmac
import io
import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

MAGIC = b"Outreach backup\n"
END = b"\nend of backup\n"
FORMAT = 1
CHUNK = 1024 * 1024
TAG = 16
LARGEST_HEAD = 64 * 1024
PASSPHRASE_SHORTEST = 12
KEY_FILE_SHORTEST = 32
# RFC 9106, section 4, the second recommended choice: three passes over 64 MiB by four lanes.
PASSES, MEMORY_KIB, LANES = 3, 64 * 1024, 4
MOST = {"passes": 64, "memory_kib": 1024 * 1024, "lanes": 64}  # what a file may ask of the machine that opens it


class NotABackup(Refused):
    """The file is something else."""

    message = N_("%(name)s is not a backup of this program, or its first bytes are damaged.")


class BackupDamaged(Refused):
    """Something in the file is not as it was written."""

    message = N_("%(name)s is damaged at byte %(position)d. Nothing was changed. Take another copy of this backup.")


class BackupCutOff(Refused):
    """The file ends before its end."""

    message = N_(
        "%(name)s is cut off: it ends at byte %(position)d, before its end. Nothing was changed. "
        "Take another copy of this backup."
    )


class WrongKey(Refused):
    """The passphrase or the key file is not the one the file was locked with."""

    message = N_("This passphrase or key file does not open %(name)s.")


class NeedsPassphrase(Refused):
    """The file was locked with a passphrase, and a key file was given."""

    message = N_("%(name)s was locked with a passphrase, not with a key file.")


class NeedsKeyFile(Refused):
    """The file was locked with a key file, and a passphrase was given."""

    message = N_("%(name)s was locked with a key file, not with a passphrase.")


class NewerBackup(Refused):
    """A later version of the program wrote the file."""

    message = N_("%(name)s was made by a newer version of this program (%(version)s). Install that version first.")


class PassphraseTooShort(Refused):
    """The passphrase could be guessed."""

    message = N_("A passphrase needs at least %(shortest)d characters.")


class KeyFileTooShort(Refused):
    """The key file could be guessed."""

    message = N_("The key file %(name)s is too short: it needs at least %(shortest)d bytes.")


@dataclass(frozen=True)
class Secret:
    """What opens a file: the words of a passphrase, or the content of a key file."""

    kind: str
    content: bytes

    @classmethod
    def passphrase(cls, words: str) -> "Secret":
        """Return a passphrase.

        :raises PassphraseTooShort: below twelve characters
        """
        if len(words) < PASSPHRASE_SHORTEST:
            raise PassphraseTooShort(shortest=PASSPHRASE_SHORTEST)
        return cls("passphrase", words.encode())

    @classmethod
    def key_file(cls, path: Path) -> "Secret":
        """Return the key kept in a file, such as one of `openssl rand -out FILE 32`.

        :raises OSError: if it cannot be read
        :raises KeyFileTooShort: below 32 bytes
        """
        content = path.read_bytes()
        if len(content) < KEY_FILE_SHORTEST:
            raise KeyFileTooShort(name=path.name, shortest=KEY_FILE_SHORTEST)
        return cls("key file", content)

    def key(self, recipe: dict[str, Any]) -> bytes:
        """Return the 32 bytes made from the secret by the recipe in a file's head."""
        salt = bytes.fromhex(recipe["salt"])
        if self.kind == "passphrase":
            return hash_secret_raw(
                self.content, salt, recipe["passes"], recipe["memory_kib"], recipe["lanes"], 32, Type.ID
            )
        return HKDF(SHA256(), 32, salt, b"outreach backup").derive(self.content)


class Writer(io.RawIOBase):
    """Writes a locked file; `finish` seals the last chunk, and without it the file counts as cut off."""

    def __init__(self, file: BinaryIO, secret: Secret, head: dict[str, Any]) -> None:
        """Begin a file; `head` is kept readable in it and must hold nothing secret."""
        super().__init__()
        recipe: dict[str, Any] = {"from": secret.kind, "salt": os.urandom(16).hex()}
        if secret.kind == "passphrase":
            recipe |= {"passes": PASSES, "memory_kib": MEMORY_KIB, "lanes": LANES}
        key = secret.key(recipe)
        body = json.dumps({**head, "format": FORMAT, "key": recipe, "proof": _proof(key)}).encode()
        self._file = file
        self._head = MAGIC + struct.pack(">I", len(body)) + body
        self._cipher = AESGCM(key)
        self._number = 0
        self._waiting = bytearray()
        file.write(self._head + hashlib.sha256(self._head).digest())

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take the next bytes."""
        view = memoryview(data)
        self._waiting += view
        while len(self._waiting) > CHUNK:  # what could be the last chunk waits for `finish`
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return view.nbytes

    def finish(self) -> None:
        """Seal the last chunk: from here on the file is whole."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()
        self._file.write(END)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, self._head))
        self._number += 1


class Reader(io.RawIOBase):
    """Reads a locked file; every byte it gives was authenticated before.

    :raises Refused: one of the refusals above, on opening and on reading
    """

    def __init__(self, file: BinaryIO, name: str, secret: Secret) -> None:
        """Open a file; `name` is what messages call it."""
        super().__init__()
        self._file, self._name = file, name
        self.head, self._head = _head(file, name)
        recipe = self.head["key"]
        if recipe["from"] != secret.kind:
            raise (NeedsPassphrase if recipe["from"] == "passphrase" else NeedsKeyFile)(name=name)
        if any(recipe.get(what, 1) > most for what, most in MOST.items()):
            raise BackupDamaged(name=name, position=len(MAGIC))
        key = secret.key(recipe)
        if not hmac.compare_digest(self.head["proof"], _proof(key)):
            raise WrongKey(name=name)
        self._cipher = AESGCM(key)
        self._number = 0
        self._position = file.tell()
        self._end = file.seek(0, os.SEEK_END) - len(END)
        if self._end < self._position or (file.seek(self._end) and file.read() != END):
            raise BackupCutOff(name=name, position=self._end + len(END))
        file.seek(self._position)
        self._open = b""
        self._ended = False

    def readable(self) -> bool:
        """Say that it can be read from."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Give the next bytes; none at the end, which is authenticated too."""
        if not self._open and not self._ended:
            self._open = self._next()
        view = memoryview(buffer).cast("B")
        given = self._open[: len(view)]
        view[: len(given)] = given
        self._open = self._open[len(given) :]
        return len(given)

    def _next(self) -> bytes:
        chunk = self._file.read(min(CHUNK + TAG, self._end - self._position))
        last = self._position + len(chunk) >= self._end
        try:
            opened = self._cipher.decrypt(_nonce(self._number, last=last), chunk, self._head)
        except InvalidTag as error:
            raise BackupDamaged(name=self._name, position=self._position) from error
        self._number += 1
        self._position += len(chunk)
        self._ended = last
        return opened


def _head(file: BinaryIO, name: str) -> tuple[dict[str, Any], bytes]:
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        if magic and MAGIC.startswith(magic):
            raise BackupCutOff(name=name, position=len(magic))
        raise NotABackup(name=name)
    length = file.read(4)
    size = struct.unpack(">I", length)[0] if len(length) == 4 else 0
    if size > LARGEST_HEAD:
        raise BackupDamaged(name=name, position=len(MAGIC))
    body, digest = file.read(size), file.read(32)
    if len(digest) < 32:
        raise BackupCutOff(name=name, position=file.tell())
    whole = magic + length + body
    if not hmac.compare_digest(hashlib.sha256(whole).digest(), digest):
        raise BackupDamaged(name=name, position=len(MAGIC))
    head = json.loads(body)
    if head["format"] > FORMAT:
        raise NewerBackup(name=name, version=head.get("program", "?"))
    return head, whole


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _proof(key: bytes) -> str:
    return hmac.new(key, b"outreach backup: this is the key", hashlib.sha256).hexdigest()[:32]
