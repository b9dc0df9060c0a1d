"""Somebody leaves: everything open goes to a named successor in one step."""

from datetime import datetime

import sqlalchemy as sa

from outreach.cases import operations as cases
from outreach.events import operations as events
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.clock import office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.liaison import queries
from outreach.liaison.models import HandOver, Pairing
from outreach.liaison.operations import planning
from outreach.liaison.queries import handing_over
from outreach.liaison.queries.planning import open_plan
from outreach.liaison.rules import PairingKind
from outreach.liaison.rules.handing_over import NothingToHandOver, Roles, SameAccount, check_successor
from outreach.notices import operations as notices
from outreach.organisations.models import Account
from outreach.organisations.rules import Role


def hand_over(*, leaver: Account, successor: Account, by: Account, now: datetime) -> HandOver:
    """Give a successor everything open that hangs on who leaves, and tell both.

    Pairings the leaver leads end today and begin anew with the successor, with the same rhythm and liaison officer, so
    that it stays known who met whom; of those the leaver logs for, the successor becomes the liaison officer. Planned
    visits, requests in the leaver's hands and unfinished drafts go along. The leaver's calendar is closed.

    :raises SameAccount: if they are one
    :raises NothingToHandOver: if nothing is open
    :raises SuccessorCannotLead: and SuccessorCannotServe, if the successor lacks the role for what is handed over
    """
    if leaver.id == successor.id:
        raise SameAccount
    db.session.scalars(
        locked(sa.select(Account.id).where(Account.id.in_(sorted((leaver.id, successor.id)))).order_by(Account.id))
    ).all()
    found = handing_over.open_of(leaver)
    if not found:
        raise NothingToHandOver(leaver=leaver.name)
    check_successor(
        leaver=leaver.name,
        name=successor.name,
        leads=len(found.led),
        serves=len(found.served),
        roles=Roles(
            leads=successor.has_role(Role.LEADER) or successor.has_role(Role.SERVICE_OFFICER),
            serves=successor.has_role(Role.LIAISON_OFFICER),
        ),
    )
    actor = by.actor
    led = [[one.id, _lead_on(one, successor, by=actor, now=now).id] for one in found.led]
    for one in found.served:
        _serve_on(one, successor, by=actor, now=now)
    planning.revoke_feed(account=leaver, now=now)
    taken = HandOver(
        organisation_id=(*found.led, *found.served)[0].organisation_id
        if found.led or found.served
        else by.organisation_id,
        leaver=leaver,
        successor=successor,
        by=by,
        at=now,
        taken={
            "led": led,
            "served": [one.id for one in found.served],
            "plans": [one.id for one in found.plans if one.is_open],
            "cases": cases.hand_on(leaver=leaver, successor=successor, by=actor, now=now),
            "drafts": events.hand_on_drafts(author=leaver, to=successor, by=actor, now=now),
        },
    )
    db.session.add(taken)
    db.session.flush()
    history.write(
        subject=Subject("hand_over", taken.id),
        act="handed_over",
        by=actor,
        now=now,
        facts={"leaver": leaver.id, "successor": successor.id, **taken.taken},
    )
    for account in (leaver, successor):
        notices.tell_account(
            kind="handed_over",
            account=account,
            template="liaison/messages/handed_over.txt",
            values={
                "name": account.name,
                "leaver": leaver.name,
                "successor": successor.name,
                "pairings": len(led) + len(found.served),
                "plans": len(taken.taken["plans"]),
                "cases": len(taken.taken["cases"]),
                "id": taken.id,
            },
            about=Subject("hand_over", taken.id),
            now=now,
        )
    return taken


def _lead_on(pairing: Pairing, successor: Account, *, by: Actor, now: datetime) -> Pairing:
    today = office_day(now)
    db.session.scalar(locked(sa.select(Pairing).where(Pairing.id == pairing.id)))
    pairing.ends_on = max(pairing.starts_on, today)
    db.session.flush()
    onward = queries.living_pairing(successor, pairing.person)
    if onward is None:
        officer_id = pairing.liaison_officer_id if pairing.liaison_officer_id != successor.id else None
        onward = Pairing(
            organisation_id=pairing.organisation_id,
            kind=PairingKind.LEADER if successor.has_role(Role.LEADER) else PairingKind.OFFICER,
            leader=successor,
            liaison_officer_id=officer_id,
            person_id=pairing.person_id,
            rhythm=pairing.rhythm,
            starts_on=max(pairing.starts_on, today),
            created_at=now,
        )
        db.session.add(onward)
        db.session.flush()
        _note(onward, "taken_over", by=by, now=now, facts={"of": pairing.id})
    _note(pairing, "handed_over", by=by, now=now, facts={"to": onward.id, "ends_on": pairing.ends_on.isoformat()})
    if open_plan(onward) is None:
        planning.hand_on(pairing=pairing, onward=onward, by=by, now=now)
    else:
        planning.drop(pairing=pairing, by=by, now=now)
    return onward


def _serve_on(pairing: Pairing, successor: Account, *, by: Actor, now: datetime) -> None:
    db.session.scalar(locked(sa.select(Pairing).where(Pairing.id == pairing.id)))
    pairing.liaison_officer_id = successor.id if pairing.leader_id != successor.id else None
    _note(pairing, "officer_changed", by=by, now=now, facts={"liaison_officer": pairing.liaison_officer_id})


def _note(pairing: Pairing, act: str, *, by: Actor, now: datetime, facts: dict[str, object]) -> None:
    history.write(subject=Subject("pairing", pairing.id), act=act, by=by, now=now, facts=facts)
