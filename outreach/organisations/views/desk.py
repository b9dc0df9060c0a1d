"""The tree of organisations and the accounts of their people, for administrators."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from outreach.kernel import history
from outreach.kernel.clock import now
from outreach.kernel.history import Subject
from outreach.organisations import operations, queries
from outreach.organisations.forms import AccountForm, OrganisationForm
from outreach.organisations.rules import OrganisationKind, Permission
from outreach.web.access import requires
from outreach.web.filters import grouped_phone

blueprint = Blueprint("organisations", __name__)


@blueprint.get("/desk/organisations")
@requires(Permission.ADMINISTER)
def index() -> ResponseReturnValue:
    """Show the part of the tree the reader administers."""
    branches = queries.tree(current_user, Permission.ADMINISTER)
    return render_template(
        "organisations/index.html",
        branches=branches,
        headcounts=queries.headcounts([branch.organisation.id for branch in branches]),
        waiting=queries.count_waiting(current_user),
    )


@blueprint.get("/desk/organisations/new")
@requires(Permission.ADMINISTER)
def new() -> ResponseReturnValue:
    """Offer an empty form, below the unit the reader came from."""
    form = OrganisationForm(data={"parent": request.args.get("below", type=int)})
    _offer(form, None)
    return render_template("organisations/edit.html", form=form, organisation=None)


@blueprint.post("/desk/organisations/new")
@requires(Permission.ADMINISTER)
def created() -> ResponseReturnValue:
    """Add a unit."""
    form = OrganisationForm()
    _offer(form, None)
    if form.validate_on_submit() and form.attempt(
        lambda: operations.create_organisation(
            name=form.name.data,
            short_name=form.short_name.data,
            kind=OrganisationKind(form.kind.data),
            parent=_parent(form),
            by=current_user.actor,
            now=now(),
        )
    ):
        return redirect(url_for("organisations.index"), 303)
    return render_template("organisations/edit.html", form=form, organisation=None), 422


@blueprint.get("/desk/organisations/<int:organisation_id>")
@requires(Permission.ADMINISTER)
def edit(organisation_id: int) -> ResponseReturnValue:
    """Show a unit, its people and its history, and let it be changed."""
    organisation = queries.organisation_for(current_user, organisation_id, Permission.ADMINISTER)
    form = OrganisationForm(
        data={
            "name": organisation.name,
            "short_name": organisation.short_name,
            "kind": organisation.kind.value,
            "parent": organisation.parent_id,
        }
    )
    return _organisation_page(form, organisation)


@blueprint.post("/desk/organisations/<int:organisation_id>")
@requires(Permission.ADMINISTER)
def edited(organisation_id: int) -> ResponseReturnValue:
    """Rename a unit, correct its kind, or move it with everything below it."""
    organisation = queries.organisation_for(current_user, organisation_id, Permission.ADMINISTER)
    form = OrganisationForm()
    _offer(form, organisation)
    if form.validate_on_submit() and form.attempt(lambda: _change(organisation, form)):
        return redirect(url_for("organisations.index"), 303)
    return _organisation_page(form, organisation), 422


@blueprint.get("/desk/accounts")
@requires(Permission.ADMINISTER)
def accounts() -> ResponseReturnValue:
    """List the accounts the reader administers; those not activated yet are one press away from a sheet of links."""
    text = request.args.get("q", "").strip()[:80]
    waiting = request.args.get("show") == "waiting"
    return render_template(
        "organisations/accounts.html",
        page=queries.accounts(current_user, text=text, waiting=waiting, cursor=request.args.get("page")),
        text=text,
        only_waiting=waiting,
        waiting=queries.count_waiting(current_user),
    )


@blueprint.get("/desk/accounts/new")
@requires(Permission.ADMINISTER)
def new_account() -> ResponseReturnValue:
    """Offer an empty form, for the unit the reader came from."""
    form = AccountForm(data={"organisation": request.args.get("at", type=int)})
    form.offer(queries.tree(current_user, Permission.ADMINISTER))
    return render_template("organisations/account.html", form=form, account=None)


@blueprint.post("/desk/accounts/new")
@requires(Permission.ADMINISTER)
def account_created() -> ResponseReturnValue:
    """Open an account and go on to it, where its one-time link is made."""
    form = AccountForm()
    form.offer(queries.tree(current_user, Permission.ADMINISTER))
    opened: list[Any] = []
    if form.validate_on_submit() and form.attempt(lambda: opened.append(_open(form))):
        return redirect(url_for("organisations.account", account_id=opened[0].id), 303)
    return render_template("organisations/account.html", form=form, account=None), 422


@blueprint.get("/desk/accounts/<int:account_id>")
@requires(Permission.ADMINISTER)
def account(account_id: int) -> ResponseReturnValue:
    """Show an account, its history, and let it be changed."""
    found = queries.account_for(current_user, account_id)
    form = AccountForm(
        data={
            "name": found.name,
            "organisation": found.organisation_id,
            "position": found.position,
            "phone": grouped_phone(found.phone),
            "email": found.email,
            "username": found.username,
            "roles": [grant.role.value for grant in found.grants if grant.organisation_id == found.organisation_id],
        }
    )
    return _account_page(form, found)


@blueprint.post("/desk/accounts/<int:account_id>")
@requires(Permission.ADMINISTER)
def account_edited(account_id: int) -> ResponseReturnValue:
    """Change an account and its roles."""
    found = queries.account_for(current_user, account_id)
    form = AccountForm()
    form.offer(queries.tree(current_user, Permission.ADMINISTER))
    if form.validate_on_submit() and form.attempt(lambda: _change_account(found, form)):
        return redirect(url_for("organisations.accounts"), 303)
    return _account_page(form, found), 422


@blueprint.post("/desk/accounts/<int:account_id>/disable")
@requires(Permission.ADMINISTER)
def account_disabled(account_id: int) -> ResponseReturnValue:
    """Close an account; its sessions end at once."""
    found = queries.account_for(current_user, account_id)
    operations.disable_account(account=found, by=current_user.actor, now=now())
    return redirect(url_for("organisations.account", account_id=account_id), 303)


@blueprint.post("/desk/accounts/<int:account_id>/enable")
@requires(Permission.ADMINISTER)
def account_enabled(account_id: int) -> ResponseReturnValue:
    """Open a closed account again."""
    found = queries.account_for(current_user, account_id)
    operations.enable_account(account=found, by=current_user.actor, now=now())
    return redirect(url_for("organisations.account", account_id=account_id), 303)


def _organisation_page(form: OrganisationForm, organisation: Any) -> str:
    _offer(form, organisation)
    return render_template(
        "organisations/edit.html",
        form=form,
        organisation=organisation,
        people=queries.accounts(current_user, text="", waiting=False, cursor=None, organisation=organisation),
        lines=(lines := history.lines_of(Subject("organisation", organisation.id))),
        who=queries.who_wrote(lines),
    )


def _account_page(form: AccountForm, found: Any) -> str:
    form.offer(queries.tree(current_user, Permission.ADMINISTER))
    return render_template(
        "organisations/account.html",
        form=form,
        account=found,
        elsewhere=[grant for grant in found.grants if grant.organisation_id != found.organisation_id],
        lines=(lines := history.lines_of(Subject("account", found.id))),
        who=queries.who_wrote(lines),
    )


def _offer(form: OrganisationForm, organisation: Any) -> None:
    form.offer(queries.tree(current_user, Permission.ADMINISTER), organisation=organisation)


def _parent(form: OrganisationForm) -> Any:
    return queries.organisation_for(current_user, form.parent.data, Permission.ADMINISTER)


def _change(organisation: Any, form: OrganisationForm) -> None:
    operations.edit_organisation(
        organisation=organisation,
        name=form.name.data,
        short_name=form.short_name.data,
        kind=OrganisationKind(form.kind.data),
        by=current_user.actor,
        now=now(),
    )
    if form.parent is not None:
        operations.move_organisation(organisation=organisation, parent=_parent(form), by=current_user.actor, now=now())


def _open(form: AccountForm) -> Any:
    organisation = queries.organisation_for(current_user, form.organisation.data, Permission.ADMINISTER)
    return operations.create_account(
        name=form.name.data,
        organisation=organisation,
        roles=form.roles_held_at(organisation, None),
        position=form.position.data,
        phone=form.phone.data,
        email=form.email.data,
        username=form.username.data or None,
        by=current_user.actor,
        now=now(),
    )


def _change_account(found: Any, form: AccountForm) -> None:
    organisation = queries.organisation_for(current_user, form.organisation.data, Permission.ADMINISTER)
    roles = form.roles_held_at(organisation, found)
    operations.edit_account(
        account=found,
        name=form.name.data,
        username=form.username.data or found.username,
        organisation=organisation,
        position=form.position.data,
        phone=form.phone.data,
        email=form.email.data,
        by=current_user.actor,
        now=now(),
    )
    operations.set_roles(account=found, roles=roles, by=current_user.actor, now=now())
