"""The working days of a year at a glance, for whoever administers the whole installation."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.kernel import history
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import now, office_day
from outreach.kernel.history import Subject
from outreach.kernel.working_days import WorkingCalendar
from outreach.organisations import queries
from outreach.organisations.forms.working_days import WorkingDaysForm
from outreach.organisations.operations.working_days import set_working_days
from outreach.organisations.rules import Permission
from outreach.organisations.rules.working_days import differing, months_of, state_of, years
from outreach.web.access import requires

blueprint = Blueprint("working_days", __name__)


@blueprint.get("/desk/calendar")
@requires(Permission.CITY_EDIT)
def index() -> ResponseReturnValue:
    """Go to the first year whose calendar is not there yet, or to this year."""
    today = office_day(now())
    published = working_calendar().published
    open_years = [year for year in years(today) if year >= today.year and year not in published]
    return redirect(url_for(".show", year=today.year if not open_years else min(open_years)))


@blueprint.get("/desk/calendar/<int:year>")
@requires(Permission.CITY_EDIT)
def show(year: int) -> ResponseReturnValue:
    """Show a year's months, its worked and free days, and what was changed by whom."""
    _known(year)
    calendar = working_calendar()
    return _page(WorkingDaysForm.showing(year, calendar), year, calendar)


@blueprint.post("/desk/calendar/<int:year>")
@requires(Permission.CITY_EDIT)
def changed(year: int) -> ResponseReturnValue:
    """Keep the chosen days, and publish the year where that was asked; deadlines are made again by a worker."""
    _known(year)
    form = WorkingDaysForm.of(year)
    made: list[bool] = []
    if form.validate_on_submit() and form.attempt(
        lambda: made.append(
            set_working_days(
                year=year,
                worked=form.worked.data,
                published="publish" in request.form,
                seen=form.seen.data or "",
                by=current_user.actor,
                now=now(),
            )
        )
    ):
        said = gettext("Kept. Deadlines that cross a changed day are being counted again.")
        flash(said if made[0] else gettext("Nothing was changed."))
        return redirect(url_for(".show", year=year), 303)
    calendar = working_calendar()
    form.seen.data = _state(year, calendar)
    chosen: Mapping[date, bool] = differing(year, form.worked.data or [])
    return _page(form, year, WorkingCalendar(exceptions=chosen, published=calendar.published)), 422


def _known(year: int) -> None:
    if year not in years(office_day(now())):
        abort(404)


def _state(year: int, calendar: WorkingCalendar) -> str:
    days = {day: worked for day, worked in calendar.exceptions.items() if day.year == year}
    return state_of(days, published=year in calendar.published)


def _page(form: WorkingDaysForm, year: int, calendar: WorkingCalendar) -> str:
    if not form.seen.data:
        form.seen.data = _state(year, calendar)
    lines = history.lines_of(Subject("calendar", year))
    today = office_day(now())
    months: list[Any] = months_of(year, calendar)
    return render_template(
        "organisations/working_days.html",
        form=form,
        year=year,
        years=years(today),
        published=calendar.published,
        months=months,
        free=[one.day for month in months for one in month if one.differs and not one.worked],
        made_up=[one.day for month in months for one in month if one.differs and one.worked],
        today=today,
        lines=lines,
        who=queries.who_wrote(lines),
    )
