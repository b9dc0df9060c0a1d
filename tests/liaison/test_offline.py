"""A visit written down without a network: kept on the device, sealed, sent later, never twice."""

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page, expect

from outreach.cases.models import Case
from outreach.kernel.database import db
from outreach.liaison.models import Visit
from tests import factories
from tests.browser import Devices
from tests.liaison.test_on_a_phone import here, signed_in  # noqa: F401 -- a fixture
from tests.liaison.test_photographs import a_picture

WORDS = "想换一套离实验室近的三居室"


def until(page: Page, holds: str) -> None:
    """Wait until something holds; the page's own policy forbids the usual way of waiting for it."""
    for _ in range(200):
        if page.evaluate(holds):
            return
        page.wait_for_timeout(100)
    raise AssertionError(holds)


@pytest.fixture
def phone(devices: Devices, app: Flask, city, here) -> Page:  # noqa: F811 -- the fixture
    """The officer's telephone, on the form of a visit that is ready for times without a network."""
    page = signed_in(devices.phone(here), app, city.officer, here)
    page.goto("/desk/visits/new")
    until(page, "() => navigator.serviceWorker.controller !== null")
    until(page, "async () => (await (await caches.open('visit-form')).match('/desk/visits/new')) !== undefined")
    return page


def write_down(page: Page) -> None:
    """Write a visit down, with a picture, and send it."""
    ask = page.get_by_role("group", name="一件诉求").nth(0)
    ask.get_by_label("原话怎么说的").fill(WORDS)
    ask.get_by_label("哪方面").select_option("housing")
    page.get_by_label("照片").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": a_picture((800, 600))}
    )
    page.locator("[data-save]").click()


def counted() -> tuple[int, int]:
    """How many visits and requests there are."""
    db.session.rollback()
    found = tuple(db.session.scalar(sa.select(sa.func.count()).select_from(model)) for model in (Visit, Case))
    db.session.rollback()  # or this thread would hold SQLite's write lock while the telephone sends
    return found


def test_a_visit_written_without_a_network_is_kept_sealed_and_sent_once_there_is_one(phone: Page, city):
    phone.context.set_offline(True)
    phone.goto("/desk/visits/new")
    note = phone.locator("[data-kept]")
    expect(note).to_contain_text("没有网络")
    write_down(phone)

    expect(note).to_contain_text("1 次走访")
    assert counted() == (0, 0)
    kept = phone.evaluate(
        """() => new Promise(done => { const open = indexedDB.open('visits');
        open.onsuccess = () => { const all = open.result.transaction('kept').objectStore('kept').getAll();
        all.onsuccess = () => { open.result.close(); done(all.result.map(entry => [Object.keys(entry).sort(),
        new TextDecoder().decode(entry.sealed)])); } } })"""
    )
    assert [names for names, _ in kept] == [["account", "at", "id", "iv", "sealed"]]
    assert WORDS not in kept[0][1]

    phone.context.set_offline(False)
    expect(note).to_be_hidden()
    assert counted() == (1, 1)
    visit = db.session.scalars(sa.select(Visit)).one()
    assert ([one.words for one in db.session.scalars(sa.select(Case))], len(visit.photographs)) == ([WORDS], 1)
    phone.reload()
    expect(note).to_be_hidden()
    assert counted() == (1, 1)


def test_an_answer_that_was_lost_on_the_way_makes_no_second_visit(phone: Page, city, app):
    token = phone.locator("[name=form_token]").input_value()
    phone.context.set_offline(True)
    write_down(phone)
    expect(phone.locator("[data-kept]")).to_contain_text("1 次走访")
    # the server had it all the same: only its answer did not come through
    answer = factories.signed_in(app.test_client(), city.officer)
    app.config["WTF_CSRF_ENABLED"] = False
    form = {"form_token": token, "pairings": str(city.pairing.id), "at": "2026-11-20T09:00", "way": "visit"}
    db.session.rollback()
    assert answer.post("/desk/visits/new", data=form).status_code == 303
    app.config["WTF_CSRF_ENABLED"] = True

    phone.context.set_offline(False)

    expect(phone.locator("[data-kept]")).to_be_hidden()
    assert counted() == (1, 0)


def test_two_visits_written_without_a_network_are_two(phone: Page, city):
    phone.context.set_offline(True)
    for _ in range(2):
        phone.goto("/desk/visits/new")
        write_down(phone)
    expect(phone.locator("[data-kept]")).to_contain_text("2 次走访")

    phone.context.set_offline(False)

    expect(phone.locator("[data-kept]")).to_be_hidden()
    assert counted() == (2, 2)


def test_what_one_wrote_is_not_sent_as_anothers(phone: Page, city, app, here):  # noqa: F811 -- the fixture
    leader_id = city.leader.id
    db.session.rollback()
    phone.context.set_offline(True)
    write_down(phone)
    expect(phone.locator("[data-kept]")).to_contain_text("1 次走访")
    phone.context.clear_cookies()
    signed_in(phone, app, city.leader, here)
    phone.context.set_offline(False)
    phone.goto("/desk/visits/new")

    expect(phone.locator("[name=account]")).to_have_value(str(leader_id))
    expect(phone.locator("[data-kept]")).to_be_hidden()
    assert counted() == (0, 0)


def test_signing_out_leaves_no_form_behind(phone: Page, city):
    phone.context.clear_cookies()
    phone.goto("/desk/sign-in")

    until(phone, "async () => !(await caches.has('visit-form'))")
