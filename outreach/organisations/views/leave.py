"""Leave and deputies at the desk: one's own, and that of the accounts one administers."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel.clock import now, office_day
from outreach.organisations import queries
from outreach.organisations.forms.leave import LeaveForm
from outreach.organisations.operations.leave import end_leave, write_leave
from outreach.organisations.queries import leave as absences
from outreach.organisations.rules import Permission
from outreach.web.access import requires, staff

blueprint = Blueprint("leave", __name__)


@blueprint.get("/desk/leave")
@staff
def mine() -> ResponseReturnValue:
    """Show the reader's own leave, whom they stand in for, and a form for more."""
    return _page(LeaveForm(), current_user)


@blueprint.post("/desk/leave")
@staff
def mine_written() -> ResponseReturnValue:
    """Write down leave of the reader's own."""
    return _written(current_user, url_for(".mine"))


@blueprint.post("/desk/leave/<int:absence_id>/end")
@staff
def mine_ended(absence_id: int) -> ResponseReturnValue:
    """End leave of the reader's own."""
    return _ended(current_user, absence_id, url_for(".mine"))


@blueprint.get("/desk/leave/units")
@requires(Permission.ADMINISTER)
def units() -> ResponseReturnValue:
    """List who is away, or will be, of the accounts the reader administers."""
    return render_template(
        "organisations/leave_of_units.html",
        page=queries.leave_of_accounts_for(current_user, now=now(), cursor=request.args.get("page")),
        today=office_day(now()),
    )


@blueprint.get("/desk/accounts/<int:account_id>/leave")
@requires(Permission.ADMINISTER)
def of_account(account_id: int) -> ResponseReturnValue:
    """Show the leave of an account the reader administers, and a form for more."""
    return _page(LeaveForm(), queries.account_for(current_user, account_id))


@blueprint.post("/desk/accounts/<int:account_id>/leave")
@requires(Permission.ADMINISTER)
def of_account_written(account_id: int) -> ResponseReturnValue:
    """Write down leave of an account the reader administers."""
    account = queries.account_for(current_user, account_id)
    return _written(account, url_for(".of_account", account_id=account_id))


@blueprint.post("/desk/accounts/<int:account_id>/leave/<int:absence_id>/end")
@requires(Permission.ADMINISTER)
def of_account_ended(account_id: int, absence_id: int) -> ResponseReturnValue:
    """End leave of an account the reader administers."""
    account = queries.account_for(current_user, account_id)
    return _ended(account, absence_id, url_for(".of_account", account_id=account_id))


def _page(form: LeaveForm, account: Any) -> str:
    form.offer(absences.who_may_stand_in(account))
    moment = now()
    return render_template(
        "organisations/leave.html",
        form=form,
        account=account,
        own=account.id == current_user.id,
        leave=absences.leave_of(account, now=moment),
        stands_in=absences.stood_in_for_by(account, now=moment),
        today=office_day(moment),
    )


def _written(account: Any, back: str) -> ResponseReturnValue:
    form = LeaveForm()
    colleagues = {colleague.id: colleague for colleague in absences.who_may_stand_in(account)}
    form.offer(list(colleagues.values()))
    if form.validate_on_submit() and form.attempt(
        lambda: write_leave(
            account=account,
            from_on=form.from_on.data,
            until_on=form.until_on.data,
            deputy=colleagues.get(form.deputy.data),
            by=current_user.actor,
            now=now(),
        )
    ):
        flash(gettext("It is written down. What comes to the desk in these days goes to the deputy."))
        return redirect(back, 303)
    return _page(form, account), 422


def _ended(account: Any, absence_id: int, back: str) -> ResponseReturnValue:
    end_leave(absence=absences.absence_of(account, absence_id), by=current_user.actor, now=now())
    flash(gettext("The leave is ended."))
    return redirect(back, 303)
