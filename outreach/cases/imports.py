"""The ledger of requests as offices kept it (人才诉求办理台账): what was asked, who had it, and what became of it.

Taking it over tells nobody anything. What the ledger says of the handling is kept in its own words, never made into
an answer or a feedback that nobody gave here.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from outreach.cases import operations, queries
from outreach.cases.models import Case
from outreach.cases.rules.asking import Topic, title_of, topic_said
from outreach.cases.rules.moves import CaseState
from outreach.intake.operations import one_by_one
from outreach.intake.rules import (
    Errand,
    Field,
    Importer,
    Judgement,
    Landed,
    Landing,
    Onward,
    Reason,
    Row,
    RowKey,
    Shown,
    Verdict,
    Words,
)
from outreach.intake.rules.days import day_said
from outreach.kernel.clock import office_day
from outreach.kernel.database import db
from outreach.kernel.wording import N_
from outreach.organisations.models import Organisation
from outreach.organisations.queries import lead_organisation
from outreach.organisations.rules import Permission
from outreach.people.imports import Recognised, recognised
from outreach.people.models import Person
from outreach.people.operations import Origin, bring, contact_point
from outreach.people.operations import take_back as take_back_people
from outreach.people.queries import account_by_id
from outreach.people.rules import ContactKind, normalised_name
from outreach.people.rules.ledger import Entry, understood
from outreach.web.filters import masked_name

FIELDS = (
    Field("serial", N_("Row number, not kept"), ("序号", "编号", "No."), kept=False),
    Field(
        "received", N_("Received on"), ("收集日期", "收集时间", "登记日期", "登记时间", "受理日期", "提出日期", "日期")
    ),
    Field(
        "name",
        N_("Name"),
        ("人才姓名", "姓名", "诉求人", "反映人", "提出人", "专家姓名", "联系人"),
        required=True,
        brief=True,
    ),
    Field(
        "phone",
        N_("Mobile number"),
        ("联系电话", "手机", "手机号", "手机号码", "电话", "联系方式"),
        shown=Shown.PHONE,
        brief=True,
    ),
    Field("topic", N_("Topic"), ("诉求类别", "诉求类型", "问题类别", "类别", "事项类别", "类型")),
    Field(
        "words",
        N_("What is asked for"),
        ("诉求内容", "诉求", "具体诉求", "问题", "反映问题", "需求内容", "事项", "诉求事项", "内容"),
        required=True,
        brief=True,
    ),
    Field("unit", N_("Unit"), ("承办单位", "责任单位", "办理单位", "主办单位", "交办单位", "牵头单位"), brief=True),
    Field("progress", N_("Progress"), ("办理情况", "办理进展", "办理状态", "办理结果", "状态", "进展情况"), brief=True),
    Field("ended", N_("Closed on"), ("办结日期", "办结时间", "完成时间", "答复日期", "答复时间"), brief=True),
    Field("satisfaction", N_("Satisfaction"), ("满意度", "评价", "满意情况", "回访情况")),
)
HANDLING = ("progress", "ended", "satisfaction")
"""What the ledger says of the handling: kept in its words with the request."""

ANSWERED = ("答复", "办结", "完成", "解决", "办理完毕")
NOT_YET = ("未", "待", "正在", "尚")
WITHDRAWN = ("撤回", "撤销", "撤诉", "放弃")
PASSED_ON = ("转交", "转办", "交办", "转送", "移交")
NEAREST = 3


@dataclass
class Asked:
    """A row of the ledger, understood."""

    entry: Entry
    words: str
    topic: Topic
    unit: Organisation | None = None
    state: CaseState = CaseState.REGISTERED
    received_on: date | None = None
    ended_on: date | None = None
    remarks: str | None = None
    notes: list[Reason] = field(default_factory=list)
    refusals: list[Reason] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The words so that they compare."""
        return normalised_name(self.words)


class Requests:
    """Rows of the ledger of requests."""

    key = "requests"
    label = N_("Requests")
    fields = FIELDS

    def judge(self, rows: Sequence[Row], errand: Errand) -> list[Judgement]:
        """Say of each row whether the request is new, here already, or cannot be taken."""
        if queries.intake_for(account_by_id(errand.account_id)) is None:
            only = Reason(N_("Only the lead office, which assigns requests, takes over their ledger."))
            return [Judgement(Verdict.REFUSED, (only,)) for _ in rows]
        asked = _asked(rows, errand)
        whom = recognised([one.entry for one in asked], errand)
        here = _here({who.person_id for who in whom if who.person_id is not None})
        return [_judged(row, one, who, here, errand) for row, one, who in zip(rows, asked, whom, strict=True)]

    def land(self, rows: Sequence[Landing], errand: Errand) -> list[Landed]:
        """Write the requests down as the ledger has them; one that is here stays as it is."""
        return one_by_one(rows, lambda landing: self._land(landing, errand))

    def undo(self, landed: Sequence[Landed], errand: Errand) -> list[Reason | None]:
        """Remove the requests nothing was done with, and the people who came with them and have nothing else."""
        return [self._undone(one, errand) for one in landed]

    def _undone(self, landed: Landed, errand: Errand) -> Reason | None:
        if "case" not in landed.trace:
            return None
        if not operations.take_back(case_id=landed.trace["case"], by=errand.by, now=errand.now):
            return Reason(N_("Something was done with this request since; it stays."))
        traces = [landed.trace["person"]] if landed.trace["person"] else []
        source = f"import:{errand.import_id}"
        why = take_back_people(traces=traces, source=source, by=errand.by, now=errand.now)
        return Reason(why[0]) if why and why[0] else None

    def _land(self, landing: Landing, errand: Errand) -> Landed:
        if landing.onto is not None:
            return Landed(landing.onto)
        row = landing.row
        asked = _asked([row], errand)[0]
        who = recognised([asked.entry], errand)[0]
        organisation = db.session.get_one(Organisation, errand.organisation_id)
        kind, value = _reached(asked.entry)
        trace = None
        if who.person_id is not None:
            person = db.session.get_one(Person, who.person_id)
            point = contact_point(kind=kind, value=value, now=errand.now)
        else:
            brought = bring(
                kind=kind,
                value=value,
                name=asked.entry.name,
                organisation=organisation,
                origin=Origin(f"import:{errand.import_id}", row.number),
                by=errand.by,
                now=errand.now,
            )
            person, point, trace = brought.person, brought.contact_point, brought.trace
        case = operations.take_over(
            person=person,
            contact_point=point,
            topic=asked.topic,
            title=title_of(asked.words),
            words=asked.words,
            intake=lead_organisation(),
            unit=asked.unit,
            state=asked.state,
            received_on=asked.received_on or office_day(errand.now),
            ended_on=asked.ended_on,
            remarks=asked.remarks,
            origin=f"import:{errand.import_id}",
            by=errand.by,
            now=errand.now,
        )
        return Landed(case.id, {"case": case.id, "person": trace})

    def existing(self, ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
        """Return what requests say, by field."""
        return {
            case.id: {
                "name": case.person.name,
                "phone": case.contact_point.value if case.contact_point else "",
                "words": case.words,
                "unit": case.lead.short_name if case.lead else "",
            }
            for case in db.session.scalars(
                sa.select(Case)
                .where(Case.id.in_(ids))
                .options(joinedload(Case.person), joinedload(Case.lead), joinedload(Case.contact_point))
            )
        }


def _asked(rows: Sequence[Row], errand: Errand) -> list[Asked]:
    units = _units(errand)
    return [_understood(row, units, errand) for row in rows]


def _units(errand: Errand) -> dict[str, Organisation]:
    if "units" not in errand.seen:
        found = queries.units_to_assign_to(lead_organisation())
        errand.seen["units"] = {
            normalised_name(name): unit for unit in reversed(found) for name in (unit.name, unit.short_name)
        }
    return errand.seen["units"]


def _understood(row: Row, units: Mapping[str, Organisation], errand: Errand) -> Asked:
    today = office_day(errand.now)
    entry = understood(row, today)
    asked = Asked(entry=entry, words=row.text("words"), topic=Topic.OTHER, refusals=list(entry.refusals))
    if not entry.refusals and not entry.phones and not entry.emails:
        asked.refusals.append(Reason(N_("Without a mobile number, the name alone does not say who is meant.")))
    if not asked.words:
        asked.refusals.append(Reason(N_("The row does not say what was asked for.")))
    _topic(row, asked)
    _unit(row, units, asked)
    asked.received_on = _day(row, "received", today, asked)
    asked.ended_on = _day(row, "ended", today, asked)
    if asked.received_on is None and not row.text("received"):
        asked.notes.append(Reason(N_("There is no day on which it was received: the day it is brought in is taken.")))
    if asked.received_on and asked.ended_on and asked.ended_on < asked.received_on:
        asked.refusals.append(Reason(N_("It was closed before it was received.")))
    _state(row, asked)
    kept = [
        f"{wanted.synonyms[0]}：{row.text(wanted.name)}"
        for wanted in FIELDS
        if row.text(wanted.name) and wanted.name in HANDLING
    ]
    kept += [f"{heading}：{text}" for heading, text in entry.aside]
    asked.remarks = "；".join(kept) or None
    return asked


def _topic(row: Row, asked: Asked) -> None:
    said = row.text("topic")
    topic = topic_said(said)
    if topic is None and said:
        asked.notes.append(Reason(N_("The topic “%(text)s” is not known here: “something else”."), {"text": said[:20]}))
        asked.entry.keep("诉求类别", said)
    asked.topic = topic or Topic.OTHER


def _unit(row: Row, units: Mapping[str, Organisation], asked: Asked) -> None:
    said = row.text("unit")
    if not said:
        return
    asked.unit = units.get(normalised_name(said))
    if asked.unit is not None:
        return
    near = difflib.get_close_matches(normalised_name(said), list(units), n=NEAREST * 2, cutoff=0.4)
    names = list(dict.fromkeys(units[key].short_name for key in near))[:NEAREST]
    if names:
        sentence = N_("There is no unit “%(text)s” here. Perhaps: %(names)s.")
        asked.refusals.append(Reason(sentence, {"text": said[:40], "names": "、".join(names)}))
    else:
        asked.refusals.append(Reason(N_("There is no unit “%(text)s” here."), {"text": said[:40]}))


def _day(row: Row, name: str, today: date, asked: Asked) -> date | None:
    text = row.text(name)
    if not text:
        return None
    said = day_said(row.cell(name))
    if said is None or len(said) < len("2026-05"):
        asked.refusals.append(Reason(N_("“%(text)s” is not a day."), {"text": text[:20]}))
        return None
    day = date.fromisoformat(said if len(said) > len("2026-05") else f"{said}-01")
    if day > today:
        asked.refusals.append(Reason(N_("“%(text)s” lies in the future."), {"text": text[:20]}))
    elif len(said) == len("2026-05"):
        asked.notes.append(Reason(N_("Of “%(text)s” only the month is known: its first day is taken."), {"text": text}))
    return day


def _state(row: Row, asked: Asked) -> None:
    """Say where the request stands by the ledger's words; what it leaves open is open here too."""
    said = row.text("progress")
    answered = any(word in said for word in ANSWERED) and not any(word in said for word in NOT_YET)
    if any(word in said for word in WITHDRAWN) and asked.ended_on:
        asked.state = CaseState.WITHDRAWN
    elif asked.ended_on:
        asked.state = CaseState.CLOSED
    elif asked.unit is None:
        asked.state = CaseState.REGISTERED
    elif not said or any(word in said for word in PASSED_ON):
        asked.state = CaseState.ASSIGNED
    else:
        asked.state = CaseState.ACCEPTED
    if asked.ended_on:
        if "不满意" in row.text("satisfaction"):
            asked.notes.append(Reason(N_("Not satisfied, but closed in the ledger: it stays closed.")))
        return
    if answered:
        asked.notes.append(
            Reason(N_("The ledger says that it was answered but not when: it stays open until the answer is written."))
        )
    asked.notes.append(Reason(N_("Open in the ledger: its clock runs from the day it was received.")))


def _here(person_ids: set[int]) -> dict[int, list[Case]]:
    found: dict[int, list[Case]] = {}
    if person_ids:
        for case in db.session.scalars(sa.select(Case).where(Case.person_id.in_(person_ids)).order_by(Case.id)):
            found.setdefault(case.person_id, []).append(case)
    return found


def _judged(row: Row, asked: Asked, who: Recognised, here: Mapping[int, Sequence[Case]], errand: Errand) -> Judgement:
    if not asked.refusals and who.person_id is None and who.other is not None:
        sentence = N_(
            "The number belongs to %(other)s in the records, not to %(name)s. Correct the name or the number."
        )
        values = {"other": masked_name(who.other), "name": masked_name(asked.entry.name)}
        asked.refusals.append(Reason(sentence, values))
    if asked.refusals:
        return Judgement(Verdict.REFUSED, tuple(asked.refusals))
    notes = list(asked.notes)
    if who.person_id is None:
        notes.insert(0, Reason(N_("Not in the records yet: will be added with name and number.")))
    for case in here.get(who.person_id or 0, ()):
        if normalised_name(case.words) == asked.key:
            same_day = asked.received_on is None or office_day(case.created_at) == asked.received_on
            if same_day:
                why = Reason(N_("The same person asked for the same on the same day."))
                return Judgement(Verdict.SAME, (why,), match_id=case.id)
            why = Reason(N_("The same person asked for the same on another day."))
            return Judgement(Verdict.DOUBTFUL, (why, *notes), match_id=case.id)
    key = ("request", who.person_id or (normalised_name(asked.entry.name), *_reached(asked.entry)), asked.key)
    earlier = errand.seen.get(key)
    if earlier is not None:
        place, day = earlier
        reason = Reason(N_("Row %(row)s of this file asks for the same."), {"row": place.number})
        if day == asked.received_on:
            return Judgement(Verdict.SAME, (reason,), match_row=place)
        return Judgement(Verdict.DOUBTFUL, (reason, *notes), match_row=place)
    errand.seen[key] = (RowKey(row.sheet, row.number), asked.received_on)
    return Judgement(Verdict.NEW, tuple(notes))


def _reached(entry: Entry) -> tuple[ContactKind, str]:
    if entry.phones:
        return ContactKind.PHONE, entry.phones[0]
    return ContactKind.EMAIL, entry.emails[0]


IMPORTER = Importer(
    key="requests",
    label=N_("Ledger of requests"),
    permission=Permission.PEOPLE_IMPORT,
    sheets=(Requests(),),
    record=("cases.show", "case_id"),
    onward=(Onward(N_("See the requests"), "cases.index"),),
    words=Words(
        same=N_("This request is here already"),
        doubtful=N_("Perhaps the same request"),
        no_same=N_("No request is here already"),
        is_same=N_("The same request"),
        is_another=N_("Another request"),
        landed=N_("%(created)s requests taken over, %(known)s were here already."),
    ),
)
