"""The ledger of talents (人才台账): what each row is, and bringing it in."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from outreach.intake.queries import earlier_rows
from outreach.intake.rules import Errand, Importer, Judgement, Landed, Landing, Reason, Row, RowKey, Verdict
from outreach.kernel.clock import office_day
from outreach.kernel.sealing import blind
from outreach.kernel.wording import N_
from outreach.organisations.models import Account
from outreach.organisations.rules import Permission
from outreach.people import operations, queries
from outreach.people.models import Person
from outreach.people.rules import MergedMeanwhile, normalised_name
from outreach.people.rules.ledger import DEGREES, FIELDS, GENDERS, Entry, contradict, understood
from outreach.web.filters import masked_name

WORDS = {gender: word for word, gender in reversed(GENDERS.items()) if len(word) == 1} | {
    degree: word for word, degree in reversed(DEGREES.items())
}
"""How a ledger writes what a record holds as a code."""

COMPARED = (
    "gender",
    "birth",
    "degree",
    "school",
    "major",
    "employer",
    "position",
    "talent_class",
    "home_town",
    "residence",
)


MOST_ALIKE = 200
"""So many who share a name or a number are compared with a row; beyond that nobody could tell them apart."""


@dataclass(eq=False)
class Candidate:
    """Somebody a row may be: a person of the records, or an earlier row of the same file."""

    said: Entry | Person
    name_key: str
    person_id: int | None = None
    row: RowKey | None = None
    identity: str | None = None
    birth: str | None = None
    contacts: set[str] = field(default_factory=set)

    @cached_property
    def marks(self) -> list[int]:
        """Its keys as numbers, the name's last: of a row that was not completed by another."""
        return [hash(key) for key in self.keys]

    @cached_property
    def features(self) -> tuple[int, int, int]:
        """What tells namesakes apart, as numbers: employer, school and whole day of birth; 0 where it says none."""
        return _features(self)

    @cached_property
    def values(self) -> dict[str, str]:
        """What it says of COMPARED and "identity_number", written so that it compares; worked out only if compared."""
        if isinstance(self.said, Person):
            number = self.said.identity_number or _stump_of(self.said)
        else:
            number = self.said.identity_number or self.said.identity_stump or ""
        texts = {column: getattr(self.said, column) or "" for column in COMPARED}
        texts["talent_class"] = _class_of(self.said)
        texts["fields"] = _fields_of(self.said)
        return {column: normalised_name(str(text)) for column, text in texts.items()} | {"identity_number": number}

    @property
    def keys(self) -> list[tuple[str, str]]:
        """What it can be found by."""
        keys = [("contact", contact) for contact in sorted(self.contacts)]
        if self.identity:
            keys.append(("identity", self.identity))
        return [*keys, ("name", self.name_key)]


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
        understand = self.understanding(errand)
        return self.judge_understood([(RowKey(row.sheet, row.number), understand(row)) for row in rows], errand)

    def understanding(self, errand: Errand) -> Callable[[Row], Entry]:
        """Return what makes of a row what it says."""
        lists = _lists(errand)
        return partial(
            understood, today=office_day(errand.now), classes=tuple(lists.classes), fields=tuple(lists.fields)
        )

    def judge_understood(self, rows: Sequence[tuple[RowKey, Entry]], errand: Errand) -> list[Judgement]:
        """Say the same of rows that were understood."""
        book = _Book(errand)
        book.open(rows)
        return [book.judge(key, entry) for key, entry in rows]

    def land(self, rows: Sequence[Landing], errand: Errand) -> list[Landed]:
        """Write rows into the records."""
        source = f"import:{errand.import_id}"
        entries = _entries([landing.row for landing in rows], errand)
        taken = operations.take_entries(
            arriving=[
                operations.Arriving(entry, landing.onto, operations.Origin(source, landing.row.number))
                for landing, entry in zip(rows, entries, strict=True)
            ],
            organisation_id=errand.organisation_id,
            by=errand.by,
            now=errand.now,
            known=_lists(errand),
        )
        return [
            Landed(one.person_id, one.trace) if one.person_id is not None else Landed(None, refused=MergedMeanwhile())
            for one in taken
        ]

    def undo(self, landed: Sequence[Landed], errand: Errand) -> list[Reason | None]:
        """Take rows out of the records again."""
        traces = [one.trace for one in landed if one.trace]
        why = iter(
            operations.take_back(traces=traces, source=f"import:{errand.import_id}", by=errand.by, now=errand.now)
        )
        return [Reason(sentence) if one.trace and (sentence := next(why)) else None for one in landed]

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


def _lists(errand: Errand) -> operations.Known:
    """Return the city's lists, looked up once for a batch of rows."""
    if "lists" not in errand.seen:
        errand.seen["lists"] = operations.Known(
            classes={one.name: one.id for one in queries.talent_classes()},
            fields={one.name: one.id for one in queries.professional_fields()},
        )
    return errand.seen["lists"]


def _entries(rows: Sequence[Row], errand: Errand) -> list[Entry]:
    understand = Talents().understanding(errand)
    return [understand(row) for row in rows]


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


class _Marks:
    """What is remembered of the rows that were judged: a few numbers for each, so that a file of any length fits.

    Whoever may be meant by a key is a row (from 1, in the order they were remembered) or a person (minus the id).
    """

    def __init__(self) -> None:
        self._places = array("q")
        self._features = array("q")  # employer, school and whole date of birth of each row; 0 where it says none
        self._at: dict[int, int | list[int]] = {}
        self.more: dict[int, list[RowKey]] = {}  # rows that said more of somebody who was known

    def remember(self, candidate: Candidate) -> int:
        """Remember a row as somebody of its own."""
        self._places.append(candidate.row.sheet << 32 | candidate.row.number)
        self._features.extend(candidate.features)
        who = len(self._places)
        self.point(candidate.marks, who)
        return who

    def point(self, numbers: Iterable[int], who: int) -> None:
        """Have keys, as numbers, lead to somebody."""
        for number in numbers:
            held = self._at.get(number)
            if held is None:
                self._at[number] = who
            elif isinstance(held, int):
                if held != who:
                    self._at[number] = [held, who]
            elif len(held) < MOST_ALIKE and who not in held:
                held.append(who)

    def complete(self, who: int, other: Candidate, mine: Candidate) -> None:
        """Remember that a row said more of somebody."""
        self.more.setdefault(who, []).append(mine.row)
        if who > 0:
            self._features[3 * (who - 1) : 3 * who] = array("q", _features(other))

    def meant(self, mine: Candidate) -> list[int]:
        """Return whom a row may mean; of namesakes only those who share something else that counts."""
        found: dict[int, None] = {}
        told = bool(mine.contacts or mine.identity) and not mine.said.identity_stump
        *others, name = mine.marks
        for number in others:
            held = self._at.get(number, ())
            found |= dict.fromkeys((held,) if isinstance(held, int) else held)
        held = self._at.get(name, ())
        for who in (held,) if isinstance(held, int) else held:
            if who < 0 or not told or self._agrees(mine.features, who):
                found[who] = None
        return list(found)

    def _agrees(self, features: tuple[int, int, int], who: int) -> bool:
        at, said = 3 * (who - 1), self._features
        employer, school, birth = features
        return bool(
            (employer and employer == said[at])
            or (school and school == said[at + 1])
            or (birth and birth == said[at + 2])
        )

    def rows_of(self, who: int) -> list[RowKey]:
        """Return the rows that say what is known of somebody, the first that named them first."""
        own = [RowKey(self._places[who - 1] >> 32, self._places[who - 1] & 0xFFFFFFFF)] if who > 0 else []
        return own + self.more.get(who, [])


class _Book:
    """Who is known while some rows are judged: people of the records, and earlier rows of the file."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._marks: _Marks = errand.seen.setdefault("marks", _Marks())
        self._known: dict[int, Candidate] = {}
        self._people: dict[tuple[str, str], list[int]] = {}
        self._mine: dict[RowKey, Candidate] = {}

    def open(self, rows: Sequence[tuple[RowKey, Entry]]) -> None:
        """Look up everybody whom these rows may be, at once."""
        self._mine = {key: _from_entry(entry, key) for key, entry in rows if not entry.refusals}
        mine = list(self._mine.values())
        viewer = queries.account_by_id(self._errand.account_id)
        wanted = {who for one in mine for who in self._marks.meant(one)}
        people = {
            person.id: person
            for person in queries.known_people(
                viewer,
                identities=[one.identity for one in mine if one.identity],
                contacts=sorted({contact for one in mine for contact in one.contacts}),
                names=[],
            )
        }
        further = {-who for who in wanted if who < 0} | _namesakes_meant(viewer, mine)
        people |= {person.id: person for person in queries.people_by_id(sorted(further - set(people)))}
        wanted |= {-person_id for person_id in people}
        earlier = self._earlier(wanted)
        for who in sorted(wanted, key=abs):
            said = [earlier[key] for key in self._marks.rows_of(who) if key in earlier]
            first = _from_person(people[-who]) if who < 0 else said.pop(0)
            for more in said:
                _complete(first, more)
            self._known[who] = first
            if who < 0:
                for key in first.keys:
                    self._people.setdefault(key, []).append(who)

    def judge(self, key: RowKey, entry: Entry) -> Judgement:
        """Compare a row with everybody it may be."""
        if entry.refusals:
            return Judgement(Verdict.REFUSED, tuple(entry.refusals + entry.notes))
        mine = self._mine[key]
        alike = sorted(self._alike(mine, entry), key=lambda found: -found[1].weight)
        notes = tuple(entry.notes)
        if not alike:
            self._known[self._marks.remember(mine)] = mine
            return Judgement(Verdict.NEW, notes)
        who, best = alike[0]
        other = best.candidate
        reasons = best.reasons
        match = (other.person_id, None if other.person_id else other.row)
        if best.verdict is Verdict.SAME:
            known = other.keys
            self._marks.point([hash(key) for key in mine.keys if key not in known], who)
            fills = _complete(other, mine)
            if fills:
                self._marks.complete(who, other, mine)
            return Judgement(Verdict.SAME, reasons + notes, *match, fills)
        self._known[self._marks.remember(mine)] = mine
        if len(alike) > 1:
            reasons = (*reasons, Reason(N_("%(count)s records are like this one; be careful"), {"count": len(alike)}))
        return Judgement(Verdict.DOUBTFUL, reasons + notes, *match)

    def _alike(self, mine: Candidate, entry: Entry) -> Iterator[tuple[int, Likeness]]:
        met = dict.fromkeys(who for key in mine.keys for who in self._people.get(key, ())) if self._people else {}
        met |= dict.fromkeys(self._marks.meant(mine))
        for who in list(met)[:MOST_ALIKE]:
            like = _likeness(mine, self._known[who], entry)
            if like is not None:
                yield who, like

    def _earlier(self, wanted: Iterable[int]) -> dict[RowKey, Candidate]:
        keys = {key for who in wanted for key in self._marks.rows_of(who)}
        rows = earlier_rows(self._errand.import_id, sorted(keys, key=lambda key: (key.sheet, key.number)))
        entries = _entries(list(rows.values()), self._errand)
        return {key: _from_entry(entry, key) for key, entry in zip(rows, entries, strict=True)}


def _namesakes_meant(viewer: Account, mine: Sequence[Candidate]) -> set[int]:
    """Return the people of the same names who share something else that counts with a row."""
    by_name: dict[str, list[Candidate]] = {}
    for one in mine:
        by_name.setdefault(one.name_key, []).append(one)
    return {
        person.id
        for person in queries.namesakes(viewer, sorted(by_name))
        if any(_may_be(one, person) for one in by_name[person.name_key])
    }


def _may_be(mine: Candidate, person: queries.Namesake) -> bool:
    entry = mine.said
    return (
        bool(entry.identity_stump)
        or not (mine.contacts or mine.identity)
        or (bool(entry.employer) and normalised_name(entry.employer) == normalised_name(person.employer or ""))
        or (bool(entry.school) and normalised_name(entry.school) == normalised_name(person.school or ""))
        or (person.has_birth and len(entry.birth or "") == WHOLE_DAY)
    )


WHOLE_DAY = len("1979-03-19")


def _features(candidate: Candidate) -> tuple[int, int, int]:
    said = candidate.said
    birth = candidate.birth if len(candidate.birth or "") == WHOLE_DAY else None
    texts = (normalised_name(said.employer or ""), normalised_name(said.school or ""), birth)
    return tuple(hash(text) if text else 0 for text in texts)


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


def _from_entry(entry: Entry, key: RowKey) -> Candidate:
    return Candidate(
        said=entry,
        name_key=normalised_name(entry.name),
        row=key,
        identity=blind(entry.identity_number, purpose="identity") if entry.identity_number else None,
        birth=entry.birth,
        contacts=set(_contact_indexes(entry)),
    )


def _from_person(person: Person) -> Candidate:
    return Candidate(
        said=person,
        name_key=person.name_key,
        person_id=person.id,
        identity=person.identity_index,
        birth=person.birth,
        contacts={contact.contact_point.index for contact in person.contacts},
    )


def _stump_of(person: Person) -> str:
    kept = (entry["value"] for entry in person.aside if entry["of"] == "identity_number")
    return next((value[:15] for value in kept if value[:15].isdigit()), "")


def _class_of(said: Entry | Person) -> str:
    """Return the name of a class: a ledger says it, a record points to it."""
    held = said.talent_class
    return held if isinstance(held, str) else held.name if held else ""


def _fields_of(said: Entry | Person) -> str:
    """Return the names of the fields somebody works in, in a fixed order."""
    return "、".join(sorted(one if isinstance(one, str) else one.field.name for one in said.fields))


def _contact_indexes(entry: Entry) -> list[str]:
    return [blind(number, purpose="phone") for number in entry.phones] + [
        blind(address, purpose="email") for address in entry.emails
    ]


def _as_texts(person: Person) -> dict[str, str]:
    texts: dict[str, str] = {column: getattr(person, column) or "" for column in operations.PLAIN}
    texts |= {
        "talent_class": _class_of(person),
        "fields": _fields_of(person),
        "name": person.name,
        "identity_number": person.identity_number or "",
        "phone": person.phone or "",
        "email": person.email or "",
    }
    return {column: WORDS.get(text, text) for column, text in texts.items()}
