"""The database goes away while people type and workers work, and comes back."""

import html
import re
import time
import urllib.error
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from outreach.kernel.clock import now
from outreach.kernel.database import db
from outreach.organisations.models import Organisation
from outreach.organisations.rules import Role
from outreach.signing_in import operations as signing_in
from tests import factories
from tests.machine import POSTGRESQL, SQLITE, need, new_postgresql_database
from tests.post_office import PostOffice
from tests.served import Visitor, inside, serving

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
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
