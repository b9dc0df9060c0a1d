"""A mail server for the tests: real SMTP on a port of this machine, which keeps what it is given."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.machine import free_port


@dataclass
class PostOffice:
    """The server's address and the mails it was given, oldest first.

    `refusing` is an answer such as "451 4.3.0 Try again later"; while it is set, every mail gets it.
    `on_arrival` is called when a mail arrives, before it is taken; what it returns refuses it.
    """

    port: int
    host: str = "127.0.0.1"
    refusing: str | None = None
    on_arrival: Callable[[], str | None] | None = None
    mails: list[EmailMessage] = field(default_factory=list)
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        """Keep one mail, or refuse it."""
        refusal = (self.on_arrival() if self.on_arrival else None) or self.refusing
        if refusal:
            return refusal
        mail = message_from_bytes(envelope.content, policy=policy.default)
        with self._arrived:
            self.mails.append(mail)
            self._arrived.notify_all()
        return "250 OK"

    def mails_to(self, address: str) -> list[EmailMessage]:
        """Return the mails to the address, oldest first."""
        return [mail for mail in list(self.mails) if address in (mail["To"] or "")]

    def wait_for_mail(self, address: str, *, count: int = 1, seconds: float = 20) -> EmailMessage:
        """Return the count-th mail to the address, once it is there.

        :raises AssertionError: if it does not come within the seconds
        """
        until = time.monotonic() + seconds
        with self._arrived:
            while len(self.mails_to(address)) < count:
                left = until - time.monotonic()
                assert left > 0, f"no mail to {address} within {seconds} s; there are {len(self.mails)} to others"
                self._arrived.wait(left)
        return self.mails_to(address)[count - 1]

    def wait_for(self, count: int, *, seconds: float) -> None:
        """Wait until so many mails were taken.

        :raises AssertionError: if they do not come within the seconds
        """
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.mails) >= count, seconds), f"only {len(self.mails)} came"


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail, its lines ended as in Python."""
    return mail.get_body(preferencelist=("plain",)).get_content().replace("\r\n", "\n")


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """A running mail server; the served application of the same test sends its mails to it.

    What aiosmtpd says of each connection goes nowhere: the application of this process takes every logger's lines.
    """
    lines = logging.getLogger("mail.log")
    before, lines.propagate = lines.propagate, False
    office = PostOffice(port=free_port())
    controller = Controller(office, hostname=office.host, port=office.port, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()
        lines.propagate = before
