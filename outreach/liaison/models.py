"""Pairings, visits, and what was asked on them."""

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.cases.models import Case
from outreach.cases.rules.asking import Topic
from outreach.kernel.database import IDS_ONCE, Model
from outreach.kernel.sealing import Sealed, SealedBytes, proof
from outreach.liaison.rules import PairingKind, Rhythm, VisitWay
from outreach.liaison.rules.photographs import MOST_PHOTOGRAPHS
from outreach.liaison.rules.reviewing import Decision
from outreach.organisations.models import Account, Organisation
from outreach.people.models import ContactPoint, Person

_LIVING = sa.text("ends_on IS NULL")


class Pairing(Model):
    """One leader or officer joined to one talent, from a date to a date, with a rhythm."""

    __tablename__ = "pairings"
    __table_args__ = (
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_it_starts"),
        sa.Index(
            "uq_pairings_living",
            "leader_id",
            "person_id",
            unique=True,
            sqlite_where=_LIVING,
            postgresql_where=_LIVING,
        ),
        IDS_ONCE,
    )

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    kind: Mapped[PairingKind] = mapped_column(default=PairingKind.LEADER)
    leader_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    liaison_officer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    rhythm: Mapped[Rhythm]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()
    leader: Mapped[Account] = relationship(foreign_keys=[leader_id])
    liaison_officer: Mapped[Account | None] = relationship(foreign_keys=[liaison_officer_id])
    person: Mapped[Person] = relationship()


class Visit(Model):
    """One contact with one or several talents, by one or several leaders; logged by one account."""

    __tablename__ = "visits"
    __table_args__ = (sa.UniqueConstraint("account_id", "form_token"),)

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    form_token: Mapped[str] = mapped_column(sa.String(40))  # the form it came from: sent twice, logged once
    at: Mapped[datetime]
    way: Mapped[VisitWay]
    companions: Mapped[str | None] = mapped_column(sa.String(200))
    situation: Mapped[str | None] = mapped_column(Sealed("visit.situation"))  # 问情
    advice: Mapped[str | None] = mapped_column(Sealed("visit.advice"))  # 问策
    confidential: Mapped[bool] = mapped_column(default=False)
    logged_at: Mapped[datetime]

    account: Mapped[Account] = relationship()
    leaders: Mapped[list["VisitLeader"]] = relationship(back_populates="visit", lazy="selectin")
    talents: Mapped[list["VisitTalent"]] = relationship(back_populates="visit", lazy="selectin")
    asked: Mapped[list["VisitCase"]] = relationship(back_populates="visit", order_by="VisitCase.id")
    photographs: Mapped[list["VisitPhotograph"]] = relationship(
        back_populates="visit", order_by="VisitPhotograph.position"
    )


class VisitLeader(Model):
    """That a leader (or officer) was there."""

    __tablename__ = "visit_leaders"
    __table_args__ = (sa.UniqueConstraint("visit_id", "account_id"),)

    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    confirmed_at: Mapped[datetime | None]  # by the leader: at once where they logged it themselves

    visit: Mapped[Visit] = relationship(back_populates="leaders")
    account: Mapped[Account] = relationship(lazy="joined")


class VisitTalent(Model):
    """That a talent was met."""

    __tablename__ = "visit_talents"
    __table_args__ = (sa.UniqueConstraint("visit_id", "person_id"),)

    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)

    visit: Mapped[Visit] = relationship(back_populates="talents")
    person: Mapped[Person] = relationship(lazy="joined")


class VisitPhotograph(Model):
    """A picture taken on a visit, drawn anew and small (documents.photographs)."""

    __tablename__ = "visit_photographs"
    __table_args__ = (
        sa.UniqueConstraint("visit_id", "position"),
        sa.CheckConstraint(f"position >= 0 AND position < {MOST_PHOTOGRAPHS}", name="a_visit_is_no_album"),
    )

    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"))
    position: Mapped[int]
    content: Mapped[bytes] = mapped_column(SealedBytes("visit.photograph"), deferred=True)  # JPEG
    added_at: Mapped[datetime]

    visit: Mapped[Visit] = relationship(back_populates="photographs")


class VisitCase(Model):
    """A request that was made on a visit."""

    __tablename__ = "visit_cases"
    __table_args__ = (sa.UniqueConstraint("case_id"),)

    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("cases.id"))

    visit: Mapped[Visit] = relationship(back_populates="asked")
    case: Mapped[Case] = relationship()


_OPEN_PLAN = sa.text("cancelled_at IS NULL AND visit_id IS NULL")


class PlannedVisit(Model):
    """A visit that a pairing has before it; carried out by a visit that was logged, or cancelled."""

    __tablename__ = "planned_visits"
    __table_args__ = (
        sa.CheckConstraint("(cancelled_at IS NULL) = (cancel_reason IS NULL)", name="cancelled_means_why"),
        sa.CheckConstraint("cancelled_at IS NULL OR visit_id IS NULL", name="carried_out_or_cancelled"),
        sa.Index(
            "uq_planned_visits_open",
            "pairing_id",
            unique=True,
            sqlite_where=_OPEN_PLAN,
            postgresql_where=_OPEN_PLAN,
        ),
        sa.Index("ix_planned_visits_day", "day", "id"),
        IDS_ONCE,
    )

    pairing_id: Mapped[int] = mapped_column(sa.ForeignKey("pairings.id"), index=True)
    day: Mapped[date]
    hour: Mapped[time | None]  # on the office's clocks
    note: Mapped[str | None] = mapped_column(Sealed("planned_visit.note"))
    planned_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    planned_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))
    cancel_reason: Mapped[str | None] = mapped_column(Sealed("planned_visit.cancel_reason"))
    visit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    uid: Mapped[str] = mapped_column(sa.String(40), unique=True)  # of the calendar entry: it stays when the day moves
    sequence: Mapped[int] = mapped_column(default=0)

    pairing: Mapped[Pairing] = relationship()
    planned_by: Mapped[Account] = relationship(foreign_keys=[planned_by_id])
    cancelled_by: Mapped[Account | None] = relationship(foreign_keys=[cancelled_by_id])

    @property
    def is_open(self) -> bool:
        """Whether it is still before the pairing."""
        return self.cancelled_at is None and self.visit_id is None


_IN_FORCE = sa.text("revoked_at IS NULL")


class CalendarFeed(Model):
    """The secret address under which somebody's calendar reads their planned visits; only its hash is kept."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        sa.Index(
            "uq_calendar_feeds_in_force",
            "account_id",
            unique=True,
            sqlite_where=_IN_FORCE,
            postgresql_where=_IN_FORCE,
        ),
        IDS_ONCE,
    )

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship()


class HandOver(Model):
    """That somebody who left handed everything open to a successor; `taken` holds the ids of what it was."""

    __tablename__ = "hand_overs"
    __table_args__ = (sa.CheckConstraint("leaver_id <> successor_id", name="to_somebody_else"), IDS_ONCE)

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    leaver_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    successor_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    at: Mapped[datetime]
    # {"led": [[old pairing, new pairing]], "served": [pairing], "plans": [plan], "cases": [case], "drafts": [event]}
    taken: Mapped[dict[str, Any]]

    organisation: Mapped[Organisation] = relationship()
    leaver: Mapped[Account] = relationship(foreign_keys=[leaver_id])
    successor: Mapped[Account] = relationship(foreign_keys=[successor_id])
    by: Mapped[Account] = relationship(foreign_keys=[by_id])


class PairingReview(Model):
    """What the review of a year decided of a pairing, and who decided it; decided again, the later word stands."""

    __tablename__ = "pairing_reviews"
    __table_args__ = (
        sa.UniqueConstraint("pairing_id", "year"),
        sa.CheckConstraint(
            "(decision = 'change') = (rhythm_after <> rhythm_before)", name="change_means_another_rhythm"
        ),
        sa.CheckConstraint("year BETWEEN 2000 AND 2200", name="year_is_a_year"),
    )

    pairing_id: Mapped[int] = mapped_column(sa.ForeignKey("pairings.id"))
    year: Mapped[int]
    decision: Mapped[Decision]
    rhythm_before: Mapped[str] = mapped_column(sa.String(32))  # a Rhythm; two columns of one enum share a check's name
    rhythm_after: Mapped[Rhythm]
    reviewed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    reviewed_at: Mapped[datetime]

    pairing: Mapped[Pairing] = relationship()
    reviewed_by: Mapped[Account] = relationship()


class Survey(Model):
    """What talents were asked by a link; it ends by itself."""

    __tablename__ = "surveys"
    __table_args__ = (IDS_ONCE,)

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    title: Mapped[str] = mapped_column(sa.String(120))
    words: Mapped[str] = mapped_column(sa.String(1000))
    by_rule: Mapped[bool] = mapped_column(default=False)  # whether what is needed becomes a request at once
    closes_on: Mapped[date]
    sent_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()
    author: Mapped[Account] = relationship()


class SurveyInvitation(Model):
    """That a talent was asked, and how they are, if they said so."""

    __tablename__ = "survey_invitations"

    survey_id: Mapped[int] = mapped_column(sa.ForeignKey("surveys.id"), index=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_points.id"), index=True)
    answered_at: Mapped[datetime | None]
    situation: Mapped[str | None] = mapped_column(Sealed("survey.situation"))

    survey: Mapped[Survey] = relationship()
    person: Mapped[Person] = relationship()
    contact_point: Mapped[ContactPoint | None] = relationship()
    needs: Mapped[list["SurveyNeed"]] = relationship(back_populates="invitation", order_by="SurveyNeed.id")

    @property
    def token(self) -> str:
        """The secret of its link; void once it belongs to another number."""
        return f"{self.id}-{proof(f'{self.id}:{self.contact_point_id}', purpose='survey link')[:24]}"


class SurveyNeed(Model):
    """One thing that was answered; it becomes a request, or is set aside."""

    __tablename__ = "survey_needs"
    __table_args__ = (
        sa.UniqueConstraint("case_id"),
        sa.CheckConstraint("case_id IS NULL OR set_aside_at IS NULL", name="a_request_or_set_aside"),
    )

    invitation_id: Mapped[int] = mapped_column(sa.ForeignKey("survey_invitations.id"), index=True)
    topic: Mapped[Topic]
    words: Mapped[str] = mapped_column(Sealed("survey.need"))
    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("cases.id"))
    set_aside_at: Mapped[datetime | None]

    invitation: Mapped[SurveyInvitation] = relationship(back_populates="needs")
    case: Mapped[Case | None] = relationship()


class NotAskedAgain(Model):
    """That a talent does not want to be asked by surveys."""

    __tablename__ = "not_asked_again"

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), unique=True)
    since: Mapped[datetime]
