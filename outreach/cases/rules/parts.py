"""Co-handlers (协办): who can be asked, and when."""

from outreach.cases.rules.moves import CaseState
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

ASKABLE = frozenset({CaseState.ASSIGNED, CaseState.ACCEPTED, CaseState.DRAFTED})
"""States in which a unit works on the answer, so that others can be asked for their part of it."""


class PartMoveRefused(Refused):
    """Parts are asked for while a unit works on the answer."""

    message = N_("This request is now “%(state)s”; co-handlers are asked while a unit works on the answer.")


class LeadCannotCoHandle(Refused):
    """A unit is lead or co-handler, not both."""

    message = N_("%(unit)s is the lead unit already.")
    field = "unit"


class CoHandlerAsked(Refused):
    """One question at a time to one unit."""

    message = N_("%(unit)s was asked already.")
    field = "unit"


class PartGiven(Refused):
    """A part is given once."""

    message = N_("This part was given already, or is not needed any more. Thank you.")


class OutsideUnnamed(Refused):
    """Somebody outside the city is named, or nobody would know whose part it is."""

    message = N_("Write the name of the unit.")
    field = "outside_name"
