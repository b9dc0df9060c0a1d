"""Requests, their answers, the attempts to reach the person, and what the person said."""

from datetime import date, datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.deadlines import Clock
from outreach.cases.rules.ladder import Rung
from outreach.cases.rules.moves import OWED, CaseState, Rank, Step
from outreach.cases.rules.standard import (
    LONGEST_ARTICLE,
    LONGEST_DOCUMENT,
    LONGEST_LINK,
    LONGEST_NUMBER,
    LONGEST_TITLE,
    StandardText,
    cited,
)
from outreach.kernel.actor import ActorKind
from outreach.kernel.database import IDS_ONCE, Model
from outreach.kernel.history import Subject
from outreach.kernel.sealing import Sealed, proof
from outreach.kernel.word_index import plain_text
from outreach.organisations.models import Account, Organisation
from outreach.people.models import ContactPoint, Person

_IS_OPEN, _IS_OVER = sa.text("due_at IS NOT NULL"), sa.text("ended_at IS NOT NULL")
_WAS_ANSWERED = sa.text("replied_at IS NOT NULL")
_IS_LINK = "(lower(substr(rule_link, 1, 7)) = 'http://' OR lower(substr(rule_link, 1, 8)) = 'https://')"
_ENDED = "state IN ('closed', 'unreached', 'withdrawn', 'merged')"


class Case(Model):
    """One request. While it is open exactly one unit is answerable and one deadline stands."""

    __tablename__ = "cases"
    __table_args__ = (
        sa.CheckConstraint(
            f"({_ENDED}) = (answerable_id IS NULL) AND ({_ENDED}) = (due_at IS NULL)",
            name="open_means_owed_by_one_unit_by_one_date",
        ),
        sa.CheckConstraint(f"({_ENDED}) = (ended_at IS NOT NULL)", name="ended_means_when"),
        sa.CheckConstraint("(state = 'merged') = (merged_into_id IS NOT NULL)", name="merged_means_into_what"),
        sa.CheckConstraint("merged_into_id <> id", name="merged_into_another"),
        sa.CheckConstraint("(answer_since IS NULL) = (answer_due_at IS NULL)", name="an_answer_due_has_its_clock"),
        sa.Index("ix_cases_owed", "answerable_id", "rank", "due_at", "id"),
        sa.Index("ix_cases_person", "person_id", "created_at"),
        sa.Index("ix_cases_intake", "intake_id", "created_at", "id"),
        sa.Index("ix_cases_of_lead", "lead_id", "rank", "due_at", "id"),
        sa.Index("ix_cases_due", "due_at", "id", "state", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        sa.Index("ix_cases_first", "rank", "due_at", "id", "state", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
        sa.Index("ix_cases_ended", "ended_at", "id", sqlite_where=_IS_OVER, postgresql_where=_IS_OVER),
        sa.Index(
            "ix_cases_answered", "topic", "replied_at", "id", sqlite_where=_WAS_ANSWERED, postgresql_where=_WAS_ANSWERED
        ),
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
    rank: Mapped[int] = mapped_column(sa.SmallInteger, default=Rank.ORDINARY)  # rules.moves.Rank
    state: Mapped[CaseState] = mapped_column(default=CaseState.REGISTERED)
    answerable_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    due_at: Mapped[datetime | None]
    due_provisional: Mapped[bool] = mapped_column(default=False)
    due_since: Mapped[datetime | None]  # the clock of the step that is owed: rules.deadlines.Clock
    due_days: Mapped[int | None] = mapped_column(sa.SmallInteger)
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
    answer_since: Mapped[datetime | None]  # the clock of the answer; no days where it is owed by a promised day
    answer_days: Mapped[int | None] = mapped_column(sa.SmallInteger)
    answer_promised_on: Mapped[date | None]
    extra_days: Mapped[int] = mapped_column(sa.SmallInteger, default=0)  # of the extension that was granted
    arbitrated: Mapped[bool] = mapped_column(default=False)  # an arbiter named the unit: no return any more
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"), index=True)
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
    draft: Mapped["AnswerDraft | None"] = relationship(back_populates="case", cascade="all, delete-orphan")
    parts: Mapped[list["CasePart"]] = relationship(back_populates="case", order_by="CasePart.id")
    extensions: Mapped[list["Extension"]] = relationship(back_populates="case", order_by="Extension.id")
    terms: Mapped[list["CaseTerm"]] = relationship(
        back_populates="case", order_by="CaseTerm.id", cascade="all, delete-orphan"
    )
    merged_into: Mapped["Case | None"] = relationship(remote_side="Case.id", back_populates="merged")
    merged: Mapped[list["Case"]] = relationship(back_populates="merged_into", order_by="Case.id")

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
        """The latest answer that was given to it."""
        return self.answers[-1] if self.answers else None

    @property
    def answer_for_person(self) -> "Answer | None":
        """The answer its person gets: where it was merged into another request, that one's."""
        return self.merged_into.answer if self.merged_into is not None else self.answer

    @property
    def answer_clock(self) -> Clock | None:
        """The clock of the answer, once it runs."""
        if self.answer_since is None:
            return None
        return Clock(self.answer_since, self.answer_days, self.answer_promised_on)

    @property
    def extension(self) -> "Extension | None":
        """The extension that waits for a decision."""
        return next((one for one in self.extensions if one.decided_at is None), None)

    @property
    def open_parts(self) -> list["CasePart"]:
        """What co-handlers still owe."""
        return [part for part in self.parts if part.is_open]

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
        sa.CheckConstraint(f"rule_link IS NULL OR rule IS NOT NULL AND {_IS_LINK}", name="a_link_of_a_rule"),
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    kind: Mapped[AnswerKind]
    text: Mapped[str] = mapped_column(Sealed("answer.text"))
    rule: Mapped[str | None] = mapped_column(sa.String(400))
    rule_link: Mapped[str | None] = mapped_column(sa.String(LONGEST_LINK))  # where the rule can be read
    promised_on: Mapped[date | None]
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    answered_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    delivered_by: Mapped[ReachChannel | None]

    case: Mapped[Case] = relationship(back_populates="answers")
    unit: Mapped[Organisation] = relationship()
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    approved_by: Mapped[Account | None] = relationship(foreign_keys=[approved_by_id])
    attempts: Mapped[list["ReachAttempt"]] = relationship(back_populates="answer", order_by="ReachAttempt.at")
    feedback: Mapped["Feedback | None"] = relationship(back_populates="answer")


class AnswerDraft(Model):
    """An answer that waits for the head of the unit, or that was sent back to be written better."""

    __tablename__ = "answer_drafts"
    __table_args__ = (
        sa.CheckConstraint("kind != 'impossible' OR rule IS NOT NULL", name="impossible_needs_its_rule"),
        sa.CheckConstraint("kind != 'in_progress' OR promised_on IS NOT NULL", name="a_plan_needs_its_date"),
        sa.CheckConstraint(f"rule_link IS NULL OR rule IS NOT NULL AND {_IS_LINK}", name="a_link_of_a_rule"),
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), unique=True)
    kind: Mapped[AnswerKind]
    text: Mapped[str] = mapped_column(Sealed("draft.text"))
    rule: Mapped[str | None] = mapped_column(sa.String(400))
    rule_link: Mapped[str | None] = mapped_column(sa.String(LONGEST_LINK))  # where the rule can be read
    promised_on: Mapped[date | None]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    drafted_at: Mapped[datetime]
    sent_back: Mapped[bool] = mapped_column(default=False)

    case: Mapped[Case] = relationship(back_populates="draft")
    account: Mapped[Account] = relationship()


class StandardAnswer(Model):
    """What a unit answers again and again, with its document (常用答复与依据); retired ones stay readable."""

    __tablename__ = "standard_answers"
    __table_args__ = (
        sa.CheckConstraint("text <> '' OR document IS NOT NULL", name="says_or_cites_something"),
        sa.CheckConstraint("document IS NOT NULL OR rule_link IS NULL", name="a_link_of_a_document"),
        sa.CheckConstraint(f"rule_link IS NULL OR {_IS_LINK}", name="a_link_of_the_web"),
        sa.Index("ix_standard_answers_unit", "unit_id", "id"),
    )

    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    topic: Mapped[Topic | None]  # None: of every topic
    title: Mapped[str] = mapped_column(sa.String(LONGEST_TITLE))
    text: Mapped[str] = mapped_column(sa.Text)
    document: Mapped[str | None] = mapped_column(sa.String(LONGEST_DOCUMENT))
    number: Mapped[str | None] = mapped_column(sa.String(LONGEST_NUMBER))
    article: Mapped[str | None] = mapped_column(sa.String(LONGEST_ARTICLE))
    rule_link: Mapped[str | None] = mapped_column(sa.String(LONGEST_LINK))
    retired_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    unit: Mapped[Organisation] = relationship()

    __mapper_args__: ClassVar = {"version_id_col": version}

    @property
    def subject(self) -> Subject:
        """The record its history belongs to."""
        return Subject("standard", self.id)

    @property
    def kept(self) -> StandardText:
        """What it says."""
        return StandardText(self.title, self.topic, self.text, self.document, self.number, self.article, self.rule_link)

    @property
    def rule(self) -> str | None:
        """The document as an answer cites it."""
        return cited(self.kept)


class AnswersApproved(Model):
    """A unit whose answers leave only when its head has approved them; a unit without such a row needs nobody."""

    __tablename__ = "answers_approved"

    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), unique=True)


class CasePart(Model):
    """What a co-handler (协办) is asked to add to the answer: a unit of the tree, or one outside it reached by mail."""

    __tablename__ = "case_parts"
    __table_args__ = (
        sa.CheckConstraint("(unit_id IS NULL) = (outside_name IS NOT NULL)", name="a_unit_or_somebody_outside"),
        sa.CheckConstraint("outside_name IS NULL OR contact_point_id IS NOT NULL", name="outside_is_reached_by_mail"),
        sa.CheckConstraint("(given_at IS NULL) = (text IS NULL)", name="given_says_something"),
        sa.Index("ix_case_parts_owed", "unit_id", "due_at"),
        sa.Index(
            "uq_case_parts_asked_once",
            "case_id",
            "unit_id",
            unique=True,
            sqlite_where=sa.text("released_at IS NULL"),
            postgresql_where=sa.text("released_at IS NULL"),
        ),
        IDS_ONCE,
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    outside_name: Mapped[str | None] = mapped_column(sa.String(120))
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_points.id"), index=True)
    question: Mapped[str] = mapped_column(Sealed("part.question"))
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    due_at: Mapped[datetime]
    due_provisional: Mapped[bool] = mapped_column(default=False)
    due_days: Mapped[int] = mapped_column(sa.SmallInteger)  # working days from asked_at
    text: Mapped[str | None] = mapped_column(Sealed("part.text"))
    given_at: Mapped[datetime | None]
    given_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))  # nobody here where it came by mail
    released_at: Mapped[datetime | None]  # the answer went out without it, or the request went elsewhere

    case: Mapped[Case] = relationship(back_populates="parts")
    unit: Mapped[Organisation | None] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()
    given_by: Mapped[Account | None] = relationship(foreign_keys=[given_by_id])

    @property
    def name(self) -> str:
        """Who is asked."""
        return self.unit.short_name if self.unit is not None else self.outside_name or ""

    @property
    def is_open(self) -> bool:
        """Whether the part is still owed."""
        return self.given_at is None and self.released_at is None

    @property
    def token(self) -> str:
        """The secret of the link by which a unit outside the tree writes its part."""
        return f"{self.id}-{proof(f'{self.id}:{self.contact_point_id}', purpose='case part')[:24]}"


class Extension(Model):
    """More time for the answer: asked before the deadline, decided by another person, granted once."""

    __tablename__ = "case_extensions"
    __table_args__ = (
        sa.CheckConstraint("(decided_at IS NULL) = (granted IS NULL)", name="decided_means_how"),
        sa.CheckConstraint("decided_by_id <> asked_by_id", name="decided_by_another"),
        sa.CheckConstraint("granted IS NOT TRUE OR decided_by_id IS NOT NULL", name="granted_by_somebody"),
        sa.CheckConstraint("days BETWEEN 1 AND 15", name="some_working_days"),
        sa.Index(
            "uq_case_extensions_once",
            "case_id",
            unique=True,
            sqlite_where=sa.text("granted IS NOT FALSE"),
            postgresql_where=sa.text("granted IS NOT FALSE"),
        ),
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"))
    days: Mapped[int] = mapped_column(sa.SmallInteger)
    reason: Mapped[str] = mapped_column(Sealed("extension.reason"))
    asked_at: Mapped[datetime]
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    granted: Mapped[bool | None]

    case: Mapped[Case] = relationship(back_populates="extensions")
    asked_by: Mapped[Account] = relationship(foreign_keys=[asked_by_id])


class CaseTerm(Model):
    """A step that a unit owed by a moment, as rates count it: see rules.rates. It follows the lines of the history."""

    __tablename__ = "case_terms"
    __table_args__ = (
        sa.CheckConstraint("step IN ('accept', 'answer')", name="only_what_is_measured"),
        sa.CheckConstraint("delivered_at IS NULL OR done_at IS NOT NULL", name="only_what_was_given_is_delivered"),
        sa.Index("ix_case_terms_due", "due_at", "id"),
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    step: Mapped[Step]
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]

    case: Mapped[Case] = relationship(back_populates="terms")
    unit: Mapped[Organisation] = relationship()


class CaseRung(Model):
    """A rung of the ladder of supervision that the clock climbed with a deadline; each once."""

    __tablename__ = "case_rungs"
    __table_args__ = (sa.UniqueConstraint("case_id", "due_at", "rung"),)

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"))
    due_at: Mapped[datetime]
    rung: Mapped[Rung]
    climbed_at: Mapped[datetime]


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
