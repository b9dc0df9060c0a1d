"""What privacy has to say when people's records are made one. Connected by name in app.py."""

from typing import Any

from outreach.people.models import Person
from outreach.privacy import queries
from outreach.privacy.rules import BeingErased


def not_while_being_erased(kept: Person, *, gone: Person, **_rest: Any) -> None:
    """Refuse to make one record of two while one of them waits to be erased.

    :raises BeingErased: if one does
    """
    for person in (kept, gone):
        if queries.is_being_erased(person.id):
            raise BeingErased(name=person.name)
