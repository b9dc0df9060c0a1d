"""The drawings a programme's events wear, and what its name may be."""

from enum import StrEnum

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class Motif(StrEnum):
    """A generated cover for events without a photograph."""

    LOUNGE = "lounge"
    MARCH = "march"
    RIVER = "river"
    FLOCK = "flock"
    PLAIN = "plain"

    @property
    def label(self) -> str:
        """The name of the drawing, to be translated."""
        return {
            Motif.LOUNGE: N_("Lit windows"),
            Motif.MARCH: N_("A path through hills"),
            Motif.RIVER: N_("A river in spring"),
            Motif.FLOCK: N_("Geese in flight"),
            Motif.PLAIN: N_("Plain"),
        }[self]


class ProgrammeNameTaken(Refused):
    """Two programmes of one organisation cannot be told apart."""

    message = N_("%(organisation)s already has a programme of this name.")
    field = "name"
