"""Every new page of liaison on a phone and on a desk: readable by everybody, nothing wider than the screen."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from outreach.kernel import clock
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.liaison.models import SurveyInvitation
from outreach.liaison.operations import surveys
from outreach.organisations.rules import Role
from outreach.people.operations import seed_consent_texts
from tests import factories
from tests.browser import assert_accessible
from tests.liaison.test_on_a_phone import here, signed_in  # noqa: F401 -- a fixture


@pytest.mark.parametrize("device", ["phone", "desk"])
def test_new_pages_are_for_everybody_and_fit_the_screen(devices, app, city, here, device):  # noqa: F811
    seed_consent_texts(now=factories.BEFORE)
    organiser = factories.an_account("何清越", organisation=city.office, roles=[Role.ORGANISER])
    today = office_day(clock.now())
    city.pairing.starts_on = today - timedelta(days=200)
    person = factories.a_person("温如许", organisation=city.office, at=factories.a_contact_point("wen@example.com"))
    planned = factories.a_planned_visit(
        pairing=factories.a_pairing(leader=city.leader, person=person), day=today + timedelta(days=3)
    )
    survey = surveys.send(
        title="春天需要什么",
        words="两分钟就好",
        by_rule=False,
        closes_on=today + timedelta(days=9),
        asked=[(person, person.contacts[0].contact_point)],
        organisation=city.office,
        by=organiser,
        now=clock.now(),
    )
    paths = [
        "/desk/liaison",
        "/desk/liaison/plans",
        f"/desk/liaison/plans/{planned.id}",
        f"/desk/liaison/{city.pairing.id}/plan",
        "/desk/liaison/catch-up",
        f"/desk/people/{city.talent.id}/before",
        "/desk/liaison/review/",
        "/desk/liaison/hand-overs/",
        f"/desk/liaison/hand-overs/new?who={city.leader.id}",
        "/desk/liaison/surveys/",
        "/desk/liaison/surveys/new",
        f"/desk/liaison/surveys/{survey.id}",
        f"/survey/{db.session.scalars(sa.select(SurveyInvitation)).one().token}",
    ]
    db.session.commit()
    page = signed_in(getattr(devices, device)(here), app, organiser, here)

    for path in paths:
        answer = page.goto(path)
        assert answer.status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert_accessible(page)
