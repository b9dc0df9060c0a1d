"""The bulletin (通报) of a period in Word: units ranked, the late ones by name, and what stands beside the rates."""

from flask import abort
from flask_babel import gettext

from outreach.cases import queries
from outreach.cases.queries import Overview, Row
from outreach.cases.rules.moves import CaseState, Step
from outreach.cases.rules.rates import Period, Rate, Rates
from outreach.exports.rules import Format
from outreach.exports.rules.offers import Asked, Bar, Part, Report, Sheet
from outreach.kernel.calendar_days import working_calendar
from outreach.kernel.clock import local
from outreach.kernel.wording import N_
from outreach.kernel.working_days import WorkingCalendar
from outreach.organisations.queries import the_installation
from outreach.organisations.rules import Permission

MOST_NAMED = 200


def _period(asked: Asked) -> Period:
    return Period.read(asked.arguments.get("period", "")) or abort(404)


def _words(period: Period) -> str:
    return gettext(period.sentence, year=period.year, number=period.number)


def _title(asked: Asked) -> str:
    return gettext("Bulletin on requests, %(period)s", period=_words(_period(asked)))


def _share(rate: Rate) -> str:
    return f"{rate.share:g}%" if rate.all else "—"


def _with_counts(rate: Rate) -> str:
    return f"{_share(rate)}\n{rate.met}/{rate.all}" if rate.all else "—"


def _bulletin(asked: Asked, _in_full: frozenset[str]) -> Report:
    period = _period(asked)
    overview = queries.rates_over(asked.account, period, now=asked.now)
    count, late = queries.late_over(asked.account, period, most=MOST_NAMED, now=asked.now)
    city = the_installation().city_name
    until = gettext("As of %(at)s", at=f"{local(min(asked.now, period.ends)):%Y-%m-%d %H:%M}")
    return Report(
        heading=gettext("%(city)s: bulletin on requests of talents", city=city),
        number=f"{_words(period)}  {until}",
        parts=[_in_all(overview.whole), _by_unit(overview), _late(count, late, asked), _beside(overview)],
        note=gettext(
            "Counted is each acceptance and each answer from the moment it is due, approved extensions included, and "
            "each request when it ends. Merged and withdrawn requests and an earlier ledger's are in no rate."
        ),
    )


def _in_all(whole: Rates) -> Part:
    text = gettext(
        "Of %(accepted_all)s acceptances that were due %(accepted)s were in time; of %(answered_all)s answers "
        "%(answered)s were given and delivered in time. %(reached)s requests closed on the word of who asked: "
        "%(solved)s solved, %(satisfied)s satisfied or mostly.",
        accepted_all=whole.accepted.all,
        accepted=f"{whole.accepted.met}（{_share(whole.accepted)}）",
        answered_all=whole.answered.all,
        answered=f"{whole.answered.met}（{_share(whole.answered)}）",
        reached=whole.solved.all,
        solved=f"{whole.solved.met}（{_share(whole.solved)}）",
        satisfied=f"{whole.satisfied.met}（{_share(whole.satisfied)}）",
    )
    return Part(gettext("1. In all"), text)


def _by_unit(overview: Overview) -> Part:
    drawn = [(unit, rates.answered) for unit, rates in overview.units if rates.answered.all]
    return Part(
        gettext("2. Units, by answers given in time"),
        bars=[
            Bar(unit.short_name, rate.met / rate.all, f"{_share(rate)}  {rate.met}/{rate.all}") for unit, rate in drawn
        ],
        labels=[
            gettext("Rank"),
            gettext("Unit"),
            gettext("Accepted in time"),
            gettext("Answered in time"),
            gettext("Share solved"),
            gettext("Satisfied or mostly"),
        ],
        widths=(1.1, 3.6, 2.2, 2.2, 2.2, 2.2),
        rows=[
            (
                str(rank),
                unit.short_name,
                *map(_with_counts, (rates.accepted, rates.answered, rates.solved, rates.satisfied)),
            )
            for rank, (unit, rates) in enumerate(overview.units, start=1)
        ],
        words=frozenset({1}),
    )


def _late(count: int, late: list[Row], asked: Asked) -> Part:
    if not count:
        return Part(gettext("3. Late"), gettext("Nothing was late."))
    calendar = working_calendar()
    text = gettext("%(count)s steps were not taken in time.", count=count)
    if count > len(late):
        text = gettext(
            "%(count)s steps were not taken in time; the %(most)s that were due first are named.",
            count=count,
            most=len(late),
        )
    return Part(
        gettext("3. Late"),
        text,
        labels=[
            gettext("Number"),
            gettext("What is asked for"),
            gettext("Unit"),
            gettext("What was due"),
            gettext("Was due"),
            gettext("Working days late"),
        ],
        widths=(2.5, 4.1, 2.4, 1.5, 2.7, 2.8),
        rows=[_late_row(row, calendar, asked) for row in late],
        words=frozenset({1, 2}),
    )


def _late_row(row: Row, calendar: WorkingCalendar, asked: Asked) -> tuple[str, ...]:
    return (
        row.case.number,
        row.case.title if row.shown else gettext("(confidential)"),
        row.unit.short_name,
        gettext("acceptance") if row.term.step is Step.ACCEPT else gettext("answer"),
        f"{local(row.term.due_at):%m-%d %H:%M}",
        _days_late(row, calendar, asked),
    )


def _days_late(row: Row, calendar: WorkingCalendar, asked: Asked) -> str:
    term, case = row.term, row.case
    done_at = term.done_at if term.step is Step.ACCEPT else term.delivered_at
    days = calendar.distance(term.due_at, done_at or asked.now) or gettext("under 1")
    if done_at is not None:
        return str(days)
    if term.step is Step.ACCEPT and (case.state is not CaseState.ASSIGNED or case.lead_id != term.unit_id):
        return gettext("went elsewhere, late")
    return gettext("%(days)s so far", days=days)


def _beside(overview: Overview) -> Part:
    named = [(unit, rates) for unit, rates in overview.units if rates.unreached or rates.withdrawn]
    return Part(
        gettext("4. Beside the rates"),
        gettext(
            "%(unreached)s requests ended because nobody could be reached, %(withdrawn)s were withdrawn.",
            unreached=overview.whole.unreached,
            withdrawn=overview.whole.withdrawn,
        ),
        labels=[gettext("Unit"), gettext("Not reached"), gettext("Withdrawn")],
        widths=(4, 2, 2),
        rows=[(unit.short_name, str(rates.unreached), str(rates.withdrawn)) for unit, rates in named],
    )


BULLETIN = Sheet(
    key="bulletin",
    label=N_("Bulletin on requests"),
    permissions=(Permission.CASE_SUPERVISE, Permission.EXPORT),
    arguments=("period",),
    columns=(),
    narrowed=lambda asked: [(gettext("Period"), _words(_period(asked)))],
    about=lambda _asked: [],
    filled=_bulletin,
    title=_title,
    formats=(Format.DOCX,),
)
