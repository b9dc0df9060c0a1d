"""Figures of the installation, asked of the database when Prometheus asks: the same from whichever process answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from outreach.door.models import Arrival
from outreach.kernel.database import db
from outreach.kernel.outbox import Work, WorkState
from outreach.notices.models import Message
from outreach.registration.models import Registration


def oldest_due(*, now: datetime) -> datetime | None:
    """Return since when the piece of work waits that should have been begun first; None where nothing waits."""
    return db.session.scalar(
        sa.select(sa.func.min(Work.due_at)).where(Work.state == WorkState.WAITING, Work.due_at <= now)
    )


class Figures(Collector):
    """What the office would ask: what waits, what became of work and messages, who registered and who came."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield each figure."""
        waiting = sa.select(sa.func.count()).where(Work.state == WorkState.WAITING, Work.due_at <= self.now)
        oldest = oldest_due(now=self.now)
        yield GaugeMetricFamily(
            "outreach_queue_length", "Work that is due and not begun.", value=db.session.scalar(waiting) or 0
        )
        yield GaugeMetricFamily(
            "outreach_queue_oldest_seconds",
            "For how long the oldest of it has been due.",
            value=(self.now - oldest).total_seconds() if oldest else 0,
        )
        yield _counted("outreach_work", "Work by job and outcome.", job=Work.job, state=Work.state)
        yield _counted("outreach_messages", "Mails and SMS by outcome.", channel=Message.channel, state=Message.state)
        yield _counted("outreach_registrations", "Registrations by state.", state=Registration.state)
        yield _counted("outreach_arrivals", "Who was let in, by how their ticket was read.", way=Arrival.way)


def _counted(name: str, meaning: str, **columns: Any) -> GaugeMetricFamily:
    figure = GaugeMetricFamily(name, meaning, labels=list(columns))
    for *values, number in db.session.execute(
        sa.select(*columns.values(), sa.func.count()).group_by(*columns.values()).order_by(*columns.values())
    ):
        figure.add_metric([str(value) for value in values], number)
    return figure
