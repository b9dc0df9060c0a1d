import re
from collections.abc import Callable

import pytest
from flask import Flask

from outreach.kernel import history
from outreach.kernel.actor import ActorKind
from outreach.kernel.database import db
from outreach.kernel.history import Subject
from outreach.operating import administrators
from outreach.operating.administrators import NotSetUp
from outreach.organisations.models import Installation
from outreach.organisations.rules import Permission, Role
from outreach.signing_in import operations as signing_in
from tests import factories
from tests.conftest import NOW


def test_before_the_set_up_it_says_where_to_go(app: Flask):
    with pytest.raises(NotSetUp):
        administrators.let_in(username="boss", name=None, now=NOW)


def test_a_new_administrator_chooses_a_password_by_the_link(city: Installation):
    account, token = administrators.let_in(username="boss", name="沈听澜", now=NOW)

    assert (account.name, account.username) == ("沈听澜", "boss")
    assert account.may(Permission.ADMINISTER)
    assert signing_in.activate(token=token, password="a lake of reeds", now=NOW) == account


def test_one_who_was_closed_and_lost_the_role_is_let_in_again_and_it_is_written_down(city: Installation):
    account = factories.an_account(
        username="old", organisation=city.lead_organisation, roles=[Role.ORGANISER], disabled_at=factories.BEFORE
    )

    administrators.let_in(username="old", name=None, now=NOW)

    assert account.is_active
    assert account.may(Permission.ADMINISTER)
    assert Role.ORGANISER in {grant.role for grant in account.grants}
    lines = history.lines_of(Subject("account", account.id))
    assert [(line.act, line.actor.kind) for line in lines] == [
        ("enabled", ActorKind.SYSTEM),
        ("roles_changed", ActorKind.SYSTEM),
        ("link_made", ActorKind.SYSTEM),
    ]


def test_the_command_prints_a_link_that_opens(client, app: Flask, city: Installation, run_command: Callable):
    db.session.commit()

    finished = run_command(app.config["SETTINGS"], "create-admin", "boss", "--name", "沈听澜")

    assert finished.returncode == 0, finished.stderr
    path = re.search(r"(/activate/\S+)", finished.stdout)[1]
    assert client.get(path).status_code == 200
    assert "沈听澜" in finished.stdout
