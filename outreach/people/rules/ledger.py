"""What the cells of a talents' ledger mean, as offices really keep them. Pure."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from outreach.intake.rules import Field, Reason, Row, Shown
from outreach.intake.rules.days import day_said
from outreach.intake.rules.headings import shown
from outreach.kernel.contact_details import (
    PLAIN_MOBILE,
    NotAnEmail,
    NotAPhone,
    PhoneLengthWrong,
    PhoneShortened,
    normalised_email,
    normalised_phone,
)
from outreach.kernel.wording import N_
from outreach.people.rules import (
    Degree,
    Gender,
    NotAnIdentityNumber,
    birth_in,
    needs_guardian,
    normalised_identity_number,
)

FIELDS = (
    Field("serial", N_("Row number, not kept"), ("序号", "No.", "行号"), kept=False),
    Field(
        "name",
        N_("Name"),
        ("姓名", "名字", "人才姓名", "专家姓名", "姓名/Name", "Name", "Full name", "人员姓名"),
        required=True,
        brief=True,
    ),
    Field("gender", N_("Gender"), ("性别", "Gender", "Sex")),
    Field(
        "birth",
        N_("Born"),
        ("出生年月", "出生日期", "出生年月日", "出生时间", "生日", "出生", "Birth date", "Date of birth"),
        shown=Shown.SECRET,
    ),
    Field(
        "identity_number",
        N_("Identity number"),
        ("身份证号", "身份证号码", "身份证", "公民身份号码", "证件号码", "证件号", "居民身份证号", "ID number"),
        shown=Shown.SECRET,
    ),
    Field(
        "degree",
        N_("Degree"),
        ("学历学位", "学历", "学位", "最高学历", "最高学位", "文化程度", "学历/学位", "学历及学位", "Degree"),
        several=True,
    ),
    Field(
        "school",
        N_("School"),
        ("毕业院校", "毕业学校", "院校", "学校", "毕业高校", "高校", "毕业院校名称", "School", "University"),
    ),
    Field(
        "major",
        N_("Field of study"),
        ("专业", "所学专业", "研究方向", "学科", "从事专业", "研究领域", "Major"),
    ),
    Field(
        "fields",
        N_("Fields"),
        ("专业领域", "领域", "行业领域", "产业领域", "所属领域", "从事领域", "人才领域", "技术领域", "所属产业"),
        several=True,
    ),
    Field(
        "employer",
        N_("Employer"),
        (
            "工作单位",
            "单位",
            "所在单位",
            "用人单位",
            "公司",
            "企业",
            "工作单位全称",
            "就职单位",
            "企业名称",
            "Employer",
        ),
        brief=True,
    ),
    Field(
        "position",
        N_("Position"),
        ("职务", "职称", "职务职称", "职务/职称", "岗位", "职位", "现任职务", "Position"),
        several=True,
    ),
    Field(
        "talent_class",
        N_("Class"),
        ("人才类别", "人才层次", "类别", "层次", "雁阵类别", "人才类型", "雁阵"),
        brief=True,
    ),
    Field(
        "phone",
        N_("Mobile number"),
        (
            "手机号码",
            "手机",
            "手机号",
            "联系电话",
            "电话",
            "联系方式",
            "移动电话",
            "电话号码",
            "备用电话",
            "联系手机",
            "Phone",
            "Mobile",
        ),
        shown=Shown.PHONE,
        several=True,
        brief=True,
    ),
    Field(
        "email",
        N_("E-mail"),
        ("电子邮箱", "邮箱", "电子邮件", "邮件", "邮箱地址", "E-mail", "Email", "Mail"),
        shown=Shown.EMAIL,
        several=True,
    ),
    Field("home_town", N_("Home town"), ("籍贯", "家乡", "户籍地", "出生地", "户籍", "户籍所在地")),
    Field(
        "residence",
        N_("Lives and works in"),
        ("现居地", "现居住地", "常住地", "居住地", "工作地", "现工作地", "工作所在地", "所在城市"),
    ),
    Field("remark", N_("Remark"), ("备注", "说明", "备注说明", "Remark")),
)
LABELS = {wanted.name: wanted.label for wanted in FIELDS}

ABSENT = re.compile(
    r"(待补|待补充|待定|待完善|暂无|无|没有|不详|未知|未填|空|略|/|\\|-+|—+|\*+|#?n/?a|none|null|\?+|？+)"
)
"""What offices write where they know nothing."""

BETWEEN_CHARACTERS = re.compile(r"(?<=[\u3400-\u9fff\U00020000-\U000323af]) (?=[\u3400-\u9fff\U00020000-\U000323af])")
BETWEEN_FIELDS = re.compile(r"[、,，;；/|\n]+")
SIMPLE_EMAIL = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9.-]+")
"""One address and nothing else, as nearly every cell has it."""

GENDERS = {"男": Gender.MALE, "男性": Gender.MALE, "m": Gender.MALE, "male": Gender.MALE} | {
    "女": Gender.FEMALE,
    "女性": Gender.FEMALE,
    "f": Gender.FEMALE,
    "female": Gender.FEMALE,
}
DEGREES = {
    "博士": Degree.DOCTOR,
    "博士研究生": Degree.DOCTOR,
    "研究生博士": Degree.DOCTOR,
    "博士学位": Degree.DOCTOR,
    "phd": Degree.DOCTOR,
    "硕士": Degree.MASTER,
    "硕士研究生": Degree.MASTER,
    "研究生硕士": Degree.MASTER,
    "硕士学位": Degree.MASTER,
    "研究生": Degree.MASTER,
    "master": Degree.MASTER,
    "本科": Degree.BACHELOR,
    "大学本科": Degree.BACHELOR,
    "全日制本科": Degree.BACHELOR,
    "学士": Degree.BACHELOR,
    "本科学士": Degree.BACHELOR,
    "大学本科学士": Degree.BACHELOR,
    "大学": Degree.BACHELOR,
    "bachelor": Degree.BACHELOR,
    "大专": Degree.COLLEGE,
    "专科": Degree.COLLEGE,
    "大学专科": Degree.COLLEGE,
    "高职": Degree.COLLEGE,
}
HINTS = (
    ("博士", Degree.DOCTOR),
    ("博后", Degree.DOCTOR),
    ("硕士", Degree.MASTER),
    ("研究生", Degree.MASTER),
    ("本科", Degree.BACHELOR),
    ("学士", Degree.BACHELOR),
    ("大专", Degree.COLLEGE),
    ("专科", Degree.COLLEGE),
    ("高职", Degree.COLLEGE),
    ("高中", Degree.OTHER),
    ("中专", Degree.OTHER),
)
RANKS = {degree: rank for rank, degree in enumerate(Degree)}
OLDEST = 120
LONGEST = 200
LONGEST_NAME = 120


@dataclass
class Entry:
    """A row of a ledger, understood.

    `aside` holds what has no column here or could not be understood, by the name of its field or by its heading.
    """

    name: str = ""
    gender: Gender | None = None
    birth: str | None = None
    identity_number: str | None = None
    identity_stump: str | None = None  # the first digits of a number that a spreadsheet rounded
    degree: Degree | None = None
    school: str | None = None
    major: str | None = None
    employer: str | None = None
    position: str | None = None
    talent_class: str | None = None  # the name of one of the city's classes
    fields: list[str] = field(default_factory=list)  # the names of some of the city's fields
    home_town: str | None = None
    residence: str | None = None
    remark: str | None = None
    phones: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    aside: list[tuple[str, str]] = field(default_factory=list)
    notes: list[Reason] = field(default_factory=list)
    refusals: list[Reason] = field(default_factory=list)

    def keep(self, name: str, text: str, note: Reason | None = None) -> None:
        """Put a value aside, so that it is not lost, and say why."""
        self.aside.append((name, text))
        if note is not None:
            self.notes.append(note)


def understood(row: Row, today: date, classes: Collection[str] = (), fields: Collection[str] = ()) -> Entry:
    """Return what a row of a ledger says. `today` is the office's day: nobody is born after it.

    `classes` are the names of the city's classes: a cell that holds one of them («头雁人才») means it. `fields` are
    those of its fields: what a cell lists besides them is the field of study where nothing else says that.
    """
    entry = Entry()
    _name(row, entry)
    for name in ("school", "major", "employer", "position", "home_town", "residence", "remark"):
        if texts := row.texts(name):
            _plain(entry, name, "，".join(dict.fromkeys(text for text in texts if not _absent(text))))
    _chosen(row, entry, classes)
    _listed(row, entry, fields)
    _degree(row, entry)
    _identity(row, entry)
    _birth(row, entry, today)
    if not entry.refusals and needs_guardian(entry.birth, today):
        entry.refusals.append(Reason(N_("A child under 14 is registered by a guardian, not from a list")))
    _contacts(row, entry)
    entry.aside += list(row.rest.items())
    return entry


def contradict(one: str | None, other: str | None) -> bool:
    """Tell whether two dates of birth, each as precise as it is known, cannot be of one person."""
    return bool(one and other) and not (one.startswith(other) or other.startswith(one))


@lru_cache(maxsize=8192)  # a ledger says the same schools, units and degrees over and over
def _absent(text: str) -> bool:
    return ABSENT.fullmatch(text) is not None


def _name(row: Row, entry: Entry) -> None:
    text = " ".join(row.text("name").split())
    entry.name = BETWEEN_CHARACTERS.sub("", text) if " " in text else text
    if not entry.name or ABSENT.fullmatch(entry.name):
        entry.refusals.append(Reason(N_("There is no name")))
    elif not any(sign.isalpha() for sign in entry.name):
        entry.refusals.append(Reason(N_("“%(text)s” is not a name"), {"text": entry.name[:20]}))
    elif len(entry.name) > LONGEST_NAME:
        entry.refusals.append(Reason(N_("The name is longer than %(most)s characters"), {"most": LONGEST_NAME}))


def _plain(entry: Entry, name: str, text: str) -> None:
    if not text:
        return
    if name != "remark" and len(text) > LONGEST:
        entry.keep(name, text, Reason(N_("A text is too long for its column; all of it is kept beside the record")))
        text = text[:LONGEST]
    setattr(entry, name, text)


def _chosen(row: Row, entry: Entry, classes: Collection[str]) -> None:
    if gender := row.text("gender"):
        entry.gender = GENDERS.get(unicodedata.normalize("NFKC", gender).casefold())
        if entry.gender is None and not _absent(gender):
            entry.keep("gender", gender)
    if said := row.text("talent_class"):
        entry.talent_class = next((name for name in sorted(classes, key=len, reverse=True) if name in said), None)
        if said != entry.talent_class and not _absent(said):
            entry.keep("talent_class", said)


def _listed(row: Row, entry: Entry, fields: Collection[str]) -> None:
    others: list[str] = []
    for text in row.texts("fields"):
        if not _absent(text):
            for piece in filter(None, map(str.strip, BETWEEN_FIELDS.split(text))):
                _add(entry.fields if piece in fields else others, piece)
    if others and not entry.major:
        _plain(entry, "major", "、".join(others))
    elif others:
        entry.keep("fields", "、".join(others))


def _degree(row: Row, entry: Entry) -> None:
    for text in row.texts("degree"):
        if _absent(text):
            continue
        degree, exactly = _degree_said(text)
        if not exactly:
            note = N_("Degree “%(text)s” is not known here; it is kept beside the record")
            entry.keep("degree", text, None if degree else Reason(note, {"text": text[:20]}))
        if degree and (entry.degree is None or RANKS[degree] < RANKS[entry.degree]):
            entry.degree = degree


@lru_cache(maxsize=1024)
def _degree_said(text: str) -> tuple[Degree | None, bool]:
    """Return the degree that is meant, and whether that is all the text says."""
    plain = re.sub(r"[\s/、,，()（）]+", "", unicodedata.normalize("NFKC", text)).casefold()
    if plain in DEGREES:
        return DEGREES[plain], True
    return next((hinted for word, hinted in HINTS if word in plain), None), False


def _identity(row: Row, entry: Entry) -> None:
    cell, text = row.cell("identity_number"), row.text("identity_number")
    if not text or ABSENT.fullmatch(text):
        return
    plain = text.upper()
    if not (text.isascii() and text.isalnum()):
        plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
    # Spreadsheets keep 15 digits of a number: one in eleven of those they spoil still passes the check.
    spoilt = (isinstance(cell, int | float) and len(plain) > 15) or "E+" in plain
    try:
        if spoilt:
            raise NotAnIdentityNumber
        entry.identity_number = normalised_identity_number(plain)
    except NotAnIdentityNumber:
        if spoilt or re.fullmatch(r"\d{15}0{3}", plain):
            entry.identity_stump = plain[:15] if plain[:15].isdigit() else None
            note = N_(
                "The spreadsheet has rounded the identity number: its last digits are lost. It is kept as it stands "
                "and not used"
            )
            entry.keep("identity_number", plain, Reason(note))
        elif re.fullmatch(r"\d{17}[\dX]", plain):
            entry.refusals.append(
                Reason(N_("The identity number is mistyped: %(text)s"), {"text": shown(plain, Shown.SECRET)})
            )
        elif re.fullmatch(r"[\dX*]{15,20}", plain) and not re.fullmatch(r"\d{15}", plain):
            entry.refusals.append(
                Reason(N_("The identity number has %(digits)s digits instead of 18"), {"digits": len(plain)})
            )
        else:  # a passport, or a number of the old kind
            entry.keep("identity_number", text)


def _birth(row: Row, entry: Entry, today: date) -> None:
    cell, text = row.cell("birth"), row.text("birth")
    said = None
    if text and not ABSENT.fullmatch(text):
        said = day_said(cell)
        if said is None:
            entry.keep("birth", text, Reason(N_("The date of birth cannot be read; it is kept as it stands")))
        elif not today.year - OLDEST <= int(said[:4]) <= today.year or said > today.isoformat():
            entry.refusals.append(Reason(N_("Born in %(year)s cannot be"), {"year": said[:4]}))
        elif isinstance(cell, float) and len(said) == 4 and not cell.is_integer():
            entry.keep(
                "birth",
                text,
                Reason(N_("Of the date of birth only the year can be told: the spreadsheet made a number of it")),
            )
    entry.birth = said
    if entry.identity_number:
        exact = birth_in(entry.identity_number)
        if contradict(said, exact):
            entry.keep(
                "birth",
                text,
                Reason(
                    N_(
                        "The date of birth contradicts the identity number; the number's is taken, the other is "
                        "kept beside the record"
                    )
                ),
            )
        entry.birth = exact


def _contacts(row: Row, entry: Entry) -> None:
    broken: list[tuple[str, Reason]] = []
    for name in ("phone", "email"):
        for text in row.texts(name):
            if PLAIN_MOBILE.fullmatch(text):
                _add(entry.phones, normalised_phone(text))
                continue
            if ABSENT.fullmatch(text):
                if name == "phone":
                    entry.notes.append(Reason(N_("The number is still to come")))
                continue
            rest = _addresses(text, entry)
            broken += _numbers(rest, name, entry)
    if entry.phones:
        entry.aside += [("phone", text) for text, _ in broken]
        entry.notes += [reason for _, reason in broken]
    else:
        entry.refusals += [reason for _, reason in broken]


def _addresses(text: str, entry: Entry) -> str:
    if SIMPLE_EMAIL.fullmatch(text) and (address := _address(text)):
        _add(entry.emails, address)
        return ""
    plain = unicodedata.normalize("NFKC", text)
    for found in re.findall(r"[^\s/、,;|()<>:]+@[^\s/、,;|()<>]+", plain):
        address = _address(found)
        if address is None:
            note = N_("The address is not one that mail reaches; it is kept beside the record")
            entry.keep("email", found, Reason(note))
        else:
            _add(entry.emails, address)
        plain = plain.replace(found, " ")
    return plain


def _address(text: str) -> str | None:
    try:
        return normalised_email(text)
    except NotAnEmail:
        return None


def _add(known: list[str], value: str) -> None:
    if value not in known:
        known.append(value)


def _numbers(text: str, name: str, entry: Entry) -> list[tuple[str, Reason]]:
    broken = []
    for piece in _pieces(text):
        try:
            number = normalised_phone(piece)
        except (PhoneLengthWrong, PhoneShortened) as wrong:
            broken.append((piece, _why(wrong, piece)))
        except NotAPhone:
            note = N_("“%(text)s” is no mobile number; it is kept beside the record")
            entry.keep(name, piece, Reason(note, {"text": shown(piece[:30], Shown.PHONE)}))
        else:
            _add(entry.phones, number)
    return broken


def _why(wrong: NotAPhone, piece: str) -> Reason:
    if isinstance(wrong, PhoneShortened):
        return Reason(wrong.message, {"text": piece})
    digits = wrong.values.get("digits", "")
    return Reason(
        N_("The mobile number has %(digits)s digits instead of 11: %(text)s"),
        {"digits": str(digits), "text": shown(piece, Shown.PHONE)},
    )


def _pieces(text: str) -> Sequence[str]:
    pieces = []
    for piece in re.split(r"[/、,;|\n\r和或:]+", text):
        digits = re.sub(r"\D", "", piece)
        pair = re.fullmatch(r"(1[3-9]\d{9})(1[3-9]\d{9})", digits)
        if pair:
            pieces += list(pair.groups())
        elif re.search(r"[^\W\d_]", piece) and (inside := re.findall(r"(?<!\d)1[3-9](?:[\s-]*\d){9}(?!\d)", piece)):
            pieces += inside  # «手机 199…», «199…（同微信）»
        elif any(sign.isalnum() for sign in piece):
            pieces.append(piece.strip())
    return pieces
