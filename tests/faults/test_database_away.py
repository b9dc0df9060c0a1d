"""The database goes away while people type and workers work, and comes back."""

import html
import re
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.notices import operations as notices
from outreach.organisations.models import Organisation
from outreach.organisations.rules import Role
from outreach.signing_in import operations as signing_in
from tests import factories
from tests.faults.cluster import a_cluster
from tests.faults.workers import PATIENCE
from tests.machine import POSTGRESQL, SQLITE, need, new_postgresql_database
from tests.post_office import PostOffice
from tests.served import Visitor, inside, serving

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
MAILS = 30
NAME = "湘水青年人才驿站（江北）"


def test_what_was_typed_and_what_was_to_be_sent_outlives_it(line: Callable, tmp_path: Path, post_office: PostOffice):
    need(POSTGRESQL)
    with new_postgresql_database() as url:
        server = make_url(url)
        laid = line(server.host, server.port or 5432)
        through = server.set(host="127.0.0.1", port=laid.port).render_as_string(hide_password=False)
        with serving(tmp_path, database=SQLITE, post_office=post_office, OUTREACH_DATABASE_URL=through) as served:
            straight = replace(served, database_url=url)
            with inside(straight):
                lead = factories.an_installation().lead_organisation
                factories.an_account("白鹭", username="bailu", organisation=lead, roles=[Role.ADMINISTRATOR])
                lead_id = lead.id
            visitor = Visitor(served.url)
            visitor.sign_in("bailu", factories.PASSWORD)
            form = {
                "csrf_token": visitor.token("/desk/organisations/new"),
                "name": NAME,
                "short_name": "江北驿站",
                "kind": "department",
                "parent": str(lead_id),
            }

            laid.cut()
            with pytest.raises(urllib.error.HTTPError) as away:
                visitor.page("/desk/organisations/new", form)
            page = away.value.read().decode()
            assert away.value.code == 503
            assert "您填的内容都还在" in page
            with inside(straight):  # somebody else's change, which the worker finds when it is back
                account = factories.an_account(
                    "苍鹭", organisation=db.session.get(Organisation, lead_id), email="canglu@example.cn"
                )
                signing_in.make_links(accounts=[account], by=account.actor, now=now())
            with pytest.raises(urllib.error.HTTPError, match="503"):
                visitor.page("/desk/organisations")
            assert post_office.mails == []

            laid.mend()
            again = {name: html.unescape(value) for name, value in HIDDEN.findall(page)}
            assert again["name"] == NAME
            _until_it_answers(visitor)
            visitor.page("/desk/organisations/new", again)
            post_office.wait_for_mail("canglu@example.cn", seconds=40)

            with inside(straight):
                names = db.session.scalars(sa.select(Organisation.name).where(Organisation.name == NAME)).all()
            assert names == [NAME]
            assert len(post_office.mails) == 1


def test_a_server_that_crashes_and_is_back_after_ten_seconds_costs_nobody_anything(
    tmp_path: Path, post_office: PostOffice
):
    """Under a light load: two people who write down one unit after the other, and a worker in the middle of mails."""
    with (
        a_cluster() as cluster,
        serving(tmp_path, database=SQLITE, post_office=post_office, OUTREACH_DATABASE_URL=cluster.url) as served,
    ):
        served = replace(served, database_url=cluster.url)
        with inside(served):
            lead = factories.an_installation().lead_organisation
            for name in ("bailu", "canglu"):
                factories.an_account(username=name, organisation=lead, roles=[Role.ADMINISTRATOR])
            lead_id = lead.id
        away, stop = threading.Event(), threading.Event()

        def crash_at_the_fifth() -> None:
            if len(post_office.mails) == 4:
                cluster.crash()
                away.set()

        post_office.on_arrival = crash_at_the_fifth
        clerks = [Clerk(served.url, name, lead_id, stop) for name in ("bailu", "canglu")]
        for clerk in clerks:
            clerk.start()
        with inside(served):
            for number in range(MAILS):
                _tell(number)
        assert away.wait(PATIENCE)
        began = time.monotonic()
        time.sleep(10)
        cluster.begin()
        lasted = time.monotonic() - began
        before = [len(clerk.done) for clerk in clerks]
        post_office.wait_for(MAILS, seconds=PATIENCE)
        end = time.monotonic() + 20
        while any(len(clerk.done) < count + 3 for clerk, count in zip(clerks, before, strict=True)):
            assert time.monotonic() < end, [clerk.failure for clerk in clerks]
            time.sleep(0.1)
        stop.set()
        for clerk in clerks:
            clerk.join()

        assert lasted >= 10
        assert [clerk.failure for clerk in clerks] == [None, None]
        assert all(clerk.breaks for clerk in clerks)
        assert len({mail["Message-ID"] for mail in post_office.mails}) == len(post_office.mails) == MAILS
        with inside(served):
            names = Counter(db.session.scalars(sa.select(Organisation.name).where(Organisation.id != lead_id)))
        assert names == Counter(name for clerk in clerks for name in clerk.done)


class Clerk(threading.Thread):
    """Somebody who writes down units one after the other, and presses «send it again» where that is offered."""

    def __init__(self, url: str, name: str, parent: int, stop: threading.Event) -> None:
        super().__init__()
        self._visitor, self._parent, self._stop_asked = Visitor(url), parent, stop
        self._visitor.sign_in(name, factories.PASSWORD)
        self._token = self._visitor.token("/desk/organisations/new")
        self._who = name
        self.done: list[str] = []
        self.breaks = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set():
                self._write_down(f"{self._who} 驿站 {len(self.done) + 1}")
                time.sleep(0.2)
        except BaseException as failure:
            self.failure = failure

    def _write_down(self, name: str) -> None:
        form = {
            "csrf_token": self._token,
            "name": name,
            "short_name": name.replace(" ", ""),
            "kind": "department",
            "parent": str(self._parent),
        }
        while True:
            try:
                self._visitor.page("/desk/organisations/new", form)
            except urllib.error.HTTPError as error:
                if not error.url.endswith("/new"):  # it was written down; the page after it did not come
                    break
                form = self._what_is_kept(error)
                assert form["name"] == name
                self.breaks += 1
                time.sleep(0.5)
            else:
                break
        self.done.append(name)

    @staticmethod
    def _what_is_kept(error: urllib.error.HTTPError) -> dict[str, str]:
        page = error.read().decode()
        assert error.code == 503, page
        assert "您填的内容都还在" in page
        return {name: html.unescape(value) for name, value in HIDDEN.findall(page)}


def _tell(number: int) -> None:
    notices.tell(
        kind="contact_ended",
        contact_point=factories.a_contact_point(f"talent{number}@example.cn"),
        template="notices/messages/contact_ended.txt",
        values={"name": f"雁{number}", "ending": "8000", "phone": True},
        now=now(),
    )


def _until_it_answers(visitor: Visitor) -> None:
    """Ask again as people do; connections from before are found broken once each."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            visitor.page("/desk/organisations")
        except urllib.error.HTTPError:
            continue
        return
    raise AssertionError("the pages did not come back")
