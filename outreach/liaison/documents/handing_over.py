"""The sheet of a hand-over, as both sign it."""

from flask_babel import gettext

from outreach.exports.rules.offers import Asked, FilledForm, Line, Sheet
from outreach.kernel.clock import local, office_day
from outreach.kernel.wording import N_
from outreach.liaison import queries
from outreach.liaison.models import HandOver, Pairing
from outreach.liaison.queries import handing_over, visits
from outreach.organisations.rules import Permission


def _one(asked: Asked) -> HandOver:
    return handing_over.hand_over_for(asked.account, asked.number("hand_over"))


def _stands(pairing: Pairing, asked: Asked) -> str:
    due = queries.dues_of([pairing], now=asked.now)[pairing.id]
    last = queries.last_contacts([pairing.person_id], now=asked.now).get(pairing.person_id)
    met = (
        gettext("last met on %(day)s by %(leaders)s", day=office_day(last.at), leaders="、".join(last.leaders))
        if last
        else gettext("never met so far")
    )
    return "\n".join(
        (
            gettext(pairing.rhythm.label),
            met,
            gettext("next contact due on %(day)s", day=due.due_on),
        )
    )


def _filled(asked: Asked, _in_full: frozenset[str]) -> FilledForm:
    one = _one(asked)
    what = handing_over.handed(one)
    lines = [
        Line(((gettext("Who leaves"), one.leaver.name), (gettext("Successor"), one.successor.name))),
        Line(
            (
                (gettext("Handed over at"), f"{local(one.at):%Y-%m-%d %H:%M}"),
                (gettext("Arranged by"), one.by.name),
            )
        ),
        *(Line(((pairing.person.name, _stands(pairing, asked)),)) for pairing in what.pairings),
        *(Line(((gettext("Planned visit"), f"{plan.day} {plan.pairing.person.name}"),)) for plan in what.plans),
        *(
            Line(((gettext("Open request %(number)s", number=case.number), _asked(case, asked)),))
            for case in {case.id: case for case in (*what.asked, *what.cases)}.values()
            if case.due_at is not None
        ),
        *(Line(((gettext("Draft of an event"), event.title),)) for event in what.drafts),
        Line(((gettext("Who leaves (signature)"), None), (gettext("Successor (signature)"), None)), room=16),
        Line(((gettext("Witness (signature)"), None), (gettext("Day"), None)), room=16),
    ]
    return FilledForm(heading=gettext("Hand-over of liaison work"), number=str(one.id), lines=lines)


def _asked(case: object, asked: Asked) -> str:
    unit = case.answerable.short_name if case.answerable else ""
    title = case.title if case.id in visits.cases_in_sight(asked.account, [case.id]) else gettext("(confidential)")
    return f"{case.person.name}：{title}\n{gettext('%(unit)s, due %(day)s', unit=unit, day=office_day(case.due_at))}"


SHEET = Sheet(
    key="hand_over",
    label=N_("Sheet of a hand-over"),
    permissions=(Permission.VISIT_LOG, Permission.PAIRING_EDIT),
    arguments=("hand_over",),
    columns=(),
    narrowed=lambda asked: [
        (gettext("Who leaves"), _one(asked).leaver.name),
        (gettext("Successor"), _one(asked).successor.name),
    ],
    about=lambda asked: [pairing.person_id for pairing in handing_over.handed(_one(asked)).pairings],
    filled=_filled,
    title=lambda asked: gettext(
        "Hand-over from %(leaver)s to %(successor)s",
        leaver=_one(asked).leaver.name,
        successor=_one(asked).successor.name,
    ),
)
