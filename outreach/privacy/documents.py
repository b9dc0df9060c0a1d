"""The copy of everything about one person: a page to read and the same as data, in one file."""

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext

from outreach.kernel.clock import local
from outreach.people.models import ContactPoint
from outreach.privacy.queries import Everything

FIELDS = ("school", "major", "employer", "position", "home_town", "residence")
FROM_FILES = frozenset({"name", "gender", "birth", "identity_number", "degree", "phone", "email", *FIELDS})
"""What files said of the person that is a fact about them; other columns are the office's working notes."""


def as_data(held: Everything, *, contacts: Sequence[ContactPoint], now: datetime) -> dict[str, Any]:
    """Return everything as JSON-able data; times are those of the office, with their offset.

    Officials stand there as unit and role, never by name; an answer stands there once the person has had it.
    """
    person = held.person
    return {
        "made_at": _time(now),
        "record": {
            "name": person.name,
            "gender": _label(person.gender),
            "born": person.birth,
            "identity_number": person.identity_number,
            "degree": _label(person.degree),
            **{name: getattr(person, name) for name in FIELDS},
            "kept_by": person.organisation.name,
            "since": _time(person.created_at),
            "from_files": [
                {"about": entry["of"], "value": entry["value"]} for entry in person.aside if entry["of"] in FROM_FILES
            ],
            "reached_at": [point.value for point in contacts],
            "guardians": [
                {
                    "name": guardian.name,
                    "reached_at": guardian.contact_point.value if guardian.contact_point else None,
                    "since": _time(guardian.since),
                }
                for guardian in held.guardians
            ],
        },
        "consents": [
            {
                "given_at": _time(one.consent.given_at),
                "through": one.through.value if one.through else None,
                "for": one.event.title if one.event else one.case.title if one.case else None,
                "purpose": one.consent.text.purpose,
                "version": one.consent.text.version,
                "text": one.consent.text.text,
                "kept_months": one.consent.text.kept_months,
                "withdrawn_at": _time(one.consent.withdrawn_at),
            }
            for one in held.consents
        ],
        "registrations": [
            {
                "event": registration.event.title,
                "starts_at": _time(registration.event.starts_at),
                "as": registration.group.name,
                "state": _label(registration.state),
                "registered_at": _time(registration.created_at),
                "came_at": _time(came_at),
            }
            for registration, came_at in held.registrations
        ],
        "requests": [
            {
                "number": case.number,
                "asked_at": _time(case.created_at),
                "about": _label(case.topic),
                "title": case.title,
                "words": case.words,
                "state": _label(case.state),
                "answers": [
                    {
                        "unit": answer.unit.name,
                        "at": _time(answer.answered_at),
                        "text": answer.text,
                        "rule": answer.rule,
                        "your_word": _label(answer.feedback.satisfaction) if answer.feedback else None,
                        "your_words": answer.feedback.words if answer.feedback else None,
                    }
                    for answer in case.answers
                    if answer.delivered_at is not None
                ],
            }
            for case in held.requests
        ],
        "visits": [
            {"at": _time(visit.at), "how": _label(visit.way), "unit": visit.account.organisation.name}
            for visit in held.visits
        ],
        "who_looked": [
            {
                "at": _time(look.at),
                "unit": look.unit,
                "role": _label(look.role),
                "what": look.what,
                "reason": look.reason,
            }
            for look in held.looks
        ],
        "messages": [
            {"at": _time(message.created_at), "to": message.recipient, "subject": message.subject, "text": message.body}
            for message in held.messages
        ],
    }


def zipped(*, page: str, data: dict[str, Any]) -> bytes:
    """Return the file: the page, readable without a network, and the data."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("my-data.html", page)
        archive.writestr("my-data.json", json.dumps(data, ensure_ascii=False, indent=2))
    return file.getvalue()


def _time(moment: datetime | None) -> str | None:
    return local(moment).isoformat(timespec="minutes") if moment else None


def _label(value: Any) -> str | None:
    return gettext(value.label) if value is not None else None
