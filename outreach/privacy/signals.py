"""What privacy announces to whoever stands above it; listeners are given `now` and work in the same transaction."""

from blinker import Namespace

_privacy = Namespace()

given_up = _privacy.signal("given_up")
"""Somebody was erased, a consent was taken back, or a night's removing is done. The sender is what records it."""
