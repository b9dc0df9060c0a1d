"""Two requests for the same thing: one goes on, the other is merged into it, with a way back."""

from datetime import datetime

from outreach.cases.models import Case
from outreach.cases.operations.writing import enter, held, record, tell_person
from outreach.cases.rules.moves import MergedIntoItself, Move, OthersMergedHere, TargetEnded, after
from outreach.cases.rules.telling import Happening
from outreach.kernel.actor import SYSTEM, Actor
from outreach.kernel.database import db


def merge(*, case: Case, into: Case, version: int, by: Actor, now: datetime) -> None:
    """Merge a request into another open one: whoever asked gets the answer of that one.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it has an answer already, or has ended
    :raises MergedIntoItself: if both are the same
    :raises TargetEnded: if the other has ended
    :raises OthersMergedHere: if others were merged into the first one
    """
    first, second = sorted((case, into), key=lambda each: each.id)  # one order for everybody, so that nobody waits
    held(first), held(second)
    case = held(case, version=version)
    after(case.state, Move.MERGE)
    if case.id == into.id:
        raise MergedIntoItself
    if not into.state.is_open:
        raise TargetEnded(number=into.number, state=into.state)
    if case.merged:
        raise OthersMergedHere
    case.handler, case.accepted_at = None, None
    with db.session.no_autoflush:  # the state and what it is merged into change together
        case.merged_into = into
        enter(case, after(case.state, Move.MERGE), now=now)
    record(case, Happening.MERGED, by=by, now=now, facts={"case": into.id})
    tell_person(case, "merged", now=now, other_unit=(into.lead or into.intake).short_name)


def split(*, case: Case, version: int, by: Actor, now: datetime) -> None:
    """Take a request out of the one it was merged into; the intake desk assigns it, and its clock never stopped.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if it is not merged
    """
    _split(held(case, version=version), by=by, now=now)


def split_all(*, case: Case, now: datetime) -> None:
    """Take out whatever was merged into a request that ends without an answer: the others still wait for theirs."""
    for merged in list(case.merged):
        _split(held(merged), by=SYSTEM, now=now)


def _split(case: Case, *, by: Actor, now: datetime) -> None:
    state = after(case.state, Move.SPLIT)
    other = case.merged_into_id
    with db.session.no_autoflush:
        case.merged_into = None
        enter(case, state, now=now)
    record(case, Happening.SPLIT, by=by, now=now, facts={"case": other})
