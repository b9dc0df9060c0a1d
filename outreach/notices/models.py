"""Messages, as they were sent and what became of them."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from outreach.kernel.database import Model
from outreach.kernel.sealing import Sealed, SealedData
from outreach.notices.rules import Channel, MessageState


class Message(Model):
    """One message to one number or address."""

    __tablename__ = "messages"
    __table_args__ = (
        sa.Index("ix_messages_subject", "subject_kind", "subject_id"),
        sa.Index("ix_messages_channel", "channel", "id"),
    )

    channel: Mapped[Channel]
    kind: Mapped[str] = mapped_column(sa.String(48))  # "sign_in_code", "registration_confirmed", "case_replied", …
    recipient: Mapped[str] = mapped_column(Sealed("message.recipient"))
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_points.id"))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("people.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    subject_kind: Mapped[str | None] = mapped_column(sa.String(32))  # what it tells of: "case", "registration"
    subject_id: Mapped[int | None]
    # what it says: a template and its values when it is written, the text itself once a worker has rendered it
    template: Mapped[str] = mapped_column(sa.String(120))
    values: Mapped[dict[str, Any]] = mapped_column(SealedData("message.values"))
    language: Mapped[str] = mapped_column(sa.String(12))
    subject: Mapped[str | None] = mapped_column(Sealed("message.subject"))
    body: Mapped[str | None] = mapped_column(Sealed("message.body"))
    state: Mapped[MessageState] = mapped_column(default=MessageState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    handed_over_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(120))
