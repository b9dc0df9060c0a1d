"""The list of requests: its saved views, filters, counts and pages."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.cases.models import Case, CasePart, Extension
from outreach.cases.queries.reaching import OPEN, visible
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.lists import Tab
from outreach.cases.rules.moves import BY_A_SUPERVISOR, OWED_BY_THE_LEAD_UNIT, CaseState
from outreach.kernel.clock import OFFICE, office_day
from outreach.kernel.database import db
from outreach.kernel.paging import SIZE, Key, Page, page_of
from outreach.kernel.word_index import LAST_SIGN
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import reached_ids
from outreach.organisations.rules import Permission
from outreach.people import queries as people

COUNTED_UP_TO = 1000


@dataclass(frozen=True)
class Choice:
    """What a reader of the list chose to see."""

    tab: Tab
    topic: Topic | None = None
    source: CaseSource | None = None
    unit_id: int | None = None
    text: str = ""


def tabs_for(viewer: Account) -> tuple[Tab, ...]:
    """Return the saved views of the list that fit what the viewer does here; the first is the one to begin with."""
    if _may(viewer, Permission.CASE_SUPERVISE):
        return (Tab.WATCH, Tab.OPEN, Tab.TO_DECIDE, Tab.TO_ASSIGN, Tab.TO_HEAR, Tab.ENDED)
    if _may(viewer, Permission.CASE_ASSIGN):
        return (Tab.TO_ASSIGN, Tab.OPEN, Tab.WATCH, Tab.TO_HEAR, Tab.ENDED)
    if _may(viewer, Permission.CASE_HANDLE):
        return (Tab.OWED, Tab.TO_ACCEPT, Tab.TO_ANSWER, Tab.CO_HANDLED, Tab.TO_HEAR, Tab.ENDED)
    if _may(viewer, Permission.CASE_APPROVE):
        return (Tab.TO_APPROVE, Tab.OPEN, Tab.ENDED)
    return (Tab.OPEN, Tab.WATCH, Tab.ENDED)


def list_of(viewer: Account, choice: Choice, *, cursor: str | None, now: datetime, size: int = SIZE) -> Page[Case]:
    """Return a page of the requests the viewer may see, ended ones latest first.

    Of open ones the urgent stand first, then what leaders were asked, then the others, each by deadline.
    """
    statement = (
        sa.select(Case)
        .where(visible(viewer), _in_tab(viewer, choice.tab, now), *_chosen(choice))
        .options(
            joinedload(Case.person),
            joinedload(Case.intake),
            joinedload(Case.answerable),
            joinedload(Case.lead),
            joinedload(Case.handler),
        )
    )
    if choice.tab is Tab.ENDED:
        keys = [Key(Case.ended_at, descending=True), Key(Case.id, descending=True)]
    else:
        keys = [Key(Case.rank), Key(Case.due_at), Key(Case.id)]
    return page_of(statement, keys=keys, cursor=cursor, size=size)


def ids_of_list(viewer: Account, choice: Choice, *, now: datetime) -> sa.Select[tuple[int]]:
    """Return the select of the ids of a whole list, in the order of its pages."""
    order = (Case.ended_at.desc(), Case.id.desc()) if choice.tab is Tab.ENDED else (Case.rank, Case.due_at, Case.id)
    return (
        sa.select(Case.id).where(visible(viewer), _in_tab(viewer, choice.tab, now), *_chosen(choice)).order_by(*order)
    )


def counts_for(
    viewer: Account, tabs: Collection[Tab], *, now: datetime, text: str = "", up_to: int | None = None
) -> dict[Tab, int]:
    """Return how many requests each view holds, counted no further than one beyond COUNTED_UP_TO.

    :param text: count only those that a search for it finds
    :param up_to: count no further than one beyond this instead
    """
    most = COUNTED_UP_TO if up_to is None else up_to
    mine = sa.and_(visible(viewer), said_in(text)) if text else visible(viewer)
    counted = [
        sa.select(sa.func.count())
        .select_from(sa.select(Case.id).where(mine, _in_tab(viewer, tab, now)).limit(most + 1).subquery())
        .scalar_subquery()
        for tab in tabs
    ]
    return dict(zip(tabs, db.session.execute(sa.select(*counted)).one(), strict=True))


@dataclass(frozen=True)
class Load:
    """What is open before a viewer, counted like views, and the one that is late longest."""

    open: int
    late: int
    today: int
    longest: Case | None


def load_of(viewer: Account, *, now: datetime) -> Load:
    """Return what the viewer's list begins with: how much is open, late, due today, and where the oldest lies."""
    tab = Tab.OWED if tabs_for(viewer)[0] is Tab.OWED else Tab.OPEN
    counts = counts_for(viewer, (tab, Tab.LATE, Tab.TODAY), now=now)
    longest = db.session.scalar(
        sa.select(Case)
        .where(visible(viewer), _in_tab(viewer, Tab.LATE, now))
        .options(joinedload(Case.answerable))
        .order_by(Case.due_at, Case.id)
        .limit(1)
    )
    return Load(open=counts[tab], late=counts[Tab.LATE], today=counts[Tab.TODAY], longest=longest)


def units_in_list(viewer: Account) -> Sequence[Organisation]:
    """Return the units that owe a step on something the viewer sees, by name."""
    mine = visible(viewer)
    if mine is sa.true():  # whether a unit owes anything is one look; collecting all that is owed is thousands
        owing = sa.exists().where(Case.answerable_id == Organisation.id)
    else:
        owing = Organisation.id.in_(sa.select(Case.answerable_id).where(mine, OPEN))
    return db.session.scalars(
        sa.select(Organisation).where(owing).order_by(Organisation.short_name, Organisation.id)
    ).all()


def _may(viewer: Account, *permissions: Permission) -> bool:
    return any(viewer.may(permission) for permission in permissions)


def _in_tab(viewer: Account, tab: Tab, now: datetime) -> sa.ColumnElement[bool]:
    tonight = datetime.combine(office_day(now), time.max, tzinfo=OFFICE)
    if tab is Tab.ENDED:
        return Case.ended_at.is_not(None)
    for_supervisor = Case.state.in_(sorted(BY_A_SUPERVISOR))
    conditions = {
        Tab.OPEN: [],
        Tab.WATCH: [sa.or_(Case.due_at <= tonight, for_supervisor)],
        Tab.LATE: [Case.due_at < now],
        Tab.TODAY: [Case.due_at >= now, Case.due_at <= tonight],
        Tab.OWED: [Case.state.in_(sorted(OWED_BY_THE_LEAD_UNIT))],
        Tab.TO_ASSIGN: [Case.state.in_([CaseState.REGISTERED, CaseState.RETURNED])],
        Tab.TO_ACCEPT: [Case.state == CaseState.ASSIGNED],
        Tab.TO_ANSWER: [Case.state == CaseState.ACCEPTED],
        Tab.TO_HEAR: [Case.state == CaseState.REPLIED],
        Tab.TO_DECIDE: [sa.or_(for_supervisor, Case.id.in_(_more_time_asked()))],
        Tab.TO_APPROVE: [Case.state == CaseState.DRAFTED],
        Tab.CO_HANDLED: [Case.id.in_(_parts_owed(viewer))],
    }[tab]
    if tab in (Tab.OWED, Tab.TO_ACCEPT, Tab.TO_ANSWER):
        led = reached_ids(viewer, Permission.CASE_HANDLE)
        conditions.append(Case.lead_id.is_not(None) if led is None else Case.lead_id.in_(led))
    return sa.and_(OPEN, *conditions)


def _more_time_asked() -> sa.Select[tuple[int]]:
    return sa.select(Extension.case_id).where(Extension.decided_at.is_(None))


def _parts_owed(viewer: Account) -> sa.Select[tuple[int]]:
    led = reached_ids(viewer, Permission.CASE_HANDLE)
    theirs = CasePart.unit_id.is_not(None) if led is None else CasePart.unit_id.in_(led)
    return sa.select(CasePart.case_id).where(theirs, CasePart.given_at.is_(None), CasePart.released_at.is_(None))


def _chosen(choice: Choice) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if choice.topic is not None:
        conditions.append(Case.topic == choice.topic)
    if choice.source is not None:
        conditions.append(Case.source == choice.source)
    if choice.unit_id is not None:
        conditions.append(sa.func.coalesce(Case.answerable_id, Case.lead_id) == choice.unit_id)
    if choice.text:
        conditions.append(said_in(choice.text))
    return conditions


def said_in(text: str) -> sa.ColumnElement[bool]:
    """Return the condition on Case for a text typed into a search: the beginning of a number, or words of a person."""
    number = unicodedata.normalize("NFKC", text).strip()
    if NUMBER_BEGINS.fullmatch(number):
        return sa.and_(Case.number >= number, Case.number < number + LAST_SIGN)
    return people.said_of(Case.person_id, text)


NUMBER_BEGINS = re.compile(r"\d{4}-\d{0,6}|(?:19|20)\d{2}", re.ASCII)
