"""What a venue may be called."""

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class VenueNameTaken(Refused):
    """Two venues of one organisation cannot be told apart."""

    message = N_("%(organisation)s already has a venue of this name.")
    field = "name"
