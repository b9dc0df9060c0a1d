"""Requests at the desk: the list, one request and every step of it, writing one down, standing routes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from outreach.cases import operations, queries
from outreach.cases.forms import (
    REOPEN,
    YES,
    AcceptForm,
    AssignForm,
    AttemptForm,
    DecideForm,
    GiveUpForm,
    HeardForm,
    MoveForm,
    NewForm,
    ReplyForm,
    ReturnForm,
    SpokenForm,
    UrgeForm,
    WithdrawForm,
    routes_form,
)
from outreach.cases.rules.answers import AnswerKind, ReachChannel, Satisfaction
from outreach.cases.rules.asking import CaseSource, Topic, suggested_unit
from outreach.cases.rules.deadlines import Standing, standing
from outreach.cases.rules.lists import Tab
from outreach.cases.rules.moves import MOVES, Act, CaseState, ChangedMeanwhile, Move
from outreach.cases.rules.telling import Happening
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import now
from outreach.kernel.wording import N_
from outreach.organisations.queries import lead_organisation
from outreach.organisations.rules import Permission
from outreach.people import operations as people_operations
from outreach.people import queries as people
from outreach.people.rules import ContactKind, Revealable
from outreach.web.access import requires, staff
from outreach.web.filters import masked_email, masked_phone, moment_text
from outreach.web.forms import Form
from outreach.web.unit_of_work import separately

blueprint = Blueprint("cases", __name__, url_prefix="/desk/requests")

READERS = (
    Permission.CASE_REGISTER,
    Permission.CASE_ASSIGN,
    Permission.CASE_HANDLE,
    Permission.CASE_SUPERVISE,
    Permission.VISIT_LOG,
)
STEPS: tuple[tuple[Move, Act, type[Form]], ...] = (
    (Move.ASSIGN, Act.ASSIGN, AssignForm),
    (Move.ACCEPT, Act.HANDLE, AcceptForm),
    (Move.REPLY, Act.HANDLE, ReplyForm),
    (Move.RETURN, Act.HANDLE, ReturnForm),
    (Move.CONTENT, Act.HEAR, HeardForm),
    (Move.CONTENT, Act.TELL, AttemptForm),
    (Move.GIVE_UP_REACHING, Act.HEAR, GiveUpForm),
    (Move.REOPEN, Act.DECIDE, DecideForm),
    (Move.WITHDRAW, Act.HEAR, WithdrawForm),
    (Move.WITHDRAW, Act.URGE, UrgeForm),  # whatever is open may be urged, as it may be withdrawn
)
"""The forms of a request's page: the move its state must allow, and the act its reader."""
CALLS = {"bring": N_("To bring them the answer"), "ask": N_("To ask what exactly they need")}
TONES = {
    Happening.URGED: "now",
    Happening.RETURNED: "late",
    Happening.CONTESTED: "late",
    Happening.REPLIED: "ok",
    Happening.ACCEPTED: "ok",
    Happening.CONTENT: "ok",
}


@blueprint.get("")
@requires(*READERS)
def index() -> ResponseReturnValue:
    """Show what needs the reader first, with saved views and filters."""
    moment, tabs = now(), queries.tabs_for(current_user)
    choice = queries.Choice(
        tab=_member(Tab, request.args.get("tab")) or tabs[0],
        topic=_member(Topic, request.args.get("topic")),
        source=_member(CaseSource, request.args.get("source")),
        unit_id=request.args.get("unit", type=int),
        text=request.args.get("q", "").strip()[:60],
    )
    page = queries.list_of(current_user, choice, cursor=request.args.get("page"), now=moment)
    return render_template(
        "cases/index.html",
        choice=choice,
        tabs=tabs,
        counts=queries.counts_for(current_user, tabs, now=moment),
        load=queries.load_of(current_user, now=moment),
        page=page,
        units=queries.units_in_list(current_user),
        standings=_standings(page.items),
        most=queries.COUNTED_UP_TO,
        may_register=current_user.may(Permission.CASE_REGISTER),
        may_route=queries.intake_for(current_user) is not None,
        Tab=Tab,
        Topic=Topic,
        CaseSource=CaseSource,
    )


@blueprint.get("/<int:case_id>")
@staff
def show(case_id: int) -> ResponseReturnValue:
    """Show one request: who owes what by when, and the form of the next step."""
    return _page(queries.case_for(current_user, case_id))


@blueprint.post("/<int:case_id>/assign")
@requires(Permission.CASE_ASSIGN)
def assign(case_id: int) -> ResponseReturnValue:
    """Assign it to a unit."""
    case = _case(case_id, Act.ASSIGN)
    form = _sent(AssignForm)
    units = {unit.id: unit for unit in queries.units_to_assign_to(case.intake)}
    form.unit.choices = _units(case)

    def operation() -> None:
        operations.assign(
            case=case,
            unit=units[form.unit.data],
            complex=form.complex.data,
            note=form.note.data,
            version=form.version.data,
            by=current_user.actor,
            now=now(),
        )

    return _step(case, form, operation, lambda: gettext("Assigned to %(unit)s.", unit=case.lead.short_name))


@blueprint.post("/<int:case_id>/accept")
@requires(Permission.CASE_HANDLE)
def accept(case_id: int) -> ResponseReturnValue:
    """Take it on."""
    case = _case(case_id, Act.HANDLE)
    form = _sent(AcceptForm)
    operation = partial(operations.accept, case=case, by=current_user.actor, now=now())
    return _step(
        case,
        form,
        lambda: operation(version=form.version.data),
        lambda: gettext("It is yours now. The answer is due by %(due)s.", due=moment_text(case.due_at)),
    )


@blueprint.post("/<int:case_id>/return")
@requires(Permission.CASE_HANDLE)
def return_case(case_id: int) -> ResponseReturnValue:
    """Give it back with a ground."""
    case = _case(case_id, Act.HANDLE)
    form = _sent(ReturnForm)
    operation = partial(operations.return_case, case=case, by=current_user.actor, now=now())
    return _step(
        case,
        form,
        lambda: operation(ground=form.ground.data, version=form.version.data),
        lambda: gettext("Returned to %(unit)s, with your ground.", unit=case.intake.short_name),
    )


@blueprint.post("/<int:case_id>/reply")
@requires(Permission.CASE_HANDLE)
def reply(case_id: int) -> ResponseReturnValue:
    """Answer it."""
    case = _case(case_id, Act.HANDLE)
    form = _sent(ReplyForm)

    def operation() -> None:
        operations.reply(
            case=case,
            kind=AnswerKind(form.kind.data),
            text=form.text.data or "",
            rule=form.rule.data,
            promised_on=form.promised_on.data,
            version=form.version.data,
            by=current_user.actor,
            now=now(),
        )

    return _step(
        case,
        form,
        operation,
        lambda: (
            gettext("The answer has gone out; %(person)s is told.", person=case.person.name)
            if case.contact_point
            else gettext("The answer is written down. Nobody is told by message: please call or visit.")
        ),
    )


@blueprint.post("/<int:case_id>/attempt")
@requires(Permission.CASE_ASSIGN, Permission.CASE_HANDLE)
def attempt(case_id: int) -> ResponseReturnValue:
    """Log an attempt to bring the answer."""
    case = _case(case_id, Act.TELL)
    form = _sent(AttemptForm)

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

    return _step(case, form, operation, lambda: gettext("The attempt is written down."))


@blueprint.post("/<int:case_id>/heard")
@requires(Permission.CASE_ASSIGN)
def heard(case_id: int) -> ResponseReturnValue:
    """Take down what the person said of the answer; a call in which they heard it delivers it."""
    case = _case(case_id, Act.HEAR)
    form = _sent(HeardForm)

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

    return _step(
        case,
        form,
        operation,
        lambda: (
            gettext("They were not content: a supervisor decides by %(due)s.", due=moment_text(case.due_at))
            if case.state.is_open
            else gettext("Heard and closed.")
        ),
    )


@blueprint.post("/<int:case_id>/unreached")
@requires(Permission.CASE_ASSIGN)
def unreached(case_id: int) -> ResponseReturnValue:
    """Give up reaching the person."""
    case = _case(case_id, Act.HEAR)
    form = _sent(GiveUpForm)
    operation = partial(operations.give_up_reaching, case=case, by=current_user.actor, now=now())
    return _step(
        case,
        form,
        lambda: operation(version=form.version.data),
        lambda: gettext("Closed as not reached. The answer stays open to them."),
    )


@blueprint.post("/<int:case_id>/decide")
@requires(Permission.CASE_SUPERVISE)
def decide(case_id: int) -> ResponseReturnValue:
    """Decide on an answer that did not help."""
    case = _case(case_id, Act.DECIDE)
    form = _sent(DecideForm)

    def operation() -> None:
        decided = operations.reopen if form.decision.data == REOPEN else operations.close_with_reason
        decided(
            case=case,
            reason=form.reason.data or "",
            version=form.version.data,
            by=current_user.actor,
            now=now(),
        )

    return _step(
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
    case = _case(case_id, Act.URGE)
    form = _sent(UrgeForm)
    operation = partial(operations.urge, case=case, by=current_user.actor, now=now())
    return _step(
        case,
        form,
        lambda: operation(words=form.words.data),
        lambda: gettext("%(unit)s is told to hurry.", unit=case.answerable.short_name),
    )


@blueprint.post("/<int:case_id>/number")
@requires(Permission.CASE_ASSIGN, Permission.CASE_HANDLE)
def number(case_id: int) -> ResponseReturnValue:
    """Show the number or address in full to whoever has to call, and write down who looked and why."""
    case = _case(case_id, Act.TELL)
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
    return _page(case, shown=shown)


@blueprint.post("/<int:case_id>/withdraw")
@requires(Permission.CASE_ASSIGN)
def withdraw(case_id: int) -> ResponseReturnValue:
    """Take it back because the person said so."""
    case = _case(case_id, Act.HEAR)
    form = _sent(WithdrawForm)
    operation = partial(operations.withdraw, case=case, by=current_user.actor, now=now())
    return _step(
        case,
        form,
        lambda: operation(words=form.words.data),
        lambda: gettext("Taken back; %(person)s is told.", person=case.person.name),
    )


def _case(case_id: int, act: Act) -> Any:
    case = queries.case_for(current_user, case_id)
    if act not in queries.acts_of(current_user, case):
        abort(403)
    return case


def _sent(kind: type[Form]) -> Any:
    """Return the form that was sent; several stand on one page, so each has names of its own."""
    return kind(prefix=kind.__name__)


def _step(case: Any, form: Form, operation: Callable[[], None], said: Callable[[], str]) -> ResponseReturnValue:
    """Take a step if the form and the rules allow; otherwise show the page again with what was typed."""

    def watched() -> None:
        try:
            operation()
        except ChangedMeanwhile:
            form.take_version(queries.version_of(case.id))
            raise

    if not (form.validate_on_submit() and form.attempt(watched)):
        return _page(case, sent=form), 422
    flash(said())
    where = url_for(".show", case_id=case.id) if queries.sees(current_user, case) else url_for(".index")
    return redirect(where, 303)


def _page(case: Any, sent: Form | None = None, shown: str | None = None) -> str:
    """Return the page of one request with the forms of the steps that the reader may take in its state."""
    acts = queries.acts_of(current_user, case)
    forms = {
        kind.__name__: _begun(kind, case) for move, act, kind in STEPS if act in acts and move in MOVES[case.state]
    }
    if sent is not None:  # also where its step is not possible any more: what was typed is not lost
        forms[type(sent).__name__] = sent
    if "AssignForm" in forms:
        forms["AssignForm"].unit.choices = _units(case)
    origin = queries.origin_of(current_user, case)
    return render_template(
        "cases/show.html",
        case=case,
        forms=forms,
        sent=sent,
        standing=_standings([case]).get(case.id),
        past=[_line(entry) for entry in queries.past_of(case)],
        origin=origin,
        origin_text=gettext(origin.sentence, **origin.values) if origin else None,
        others=[other for other in queries.cases_of(current_user, case.person_id) if other.id != case.id],
        may_read_people=current_user.may(Permission.PEOPLE_READ),
        may_call=Act.TELL in acts,
        number=shown,
    )


def _line(entry: queries.PastEntry) -> dict[str, Any]:
    """Return a line of the history as a sentence in the reader's language."""
    values = {name: gettext(value.label) if hasattr(value, "label") else value for name, value in entry.values.items()}
    return {
        "at": entry.at,
        "text": gettext(entry.sentence, **values),
        "words": entry.words,
        "tone": TONES.get(entry.happening),
    }


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Permission.CASE_REGISTER)
def new() -> ResponseReturnValue:
    """Write a request down for somebody: found in the ledger, or new with a name and a number."""
    person_id = request.args.get("person", type=int)
    person = people.person_for(current_user, person_id) if person_id else None
    intake = lead_organisation()
    form = NewForm()
    form.topic.choices = _topics_with_routes(intake)
    contacts = {contact.contact_point_id: contact.contact_point for contact in person.contacts} if person else {}
    if person is None:
        del form.reach_at
    else:
        del form.name, form.contact
        form.reach_at.choices = [
            *(SelectChoice(point.id, _masked(point)) for point in contacts.values()),
            SelectChoice(0, gettext("Nowhere: they are told by call or in person")),
        ]
        if form.reach_at.data is None:
            form.reach_at.data = next(iter(contacts), 0)
    registered: list[Any] = []

    def operation() -> None:
        moment = now()
        contact_point = contacts.get(form.reach_at.data) if person else _contact_point(form.contact.data, moment)
        registered.append(
            operations.register(
                person=person
                or people_operations.person_at(
                    contact_point=contact_point,
                    name=form.name.data,
                    organisation=intake,
                    source="official",
                    now=moment,
                    by=current_user.actor,
                ),
                contact_point=contact_point,
                topic=Topic(form.topic.data),
                title=form.title.data,
                words=form.words.data or form.title.data,
                source=CaseSource(form.source.data),
                intake=intake,
                complex=form.complex.data,
                urgent=form.urgent.data,
                by=current_user.actor,
                now=moment,
            )
        )

    if form.validate_on_submit() and form.attempt(operation):
        case = registered[0]
        flash(
            gettext(
                "Written down as %(number)s; it is with %(unit)s.", number=case.number, unit=case.answerable.short_name
            )
        )
        return redirect(url_for(".show", case_id=case.id), 303)
    search = request.args.get("q", "").strip()
    return render_template(
        "cases/new.html",
        form=form,
        person=person,
        search=search,
        found=people.find(current_user, people.Wanted(text=search)).page().items if search and person is None else [],
        may_search=current_user.may(Permission.PEOPLE_READ),
    ), 422 if form.is_submitted() else 200


@blueprint.route("/routes", methods=["GET", "POST"])
@requires(Permission.CASE_ASSIGN)
def routes() -> ResponseReturnValue:
    """Say which unit each topic goes to by itself; what is only proposed routes nothing until it is saved."""
    intake = queries.intake_for(current_user)
    if intake is None:
        abort(404)
    topics, units = list(Topic), {unit.id: unit for unit in queries.units_to_assign_to(intake)}
    saved = queries.routes_of(intake)
    form = routes_form(topics)()
    listed = list(units.values())
    proposed = {} if saved else _proposed(topics, listed)
    for topic in topics:
        field = form[topic.value]
        field.choices = [
            SelectChoice(0, gettext("by hand, each time")),
            *(SelectChoice(unit.id, unit.short_name) for unit in listed),
        ]
        if not form.is_submitted():
            field.data = saved[topic].unit_id if topic in saved else proposed.get(topic, 0)

    def operation() -> None:
        operations.save_routes(
            intake=intake,
            units={topic: units[form[topic.value].data] for topic in topics if form[topic.value].data},
            by=current_user.actor,
            now=now(),
        )

    if form.validate_on_submit() and form.attempt(operation):
        flash(gettext("Saved. From now on these topics go to their units by themselves."))
        return redirect(url_for(".routes"), 303)
    return render_template(
        "cases/routes.html", form=form, topics=topics, saved=saved, proposed=proposed, intake=intake
    ), 422 if form.is_submitted() else 200


def _proposed(topics: list[Topic], units: list[Any]) -> dict[Topic, int]:
    names = [f"{unit.name} {unit.short_name}" for unit in units]
    places = {topic: suggested_unit(topic, names) for topic in topics}
    return {topic: units[place].id for topic, place in places.items() if place is not None}


def _topics_with_routes(intake: Any) -> list[SelectChoice]:
    routes = queries.routes_of(intake)
    return [
        SelectChoice(
            topic.value,
            gettext("%(topic)s, goes to %(unit)s", topic=gettext(topic.label), unit=routes[topic].unit.short_name)
            if topic in routes
            else gettext(topic.label),
        )
        for topic in Topic
    ]


def _masked(point: Any) -> str:
    return masked_phone(point.value) if point.kind is ContactKind.PHONE else masked_email(point.value)


def _contact_point(text: str, moment: datetime) -> Any:
    kind = ContactKind.EMAIL if "@" in text else ContactKind.PHONE
    return people_operations.contact_point(kind=kind, value=text, now=moment)


def _units(case: Any) -> list[SelectChoice]:
    handled = queries.units_with_handlers()
    return [
        SelectChoice(
            unit.id,
            unit.short_name if unit.id in handled else gettext("%(unit)s (nobody to accept)", unit=unit.short_name),
        )
        for unit in queries.units_to_assign_to(case.intake)
    ]


def _begun(kind: type[Form], case: Any) -> Form:
    """Return a form not filled in yet, for the request as it stands."""
    form = kind(None, prefix=kind.__name__)
    if isinstance(form, MoveForm):
        form.version.data = case.version
    if isinstance(form, SpokenForm):
        form.begin(now())
    if isinstance(form, AssignForm):
        form.complex.data = case.complex
        units = [unit for unit in queries.units_to_assign_to(case.intake) if unit.id != case.lead_id]
        form.unit.data = _proposed([case.topic], units).get(case.topic, case.intake_id)
    return form


def _standings(cases: Sequence[Any]) -> dict[int, Standing]:
    moment, calendar = now(), working_calendar()
    return {
        case.id: standing(since=_since(case), due_at=case.due_at, now=moment, calendar=calendar)
        for case in cases
        if case.due_at is not None
    }


def _since(case: Any) -> datetime:
    """Return when the clock of the step that is owed began."""
    if case.state is CaseState.ACCEPTED:
        return case.assigned_at if not case.reopenings else case.replied_at
    return {CaseState.REPLIED: case.replied_at}.get(case.state) or case.assigned_at or case.created_at


def _member(kind: type[StrEnum], text: str | None) -> Any:
    try:
        return kind(text)
    except ValueError:
        return None
