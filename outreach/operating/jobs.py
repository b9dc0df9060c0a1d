"""What operation does by itself, every night or as soon as something happened."""

from datetime import datetime

from flask import current_app

from outreach.kernel.database import db
from outreach.kernel.outbox import Work
from outreach.operating import erasures, verification


class HistoryChanged(Exception):  # noqa: N818 -- what happened
    """Lines that stood at the last anchor are gone or were replaced."""


def anchor_history(*, now: datetime, work: Work) -> None:
    """Write down outside the database how much history there is, so that what is cut off later is missed.

    :raises HistoryChanged: if some of it is gone already; the piece of work then fails, which `check` shows
    """
    db.session.commit()  # transactions are waited for, and this one would be our own
    if not verification.set_anchor(folder=current_app.config["SETTINGS"].instance_path, now=now).whole:
        raise HistoryChanged


def note_erasures(*, now: datetime, work: Work) -> None:
    """Write down outside the database who was erased and what was taken back, if it is not written there."""
    erasures.note(folder=current_app.config["SETTINGS"].instance_path, connection=db.session.connection())
