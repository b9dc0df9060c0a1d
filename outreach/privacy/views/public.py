"""One's own data, by phone: who looked, what was agreed to, the record, a copy of everything, and an end of it.

Reading what one agreed to and who looked takes the session, and so does taking a consent back, which must be as easy
as giving it (PIPL, article 15). Seeing the record in full, correcting, copying and erasing take a recent code and
the full name: a telephone may be lent, lost, shared or somebody else's by now (docs/decisions/0301).
"""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from outreach.kernel.actor import Actor, ActorKind
from outreach.kernel.clock import now
from outreach.kernel.refusals import Refused
from outreach.people import operations as people_operations
from outreach.people import queries as people
from outreach.privacy import documents, operations, queries
from outreach.privacy.forms import EraseForm, NameForm, OwnRecordForm
from outreach.privacy.rules import CHANGED_MIND
from outreach.signing_in import operations as signing_in
from outreach.web.access import attendees, proven_contact, recently_proven
from outreach.web.unit_of_work import separately

blueprint = Blueprint("privacy_public", __name__, url_prefix="/my/data")
NAMED = "named_person_id"
"""The key in the signed session of the person whose full name was written; a new code forgets it."""
LOOKS_ON_A_PAGE = 30


@blueprint.get("/")
@attendees
def index() -> ResponseReturnValue:
    """Show the people reached at this number, and what can be done for each."""
    contact = _contact()
    return render_template("privacy/public/index.html", contact=contact, behind=queries.behind(contact.id), now=now())


@blueprint.get("/<int:person_id>/looks")
@attendees
def looks(person_id: int) -> ResponseReturnValue:
    """Show who saw this person's data in full or took them out, and why."""
    one = _behind(person_id)
    before = _moment(request.args.get("before"))
    found = people.looks_at(one.person, limit=LOOKS_ON_A_PAGE + 1, before=before)
    return render_template(
        "privacy/public/looks.html",
        one=one,
        looks=found[:LOOKS_ON_A_PAGE],
        earlier=found[LOOKS_ON_A_PAGE - 1].at.isoformat() if len(found) > LOOKS_ON_A_PAGE else None,
        first=before is None,
    )


@blueprint.get("/<int:person_id>/consents")
@attendees
def consents(person_id: int) -> ResponseReturnValue:
    """Show what this person agreed to, each with its text as it was, and what follows from taking it back."""
    one = _behind(person_id)
    through = None if one.scope.alone else proven_contact()
    return render_template(
        "privacy/public/consents.html", one=one, agreed=queries.consents_of(one.person, through=through, now=now())
    )


@blueprint.post("/consents/<int:consent_id>/withdraw")
@attendees
def withdraw(consent_id: int) -> ResponseReturnValue:
    """Take a consent back, and what was given under it."""
    contact = _contact()
    consent = queries.consent_behind(contact.id, consent_id)
    if consent is None:
        abort(404)
    person_id = consent.person_id
    operations.withdraw_consent(consent=consent, by=_by(contact), now=now())
    flash(gettext("Taken back, and deleted. This page keeps the day you took it back."))
    return redirect(url_for(".consents", person_id=person_id), 303)


@blueprint.route("/<int:person_id>/name", methods=["GET", "POST"])
@recently_proven
def name(person_id: int) -> ResponseReturnValue:
    """Ask for the full name before the record is opened; tries are counted whatever becomes of the request."""
    one = _behind(person_id)
    one.scope.check_alone()
    form = NameForm()
    onward = request.args.get("to") if request.args.get("to") in {"record", "copy", "erase"} else "record"
    if form.validate_on_submit():
        try:
            with separately():
                signing_in.note_name_tried(contact_point=_contact(), now=now())
            operations.check_name(person=one.person, name=form.name.data)
        except Refused as refused:
            form.refuse(refused)
            return render_template("privacy/public/name.html", form=form, one=one), refused.status
        session[NAMED] = person_id
        return redirect(url_for(f".{onward}", person_id=person_id), 303)
    return render_template("privacy/public/name.html", form=form, one=one), 422 if form.errors else 200


@blueprint.route("/<int:person_id>/record", methods=["GET", "POST"])
@recently_proven
def record(person_id: int) -> ResponseReturnValue:
    """Show the person's own record in full, and let them correct it."""
    one = _behind(person_id)
    if (gate := _gate(one, "record")) is not None:
        return gate
    form = OwnRecordForm()
    form.offer()
    if not form.is_submitted():
        form.show(one.person)
    elif form.validate() and form.attempt(lambda: _correct(one.person, form)):
        flash(gettext("Corrected. Whoever has to do with you reads it like this from now on."))
        return redirect(url_for(".record", person_id=person_id), 303)
    return (
        render_template("privacy/public/record.html", form=form, one=one, contacts=queries.contacts_of(one.person)),
        422 if form.errors or form.refusal else 200,
    )


@blueprint.get("/<int:person_id>/copy")
@recently_proven
def copy(person_id: int) -> ResponseReturnValue:
    """Say what the copy holds, and offer it."""
    one = _behind(person_id)
    if (gate := _gate(one, "copy")) is not None:
        return gate
    return render_template("privacy/public/copy.html", one=one, held=queries.everything(one.person, now=now()))


@blueprint.post("/<int:person_id>/copy.zip")
@recently_proven
def copied(person_id: int) -> ResponseReturnValue:
    """Hand out everything about the person: a page to read and the same as data."""
    one = _behind(person_id)
    if (gate := _gate(one, "copy")) is not None:
        return gate
    moment = now()
    everything = queries.everything(one.person, now=moment)
    data = documents.as_data(everything, contacts=queries.contacts_of(one.person), now=moment)
    page = render_template("privacy/copy/page.html", data=data, now=moment)
    operations.note_copy(person=one.person, by=_by(_contact()), now=moment)
    return Response(
        documents.zipped(page=page, data=data),
        mimetype="application/zip",
        headers={"Content-Disposition": f'attachment; filename="my-data-{moment:%Y%m%d}.zip"'},
    )


@blueprint.route("/<int:person_id>/erase", methods=["GET", "POST"])
@recently_proven
def erase(person_id: int) -> ResponseReturnValue:
    """Say what goes and what stays, and take down the wish to be erased."""
    one = _behind(person_id)
    if one.scope.alone and one.erasure is None and (gate := _gate(one, "erase")) is not None:
        return gate
    form, moment = EraseForm(), now()
    if (
        one.erasure is None
        and form.validate_on_submit()
        and form.attempt(
            lambda: operations.ask_to_be_erased(
                person=one.person, scope=one.scope, contact_point=_contact(), by=_by(_contact()), now=moment
            )
        )
    ):
        return redirect(url_for(".erase", person_id=person_id), 303)
    return (
        render_template(
            "privacy/public/erase.html",
            one=one,
            form=form,
            goes=queries.what_goes(one.person, now=moment) if one.scope.alone else None,
            due_at=moment + CHANGED_MIND,
        ),
        422 if form.errors or form.refusal else 200,
    )


@blueprint.post("/<int:person_id>/erase/call-off")
@attendees
def call_off(person_id: int) -> ResponseReturnValue:
    """Leave everything as it is. Takes no new code: whoever can stop an erasure should."""
    one = _behind(person_id)
    if one.erasure is None:
        abort(404)
    operations.call_off(erasure=one.erasure, by=_by(_contact()), now=now())
    flash(gettext("Called off. Everything stays as it was."))
    return redirect(url_for(".index"), 303)


def _correct(person: Any, form: OwnRecordForm) -> None:
    people_operations.change(
        person=person,
        name=form.name.data,
        phone=None,
        email=form.email.data,
        values=form.values(),
        seen_at=_moment(form.seen_at.data) or abort(400),
        by=_by(_contact()),
        now=now(),
    )


def _gate(one: Any, onward: str) -> ResponseReturnValue | None:
    """Return the way to the question for the name, unless it was answered since the code.

    :raises NumberShared: where the number does not prove which of several people asks
    """
    one.scope.check_alone()
    if session.get(NAMED) == one.person.id:
        return None
    return redirect(url_for(".name", person_id=one.person.id, to=onward))


def _behind(person_id: int) -> Any:
    one = queries.one_behind(_contact().id, person_id)
    if one is None:
        abort(404)
    return one


def _contact() -> Any:
    contact = people.contact_point(proven_contact() or 0)
    if contact is None:
        abort(404)
    return contact


def _by(contact: Any) -> Actor:
    return Actor(ActorKind.ATTENDEE, contact.id)


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
