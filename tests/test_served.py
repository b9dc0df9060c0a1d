import sqlite3
import urllib.request
from collections.abc import Callable

import psycopg
import pytest

from tests.machine import POSTGRESQL, SQLITE, kinds_of_database
from tests.served import Served


@pytest.mark.parametrize("kind", kinds_of_database())
def test_a_served_installation_keeps_its_data_in_a_database_of_its_own(serve: Callable[..., Served], kind: str):
    served = serve(database=kind)

    with urllib.request.urlopen(f"{served.url}/static/dist/manifest.json") as answer:
        assert answer.status == 200
    assert tables_of(served, kind) > 10


def tables_of(served: Served, kind: str) -> int:
    count = {
        SQLITE: "SELECT count(*) FROM sqlite_master WHERE type = 'table'",
        POSTGRESQL: "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
    }[kind]
    if kind == POSTGRESQL:
        with psycopg.connect(served.database_url.replace("+psycopg", "")) as connection:
            return connection.execute(count).fetchone()[0]
    connection = sqlite3.connect(served.database_url.removeprefix("sqlite:///"))
    try:
        return connection.execute(count).fetchone()[0]
    finally:
        connection.close()
