"""So many within a time: when one more is allowed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Limit:
    """So many within a time."""

    most: int
    within: timedelta


def free_from(limits: tuple[Limit, ...], past: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when one more attempt is allowed, given the past ones; None where it is allowed now."""
    ends = []
    for limit in limits:
        counted = sorted(at for at in past if at > now - limit.within)
        if len(counted) >= limit.most:
            ends.append(counted[-limit.most] + limit.within)
    return max(ends, default=None)


def minutes_until(moment: datetime, now: datetime) -> int:
    """Return the whole minutes until a moment, at least one."""
    return max(1, -(-int((moment - now).total_seconds()) // 60))
