"""A worker that is killed while it hands mails to a real server, and one that loses its database there.

Every mail goes out. Between the server's «taken» and our note of it lies a moment that nothing can close: a mail on its
way in that moment goes out again, as the same mail under the same Message-ID, which mail programs show once.
"""

import mailbox
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import make_url

from outreach.kernel import outbox
from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, WorkState
from outreach.notices import operations as notices
from outreach.notices.models import Message
from outreach.notices.rules import MessageState
from tests import factories
from tests.faults.conftest import Line
from tests.faults.workers import PATIENCE, a_worker, until
from tests.machine import POSTGRESQL, SQLITE, free_port
from tests.post_office import PostOffice

MAILS = 40
KILLED_AFTER = (3, 11, 24)


@dataclass(frozen=True)
class Server:
    """A mail server in a process of its own, and the folder it puts into what it has taken."""

    port: int
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"OUTREACH_SMTP_HOST": "127.0.0.1", "OUTREACH_SMTP_PORT": str(self.port)}

    def taken(self) -> int:
        return len(os.listdir(self.folder / "new"))

    def mails(self) -> list[mailbox.MaildirMessage]:
        mails = list(mailbox.Maildir(self.folder))
        for mail in mails:
            del mail["X-Peer"]  # the server's note of the connection
        return mails


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    standing = Server(free_port(), tmp_path / "mails")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{standing.port}"),
            *("-c", "aiosmtpd.handlers.Mailbox", str(standing.folder)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", standing.port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < end, "the mail server does not begin"
                time.sleep(0.05)
        yield standing
    finally:
        process.terminate()
        process.wait()


def written(count: int) -> None:
    """Have so many mails waiting, each to somebody else."""
    for number in range(count):
        point = factories.a_contact_point(f"talent{number}@example.cn")
        notices.tell(
            kind="contact_ended",
            contact_point=point,
            template="notices/messages/contact_ended.txt",
            values={"name": f"雁{number}", "ending": "8000", "phone": True},
            now=now(),
        )
    db.session.commit()


def time_passes() -> None:
    """Let the claims of dead workers run out."""
    db.session.execute(
        sa.update(Work).where(Work.state == WorkState.RUNNING).values(claimed_until=now() - timedelta(seconds=1))
    )
    db.session.commit()


def all_is_handed_over() -> bool:
    return db.session.scalar(sa.select(sa.func.count()).where(Message.state != MessageState.HANDED_OVER)) == 0


def all_is_noted() -> bool:
    at_work = sa.select(sa.func.count()).where(Work.job == "notices.deliver", Work.state != WorkState.DONE)
    return all_is_handed_over() and db.session.scalar(at_work) == 0


def test_killed_again_and_again_every_mail_goes_out_and_copies_are_the_same_mail(app: Flask, city, server: Server):
    written(MAILS)
    for taken in KILLED_AFTER:
        with a_worker(app, **server.environment) as worker:
            until(lambda taken=taken: server.taken() >= taken)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        time_passes()

    with a_worker(app, **server.environment):
        until(all_is_noted)

    copies = Counter(mail["Message-ID"] for mail in server.mails())
    assert len(copies) == len({mail["To"] for mail in server.mails()}) == MAILS
    assert sum(copies.values()) - MAILS <= len(KILLED_AFTER)
    assert len({mail.as_string() for mail in server.mails()}) == MAILS


def test_killed_between_the_servers_answer_and_our_note_the_mail_goes_out_again_unchanged(
    app: Flask, city, post_office: PostOffice
):
    written(3)
    environment = {"OUTREACH_SMTP_HOST": post_office.host, "OUTREACH_SMTP_PORT": str(post_office.port)}
    with a_worker(app, **environment) as worker:

        def kill_at_the_second() -> None:
            if len(post_office.mails) == 1:
                worker.send_signal(signal.SIGKILL)
                worker.wait()

        post_office.on_arrival = kill_at_the_second
        until(lambda: worker.poll() is not None and len(post_office.mails) == 2)
    post_office.on_arrival = None
    time_passes()

    with a_worker(app, **environment):
        until(all_is_noted)

    copies = Counter(mail["Message-ID"] for mail in post_office.mails)
    assert sorted(copies.values()) == [1, 1, 2]
    assert len({mail.as_string() for mail in post_office.mails}) == 3


@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
def test_a_mail_that_was_taken_while_the_database_went_away_is_noted_when_it_is_back(
    app: Flask, city, post_office: PostOffice, line: Callable[[str, int], Line]
):
    written(2)
    url = make_url(app.config["SETTINGS"].database)
    laid = line(url.host, url.port or 5432)
    through = url.set(host="127.0.0.1", port=laid.port).render_as_string(hide_password=False)

    def cut_at_the_first() -> None:
        if not post_office.mails:
            laid.cut()
            threading.Timer(3, laid.mend).start()

    post_office.on_arrival = cut_at_the_first
    with a_worker(
        app,
        OUTREACH_SMTP_HOST=post_office.host,
        OUTREACH_SMTP_PORT=str(post_office.port),
        OUTREACH_DATABASE_URL=through,
    ):
        until(lambda: len(post_office.mails) >= 2)
        until(all_is_handed_over)

    assert len(post_office.mails) == 2


@pytest.mark.parametrize("database", [SQLITE], indirect=True)
def test_a_mail_that_was_taken_while_another_held_the_file_for_long_is_noted_once_it_is_let_go(
    app: Flask, city, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
):
    written(1)
    settings = app.config["SETTINGS"]
    monkeypatch.setitem(
        app.config,
        "SETTINGS",
        settings.model_copy(update={"smtp_host": post_office.host, "smtp_port": post_office.port}),
    )
    db.session.execute(sa.text("PRAGMA busy_timeout = 50"))  # not the 15 s that are waited for a lock

    def hold() -> None:
        other = sqlite3.connect(settings.instance_path / "outreach.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(1.5, other.close).start()

    post_office.on_arrival = hold
    work = outbox.claim(now=now())
    outbox.perform(work, now=now())

    assert all_is_noted()
    assert len(post_office.mails) == 1
