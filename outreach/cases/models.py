"""Requests, their answers, the attempts to reach the person, and what the person said."""

from datetime import date, datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.moves import OWED, RETURNS_FOR_AN_ARBITER, CaseState, Step
from outreach.kernel.actor import ActorKind
from outreach.kernel.database import IDS_ONCE, Model
from outreach.kernel.history import Subject
from outreach.kernel.sealing import Sealed, proof
from outreach.kernel.word_index import plain_text
from outreach.organisations.models import Account, Organisation
from outreach.people.models import ContactPoint, Person

_IS_OPEN, _IS_OVER = sa.text("due_at IS NOT NULL"), sa.text("ended_at IS NOT NULL")
_ENDED = "state IN ('closed', 'unreached', 'withdrawn')"


class Case(Model):
    """One request. While it is open exactly one unit is answerable and one deadline stands."""

    __tablename__ = "cases"
    __table_args__ = (
        sa.CheckConstraint(
            f"({_ENDED}) = (answerable_id IS NULL) AND ({_ENDED}) = (due_at IS NULL)",
            name="open_means_owed_by_one_unit_by_one_date",
        ),
        sa.CheckConstraint(f"({_ENDED}) = (ended_at IS NOT NULL)", name="ended_means_when"),
        sa.Index("ix_cases_owed", "answerable_id", "due_at", "id"),
        sa.Index("ix_cases_person", "person_id", "created_at"),
        sa.Index("ix_cases_intake", "intake_id", "created_at", "id"),
        sa.Index("ix_cases_of_lead", "lead_id", "due_at", "id"),
        sa.Index("ix_cases_due", "due_at", "id", "state", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        sa.Index("ix_cases_ended", "ended_at", "id", sqlite_where=_IS_OVER, postgresql_where=_IS_OVER),
        IDS_ONCE,
    )

    number: Mapped[str] = mapped_column(plain_text(12), unique=True)  # "2026-0418"
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"))
    # where the answer goes; its holder sees the request on their own page
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_points.id"), index=True)
    intake_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))  # the intake desk (交办)
    lead_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))  # 主办
    topic: Mapped[Topic]
    source: Mapped[CaseSource]
    title: Mapped[str] = mapped_column(Sealed("case.title"))
    words: Mapped[str] = mapped_column(Sealed("case.words"))  # what was said, in the person's own words
    complex: Mapped[bool] = mapped_column(default=False)
    urgent: Mapped[bool] = mapped_column(default=False)
    state: Mapped[CaseState] = mapped_column(default=CaseState.REGISTERED)
    answerable_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    due_at: Mapped[datetime | None]
    due_provisional: Mapped[bool] = mapped_column(default=False)
    returns: Mapped[int] = mapped_column(default=0)
    reopenings: Mapped[int] = mapped_column(default=0)
    # who wrote it down, and for whom (a secretary for a leader); both may follow it
    registered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    registered_for_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime]
    assigned_at: Mapped[datetime | None]  # first; a return does not stop the clock that runs from here
    accepted_at: Mapped[datetime | None]
    answer_due_at: Mapped[datetime | None]
    answer_due_provisional: Mapped[bool] = mapped_column(default=False)
    replied_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    handler_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # who accepted it
    version: Mapped[int] = mapped_column()

    person: Mapped[Person] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()
    intake: Mapped[Organisation] = relationship(foreign_keys=[intake_id])
    lead: Mapped[Organisation | None] = relationship(foreign_keys=[lead_id])
    answerable: Mapped[Organisation | None] = relationship(foreign_keys=[answerable_id])
    handler: Mapped[Account | None] = relationship(foreign_keys=[handler_id])
    registered_by: Mapped[Account | None] = relationship(foreign_keys=[registered_by_id])
    registered_for: Mapped[Account | None] = relationship(foreign_keys=[registered_for_id])
    answers: Mapped[list["Answer"]] = relationship(back_populates="case", order_by="Answer.id")

    __mapper_args__: ClassVar = {"version_id_col": version}

    @property
    def subject(self) -> Subject:
        """The record its history and its messages belong to."""
        return Subject("case", self.id)

    @property
    def step(self) -> Step | None:
        """The step that is owed next; None at an end."""
        return OWED.get(self.state)

    @property
    def answer(self) -> "Answer | None":
        """The latest answer."""
        return self.answers[-1] if self.answers else None

    @property
    def needs_arbiter(self) -> bool:
        """Whether it was passed back so often that an arbiter must name the unit."""
        return self.returns >= RETURNS_FOR_AN_ARBITER

    @property
    def token(self) -> str:
        """The secret of its public link: made from the id and the contact point, so a new number voids the old link."""
        return f"{self.id}-{proof(f'{self.id}:{self.contact_point_id}', purpose='case link')[:24]}"


class CaseYear(Model):
    """The last number given in a year."""

    __tablename__ = "case_years"

    year: Mapped[int] = mapped_column(unique=True)
    last: Mapped[int]


class Answer(Model):
    """One answer to a request."""

    __tablename__ = "answers"
    __table_args__ = (
        sa.CheckConstraint("kind != 'impossible' OR rule IS NOT NULL", name="impossible_needs_its_rule"),
        sa.CheckConstraint("kind != 'in_progress' OR promised_on IS NOT NULL", name="a_plan_needs_its_date"),
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    kind: Mapped[AnswerKind]
    text: Mapped[str] = mapped_column(Sealed("answer.text"))
    rule: Mapped[str | None] = mapped_column(sa.String(400))
    promised_on: Mapped[date | None]
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    answered_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    delivered_by: Mapped[ReachChannel | None]

    case: Mapped[Case] = relationship(back_populates="answers")
    unit: Mapped[Organisation] = relationship()
    account: Mapped[Account] = relationship()
    attempts: Mapped[list["ReachAttempt"]] = relationship(back_populates="answer", order_by="ReachAttempt.at")
    feedback: Mapped["Feedback | None"] = relationship(back_populates="answer")


class ReachAttempt(Model):
    """One attempt to reach the person with an answer, that succeeded or not."""

    __tablename__ = "reach_attempts"

    answer_id: Mapped[int] = mapped_column(sa.ForeignKey("answers.id"), index=True)
    channel: Mapped[ReachChannel]
    at: Mapped[datetime]
    reached: Mapped[bool]
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    note: Mapped[str | None] = mapped_column(Sealed("reach.note"))

    answer: Mapped[Answer] = relationship(back_populates="attempts")
    account: Mapped[Account | None] = relationship()


class Feedback(Model):
    """What the person said of an answer; once for each."""

    __tablename__ = "case_feedback"

    answer_id: Mapped[int] = mapped_column(sa.ForeignKey("answers.id"), unique=True)
    solved: Mapped[bool]
    satisfaction: Mapped[Satisfaction]
    words: Mapped[str | None] = mapped_column(Sealed("feedback.words"))
    at: Mapped[datetime]
    by_kind: Mapped[ActorKind]
    by_id: Mapped[int | None]

    answer: Mapped[Answer] = relationship(back_populates="feedback")


class TopicRoute(Model):
    """The intake desk's standing rule: requests on this topic go to this unit at once."""

    __tablename__ = "topic_routes"
    __table_args__ = (sa.UniqueConstraint("intake_id", "topic"),)

    intake_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    topic: Mapped[Topic]
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))

    unit: Mapped[Organisation] = relationship(foreign_keys=[unit_id])
