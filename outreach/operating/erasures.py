"""Who was erased, written down outside the database, so that no older backup brings them back.

A line of `erasures.ledger` holds a number of ours, a day and two keyed hashes, and nothing that tells who it was. `of`
ties the number to the one record that bore it: numbers that were given after a backup are given again after it was
restored. `proof` shows that the line is ours. Both are made with the key that is never rotated and lies in every
backup. Lines are only ever added; what is missing is added from the database, at once and again every night, so that a
line which somebody took out comes back.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from outreach.kernel.actor import SYSTEM
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.sealing import proof
from outreach.people import operations as people
from outreach.people.models import Consent, Person
from outreach.privacy import operations as privacy

LEDGER = "erasures.ledger"
ROWS_AT_ONCE = 500


class GivenUp(StrEnum):
    """What a line tells of."""

    PERSON = "person"  # erased
    CONSENT = "consent"  # taken back


@dataclass(frozen=True)
class Line:
    """That a record of that number, known again by `of`, was given up on a day of the office."""

    what: GivenUp
    id: int
    day: str
    of: str
    proof: str

    @property
    def is_ours(self) -> bool:
        """Whether it is as it was written, under a key of the installation whose keys are in use."""
        return self.proof == _proof(self.what, self.id, self.day, self.of)


@dataclass
class Replayed:
    """What of a ledger was carried out again, and how many of its lines were not written by this installation."""

    people: int = 0
    consents: int = 0
    foreign: int = 0


def note(*, folder: Path, connection: sa.Connection) -> int:
    """Add to the ledger whatever the database says was given up and is not in it yet; return how many lines."""
    known = {line.of for line in read(folder) if line.is_ours}
    added = [line for line in _standing(connection) if line.of not in known]
    _append(folder / LEDGER, added)
    return len(added)


def replay(*, folder: Path, now: datetime) -> Replayed:
    """Carry out again what the ledger tells of and the database has not; committed one by one, and may be repeated."""
    done = Replayed()
    db.session.rollback()  # each step is a transaction of its own
    for line in read(folder):
        if not line.is_ours:
            done.foreign += 1
        elif line.what is GivenUp.PERSON:
            done.people += _erase(line, now)
        else:
            done.consents += _withdraw(line, now)
    return done


def read(folder: Path) -> list[Line]:
    """Return the lines of the ledger, oldest first; what is no line of a ledger counts as nobody's."""
    file = folder / LEDGER
    lines = []
    for written in file.read_text().splitlines() if file.exists() else ():
        try:
            kept = json.loads(written)
            lines.append(Line(GivenUp(kept["what"]), int(kept["id"]), kept["day"], kept["of"], kept["proof"]))
        except (ValueError, KeyError, TypeError):
            lines.append(Line(GivenUp.PERSON, 0, "", "", written))
    return lines


def merge(*, into: Path, lines: Sequence[Line]) -> None:
    """Add to a ledger those lines of another that it lacks."""
    known = set(read(into))
    _append(into / LEDGER, [line for line in lines if line not in known])


def _standing(connection: sa.Connection) -> Iterator[Line]:
    """Yield a line for each person who is erased and each consent that is taken back."""
    for what, statement in (
        (
            GivenUp.PERSON,
            sa.select(Person.id, Person.created_at, Person.erased_at).where(Person.erased_at.is_not(None)),
        ),
        (
            GivenUp.CONSENT,
            sa.select(Consent.id, Consent.given_at, Consent.withdrawn_at).where(Consent.withdrawn_at.is_not(None)),
        ),
    ):
        for number, began, ended in connection.execute(statement.order_by(sa.literal_column("1"))):
            of, day = _of(what, number, began), office_day(ended).isoformat()
            yield Line(what, number, day, of, _proof(what, number, day, of))


def _erase(line: Line, now: datetime) -> bool:
    with db.session.begin():
        person = db.session.get(Person, line.id)
        if person is None or person.erased_at is not None or _of(line.what, person.id, person.created_at) != line.of:
            return False
        traces = people.traces_of(person=person)
    last: int | None = 0
    while last is not None:
        with db.session.begin():
            last = privacy.strike_from_imports(traces=traces, after_id=last, limit=ROWS_AT_ONCE)
    with db.session.begin():
        privacy.erase_again(person=db.session.get_one(Person, line.id), now=now)
    return True


def _withdraw(line: Line, now: datetime) -> bool:
    with db.session.begin():
        consent = db.session.get(Consent, line.id)
        if consent is None or consent.withdrawn_at is not None or _of(line.what, line.id, consent.given_at) != line.of:
            return False
        privacy.withdraw_consent(consent=consent, by=SYSTEM, now=now)
    return True


def _of(what: GivenUp, number: int, began: datetime) -> str:
    return proof(f"{what} {number} {began.isoformat()}", purpose="erasures.record")


def _proof(what: GivenUp, number: int, day: str, of: str) -> str:
    return proof(f"{what} {number} {day} {of}", purpose="erasures.line")


def _append(file: Path, lines: Sequence[Line]) -> None:
    with open(file, "a", opener=lambda path, flags: os.open(path, flags, 0o600)) as kept:
        kept.writelines(json.dumps(asdict(line)) + "\n" for line in lines)
        kept.flush()
        os.fsync(kept.fileno())
