"""What operation does when people are erased. Connected by name in app.py."""

from datetime import datetime

from outreach.kernel import outbox


def note_outside(_record: object, *, now: datetime) -> None:
    """Have it written down outside the database too, once this is committed."""
    outbox.enqueue(job="operating.note_erasures", now=now)
