"""The common base of every named refusal."""

import math
from datetime import datetime
from typing import ClassVar

from outreach.kernel.wording import N_


class Refused(Exception):  # noqa: N818 -- reads as the sentence it is: "raise AlreadyCheckedIn"
    """A person asked for something the rules do not allow.

    Subclasses live beside the rules that raise them. `message` is an English
    source sentence with %(name)s places; `values` fills them; `field` names the
    form field it belongs to, where there is one. `status` is the HTTP answer.
    """

    message: ClassVar[str] = N_("This is not possible right now.")
    field: ClassVar[str | None] = None
    status: ClassVar[int] = 409

    def __init__(self, **values: object) -> None:
        self.values = values
        super().__init__(self.message % values if values else self.message)

    def seconds_left(self, now: datetime) -> int | None:
        """Return after how many seconds it may be tried again, by its values; None where time changes nothing."""
        match self.values:
            case {"seconds": int(seconds)}:
                return max(1, seconds)
            case {"minutes": int(minutes)}:
                return 60 * minutes
            case {"free": datetime() as free}:
                return max(1, math.ceil((free - now).total_seconds()))
        return None
