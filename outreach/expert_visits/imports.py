"""Needs of companies and the experts who may meet them, one file of two sheets (企业需求, 博士名单).

They can be checked; they land once visits of experts are here. Which expert is in the records is told already.
"""

import re
import unicodedata
from collections.abc import Sequence

from outreach.intake.rules import Errand, Field, Importer, Judgement, Reason, Row, RowKey, Shown, Verdict, Words
from outreach.kernel.clock import office_day
from outreach.kernel.wording import N_
from outreach.organisations.rules import Permission
from outreach.people.imports import Recognised, recognised, who_is
from outreach.people.rules import normalised_name
from outreach.people.rules.ledger import Entry, understood

TIMES = frozenset({"上午", "下午", "全天", "晚上"})


class Needs:
    """Rows of the companies' needs."""

    key = "needs"
    label = N_("Needs of companies")
    fields = (
        Field("serial", N_("Row number, not kept"), ("序号", "编号"), kept=False),
        Field(
            "employer",
            N_("Company"),
            ("企业名称", "单位名称", "需求单位", "企业", "单位", "公司名称"),
            required=True,
            brief=True,
        ),
        Field("field", N_("Field"), ("所属领域", "领域", "行业", "技术领域"), brief=True),
        Field(
            "need",
            N_("What is needed"),
            ("技术难题", "技术需求", "需求内容", "难题", "需求", "需求描述"),
            required=True,
            brief=True,
        ),
        Field("wanted", N_("Experts wanted"), ("期望专家方向", "专家方向", "期望方向", "所需专家")),
        Field("time", N_("When they can receive"), ("可接待时间", "接待时间", "时间"), brief=True),
        Field("places", N_("How many they can receive"), ("可接待人数", "接待人数", "人数")),
        Field("contact", N_("Contact"), ("联系人", "对接人")),
        Field("phone", N_("Telephone"), ("电话", "联系电话", "手机", "联系方式"), shown=Shown.PHONE),
    )

    def judge(self, rows: Sequence[Row], errand: Errand) -> list[Judgement]:
        """Say of each row whether the need is new, stands above in the file, or cannot be taken."""
        return [self._judged(row, errand) for row in rows]

    def _judged(self, row: Row, errand: Errand) -> Judgement:
        if not row.text("employer"):
            return Judgement(Verdict.REFUSED, (Reason(N_("There is no company in this row.")),))
        if not row.text("need"):
            return Judgement(Verdict.REFUSED, (Reason(N_("The row does not say what is needed.")),))
        notes = []
        places = unicodedata.normalize("NFKC", row.text("places"))
        if places and not re.fullmatch(r"\d{1,4}\s*[人名]?", places):
            notes.append(Reason(N_("How many they can receive cannot be told from “%(text)s”."), {"text": places[:20]}))
        notes += _time_note(row)
        here = RowKey(row.sheet, row.number)
        key = ("need", normalised_name(row.text("employer")), normalised_name(row.text("need")))
        earlier = errand.seen.setdefault(key, here)
        if earlier != here:
            reason = Reason(N_("Row %(row)s of this file names the same need."), {"row": earlier.number})
            return Judgement(Verdict.SAME, (reason,), match_row=earlier)
        return Judgement(Verdict.NEW, tuple(notes))


class Experts:
    """Rows of the experts."""

    key = "experts"
    label = N_("Experts")
    fields = (
        Field("serial", N_("Row number, not kept"), ("序号", "编号"), kept=False),
        Field("name", N_("Name"), ("姓名", "专家姓名", "博士姓名", "名字"), required=True, brief=True),
        Field("gender", N_("Gender"), ("性别",)),
        Field("employer", N_("Employer"), ("工作单位", "单位", "所在单位", "学校", "高校", "毕业院校"), brief=True),
        Field("major", N_("Field of study"), ("研究方向", "专业", "研究领域", "专业领域"), required=True, brief=True),
        Field(
            "phone",
            N_("Mobile number"),
            ("手机", "手机号", "手机号码", "联系电话", "电话", "联系方式"),
            shown=Shown.PHONE,
            several=True,
            brief=True,
        ),
        Field("email", N_("E-mail"), ("邮箱", "电子邮箱"), shown=Shown.EMAIL, several=True),
        Field("time", N_("When they can come"), ("可参加时段", "参加时段", "时段", "可参加时间")),
        Field("meal", N_("Meal"), ("是否用餐", "用餐", "就餐")),
        Field("lodging", N_("Lodging"), ("是否住宿", "住宿")),
    )

    def judge(self, rows: Sequence[Row], errand: Errand) -> list[Judgement]:
        """Say of each row whether the expert is in the records, stands above in the file, or cannot be taken."""
        entries = [understood(row, office_day(errand.now)) for row in rows]
        whom = recognised(entries, errand)
        return [self._judged(row, entry, who, errand) for row, entry, who in zip(rows, entries, whom, strict=True)]

    def _judged(self, row: Row, entry: Entry, who: Recognised, errand: Errand) -> Judgement:
        if entry.refusals:
            return Judgement(Verdict.REFUSED, tuple(entry.refusals + entry.notes))
        reached = entry.phones + entry.emails
        if not reached:
            return Judgement(Verdict.REFUSED, (Reason(N_("There is no number and no address to reach them.")),))
        here = RowKey(row.sheet, row.number)
        key = ("expert", normalised_name(entry.name), reached[0])
        earlier = errand.seen.setdefault(key, here)
        if earlier != here:
            reason = Reason(N_("Row %(row)s of this file is the same expert."), {"row": earlier.number})
            return Judgement(Verdict.SAME, (reason,), match_row=earlier)
        return Judgement(Verdict.NEW, (*who_is(who), *entry.notes, *_time_note(row)))


def _time_note(row: Row) -> list[Reason]:
    said = row.text("time")
    if not said or said in TIMES:
        return []
    return [Reason(N_("“%(text)s” is no part of a day known here; it is kept as it stands."), {"text": said[:20]})]


IMPORTER = Importer(
    key="needs_and_experts",
    label=N_("Needs and experts"),
    permission=Permission.EVENT_EDIT,
    sheets=(Needs(), Experts()),
    words=Words(
        same=N_("Stands above already"),
        doubtful=N_("Perhaps the same"),
        no_same=N_("No row stands twice"),
        is_same=N_("The same"),
        is_another=N_("Another one"),
    ),
    lands_with=N_("Visits of experts"),
)
