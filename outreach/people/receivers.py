"""What people does when the tree of units changes. Connected by name in app.py."""

from datetime import datetime

from outreach.kernel import outbox
from outreach.kernel.outbox import Urgency


def judge_again_who_is_away(_sender: object, *, now: datetime) -> None:
    """Have a worker say anew who comes from the city and lives elsewhere: the names of its counties decide it."""
    outbox.enqueue(job="people.judge_who_is_away", now=now, urgency=Urgency.BULK)
