import hashlib
import io
import json
import os
from pathlib import Path

import pytest

from outreach.operating.locked_file import (
    CHUNK,
    BackupCutOff,
    BackupDamaged,
    KeyFileTooShort,
    NeedsKeyFile,
    NewerBackup,
    NotABackup,
    PassphraseTooShort,
    Reader,
    Secret,
    Writer,
    WrongKey,
)

SECRET = Secret("key file", b"only for tests" * 8)
CONTENT = os.urandom(2 * CHUNK + 17)


@pytest.fixture(scope="module")
def whole() -> bytes:
    """A locked file of three chunks."""
    return _locked(CONTENT)


def _locked(content: bytes, secret: Secret = SECRET) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, secret, {"made_at": "2026-11-24T02:00:00+00:00", "program": "0.1.0"})
    for begin in range(0, len(content), 100_000):
        writer.write(content[begin : begin + 100_000])
    writer.finish()
    return file.getvalue()


def _opened(locked: bytes, secret: Secret = SECRET) -> bytes:
    return io.BufferedReader(Reader(io.BytesIO(locked), "x.backup", secret)).read()


def _begin_of_chunks(locked: bytes) -> int:
    return 16 + 4 + int.from_bytes(locked[16:20], "big") + 32


def _with_head(locked: bytes, **changed: object) -> bytes:
    begin = _begin_of_chunks(locked)
    head = json.dumps(json.loads(locked[20 : begin - 32]) | changed).encode()
    before = locked[:16] + len(head).to_bytes(4, "big") + head
    return before + hashlib.sha256(before).digest() + locked[begin:]


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_what_was_locked_opens_again(length: int):
    assert _opened(_locked(CONTENT[:length])) == CONTENT[:length]


def test_a_file_cut_off_at_any_byte_says_so(whole: bytes):
    for place in [*range(1, 700, 7), *range(700, len(whole), len(whole) // 40), *range(len(whole) - 20, len(whole))]:
        with pytest.raises(BackupCutOff):
            _opened(whole[:place])


def test_a_file_with_one_flipped_bit_says_so(whole: bytes):
    for place in [*range(0, 600, 11), *range(600, len(whole), len(whole) // 40), *range(len(whole) - 40, len(whole))]:
        with pytest.raises((BackupDamaged, NotABackup, BackupCutOff)):
            _opened(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])


def test_chunks_swapped_left_out_or_of_another_file_are_noticed(whole: bytes):
    begin, size = _begin_of_chunks(whole), CHUNK + 16
    head, first, second, rest = (
        whole[:begin],
        whole[begin : begin + size],
        whole[begin + size : begin + 2 * size],
        whole[begin + 2 * size :],
    )
    another = _locked(CONTENT)

    for altered in (
        head + second + first + rest,
        head + first + rest,
        head + first + first + rest,
        head + another[begin : begin + size] + second + rest,
    ):
        with pytest.raises(BackupDamaged):
            _opened(altered)


def test_a_file_locked_anew_with_a_shorter_end_is_noticed(whole: bytes):
    begin, size = _begin_of_chunks(whole), CHUNK + 16
    end = whole[-15:]

    with pytest.raises(BackupDamaged):
        _opened(whole[: begin + size] + end)


def test_what_is_no_backup_or_a_newer_one_is_told_apart(whole: bytes):
    for stranger in (b"", b"PK\x03\x04 a spreadsheet"):
        with pytest.raises(NotABackup):
            _opened(stranger)
    with pytest.raises(NewerBackup, match=r"9\.0"):
        _opened(_with_head(whole, format=2, program="9.0"))


def test_a_wrong_secret_is_not_taken_for_damage(whole: bytes):
    with pytest.raises(WrongKey):
        _opened(whole, Secret("key file", b"another" * 8))
    with pytest.raises(NeedsKeyFile):
        _opened(whole, Secret.passphrase("a lake of reeds and herons"))


def test_the_head_is_authenticated(whole: bytes):
    with pytest.raises(BackupDamaged):
        _opened(_with_head(whole, made_at="2020-01-01T00:00:00+00:00"))


def test_a_recipe_that_asks_for_all_memory_is_refused():
    locked = _locked(b"x", Secret.passphrase("a lake of reeds and herons"))
    recipe = json.loads(locked[20 : _begin_of_chunks(locked) - 32])["key"]

    with pytest.raises(BackupDamaged):
        _opened(_with_head(locked, key=recipe | {"memory_kib": 2**31}), Secret.passphrase("a lake of reeds and herons"))


def test_secrets_that_could_be_guessed_are_refused(tmp_path: Path):
    (tmp_path / "key").write_bytes(b"short")

    with pytest.raises(PassphraseTooShort):
        Secret.passphrase("yan-lai")
    with pytest.raises(KeyFileTooShort):
        Secret.key_file(tmp_path / "key")
