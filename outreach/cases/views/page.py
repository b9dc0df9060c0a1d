"""The page of one request: the forms of the steps its reader may take, and taking one of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from outreach.cases import queries
from outreach.cases.forms import (
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
    MoveForm,
    NoteForm,
    PartForm,
    ReassignForm,
    ReplyForm,
    ReturnForm,
    SendBackForm,
    SplitForm,
    SpokenForm,
    UrgeForm,
    WithdrawForm,
)
from outreach.cases.rules.asking import Topic, suggested_unit
from outreach.cases.rules.deadlines import Standing, standing
from outreach.cases.rules.moves import EXTENDABLE, MOVES, Act, CaseState, ChangedMeanwhile, Move, return_move
from outreach.cases.rules.parts import ASKABLE
from outreach.cases.rules.telling import Happening
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import now
from outreach.organisations.queries.leave import away
from outreach.organisations.rules import Permission
from outreach.web.filters import moment_text
from outreach.web.forms import Form

blueprint = Blueprint("cases", __name__, url_prefix="/desk/requests")
OUTSIDE = -1


def _in(move: Move) -> Callable[[Any], bool]:
    return lambda case: move in MOVES[case.state]


STEPS: tuple[tuple[type[Form], Act, Callable[[Any], bool]], ...] = (
    (AssignForm, Act.ASSIGN, _in(Move.ASSIGN)),
    (ArbitrateForm, Act.DECIDE, _in(Move.ARBITRATE)),
    (AcceptForm, Act.HANDLE, _in(Move.ACCEPT)),
    (ReplyForm, Act.HANDLE, _in(Move.REPLY)),
    (ReturnForm, Act.HANDLE, lambda case: return_move(case.returns) in MOVES[case.state] and not case.arbitrated),
    (ApproveForm, Act.APPROVE, _in(Move.APPROVE)),
    (SendBackForm, Act.APPROVE, _in(Move.SEND_BACK)),
    (DecideExtensionForm, Act.DECIDE, lambda case: case.extension is not None and case.state in EXTENDABLE),
    (ExtensionForm, Act.HANDLE, lambda case: case.state is CaseState.ACCEPTED and _may_ask_for_time(case)),
    (PartForm, Act.CONTRIBUTE, lambda case: bool(case.open_parts)),
    (AskPartForm, Act.ASSIGN, lambda case: case.state in ASKABLE),
    (AskPartForm, Act.HANDLE, lambda case: case.state in ASKABLE),
    (HeardForm, Act.HEAR, _in(Move.CONTENT)),
    (AttemptForm, Act.TELL, _in(Move.CONTENT)),
    (GiveUpForm, Act.HEAR, _in(Move.GIVE_UP_REACHING)),
    (DecideForm, Act.DECIDE, _in(Move.REOPEN)),
    (ReassignForm, Act.ASSIGN, _in(Move.REASSIGN)),
    (MergeForm, Act.ASSIGN, lambda case: Move.MERGE in MOVES[case.state] and not case.merged),
    (SplitForm, Act.ASSIGN, _in(Move.SPLIT)),
    (WithdrawForm, Act.HEAR, _in(Move.WITHDRAW)),
    (UrgeForm, Act.URGE, lambda case: case.state.is_open),
    (NoteForm, Act.NOTE, lambda case: True),
)
"""The forms of a request's page: the act its reader must be allowed, and the state that it fits."""


def _may_ask_for_time(case: Any) -> bool:
    return case.answer_due_at > now() and all(one.granted is False for one in case.extensions)


TONES = {
    Happening.URGED: "now",
    Happening.URGED_BY_CLOCK: "now",
    Happening.SUPERVISED: "late",
    Happening.LISTED: "late",
    Happening.RETURNED: "late",
    Happening.CONTESTED: "late",
    Happening.REPLIED: "ok",
    Happening.ACCEPTED: "ok",
    Happening.CONTENT: "ok",
}


def page_of(case: Any, sent: Form | None = None, shown: str | None = None) -> str:
    """Return the page of one request with the forms of the steps that the reader may take in its state."""
    acts = queries.acts_of(current_user, case, now=now())
    forms = {kind.__name__: _begun(kind, case) for kind, act, fits in STEPS if act in acts and fits(case)}
    if sent is not None:  # also where its step is not possible any more: what was typed is not lost
        forms[type(sent).__name__] = sent
    for form in forms.values():
        if "unit" in form:
            form.unit.choices = unit_choices(case, outside=isinstance(form, AskPartForm))
    origin = queries.origin_of(current_user, case)
    return render_template(
        "cases/show.html",
        case=case,
        forms=forms,
        sent=sent,
        standing=standings_of([case]).get(case.id),
        past=[_line(entry) for entry in queries.past_of(case)],
        origin=origin,
        origin_text=gettext(origin.sentence, **origin.values) if origin else None,
        others=[other for other in queries.cases_of(current_user, case.person_id) if other.id != case.id],
        may_read_people=current_user.may(Permission.PEOPLE_READ),
        earlier=queries.earlier_answers(current_user, case) if "ReplyForm" in forms else [],
        rung=queries.rung_of(case),
        away=away({case.handler_id} - {None}, now=now()),
        standards=queries.choosable_for(case) if "ReplyForm" in forms else [],
        parts=queries.parts_before(current_user, case),
        approved_first=case.lead is not None and queries.wants_approval(case.lead) is not None,
        moment=now(),
        may_call=Act.TELL in acts,
        number=shown,
    )


def _line(entry: queries.PastEntry) -> dict[str, Any]:
    """Return a line of the history as a sentence in the reader's language."""
    values = {name: _said(value) for name, value in entry.values.items()}
    return {
        "at": entry.at,
        "text": gettext(entry.sentence, **values),
        "words": entry.words,
        "tone": TONES.get(entry.happening),
    }


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment_text(value)
    return gettext(value.label) if hasattr(value, "label") else value


def sent(kind: type[Form]) -> Any:
    """Return the form that was sent; several stand on one page, so each has names of its own."""
    return kind(prefix=kind.__name__)


def step(case: Any, form: Form, operation: Callable[[], None], said: Callable[[], str]) -> ResponseReturnValue:
    """Take a step if the form and the rules allow; otherwise show the page again with what was typed."""

    def watched() -> None:
        try:
            operation()
        except ChangedMeanwhile:
            form.take_version(queries.version_of(case.id))
            raise

    if not (form.validate_on_submit() and form.attempt(watched)):
        return page_of(case, sent=form), 422
    flash(said())
    where = url_for(".show", case_id=case.id) if queries.sees(current_user, case) else url_for(".index")
    return redirect(where, 303)


def case_before(case_id: int, act: Act) -> Any:
    case = queries.case_for(current_user, case_id)
    if act not in queries.acts_of(current_user, case, now=now()):
        abort(403)
    return case


def _begun(kind: type[Form], case: Any) -> Form:
    """Return a form not filled in yet, for the request as it stands."""
    form = kind(None, prefix=kind.__name__)
    if isinstance(form, MoveForm):
        form.version.data = case.version
    if isinstance(form, SpokenForm):
        form.begin(now())
    if isinstance(form, AssignForm):
        form.complex.data, form.urgent.data = case.complex, case.urgent
        units = [unit for unit in queries.units_to_assign_to(case.intake) if unit.id != case.lead_id]
        form.unit.data = proposed_units([case.topic], units).get(case.topic, case.intake_id)
    if isinstance(form, ReassignForm | ArbitrateForm):
        units = [unit for unit in queries.units_to_assign_to(case.intake) if unit.id != case.lead_id]
        form.unit.data = proposed_units([case.topic], units).get(case.topic, case.intake_id)
    if isinstance(form, ReplyForm):
        _prefill(form, case)
    return form


def _prefill(form: ReplyForm, case: Any) -> None:
    """Begin an answer with what was sent back, or with the parts that co-handlers gave."""
    if case.draft is not None:
        form.kind.data, form.text.data = case.draft.kind.value, case.draft.text
        form.promised_on.data = case.draft.promised_on
        form.rule.data, form.link.data = case.draft.rule, case.draft.rule_link
        return
    given = [part for part in case.parts if part.text and (not case.answers or part.given_at > case.answer.answered_at)]
    if given:
        form.text.data = "\n\n".join(f"【{part.name}】{part.text}" for part in given)


def unit_choices(case: Any, *, outside: bool = False) -> list[SelectChoice]:
    """Return the units a request can go to; `outside` adds one that is not in the tree, reached by mail."""
    handled = queries.units_with_handlers()
    beyond = [SelectChoice(OUTSIDE, gettext("A unit outside the city, by mail"))] if outside else []
    return [
        *(
            SelectChoice(
                unit.id,
                unit.short_name if unit.id in handled else gettext("%(unit)s (nobody to accept)", unit=unit.short_name),
            )
            for unit in queries.units_to_assign_to(case.intake)
        ),
        *beyond,
    ]


def proposed_units(topics: list[Topic], units: list[Any]) -> dict[Topic, int]:
    """Return the id of the unit that usually handles each topic, where one of these does."""
    names = [f"{unit.name} {unit.short_name}" for unit in units]
    places = {topic: suggested_unit(topic, names) for topic in topics}
    return {topic: units[place].id for topic, place in places.items() if place is not None}


def standings_of(cases: Sequence[Any]) -> dict[int, Standing]:
    """Return how the deadlines of these requests stand now, by request; ended ones have none."""
    moment, calendar = now(), working_calendar()
    return {
        case.id: standing(since=case.due_since, due_at=case.due_at, now=moment, calendar=calendar)
        for case in cases
        if case.due_at is not None
    }
