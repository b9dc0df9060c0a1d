"""A simulated year: 500 requests in every run of the tests, 20,000 in `make soak`."""

import os
from collections import Counter

import sqlalchemy as sa

from outreach.cases import operations
from outreach.cases.models import Answer, Case, Feedback
from outreach.cases.rules.answers import Satisfaction
from outreach.cases.rules.moves import CaseState
from outreach.kernel import history
from outreach.kernel.calendar_days import seed
from outreach.kernel.database import db
from outreach.kernel.history import Subject
from tests.cases.year import Year, check_promise
from tests.conftest import NOW

REQUESTS = int(os.environ.get("OUTREACH_SOAK", "500"))


def test_a_year_of_requests_keeps_every_promise(session, city):
    seed(first=NOW.year - 1, last=NOW.year)
    operations.want_approval(unit=city.schools, wanted=True, by=city.supervisor.actor, now=NOW)
    year = Year(city, requests=REQUESTS, seed=REQUESTS, begins=NOW.replace(year=NOW.year - 1))
    steps = 0

    for case in year.lived():
        check_promise(case)
        steps += 1
        if steps % 500 == 0:
            session.commit()  # so that a long year does not weigh on one transaction

    ended = Counter(dict(db.session.execute(sa.select(Case.state, sa.func.count()).group_by(Case.state)).all()))
    assert sum(ended.values()) == year.tally["asked"] == REQUESTS
    assert not any(state.is_open for state in ended)
    assert ended == {
        state: year.tally[name]
        for state, name in (
            (CaseState.CLOSED, "closed"),
            (CaseState.UNREACHED, "unreached"),
            (CaseState.WITHDRAWN, "withdrawn"),
            (CaseState.MERGED, "merged"),
        )
        if year.tally[name]
    }
    last = sa.select(sa.func.max(Answer.id)).join(Answer.case).where(Case.state == CaseState.CLOSED)
    said = db.session.scalars(sa.select(Feedback).where(Feedback.answer_id.in_(last.group_by(Case.id)))).all()
    assert sum(one.solved for one in said) == year.tally["solved"]
    assert sum(one.satisfaction is not Satisfaction.DISSATISFIED for one in said) == year.tally["content"]
    assert sum(year.refused.values()) * 3 >= steps
    for case_id in db.session.scalars(sa.select(Case.id).order_by(Case.id)):
        assert history.first_broken_position(session(), Subject("case", case_id)) is None
