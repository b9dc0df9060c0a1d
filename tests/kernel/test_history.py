import pytest
import sqlalchemy as sa

from outreach.kernel import history
from outreach.kernel.actor import SYSTEM, Actor, ActorKind
from outreach.kernel.history import HistoryLine, Subject
from tests.conftest import NOW

CASE = Subject("case", 7)


def _two_lines() -> None:
    history.write(subject=CASE, act="registered", by=SYSTEM, now=NOW, words="孩子上学")
    history.write(subject=CASE, act="assigned", by=Actor(ActorKind.STAFF, 3, 4), now=NOW, facts={"unit": 5})


def test_lines_of_a_record_are_read_in_order_with_their_words(session):
    _two_lines()
    history.write(subject=Subject("case", 8), act="registered", by=SYSTEM, now=NOW)

    lines = history.lines_of(CASE)

    assert [(line.position, line.act, line.words.text if line.words else None) for line in lines] == [
        (1, "registered", "孩子上学"),
        (2, "assigned", None),
    ]
    assert history.first_broken_position(session(), CASE) is None


@pytest.mark.parametrize("change", ["UPDATE history_lines SET act = 'x'", "DELETE FROM history_lines"])
def test_the_database_refuses_to_change_or_delete_a_line(session, change):
    _two_lines()
    session.commit()

    with pytest.raises(sa.exc.DBAPIError, match="never changed or deleted"):
        session.execute(sa.text(change))


def test_a_line_altered_behind_the_application_is_found(session, database):
    _two_lines()
    session.commit()

    _behind_the_triggers(session, database, "UPDATE history_lines SET act = 'closed' WHERE position = 2")

    assert history.first_broken_position(session(), CASE) == 2


def test_a_line_taken_out_behind_the_application_is_found(session, database):
    _two_lines()
    session.commit()

    _behind_the_triggers(session, database, "DELETE FROM history_words", "DELETE FROM history_lines WHERE position = 1")

    assert history.first_broken_position(session(), CASE) == 1


def test_erasing_the_words_leaves_the_chain_whole(session):
    _two_lines()
    session.commit()

    session.execute(sa.text("DELETE FROM history_words"))
    session.expire_all()

    assert history.first_broken_position(session(), CASE) is None
    assert session.scalars(sa.select(HistoryLine.words_hash).where(HistoryLine.position == 1)).one()


def _behind_the_triggers(session, database, *statements):
    if database == "sqlite":
        for when in ("update", "delete"):
            session.execute(sa.text(f"DROP TRIGGER guard_history_lines_never_changes_{when}"))
    else:
        session.execute(sa.text("SET LOCAL session_replication_role = replica"))
    for statement in statements:
        session.execute(sa.text(statement))
    session.commit()
    session.expire_all()
