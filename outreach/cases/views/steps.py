"""Every step of a request at the desk: one form, one operation, and the page again."""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.cases import operations, queries
from outreach.cases.forms import (
    REOPEN,
    YES,
    AcceptForm,
    ApproveForm,
    ArbitrateForm,
    AskPartForm,
    AssignForm,
    AttemptForm,
    DecideExtensionForm,
    DecideForm,
    ExtensionForm,
    GiveUpForm,
    HeardForm,
    MergeForm,
    NoteForm,
    PartForm,
    ReassignForm,
    ReplyForm,
    ReturnForm,
    SendBackForm,
    SplitForm,
    UrgeForm,
    WithdrawForm,
)
from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.likeness import taken_over
from outreach.cases.rules.moves import Act, CaseState
from outreach.cases.views.page import OUTSIDE, blueprint, case_before, page_of, sent, step, unit_choices
from outreach.kernel.clock import now
from outreach.kernel.wording import N_
from outreach.organisations.rules import Permission
from outreach.people import operations as people_operations
from outreach.people.rules import ContactKind, Revealable
from outreach.web.access import requires, staff
from outreach.web.filters import moment_text
from outreach.web.unit_of_work import separately

CALLS = {"bring": N_("To bring them the answer"), "ask": N_("To ask what exactly they need")}


@blueprint.post("/<int:case_id>/assign")
@requires(Permission.CASE_ASSIGN)
def assign(case_id: int) -> ResponseReturnValue:
    """Assign it to a unit."""
    case = case_before(case_id, Act.ASSIGN)
    form = sent(AssignForm)
    units = {unit.id: unit for unit in queries.units_to_assign_to(case.intake)}
    form.unit.choices = unit_choices(case)

    def operation() -> None:
        operations.assign(
            case=case,
            unit=units[form.unit.data],
            complex=form.complex.data,
            urgent=form.urgent.data,
            note=form.note.data,
            version=form.version.data,
            by=current_user.actor,
            now=now(),
        )

    return step(case, form, operation, lambda: gettext("Assigned to %(unit)s.", unit=case.lead.short_name))


@blueprint.post("/<int:case_id>/accept")
@requires(Permission.CASE_HANDLE)
def accept(case_id: int) -> ResponseReturnValue:
    """Take it on."""
    case = case_before(case_id, Act.HANDLE)
    form = sent(AcceptForm)
    operation = partial(operations.accept, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(version=form.version.data),
        lambda: gettext("It is yours now. The answer is due by %(due)s.", due=moment_text(case.due_at)),
    )


@blueprint.post("/<int:case_id>/return")
@requires(Permission.CASE_HANDLE)
def return_case(case_id: int) -> ResponseReturnValue:
    """Give it back with a ground."""
    case = case_before(case_id, Act.HANDLE)
    form = sent(ReturnForm)
    operation = partial(operations.return_case, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(ground=form.ground.data, version=form.version.data),
        lambda: gettext("Returned to %(unit)s, with your ground.", unit=case.intake.short_name),
    )


@blueprint.post("/<int:case_id>/reply")
@requires(Permission.CASE_HANDLE)
def reply(case_id: int) -> ResponseReturnValue:
    """Answer it."""
    case = case_before(case_id, Act.HANDLE)
    form = sent(ReplyForm)

    def operation() -> None:
        operations.reply(
            case=case,
            kind=AnswerKind(form.kind.data),
            text=form.text.data or "",
            rule=form.rule.data,
            rule_link=form.link.data,
            promised_on=form.promised_on.data,
            version=form.version.data,
            by=current_user.actor,
            now=now(),
        )

    return step(
        case,
        form,
        operation,
        lambda: (
            gettext("The answer waits for the head of your unit to approve it.")
            if case.state is CaseState.DRAFTED
            else gettext("The answer has gone out; %(person)s is told.", person=case.person.name)
            if case.contact_point
            else gettext("The answer is written down. Nobody is told by message: please call or visit.")
        ),
    )


@blueprint.post("/<int:case_id>/take-over")
@requires(Permission.CASE_HANDLE)
def take_over(case_id: int) -> ResponseReturnValue:
    """Put an earlier or a standard answer below what was typed, and its rule where none stands; nothing is sent."""
    case = case_before(case_id, Act.HANDLE)
    form = sent(ReplyForm)

    def operation() -> None:
        if (standard_id := request.form.get("standard", type=int)) is not None:
            taken = queries.chosen_for(case, standard_id)
        else:
            taken = queries.earlier_answer(current_user, case, request.form.get("answer", type=int))
        form.text.data = taken_over(form.text.data, taken.text)
        if not form.rule.data:
            form.rule.data, form.link.data = taken.rule, taken.rule_link

    form.attempt(operation)
    return page_of(case, sent=form), 422 if form.refusal else 200


@blueprint.post("/<int:case_id>/attempt")
@requires(Permission.CASE_ASSIGN, Permission.CASE_HANDLE)
def attempt(case_id: int) -> ResponseReturnValue:
    """Log an attempt to bring the answer."""
    case = case_before(case_id, Act.TELL)
    form = sent(AttemptForm)

    def operation() -> None:
        operations.log_attempt(
            case=case,
            channel=ReachChannel(form.channel.data),
            reached=form.reached.data == YES,
            at=form.moment(),
            note=form.note.data,
            by=current_user.actor,
            now=now(),
        )

    return step(case, form, operation, lambda: gettext("The attempt is written down."))


@blueprint.post("/<int:case_id>/heard")
@requires(Permission.CASE_ASSIGN)
def heard(case_id: int) -> ResponseReturnValue:
    """Take down what the person said of the answer; a call in which they heard it delivers it."""
    case = case_before(case_id, Act.HEAR)
    form = sent(HeardForm)

    def operation() -> None:
        moment = now()
        operations.log_attempt(
            case=case,
            channel=ReachChannel(form.channel.data),
            reached=True,
            at=form.moment(),
            by=current_user.actor,
            now=moment,
        )
        operations.take_feedback(
            case=case,
            solved=form.solved.data == YES,
            satisfaction=Satisfaction(form.satisfaction.data),
            words=form.words.data,
            by=current_user.actor,
            now=moment,
        )

    return step(
        case,
        form,
        operation,
        lambda: (
            gettext("They were not content: a supervisor decides by %(due)s.", due=moment_text(case.due_at))
            if case.state is CaseState.CONTESTED
            else gettext("They agree to the plan; it is owed by %(due)s.", due=moment_text(case.due_at))
            if case.state.is_open
            else gettext("Heard and closed.")
        ),
    )


@blueprint.post("/<int:case_id>/unreached")
@requires(Permission.CASE_ASSIGN)
def unreached(case_id: int) -> ResponseReturnValue:
    """Give up reaching the person."""
    case = case_before(case_id, Act.HEAR)
    form = sent(GiveUpForm)
    operation = partial(operations.give_up_reaching, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(version=form.version.data),
        lambda: gettext("Closed as not reached. The answer stays open to them."),
    )


@blueprint.post("/<int:case_id>/decide")
@requires(Permission.CASE_SUPERVISE)
def decide(case_id: int) -> ResponseReturnValue:
    """Decide on an answer that did not help."""
    case = case_before(case_id, Act.DECIDE)
    form = sent(DecideForm)

    def operation() -> None:
        decided = operations.reopen if form.decision.data == REOPEN else operations.close_with_reason
        decided(
            case=case,
            reason=form.reason.data or "",
            version=form.version.data,
            by=current_user.actor,
            now=now(),
        )

    return step(
        case,
        form,
        operation,
        lambda: (
            gettext(
                "%(unit)s answers again by %(due)s.", unit=case.lead.short_name, due=moment_text(case.answer_due_at)
            )
            if case.state.is_open
            else gettext("Closed; they are told why.")
        ),
    )


@blueprint.post("/<int:case_id>/urge")
@staff
def urge(case_id: int) -> ResponseReturnValue:
    """Ask the unit to hurry."""
    case = case_before(case_id, Act.URGE)
    form = sent(UrgeForm)
    operation = partial(operations.urge, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(words=form.words.data),
        lambda: gettext("%(unit)s is told to hurry.", unit=case.answerable.short_name),
    )


@blueprint.post("/<int:case_id>/number")
@requires(Permission.CASE_ASSIGN, Permission.CASE_HANDLE)
def number(case_id: int) -> ResponseReturnValue:
    """Show the number or address in full to whoever has to call, and write down who looked and why."""
    case = case_before(case_id, Act.TELL)
    contact = next((c for c in case.person.contacts if c.contact_point_id == case.contact_point_id), None)
    reason = CALLS.get(request.form.get("reason", ""))
    if contact is None or reason is None:
        abort(404)
    with separately():
        shown = people_operations.look(
            person=case.person,
            viewer=current_user,
            what=Revealable.CONTACT,
            reason=f"{gettext(reason)} ({case.number})",
            now=now(),
            which=contact.id,
        )
    return page_of(case, shown=shown)


@blueprint.post("/<int:case_id>/withdraw")
@requires(Permission.CASE_ASSIGN)
def withdraw(case_id: int) -> ResponseReturnValue:
    """Take it back because the person said so."""
    case = case_before(case_id, Act.HEAR)
    form = sent(WithdrawForm)
    operation = partial(operations.withdraw, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(words=form.words.data),
        lambda: gettext("Taken back; %(person)s is told.", person=case.person.name),
    )


@blueprint.post("/<int:case_id>/reassign")
@requires(Permission.CASE_ASSIGN)
def reassign(case_id: int) -> ResponseReturnValue:
    """Take it from the unit that has it and give it to another."""
    return _name_unit(case_before(case_id, Act.ASSIGN), sent(ReassignForm), operations.reassign)


@blueprint.post("/<int:case_id>/arbitrate")
@requires(Permission.CASE_SUPERVISE)
def arbitrate(case_id: int) -> ResponseReturnValue:
    """Decide as arbiter whose it is."""
    return _name_unit(case_before(case_id, Act.DECIDE), sent(ArbitrateForm), operations.arbitrate)


@blueprint.post("/<int:case_id>/approve")
@staff
def approve(case_id: int) -> ResponseReturnValue:
    """Let the unit's answer go out."""
    case = case_before(case_id, Act.APPROVE)
    form = sent(ApproveForm)
    operation = partial(operations.approve_answer, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(version=form.version.data),
        lambda: gettext("Approved. The answer has gone out."),
    )


@blueprint.post("/<int:case_id>/send-back")
@staff
def send_back(case_id: int) -> ResponseReturnValue:
    """Have the unit's answer written better."""
    case = case_before(case_id, Act.APPROVE)
    form = sent(SendBackForm)
    operation = partial(operations.send_back, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(reason=form.words.data, version=form.version.data),
        lambda: gettext("Sent back, with your word."),
    )


@blueprint.post("/<int:case_id>/parts")
@requires(Permission.CASE_ASSIGN, Permission.CASE_HANDLE)
def ask_part(case_id: int) -> ResponseReturnValue:
    """Ask a co-handler for a part of the answer."""
    acts = queries.acts_of(current_user, queries.case_for(current_user, case_id), now=now())
    case = case_before(case_id, Act.ASSIGN if Act.ASSIGN in acts else Act.HANDLE)
    form = sent(AskPartForm)
    units = {unit.id: unit for unit in queries.units_to_assign_to(case.intake)}
    form.unit.choices = unit_choices(case, outside=True)
    asked: list[Any] = []

    def operation() -> None:
        moment = now()
        if form.unit.data != OUTSIDE:
            asked.append(
                operations.ask_unit(
                    case=case,
                    unit=units[form.unit.data],
                    question=form.question.data or "",
                    by=current_user.actor,
                    now=moment,
                )
            )
            return
        asked.append(
            operations.ask_outside(
                case=case,
                name=form.outside_name.data or "",
                contact_point=people_operations.contact_point(
                    kind=ContactKind.EMAIL, value=form.outside_mail.data or "", now=moment
                ),
                question=form.question.data or "",
                by=current_user.actor,
                now=moment,
            )
        )

    return step(case, form, operation, lambda: gettext("%(unit)s is asked.", unit=asked[0].name))


@blueprint.post("/<int:case_id>/part")
@requires(Permission.CASE_HANDLE)
def give_part(case_id: int) -> ResponseReturnValue:
    """Give the part of one's own unit."""
    case = case_before(case_id, Act.CONTRIBUTE)
    form = sent(PartForm)
    [part, *_] = queries.parts_before(current_user, case)
    operation = partial(operations.give_part, part=part, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(text=form.words.data or ""),
        lambda: gettext("Your part is with %(unit)s now.", unit=case.lead.short_name),
    )


@blueprint.post("/<int:case_id>/parts/<int:part_id>/release")
@requires(Permission.CASE_ASSIGN, Permission.CASE_HANDLE)
def release_part(case_id: int, part_id: int) -> ResponseReturnValue:
    """Let a co-handler go."""
    case = queries.case_for(current_user, case_id)
    part = next((one for one in case.parts if one.id == part_id), None)
    if part is None:
        abort(404)
    if not queries.acts_of(current_user, case, now=now()) & {Act.ASSIGN, Act.HANDLE}:
        abort(403)
    operations.release_part(part=part, by=current_user.actor, now=now())
    flash(gettext("%(unit)s is let go.", unit=part.name))
    return redirect(url_for(".show", case_id=case.id), 303)


@blueprint.post("/<int:case_id>/extension")
@requires(Permission.CASE_HANDLE)
def ask_extension(case_id: int) -> ResponseReturnValue:
    """Ask for more time."""
    case = case_before(case_id, Act.HANDLE)
    form = sent(ExtensionForm)
    operation = partial(operations.ask_extension, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(days=form.days.data, reason=form.reason.data or "", version=form.version.data),
        lambda: gettext("Asked. Until it is decided the deadline stays."),
    )


@blueprint.post("/<int:case_id>/extension/decide")
@requires(Permission.CASE_SUPERVISE)
def decide_extension(case_id: int) -> ResponseReturnValue:
    """Decide on more time."""
    case = case_before(case_id, Act.DECIDE)
    form = sent(DecideExtensionForm)
    operation = partial(operations.decide_extension, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(granted=form.granted.data == YES, reason=form.words.data),
        lambda: (
            gettext("Granted: the answer is due by %(due)s. They are told why.", due=moment_text(case.answer_due_at))
            if form.granted.data == YES
            else gettext("No more time; the unit is told.")
        ),
    )


@blueprint.post("/<int:case_id>/merge")
@requires(Permission.CASE_ASSIGN)
def merge(case_id: int) -> ResponseReturnValue:
    """Merge it into another request."""
    case = case_before(case_id, Act.ASSIGN)
    form = sent(MergeForm)

    def operation() -> None:
        operations.merge(
            case=case,
            into=queries.case_by_number(current_user, form.number.data),
            version=form.version.data,
            by=current_user.actor,
            now=now(),
        )

    return step(case, form, operation, lambda: gettext("Merged into %(number)s.", number=case.merged_into.number))


@blueprint.post("/<int:case_id>/split")
@requires(Permission.CASE_ASSIGN)
def split(case_id: int) -> ResponseReturnValue:
    """Take it out of the request it was merged into."""
    case = case_before(case_id, Act.ASSIGN)
    form = sent(SplitForm)
    operation = partial(operations.split, case=case, by=current_user.actor, now=now())
    return step(
        case,
        form,
        lambda: operation(version=form.version.data),
        lambda: gettext("It stands for itself again, and waits to be assigned."),
    )


@blueprint.post("/<int:case_id>/note")
@staff
def note(case_id: int) -> ResponseReturnValue:
    """Leave a note for those at desks."""
    case = case_before(case_id, Act.NOTE)
    form = sent(NoteForm)
    operation = partial(operations.note, case=case, by=current_user.actor, now=now())
    return step(case, form, lambda: operation(words=form.words.data or ""), lambda: gettext("Noted."))


def _name_unit(case: Any, form: Any, operation: Callable[..., None]) -> ResponseReturnValue:
    units = {unit.id: unit for unit in queries.units_to_assign_to(case.intake)}
    form.unit.choices = unit_choices(case)

    def named() -> None:
        operation(
            case=case,
            unit=units[form.unit.data],
            reason=form.reason.data or "",
            version=form.version.data,
            by=current_user.actor,
            now=now(),
        )

    return step(case, form, named, lambda: gettext("Assigned to %(unit)s.", unit=case.lead.short_name))
