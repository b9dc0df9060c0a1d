"""What registration announces to whoever stands above it. The sender is the registration."""

from blinker import Namespace

_registration = Namespace()

withdrawing = _registration.signal("withdrawing")
"""Somebody is about to give a place back. A listener that knows why not raises its refusal, and nothing happens."""
