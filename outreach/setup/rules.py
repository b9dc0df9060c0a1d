"""What is refused in the first set-up."""

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class WrongSetupCode(Refused):
    """Not the code that the server printed."""

    message = N_("This is not the set-up code. It stands in the window where the server was started.")
    field = "code"
    status = 422
