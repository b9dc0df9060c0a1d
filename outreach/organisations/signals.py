"""What organisations announces to the features above it. The sender is the unit, or the city."""

from blinker import Namespace

_organisations = Namespace()

places_changed = _organisations.signal("places-changed")
"""A county or district is there, is gone or is called otherwise, or the city is; `now` comes with it."""

working_days_changed = _organisations.signal("working-days-changed")
"""Days of a `year` are worked or free now that were not, or it was published; the sender is the city; `now` comes."""
