"""Making one record of two, and two of one again.

Whatever points to people is found in the models' own foreign keys and moved, row by row noted, so that undoing brings
back exactly what was moved: a new feature needs to do nothing but say what its rows are called (rules/merging.py).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from outreach.intake.models import Import, ImportRow
from outreach.kernel import history
from outreach.kernel.database import Model, Moment, db, locked, one_at_a_time
from outreach.kernel.guards import references_to_people
from outreach.kernel.history import Subject
from outreach.kernel.sealing import blind
from outreach.organisations.models import Account
from outreach.people import operations, signals
from outreach.people.models import ContactPoint, Distinction, Person, PersonContact, PersonMerge
from outreach.people.queries import doubles
from outreach.people.rules import MergedMeanwhile
from outreach.people.rules.merging import (
    COLUMNS,
    IMPORTS_OF_PEOPLE,
    ROWS,
    AlreadyUndone,
    BothHave,
    SaidToBeTwo,
    SamePerson,
    Stay,
    Twice,
    UndoTheOtherFirst,
    chosen_value,
)

MERGING = "people merging"
AT_ONCE = 500
LOOSE = ((ImportRow.__table__, "match_id"), (ImportRow.__table__, "landed_id"))
"""Columns that name people without a foreign key, because the room they belong to stands below people."""

Reference = tuple[sa.Table, str]


def merge(*, kept: Person, gone: Person, leads: Collection[str], by: Account, now: datetime) -> PersonMerge:
    """Make one record of two: `gone` becomes a tombstone that leads to `kept`, and everything of it moves there.

    `leads` are the columns (rules.merging.COLUMNS) in which the value of the one that goes is the one that counts. No
    value is lost: what does not lead is kept beside the record. Features settle what one person cannot have twice.

    :raises SamePerson: for one record with itself
    :raises SaidToBeTwo: if somebody said that these are two people
    :raises MergedMeanwhile: if one of them went into another record in the meantime
    :raises BothHave: for something only one of which can be, that no feature settles
    :raises kernel.refusals.Refused: as a feature refuses it, by name
    """
    if kept.id == gone.id:
        raise SamePerson
    one_at_a_time(MERGING)
    _hold_contact_points(kept.id, gone.id)
    _check_standing(kept.id, gone.id)
    if doubles.distinction(kept.id, gone.id) is not None:
        raise SaidToBeTwo
    settled = _answers(signals.people_merging.send(kept, gone=gone, by=by.actor, now=now))
    db.session.flush()
    _hold_rows(gone.id)
    kept, gone = _held_both(kept.id, gone.id)
    record = PersonMerge(kept=kept, gone=gone, account_id=by.id, at=now, values={}, rows={})
    db.session.add(record)
    db.session.flush()
    own = {_key(table, column): _ids(table, column, kept.id) for table, column in _references()}
    moved, aside = _move_all(gone, kept)
    db.session.expire(kept, ["fields"])  # some of the rows moved: it is found by them from now on
    values = _lead(kept, gone, leads, record)
    _carry_distinctions(kept, gone, record, by, now)
    gone.merged_into_id = kept.id
    kept.updated_at = gone.updated_at = now
    record.values = values | {"set_aside": aside}
    record.rows = {"moved": moved, "own": own, "settled": settled}
    db.session.flush()
    db.session.expire_all()
    facts = {"merge": record.id, "columns": sorted(column for column in leads if column in COLUMNS)}
    history.write(
        subject=Subject("person", kept.id), act="merged", by=by.actor, now=now, facts={"other": gone.id, **facts}
    )
    history.write(
        subject=Subject("person", gone.id), act="merged_into", by=by.actor, now=now, facts={"other": kept.id, **facts}
    )
    return record


def undo(*, merge: PersonMerge, different: bool, by: Account, now: datetime) -> PersonMerge:
    """Make two records of one again. What was moved returns; what cannot is listed with the reason in `stayed`.

    Rows that came after the merge stay with the record that was kept, and values corrected since stay as they are.
    `different` says as well that they are two people, so that nobody is asked again.

    :raises AlreadyUndone: the second time
    :raises UndoTheOtherFirst: if the kept record was merged on into another one
    """
    one_at_a_time(MERGING)
    record = db.session.scalars(locked(sa.select(PersonMerge).where(PersonMerge.id == merge.id))).one()
    if record.undone_at is not None:
        raise AlreadyUndone
    _hold_contact_points(record.kept_id, record.gone_id)
    _hold_rows(record.kept_id)
    kept, gone = _held_pair(record.kept_id, record.gone_id)
    if kept.merged_into_id is not None:
        raise UndoTheOtherFirst(name=kept.name)
    gone.merged_into_id = None
    db.session.flush()  # from here on rows may point to it again
    stayed = [*_came_since(record, kept.id), *_return_all(record, gone.id, kept.id)]
    stayed += _bring_back(record.values["set_aside"], kept.id)
    stayed += _restore(kept, record)
    db.session.execute(sa.delete(Distinction).where(Distinction.carried_by_id == record.id))
    db.session.flush()
    db.session.expire_all()
    stayed += _answers(signals.merge_undone.send(record, settled=record.rows["settled"], by=by.actor, now=now))
    kept.updated_at = gone.updated_at = now
    record.undone_at, record.undone_by_id, record.stayed = now, by.id, stayed
    db.session.flush()
    for person, other in ((kept, gone), (gone, kept)):
        history.write(
            subject=Subject("person", person.id),
            act="merge_undone",
            by=by.actor,
            now=now,
            facts={"merge": record.id, "other": other.id, "stayed": len(stayed)},
        )
    if different:
        tell_apart(one=kept, other=gone, by=by, now=now)
    return record


def tell_apart(*, one: Person, other: Person, by: Account, now: datetime) -> Distinction:
    """Say that two records are two different people; they are not asked about again. Said twice is as good as once.

    :raises SamePerson: for one record
    """
    if one.id == other.id:
        raise SamePerson
    one_at_a_time(MERGING)
    said = doubles.distinction(one.id, other.id)
    if said is None:
        said = _distinguish(one.id, other.id, by, now)
        _note_on_both(one, other, "told_apart", by, now)
    return said


def take_back_distinction(*, one: Person, other: Person, by: Account, now: datetime) -> None:
    """Say that two records may be one person after all."""
    one_at_a_time(MERGING)
    said = doubles.distinction(one.id, other.id)
    if said is not None:
        db.session.delete(said)
        db.session.flush()
        _note_on_both(one, other, "perhaps_one", by, now)


def _note_on_both(one: Person, other: Person, act: str, by: Account, now: datetime) -> None:
    for person, beside in sorted(((one, other), (other, one)), key=lambda pair: pair[0].id):
        operations.held(person.id)
        history.write(subject=Subject("person", person.id), act=act, by=by.actor, now=now, facts={"other": beside.id})


# --- holding --------------------------------------------------------------------------------------
# Whoever registers holds a number, then a group of places, then the row they write, and touches the person last: the
# foreign key locks it. Merging goes the same way, so that neither waits for the other in a circle.


def _hold_contact_points(*person_ids: int) -> None:
    db.session.scalars(
        locked(
            sa.select(ContactPoint.id)
            .where(
                ContactPoint.id.in_(
                    sa.select(PersonContact.contact_point_id).where(PersonContact.person_id.in_(person_ids))
                )
            )
            .order_by(ContactPoint.id)
        )
    ).all()


def _hold_rows(person_id: int) -> None:
    for table, column in _foreign_keys():
        db.session.execute(locked(sa.select(table.c.id).where(table.c[column] == person_id).order_by(table.c.id))).all()


def _check_standing(*person_ids: int) -> None:
    merged = sa.select(Person.id).where(Person.id.in_(person_ids), Person.merged_into_id.is_not(None))
    if db.session.scalar(merged.limit(1)) is not None:
        raise MergedMeanwhile


def _held_both(kept_id: int, gone_id: int) -> tuple[Person, Person]:
    kept, gone = _held_pair(kept_id, gone_id)
    if kept.merged_into_id is not None or gone.merged_into_id is not None:
        raise MergedMeanwhile
    return kept, gone


def _held_pair(kept_id: int, gone_id: int) -> tuple[Person, Person]:
    wanted = sa.select(Person).where(Person.id.in_((kept_id, gone_id))).order_by(Person.id)
    found = {person.id: person for person in db.session.scalars(locked(wanted)).unique()}
    return found[kept_id], found[gone_id]


# --- rows that point to people --------------------------------------------------------------------


def _foreign_keys() -> list[Reference]:
    return [(Model.metadata.tables[table], column) for table, column in references_to_people()]


def _references() -> list[Reference]:
    return [*_foreign_keys(), *LOOSE]


def _key(table: sa.Table, column: str) -> str:
    return f"{table.name}.{column}"


def _about_people(table: sa.Table) -> sa.ColumnElement[bool]:
    """Return what narrows rows to those whose column names people, where not every row's does."""
    if table.name == ImportRow.__tablename__:
        return table.c.import_id.in_(sa.select(Import.id).where(Import.kind.in_(IMPORTS_OF_PEOPLE)))
    return sa.true()


def _ids(table: sa.Table, column: str, person_id: int) -> list[int]:
    return list(
        db.session.scalars(
            sa.select(table.c.id).where(table.c[column] == person_id, _about_people(table)).order_by(table.c.id)
        )
    )


def _move_all(gone: Person, kept: Person) -> tuple[dict[str, list[int]], list[dict[str, Any]]]:
    """Point everything of one record to the other; return the ids of what was moved, and what was set aside."""
    moved: dict[str, list[int]] = {}
    aside: list[dict[str, Any]] = []
    for table, column in _references():
        ids = _ids(table, column, gone.id)
        done, clashing = _point(table, column, ids, kept.id)
        if done:
            moved[_key(table, column)] = done
        aside += [_set_aside(table, row_id) for row_id in clashing]
    return moved, aside


def _point(table: sa.Table, column: str, ids: Sequence[int], person_id: int) -> tuple[list[int], list[int]]:
    """Point rows to a person; return the ids of those that now do, and of those of which there is one already.

    All at once; only where a constraint objects, one by one.
    """
    try:
        with db.session.begin_nested():
            for some in _chunks(ids):
                _update(table, column, some, person_id)
    except IntegrityError:
        return _point_one_by_one(table, column, ids, person_id)
    return list(ids), []


def _point_one_by_one(table: sa.Table, column: str, ids: Sequence[int], person_id: int) -> tuple[list[int], list[int]]:
    done: list[int] = []
    clashing: list[int] = []
    for row_id in ids:
        try:
            with db.session.begin_nested():
                _update(table, column, [row_id], person_id)
        except IntegrityError:
            clashing.append(row_id)
        else:
            done.append(row_id)
    return done, clashing


def _update(table: sa.Table, column: str, ids: Sequence[int], person_id: int) -> None:
    db.session.execute(sa.update(table).where(table.c.id.in_(ids)).values({column: person_id}))


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[begin : begin + AT_ONCE] for begin in range(0, len(ids), AT_ONCE))


def _set_aside(table: sa.Table, row_id: int) -> dict[str, Any]:
    """Take a row out that says what another one says, and return it whole.

    :raises BothHave: where rows of this kind are never of one person twice
    """
    rows = ROWS.get(table.name)
    if rows is None or rows.twice is not Twice.SET_ASIDE:
        raise BothHave(what=rows.label if rows else table.name)
    row = db.session.execute(sa.select(table).where(table.c.id == row_id)).mappings().one()
    db.session.execute(sa.delete(table).where(table.c.id == row_id))
    return {"table": table.name, "row": {name: _plain(value) for name, value in row.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _typed(column: sa.Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, sa.Enum):
        return column.type.enum_class(value) if column.type.enum_class else value
    if isinstance(column.type, Moment):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(column.type, sa.Date) else value


def _return_all(record: PersonMerge, gone_id: int, kept_id: int) -> list[dict[str, Any]]:
    """Point what was moved back to where it came from; return what cannot be, and why."""
    stayed: list[dict[str, Any]] = []
    for key, ids in record.rows["moved"].items():
        table, column = _reference(key)
        now_at: dict[int, int | None] = {}
        for some in _chunks(ids):
            found = db.session.execute(sa.select(table.c.id, table.c[column]).where(table.c.id.in_(some)))
            now_at |= dict(map(tuple, found))
        back, clashing = _point(table, column, [i for i in ids if now_at.get(i) == kept_id], gone_id)
        lost = set(ids) - set(back) - set(clashing)
        stayed += [_stays(table, row_id, Stay.TAKEN) for row_id in clashing]
        stayed += [
            _stays(table, row_id, Stay.MOVED_ON if row_id in now_at else Stay.REMOVED) for row_id in sorted(lost)
        ]
    return stayed


def _came_since(record: PersonMerge, kept_id: int) -> Iterator[dict[str, Any]]:
    for table, column in _references():
        key = _key(table, column)
        known = {*record.rows["own"].get(key, ()), *record.rows["moved"].get(key, ())}
        for row_id in _ids(table, column, kept_id):
            if row_id not in known:
                yield _stays(table, row_id, Stay.SINCE)


def _reference(key: str) -> Reference:
    table, _, column = key.partition(".")
    return Model.metadata.tables[table], column


def _bring_back(aside: Iterable[Mapping[str, Any]], kept_id: int) -> list[dict[str, Any]]:
    """Put back what was set aside; return what cannot be."""
    stayed: list[dict[str, Any]] = []
    for entry in aside:
        table = Model.metadata.tables[entry["table"]]
        row = {name: _typed(table.c[name], value) for name, value in entry["row"].items()}
        ended = table.name == PersonContact.__tablename__ and _end_as_the_other(row, kept_id)
        try:
            with db.session.begin_nested():
                db.session.execute(sa.insert(table).values(**row))
        except IntegrityError:
            stayed.append(_stays(table, row["id"], Stay.REMOVED))
        else:
            stayed += [_stays(table, row["id"], Stay.ENDED)] if ended else []
    return stayed


def _end_as_the_other(row: dict[str, Any], kept_id: int) -> bool:
    """End a number that both had where it was ended since, so that whoever holds it now is not taken for them."""
    same = sa.select(PersonContact).where(
        PersonContact.person_id == kept_id, PersonContact.contact_point_id == row["contact_point_id"]
    )
    found = db.session.scalars(same.order_by(PersonContact.until.is_(None).desc(), PersonContact.until.desc())).first()
    if row["until"] is not None or found is None or found.until is None:
        return False
    row["until"], row["ended"] = found.until, found.ended
    return True


def _stays(table: sa.Table, row_id: int, why: Stay) -> dict[str, Any]:
    return {"table": table.name, "id": row_id, "why": why.value}


def _answers(sent: Iterable[tuple[Any, list[dict[str, Any]] | None]]) -> list[dict[str, Any]]:
    return [entry for _receiver, answer in sent for entry in answer or ()]


# --- values ---------------------------------------------------------------------------------------


def _lead(kept: Person, gone: Person, leads: Collection[str], record: PersonMerge) -> dict[str, Any]:
    """Give the kept record the values that lead, keep the others beside it, and return what it takes to undo that."""
    before = {column: _plain(getattr(kept, column)) for column in COLUMNS}
    beside = [{**entry, "merge": record.id} for entry in gone.aside]
    chosen = dict.fromkeys(leads, True)
    for column in COLUMNS:
        mine, theirs = getattr(kept, column), getattr(gone, column)
        leading = chosen_value(column, kept=mine, gone=theirs, leads=chosen)
        other = doubles.in_words(gone if leading == mine else kept, column)
        if mine not in (None, "") and theirs not in (None, "") and mine != theirs:
            beside.append({"of": doubles.field_of(column), "value": other, "source": "merge", "merge": record.id})
        setattr(kept, column, leading)
    _index(kept)
    if beside:
        kept.extra = {"entries": [*kept.aside, *beside]}
    return {"before": before, "after": {column: _plain(getattr(kept, column)) for column in COLUMNS}}


def _restore(kept: Person, record: PersonMerge) -> list[dict[str, Any]]:
    """Give the kept record its own values back where nobody corrected them since; return those somebody did."""
    before, after = record.values["before"], record.values["after"]
    stayed: list[dict[str, Any]] = []
    for column in COLUMNS:
        if _plain(getattr(kept, column)) != after[column]:
            stayed.append({"table": "people", "id": kept.id, "column": column, "why": Stay.CHANGED.value})
        elif before[column] != after[column]:
            setattr(kept, column, _typed(Person.__table__.c[column], before[column]))
    _index(kept)
    own = [entry for entry in kept.aside if entry.get("merge") != record.id]
    kept.extra = {"entries": own} if own else None
    return stayed


def _index(person: Person) -> None:
    person.identity_index = blind(person.identity_number, purpose="identity") if person.identity_number else None


# --- two different people -------------------------------------------------------------------------


def _carry_distinctions(kept: Person, gone: Person, record: PersonMerge, by: Account, now: datetime) -> None:
    """Whoever was told apart from the record that goes is told apart from the one that stays."""
    said = db.session.scalars(
        sa.select(Distinction).where(sa.or_(Distinction.one_id == gone.id, Distinction.other_id == gone.id))
    ).all()
    for distinction in said:
        other_id = distinction.other_id if distinction.one_id == gone.id else distinction.one_id
        if doubles.distinction(kept.id, other_id) is None:
            _distinguish(kept.id, other_id, by, now, carried_by=record)


def _distinguish(
    one_id: int, other_id: int, by: Account, now: datetime, carried_by: PersonMerge | None = None
) -> Distinction:
    first, second = sorted((one_id, other_id))
    said = Distinction(
        one_id=first,
        other_id=second,
        account_id=by.id,
        at=now,
        carried_by_id=carried_by.id if carried_by else None,
    )
    db.session.add(said)
    db.session.flush()
    return said
