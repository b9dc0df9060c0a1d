"""Who approves what a unit lets out: events, and answers. Source: domain.md, «Who uses it»."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outreach.organisations.rules import Role


@dataclass(frozen=True)
class Seat:
    """An account that holds a role at an organisation, by the organisation's path in the tree ("1.7.")."""

    account_id: int
    role: Role
    path: str


def filled(seats: Sequence[Seat], away: Mapping[int, int | None]) -> list[Seat]:
    """Return the seats with the deputies of those who are away; a seat whose deputy is nobody stays empty.

    :param away: of those who are away, the id of the deputy, or None
    """
    return [
        Seat(sitting, seat.role, seat.path)
        for seat in seats
        if (sitting := away.get(seat.account_id, seat.account_id)) is not None
    ]


def approvers(path: str, seats: Sequence[Seat], author_id: int | None) -> frozenset[int]:
    """Return the accounts that may approve what the unit with this path wants to let out.

    The approvers of the unit; where it has none, those of the unit above; at the top any second organiser or
    the supervisor. Its author never counts, so where that is the unit's only approver the unit above decides.
    """
    steps = path.rstrip(".").split(".")
    others = [seat for seat in seats if seat.account_id != author_id]
    for depth in range(len(steps), 0, -1):
        here = ".".join(steps[:depth]) + "."
        found = {seat.account_id for seat in others if seat.role is Role.APPROVER and seat.path == here}
        if found:
            return frozenset(found)
    top = f"{steps[0]}."
    return frozenset(
        seat.account_id for seat in others if seat.path == top and seat.role in {Role.ORGANISER, Role.SUPERVISOR}
    )
