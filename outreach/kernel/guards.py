"""Triggers: the last guard of what must never happen, on both engines.

A feature's guards stand here rather than with the feature because migrations and tests apply them together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from outreach.kernel.database import Model


@dataclass(frozen=True)
class Guard:
    """One trigger, as DDL of each engine; `drop` takes it away again."""

    name: str
    table: str
    sqlite: tuple[str, ...]
    postgresql: tuple[str, ...]


def never_changes(table: str) -> Guard:
    """Return the guard that lets rows in and never lets them be changed or deleted."""
    name = f"guard_{table}_never_changes"
    message = f"{table}: lines are never changed or deleted"
    return Guard(
        name=name,
        table=table,
        sqlite=tuple(
            f"CREATE TRIGGER {name}_{when.lower()} BEFORE {when} ON {table} BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for when in ("UPDATE", "DELETE")
        ),
        postgresql=(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$",
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
        ),
    )


def never_oversold() -> Guard:
    """Return the guard that refuses a registration which holds a place its group no longer has.

    The holding states are those of registration.rules.HOLDING; a test compares. On PostgreSQL the group's row is
    locked first, so that what is counted is what stands; SQLite has one writer at a time.
    """
    name = "guard_registrations_never_oversold"
    message = "registrations: this group has no place left"
    holding = "('pending', 'confirmed')"
    full = (
        f"(SELECT count(*) FROM registrations WHERE group_id = NEW.group_id AND state IN {holding}) >= "  # noqa: S608
        "(SELECT capacity FROM place_groups WHERE id = NEW.group_id)"
    )
    newly = f"(OLD.state NOT IN {holding} OR OLD.group_id <> NEW.group_id)"
    return Guard(
        name=name,
        table="registrations",
        sqlite=(
            f"CREATE TRIGGER {name}_insert BEFORE INSERT ON registrations WHEN NEW.state IN {holding} AND {full} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
            f"CREATE TRIGGER {name}_update BEFORE UPDATE OF state, group_id ON registrations "
            f"WHEN NEW.state IN {holding} AND {newly} AND {full} BEGIN SELECT RAISE(ABORT, '{message}'); END",
        ),
        postgresql=(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM 1 FROM place_groups WHERE id = NEW.group_id FOR NO KEY UPDATE; "
            f"IF {full} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation'; END IF; "
            "RETURN NEW; END $$",
            f"CREATE TRIGGER {name}_insert BEFORE INSERT ON registrations FOR EACH ROW "
            f"WHEN (NEW.state IN {holding}) EXECUTE FUNCTION {name}()",
            f"CREATE TRIGGER {name}_update BEFORE UPDATE OF state, group_id ON registrations FOR EACH ROW "
            f"WHEN (NEW.state IN {holding} AND {newly}) EXECUTE FUNCTION {name}()",
        ),
    )


def away_once() -> Guard:
    """Return the guard that refuses a leave on days on which its account is away already.

    On PostgreSQL the account's row is locked first, so that of two who write at once the second one sees the first.
    """
    name = "guard_absences_once"
    message = "absences: this account is away on some of these days already"
    twice = (
        "EXISTS (SELECT 1 FROM absences WHERE account_id = NEW.account_id AND id <> NEW.id "
        "AND from_on <= NEW.until_on AND until_on >= NEW.from_on)"
    )
    return Guard(
        name=name,
        table="absences",
        sqlite=tuple(
            # after the row is in: before it an INSERT has no id yet
            f"CREATE TRIGGER {name}_{event.lower()} AFTER {event} ON absences WHEN {twice} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for event in ("INSERT", "UPDATE")
        ),
        postgresql=(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM 1 FROM accounts WHERE id = NEW.account_id FOR NO KEY UPDATE; "
            f"IF {twice} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation'; END IF; "
            "RETURN NEW; END $$",
            f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON absences FOR EACH ROW EXECUTE FUNCTION {name}()",
        ),
    )


FACTS_OF_A_MERGE = frozenset(
    {
        ("people", "merged_into_id"),
        ("person_merges", "kept_id"),
        ("person_merges", "gone_id"),
        ("distinctions", "one_id"),
        ("distinctions", "other_id"),
    }
)
"""Columns that say what was merged or told apart: they keep naming the records they were about."""


def references_to_people() -> Iterator[tuple[str, str]]:
    """Yield the table and column of every foreign key to people, but for the facts of a merge, in a fixed order."""
    for table in Model.metadata.sorted_tables:
        for column in table.columns:
            to_people = any(key.target_fullname == "people.id" for key in column.foreign_keys)
            if to_people and (table.name, column.name) not in FACTS_OF_A_MERGE:
                yield table.name, column.name


def only_standing_people(table: str, column: str) -> Guard:
    """Return the guard that lets nothing point to a record that was merged into another.

    On PostgreSQL the person's row is locked as the foreign key locks it anyway, so that whoever comes while a merge
    is on its way waits for its end, and is refused.
    """
    name = f"guard_{table}_{column}_stands"
    message = f"{table}: the record of this person was merged into another"
    merged = f"(SELECT merged_into_id FROM people WHERE id = NEW.{column}) IS NOT NULL"  # noqa: S608
    read = f"SELECT merged_into_id INTO gone FROM people WHERE id = NEW.{column} FOR KEY SHARE"  # noqa: S608
    return Guard(
        name=name,
        table=table,
        sqlite=tuple(
            f"CREATE TRIGGER {name}_{when} BEFORE {event} ON {table} WHEN {merged} "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for when, event in (("insert", "INSERT"), ("update", f"UPDATE OF {column}"))
        ),
        postgresql=(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE gone integer; BEGIN "
            f"{read}; IF gone IS NOT NULL THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation'; END IF; "
            "RETURN NEW; END $$",
            f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE OF {column} ON {table} FOR EACH ROW "
            f"WHEN (NEW.{column} IS NOT NULL) EXECUTE FUNCTION {name}()",
        ),
    )


def merged_with_nothing_left() -> Guard:
    """Return the guard that lets a record go into another only if nothing points to it and the other one stands."""
    name = "guard_people_merged_with_nothing_left"
    message = "people: something still points to this record, or the other one was merged itself"
    left = [
        f"EXISTS (SELECT 1 FROM {table} WHERE {column} = NEW.id)"  # noqa: S608
        for table, column in references_to_people()
    ]
    tombstone = "(SELECT merged_into_id FROM people WHERE id = NEW.merged_into_id) IS NOT NULL"
    wrong = " OR ".join([tombstone, *left])
    newly = "NEW.merged_into_id IS NOT NULL AND OLD.merged_into_id IS NULL"
    return Guard(
        name=name,
        table="people",
        sqlite=(
            f"CREATE TRIGGER {name} BEFORE UPDATE OF merged_into_id ON people WHEN {newly} AND ({wrong}) "
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
        ),
        postgresql=(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF {wrong} THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation'; END IF; "
            "RETURN NEW; END $$",
            f"CREATE TRIGGER {name} BEFORE UPDATE OF merged_into_id ON people FOR EACH ROW "
            f"WHEN ({newly}) EXECUTE FUNCTION {name}()",
        ),
    )


GUARDS: tuple[Guard, ...] = (
    never_changes("history_lines"),
    never_changes("arrivals"),
    never_changes("consent_texts"),  # what somebody agreed to is proved by the text as it was
    never_oversold(),
    away_once(),
)


def statements(engine: str) -> list[str]:
    """Return the DDL of every guard for an engine, "sqlite" or "postgresql"."""
    people = [only_standing_people(table, column) for table, column in references_to_people()]
    return [
        statement for guard in (*GUARDS, *people, merged_with_nothing_left()) for statement in getattr(guard, engine)
    ]
