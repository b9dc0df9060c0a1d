"""What is done again every night: errands, and when each is next due.

Every worker looks at the timetable. Whichever finds an errand due holds its row, writes the piece of work into the
outbox and sets the next night, in one transaction: so it is done once however many workers there are, and once, not
once for every night missed, after a time switched off.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from outreach.kernel import outbox
from outreach.kernel.clock import OFFICE, local
from outreach.kernel.database import Model, db, one_at_a_time
from outreach.kernel.outbox import Urgency, Work, WorkState

LOOKED_AT_EVERY = timedelta(seconds=30)
"""How often a worker looks whether an errand is due."""


@dataclass(frozen=True)
class Errand:
    """A job done once a day, from a time on the office's clocks; `job` is "<feature>.<function>", without arguments."""

    job: str
    at: time

    def next_after(self, moment: datetime) -> datetime:
        """Return the first moment after another at which the office's clocks show the errand's time."""
        day = local(moment).date()
        today = datetime.combine(day, self.at, tzinfo=OFFICE)
        return today if today > moment else datetime.combine(day + timedelta(days=1), self.at, tzinfo=OFFICE)


class Due(Model):
    """When an errand is next due, and the piece of work it last became."""

    __tablename__ = "timetable"

    job: Mapped[str] = mapped_column(sa.String(64), unique=True)
    due_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    work_id: Mapped[int | None] = mapped_column(sa.ForeignKey("work.id", ondelete="SET NULL"))


_errands: dict[str, Errand] = {}


def keep(errands: Iterable[Errand]) -> None:
    """Take these errands from now on; called once, when the application is made."""
    _errands.clear()
    _errands.update({errand.job: errand for errand in errands})


def tick(*, now: datetime) -> list[str]:
    """Turn the errands that are due into work and return their jobs; the caller commits.

    An errand that is new waits for its time; one whose last piece of work is not done yet is left out this time.
    """
    one_at_a_time("timetable")
    rows = {row.job: row for row in db.session.scalars(sa.select(Due).where(Due.job.in_(_errands)))}
    begun = []
    for job, errand in _errands.items():
        row = rows.get(job)
        if row is None:
            db.session.add(Due(job=job, due_at=errand.next_after(now)))
        elif row.due_at <= now:
            row.due_at = errand.next_after(now)
            if not _under_way(row.work_id):
                row.work_id = outbox.enqueue(job=job, urgency=Urgency.BULK, now=now).id
                row.begun_at = now
                begun.append(job)
        elif row.due_at > errand.next_after(now):  # its time was moved forward, or the clock was once ahead
            row.due_at = errand.next_after(now)
    return begun


def _under_way(work_id: int | None) -> bool:
    state = db.session.scalar(sa.select(Work.state).where(Work.id == work_id)) if work_id else None
    return state in {WorkState.WAITING, WorkState.RUNNING}
