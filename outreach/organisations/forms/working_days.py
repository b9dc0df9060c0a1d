"""The form of a year's working days."""

from datetime import date

from wtforms import HiddenField, SelectMultipleField
from wtforms.fields.choices import SelectChoice

from outreach.kernel.working_days import WorkingCalendar
from outreach.organisations.rules.working_days import days_of
from outreach.web.forms import Form


class WorkingDaysForm(Form):
    """Each day of a year, ticked where offices work."""

    worked = SelectMultipleField(coerce=date.fromisoformat)
    seen = HiddenField()

    @classmethod
    def of(cls, year: int) -> "WorkingDaysForm":
        """Return the form of a year as it was sent."""
        form = cls()
        form.worked.choices = [SelectChoice(day.isoformat(), day.isoformat()) for day in days_of(year)]
        return form

    @classmethod
    def showing(cls, year: int, calendar: WorkingCalendar) -> "WorkingDaysForm":
        """Return the form as the year stands."""
        form = cls.of(year)
        form.worked.data = [day for day in days_of(year) if calendar.is_working_day(day)]
        return form
