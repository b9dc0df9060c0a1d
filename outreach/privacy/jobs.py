"""What a worker does for privacy: carrying out erasures. Each may be begun twice."""

from datetime import datetime

from outreach.kernel import clock
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, still_at_it
from outreach.people import operations as people
from outreach.privacy import operations, queries
from outreach.privacy.rules import ErasureState

ROWS_AT_ONCE = 500
ROWS_AT_A_STEP = 100


def erase(*, erasure_id: int, now: datetime, work: Work) -> None:
    """Carry out a wish that was not called off: first what files said, in steps, then everything else at once."""
    erasure = queries.erasure_by_id(erasure_id)
    if erasure is None or erasure.state is not ErasureState.WAITING:
        return
    work_id = work.id
    traces = people.traces_of(person=erasure.person)
    last: int | None = 0
    done = 0
    while last is not None:
        last = operations.strike_from_imports(traces=traces, after_id=last, limit=ROWS_AT_ONCE)
        done += ROWS_AT_ONCE
        still_at_it(work_id, done=done, total=None, now=clock.now())
        db.session.commit()
    operations.carry_out(erasure=queries.erasure_by_id(erasure_id), now=now)
    db.session.commit()


def retain(*, now: datetime, work: Work) -> None:
    """Remove what has been kept long enough, kind by kind, in steps; the report counts each step with what it removed.

    A worker that dies leaves whole steps behind; whoever takes the work on goes on with the same report.
    """
    work_id = work.id
    run_id = operations.begin_run(work_id=work_id, now=now).id
    db.session.commit()
    done = 0
    for kept in queries.kept_for():
        before, last = kept.kind.rule.before(kept.amount, now), 0
        while True:
            last = operations.remove_expired(
                kind=kept.kind,
                before=before,
                after_id=last,
                limit=ROWS_AT_A_STEP,
                run=queries.run_by_id(run_id),
                now=now,
            )
            done += 1
            still_at_it(work_id, done=done, total=None, now=clock.now())
            db.session.commit()
            if not last:
                break
    operations.end_run(run=queries.run_by_id(run_id), now=clock.now())
    db.session.commit()
