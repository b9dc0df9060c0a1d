"""What events announce to whoever stands above them. The sender is the event; every listener is given `by` and `now`.

Listeners work in the transaction of the change: if one refuses, nothing has happened.
"""

from blinker import Namespace

_events = Namespace()

event_published = _events.signal("event_published")
"""A second person approved; the event is on the portal."""

event_moved = _events.signal("event_moved")
"""A published event got another time, place or title. `changed` is a frozenset of "time", "place", "title"."""

event_cancelled = _events.signal("event_cancelled")
"""A published event will not take place. `reason` is what the organiser wrote."""

capacity_changed = _events.signal("capacity_changed")
"""Groups of a published event got other numbers of places, or are new. `groups` is the list of them."""
