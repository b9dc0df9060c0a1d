"""Carrying messages: rendering them, handing them to the mail server or the SMS gateway, and trying again."""

import smtplib
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Protocol

from flask import current_app
from flask_babel import force_locale

from outreach.config import Settings
from outreach.kernel.clock import local
from outreach.kernel.database import db, once_it_answers
from outreach.kernel.outbox import TryLater, Work
from outreach.notices import operations
from outreach.notices.models import Message
from outreach.notices.rules import Channel, MessageState

PATIENCE_SECONDS = 20
NEVER = 500  # SMTP's answers from 500 on are final


class SmsGateway(Protocol):
    """Whoever carries SMS. An implementation raises OSError where trying again may help."""

    def hand_over(self, *, number: str, text: str) -> None:
        """Give one SMS to the carrier; `number` in E.164."""


class PageGateway:
    """Carries nothing: the messages stand on a page that only administrators see."""

    def hand_over(self, *, number: str, text: str) -> None:
        """Do nothing more: the message row is the page."""


GATEWAYS: dict[str, type[SmsGateway]] = {"page": PageGateway}


def deliver(*, message_id: int, now: datetime, work: Work) -> None:
    """Render one message and hand it over; a message already handed over is left alone.

    No transaction is open while a server is spoken to: on SQLite everybody else would wait for it.

    :raises TryLater: while no mail server is set
    """
    message = db.session.get_one(Message, message_id)
    if message.state is not MessageState.WAITING:
        return
    settings: Settings = current_app.config["SETTINGS"]
    if message.body is None:
        _render(message, settings)
    message.attempts += 1
    carry = _sms(message, settings) if message.channel is Channel.SMS else _mail(message, settings)
    db.session.commit()

    taken = carry()

    def note() -> None:
        message = db.session.get_one(Message, message_id)
        if taken:
            message.state = MessageState.HANDED_OVER
            message.handed_over_at = now
        else:
            message.state = MessageState.FAILED
            message.error = "address refused"
        db.session.commit()

    once_it_answers(note)  # or the message would go out a second time


def _render(message: Message, settings: Settings) -> None:
    def link(path: str) -> str:
        return settings.base_url.rstrip("/") + path

    with force_locale(message.language):
        text = current_app.jinja_env.get_template(message.template).render(**message.values, link=link).strip()
    message.subject, _, body = text.partition("\n")
    message.body = body.strip()


def _sms(message: Message, settings: Settings) -> Callable[[], bool]:
    """Return what hands one SMS over."""
    gateway, number, text = GATEWAYS[settings.sms_gateway](), message.recipient, message.body or ""

    def carry() -> bool:
        gateway.hand_over(number=number, text=text)
        return True

    return carry


def _mail(message: Message, settings: Settings) -> Callable[[], bool]:
    """Return what sends one mail; it answers False where the server refuses the address for good."""
    if settings.smtp_host is None:
        raise TryLater("no mail server is set")
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = settings.mail_from
    mail["To"] = message.recipient
    mail["Date"] = format_datetime(local(message.created_at))  # so that a second copy is the same mail
    mail["Message-ID"] = operations.message_id(
        message, host=parseaddr(settings.mail_from)[1].rpartition("@")[2] or "localhost"
    )
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body or "", cte="base64")

    def carry() -> bool:
        connect = smtplib.SMTP_SSL if settings.smtp_security == "tls" else smtplib.SMTP
        with connect(settings.smtp_host, settings.smtp_port, timeout=PATIENCE_SECONDS) as server:
            if settings.smtp_security == "starttls":
                server.starttls()
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            try:
                server.send_message(mail)
            except smtplib.SMTPRecipientsRefused as refused:
                if all(code >= NEVER for code, _ in refused.recipients.values()):
                    return False
                raise
        return True

    return carry
