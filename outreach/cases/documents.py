"""What leaves the house about requests: their ledger, and the sheet of one of them."""

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import aliased

from outreach.cases import queries
from outreach.cases.models import Answer, Case, Feedback
from outreach.cases.queries import Choice
from outreach.cases.rules import CaseSource, Outcome, Tab, Topic
from outreach.exports.rules.offers import Asked, Column, Table
from outreach.kernel.wording import N_
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Permission
from outreach.people.documents import PHONE, national
from outreach.people.models import ContactPoint, Person

_lead, _answerable = aliased(Organisation), aliased(Organisation)


def _choice(asked: Asked) -> Choice:
    said = asked.arguments
    return Choice(
        tab=next((tab for tab in Tab if tab.value == said.get("tab")), queries.tabs_for(asked.account)[0]),
        topic=next((topic for topic in Topic if topic.value == said.get("topic")), None),
        source=next((source for source in CaseSource if source.value == said.get("source")), None),
        unit_id=asked.number("unit") or None,
        text=said.get("q", "")[:60],
    )


def _words(asked: Asked) -> list[tuple[str, str]]:
    choice = _choice(asked)
    unit = next((one for one in queries.units_in_list(asked.account) if one.id == choice.unit_id), None)
    said = [
        (gettext("View"), gettext(choice.tab.label)),
        (gettext("Topic"), gettext(choice.topic.label) if choice.topic else ""),
        (gettext("Source"), gettext(choice.source.label) if choice.source else ""),
        (gettext("Unit"), unit.short_name if unit else ""),
        (gettext("Search"), f"“{choice.text}”" if choice.text else ""),
    ]
    return [(name, value) for name, value in said if value]


def _source() -> sa.Select[tuple[int]]:
    latest = sa.select(sa.func.max(Answer.id)).where(Answer.case_id == Case.id).correlate(Case).scalar_subquery()
    return (
        sa.select(Case.id)
        .join(Person, Person.id == Case.person_id)
        .outerjoin(ContactPoint, ContactPoint.id == Case.contact_point_id)
        .outerjoin(_lead, _lead.id == Case.lead_id)
        .outerjoin(_answerable, _answerable.id == Case.answerable_id)
        .outerjoin(Account, Account.id == Case.handler_id)
        .outerjoin(Answer, Answer.id == latest)
        .outerjoin(Feedback, Feedback.answer_id == Answer.id)
    )


def _overdue(asked: Asked, due_at: datetime | None) -> bool:
    return due_at is not None and due_at < asked.now


def _outcome(solved: bool | None) -> Outcome | None:
    return None if solved is None else Outcome.SOLVED if solved else Outcome.UNSOLVED


CASES = Table(
    key="cases",
    label=N_("Ledger of requests"),
    permissions=(Permission.EXPORT,),
    columns=(
        Column("number", N_("Number"), (Case.number,)),
        Column("name", N_("Name"), (Person.name,)),
        Column("employer", N_("Employer"), (Person.employer,)),
        Column("phone", N_("Mobile number or address"), (ContactPoint.value,), shown=national, sensitive=PHONE),
        Column("topic", N_("Topic"), (Case.topic,)),
        Column("title", N_("What they need"), (Case.title,)),
        Column("words", N_("In their own words"), (Case.words,), chosen=False),
        Column("source", N_("Source"), (Case.source,), chosen=False),
        Column("lead", N_("Lead unit"), (_lead.short_name,)),
        Column("handler", N_("Handler"), (Account.name,), chosen=False),
        Column("state", N_("State"), (Case.state,)),
        Column("answerable", N_("Answerable now"), (_answerable.short_name,), chosen=False),
        Column("created_at", N_("Registered at"), (Case.created_at,)),
        Column("assigned_at", N_("Assigned at"), (Case.assigned_at,), chosen=False),
        Column("accepted_at", N_("Accepted at"), (Case.accepted_at,), chosen=False),
        Column("due_at", N_("Due"), (Case.due_at,)),
        Column("overdue", N_("Overdue"), (Case.due_at,), shown=_overdue, dated=True),
        Column("answer", N_("Answer"), (Answer.text,)),
        Column("answered_at", N_("Answered at"), (Answer.answered_at,)),
        Column("outcome", N_("Outcome"), (Feedback.solved,), shown=_outcome),
        Column("satisfaction", N_("Satisfaction"), (Feedback.satisfaction,)),
        Column("returns", N_("Times returned"), (Case.returns,), chosen=False),
        Column("reopenings", N_("Times reopened"), (Case.reopenings,), chosen=False),
        Column("ended_at", N_("Ended at"), (Case.ended_at,)),
    ),
    rows=lambda asked: queries.ids_of_list(asked.account, _choice(asked), now=asked.now),
    source=_source,
    row=Case.id,
    about=Case.person_id,
    unit=N_("%(n)s requests"),
    arguments=("tab", "topic", "source", "unit", "q"),
    narrowed=_words,
)
