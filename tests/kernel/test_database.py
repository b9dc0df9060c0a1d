"""Statements of a rush, which read the same however many rows they are about."""

import pytest
import sqlalchemy as sa

from outreach.kernel.actor import SYSTEM
from outreach.kernel.database import NewRows, among, db
from outreach.kernel.history import HistoryLine, Subject, first_broken_position, write, write_for_many
from outreach.people.models import Person
from tests import factories
from tests.conftest import NOW


@pytest.fixture
def three(city):
    return [factories.a_person(name, organisation=city.lead_organisation) for name in ("林", "沈", "周")]


def test_among_takes_any_number_as_one_parameter(three, statements):
    statement = sa.select(Person.name).where(among(Person.id, "ids")).order_by(Person.id)

    with statements() as sent:
        found = [
            db.session.connection().execute(statement, {"ids": [each.id for each in some]}).scalars().all()
            for some in ([], three[:1], three[1:], three)
        ]

    assert found == [[], ["林"], ["沈", "周"], ["林", "沈", "周"]]
    assert len(set(sent)) == 1


def test_among_compares_texts(three):
    statement = sa.select(Person.name).where(among(Person.name, "names")).order_by(Person.id)

    found = db.session.connection().execute(statement, {"names": {"周", '沈", "林', "林"}}).scalars().all()

    assert found == ["林", "周"]


def test_new_rows_leave_out_what_is_there_if_they_may(three):
    table = HistoryLine.__table__
    columns = [each.name for each in table.columns if each.name != "id"]
    write(subject=Subject("person", three[0].id), act="created", by=SYSTEM, now=NOW, facts={"a": 1})
    [there] = db.session.execute(sa.select(*(table.c[name] for name in columns))).mappings().all()
    rows = [dict(there) | {"position": position} for position in (1, 2, 3)]
    lines = NewRows(table, columns)

    added = lines.unless_there("position").add(db.session.connection(), rows)

    assert sorted(added) == [2, 3]
    kept = db.session.execute(sa.select(*(table.c[name] for name in columns)).order_by(table.c.position)).mappings()
    assert [dict(row) for row in kept] == rows
    with pytest.raises(sa.exc.IntegrityError):
        lines.add(db.session.connection(), rows)


def test_new_rows_are_given_their_ids_in_their_order(three):
    names = [f"{number:02d}" for number in range(40)]
    columns = {"organisation_id": three[0].organisation_id, "pinyin": "", "created_at": NOW, "updated_at": NOW}
    rows = [columns | {"name": name, "name_key": name, "sound": name} for name in names]

    ids = NewRows(Person.__table__, tuple(rows[0])).numbered().add(db.session.connection(), rows)

    found = db.session.execute(sa.select(Person.id, Person.name).where(Person.id.in_(ids)).order_by(Person.name))
    assert [tuple(each) for each in found] == list(zip(ids, names, strict=True))
    assert ids == sorted(ids)


def test_lines_written_together_stand_in_one_statement_and_hold(three, statements):
    subjects = [Subject("person", person.id) for person in three]
    write_for_many(
        act="created", by=SYSTEM, now=NOW, facts={subject: {"source": "林"} for subject in subjects}, new=True
    )

    with statements() as sent:
        write_for_many(act="changed", by=SYSTEM, now=NOW, facts={subject: {} for subject in subjects})

    assert len([statement for statement in sent if "INSERT" in statement]) == 1
    assert [first_broken_position(db.session(), subject) for subject in subjects] == [None] * 3
    acts = sa.select(HistoryLine.act).order_by(HistoryLine.subject_id, HistoryLine.position)
    assert db.session.scalars(acts).all() == ["created", "changed"] * 3
