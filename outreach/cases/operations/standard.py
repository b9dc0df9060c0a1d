"""Keeping the standard answers of a unit. Each change leaves what was said before in the history."""

from datetime import datetime

import sqlalchemy as sa

from outreach.cases.models import StandardAnswer
from outreach.cases.rules.standard import StandardChangedMeanwhile, StandardText, check, cited
from outreach.kernel import history
from outreach.kernel.actor import Actor
from outreach.kernel.database import db, locked
from outreach.organisations.models import Organisation


def keep_standard(*, unit: Organisation, kept: StandardText, by: Actor, now: datetime) -> StandardAnswer:
    """Keep a new one for the unit.

    :raises Refused: what `rules.standard.check` refuses
    """
    check(kept)
    standard = StandardAnswer(unit=unit, **_columns(kept))
    db.session.add(standard)
    db.session.flush()
    history.write(subject=standard.subject, act="standard_answer_kept", by=by, now=now)
    return standard


def change_standard(*, standard: StandardAnswer, kept: StandardText, version: int, by: Actor, now: datetime) -> None:
    """Say it otherwise; answers that were given with it stay as they were.

    :raises StandardChangedMeanwhile: if somebody else changed it since `version`
    :raises Refused: what `rules.standard.check` refuses
    """
    _hold(standard, version)
    check(kept)
    before = standard.kept
    if kept == before:
        return
    for name, value in _columns(kept).items():
        setattr(standard, name, value)
    said = "\n".join(part for part in (before.title, before.text, cited(before), before.link) if part)
    history.write(subject=standard.subject, act="standard_answer_changed", by=by, now=now, words=said)


def retire_standard(*, standard: StandardAnswer, retired: bool, version: int, by: Actor, now: datetime) -> None:
    """Take it out of what can be chosen, or put it back.

    :raises StandardChangedMeanwhile: if somebody else changed it since `version`
    """
    _hold(standard, version)
    if retired is (standard.retired_at is not None):
        return
    standard.retired_at = now if retired else None
    act = "standard_answer_retired" if retired else "standard_answer_restored"
    history.write(subject=standard.subject, act=act, by=by, now=now)


def _hold(standard: StandardAnswer, version: int) -> None:
    held = db.session.scalars(locked(sa.select(StandardAnswer).where(StandardAnswer.id == standard.id))).one()
    if held.version != version:
        raise StandardChangedMeanwhile


def _columns(kept: StandardText) -> dict[str, object]:
    return {
        "topic": kept.topic,
        "title": kept.title,
        "text": kept.text,
        "document": kept.document or None,
        "number": kept.number or None,
        "article": kept.article or None,
        "rule_link": kept.link or None,
    }
