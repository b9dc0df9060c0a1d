"""Deciding, once a year, what becomes of each pairing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.clock import office_day
from outreach.kernel.database import db, locked
from outreach.kernel.history import Subject
from outreach.liaison.models import Pairing, PairingReview
from outreach.liaison.operations import end_pairing
from outreach.liaison.rules.reviewing import Decided, Decision, NothingDecided, RhythmMissing, check_year
from outreach.organisations.models import Account


def review(
    *, year: int, decided: Sequence[Decided], pairings: Mapping[int, Pairing], by: Account, now: datetime
) -> int:
    """Carry out what was decided of the pairings of a year; return of how many.

    :param pairings: those that may be decided on, by id; what names another is passed over
    :raises NotThisYear: for a year that is not under review
    :raises NothingDecided: without any
    :raises RhythmMissing: where the rhythm is to change and is the same
    """
    check_year(year, office_day(now))
    mine = [one for one in decided if one.pairing_id in pairings]
    if not mine:
        raise NothingDecided
    for one in sorted(mine, key=lambda each: each.pairing_id):
        _carry_out(pairings[one.pairing_id], one, year=year, by=by, now=now)
    return len(mine)


def _carry_out(pairing: Pairing, one: Decided, *, year: int, by: Account, now: datetime) -> None:
    db.session.scalar(locked(sa.select(Pairing).where(Pairing.id == pairing.id)))
    if pairing.ends_on is not None:  # somebody else was quicker
        return
    before = pairing.rhythm
    if one.decision is Decision.CHANGE:
        if one.rhythm is None or one.rhythm is before:
            raise RhythmMissing(talent=pairing.person.name)
        pairing.rhythm = one.rhythm
    kept = db.session.scalar(
        locked(sa.select(PairingReview).where(PairingReview.pairing_id == pairing.id, PairingReview.year == year))
    ) or PairingReview(pairing_id=pairing.id, year=year)
    kept.decision, kept.rhythm_before, kept.rhythm_after = one.decision, before.value, pairing.rhythm
    kept.reviewed_by_id, kept.reviewed_at = by.id, now
    db.session.add(kept)
    db.session.flush()
    history.write(
        subject=Subject("pairing", pairing.id),
        act="reviewed",
        by=by.actor,
        now=now,
        facts={"year": year, "decision": one.decision, "from": before, "to": pairing.rhythm},
    )
    if one.decision is Decision.END:
        end_pairing(pairing=pairing, ends_on=max(pairing.starts_on, office_day(now)), by=by.actor, now=now)
