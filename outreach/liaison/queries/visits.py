"""Reading visits: who may see one and its notes, what was asked on it, where something asked now would go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, undefer

from outreach.cases.models import Case
from outreach.cases.queries import routes_of, visible
from outreach.cases.rules.asking import Origin, Topic
from outreach.cases.rules.deadlines import DAYS_TO_ASSIGN, answer_clock
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine, Subject, lines_of
from outreach.kernel.paging import SIZE, Key, Page, page_of
from outreach.kernel.wording import N_
from outreach.kernel.working_days import Deadline
from outreach.liaison.models import Pairing, Visit, VisitCase, VisitLeader, VisitPhotograph, VisitTalent
from outreach.liaison.rules import VisitWay
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import reach
from outreach.organisations.rules import Permission
from outreach.people.rules import Purpose, TimelineEntry
from outreach.people.rules.merging import Named


def _shared_a_visit(viewer: Account) -> Any:
    """Return the condition on visits of those who were there, logged it, or serve the pairing as liaison officer."""
    return sa.or_(
        Visit.account_id == viewer.id,
        sa.exists().where(VisitLeader.visit_id == Visit.id, VisitLeader.account_id == viewer.id),
        sa.exists().where(
            VisitLeader.visit_id == Visit.id,
            VisitTalent.visit_id == Visit.id,
            Pairing.leader_id == VisitLeader.account_id,
            Pairing.person_id == VisitTalent.person_id,
            Pairing.liaison_officer_id == viewer.id,
        ),
    )


def _visits_seen_by(viewer: Account) -> Any:
    return sa.or_(_shared_a_visit(viewer), Visit.organisation_id.in_(reach(viewer, Permission.PAIRING_READ)))


def visit_for(viewer: Account, visit_id: int) -> Visit:
    """Return a visit the viewer may see, or answer 404.

    Seen by who logged it, who was there, the liaison officers of the pairings it served, and those who may
    read every pairing of the organisation.
    """
    return db.first_or_404(
        sa.select(Visit).where(Visit.id == visit_id, _visits_seen_by(viewer)).options(joinedload(Visit.account))
    )


def origin_of(viewer: Account, case: Case) -> Origin | None:
    """Return the visit a request was made on, for those who may see it (cases.queries.origins)."""
    visit_id = db.session.scalar(
        sa.select(VisitCase.visit_id)
        .join(Visit, Visit.id == VisitCase.visit_id)
        .where(VisitCase.case_id == case.id, _visits_seen_by(viewer))
    )
    if visit_id is None:
        return None
    return Origin(sentence=N_("See the visit"), values={}, endpoint="liaison.show", arguments={"visit_id": visit_id})


def may_read_notes(viewer: Account, visit: Visit) -> bool:
    """Tell whether the viewer may read what a visit noted (问情, 问策).

    Confidential notes are read by who logged them, the leaders, the liaison officers of the pairings, and a
    supervisor of the organisation; others that see the visit see only that there are notes.
    """
    return db.session.scalar(sa.select(Visit.id).where(Visit.id == visit.id, notes_open_to(viewer))) is not None


def notes_open_to(viewer: Account) -> sa.ColumnElement[bool]:
    """Return the condition on Visit that holds where `may_read_notes` does."""
    supervised = Visit.organisation_id.in_(reach(viewer, Permission.CASE_SUPERVISE))
    return sa.or_(Visit.confidential.is_(False), _shared_a_visit(viewer), supervised)


def photograph_for(viewer: Account, visit_id: int, position: int) -> VisitPhotograph:
    """Return a picture of a visit whose notes the viewer may read, or answer 404."""
    return db.first_or_404(
        sa.select(VisitPhotograph)
        .join(VisitPhotograph.visit)
        .where(
            Visit.id == visit_id,
            VisitPhotograph.position == position,
            _visits_seen_by(viewer),
            notes_open_to(viewer),
        )
        .options(undefer(VisitPhotograph.content))
    )


def visit_to_complete(viewer: Account, visit_id: int) -> Visit:
    """Return a visit that the viewer was on, logged, or serves as liaison officer, or answer 404."""
    return db.first_or_404(sa.select(Visit).where(Visit.id == visit_id, _shared_a_visit(viewer)))


def to_confirm(viewer: Account) -> Sequence[Visit]:
    """Return the visits written down for the viewer not confirmed yet, the latest first (the last 20)."""
    return db.session.scalars(
        sa.select(Visit)
        .join(VisitLeader, VisitLeader.visit_id == Visit.id)
        .where(VisitLeader.account_id == viewer.id, VisitLeader.confirmed_at.is_(None))
        .options(joinedload(Visit.account))
        .order_by(Visit.at.desc(), Visit.id.desc())
        .limit(20)
    ).all()


def completes(viewer: Account, visit: Visit) -> bool:
    """Tell whether the viewer may add to a visit."""
    return db.session.scalar(sa.select(Visit.id).where(Visit.id == visit.id, _shared_a_visit(viewer))) is not None


def visits_in_sight(viewer: Account, visit_ids: Collection[int]) -> set[int]:
    """Return which of these visits the viewer may open."""
    return set(db.session.scalars(sa.select(Visit.id).where(Visit.id.in_(visit_ids), _visits_seen_by(viewer))))


def recent_visits(viewer: Account, *, cursor: str | None, size: int = SIZE) -> Page[Visit]:
    """Return the visits of the viewer's pairings or organisation, the latest first."""
    return page_of(
        sa.select(Visit).where(_visits_seen_by(viewer)).options(joinedload(Visit.account)),
        keys=[Key(Visit.at, descending=True), Key(Visit.id, descending=True)],
        cursor=cursor,
        size=size,
    )


def visit_ids(viewer: Account) -> sa.Select[tuple[int]]:
    """Return the select of the ids of the visits that `recent_visits` lists, in its order."""
    return sa.select(Visit.id).where(_visits_seen_by(viewer)).order_by(Visit.at.desc(), Visit.id.desc())


def visits_of(pairing: Pairing) -> Sequence[Visit]:
    """Return the contacts of a pairing's leader with its talent, the latest first (the last 100)."""
    return db.session.scalars(
        sa.select(Visit)
        .join(VisitTalent, VisitTalent.visit_id == Visit.id)
        .join(VisitLeader, VisitLeader.visit_id == Visit.id)
        .where(VisitTalent.person_id == pairing.person_id, VisitLeader.account_id == pairing.leader_id)
        .order_by(Visit.at.desc(), Visit.id.desc())
        .limit(100)
    ).all()


def visits_with(viewer: Account, person_id: int, *, limit: int) -> Sequence[Visit]:
    """Return the last contacts of anybody with a talent that the viewer may see, the latest first."""
    return db.session.scalars(
        sa.select(Visit)
        .join(VisitTalent, VisitTalent.visit_id == Visit.id)
        .where(VisitTalent.person_id == person_id, _visits_seen_by(viewer))
        .order_by(Visit.at.desc(), Visit.id.desc())
        .limit(limit)
    ).all()


def readable(viewer: Account, visit_ids: Collection[int]) -> set[int]:
    """Return which of these visits the viewer may read the notes of."""
    return set(db.session.scalars(sa.select(Visit.id).where(Visit.id.in_(visit_ids), notes_open_to(viewer))))


def asked_on(visit: Visit) -> Sequence[Case]:
    """Return the requests made on a visit, in the order they were written down."""
    return db.session.scalars(
        sa.select(Case)
        .join(VisitCase, VisitCase.case_id == Case.id)
        .where(VisitCase.visit_id == visit.id)
        .options(joinedload(Case.answerable), joinedload(Case.lead), joinedload(Case.intake), joinedload(Case.person))
        .order_by(VisitCase.id)
    ).all()


def cases_in_sight(viewer: Account, case_ids: Collection[int]) -> set[int]:
    """Return which of these requests the viewer may open."""
    return set(db.session.scalars(sa.select(Case.id).where(Case.id.in_(case_ids), visible(viewer))))


def history_of(visit: Visit) -> Sequence[HistoryLine]:
    """Return what happened to the visit's record, oldest first."""
    return lines_of(Subject("visit", visit.id))


def visit_of_form(account: Account, form_token: str) -> Visit | None:
    """Return the visit that a form already logged, or None."""
    return db.session.scalar(sa.select(Visit).where(Visit.account_id == account.id, Visit.form_token == form_token))


@dataclass(frozen=True)
class Destination:
    """Where something asked now on one topic goes, and by when it is answered there.

    Without a standing route (`routed` is False) it waits at the intake desk, and the deadlines are for assigning it.
    """

    unit: str
    routed: bool
    due: Deadline
    due_if_complex: Deadline


def destinations(intake: Organisation, *, now: datetime) -> dict[Topic, Destination]:
    """Return where each topic goes by the intake desk's standing routes, and until when it would be answered."""
    calendar = working_calendar()
    routes = routes_of(intake)
    to_assign = calendar.due(now, DAYS_TO_ASSIGN)
    answered = answer_clock(assigned_at=now, complex=False).due(calendar)
    answered_if_complex = answer_clock(assigned_at=now, complex=True).due(calendar)
    return {
        topic: Destination(
            unit=routes[topic].unit.short_name, routed=True, due=answered, due_if_complex=answered_if_complex
        )
        if topic in routes
        else Destination(unit=intake.short_name, routed=False, due=to_assign, due_if_complex=to_assign)
        for topic in Topic
    }


def name_visits(viewer: Account, ids: Collection[int]) -> dict[int, Named]:
    """Return the visits at which somebody was met by their leaders and days, those the viewer may see."""
    met = db.session.execute(
        sa.select(VisitTalent.id, Visit)
        .join(Visit, Visit.id == VisitTalent.visit_id)
        .where(VisitTalent.id.in_(ids), _visits_seen_by(viewer))
        .order_by(VisitTalent.id)
    ).all()
    return {
        row_id: Named(
            f"{'、'.join(one.account.name for one in visit.leaders)} {office_day(visit.at).isoformat()}",
            "liaison.show",
            {"visit_id": visit.id},
        )
        for row_id, visit in met
    }


TIMELINE_SENTENCES = {
    VisitWay.VISIT: N_("Visited by %(leaders)s"),
    VisitWay.TALK: N_("Sat down to talk with %(leaders)s"),
    VisitWay.TELEPHONE: N_("Spoke with %(leaders)s on the telephone"),
    VisitWay.VIDEO: N_("Met %(leaders)s by video"),
}


def timeline_of(*, person_id: int, before: datetime, limit: int) -> list[TimelineEntry]:
    """Return the talent's visits before a moment, the latest first. Notes stay on the visit's own page."""
    query = (
        sa.select(Visit)
        .join(VisitTalent, VisitTalent.visit_id == Visit.id)
        .where(VisitTalent.person_id == person_id, Visit.at < before)
        .order_by(Visit.at.desc(), Visit.id.desc())
        .limit(limit)
    )
    return [
        TimelineEntry(
            at=visit.at,
            purpose=Purpose.SERVICE,
            kind="visit",
            key=f"visit:{visit.id}",
            sentence=TIMELINE_SENTENCES[visit.way],
            values={"leaders": [there.account.name for there in visit.leaders]},
            endpoint="liaison.show",
            arguments={"visit_id": visit.id},
        )
        for visit in db.session.scalars(query)
    ]
