"""One locked file that holds an installation: its data, its keys, what was uploaded, and the version of the schema.

Inside the lock stands a compressed tar, whose members any tool can read:

    about.json              when, by which version, schema, engine, the next numbers of PostgreSQL's sequences
    keys.json               the keys, which stand nowhere else but beside the database
    files/…                 what the instance folder keeps beside the database, the ledger of erasures too
    tables/<name>/<n>.jsonl rows, a line each; the first line names the columns
    whole.json              how many rows of each table there were

Made from one snapshot while the installation runs. Settings are not in it: they belong to the machine.
"""

import errno
import gzip
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import sqlalchemy as sa

from outreach.config import Settings, version
from outreach.kernel import sealing
from outreach.kernel.database import db, writing
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.operating import erasures, schema, tables
from outreach.operating.locked_file import BackupDamaged, NewerBackup, Reader, Secret, Writer

KEPT_BESIDE = ("uploads", "history.anchors", erasures.LEDGER)
"""What of the instance folder is in a backup beside database and keys."""
FILLED_BY_MIGRATING = frozenset({"calendar_days", "calendar_years", "key_marks", "timetable", "consent_texts"})
LAST = "last-backup"
"""Says in the instance folder when the last backup was made of it."""
NAMED = "outreach-{:%Y%m%dT%H%M%SZ}.backup"


class NoRoom(Refused):
    """The disk is full, or the file may not grow that large."""

    message = N_("There is not enough room on the disk for %(name)s. Nothing half-written was left behind.")


class NothingToBackUp(Refused):
    """The database has no tables."""

    message = N_("The database is empty: there is nothing to back up.")


class FileStands(Refused):
    """There is a file of that name."""

    message = N_("There is a file %(name)s already. Choose another name: a backup is never overwritten.")


class NotEmpty(Refused):
    """Somebody's data would be lost."""

    message = N_(
        "This installation is not empty: table %(table)s has rows. Restore into a new one, or repeat with --replace "
        "to take away everything that is here now."
    )


class DoesNotFit(Refused):
    """The tables are not those of the version that the backup names."""

    message = N_("%(name)s does not fit the schema it names: table %(table)s is different. Nothing was changed.")


@dataclass
class Contents:
    """What a backup holds: when it was made, from what, and how many rows of each table."""

    made_at: str
    version: str
    schema: str
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0

    @property
    def total(self) -> int:
        """All rows of all tables."""
        return sum(self.rows.values())


def make(*, path: Path, secret: Secret, settings: Settings, now: datetime) -> Contents:
    """Write a backup of the running installation; the file has its name only once it is whole and on the disk.

    :raises FileStands: rather than overwrite
    :raises NothingToBackUp: before the first migration
    :raises NoRoom: if the disk is full; no half file is left
    """
    if path.exists():
        raise FileStands(name=path.name)
    half = path.with_name(path.name + ".part")
    with (
        _room_for(path),
        _removed_on_failure(half),
        open(half, "wb", opener=_owner_only) as file,
        _snapshot(settings.keys_file) as shot,
    ):
        standing = schema.version_of(shot.connection)
        if standing is None:
            raise NothingToBackUp
        contents = Contents(made_at=now.isoformat(), version=version(), schema=standing)
        locked = Writer(file, secret, {"made_at": contents.made_at, "program": contents.version})
        with (
            gzip.GzipFile(fileobj=locked, mode="wb", compresslevel=1, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w|") as archive,
        ):
            _write(archive, contents, shot, settings)
        locked.finish()
        file.flush()
        os.fsync(file.fileno())
        half.rename(path)
    _make_lasting(path.parent)
    (settings.instance_path / LAST).write_text(contents.made_at)
    return contents


def last_made(settings: Settings) -> datetime | None:
    """Return when the last backup was made of this installation."""
    try:
        return datetime.fromisoformat((settings.instance_path / LAST).read_text())
    except (OSError, ValueError):
        return None


def keep_newest(folder: Path, count: int) -> list[Path]:
    """Remove all but the newest backups of a folder, by the time in their names, and return what was removed."""
    old = sorted(folder.glob("outreach-*Z.backup"))[:-count]
    for file in old:
        file.unlink()
    return old


def check(*, path: Path, secret: Secret) -> Contents:
    """Read a backup from its first byte to its last and return what it holds.

    :raises Refused: naming what is wrong with it
    """
    contents: Contents | None = None
    whole: dict[str, int] | None = None
    with path.open("rb") as file:
        for member in _members(file, path.name, secret):
            match member.parts:
                case ("about.json",):
                    about = json.loads(member.stream.read())
                    contents = Contents(about["made_at"], about["version"], about["schema"])
                case ("tables", table, _) if contents:
                    rows = sum(1 for _ in member.stream) - 1
                    contents.rows[table] = contents.rows.get(table, 0) + rows
                case ("files", *_) if contents:
                    contents.files += 1
                case ("whole.json",):
                    whole = json.loads(member.stream.read())
    if contents is None or whole != contents.rows:
        raise BackupDamaged(name=path.name, position=0)
    return contents


@dataclass(frozen=True)
class Restored:
    """What was put in place, and what of it was taken out again because it had been erased since.

    `known_here` tells whether this machine has a ledger of what was erased, besides the one in the backup itself.
    """

    contents: Contents
    again: erasures.Replayed
    known_here: bool


def restore(*, path: Path, secret: Secret, settings: Settings, replace: bool, now: datetime) -> Restored:
    """Read a whole backup first; then put it into the empty database of these settings, in one transaction.

    Who was erased after the backup was made, by the ledger that lies here, is erased again before this returns.

    :param replace: take away what is here now instead of refusing
    :raises NotEmpty: if there is data here and `replace` was not said
    :raises NewerBackup: if this program does not know its schema
    :raises Refused: naming what is wrong with the file
    """
    contents = check(path=path, secret=secret)
    ready = _Arrived(settings.keys_file.with_suffix(".restored"), settings.instance_path / "restored-files")
    with _room_for(settings.instance_path / "outreach.db"), ready.gone_on_failure():
        with db.engine.connect() as connection, connection.begin():
            if not schema.knows(contents.schema):
                raise NewerBackup(name=path.name, version=contents.version)
            filled = _first_filled_table(connection)
            if filled and not replace:
                raise NotEmpty(table=filled)
            if filled and schema.version_of(connection) == schema.newest():
                erasures.note(folder=settings.instance_path, connection=connection)
            known_here = (settings.instance_path / erasures.LEDGER).exists()
            schema.empty(connection)
            schema.migrate(connection, contents.schema)
            with path.open("rb") as file:
                _put_back(connection, _members(file, path.name, secret), path.name, ready)
            schema.migrate(connection)
        db.engine.dispose()  # connections that knew the old tables
        ready.take_effect(settings, aside=f".before-{now:%Y%m%dT%H%M%SZ}" if filled else None)
    sealing.use(sealing.Keyring.read(settings.keys_file), settings.keys_file)
    return Restored(contents, erasures.replay(folder=settings.instance_path, now=now), known_here)


@dataclass(frozen=True)
class _Snapshot:
    connection: sa.Connection
    sequences: dict[str, int]
    keys: bytes


@dataclass(frozen=True)
class _Member:
    parts: tuple[str, ...]
    stream: BinaryIO


@dataclass
class _Arrived:
    """Keys and files of a backup, put ready beside those in use until the data are committed."""

    keys: Path
    files: Path

    @contextmanager
    def gone_on_failure(self) -> Iterator[None]:
        """Take them away again if the block fails."""
        try:
            yield
        except BaseException:
            self.keys.unlink(missing_ok=True)
            shutil.rmtree(self.files, ignore_errors=True)
            raise

    def take_effect(self, settings: Settings, *, aside: str | None) -> None:
        """Take their places; what stood there stays, with `aside` added to its name (the keys open older backups).

        The ledger of erasures only grows: it gets the lines of the backup that it lacks.
        """
        erasures.merge(into=settings.instance_path, lines=erasures.read(self.files))
        for name in (*KEPT_BESIDE, settings.keys_file.name):
            if name == erasures.LEDGER:
                continue
            here = settings.instance_path / name
            there = self.keys if here == settings.keys_file else self.files / name
            if aside and here.exists():
                here.rename(here.with_name(name + aside))
            if there.exists():
                there.rename(here)
        shutil.rmtree(self.files)
        _make_lasting(settings.instance_path)


@contextmanager
def _snapshot(keys_file: Path) -> Iterator[_Snapshot]:
    """Hold one state of the database while others write on, and the keys that open it."""
    token = writing.set(False)
    try:
        with db.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            # Keys that a rotation drops or adds in between would not fit the state.
            with sealing.held(keys_file):
                transaction = connection.begin()
                sequences = _sequences(connection)  # the first statement: from here on the state stands
                keys = keys_file.read_bytes()
            with transaction:
                yield _Snapshot(connection, sequences, keys)
    finally:
        writing.reset(token)


def _write(archive: tarfile.TarFile, contents: Contents, shot: _Snapshot, settings: Settings) -> None:
    about = {
        "made_at": contents.made_at,
        "version": contents.version,
        "schema": contents.schema,
        "engine": shot.connection.dialect.name,
        "sequences": shot.sequences,
    }
    _add(archive, "about.json", json.dumps(about, indent=1).encode())
    _add(archive, "keys.json", shot.keys)
    for file in _files(settings.instance_path):
        name = file.relative_to(settings.instance_path).as_posix()
        try:
            archive.add(file, f"files/{name}", recursive=False)
        except FileNotFoundError:
            continue  # taken away since it was listed
        contents.files += 1
    for table in tables.tables_of(shot.connection):
        heading = json.dumps([column.name for column in table.columns]).encode() + b"\n"
        contents.rows[table.name] = 0
        _add(archive, f"tables/{table.name}/0.jsonl", heading)
        for number, (count, lines) in enumerate(tables.parts_of(shot.connection, table), start=1):
            _add(archive, f"tables/{table.name}/{number}.jsonl", heading + lines)
            contents.rows[table.name] += count
    _add(archive, "whole.json", json.dumps(contents.rows).encode())


def _put_back(connection: sa.Connection, members: Iterator[_Member], name: str, arrived: _Arrived) -> None:
    shutil.rmtree(arrived.files, ignore_errors=True)
    arrived.files.mkdir(mode=0o700)
    columns = {table.name: {column.name for column in table.columns} for table in tables.tables_of(connection)}
    sequences: dict[str, int] = {}
    with schema.unguarded(connection):
        for table in columns:
            connection.execute(sa.delete(sa.table(table)))  # what the migrations filled in
        for member in members:
            match member.parts:
                case ("about.json",):
                    sequences = json.loads(member.stream.read())["sequences"]
                case ("keys.json",):
                    arrived.keys.unlink(missing_ok=True)
                    with open(arrived.keys, "wb", opener=_owner_only) as file:
                        file.write(member.stream.read())
                        os.fsync(file.fileno())
                case ("files", *parts):
                    target = arrived.files.joinpath(*parts)
                    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    with open(target, "wb", opener=_owner_only) as file:
                        shutil.copyfileobj(member.stream, file)
                case ("tables", table, _):
                    heading = json.loads(member.stream.readline())
                    if set(heading) - columns.get(table, set()):
                        raise DoesNotFit(name=name, table=table)
                    tables.put(connection, table, heading, tables.rows_in(member.stream))
    _continue_sequences(connection, sequences)


def _members(file: BinaryIO, name: str, secret: Secret) -> Iterator[_Member]:
    reader = io.BufferedReader(Reader(file, name, secret), 256 * 1024)
    with gzip.GzipFile(fileobj=reader, mode="rb") as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
        for info in archive:
            parts = PurePosixPath(info.name).parts
            stream = archive.extractfile(info)
            if stream is not None and ".." not in parts:
                yield _Member(parts, stream)
    while reader.read(256 * 1024):  # the last chunk says that nothing is missing
        pass


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _files(instance: Path) -> Iterator[Path]:
    for name in KEPT_BESIDE:
        kept = instance / name
        if kept.is_file():
            yield kept
        elif kept.is_dir():
            yield from sorted(file for file in kept.rglob("*") if file.is_file() and not file.is_symlink())


def _first_filled_table(connection: sa.Connection) -> str | None:
    for table in tables.tables_of(connection):
        if table.name not in FILLED_BY_MIGRATING and connection.scalar(sa.select(sa.literal(1)).select_from(table)):
            return table.name
    return None


def _sequences(connection: sa.Connection) -> dict[str, int]:
    """Return the last number given in each table that never gives one twice, by table."""
    if connection.dialect.name != "postgresql":
        kept = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence'").scalar()
        rows = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence") if kept else ()
        return dict(tuple(row) for row in rows)
    rows = connection.exec_driver_sql(
        "SELECT t.relname, s.last_value FROM pg_sequences s "
        "JOIN pg_class c ON c.relname = s.sequencename AND c.relnamespace = current_schema()::regnamespace "
        "JOIN pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i') JOIN pg_class t ON t.oid = d.refobjid "
        "WHERE s.schemaname = current_schema() AND s.last_value IS NOT NULL"
    )
    return dict(tuple(row) for row in rows)


def _continue_sequences(connection: sa.Connection, given: dict[str, int]) -> None:
    """Let new rows get numbers that no row has, nor had before the backup was made."""
    if connection.dialect.name != "postgresql":
        for table, last in given.items():
            connection.exec_driver_sql(
                "UPDATE sqlite_sequence SET seq = ? WHERE name = ? AND seq < ?", (last, table, last)
            )
        return
    for table in tables.tables_of(connection):
        if "id" not in table.c:
            continue
        sequence = connection.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, "id")))
        highest = max(connection.scalar(sa.select(sa.func.max(table.c.id))) or 0, given.get(table.name, 0))
        if sequence and highest:
            connection.execute(sa.select(sa.func.setval(sequence, highest)))


@contextmanager
def _room_for(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        raise NoRoom(name=path.name) from error
    except sa.exc.OperationalError as error:
        if "full" not in str(error.orig):
            raise
        raise NoRoom(name=path.name) from error


@contextmanager
def _removed_on_failure(half: Path) -> Iterator[None]:
    half.unlink(missing_ok=True)  # of a run that was killed
    try:
        yield
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _make_lasting(folder: Path) -> None:
    """Have the folder's entries on the disk, so that a name survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
