"""Reading pairings and visits: who may see them, what is due, who met whom when."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from outreach.kernel.clock import office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import HistoryLine, Subject, lines_of
from outreach.kernel.paging import SIZE, Page
from outreach.liaison.models import Pairing, PlannedVisit, Visit, VisitLeader, VisitTalent
from outreach.liaison.rules import PAIRING_ACTS, Due, DueState, VisitWay, due
from outreach.organisations.models import Account, Grant, Organisation
from outreach.organisations.queries import reach, reaches
from outreach.organisations.rules import ROLE_PERMISSIONS, Permission, Role
from outreach.people.models import Person
from outreach.people.rules.merging import Named


@dataclass(frozen=True)
class Contact:
    """That somebody met a talent: when, how, and who."""

    visit_id: int
    at: datetime
    way: VisitWay
    leaders: tuple[str, ...]


@dataclass(frozen=True)
class PairingDue:
    """A pairing as a list shows it: when the next contact is due, the last one, and the last by anybody."""

    pairing: Pairing
    due: Due
    last: Contact | None
    last_by_anyone: Contact | None
    planned: PlannedVisit | None = None
    planned_by_others: Sequence[PlannedVisit] = ()

    @property
    def met_by_others_since(self) -> Contact | None:
        """The last contact by somebody else, where it is later than the leader's own."""
        other = self.last_by_anyone
        if other is None or (self.last is not None and other.visit_id == self.last.visit_id):
            return None
        return other


@dataclass(frozen=True)
class DueCounts:
    """How many pairings stand how."""

    all: int
    overdue: int
    soon: int
    never_met: int


# --- scopes ------------------------------------------------------------------------------------


LIVING = Pairing.ends_on.is_(None)
OPEN_PLAN = sa.and_(PlannedVisit.cancelled_at.is_(None), PlannedVisit.visit_id.is_(None))


def of(viewer: Account) -> Any:
    """Return the condition on Pairing for those the viewer leads or serves."""
    return sa.or_(Pairing.leader_id == viewer.id, Pairing.liaison_officer_id == viewer.id)


def seen_by(viewer: Account) -> Any:
    """Return the condition on Pairing for those the viewer may see."""
    return sa.or_(of(viewer), Pairing.organisation_id.in_(reach(viewer, Permission.PAIRING_READ)))


def paired_people(viewer: Account) -> sa.Select[tuple[int]]:
    """Return a select of the ids of the talents whom the viewer meets, as leader, officer or liaison officer.

    The requests of these people are the viewer's to follow (cases.queries.followed_people).
    """
    return sa.select(Pairing.person_id).where(of(viewer), LIVING)


def pairing_for(viewer: Account, pairing_id: int) -> Pairing:
    """Return a pairing the viewer may see, or answer 404."""
    return db.first_or_404(
        sa.select(Pairing)
        .where(Pairing.id == pairing_id, seen_by(viewer))
        .options(joinedload(Pairing.person), joinedload(Pairing.leader), joinedload(Pairing.liaison_officer))
    )


def may_edit(viewer: Account, pairing: Pairing) -> bool:
    """Tell whether the viewer may end a pairing."""
    return reaches(viewer, pairing.organisation, Permission.PAIRING_EDIT)


def pairing_for_editing(viewer: Account, pairing_id: int) -> Pairing:
    """Return a pairing the viewer may end, its row held until the transaction ends, or answer 404."""
    return db.first_or_404(
        locked(
            sa.select(Pairing).where(
                Pairing.id == pairing_id, Pairing.organisation_id.in_(reach(viewer, Permission.PAIRING_EDIT))
            )
        )
    )


def who_may_keep_in_touch(viewer: Account, *roles: Role) -> Sequence[Account]:
    """Return those at work who hold one of these roles where the viewer may pair people, by unit and name."""
    return (
        db.session.scalars(
            sa.select(Account)
            .join(Organisation, Organisation.id == Account.organisation_id)
            .where(
                Account.disabled_at.is_(None),
                sa.exists().where(
                    Grant.account_id == Account.id,
                    Grant.role.in_(roles),
                    Grant.organisation_id.in_(reach(viewer, Permission.PAIRING_EDIT)),
                ),
            )
            .options(joinedload(Account.organisation))
            .order_by(Organisation.path, Account.name, Account.id)
        )
        .unique()
        .all()
    )


def unit_that_pairs(viewer: Account, leader: Account) -> Organisation:
    """Return the unit whose pairing it will be: of those where the viewer may pair, the one nearest above the leader.

    It keeps the list, and what is asked on visits comes to its desk.
    """
    above = [
        grant.organisation
        for grant in viewer.grants_now
        if Permission.PAIRING_EDIT in ROLE_PERMISSIONS[grant.role]
        and any(held.organisation.path.startswith(grant.organisation.path) for held in leader.grants)
    ]
    return max(above, key=lambda unit: len(unit.path))


def history_of_pairing(pairing: Pairing) -> Sequence[HistoryLine]:
    """Return what happened to a pairing, newest first."""
    return [line for line in reversed(lines_of(Subject("pairing", pairing.id))) if line.act in PAIRING_ACTS]


def pairings_of_person(viewer: Account, person_id: int) -> Sequence[Pairing]:
    """Return a talent's pairings that the viewer may see, living ones first, then the latest."""
    return db.session.scalars(
        sa.select(Pairing)
        .where(Pairing.person_id == person_id, seen_by(viewer))
        .options(joinedload(Pairing.leader), joinedload(Pairing.liaison_officer))
        .order_by(Pairing.ends_on.is_not(None), Pairing.starts_on.desc(), Pairing.id.desc())
    ).all()


def living_of_both(one_id: int, other_id: int) -> list[tuple[Pairing, Pairing]]:
    """Return the living pairings that the same leaders have with two records, the earlier of each pair first."""
    found: dict[int, list[Pairing]] = {}
    for pairing in db.session.scalars(
        sa.select(Pairing)
        .where(Pairing.person_id.in_((one_id, other_id)), Pairing.ends_on.is_(None))
        .order_by(Pairing.starts_on, Pairing.id)
    ):
        found.setdefault(pairing.leader_id, []).append(pairing)
    return [tuple(pair) for pair in found.values() if len(pair) == 2]


def is_paired_with(viewer: Account, person_id: int) -> bool:
    """Tell whether the viewer meets this talent, as leader, officer or liaison officer."""
    return db.session.scalar(paired_people(viewer).where(Pairing.person_id == person_id).limit(1)) is not None


# --- what is due -------------------------------------------------------------------------------


def standings_of(where: Any, *, now: datetime) -> list[tuple[Due, int]]:
    """Return every living pairing's due and id, the longest overdue first.

    One light row per pairing: the rule that adds months stands once, in rules.due, not again in two dialects
    of SQL. A city has some thousands of pairings; only the rows of the page shown are loaded whole.
    """
    last_at = (
        sa.select(sa.func.max(Visit.at))
        .join(VisitTalent, VisitTalent.visit_id == Visit.id)
        .join(VisitLeader, VisitLeader.visit_id == Visit.id)
        .where(
            VisitTalent.person_id == Pairing.person_id,
            VisitLeader.account_id == Pairing.leader_id,
            Visit.at <= now,
        )
        .scalar_subquery()
    )
    today = office_day(now)
    rows = db.session.execute(sa.select(Pairing.id, Pairing.rhythm, Pairing.starts_on, last_at).where(where, LIVING))
    return sorted(
        (
            (
                due(
                    rhythm=rhythm,
                    starts_on=starts_on,
                    last_on=office_day(last) if last else None,
                    today=today,
                ),
                pairing_id,
            )
            for pairing_id, rhythm, starts_on, last in rows
        ),
        key=lambda standing: (standing[0].due_on, standing[1]),
    )


def due_counts(viewer: Account, *, now: datetime, mine: bool) -> DueCounts:
    """Return how many of the viewer's (or of all visible) living pairings stand how."""
    standings = [standing for standing, _ in standings_of(of(viewer) if mine else seen_by(viewer), now=now)]
    return DueCounts(
        all=len(standings),
        overdue=sum(standing.state is DueState.OVERDUE for standing in standings),
        soon=sum(standing.state is DueState.SOON for standing in standings),
        never_met=sum(standing.never_met for standing in standings),
    )


def due_pairings(
    viewer: Account,
    *,
    now: datetime,
    mine: bool,
    state: DueState | None = None,
    never_met: bool = False,
    cursor: str | None = None,
    size: int = SIZE,
) -> Page[PairingDue]:
    """Return one page of living pairings, the longest overdue first.

    `mine` keeps to those the viewer leads or serves; otherwise all that the viewer may see. A damaged cursor
    gives the first page.
    """
    standings = [
        (standing, pairing_id)
        for standing, pairing_id in standings_of(of(viewer) if mine else seen_by(viewer), now=now)
        if (state is None or standing.state is state) and (not never_met or standing.never_met)
    ]
    keys = [(standing.due_on, pairing_id) for standing, pairing_id in standings]
    begin, end = _window(keys, cursor, size)
    shown = standings[begin:end]
    return Page(
        items=whole(shown, now=now),
        previous=_mark("before", keys[begin]) if shown and begin > 0 else None,
        next=_mark("after", keys[end - 1]) if shown and end < len(keys) else None,
    )


def pairing_ids(
    viewer: Account, *, now: datetime, mine: bool, state: DueState | None, never_met: bool
) -> sa.Select[tuple[int]]:
    """Return the select of the ids of the pairings that `due_pairings` lists, by leader."""
    where = of(viewer) if mine else seen_by(viewer)
    if state is not None or never_met:
        where = Pairing.id.in_(
            [
                pairing_id
                for standing, pairing_id in standings_of(where, now=now)
                if (state is None or standing.state is state) and (not never_met or standing.never_met)
            ]
        )
    return sa.select(Pairing.id).where(where, LIVING).order_by(Pairing.organisation_id, Pairing.leader_id, Pairing.id)


def _mark(side: str, key: tuple[date, int]) -> str:
    return f"{side}_{key[0].isoformat()}_{key[1]}"


def _window(keys: Sequence[tuple[date, int]], cursor: str | None, size: int) -> tuple[int, int]:
    try:
        side, day, pairing_id = (cursor or "").split("_")
        key = (date.fromisoformat(day), int(pairing_id))
    except ValueError:
        return 0, min(size, len(keys))
    if side == "before":
        end = bisect_left(keys, key)
        return max(0, end - size), end
    begin = bisect_right(keys, key)
    return begin, min(begin + size, len(keys))


def whole(standings: Sequence[tuple[Due, int]], *, now: datetime) -> list[PairingDue]:
    """Return these pairings, in this order, with their last contacts and what is planned."""
    pairings = {
        pairing.id: pairing
        for pairing in db.session.scalars(
            sa.select(Pairing)
            .where(Pairing.id.in_([pairing_id for _, pairing_id in standings]))
            .options(joinedload(Pairing.person), joinedload(Pairing.leader), joinedload(Pairing.liaison_officer))
        )
    }
    by_anyone = last_contacts([pairing.person_id for pairing in pairings.values()], now=now)
    own = _last_of_pairings(pairings.values(), now=now)
    plans = plans_about([pairing.person_id for pairing in pairings.values()])

    def planned(pairing: Pairing, *, own: bool) -> list[PlannedVisit]:
        return [one for one in plans.get(pairing.person_id, []) if (one.pairing_id == pairing.id) is own]

    return [
        PairingDue(
            pairing=pairings[pairing_id],
            due=standing,
            last=own.get(pairing_id),
            last_by_anyone=by_anyone.get(pairings[pairing_id].person_id),
            planned=next(iter(planned(pairings[pairing_id], own=True)), None),
            planned_by_others=planned(pairings[pairing_id], own=False),
        )
        for standing, pairing_id in standings
    ]


def _last_of_pairings(pairings: Iterable[Pairing], *, now: datetime) -> dict[int, Contact]:
    ranked = (
        sa.select(
            Pairing.id.label("pairing_id"),
            Visit.id.label("visit_id"),
            sa.func.row_number()
            .over(partition_by=Pairing.id, order_by=(Visit.at.desc(), Visit.id.desc()))
            .label("nth"),
        )
        .join(VisitTalent, VisitTalent.person_id == Pairing.person_id)
        .join(Visit, Visit.id == VisitTalent.visit_id)
        .join(
            VisitLeader,
            sa.and_(VisitLeader.visit_id == Visit.id, VisitLeader.account_id == Pairing.leader_id),
        )
        .where(Pairing.id.in_([pairing.id for pairing in pairings]), Visit.at <= now)
        .subquery()
    )
    found = db.session.execute(sa.select(ranked.c.pairing_id, ranked.c.visit_id).where(ranked.c.nth == 1)).all()
    contacts = _contacts([visit_id for _, visit_id in found])
    return {pairing_id: contacts[visit_id] for pairing_id, visit_id in found}


def last_contacts(person_ids: Collection[int], *, now: datetime) -> Mapping[int, Contact]:
    """Return the last contact of each talent with any leader or officer; who was never met is missing."""
    ranked = (
        sa.select(
            VisitTalent.person_id,
            Visit.id.label("visit_id"),
            sa.func.row_number()
            .over(partition_by=VisitTalent.person_id, order_by=(Visit.at.desc(), Visit.id.desc()))
            .label("nth"),
        )
        .join(Visit, Visit.id == VisitTalent.visit_id)
        .where(VisitTalent.person_id.in_(person_ids), Visit.at <= now)
        .subquery()
    )
    found = db.session.execute(sa.select(ranked.c.person_id, ranked.c.visit_id).where(ranked.c.nth == 1)).all()
    contacts = _contacts([visit_id for _, visit_id in found])
    return {person_id: contacts[visit_id] for person_id, visit_id in found}


def _contacts(visit_ids: Collection[int]) -> dict[int, Contact]:
    found: dict[int, Contact] = {}
    for visit_id, at, way, leader in db.session.execute(
        sa.select(Visit.id, Visit.at, Visit.way, Account.name)
        .join(VisitLeader, VisitLeader.visit_id == Visit.id)
        .join(Account, Account.id == VisitLeader.account_id)
        .where(Visit.id.in_(visit_ids))
        .order_by(VisitLeader.id)
    ):
        before = found[visit_id].leaders if visit_id in found else ()
        found[visit_id] = Contact(visit_id=visit_id, at=at, way=way, leaders=(*before, leader))
    return found


def plans_about(person_ids: Collection[int]) -> dict[int, list[PlannedVisit]]:
    """Return the visits that anybody has planned to these talents, the soonest first, by the talent's id."""
    found: dict[int, list[PlannedVisit]] = {}
    for one in db.session.scalars(
        sa.select(PlannedVisit)
        .join(PlannedVisit.pairing)
        .where(OPEN_PLAN, Pairing.person_id.in_(person_ids))
        .options(contains_eager(PlannedVisit.pairing).joinedload(Pairing.leader))
        .order_by(PlannedVisit.day, PlannedVisit.id)
    ):
        found.setdefault(one.pairing.person_id, []).append(one)
    return found


def dues_of(pairings: Sequence[Pairing], *, now: datetime) -> dict[int, Due]:
    """Return when the next contact of each of these pairings is due, by the pairing's id."""
    last = _last_of_pairings(pairings, now=now)
    return {
        pairing.id: due(
            rhythm=pairing.rhythm,
            starts_on=pairing.starts_on,
            last_on=office_day(last[pairing.id].at) if pairing.id in last else None,
            today=office_day(now),
        )
        for pairing in pairings
    }


def loggable(viewer: Account, *, now: datetime) -> Sequence[PairingDue]:
    """Return the living pairings for which the viewer may log a visit, the longest overdue first."""
    return whole(standings_of(of(viewer), now=now), now=now)


def living_pairing(leader: Account, person: Person) -> Pairing | None:
    """Return the pairing without an end that joins a leader and a talent, or None."""
    return db.session.scalar(
        sa.select(Pairing).where(
            Pairing.leader_id == leader.id, Pairing.person_id == person.id, Pairing.ends_on.is_(None)
        )
    )


def name_pairings(viewer: Account, ids: Collection[int]) -> dict[int, Named]:
    """Return pairings by their leaders, those the viewer may see."""
    found = db.session.scalars(
        sa.select(Pairing)
        .where(Pairing.id.in_(ids), seen_by(viewer))
        .options(joinedload(Pairing.leader))
        .order_by(Pairing.id)
    )
    return {one.id: Named(one.leader.name, "liaison.pairing", {"pairing_id": one.id}) for one in found}
