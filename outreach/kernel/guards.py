"""Triggers: the last guard of what must never happen, on both engines.

A feature's guards stand here rather than with the feature because migrations and tests apply them together.
"""

from dataclasses import dataclass


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


GUARDS: tuple[Guard, ...] = (never_changes("history_lines"), never_changes("arrivals"), never_oversold())


def statements(engine: str) -> list[str]:
    """Return the DDL of every guard for an engine, "sqlite" or "postgresql"."""
    return [statement for guard in GUARDS for statement in getattr(guard, engine)]
