"""Photographs of a visit: how many, how large, and what is refused."""

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

MOST_PHOTOGRAPHS = 6
LARGEST_MEGABYTES = 12
LONGEST_SIDE = 1600
"""Pixels: enough to read a name plate, too few to be worth stealing."""
MOST_PIXELS = 60_000_000
"""What no telephone takes is a file made to fill the memory."""


class TooLarge(Refused):
    """A picture that would take long and fill the disk."""

    message = N_("One of the pictures is too large: at most %(most)s MB each.")
    field = "photographs"
    status = 422


class NotAPhotograph(Refused):
    """Another kind of file, or a broken one."""

    message = N_("One of the files is no picture, or is broken. JPEG, PNG and WebP are taken.")
    field = "photographs"
    status = 422


class TooManyPhotographs(Refused):
    """A visit is no album."""

    message = N_("A visit has at most %(most)s pictures.")
    field = "photographs"
    status = 422
