"""The ledger of talents (人才台账): what each row is, and bringing it in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from outreach.intake.rules import Errand, Importer, Judgement, Reason, Row, RowKey, Verdict
from outreach.kernel.clock import office_day
from outreach.kernel.sealing import blind
from outreach.kernel.wording import N_
from outreach.organisations.rules import Permission
from outreach.people import operations, queries
from outreach.people.models import Person
from outreach.people.rules import normalised_name
from outreach.people.rules.ledger import DEGREES, FIELDS, GENDERS, Entry, contradict, understood
from outreach.web.filters import masked_name

WORDS = {gender: word for word, gender in reversed(GENDERS.items()) if len(word) == 1} | {
    degree: word for word, degree in reversed(DEGREES.items())
}
"""How a ledger writes what a record holds as a code."""

COMPARED = ("gender", "birth", "degree", "school", "major", "employer", "position", "talent_class", "home_town")


@dataclass
class Candidate:
    """Somebody a row may be: a person of the records, or an earlier row of the same file."""

    name_key: str
    person_id: int | None = None
    row: RowKey | None = None
    identity: str | None = None
    birth: str | None = None
    values: dict[str, str] = field(default_factory=dict)  # of COMPARED and "identity_number", so as they compare
    contacts: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Likeness:
    """How a row and a candidate are alike."""

    candidate: Candidate
    verdict: Verdict
    reasons: tuple[Reason, ...]
    weight: int


class Talents:
    """Rows of a talents' ledger."""

    key = "talents"
    label = N_("Talents")
    fields = FIELDS

    def judge(self, rows: Sequence[Row], errand: Errand) -> list[Judgement]:
        """Say of each row whether it is new, somebody known, perhaps somebody known, or cannot be taken."""
        today = office_day(errand.now)
        entries = [understood(row, today, _classes(errand)) for row in rows]
        book = _Book(errand.seen)
        book.open(entries, errand)
        return [book.judge(row, entry) for row, entry in zip(rows, entries, strict=True)]

    def land(self, row: Row, onto: int | None, errand: Errand) -> int:
        """Write a row into the records."""
        person = operations.take_entry(
            entry=understood(row, office_day(errand.now), _classes(errand)),
            classes=_classes(errand),
            onto=onto,
            organisation_id=errand.organisation_id,
            origin=operations.Origin(f"import:{errand.import_id}", row.number),
            by=errand.by,
            now=errand.now,
        )
        return person.id

    def existing(self, ids: Sequence[int]) -> dict[int, Mapping[str, str]]:
        """Return what the records say of people, by field."""
        return {person.id: _as_texts(person) for person in queries.people_by_id(ids)}


TALENTS = Importer(
    key="talents",
    label=N_("Talents' ledger"),
    permission=Permission.PEOPLE_IMPORT,
    sheets=(Talents(),),
    record=("desk.person", "person_id"),
)


def _classes(errand: Errand) -> Mapping[str, int]:
    """Return the city's classes by their names, looked up once for a batch of rows."""
    if "classes" not in errand.seen:
        errand.seen["classes"] = {one.name: one.id for one in queries.talent_classes()}
    return errand.seen["classes"]


@dataclass(frozen=True)
class Recognised:
    """Whom a name and its numbers or addresses in another feature's file mean, as far as the records say."""

    person_id: int | None = None  # name and a number or an address the same
    other: str | None = None  # the name of whoever else is reached there
    namesakes: int = 0


def recognised(entries: Sequence[Entry], errand: Errand) -> list[Recognised]:
    """Say whom each entry means, one for each; looked up at once. A number alone is not identity."""
    people = queries.known_people(
        queries.account_by_id(errand.account_id),
        identities=[],
        contacts=[index for entry in entries for index in _contact_indexes(entry)],
        names=[normalised_name(entry.name) for entry in entries if entry.name],
    )
    by_contact: dict[str, list[Person]] = {}
    by_name: dict[str, int] = {}
    for person in people:
        by_name[person.name_key] = by_name.get(person.name_key, 0) + 1
        for contact in person.contacts:
            by_contact.setdefault(contact.contact_point.index, []).append(person)
    return [_whom(entry, by_contact, by_name) for entry in entries]


def who_is(who: Recognised) -> tuple[Reason, ...]:
    """Return what a preview says of whom a row means."""
    if who.person_id is not None:
        return (Reason(N_("In the records: name and number or address the same.")),)
    if who.other is not None:
        sentence = N_("Whoever is reached there is %(other)s in the records: this is taken for another person.")
        return (Reason(sentence, {"other": masked_name(who.other)}),)
    return (Reason(N_("Not in the records yet.")),)


def _whom(entry: Entry, by_contact: Mapping[str, Sequence[Person]], by_name: Mapping[str, int]) -> Recognised:
    name_key = normalised_name(entry.name)
    there = [person for index in _contact_indexes(entry) for person in by_contact.get(index, ())]
    same = next((person for person in there if person.name_key == name_key), None)
    if same is not None:
        return Recognised(person_id=same.id)
    return Recognised(other=there[0].name if there else None, namesakes=by_name.get(name_key, 0))


class _Book:
    """Who is known while a file is judged: people of the records, and earlier rows."""

    def __init__(self, seen: dict) -> None:
        self.by_key: dict[tuple[str, str], list[Candidate]] = seen.setdefault("by_key", {})
        self.by_person: dict[int, Candidate] = seen.setdefault("by_person", {})

    def open(self, entries: Sequence[Entry], errand: Errand) -> None:
        """Look up everybody whom these rows may be, at once."""
        people = queries.known_people(
            queries.account_by_id(errand.account_id),
            identities=[blind(e.identity_number, purpose="identity") for e in entries if e.identity_number],
            contacts=[index for entry in entries for index in _contact_indexes(entry)],
            names=[normalised_name(entry.name) for entry in entries if entry.name],
        )
        for person in people:
            if person.id not in self.by_person:
                self.by_person[person.id] = candidate = _from_person(person)
                self.add(candidate)

    def add(self, candidate: Candidate) -> None:
        """Remember somebody by everything they can be found by."""
        for key in _keys(candidate):
            known = self.by_key.setdefault(key, [])
            if candidate not in known:
                known.append(candidate)

    def judge(self, row: Row, entry: Entry) -> Judgement:
        """Compare a row with everybody it may be."""
        if entry.refusals:
            return Judgement(Verdict.REFUSED, tuple(entry.refusals + entry.notes))
        mine = _from_entry(entry, RowKey(row.sheet, row.number))
        alike = sorted(self._alike(mine, entry), key=lambda like: -like.weight)
        notes = tuple(entry.notes)
        if not alike:
            self.add(mine)
            return Judgement(Verdict.NEW, notes)
        best = alike[0]
        other = best.candidate
        reasons = best.reasons
        if best.verdict is Verdict.SAME:
            fills = _complete(other, mine)
            self.add(other)
            return Judgement(
                Verdict.SAME, reasons + notes, other.person_id, None if other.person_id else other.row, fills
            )
        self.add(mine)
        if len(alike) > 1:
            reasons = (*reasons, Reason(N_("%(count)s records are like this one; be careful"), {"count": len(alike)}))
        return Judgement(Verdict.DOUBTFUL, reasons + notes, other.person_id, None if other.person_id else other.row)

    def _alike(self, mine: Candidate, entry: Entry) -> Iterator[Likeness]:
        met: list[Candidate] = []
        for key in _keys(mine):
            for candidate in self.by_key.get(key, ()):
                if not any(candidate is one for one in met):
                    met.append(candidate)
                    like = _likeness(mine, candidate, entry)
                    if like is not None:
                        yield like


def _likeness(mine: Candidate, other: Candidate, entry: Entry) -> Likeness | None:
    """Say how a row and somebody known are alike; None where they are two people.

    A number alone is not identity: it is shared in families and offices, and changes hands.
    """
    same_name = mine.name_key == other.name_key
    where = (Reason(N_("Row %(row)s of this file"), {"row": other.row.number}),) if other.row else ()
    if mine.identity and mine.identity == other.identity:
        why = [Reason(N_("Identity number the same"))]
        if not same_name:
            why.append(Reason(N_("The name is written differently; both are kept")))
        return Likeness(other, Verdict.SAME, (*where, *why), 100)
    clash = _clash(mine, other)
    shared = mine.contacts & other.contacts
    if shared and same_name:
        if clash is None:
            return Likeness(other, Verdict.SAME, (*where, Reason(N_("Name and number or address the same"))), 90)
        return Likeness(other, Verdict.DOUBTFUL, (*where, Reason(N_("Name and number or address the same")), clash), 80)
    if shared:
        why = [Reason(N_("Number or address the same")), Reason(N_("The name is another"))]
        if _agree(mine, other, "employer"):
            why.append(Reason(N_("Employer the same")))
        return Likeness(other, Verdict.DOUBTFUL, (*where, *why), 50 + len(why))
    if not same_name or clash is not None:
        return None
    return _namesake(mine, other, entry, where)


def _clash(mine: Candidate, other: Candidate) -> Reason | None:
    if mine.identity and other.identity:
        return Reason(N_("The identity number is another"))
    if contradict(mine.birth, other.birth):
        return Reason(N_("The date of birth is another"))
    return None


def _namesake(mine: Candidate, other: Candidate, entry: Entry, where: tuple[Reason, ...]) -> Likeness | None:
    stump = entry.identity_stump
    if stump and other.values.get("identity_number", "").startswith(stump):
        why = (Reason(N_("Name and the first digits of the identity number the same")),)
        return Likeness(other, Verdict.DOUBTFUL, (*where, *why), 70)
    if not mine.contacts and not mine.identity and not stump and _says_nothing_else(mine, other):
        return Likeness(
            other, Verdict.SAME, (*where, Reason(N_("Every value of the row is in the record already"))), 60
        )
    shared = [column for column in ("employer", "school") if _agree(mine, other, column)]
    exact = mine.birth is not None and len(mine.birth) == 10 and mine.birth == other.birth
    if not shared and not exact:
        return None
    why = []
    if "employer" in shared:
        why.append(Reason(N_("Name and employer the same")))
    if "school" in shared:
        why.append(Reason(N_("Name and school the same")))
    if exact:
        why.append(Reason(N_("Name and date of birth the same")))
    if mine.contacts and other.contacts:
        why.append(Reason(N_("Number or address another")))
    return Likeness(other, Verdict.DOUBTFUL, (*where, *why), 30 + len(why))


def _agree(mine: Candidate, other: Candidate, column: str) -> bool:
    return bool(mine.values.get(column)) and mine.values.get(column) == other.values.get(column)


def _says_nothing_else(mine: Candidate, other: Candidate) -> bool:
    said = [column for column, value in mine.values.items() if value]
    return len(said) > 1 and all(_agree(mine, other, column) for column in said)


def _complete(other: Candidate, mine: Candidate) -> int:
    """Add to a known person what a row says beyond it; return how many blanks that fills."""
    fills = 0
    for column, value in mine.values.items():
        if value and not other.values.get(column):
            other.values[column] = value
            fills += 1
    fills += len(mine.contacts - other.contacts)
    other.contacts |= mine.contacts
    other.identity = other.identity or mine.identity
    other.birth = other.birth or mine.birth
    return fills


def _keys(candidate: Candidate) -> list[tuple[str, str]]:
    keys = [("contact", contact) for contact in sorted(candidate.contacts)]
    if candidate.identity:
        keys.append(("identity", candidate.identity))
    return [*keys, ("name", candidate.name_key)]


def _from_entry(entry: Entry, key: RowKey) -> Candidate:
    return Candidate(
        name_key=normalised_name(entry.name),
        row=key,
        identity=blind(entry.identity_number, purpose="identity") if entry.identity_number else None,
        birth=entry.birth,
        values=_comparable(entry) | {"identity_number": entry.identity_number or entry.identity_stump or ""},
        contacts=set(_contact_indexes(entry)),
    )


def _from_person(person: Person) -> Candidate:
    return Candidate(
        name_key=person.name_key,
        person_id=person.id,
        identity=person.identity_index,
        birth=person.birth,
        values=_comparable(person) | {"identity_number": person.identity_number or _stump_of(person)},
        contacts={contact.contact_point.index for contact in person.contacts},
    )


def _stump_of(person: Person) -> str:
    kept = (entry["value"] for entry in person.aside if entry["of"] == "identity_number")
    return next((value[:15] for value in kept if value[:15].isdigit()), "")


def _comparable(said: Entry | Person) -> dict[str, str]:
    texts = {column: getattr(said, column) or "" for column in COMPARED}
    texts["talent_class"] = _class_of(said)
    return {column: normalised_name(str(text)) for column, text in texts.items()}


def _class_of(said: Entry | Person) -> str:
    """Return the name of a class: a ledger says it, a record points to it."""
    held = said.talent_class
    return held if isinstance(held, str) else held.name if held else ""


def _contact_indexes(entry: Entry) -> list[str]:
    return [blind(number, purpose="phone") for number in entry.phones] + [
        blind(address, purpose="email") for address in entry.emails
    ]


def _as_texts(person: Person) -> dict[str, str]:
    texts: dict[str, str] = {column: getattr(person, column) or "" for column in operations.PLAIN}
    texts |= {
        "talent_class": _class_of(person),
        "name": person.name,
        "identity_number": person.identity_number or "",
        "phone": person.phone or "",
        "email": person.email or "",
    }
    return {column: WORDS.get(text, text) for column, text in texts.items()}
