"""What leaves the house about liaison: pairings and when they are due, and visits with what was noted."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import aliased

from outreach.exports.rules.offers import Asked, Column, Table
from outreach.kernel.clock import office_day
from outreach.kernel.wording import N_
from outreach.liaison import queries
from outreach.liaison.models import Pairing, Visit, VisitCase, VisitLeader, VisitTalent
from outreach.liaison.queries import visits
from outreach.liaison.rules import Due, DueState, Rhythm, due
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Permission
from outreach.people.documents import PHONE, first_contact, national
from outreach.people.models import Person, TalentClass
from outreach.people.rules import ContactKind

_leader, _officer = aliased(Account), aliased(Account)
SEALED_NOTES = N_("(confidential)")
STANDINGS = {
    DueState.OVERDUE: N_("Overdue"),
    DueState.SOON: N_("Due within a week"),
    DueState.FINE: N_("In good time"),
    "never": N_("never met"),
}


def _mine(asked: Asked) -> bool:
    return not asked.account.may(Permission.PAIRING_READ) or asked.arguments.get("whose") == "mine"


def _standing(asked: Asked) -> str:
    said = asked.arguments.get("standing", "")
    return said if said in {DueState.OVERDUE, DueState.SOON, "never"} else ""


def _pairing_rows(asked: Asked) -> sa.Select[tuple[int]]:
    standing = _standing(asked)
    return queries.pairing_ids(
        asked.account,
        now=asked.now,
        mine=_mine(asked),
        state=DueState(standing) if standing and standing != "never" else None,
        never_met=standing == "never",
    )


def _pairing_words(asked: Asked) -> list[tuple[str, str | None]]:
    standing = _standing(asked)
    return [
        (gettext("Whose pairings"), gettext("Mine") if _mine(asked) else ""),
        (gettext("State"), gettext(STANDINGS[standing]) if standing else ""),
    ]


def _pairing_source() -> sa.Select[tuple[int]]:
    return (
        sa.select(Pairing.id)
        .join(Person, Person.id == Pairing.person_id)
        .join(Organisation, Organisation.id == Pairing.organisation_id)
        .join(_leader, _leader.id == Pairing.leader_id)
        .outerjoin(_officer, _officer.id == Pairing.liaison_officer_id)
        .outerjoin(TalentClass, TalentClass.id == Person.talent_class_id)
    )


def _last_met(asked: Asked) -> Any:
    return (
        sa.select(sa.func.max(Visit.at))
        .join(VisitTalent, VisitTalent.visit_id == Visit.id)
        .join(VisitLeader, VisitLeader.visit_id == Visit.id)
        .where(
            VisitTalent.person_id == Pairing.person_id,
            VisitLeader.account_id == Pairing.leader_id,
            Visit.at <= asked.now,
        )
        .scalar_subquery()
    )


def _due_parts(asked: Asked) -> tuple[Any, ...]:
    return Pairing.rhythm, Pairing.starts_on, _last_met(asked)


def _due(asked: Asked, rhythm: Rhythm, starts_on: date, last: datetime | None) -> Due:
    last_on = office_day(last) if last else None
    return due(rhythm=rhythm, starts_on=starts_on, last_on=last_on, today=office_day(asked.now))


def _how_it_stands(asked: Asked, *parts: Any) -> str:
    return gettext(STANDINGS[_due(asked, *parts).state])


PAIRINGS = Table(
    key="pairings",
    label=N_("Ledger of pairings"),
    permissions=(Permission.EXPORT,),
    columns=(
        Column("leader", N_("Leader or officer"), (_leader.name,)),
        Column("position", N_("Position"), (_leader.position,), chosen=False),
        Column("officer", N_("Liaison officer"), (_officer.name,)),
        Column("talent", N_("Talent"), (Person.name,)),
        Column("talent_class", N_("Class"), (TalentClass.name,)),
        Column("employer", N_("Employer"), (Person.employer,)),
        Column(
            "phone",
            N_("Mobile number"),
            (first_contact(Person.id, ContactKind.PHONE),),
            shown=national,
            sensitive=PHONE,
            chosen=False,
        ),
        Column("rhythm", N_("Rhythm"), (Pairing.rhythm,)),
        Column("starts_on", N_("Since"), (Pairing.starts_on,)),
        Column("last_at", N_("Last contact"), lambda asked: (_last_met(asked),)),
        Column("due_on", N_("Due"), _due_parts, shown=lambda asked, *parts: _due(asked, *parts).due_on, dated=True),
        Column("standing", N_("State"), _due_parts, shown=_how_it_stands, dated=True),
        Column("unit", N_("Unit"), (Organisation.short_name,)),
    ),
    rows=_pairing_rows,
    source=_pairing_source,
    row=Pairing.id,
    about=Pairing.person_id,
    unit=N_("%(n)s pairings"),
    arguments=("whose", "standing"),
    narrowed=_pairing_words,
)


def _of_each(name: Any, link: Any, link_id: Any, who: Any) -> Any:
    """Return the select of all names that a visit has of a kind, in one text."""
    return (
        sa.select(sa.func.aggregate_strings(name, "、"))
        .select_from(link)
        .join(who, who.id == link_id)
        .where(link.visit_id == Visit.id)
        .scalar_subquery()
    )


def _noted(column: Any) -> Any:
    """Return the parts of a note: the note itself where the reader may see it, and whether there is one."""

    def parts(asked: Asked) -> tuple[Any, ...]:
        return sa.case((visits.notes_open_to(asked.account), column)), column.is_not(None)

    return parts


def _note(text: str | None, there: bool) -> str | None:
    return text or (gettext(SEALED_NOTES) if there and text is None else None)


VISITS = Table(
    key="visits",
    label=N_("Ledger of visits"),
    permissions=(Permission.EXPORT,),
    columns=(
        Column("at", N_("When"), (Visit.at,)),
        Column("leaders", N_("Who visited"), (_of_each(Account.name, VisitLeader, VisitLeader.account_id, Account),)),
        Column("talents", N_("Talents met"), (_of_each(Person.name, VisitTalent, VisitTalent.person_id, Person),)),
        Column("way", N_("How"), (Visit.way,)),
        Column("companions", N_("With them"), (Visit.companions,), chosen=False),
        Column("situation", N_("How they are"), _noted(Visit.situation), shown=_note),
        Column("advice", N_("What they advise"), _noted(Visit.advice), shown=_note),
        Column(
            "asked",
            N_("Requests made"),
            (sa.select(sa.func.count(VisitCase.id)).where(VisitCase.visit_id == Visit.id).scalar_subquery(),),
        ),
        Column("confidential", N_("Confidential"), (Visit.confidential,), chosen=False),
        Column("unit", N_("Unit"), (Organisation.short_name,)),
        Column("logged_by", N_("Logged by"), (_leader.name,)),
        Column("logged_at", N_("Logged at"), (Visit.logged_at,), chosen=False),
    ),
    rows=lambda asked: visits.visit_ids(asked.account),
    source=lambda: (
        sa.select(Visit.id)
        .join(Organisation, Organisation.id == Visit.organisation_id)
        .join(_leader, _leader.id == Visit.account_id)
    ),
    row=Visit.id,
    about=sa.select(sa.func.aggregate_strings(sa.cast(VisitTalent.person_id, sa.String), ","))
    .where(VisitTalent.visit_id == Visit.id)
    .scalar_subquery(),
    unit=N_("%(n)s visits"),
)
