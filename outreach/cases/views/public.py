"""Requests for those who made them: all of one's own, one by its secret link, and a new one.

An answer is shown only after a press on «read the answer», a POST: links in mails are fetched by scanners and
previews, which do not press buttons, and only what a person opened counts as delivered
(docs/decisions/0401-an-answer-is-opened-by-a-press.md).
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from outreach.cases import operations, queries
from outreach.cases.forms import YES, AddForm, AskForm, FeedbackForm, FindForm, PartForm
from outreach.cases.rules.answers import Satisfaction
from outreach.cases.rules.asking import CODE_SIGNS, CaseSource, FoundByNobody, Topic, request_number
from outreach.cases.rules.deadlines import Standing, standing
from outreach.cases.rules.moves import CaseState
from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import now
from outreach.organisations.queries import lead_organisation
from outreach.people import operations as people_operations
from outreach.people import queries as people
from outreach.web import limits
from outreach.web.access import attendees, open_to_everyone, proven_contact
from outreach.web.language import chosen

blueprint = Blueprint("cases_public", __name__)


@blueprint.get("/my/requests")
@attendees
def mine() -> ResponseReturnValue:
    """Show what became of everything that was asked from this number or address."""
    cases = queries.cases_of_contact(proven_contact())
    return render_template(
        "cases/public/mine.html",
        waiting=[case for case in cases if case.state is CaseState.REPLIED],
        running=[case for case in cases if case.state.is_open and case.state is not CaseState.REPLIED],
        ended=[case for case in cases if not case.state.is_open],
        several=len({case.person_id for case in cases}) > 1,
        standings=_standings(cases),
    )


@blueprint.route("/my/requests/new", methods=["GET", "POST"])
@attendees
def new() -> ResponseReturnValue:
    """Write a request down, with the person's consent."""
    contact_point = people.contact_point(proven_contact() or 0)
    known = [person.name for person in people.people_at(contact_point.id)]
    consent = people.current_consent("request", chosen())
    if consent is None:
        abort(503)
    form = AskForm()
    if not form.is_submitted() and len(known) == 1:
        form.name.data = known[0]
    registered: list[Any] = []

    def operation() -> None:
        limits.spend(limits.ASKING, contact_point.id)
        moment = now()
        person = people_operations.person_at(
            contact_point=contact_point,
            name=form.name.data,
            organisation=lead_organisation(),
            source="public_form",
            now=moment,
            by=_by(contact_point.id),
        )
        case = operations.register(
            person=person,
            contact_point=contact_point,
            topic=Topic(form.topic.data),
            title=form.title.data,
            words=form.words.data or form.title.data,
            source=CaseSource.PUBLIC_FORM,
            intake=lead_organisation(),
            by=_by(contact_point.id),
            now=moment,
        )
        people_operations.give_consent(
            person=person,
            purpose="request",
            contact_point=contact_point,
            about=f"case:{case.id}",
            now=moment,
            language=consent.language,
        )
        registered.append(case)

    if form.validate_on_submit() and form.attempt(operation):
        flash(gettext("We have it. You can see here how it goes."))
        return redirect(url_for(".mine"), 303)
    return render_template("cases/public/new.html", form=form, consent=consent, known=known), (
        422 if form.is_submitted() else 200
    )


@blueprint.route("/r", methods=["GET", "POST"])
@open_to_everyone
def find() -> ResponseReturnValue:
    """Lead to a request by its number and the end of its secret link, for whoever cannot open the link."""
    form = FindForm()
    found: list[Any] = []

    def operation() -> None:
        number = request_number(form.number.data)
        if number is None:
            raise FoundByNobody
        limits.spend(limits.FINDING, number)
        found.append(queries.case_by_code(number, form.code.data))

    if form.validate_on_submit() and form.attempt(operation):
        return redirect(url_for(".show", token=found[0].token), 303)
    return render_template("cases/public/find.html", form=form, signs=CODE_SIGNS), 422 if form.is_submitted() else 200


@blueprint.get("/r/<token>")
@open_to_everyone
def show(token: str) -> ResponseReturnValue:
    """Show one request by its secret link; its answer only once it was opened by a press."""
    return _page(queries.case_by_token(token), FeedbackForm(None))


@blueprint.post("/r/<token>/open")
@open_to_everyone
def open_answer(token: str) -> ResponseReturnValue:
    """Open the answer: from now on it is delivered."""
    case = queries.case_by_token(token)
    operations.open_answer(case=case, by=_by(case.contact_point_id), now=now())
    return redirect(url_for(".show", token=token, _anchor="answer"), 303)


@blueprint.post("/r/<token>/feedback")
@open_to_everyone
def feedback(token: str) -> ResponseReturnValue:
    """Take what the person says of the answer, once."""
    case = queries.case_by_token(token)
    form = FeedbackForm()
    if case.answer is not None and case.answer.feedback is not None:
        flash(gettext("You have said it already, thank you."))
        return redirect(url_for(".show", token=token), 303)

    def operation() -> None:
        operations.take_feedback(
            case=case,
            solved=form.solved.data == YES,
            satisfaction=Satisfaction(form.satisfaction.data),
            words=form.words.data,
            by=_by(case.contact_point_id),
            now=now(),
        )

    if not (form.validate_on_submit() and form.attempt(operation)):
        return _page(case, form), 422
    if case.state is CaseState.ACCEPTED:
        flash(gettext("Thank you. What was promised is followed up until it is done."))
    elif case.state.is_open:
        flash(gettext("Thank you for saying so. A supervisor looks at it and tells you what happens next."))
    else:
        flash(gettext("Thank you. It is done now."))
    return redirect(url_for(".show", token=token), 303)


@blueprint.post("/r/<token>/withdraw")
@open_to_everyone
def withdraw(token: str) -> ResponseReturnValue:
    """Take the request back."""
    case = queries.case_by_token(token)
    operations.withdraw(case=case, words=None, by=_by(case.contact_point_id), now=now())
    flash(gettext("Taken back. You can ask again at any time."))
    return redirect(url_for(".show", token=token), 303)


@blueprint.post("/r/<token>/add")
@open_to_everyone
def add(token: str) -> ResponseReturnValue:
    """Take what the person adds to their request."""
    case = queries.case_by_token(token)
    form = AddForm()

    def operation() -> None:
        limits.spend(limits.ASKING, case.contact_point_id)
        operations.add(case=case, words=form.words.data or "", by=_by(case.contact_point_id), now=now())

    if not (form.validate_on_submit() and form.attempt(operation)):
        return _page(case, FeedbackForm(None), form), 422
    flash(gettext("Added. Whoever looks after it is told."))
    return redirect(url_for(".show", token=token), 303)


@blueprint.route("/p/<token>", methods=["GET", "POST"])
@open_to_everyone
def part(token: str) -> ResponseReturnValue:
    """Show somebody outside the city what is asked of them, and take their part of the answer."""
    asked = queries.part_by_token(token)
    form = PartForm()
    by = Actor(ActorKind.ATTENDEE, asked.contact_point_id)

    def operation() -> None:
        operations.give_part(part=asked, text=form.words.data or "", by=by, now=now())

    if form.validate_on_submit() and form.attempt(operation):
        flash(gettext("Your part is there. Thank you."))
        return redirect(url_for(".part", token=token), 303)
    return render_template("cases/public/part.html", part=asked, case=asked.case, form=form), (
        422 if form.is_submitted() else 200
    )


def _page(case: Any, form: FeedbackForm, adding: AddForm | None = None) -> str:
    said = request.args.get("said")
    if not form.is_submitted() and said in set(Satisfaction):
        form.satisfaction.data = said
        form.solved.data = None if said == Satisfaction.DISSATISFIED else YES
    answer = case.answer_for_person
    return render_template(
        "cases/public/show.html",
        case=case,
        form=form,
        add_form=adding or AddForm(None),
        added=queries.added_by_person(case),
        opened=answer is not None
        and (queries.opened_before(case, answer) if case.merged_into else answer.delivered_at is not None),
        standing=_standings([case]).get(case.id),
    )


def _standings(cases: Sequence[Any]) -> dict[int, Standing]:
    moment, calendar = now(), working_calendar()
    return {
        case.id: standing(since=case.created_at, due_at=case.due_at, now=moment, calendar=calendar)
        for case in cases
        if case.due_at is not None
    }


def _by(contact_point_id: int | None) -> Actor:
    return Actor(ActorKind.ATTENDEE, contact_point_id)
