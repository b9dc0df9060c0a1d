"""What leaves the house about requests: their ledger, and the sheet of one of them."""

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import aliased

from outreach.cases import queries
from outreach.cases.models import Answer, Case, Feedback
from outreach.cases.queries import Choice
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.lists import Tab
from outreach.cases.rules.telling import Outcome
from outreach.exports.rules.offers import Asked, Column, FilledForm, Line, Sheet, Table
from outreach.kernel.clock import local
from outreach.kernel.wording import N_
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Permission
from outreach.people.documents import PHONE, national
from outreach.people.models import ContactPoint, Person
from outreach.people.rules import ContactKind
from outreach.web.filters import masked_email, masked_phone

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


def _words(asked: Asked) -> list[tuple[str, str | None]]:
    choice = _choice(asked)
    unit = next((one for one in queries.units_in_list(asked.account) if one.id == choice.unit_id), None)
    return [
        (gettext("View"), gettext(choice.tab.label)),
        (gettext("Topic"), gettext(choice.topic.label) if choice.topic else ""),
        (gettext("Source"), gettext(choice.source.label) if choice.source else ""),
        (gettext("Unit"), unit.short_name if unit else ""),
        (gettext("Search"), f"“{choice.text}”" if choice.text else ""),
    ]


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
        Column("title", N_("What is asked for"), (Case.title,)),
        Column("words", N_("In their own words"), (Case.words,), chosen=False),
        Column("source", N_("Source"), (Case.source,), chosen=False),
        Column("lead", N_("Unit in charge"), (_lead.short_name,)),
        Column("handler", N_("Handler"), (Account.name,), chosen=False),
        Column("state", N_("State"), (Case.state,)),
        Column("answerable", N_("Answerable now"), (_answerable.short_name,), chosen=False),
        Column("created_at", N_("Written down at"), (Case.created_at,)),
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


def _case(asked: Asked) -> Case:
    return queries.case_for(asked.account, asked.number("case"))


def _at(moment: datetime | None) -> str | None:
    return f"{local(moment):%Y-%m-%d %H:%M}" if moment else None


def _reached_at(case: Case, in_full: bool) -> str | None:
    point = case.contact_point
    if point is None:
        return None
    if in_full:
        return national(point.value)
    return masked_phone(point.value) if point.kind is ContactKind.PHONE else masked_email(point.value)


def _filled(asked: Asked, in_full: frozenset[str]) -> FilledForm:
    case = _case(asked)
    return FilledForm(
        heading=gettext("Request of a talent"),
        number=gettext("Number: %(number)s", number=case.number),
        lines=[*_what_was_asked(case, "phone" in in_full), *_what_was_answered(case), *_to_sign()],
    )


def _asked(case: Case) -> str:
    """Return the words; before them the title, unless it is how they begin."""
    return case.words if case.words.startswith(case.title.rstrip("…")) else f"{case.title}\n{case.words}"


def _what_was_asked(case: Case, in_full: bool) -> list[Line]:
    asker = case.person
    standing = [asker.talent_class.name if asker.talent_class else None, asker.degree and gettext(asker.degree.label)]
    by = case.registered_for or case.registered_by
    return [
        Line(((gettext("Name"), asker.name), (gettext("How to reach them"), _reached_at(case, in_full)))),
        Line(
            (
                (gettext("Employer"), asker.employer),
                (gettext("Class and degree"), "，".join(one for one in standing if one)),
            )
        ),
        Line(((gettext("Topic"), gettext(case.topic.label)), (gettext("Source"), gettext(case.source.label)))),
        Line(
            ((gettext("Written down at"), _at(case.created_at)), (gettext("Written down by"), by.name if by else None))
        ),
        Line(((gettext("What is asked for"), _asked(case)),), room=30),
        Line(
            (
                (gettext("Intake desk"), case.intake.name),
                (gettext("Unit in charge"), case.lead.name if case.lead else None),
            )
        ),
        Line(((gettext("Assigned at"), _at(case.assigned_at)), (gettext("Accepted at"), _at(case.accepted_at)))),
        Line(
            (
                (gettext("Answer due"), _at(case.answer_due_at)),
                (gettext("Handler"), case.handler.name if case.handler else None),
            )
        ),
    ]


def _what_was_answered(case: Case) -> list[Line]:
    answer = case.answer
    said = feedback = None
    if answer is not None:
        parts = [
            f"{gettext(answer.kind.label)}：{answer.text}",
            gettext("Rule: %(rule)s", rule=answer.rule) if answer.rule else "",
            gettext("To be done by %(day)s", day=answer.promised_on) if answer.promised_on else "",
        ]
        said = "\n".join(part for part in parts if part)
        if answer.feedback is not None:
            outcome = gettext(_outcome(answer.feedback.solved).label)
            words = [f"{outcome}，{gettext(answer.feedback.satisfaction.label)}", answer.feedback.words or ""]
            feedback = "\n".join(word for word in words if word)
    return [
        Line(((gettext("Answer"), said),), room=34),
        Line(
            (
                (gettext("Answered at"), _at(answer.answered_at) if answer else None),
                (gettext("Reached them"), _at(answer.delivered_at) if answer else None),
            )
        ),
        Line(((gettext("What they say of it"), feedback),), room=16),
    ]


def _to_sign() -> list[Line]:
    return [
        Line(((gettext("Opinion of the unit (seal)"), None),), room=24),
        Line(((gettext("Handler (signature)"), None), (gettext("Head of the unit (signature)"), None)), room=14),
    ]


CASE_SHEET = Sheet(
    key="case_sheet",
    label=N_("Sheet of a request"),
    permissions=(),
    arguments=("case",),
    columns=(Column("phone", N_("Mobile number or address"), sensitive=PHONE),),
    narrowed=lambda asked: [(gettext("Number"), _case(asked).number), (gettext("Name"), _case(asked).person.name)],
    about=lambda asked: [_case(asked).person_id],
    filled=_filled,
    title=lambda asked: gettext("Sheet of request %(number)s", number=_case(asked).number),
)
