"""How it goes (办理情况): the rates of a period, and the rows behind each figure."""

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user

from outreach.cases import queries
from outreach.cases.rules.asking import CaseSource, Topic
from outreach.cases.rules.rates import Figure, Period, Span
from outreach.cases.views.page import blueprint
from outreach.kernel.clock import now
from outreach.organisations.rules import Permission
from outreach.web.access import requires


@blueprint.get("/rates")
@requires(*queries.MEASURES)
def rates() -> ResponseReturnValue:
    """Show the rates of a period by unit, topic and channel."""
    moment = now()
    period = Period.read(request.args.get("period", "")) or Period.now(Span.MONTH, moment)
    return render_template(
        "cases/rates.html",
        overview=queries.rates_over(current_user, period, now=moment),
        period=period,
        period_words=_words(period),
        spans=[(span, _near(span, period, Period.now(span, moment))) for span in Span],
        runs=period.begins <= moment < period.ends,
        may_publish=current_user.may(Permission.CASE_SUPERVISE),
        Figure=Figure,
        now=moment,
    )


@blueprint.get("/rates/rows")
@requires(*queries.MEASURES)
def rates_rows() -> ResponseReturnValue:
    """Show the requests behind a figure."""
    period, figure = Period.read(request.args.get("period", "")), _one(Figure, "figure")
    if period is None or figure is None:
        abort(404)
    unit_id = request.args.get("unit", type=int)
    unit = queries.unit_in_rates(current_user, unit_id) if unit_id else None
    if unit_id and unit is None:
        abort(404)
    rows = queries.Rows(
        period=period,
        figure=figure,
        met={"yes": True, "no": False}.get(request.args.get("met", "")) if figure.is_rate else None,
        unit_id=unit_id or None,
        topic=_one(Topic, "topic"),
        source=_one(CaseSource, "source"),
    )
    moment = now()
    return render_template(
        "cases/rates_rows.html",
        page=queries.rows_behind(current_user, rows, cursor=request.args.get("page"), now=moment),
        rows=rows,
        unit=unit,
        period_words=_words(period),
        Figure=Figure,
    )


def _words(period: Period) -> str:
    return gettext(period.sentence, year=period.year, number=period.number)


def _near(span: Span, period: Period, current: Period) -> Period:
    """Return the period of another length to go to: the running one where that lies within, else where this begins."""
    return current if period.begins <= current.begins < period.ends else Period.at(span, period.first_day)


def _one(kind: type, name: str):
    try:
        return kind(request.args.get(name))
    except ValueError:
        return None
