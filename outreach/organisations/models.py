"""The tree, its accounts and their roles, and the installation they belong to."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.database import IDS_ONCE, Model
from outreach.kernel.sealing import BlindIndex, Sealed
from outreach.organisations.rules import ONLY_AT_THE_ROOT, ROLE_PERMISSIONS, OrganisationKind, Permission, Role


class Organisation(Model):
    """One body in the tree. `path` is the ids from the root to itself, "1.7.23.": what lies below begins with it."""

    __tablename__ = "organisations"
    __table_args__ = (sa.UniqueConstraint("parent_id", "name"), IDS_ONCE)

    name: Mapped[str] = mapped_column(sa.String(200))
    short_name: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[OrganisationKind]
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    path: Mapped[str] = mapped_column(sa.String(255), default="", index=True)

    parent: Mapped["Organisation | None"] = relationship(remote_side="Organisation.id")


class Account(Model):
    """Somebody who works here. A leader without an address signs in by a username and a one-time link."""

    __tablename__ = "accounts"
    __table_args__ = IDS_ONCE

    name: Mapped[str] = mapped_column(sa.String(120))
    username: Mapped[str] = mapped_column(sa.String(80), unique=True)
    position: Mapped[str | None] = mapped_column(sa.String(120))
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    phone: Mapped[str | None] = mapped_column(Sealed("account.phone"))
    phone_index: Mapped[str | None] = mapped_column(
        BlindIndex(lambda account: ("phone", account.phone) if account.phone else None), unique=True
    )
    email: Mapped[str | None] = mapped_column(Sealed("account.email"))
    email_index: Mapped[str | None] = mapped_column(
        BlindIndex(lambda account: ("email", account.email) if account.email else None), unique=True
    )
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    session_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship(lazy="joined")
    grants: Mapped[list["Grant"]] = relationship(
        back_populates="account", lazy="selectin", order_by="Grant.id", cascade="all, delete-orphan"
    )

    is_authenticated = True
    is_anonymous = False
    lent = ()
    """Roles of those for whom it stands in now (queries.take_duties); never stored."""

    @property
    def grants_now(self) -> tuple["Grant", ...]:
        """The roles it holds, and those it has as somebody's deputy."""
        return (*self.grants, *self.lent)

    @property
    def is_active(self) -> bool:
        """Whether it may sign in at all."""
        return self.disabled_at is None

    def get_id(self) -> str:
        """Return what the session keeps; a new password makes older sessions worthless."""
        return f"{self.id}.{self.session_version}"

    def may(self, permission: Permission) -> bool:
        """Tell whether any role permits this, wherever it is held; some things only a role at the root permits."""
        return any(
            permission in ROLE_PERMISSIONS[grant.role]
            and (permission not in ONLY_AT_THE_ROOT or grant.organisation.parent_id is None)
            for grant in self.grants_now
        )

    def has_role(self, role: Role) -> bool:
        """Tell whether this role is held anywhere."""
        return any(grant.role is role for grant in self.grants)

    @property
    def is_activated(self) -> bool:
        """Whether its owner has chosen a password."""
        return self.password_hash is not None

    @property
    def actor(self) -> Actor:
        """The account as the author of a change."""
        return Actor(ActorKind.STAFF, self.id)


class Grant(Model):
    """A role held at an organisation."""

    __tablename__ = "grants"
    __table_args__ = (sa.UniqueConstraint("account_id", "role", "organisation_id"),)

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    role: Mapped[Role]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))

    account: Mapped[Account] = relationship(back_populates="grants")
    organisation: Mapped[Organisation] = relationship(lazy="joined")


class Absence(Model):
    """Days on which somebody is away, both included, and who stands in (AB岗). Whether it runs follows from the day."""

    __tablename__ = "absences"
    __table_args__ = (
        sa.CheckConstraint("until_on >= from_on", name="ends_after_it_begins"),
        sa.CheckConstraint("deputy_id <> account_id", name="another_stands_in"),
        sa.Index("ix_absences_account", "account_id", "until_on"),
        sa.Index("ix_absences_deputy", "deputy_id", "until_on"),
    )

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    from_on: Mapped[date]
    until_on: Mapped[date]
    deputy_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))

    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    deputy: Mapped[Account | None] = relationship(foreign_keys=[deputy_id])


class Installation(Model):
    """The city that runs this: one row."""

    __tablename__ = "installation"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    city_name: Mapped[str] = mapped_column(sa.String(60))
    brand_colour: Mapped[str] = mapped_column(sa.String(7), default="#0b5a6f")
    language: Mapped[str] = mapped_column(sa.String(12), default="zh_Hans_CN")
    lead_organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    set_up_at: Mapped[datetime]
    is_demo: Mapped[bool] = mapped_column(default=False)
    office_address: Mapped[str | None] = mapped_column(sa.String(200))
    office_phone: Mapped[str | None] = mapped_column(sa.String(60))
    office_hours: Mapped[str | None] = mapped_column(sa.String(120))
    mark_id: Mapped[int | None] = mapped_column(sa.ForeignKey("marks.id"))

    lead_organisation: Mapped[Organisation] = relationship()
    mark: Mapped["Mark | None"] = relationship(lazy="joined")


class Mark(Model):
    """A city's own mark, drawn anew by us as a square PNG from what was uploaded. Older ones stay, for the history."""

    __tablename__ = "marks"

    png: Mapped[bytes] = mapped_column(deferred=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    made_at: Mapped[datetime]
