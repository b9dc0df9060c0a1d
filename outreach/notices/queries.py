"""Reading messages."""

from collections.abc import Sequence

import sqlalchemy as sa

from outreach.kernel.database import db
from outreach.kernel.history import Subject
from outreach.kernel.paging import Key, Page, page_of
from outreach.notices.models import Message
from outreach.notices.rules import Channel


def messages_about(about: Subject) -> Sequence[Message]:
    """Return the messages that tell of a record, oldest first."""
    return db.session.scalars(
        sa.select(Message)
        .where(Message.subject_kind == about.kind, Message.subject_id == about.id)
        .order_by(Message.id)
    ).all()


def sms_page(*, cursor: str | None) -> Page[Message]:
    """Return what the built-in SMS gateway was given, newest first. For holders of Permission.SMS_PAGE only."""
    return page_of(
        sa.select(Message).where(Message.channel == Channel.SMS), keys=[Key(Message.id, descending=True)], cursor=cursor
    )
