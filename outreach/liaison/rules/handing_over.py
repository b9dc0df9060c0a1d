"""Who leaves hands everything open to a named successor. Source: domain.md (service officer, leader)."""

from dataclasses import dataclass

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class SameAccount(Refused):
    """Nobody succeeds themselves."""

    message = N_("The successor is somebody else than who leaves.")
    field = "successor"
    status = 422


class SuccessorCannotLead(Refused):
    """Who keeps in touch is a leader or a service officer."""

    message = N_("%(name)s is neither a leader nor a service officer, so cannot take over who is met by %(leaver)s.")
    field = "successor"
    status = 422


class SuccessorCannotServe(Refused):
    """Who logs for a leader is a liaison officer."""

    message = N_("%(name)s is no liaison officer, so cannot take over whose visits %(leaver)s logs.")
    field = "successor"
    status = 422


class NothingToHandOver(Refused):
    """All is settled, or somebody else was quicker."""

    message = N_("%(leaver)s has nothing open any more.")
    status = 409


@dataclass(frozen=True)
class Roles:
    """Which of the roles a successor needs they hold."""

    leads: bool
    serves: bool


def check_successor(*, leaver: str, name: str, leads: int, serves: int, roles: Roles) -> None:
    """Refuse a successor who cannot do what is handed over.

    :param leads: how many pairings the leaver leads
    :param serves: how many the leaver logs for
    :raises SuccessorCannotLead: if there are such and the successor may not keep in touch with anybody
    :raises SuccessorCannotServe: if there are such and the successor is no liaison officer
    """
    if leads and not roles.leads:
        raise SuccessorCannotLead(name=name, leaver=leaver)
    if serves and not roles.serves:
        raise SuccessorCannotServe(name=name, leaver=leaver)
