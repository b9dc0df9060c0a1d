"""What the door has to say when somebody gives a place back. Connected by name in app.py."""

from outreach.door import queries
from outreach.door.rules import AlreadyInside
from outreach.registration.models import Registration


def keep_who_came_in(registration: Registration) -> None:
    """Refuse to end the registration of somebody who came in.

    :raises AlreadyInside: if they did
    """
    if queries.arrival_of(registration.id) is not None:
        raise AlreadyInside
