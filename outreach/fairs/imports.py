"""Lists of jobs as employers send them (岗位信息表). They can be checked; they land once job fairs are here."""

import re
import unicodedata
from collections.abc import Sequence

from outreach.intake.rules import Errand, Field, Importer, Judgement, Reason, Row, RowKey, Shown, Verdict, Words
from outreach.kernel.wording import N_
from outreach.organisations.rules import Permission
from outreach.people.rules import normalised_name

OPEN_NUMBER = frozenset({"若干", "不限", "多名", "数名"})
TO_BE_AGREED = frozenset({"面议", "面谈", "待定", "另议"})
PERIOD = re.compile("月|年|天|日|时|k|K|次")


class Jobs:
    """Rows of a list of jobs."""

    key = "jobs"
    label = N_("Jobs")
    fields = (
        Field("serial", N_("Row number, not kept"), ("序号", "编号", "No."), kept=False),
        Field(
            "employer",
            N_("Employer"),
            ("用人单位", "单位名称", "企业名称", "公司名称", "招聘单位", "单位", "企业", "公司"),
            required=True,
            brief=True,
        ),
        Field(
            "title",
            N_("Job"),
            ("岗位名称", "岗位", "职位名称", "职位", "招聘岗位", "需求岗位"),
            required=True,
            brief=True,
        ),
        Field("number", N_("How many"), ("招聘人数", "需求人数", "人数", "招聘数量"), brief=True),
        Field("degree", N_("Degree asked for"), ("学历要求", "学历", "学历层次")),
        Field("major", N_("Fields of study asked for"), ("专业要求", "专业", "所需专业", "需求专业")),
        Field("pay", N_("Pay"), ("薪酬待遇", "薪资", "待遇", "薪酬", "薪资待遇", "工资", "年薪"), brief=True),
        Field("contact", N_("Contact"), ("联系人", "招聘联系人")),
        Field("phone", N_("Telephone"), ("联系电话", "电话", "联系方式", "手机"), shown=Shown.PHONE),
        Field("remark", N_("Remark"), ("备注", "说明", "福利")),
    )

    def judge(self, rows: Sequence[Row], errand: Errand) -> list[Judgement]:
        """Say of each row whether the job is new, stands above in the file, or cannot be taken."""
        return [_judged(row, errand) for row in rows]


def _judged(row: Row, errand: Errand) -> Judgement:
    employer, title = row.text("employer"), row.text("title")
    if not employer:
        return Judgement(Verdict.REFUSED, (Reason(N_("There is no employer in this row.")),))
    if not title:
        return Judgement(Verdict.REFUSED, (Reason(N_("There is no job in this row.")),))
    notes = _notes(row)
    here = RowKey(row.sheet, row.number)
    whole = tuple(normalised_name("/".join(row.texts(wanted.name))) for wanted in Jobs.fields if wanted.kept)
    same = errand.seen.setdefault(("job", whole), here)
    if same != here:
        reason = Reason(N_("Row %(row)s of this file says exactly the same."), {"row": same.number})
        return Judgement(Verdict.SAME, (reason,), match_row=same)
    # Two jobs of one name differ in what is asked for or paid; where only the contact differs it may be one.
    core = whole[: len(whole) - 3]
    like = errand.seen.setdefault(("core", core), here)
    if like != here:
        reason = Reason(N_("Row %(row)s of this file is the same job with another contact or remark."))
        return Judgement(Verdict.DOUBTFUL, (Reason(reason.sentence, {"row": like.number}), *notes), match_row=like)
    return Judgement(Verdict.NEW, notes)


def _notes(row: Row) -> tuple[Reason, ...]:
    notes = []
    number = unicodedata.normalize("NFKC", row.text("number"))
    if number in OPEN_NUMBER:
        notes.append(Reason(N_("How many are wanted is left open.")))
    elif not re.fullmatch(r"\d{1,5}\s*[人名个]?", number):
        notes.append(Reason(N_("How many are wanted cannot be told from “%(text)s”."), {"text": number[:20]}))
    pay = unicodedata.normalize("NFKC", row.text("pay"))
    if pay and pay not in TO_BE_AGREED and not PERIOD.search(pay):
        notes.append(Reason(N_("“%(text)s” does not say whether by the month or by the year."), {"text": pay[:20]}))
    return tuple(notes)


IMPORTER = Importer(
    key="jobs",
    label=N_("List of jobs"),
    permission=Permission.EVENT_EDIT,
    sheets=(Jobs(),),
    words=Words(
        same=N_("Stands above already"),
        doubtful=N_("Perhaps the same job"),
        no_same=N_("No row stands twice"),
        is_same=N_("The same job"),
        is_another=N_("Another job"),
    ),
    lands_with=N_("Job fairs"),
)
