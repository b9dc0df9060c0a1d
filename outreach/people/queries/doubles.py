"""Finding records that may be one person, and reading what was merged or told apart."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Bundle, aliased, joinedload

from outreach.intake.rules import Reason
from outreach.kernel.database import db
from outreach.kernel.guards import references_to_people
from outreach.kernel.paging import Key, Page, page_of
from outreach.organisations.models import Account, Organisation
from outreach.organisations.queries import reach
from outreach.organisations.rules import Permission
from outreach.people.models import Distinction, Person, PersonContact, PersonMerge, TalentClass
from outreach.people.rules.masking import masked_beside
from outreach.people.rules.merging import COLUMNS, Grade, Named, Traits, alike

PAGE = 20


@dataclass(frozen=True)
class Double:
    """Two records that may be one person: the older first, how likely, and why."""

    one: Person
    other: Person
    grade: Grade
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Doubtful:
    """A page of such pairs, and how many there are in all; 0 where the page is empty."""

    page: Page[Double]
    count: int


def doubtful(viewer: Account, cursor: str | None = None) -> Doubtful:
    """Return a page of the records within the viewer's reach that may be one person, the likeliest first."""
    found = _pairs(viewer)
    pairs = found.add_columns(sa.func.count().over().label("many")).subquery()  # all of them, wherever the page begins
    page = page_of(
        sa.select(Bundle("pair", pairs.c.one_id, pairs.c.other_id, pairs.c.many)),
        keys=[Key(pairs.c.grade), Key(pairs.c.other_id, descending=True), Key(pairs.c.one_id, descending=True)],
        cursor=cursor,
        size=PAGE,
    )
    doubles = _doubles([(one_id, other_id) for one_id, other_id, _ in page.items])
    return Doubtful(Page(doubles, page.previous, page.next), page.items[0].many if page.items else 0)


def of(viewer: Account, person: Person) -> Sequence[Double]:
    """Return the records within the viewer's reach that may be the same person as this one."""
    pairs = _pairs(viewer, of=person.id).order_by("grade", "other_id", "one_id").limit(PAGE)
    return _doubles([(one, other) for one, other, _ in db.session.execute(pairs)])


def compared(one: Person, other: Person) -> tuple[Grade, tuple[Reason, ...]] | None:
    """Say how likely two records are one person, and why; None where nothing says so."""
    return alike(_traits(one), _traits(other))


def distinction(one_id: int, other_id: int) -> Distinction | None:
    """Return that somebody told two records apart."""
    first, second = sorted((one_id, other_id))
    return db.session.scalar(
        sa.select(Distinction)
        .where(Distinction.one_id == first, Distinction.other_id == second)
        .options(joinedload(Distinction.account))
    )


def where_it_went(person_id: int) -> int | None:
    """Return the record that stands for one that was merged; None where it was not."""
    person = db.session.get(Person, person_id)
    if person is None or person.merged_into_id is None:
        return None
    while person.merged_into_id is not None:
        person = db.session.get_one(Person, person.merged_into_id)
    return person.id


def merge_for(viewer: Account, merge_id: int) -> PersonMerge:
    """Return a merge whose kept record is within the viewer's reach; 404 elsewhere."""
    return db.one_or_404(
        sa.select(PersonMerge)
        .join(Person, Person.id == PersonMerge.kept_id)
        .where(PersonMerge.id == merge_id, Person.organisation_id.in_(reach(viewer, Permission.PEOPLE_MERGE)))
        .options(joinedload(PersonMerge.account), joinedload(PersonMerge.undone_by))
    )


MOST_NAMED = 50
namers: dict[str, Callable[[Account, Collection[int]], Mapping[int, Named]]] = {}
"""Who names rows of a table, by their ids, that the viewer may see; the app connects those of features above."""


def names_of_rows(viewer: Account, entries: Iterable[Mapping[str, Any]]) -> dict[tuple[str, int], Named]:
    """Return what the rows are called that did not return when a merge was undone: those the viewer may see."""
    ids: dict[str, list[int]] = {}
    for entry in entries:
        if "column" not in entry:
            ids.setdefault(entry["table"], []).append(entry["id"])
    return {
        (table, row_id): named
        for table, some in ids.items()
        if table in namers
        for row_id, named in namers[table](viewer, some[:MOST_NAMED]).items()
    }


def name_contacts(_viewer: Account, ids: Collection[int]) -> dict[int, Named]:
    """Return numbers and addresses of people, masked."""
    found = db.session.scalars(sa.select(PersonContact).where(PersonContact.id.in_(ids)).order_by(PersonContact.id))
    return {one.id: Named(masked_beside("phone", one.contact_point.value.removeprefix("+86"))) for one in found}


def merges_of(person_id: int) -> Sequence[PersonMerge]:
    """Return what was merged into a record, the latest first."""
    return db.session.scalars(
        sa.select(PersonMerge)
        .where(PersonMerge.kept_id == person_id)
        .options(joinedload(PersonMerge.account), joinedload(PersonMerge.gone))
        .order_by(PersonMerge.id.desc())
    ).all()


def rows_of(person_id: int) -> Mapping[str, int]:
    """Count what points to a record, by table; only tables that have some."""
    tables = Person.metadata.tables
    counted = sa.union_all(
        *(
            sa.select(sa.literal(table).label("name"), sa.func.count().label("many"))
            .select_from(tables[table])
            .where(tables[table].c[column] == person_id)
            for table, column in references_to_people()
        )
    )
    return {name: many for name, many in db.session.execute(counted) if many}


def field_of(column: str) -> str:
    """Return the name of the field that a column holds: "talent_class" for "talent_class_id"."""
    return column.removesuffix("_id")


def in_words(person: Person, column: str) -> str:
    """Return what a record says in a column as text, "" where it says nothing; codes as codes, references by name."""
    held = getattr(person, column)
    if held is None:
        return ""
    if column == "talent_class_id":
        return db.session.get_one(TalentClass, held).name
    if column.endswith("organisation_id"):
        return db.session.get_one(Organisation, held).short_name
    if column == "through_account_id":
        return db.session.get_one(Account, held).name
    return str(getattr(held, "value", held))


def differing(one: Person, other: Person) -> list[str]:
    """Return the columns in which two records say different things."""
    return [
        column
        for column in COLUMNS
        if getattr(one, column) and getattr(other, column) and getattr(one, column) != getattr(other, column)
    ]


def _doubles(pairs: Sequence[tuple[int, int]]) -> list[Double]:
    wanted = sa.select(Person).where(Person.id.in_({person_id for pair in pairs for person_id in pair}))
    people = {person.id: person for person in db.session.scalars(wanted.options(joinedload(Person.organisation)))}
    found = []
    for one_id, other_id in pairs:
        why = compared(people[one_id], people[other_id])
        if why is not None:
            found.append(Double(people[one_id], people[other_id], *why))
    return found


def _traits(person: Person) -> Traits:
    return Traits(
        name_key=person.name_key,
        sounds=person.pinyin,
        identity=person.identity_index,
        birth=person.birth,
        employer=person.employer,
        contacts=frozenset(contact.contact_point.index for contact in person.contacts),
    )


def _pairs(viewer: Account, of: int | None = None) -> sa.Select[tuple[int, int, int]]:
    """Select the pairs that any of the ways finds, each once with the likeliest; (older id, newer id, grade).

    Each way is a join of the people with themselves over an index, begun with what stands there more than once.
    """
    ways = sa.union_all(*_ways(of)).subquery("ways")
    one, other = aliased(Person), aliased(Person)
    within = reach(viewer, Permission.PEOPLE_MERGE)
    said = sa.exists().where(Distinction.one_id == ways.c.one_id, Distinction.other_id == ways.c.other_id)
    return (
        sa.select(ways.c.one_id, ways.c.other_id, sa.func.min(ways.c.grade).label("grade"))
        .join(one, one.id == ways.c.one_id)
        .join(other, other.id == ways.c.other_id)
        .where(one.merged_into_id.is_(None), other.merged_into_id.is_(None))
        .where(one.organisation_id.in_(within), other.organisation_id.in_(within), ~said)
        .group_by(ways.c.one_id, ways.c.other_id)
    )


def _ways(of: int | None) -> Iterator[sa.Select[tuple[int, int, int]]]:
    one, other = aliased(Person), aliased(Person)

    def way(
        grade: Grade, *conditions: sa.ColumnElement[bool], repeated: sa.ColumnElement[bool]
    ) -> Iterator[sa.Select[tuple[int, int, int]]]:
        found = sa.select(
            one.id.label("one_id"), other.id.label("other_id"), sa.literal(grade.value, sa.Integer).label("grade")
        ).where(one.id < other.id, *conditions)
        if of is None:  # what is there once is counted in the index, without a look at the records
            yield found.where(repeated)
        else:  # as the older and as the newer: with «or» a database would compare everybody with everybody
            yield from (found.where(one.id == of), found.where(other.id == of))

    def same(grade: Grade, *names: str) -> Iterator[sa.Select[tuple[int, int, int]]]:
        equal = [getattr(one, name) == getattr(other, name) for name in names]
        yield from way(grade, *equal, repeated=_repeated(one, *names))

    yield from same(Grade.NEARLY_SURE, "identity_index")
    yield from same(Grade.LIKELY, "name_birth_index")
    yield from same(Grade.POSSIBLE, "name_key", "employer")
    mine, theirs = aliased(PersonContact), aliased(PersonContact)
    shared = (
        mine.person_id == one.id,
        theirs.person_id == other.id,
        mine.contact_point_id == theirs.contact_point_id,
        mine.until.is_(None),
        theirs.until.is_(None),
    )
    held_twice = _repeated(mine, "contact_point_id")
    yield from way(Grade.NEARLY_SURE, *shared, one.name_key == other.name_key, repeated=held_twice)
    alike_in_sound = sa.or_(
        one.pinyin == other.pinyin,
        one.name_key.contains(other.name_key),
        other.name_key.contains(one.name_key),
    )
    yield from way(Grade.POSSIBLE, *shared, one.name_key != other.name_key, alike_in_sound, repeated=held_twice)


def _repeated(of: Any, *names: str) -> sa.ColumnElement[bool]:
    """Return the condition that what a row holds in these columns, each of them filled, stands in another row too."""
    table = sa.inspect(of).mapper.class_
    columns = [getattr(table, name) for name in names]
    filled = [column.is_not(None) for column in columns]
    twice = sa.select(*columns).where(*filled).group_by(*columns).having(sa.func.count() > 1)
    held = [getattr(of, name) for name in names]
    return (sa.tuple_(*held) if len(held) > 1 else held[0]).in_(twice)
