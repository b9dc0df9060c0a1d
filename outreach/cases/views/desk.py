"""Requests at the desk: the list, one request, writing one down, standing routes, whose answers are approved."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from outreach.cases import operations, queries
from outreach.cases.forms import NewForm, approval_form, routes_form
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.lists import Tab
from outreach.cases.views.page import blueprint, page_of, proposed_units, standings_of
from outreach.kernel.clock import now
from outreach.organisations.queries import lead_organisation
from outreach.organisations.rules import Permission
from outreach.people import operations as people_operations
from outreach.people import queries as people
from outreach.people.rules import ContactKind
from outreach.web.access import requires, staff
from outreach.web.filters import masked_email, masked_phone

READERS = (
    Permission.CASE_REGISTER,
    Permission.CASE_ASSIGN,
    Permission.CASE_HANDLE,
    Permission.CASE_APPROVE,
    Permission.CASE_SUPERVISE,
    Permission.VISIT_LOG,
)


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
        standings=standings_of(page.items),
        most=queries.COUNTED_UP_TO,
        may_register=current_user.may(Permission.CASE_REGISTER),
        may_keep=current_user.may(Permission.CASE_HANDLE) or current_user.may(Permission.CASE_ASSIGN),
        may_route=queries.intake_for(current_user) is not None,
        may_measure=any(current_user.may(permission) for permission in queries.MEASURES),
        may_approve=current_user.may(Permission.CASE_APPROVE) or current_user.may(Permission.CASE_SUPERVISE),
        Tab=Tab,
        Topic=Topic,
        CaseSource=CaseSource,
    )


@blueprint.get("/<int:case_id>")
@staff
def show(case_id: int) -> ResponseReturnValue:
    """Show one request: who owes what by when, and the form of the next step."""
    return page_of(queries.case_for(current_user, case_id))


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
    proposed = {} if saved else proposed_units(topics, listed)
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


def _member(kind: type[StrEnum], text: str | None) -> Any:
    try:
        return kind(text)
    except ValueError:
        return None


@blueprint.route("/approval", methods=["GET", "POST"])
@requires(Permission.CASE_APPROVE, Permission.CASE_SUPERVISE)
def approval() -> ResponseReturnValue:
    """Say whose answers leave only when the head of the unit has approved them."""
    units = queries.units_with_approval(current_user)
    form = approval_form([unit for unit, _ in units])()
    if not form.is_submitted():
        for unit, wanted in units:
            form[f"unit_{unit.id}"].data = wanted

    def operation() -> None:
        for unit, _ in units:
            operations.want_approval(unit=unit, wanted=form[f"unit_{unit.id}"].data, by=current_user.actor, now=now())

    if form.validate_on_submit() and form.attempt(operation):
        flash(gettext("Saved. It holds for answers written from now on."))
        return redirect(url_for(".approval"), 303)
    return render_template("cases/approval.html", form=form, units=units), 422 if form.is_submitted() else 200
