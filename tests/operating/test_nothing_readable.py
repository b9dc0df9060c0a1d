"""What a thief reads in a stolen database: nobody's number, address, identity number, birthday or confidential word."""

import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.kernel.database import Model, db
from outreach.kernel.sealing import Sealed, SealedData
from outreach.operating import backup
from outreach.operating.locked_file import Secret
from tests import factories
from tests.conftest import NOW
from tests.machine import POSTGRESQL
from tests.served import Served, inside

SECRET = Secret("key file", b"only for tests" * 8)
SHORTEST = 6
"""Shorter words stand in names and titles as well."""
ALSO_PUBLIC = {"values"}
"""What messages are filled with: titles and places of events, which everybody reads, beside the person's words."""


@pytest.fixture
def secrets(served_demo: Served) -> set[str]:
    """Every sealed word of the demo's city, and of somebody more of whom everything is known."""
    found: set[str] = set()
    with inside(served_demo):
        if not db.session.scalar(sa.select(sa.func.count()).where(factories.Person.name == "欧阳慎之")):
            person = factories.a_person(
                "欧阳慎之", organisation=db.session.scalars(sa.select(factories.Organisation)).first()
            )
            person.birth, person.identity_number = "1979-03-19", "431399197903190126"
            person.remark = "母亲住院，暂时不要打扰"
            person.extra = {"entries": [{"of": "微信", "value": "wx-ouyang-shenzhi"}]}
            factories._kept(
                factories.PersonContact(
                    person=person,
                    contact_point=factories.a_contact_point("ouyang@lab.example.cn"),
                    since=factories.BEFORE,
                )
            )
            db.session.commit()
        for table in Model.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, Sealed | SealedData) and column.name not in ALSO_PUBLIC:
                    for value in db.session.scalars(sa.select(column).where(column.is_not(None))):
                        found.update(_words_in(value))
    return {word for word in found if len(word) >= SHORTEST}


def test_the_files_of_sqlite_hold_nothing_readable(secrets: set[str], served_demo: Served, tmp_path: Path):
    files = [served_demo.instance / f"outreach.db{suffix}" for suffix in ("", "-wal")]
    content = b"".join(file.read_bytes() for file in files if file.exists())
    assert "欧阳慎之".encode() in content  # a name, which is not sealed: it could be read if it were there

    assert _readable(content, secrets) == []

    copy = tmp_path / "copy.db"
    with sqlite3.connect(copy) as connection:
        connection.execute("CREATE TABLE work (arguments TEXT)")
        connection.execute('INSERT INTO work VALUES (\'{"to": "138 0013-8000"}\')')
    connection.close()
    assert _readable(content + copy.read_bytes(), secrets | {"13800138000"}) == ["13800138000"]


def test_a_dump_of_postgresql_holds_nothing_readable(
    secrets: set[str], served_demo: Served, tmp_path: Path, elsewhere: Callable[[str], Flask]
):
    (tmp_path / "key").write_bytes(SECRET.content)
    served_demo.run("backup", "--key-file", str(tmp_path / "key"), str(tmp_path / "x.backup"))
    there = elsewhere(POSTGRESQL)
    backup.restore(path=tmp_path / "x.backup", secret=SECRET, settings=there.config["SETTINGS"], replace=False, now=NOW)
    content = _dumped()
    assert "欧阳慎之".encode() in content

    assert _readable(content, secrets) == []

    with db.engine.begin() as connection:
        connection.execute(sa.text("UPDATE people SET employer = '微信 wx-ouyang-shenzhi' WHERE name = '欧阳慎之'"))
    assert _readable(_dumped(), secrets) == ["wx-ouyang-shenzhi"]


def _dumped() -> bytes:
    """Return the whole database as text, as pg_dump writes it, or as COPY does where there is no pg_dump."""
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    if shutil.which("pg_dump"):
        return subprocess.run(["pg_dump", url], capture_output=True, check=True).stdout
    content = bytearray()
    with db.engine.connect() as connection:
        cursor = connection.connection.driver_connection.cursor()
        for table in sa.inspect(connection).get_table_names():
            with cursor.copy(f'COPY "{table}" TO STDOUT') as rows:
                for row in rows:
                    content += row
    return bytes(content)


def _words_in(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _words_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _words_in(each)
    elif isinstance(value, str):
        for line in value.splitlines():
            yield line.strip().removeprefix("+86")


def _readable(content: bytes, secrets: set[str]) -> list[str]:
    """Return those of the secrets that stand in the content; numbers also where they are written in groups."""
    ungrouped = re.sub(rb"(?<=\d)[ -](?=\d)", b"", content)
    digits = b" ".join(re.findall(rb"\d{6,}", ungrouped)).decode()
    return sorted(word for word in secrets if (word in digits if word.isdecimal() else word.encode() in content))
