"""What people announces to the features above it. The sender is the record that stays, or the merge.

Rows that point to people are moved and brought back by people itself, whatever feature they belong to (see
operations/merging.py). A feature listens only where one person may not have what two had: it settles that, and says
what it did, as a list of {"table", "id", …} of numbers and codes that it is given again when the merge is undone.
"""

from blinker import Namespace

_people = Namespace()

people_merging = _people.signal("people-merging")
"""Two records are about to become one; `gone`, `by` and `now` come with it. A listener may raise its refusal."""

merge_undone = _people.signal("merge-undone")
"""A merge was undone and its rows are back; `settled`, `by` and `now` come with it. Listeners answer with what did
not return: {"table", "id", "why"}."""

contact_ended = _people.signal("contact-ended")
"""A number or address (the sender) no longer reaches a `person`, or whoever it may be that did something through it
(None). What was done through it goes to `instead`, another one of theirs, or to none; `now` comes with it."""
