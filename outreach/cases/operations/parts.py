"""Co-handlers (协办): asked for a part of the answer, heard, and let go; and more time for the whole."""

from datetime import datetime

from outreach.cases.models import Case, CasePart, Extension
from outreach.cases.operations.writing import (
    held,
    part_facts,
    record,
    run,
    run_answer,
    tell_desk,
    tell_one,
    tell_person,
)
from outreach.cases.rules.deadlines import (
    Clock,
    ExtensionAsked,
    NoExtensionAsked,
    OwnExtension,
    check_extension,
    part_days,
)
from outreach.cases.rules.moves import EXTENDABLE, CaseState, Move, MoveRefused, ReasonMissing, WordsMissing
from outreach.cases.rules.parts import (
    ASKABLE,
    CoHandlerAsked,
    LeadCannotCoHandle,
    OutsideUnnamed,
    PartGiven,
    PartMoveRefused,
)
from outreach.cases.rules.telling import Happening
from outreach.kernel.actor import Actor
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.database import db
from outreach.notices import operations as notices
from outreach.organisations.models import Account, Organisation
from outreach.organisations.rules import Permission
from outreach.people.models import ContactPoint


def ask_unit(*, case: Case, unit: Organisation, question: str, by: Actor, now: datetime) -> CasePart:
    """Ask a unit of the tree for its part; it is due the working day before the answer.

    :raises PartMoveRefused: if no unit works on the answer now
    :raises LeadCannotCoHandle: if it is the lead unit itself
    :raises CoHandlerAsked: if it was asked already and has not been let go
    :raises WordsMissing: without saying what is needed
    """
    case = held(case)
    if unit.id == case.lead_id:
        raise LeadCannotCoHandle(unit=unit.short_name)
    if any(part.unit_id == unit.id and part.released_at is None for part in case.parts):
        raise CoHandlerAsked(unit=unit.short_name)
    part = _ask(case, question, by=by, now=now, unit_id=unit.id)
    part.unit = unit
    _asked(case, part, by=by, now=now)
    tell_desk(case, Permission.CASE_HANDLE, "part_asked", now=now, unit=unit, part_due_at=part.due_at.isoformat())
    return part


def ask_outside(
    *, case: Case, name: str, contact_point: ContactPoint, question: str, by: Actor, now: datetime
) -> CasePart:
    """Ask somebody outside the tree by mail; they write their part through the link in it.

    The mail says what is asked, and nothing of the person who needs it.

    :raises PartMoveRefused: if no unit works on the answer now
    :raises OutsideUnnamed: without a name
    :raises WordsMissing: without saying what is needed
    """
    case = held(case)
    if not name:
        raise OutsideUnnamed
    part = _ask(case, question, by=by, now=now, outside_name=name, contact_point=contact_point)
    _asked(case, part, by=by, now=now)
    notices.tell(
        kind="case_part_asked_outside",
        contact_point=contact_point,
        template="cases/messages/part_asked_outside.txt",
        values={
            "unit": case.lead.short_name,
            "number": case.number,
            "question": question,
            "part_due_at": part.due_at.isoformat(),
            "token": part.token,
        },
        about=case.subject,
        now=now,
    )
    return part


def give_part(*, part: CasePart, text: str, by: Actor, now: datetime) -> None:
    """Take a co-handler's part; the lead unit's handler is told, and finds it beside the answer they write.

    :raises PartGiven: if it was given already, or nobody waits for it any more
    :raises WordsMissing: without words
    """
    case = held(part.case)
    db.session.refresh(part)
    if not part.is_open:
        raise PartGiven
    if not text:
        raise WordsMissing
    part.text, part.given_at, part.given_by_id = text, now, by.id if by.kind == "staff" else None
    record(case, Happening.PART_GIVEN, by=by, now=now, words=text, facts=part_facts(part))
    told = [case.handler] if case.handler else []
    for account in told:
        tell_one(case, account, "part_given", now=now, part_of=part.name)


def release_part(*, part: CasePart, by: Actor, now: datetime) -> None:
    """Let a co-handler go whose part is not needed any more.

    :raises PartGiven: if it was given already, or they were let go
    """
    case = held(part.case)
    db.session.refresh(part)
    if not part.is_open:
        raise PartGiven
    part.released_at = now
    record(case, Happening.PART_RELEASED, by=by, now=now, facts=part_facts(part))


def ask_extension(*, case: Case, days: int, reason: str, version: int, by: Actor, now: datetime) -> Extension:
    """Ask for more working days before the answer is due; a supervisor decides within a working day.

    :raises ChangedMeanwhile: if somebody else changed the request since `version`
    :raises MoveRefused: if no answer is being written
    :raises ExtensionAsked: if more time was granted before, or is being asked for
    :raises ExtensionTooLate, ExtensionDaysUnfit: naming what is wrong
    :raises ReasonMissing: without a reason, which the person is told
    """
    case = held(case, version=version)
    if case.state is not CaseState.ACCEPTED:
        raise MoveRefused(move=Move.REPLY, state=case.state)
    if any(one.granted is not False for one in case.extensions):
        raise ExtensionAsked
    check_extension(days=days, due_at=case.answer_due_at, now=now)
    if not reason:
        raise ReasonMissing
    extension = Extension(days=days, reason=reason, asked_at=now, asked_by_id=by.id)
    case.extensions.append(extension)
    record(case, Happening.EXTENSION_ASKED, by=by, now=now, words=reason, facts={"unit": case.lead_id, "days": days})
    tell_desk(case, Permission.CASE_SUPERVISE, "extension_asked", now=now, unit=case.intake, days=days, words=reason)
    return extension


def decide_extension(*, case: Case, granted: bool, reason: str | None, by: Actor, now: datetime) -> None:
    """Grant more time, which moves the deadline and tells the person why, or refuse it with a reason.

    :raises NoExtensionAsked: if nothing waits for a decision
    :raises OwnExtension: for whoever asked for it
    :raises WordsMissing: if it is refused without a reason
    """
    case = held(case)
    extension = case.extension
    if extension is None or case.state not in EXTENDABLE:
        raise NoExtensionAsked
    if extension.asked_by_id == by.id:
        raise OwnExtension
    if not granted and not reason:
        raise WordsMissing
    extension.decided_at, extension.decided_by_id, extension.granted = now, by.id, granted
    if granted:
        case.extra_days = extension.days
        run_answer(case, _extended(case, extension.days))
        run(case, case.answer_clock)
    facts = {"unit": case.lead_id, "days": extension.days, "answer_due_at": case.answer_due_at.isoformat()}
    happening = Happening.EXTENDED if granted else Happening.EXTENSION_REFUSED
    record(case, happening, by=by, now=now, words=reason or None, facts=facts)
    asker = db.session.get(Account, extension.asked_by_id)
    tell_one(case, asker, "extension_decided", now=now, granted=granted, words=reason)
    if granted:
        tell_person(case, "extended", now=now, reason=extension.reason)


def _extended(case: Case, days: int) -> Clock:
    clock = case.answer_clock
    if clock.days is not None:
        return clock.longer(days)
    return Clock(case.answer_due_at, days)  # a promised day moves by working days from that day


def _ask(case: Case, question: str, *, by: Actor, now: datetime, **asked: object) -> CasePart:
    if case.state not in ASKABLE:
        raise PartMoveRefused(state=case.state)
    if not question:
        raise WordsMissing
    calendar = working_calendar()
    days = part_days(now=now, answer_due_at=case.answer_due_at, calendar=calendar)
    due = calendar.due(now, days)
    part = CasePart(
        question=question,
        asked_at=now,
        asked_by_id=by.id,
        due_at=due.at,
        due_provisional=due.provisional,
        due_days=days,
        **asked,
    )
    case.parts.append(part)
    return part


def _asked(case: Case, part: CasePart, *, by: Actor, now: datetime) -> None:
    db.session.flush()  # the line names the part
    record(case, Happening.PART_ASKED, by=by, now=now, words=part.question, facts=part_facts(part))
