"""A place on the disk for what is being written and nobody else is to read, not even once the machine has died."""

import os
import tempfile
from io import RawIOBase
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

BUFFER = 1 << 18


class Scratch(RawIOBase):
    """A file without a name, sealed under a key that is in this process's memory only: written once, then read once.

    AES-256 in counter mode with a key of its own, so that the count may begin at nought. Nothing tells whether it was
    altered meanwhile: whoever can do that can alter the process.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=BUFFER)  # noqa: SIM115 -- closed with this
        cipher = Cipher(AES256(os.urandom(32)), CTR(bytes(16)))
        self._seal, self._open = cipher.encryptor(), cipher.decryptor()

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def readable(self) -> bool:
        """Tell that it can be read from."""
        return True

    def write(self, content: Any) -> int:
        """Add to it."""
        self._file.write(self._seal.update(content))
        return len(content)

    def rewind(self) -> None:
        """Be read from the beginning from now on."""
        self._file.seek(0)

    def readinto(self, buffer: Any) -> int:
        """Read on."""
        content = self._open.update(self._file.read(len(buffer)))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Let it go; its place on the disk is free at once."""
        self._file.close()
        super().close()
