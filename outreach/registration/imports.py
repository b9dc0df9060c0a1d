"""Sign-ups collected by another form (问卷导出的报名表). They can be checked.

They do not land yet: a registration rests on a consent given here and sends its ticket at once, and neither is
true of somebody who filled in another form months ago. It needs an operation of its own, with the event chosen.
"""

from collections.abc import Sequence

from outreach.intake.rules import Errand, Field, Importer, Judgement, Reason, Row, RowKey, Shown, Verdict, Words
from outreach.kernel.clock import office_day
from outreach.kernel.wording import N_
from outreach.organisations.rules import Permission
from outreach.people.imports import Recognised, recognised, who_is
from outreach.people.rules import normalised_name
from outreach.people.rules.ledger import Entry, understood


class SignUps:
    """Rows of a form's answers."""

    key = "signups"
    label = N_("Sign-ups")
    fields = (
        Field("serial", N_("Row number, not kept"), ("序号", "编号", "答题序号"), kept=False),
        Field("at", N_("Sent in at"), ("提交时间", "报名时间", "填写时间", "提交答卷时间", "时间")),
        Field("name", N_("Name"), ("姓名", "名字", "您的姓名", "报名人"), required=True, brief=True),
        Field(
            "phone",
            N_("Mobile number"),
            ("手机号", "手机", "手机号码", "联系电话", "电话", "您的手机号", "联系方式"),
            shown=Shown.PHONE,
            several=True,
            brief=True,
        ),
        Field("email", N_("E-mail"), ("邮箱", "电子邮箱"), shown=Shown.EMAIL, several=True),
        Field("school", N_("School"), ("学校", "毕业院校", "院校", "就读学校", "高校"), brief=True),
        Field("major", N_("Field of study"), ("专业", "所学专业", "研究方向")),
        Field("degree", N_("Degree"), ("学历", "学位", "最高学历"), several=True, brief=True),
        Field("employer", N_("Employer"), ("单位", "工作单位", "公司")),
        Field("wish", N_("Jobs they look for"), ("意向岗位", "意向岗位（可多选）", "求职意向", "意向职位")),
        Field("words", N_("What they want to say"), ("想对我们说", "留言", "备注", "其他想说的")),
    )

    def judge(self, rows: Sequence[Row], errand: Errand) -> list[Judgement]:
        """Say of each row whether it is a sign-up, one that was sent twice, or cannot be taken."""
        entries = [understood(row, office_day(errand.now)) for row in rows]
        whom = recognised(entries, errand)
        return [_judged(row, entry, who, errand) for row, entry, who in zip(rows, entries, whom, strict=True)]


def _judged(row: Row, entry: Entry, who: Recognised, errand: Errand) -> Judgement:
    if entry.refusals:
        return Judgement(Verdict.REFUSED, tuple(entry.refusals + entry.notes))
    reached = entry.phones + entry.emails
    if not reached:
        return Judgement(Verdict.REFUSED, (Reason(N_("There is no number and no address to reach them.")),))
    here, name = RowKey(row.sheet, row.number), normalised_name(entry.name)
    earlier = errand.seen.setdefault(("signup", name, reached[0]), here)
    if earlier != here:
        reason = Reason(N_("Row %(row)s of this file is the same person: sent in twice."), {"row": earlier.number})
        return Judgement(Verdict.SAME, (reason,), match_row=earlier)
    notes = [*who_is(who), *entry.notes]
    shared = errand.seen.setdefault(("number", reached[0]), here)
    if shared != here:
        sentence = N_("Same number as row %(row)s under another name: taken as two people.")
        notes.insert(0, Reason(sentence, {"row": shared.number}))
    like = errand.seen.setdefault(("like", name, normalised_name(entry.school or "")), here)
    if like != here and entry.school:
        sentence = N_("Row %(row)s of this file has the same name and school, but another number.")
        return Judgement(Verdict.DOUBTFUL, (Reason(sentence, {"row": like.number}), *notes), match_row=like)
    return Judgement(Verdict.NEW, tuple(notes))


IMPORTER = Importer(
    key="signups",
    label=N_("Sign-ups of another form"),
    permission=Permission.REGISTRATION_EDIT,
    sheets=(SignUps(),),
    words=Words(
        same=N_("Sent in twice"),
        doubtful=N_("Perhaps sent in twice"),
        no_same=N_("Nobody sent it in twice"),
        is_same=N_("The same person"),
        is_another=N_("Another person"),
    ),
    lands_with=N_("Registering people for an event"),
)
