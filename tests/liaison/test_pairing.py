"""Pairing by hand: whom an organiser may join with whom, and what is refused."""

import re
import threading
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.refusals import Refused
from outreach.liaison import operations, queries
from outreach.liaison.models import Pairing
from outreach.liaison.rules import AlreadyPaired, BeginsTooFar, NoLeader, OwnOfficer, PairingKind, Rhythm
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import OrganisationKind, Role
from outreach.people.models import Person
from outreach.people.operations import merging
from outreach.people.rules import MergedMeanwhile
from tests import factories
from tests.conftest import NOW

TODAY = office_day(NOW)


def text(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)).split())


@pytest.fixture
def organiser(city):
    return factories.an_account("何清越", organisation=city.office, roles=[Role.ORGANISER])


@pytest.fixture
def other(city):
    return factories.a_person("温如许", organisation=city.office)


@pytest.fixture
def desk(client, organiser):
    return factories.signed_in(client, organiser)


def said(city, **more):
    return {
        "leader": str(city.leader.id),
        "liaison_officer": str(city.officer.id),
        "rhythm": Rhythm.QUARTERLY.value,
        "starts_on": "2026-11-20",
        **more,
    }


def paired(city, person, by, **more):
    values = {
        "leader": city.leader,
        "liaison_officer": None,
        "kind": PairingKind.LEADER,
        "rhythm": Rhythm.MONTHLY,
        "starts_on": TODAY,
        "organisation": city.office,
        "by": by.actor,
        "now": NOW,
    }
    return operations.pair(person=person, **(values | more))


def test_a_talent_is_found_and_paired_and_the_pairing_tells_who_did_it(city, desk, other, session):
    found = desk.get("/desk/liaison/new?q=温如许")
    asked = desk.get(f"/desk/people/{other.id}/pair")
    answer = desk.post(f"/desk/people/{other.id}/pair", data=said(city))

    assert f"/desk/people/{other.id}/pair" in found.text
    assert "周启明" in text(asked)
    pairing = session.scalars(sa.select(Pairing).where(Pairing.person_id == other.id)).one()
    assert answer.location.endswith(f"/desk/liaison/{pairing.id}")
    assert (pairing.leader, pairing.liaison_officer, pairing.kind) == (city.leader, city.officer, PairingKind.LEADER)
    assert (pairing.rhythm, pairing.starts_on, pairing.organisation) == (
        Rhythm.QUARTERLY, date(2026, 11, 20), city.office,
    )  # fmt: skip
    page = text(desk.get(answer.location))
    assert "何清越：结了对" in page.replace(" ", "")
    desk.post(f"/desk/liaison/{pairing.id}/end", data={"ends_on": "2026-11-21"})
    assert "结束了结对" in text(desk.get(answer.location))


def test_the_class_of_the_talent_says_how_often_unless_somebody_says_otherwise(city, desk, other, session):
    other.talent_class = factories.a_talent_class("强雁", rhythm=Rhythm.QUARTERLY)
    session.commit()

    page = desk.get(f"/desk/people/{other.id}/pair").text

    assert re.search(r'value="quarterly"[^>]*checked', page)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"leader": ""}, "请选由谁联系"),
        ({"leader": "999999"}, "请选由谁联系"),
        ({"liaison_officer": "999999"}, "请从名单里选"),
        ({"rhythm": ""}, "请选多久联系一次"),
        ({"rhythm": "hourly"}, "请选多久联系一次"),
        ({"starts_on": "2999-01-01"}, "最多可以提前一年"),
        ({"starts_on": "1911-10-10"}, "最多可以提前一年"),
        ({"starts_on": "下周一"}, "2026"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_what_was_typed_stays(city, desk, other, session, wrong, sentence):
    answer = desk.post(f"/desk/people/{other.id}/pair", data=said(city, **wrong))

    assert answer.status_code == 422
    if sentence != "2026":
        assert sentence in text(answer)
    kept = {**said(city), **wrong}
    assert f'value="{kept["starts_on"]}"' in answer.text
    assert session.scalars(sa.select(Pairing).where(Pairing.person_id == other.id)).all() == []


def test_nobody_is_paired_twice_with_the_same_leader_until_the_pairing_has_ended(city, desk, session):
    twice = desk.post(f"/desk/people/{city.talent.id}/pair", data=said(city))
    operations.end_pairing(pairing=city.pairing, ends_on=TODAY, by=city.leader.actor, now=NOW)
    session.commit()
    again = desk.post(f"/desk/people/{city.talent.id}/pair", data=said(city))

    assert (twice.status_code, "已经结对" in text(twice) or "周启明" in text(twice)) == (422, True)
    assert again.status_code == 303


def test_only_leaders_and_officers_within_reach_are_offered(app, city, other, session):
    county = factories.an_organisation("清江县", parent=city.office, kind=OrganisationKind.AREA)
    theirs = factories.a_person("陈小满", organisation=county)
    local = factories.an_account("程砚秋", organisation=county, roles=[Role.SERVICE_OFFICER])
    gone = factories.an_account("离岗者", organisation=county, roles=[Role.LEADER], disabled_at=NOW)
    organiser = factories.an_account("县组织者", organisation=county, roles=[Role.ORGANISER])
    session.commit()
    desk = factories.signed_in(app.test_client(), organiser)

    page = text(desk.get(f"/desk/people/{theirs.id}/pair"))
    beyond = desk.post(f"/desk/people/{theirs.id}/pair", data=said(city, liaison_officer=""))
    made = desk.post(f"/desk/people/{theirs.id}/pair", data=said(city, leader=str(local.id), liaison_officer=""))

    assert (local.name in page, gone.name in page, city.leader.name in page) == (True, False, False)
    assert beyond.status_code == 422
    assert desk.get(f"/desk/people/{other.id}/pair").status_code == 404
    assert made.status_code == 303
    pairing = session.scalars(sa.select(Pairing).where(Pairing.person_id == theirs.id)).one()
    assert (pairing.kind, pairing.organisation) == (PairingKind.OFFICER, county)


def test_the_unit_that_pairs_is_the_nearest_above_the_leader_where_the_viewer_may(city, session):
    county = factories.an_organisation("清江县", parent=city.office, kind=OrganisationKind.AREA)
    organiser = factories.an_account(organisation=county, roles=[Role.ORGANISER])
    of_both = factories.an_account(organisation=city.office, roles=[Role.ORGANISER])
    of_both.grants.append(type(organiser.grants[0])(role=Role.ORGANISER, organisation=county))
    leader = factories.an_account(organisation=county, roles=[Role.LEADER])
    session.flush()

    assert queries.unit_that_pairs(organiser, leader) == county
    assert queries.unit_that_pairs(of_both, leader) == county
    assert queries.unit_that_pairs(of_both, city.leader) == city.office


def test_refusals_stand_below_the_form_too(city, organiser, other):
    nobody = factories.an_account("路人", organisation=city.office, roles=[Role.HANDLER])
    with pytest.raises(NoLeader):
        paired(city, other, organiser, leader=nobody)
    with pytest.raises(OwnOfficer):
        paired(city, other, organiser, liaison_officer=city.leader)
    with pytest.raises(BeginsTooFar):
        paired(city, other, organiser, starts_on=TODAY + timedelta(days=400))
    with pytest.raises(AlreadyPaired):
        paired(city, city.talent, organiser)


def test_a_record_that_went_into_another_is_not_paired(city, organiser, other, session):
    kept = factories.a_person("温如许", organisation=city.office)
    stale = db.session.get_one(Person, other.id)
    merging.merge(kept=kept, gone=other, leads=[], by=organiser, now=NOW)
    session.commit()

    with pytest.raises(MergedMeanwhile):
        paired(city, stale, organiser)


def test_two_who_pair_the_same_two_at_once_make_one_pairing(app: Flask, city, organiser, other, session):
    ids = (city.leader.id, other.id, city.office.id, organiser.id)
    session.commit()  # and nothing is read after it: on SQLite the test's own transaction would hold the lock
    ready, outcomes = threading.Barrier(2), []

    def press() -> None:
        with app.app_context():
            leader, by = db.session.get_one(Account, ids[0]), db.session.get_one(Account, ids[3])
            person, office = db.session.get_one(Person, ids[1]), db.session.get_one(Organisation, ids[2])
            db.session.rollback()
            ready.wait()
            try:
                operations.pair(
                    leader=leader,
                    person=person,
                    liaison_officer=None,
                    kind=PairingKind.LEADER,
                    rhythm=Rhythm.MONTHLY,
                    starts_on=TODAY,
                    organisation=office,
                    by=by.actor,
                    now=NOW,
                )
                db.session.commit()
                outcomes.append("paired")
            except Refused as refused:
                db.session.rollback()
                outcomes.append(type(refused).__name__)

    both = [threading.Thread(target=press) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert sorted(outcomes) == ["AlreadyPaired", "paired"]
    assert session.scalar(sa.select(sa.func.count()).where(Pairing.person_id == ids[1])) == 1


@pytest.mark.parametrize("role", [Role.LEADER, Role.LIAISON_OFFICER, Role.SUPERVISOR, Role.HANDLER])
def test_others_pair_nobody(client, city, other, session, role):
    desk = factories.signed_in(client, factories.an_account(organisation=city.office, roles=[role]))
    session.commit()

    assert desk.get("/desk/liaison/new").status_code == 403
    assert desk.post(f"/desk/people/{other.id}/pair", data=said(city)).status_code == 403
