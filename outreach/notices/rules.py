"""Channels of messages, where a message stands, and what counts as delivered."""

from enum import StrEnum

from outreach.kernel.wording import N_
from outreach.people.rules.merging import Rows


class Channel(StrEnum):
    """How a message travels."""

    MAIL = "mail"
    SMS = "sms"

    @property
    def label(self) -> str:
        """The name of the channel, to be translated."""
        return {Channel.MAIL: N_("Mail"), Channel.SMS: N_("SMS")}[self]


class MessageState(StrEnum):
    """Where a message stands. Handed over is not delivered."""

    WAITING = "waiting"
    HANDED_OVER = "handed_over"  # a mail server or a gateway took it
    DELIVERED = "delivered"  # the gateway's receipt says so
    OPENED = "opened"  # the person opened what it links to
    FAILED = "failed"

    @property
    def label(self) -> str:
        """The name of the state, to be translated."""
        return MESSAGE_STATES[self]


MESSAGE_STATES = {
    MessageState.WAITING: N_("Waiting to be sent"),
    MessageState.HANDED_OVER: N_("Handed over"),
    MessageState.DELIVERED: N_("Delivered"),
    MessageState.OPENED: N_("Opened"),
    MessageState.FAILED: N_("Failed"),
}

ROWS_OF_A_PERSON = (Rows("messages", N_("messages")),)
"""What merging two records of one person calls what stands here."""
