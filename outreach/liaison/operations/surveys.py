"""Asking by a link, taking the answer, and making requests of it."""

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa

from outreach.cases import operations as cases
from outreach.cases.models import Case
from outreach.cases.rules.asking import CaseSource, title_of
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.clock import office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.kernel.outbox import Urgency
from outreach.liaison.models import NotAskedAgain, Survey, SurveyInvitation, SurveyNeed
from outreach.liaison.rules.surveys import (
    MOST_ASKED,
    AnsweredAlready,
    Need,
    NeedSettled,
    NobodyToAsk,
    SurveyClosed,
    TooManyToAsk,
    check_last_day,
    needs_of,
)
from outreach.notices import operations as notices
from outreach.organisations.models import Account, Organisation
from outreach.people import operations as people
from outreach.people.models import ContactPoint, Person


def send(
    *,
    title: str,
    words: str,
    by_rule: bool,
    closes_on: date,
    asked: Sequence[tuple[Person, ContactPoint]],
    organisation: Organisation,
    by: Account,
    now: datetime,
) -> Survey:
    """Ask these people, each by a link of their own, until the end of a day.

    :param by_rule: whether what is answered becomes requests at once; else somebody looks at each first
    :raises ClosesTooLate: for a last day that is none
    :raises NobodyToAsk: without anybody
    :raises TooManyToAsk: for more than MOST_ASKED
    """
    check_last_day(closes_on, office_day(now))
    if not asked:
        raise NobodyToAsk
    if len(asked) > MOST_ASKED:
        raise TooManyToAsk(most=MOST_ASKED)
    survey = Survey(
        organisation=organisation,
        author=by,
        title=title,
        words=words,
        by_rule=by_rule,
        closes_on=closes_on,
        sent_at=now,
    )
    db.session.add(survey)
    db.session.flush()
    invitations = [SurveyInvitation(survey=survey, person=person, contact_point=point) for person, point in asked]
    db.session.add_all(invitations)
    db.session.flush()  # the links name them
    about = Subject("survey", survey.id)
    notices.tell_many(
        [
            notices.Telling(
                "survey",
                one.contact_point,
                "liaison/messages/survey.txt",
                {
                    "name": one.person.name,
                    "title": title,
                    "unit": organisation.short_name,
                    "until": closes_on.isoformat(),
                    "token": one.token,
                },
                about=about,
                person=one.person,
            )
            for one in invitations
        ],
        now=now,
        urgency=Urgency.BULK,
    )
    history.write(
        subject=about,
        act="sent",
        by=by.actor,
        now=now,
        facts={"asked": len(invitations), "by_rule": by_rule, "closes_on": closes_on.isoformat()},
    )
    return survey


def answer(
    *,
    invitation: SurveyInvitation,
    needs: Sequence[Need],
    situation: str | None,
    advice: str | None,
    language: str,
    by: Actor,
    now: datetime,
) -> list[Case]:
    """Take what a talent answers, with their consent to it; return the requests it became by rule.

    :param language: of the consent text as it was shown
    :raises SurveyClosed: after its last day
    :raises AnsweredAlready: the second time
    :raises NothingSaid: if nothing was written
    """
    held = db.session.scalars(
        locked(sa.select(SurveyInvitation).where(SurveyInvitation.id == invitation.id)).execution_options(
            populate_existing=True
        )
    ).one()
    if office_day(now) > held.survey.closes_on:
        raise SurveyClosed
    if held.answered_at is not None:
        raise AnsweredAlready
    wanted = needs_of(needs, situation=situation, advice=advice)
    held.answered_at, held.situation = now, situation or None
    people.give_consent(
        person=held.person,
        purpose="request",
        contact_point=held.contact_point,
        about=f"survey:{held.id}",
        now=now,
        language=language,
    )
    rows = [SurveyNeed(invitation=held, topic=need.topic, words=need.words) for need in wanted]
    db.session.add_all(rows)
    db.session.flush()
    history.write(
        subject=Subject("survey", held.survey_id),
        act="answered",
        by=by,
        now=now,
        facts={"invitation": held.id, "needs": len(rows)},
    )
    return [raise_request(need=row, by=by, now=now) for row in rows] if held.survey.by_rule else []


def raise_request(*, need: SurveyNeed, by: Actor, now: datetime) -> Case:
    """Make a request of one thing that was answered; from now on somebody owes the next step.

    :raises NeedSettled: if it became one, or was set aside
    """
    if need.case_id is not None or need.set_aside_at is not None:
        raise NeedSettled
    asked = need.invitation
    case = cases.register(
        person=asked.person,
        contact_point=asked.contact_point,
        topic=need.topic,
        title=title_of(need.words),
        words=need.words,
        source=CaseSource.SURVEY,
        intake=asked.survey.organisation,
        by=by,
        now=now,
    )
    need.case = case
    db.session.flush()
    return case


def set_aside(*, need: SurveyNeed, by: Actor, now: datetime) -> None:
    """Say that one thing that was answered asks for nothing («thank you, all is well»).

    :raises NeedSettled: if it became a request, or was set aside
    """
    if need.case_id is not None or need.set_aside_at is not None:
        raise NeedSettled
    need.set_aside_at = now
    db.session.flush()
    history.write(
        subject=Subject("survey", need.invitation.survey_id), act="set_aside", by=by, now=now, facts={"need": need.id}
    )


def not_again(*, invitation: SurveyInvitation, by: Actor, now: datetime) -> None:
    """Ask a talent no more; said twice it is as said once."""
    db.session.scalar(locked(sa.select(Person.id).where(Person.id == invitation.person_id)))
    known = db.session.scalar(sa.select(NotAskedAgain.id).where(NotAskedAgain.person_id == invitation.person_id))
    if known is None:
        db.session.add(NotAskedAgain(person_id=invitation.person_id, since=now))
        history.write(
            subject=Subject("survey", invitation.survey_id),
            act="not_again",
            by=by,
            now=now,
            facts={"invitation": invitation.id},
        )


def erase_person(*, person_id: int) -> None:
    """Erase what a person answered; that they were asked stays, cut off their number."""
    theirs = sa.select(SurveyInvitation.id).where(SurveyInvitation.person_id == person_id)
    _empty(theirs)
    db.session.execute(
        sa.update(SurveyInvitation).where(SurveyInvitation.person_id == person_id).values(contact_point_id=None)
    )


def erase_answers(*, ids: Sequence[int]) -> None:
    """Erase what was answered to these invitations; requests made of it keep their own time."""
    _empty(sa.select(SurveyInvitation.id).where(SurveyInvitation.id.in_(ids)))


def move_away(*, contact_point_id: int, person_id: int | None) -> None:
    """Void the links that went to a number which is no longer theirs."""
    which = [SurveyInvitation.contact_point_id == contact_point_id]
    if person_id is not None:
        which.append(SurveyInvitation.person_id == person_id)
    db.session.execute(sa.update(SurveyInvitation).where(*which).values(contact_point_id=None))


def _empty(invitations: sa.Select[tuple[int]]) -> None:
    db.session.execute(
        sa.delete(SurveyNeed)
        .where(SurveyNeed.invitation_id.in_(invitations))
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        sa.update(SurveyInvitation)
        .where(SurveyInvitation.id.in_(invitations))
        .values(situation=None)
        .execution_options(synchronize_session=False)
    )
    db.session.expire_all()
