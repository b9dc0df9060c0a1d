"""What happened to a request, as people read it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.cases.models import Answer, Case
from outreach.cases.queries.reaching import visible
from outreach.cases.rules.answers import AnswerKind, FailedAttempt, ReachChannel, Satisfaction
from outreach.cases.rules.telling import ANSWERED, ASKED, BY_THE_PERSON, ENDED, Happening, Outcome
from outreach.kernel import history
from outreach.kernel.actor import ActorKind
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.history import HistoryLine
from outreach.organisations.models import Account, Organisation
from outreach.people.rules import Purpose, TimelineEntry
from outreach.people.rules.merging import Named


def failed_attempts(answer: Answer) -> list[FailedAttempt]:
    """Return the logged attempts that did not reach the person, on their office days."""
    return [
        FailedAttempt(channel=attempt.channel, day=office_day(attempt.at))
        for attempt in answer.attempts
        if not attempt.reached
    ]


@dataclass(frozen=True)
class PastEntry:
    """One line of a request's history as people read it; enum values in `values` are shown by their labels."""

    at: datetime
    happening: Happening
    sentence: str
    values: dict[str, Any]
    words: str | None
    due_at: datetime | None


def past_of(case: Case) -> list[PastEntry]:
    """Return the request's history, latest first."""
    lines = history.lines_of(case.subject)
    names = _names_of({line.actor_id for line in lines if line.actor_kind is ActorKind.STAFF})
    units = _units_of({line.facts["unit"] for line in lines if line.facts.get("unit")})
    outside = {part.id: part.name for part in case.parts}
    numbers = _numbers_of({line.facts["case"] for line in lines if line.facts.get("case")})
    return [_past_entry(case, line, names, units, outside, numbers) for line in reversed(lines)]


def last_actor(case: Case) -> str:
    """Return the name of whoever changed the request last, or "" where the system did."""
    line = history.lines_of(case.subject)[-1]
    return _who(case, line, _names_of({line.actor_id} if line.actor_kind is ActorKind.STAFF else set()))


def opened_before(case: Case, answer: Answer) -> bool:
    """Tell whether the person whose request was merged has opened this answer already."""
    return any(
        line.act == Happening.OPENED and line.facts.get("answer") == answer.id
        for line in history.lines_of(case.subject)
    )


def added_by_person(case: Case) -> list[PastEntry]:
    """Return what the person added to their request, oldest first; notes of desks are not among it."""
    return [entry for entry in reversed(past_of(case)) if entry.happening is Happening.ADDED]


def name_rows(viewer: Account, ids: Collection[int]) -> dict[int, Named]:
    """Return requests by number and title, those the viewer may see."""
    found = db.session.scalars(sa.select(Case).where(Case.id.in_(ids), visible(viewer)).order_by(Case.id))
    return {one.id: Named(f"{one.number} {one.title}", "cases.show", {"case_id": one.id}) for one in found}


def timeline_of(*, person_id: int, before: datetime, limit: int) -> list[TimelineEntry]:
    """Return what the person asked for and what was answered before a moment, latest first."""
    asked = db.session.scalars(
        sa.select(Case)
        .where(Case.person_id == person_id, Case.created_at < before)
        .order_by(Case.created_at.desc(), Case.id.desc())
        .limit(limit)
    )
    answered = db.session.scalars(
        sa.select(Answer)
        .join(Answer.case)
        .where(Case.person_id == person_id, Answer.answered_at < before)
        .options(joinedload(Answer.case), joinedload(Answer.unit))
        .order_by(Answer.answered_at.desc(), Answer.id.desc())
        .limit(limit)
    )
    ended = db.session.scalars(
        sa.select(Case)
        .where(Case.person_id == person_id, Case.ended_at < before)
        .order_by(Case.ended_at.desc(), Case.id.desc())
        .limit(limit)
    )
    entries = [
        *(
            _entry(case, at=case.created_at, kind="case", key=f"case:{case.id}", sentence=ASKED, words=case.words)
            for case in asked
        ),
        *(
            _entry(
                answer.case,
                at=answer.answered_at,
                kind="answer",
                key=f"answer:{answer.id}",
                sentence=ANSWERED,
                words=answer.text,
                unit=answer.unit.short_name,
            )
            for answer in answered
        ),
        *(
            _entry(case, at=case.ended_at, kind="case", key=f"case:{case.id}:end", sentence=ENDED, state=case.state)
            for case in ended
        ),
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.key), reverse=True)[:limit]


def _entry(
    case: Case, *, at: datetime, kind: str, key: str, sentence: str, words: str | None = None, **values: object
) -> TimelineEntry:
    return TimelineEntry(
        at=at,
        purpose=Purpose.SERVICE,
        kind=kind,
        key=key,
        sentence=sentence,
        values={"title": case.title, **values},
        words=words,
        endpoint="cases.show",
        arguments={"case_id": case.id},
    )


def _names_of(account_ids: Collection[int | None]) -> dict[int, str]:
    known = [account_id for account_id in account_ids if account_id is not None]
    if not known:
        return {}
    return dict(db.session.execute(sa.select(Account.id, Account.name).where(Account.id.in_(known))).all())


def _units_of(unit_ids: Collection[int]) -> dict[int, str]:
    if not unit_ids:
        return {}
    found = db.session.execute(sa.select(Organisation.id, Organisation.short_name).where(Organisation.id.in_(unit_ids)))
    return dict(found.all())


def _numbers_of(case_ids: Collection[int]) -> dict[int, str]:
    if not case_ids:
        return {}
    return dict(db.session.execute(sa.select(Case.id, Case.number).where(Case.id.in_(case_ids))).all())


CHOICES: dict[str, Callable[[str], AnswerKind | ReachChannel | Satisfaction]] = {
    "kind": AnswerKind,
    "channel": ReachChannel,
    "satisfaction": Satisfaction,
}


def _past_entry(
    case: Case,
    line: HistoryLine,
    names: dict[int, str],
    units: dict[int, str],
    parts: dict[int, str],
    numbers: dict[int, str],
) -> PastEntry:
    facts = line.facts
    unit = parts.get(facts["part"], "") if "part" in facts else units.get(facts.get("unit") or 0, "")
    values: dict[str, Any] = {
        "who": _who(case, line, names),
        "unit": unit,
        "days": facts.get("days"),
        "year": facts.get("year"),
        "was": datetime.fromisoformat(facts["was"]) if "was" in facts else None,
        "due": datetime.fromisoformat(facts["due"]) if "due" in facts else None,
        "case": numbers.get(facts.get("case") or 0, ""),
    }
    for key, kind in CHOICES.items():
        if key in line.facts:
            values["choice"] = kind(line.facts[key])
    if "solved" in line.facts:
        values["outcome"] = Outcome.SOLVED if line.facts["solved"] else Outcome.UNSOLVED
    happening = Happening(line.act)
    own = BY_THE_PERSON.get(happening) if line.actor_kind is ActorKind.ATTENDEE else None
    return PastEntry(
        at=line.at,
        happening=happening,
        sentence=own or happening.label,
        values=values,
        words=line.words.text if line.words else None,
        due_at=datetime.fromisoformat(line.facts["due_at"]) if line.facts.get("due_at") else None,
    )


def _who(case: Case, line: HistoryLine, names: dict[int, str]) -> str:
    if line.actor_kind is ActorKind.ATTENDEE:
        return case.person.name
    return names.get(line.actor_id or 0, "")
