"""What a person's record holds, how names and identity numbers are written, and what is refused."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from outreach.kernel.limits import Limit
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_
from outreach.kernel.words import LONGEST_WORD, words_of


class ContactKind(StrEnum):
    """How somebody can be reached."""

    PHONE = "phone"
    EMAIL = "email"

    @property
    def label(self) -> str:
        """The name of the kind, to be translated."""
        return {ContactKind.PHONE: N_("Mobile number"), ContactKind.EMAIL: N_("E-mail")}[self]


class Gender(StrEnum):
    """As ledgers have it."""

    MALE = "male"
    FEMALE = "female"

    @property
    def label(self) -> str:
        """The name, to be translated."""
        return {Gender.MALE: N_("Male"), Gender.FEMALE: N_("Female")}[self]


class Rhythm(StrEnum):
    """How often somebody is met."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"

    @property
    def label(self) -> str:
        """The name of the rhythm, to be translated."""
        return {
            Rhythm.MONTHLY: N_("once a month"),
            Rhythm.QUARTERLY: N_("once a quarter"),
            Rhythm.HALF_YEARLY: N_("once every half year"),
        }[self]

    @property
    def months(self) -> int:
        """The months from one contact to the day the next is due."""
        return {Rhythm.MONTHLY: 1, Rhythm.QUARTERLY: 3, Rhythm.HALF_YEARLY: 6}[self]


TALENT_CLASSES = (("头雁", Rhythm.MONTHLY), ("强雁", Rhythm.QUARTERLY), ("雏雁", Rhythm.HALF_YEARLY))
"""The classes a city begins with, highest first; it may rename, add and retire them."""

PROFESSIONAL_FIELDS = (
    "先进制造",
    "电子信息",
    "人工智能",
    "新材料",
    "新能源",
    "生物医药",
    "现代农业",
    "生态环保",
    "金融",
    "文化创意",
    "教育",
    "医疗卫生",
)
"""The fields a city begins with."""


class CityList(StrEnum):
    """The lists a city keeps of what people are."""

    CLASSES = "classes"
    FIELDS = "fields"

    @property
    def label(self) -> str:
        """The name of the list, to be translated."""
        return {CityList.CLASSES: N_("Classes of talents"), CityList.FIELDS: N_("Fields people work in")}[self]


class ListedAlready(Refused):
    """Two entries of one name cannot be told apart."""

    message = N_("There is “%(name)s” already, perhaps among those no longer given.")
    field = "name"


class NothingWritten(Refused):
    """An entry without a name."""

    message = N_("Please write what it is called.")
    field = "name"


QUIET = timedelta(days=90)
"""For so long a number that was given up rests before a Chinese carrier gives it to somebody else. Whoever proved it
within that time is whoever proves it now."""


class ContactEnd(StrEnum):
    """Why somebody is no longer reached at a number or address."""

    HANDED_OVER = "handed_over"  # it belongs to somebody else now
    REMOVED = "removed"  # it was never right, or is not wanted

    @property
    def label(self) -> str:
        """The words for it, to be translated."""
        return {
            ContactEnd.HANDED_OVER: N_("belongs to somebody else now"),
            ContactEnd.REMOVED: N_("taken off"),
        }[self]


class Degree(StrEnum):
    """The highest degree."""

    DOCTOR = "doctor"
    MASTER = "master"
    BACHELOR = "bachelor"
    COLLEGE = "college"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The name of the degree, to be translated."""
        return {
            Degree.DOCTOR: N_("Doctorate"),
            Degree.MASTER: N_("Master's degree"),
            Degree.BACHELOR: N_("Bachelor's degree"),
            Degree.COLLEGE: N_("College diploma"),
            Degree.OTHER: N_("Other education"),
        }[self]


class Purpose(StrEnum):
    """What something about a person was taken down for. It is not shown for another (PIPL, article 6)."""

    SERVICE = "service"  # what the city and the talent have to do with each other
    RECORD = "record"  # how the record itself came to be what it is
    OVERSIGHT = "oversight"  # who saw what of it
    COURTSHIP = "courtship"  # whom somebody would like to meet: nobody's business at a desk

    @property
    def is_told(self) -> bool:
        """Whether a person's timeline tells it at all."""
        return self is not Purpose.COURTSHIP


@dataclass(frozen=True)
class TimelineEntry:
    """One thing in a person's time with the city, from whichever feature knows it.

    `purpose` is what it was taken down for: without saying that, nothing comes into a timeline. `sentence` is an
    English source sentence, translated when shown, filled with `values`.
    `endpoint` and `arguments` lead to the thing itself, for those who may see it.
    """

    at: datetime
    purpose: Purpose
    kind: str  # "registration", "arrival", "visit", "case", "answer", "consent", "import", "merge", "look": the icon
    key: str  # unique among all entries; with `at` it orders the line
    sentence: str
    values: dict[str, object]
    words: str | None = None
    endpoint: str | None = None
    arguments: dict[str, object] | None = None


class NoName(Refused):
    """A person without a name."""

    message = N_("Please write the name.")
    field = "name"


class InOtherHands(Refused):
    """A number or an address is no longer held by whoever proved it."""

    message = N_("This number or address has changed hands. Please prove that it is yours.")


class NotABirthDate(Refused):
    """A day nobody alive was born on."""

    message = N_("This is not a date of birth. Write 1979-03-19, or 1979-03 if the day is not known.")
    field = "birth"


class NotAnIdentityNumber(Refused):
    """An identity number whose last sign does not fit the others (GB 11643)."""

    message = N_("This identity number is mistyped: its last digit does not fit the others.")
    field = "identity_number"


class NoReason(Refused):
    """What is masked is shown for a reason."""

    message = N_("Please write why you need to see it; the reason is kept.")
    field = "reason"


LOOKS = (Limit(20, timedelta(hours=1)), Limit(60, timedelta(days=1)))
"""How often one account may see something in full: a morning of telephone calls, not a copy of the list."""


class LooksSpent(Refused):
    """Whoever looks at very many numbers in full is copying a list; for that there are exports."""

    message = N_(
        "You have looked at %(hour)s numbers within an hour, or %(day)s within a day; more is not possible. "
        "The next one can be seen from %(free)s. For many people at once, export a list."
    )
    field = "reason"
    status = 429


class ConsentTextMissing(Refused):
    """A text is there in Chinese, which counts, and in English for those who do not read it."""

    message = N_("Please write the text in both languages.")
    status = 422


class ConsentTextUnchanged(Refused):
    """A version that says the same as the last would only make people wonder what is different."""

    message = N_("Nothing is different from version %(version)s, so there is nothing to publish.")


class ConsentAlreadyWithdrawn(Refused):
    """What was taken back cannot be taken back again."""

    message = N_("You have taken this back already.")


class ChangedMeanwhile(Refused):
    """Two people correct one record at once."""

    message = N_("Somebody else changed this record while you were writing. What you typed is still here; compare it.")


class MergedMeanwhile(Refused):
    """The record is not there any more: it went into another one."""

    message = N_("This record was just merged into another one. Look the person up again; nothing was changed.")


class Revealable(StrEnum):
    """What stands masked on a person's page and may be shown in full for a reason."""

    CONTACT = "contact"
    IDENTITY_NUMBER = "identity_number"
    BIRTH = "birth"
    BESIDE = "beside"  # what files said that has no place in the record
    GUARDIAN = "guardian"  # who answers for a child, and their number

    @property
    def label(self) -> str:
        """The name, to be translated."""
        return {
            Revealable.CONTACT: N_("Number or address"),
            Revealable.IDENTITY_NUMBER: N_("Identity number"),
            Revealable.BIRTH: N_("Born"),
            Revealable.BESIDE: N_("What is kept beside the record"),
            Revealable.GUARDIAN: N_("Guardian, and their number"),
        }[self]


@dataclass(frozen=True)
class Through:
    """Through whom somebody came: an ambassador, or a station or liaison office elsewhere; neither: by themselves."""

    account_id: int | None = None
    organisation_id: int | None = None

    @property
    def key(self) -> str:
        """Return how forms and addresses write it: "a12", "s3", or "none" for who came by themselves."""
        if self.account_id is not None:
            return f"a{self.account_id}"
        return f"s{self.organisation_id}" if self.organisation_id is not None else "none"


BY_THEMSELVES = Through()


def through_in(key: str) -> Through:
    """Return what a key says; whatever is none says that somebody came by themselves."""
    found = re.fullmatch(r"([as])([1-9]\d{0,8})", key, re.ASCII)
    if found is None:
        return BY_THEMSELVES
    return Through(account_id=int(found[2])) if found[1] == "a" else Through(organisation_id=int(found[2]))


GUARDED_UNDER = 14
"""Years below which a guardian decides (PIPL, articles 28 and 31)."""


class NeedsGuardian(Refused):
    """A child under 14 is registered by a guardian, with the guardian's own telephone and consent."""

    message = N_(
        "Children under 14 are registered by a guardian, with the guardian's own telephone and consent. "
        "That is done where an event asks for the date of birth."
    )
    field = "birth"
    status = 422


class GuardianMissing(Refused):
    """The guardian's name."""

    message = N_("A child under 14 needs a guardian: please write the guardian's name.")
    field = "guardian"
    status = 422


class GuardianConsentMissing(Refused):
    """The guardian's own yes; the child's does not count."""

    message = N_("Please tick that you are the guardian and agree. Without it we may not register a child under 14.")
    field = "guardian_consent"
    status = 422


def needs_guardian(birth: str | None, today: date) -> bool:
    """Tell whether somebody born then may be under 14 today; a birth known to the year counts as its last day.

    :param birth: ISO, as precise as known: 2014, 2014-03, 2014-03-19; None where it is not known
    """
    if not birth:
        return False
    latest = birth if len(birth) == 10 else f"{birth}-31" if len(birth) == 7 else f"{birth}-12-31"
    fourteen_years_ago = f"{today.year - GUARDED_UNDER:04}{today.isoformat()[4:]}"
    return latest > fourteen_years_ago


class NoConsentText(Refused):
    """Nobody can agree to a text that is not there."""

    message = N_("There is no text to agree to yet. Please ask the administrator.")


NOBODY = "（已删除）"
"""Stands where the name of somebody stood who was erased. Desks are Chinese, and a row of data has one language."""


@lru_cache(maxsize=8192)  # a ledger says the same schools, units and degrees over and over
def normalised_name(text: str) -> str:
    """Return a name so that two ways of writing it compare equal: no white space, one width, one case.

    The middle dot of names (·) has several look-alikes; they become one.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s\u200b\ufeff]+", "", MIDDLE_DOTS.sub("·", plain))


MIDDLE_DOTS = re.compile("[·\u2022\u2027\u30fb\u22c5\u0387]")


IDENTITY_NUMBER = re.compile(r"\d{17}[\dX]")
IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def normalised_identity_number(text: str) -> str:
    """Return an 18-digit identity number in half width and upper case.

    The last sign is checked against the others (GB 11643-1999, ISO 7064 MOD 11-2), and the date must be one.
    :raises NotAnIdentityNumber: if it is mistyped
    """
    plain = text.upper()
    if not (text.isascii() and text.isalnum()):
        plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
    if not IDENTITY_NUMBER.fullmatch(plain):
        raise NotAnIdentityNumber
    total = sum(int(digit) * weight for digit, weight in zip(plain, IDENTITY_WEIGHTS, strict=False))
    try:
        date(int(plain[6:10]), int(plain[10:12]), int(plain[12:14]))
    except ValueError:
        raise NotAnIdentityNumber from None
    if "10X98765432"[total % 11] != plain[-1]:
        raise NotAnIdentityNumber
    return plain


def birth_in(identity_number: str) -> str:
    """Return the date of birth that a checked identity number holds, in ISO form."""
    return f"{identity_number[6:10]}-{identity_number[10:12]}-{identity_number[12:14]}"


def readings_of(name: str) -> str:
    """Return what a name is found by: its likeliest reading first, then every other way to type it.

    «zengguofan cengguofan zgf cgf»: full readings and initials. A surname of several readings (曾 单 仇 查 区)
    is taken in each of them, the reading of surnames first; other characters in their commonest one.
    """
    ways = _ways_to_read(name)
    found = dict.fromkeys(_joined(way) for way in ways)
    initials = (_joined([syllable[:1] for syllable in way]) for way in ways)
    found |= dict.fromkeys(way for way in initials if len(way) > 1)
    return " ".join(found)[:LONGEST_READINGS]


def sound_of(name: str) -> str:
    """Return what a name is sorted by: the beginning of its likeliest reading, syllable by syllable.

    «chen wei» stands before «cheng an»: the surnames do not mix, as in every roll.
    """
    likeliest = next(iter(_ways_to_read(name)), ())
    return " ".join(filter(None, (_joined([syllable]) for syllable in likeliest)))[:LONGEST_SOUND]


@lru_cache(maxsize=4096)
def _ways_to_read(name: str) -> tuple[tuple[str, ...], ...]:
    from pypinyin import Style, pinyin  # noqa: PLC0415 -- 55 MB, which only whoever writes down a name needs

    plain = unicodedata.normalize("NFKC", name).strip()
    if not plain:
        return ()
    surname = SURNAMES.get(plain[:2]) or SURNAMES.get(plain[0])
    length = 2 if plain[:2] in SURNAMES else len(plain.split()[0]) if plain[0].isascii() else 1
    rest = [word for syllables in pinyin(plain[length:], style=Style.NORMAL) for word in syllables[0].lower().split()]
    readings = pinyin(plain[:length], style=Style.NORMAL, heteronym=True)
    firsts = [[reading.lower() for reading in syllables] for syllables in readings]
    ways = [surname.split()] if surname else []
    ways += [[first, *(syllables[0] for syllables in firsts[1:])] for first in firsts[0][:MOST_READINGS]]
    return tuple((*way, *rest) for way in ways)


class Findable(Protocol):
    """What of a person's record decides under which words it is found."""

    name: str
    name_key: str
    pinyin: str
    employer: str | None
    school: str | None
    home_town: str | None
    residence: str | None
    talent_class_id: int | None
    degree: Degree | None
    merged_into_id: int | None
    erased_at: datetime | None
    fields: Sequence["InAField"]


class InAField(Protocol):
    """That somebody works in a field."""

    field_id: int


def words_of_person(person: Findable, places: Collection[str] = ()) -> Iterator[str]:
    """Yield the words a person is found by.

    The name's characters, singly and in pairs; its readings and initials; the pairs of employer, school, home town and
    residence; and what lists are narrowed by. A record that was merged into another or erased has none. `places` are
    the names of the city and of what lies in it (see `is_away`). Whoever changes these, or what words there are, has
    `flask rebuild-search` run.
    """
    if person.merged_into_id is not None or person.erased_at is not None:
        return
    yield from words_of(without_dots(person.name_key), singly=True)
    yield from words_of(person.name)
    yield from (reading[:LONGEST_WORD] for reading in person.pinyin.split())
    yield from words_of(person.employer)
    yield from words_of(person.school)
    yield from words_of(person.home_town)
    yield from words_of(person.residence)
    if person.talent_class_id:
        yield word_for_class(person.talent_class_id)
    if person.degree:
        yield word_for_degree(person.degree)
    for one in person.fields:
        yield word_for_field(one.field_id)
    if is_away(person.home_town, person.residence, places):
        yield WORD_FOR_AWAY


def without_dots(name: str) -> str:
    """Return a name without the dots between its parts: 买买提·艾合 is typed with and without."""
    return MIDDLE_DOTS.sub("", name)


def word_for_class(talent_class_id: int) -> str:
    """Return the word that stands for a class of talents; no text holds its first sign."""
    return f"={talent_class_id}"


def word_for_degree(degree: Degree) -> str:
    """Return the word that stands for a degree; no text holds its first sign."""
    return f"={degree}"


def word_for_field(field_id: int) -> str:
    """Return the word that stands for a field people work in; no text holds its first sign."""
    return f"=field{field_id}"


WORD_FOR_AWAY = "=away"
"""Stands for those who come from the city and live elsewhere; no text holds its first sign."""


def is_away(home_town: str | None, residence: str | None, places: Collection[str]) -> bool:
    """Tell whether somebody comes from the city and lives and works elsewhere (在外人才).

    :param places: the city's name and those of its counties and districts, as they are written in full (清江县)
    """
    stems = [stem if len(stem := place.rstrip("市县区")) > 1 else place for place in places]

    def lies_here(text: str) -> bool:
        return any(stem in text for stem in stems)

    return bool(home_town and residence) and lies_here(home_town) and not lies_here(residence)


def _joined(syllables: Iterable[str]) -> str:
    return "".join(sign for sign in "".join(syllables) if sign.isalnum())


MOST_READINGS = 4
LONGEST_SOUND = 24
LONGEST_READINGS = 400
SURNAMES = {
    "曾": "zeng",
    "单": "shan",
    "仇": "qiu",
    "查": "zha",
    "区": "ou",
    "解": "xie",
    "盖": "ge",
    "朴": "piao",
    "任": "ren",
    "华": "hua",
    "尉": "wei",
    "乐": "yue",
    "翟": "zhai",
    "缪": "miao",
    "折": "she",
    "种": "chong",
    "员": "yun",
    "覃": "qin",
    "宓": "mi",
    "洗": "xian",
    "冼": "xian",
    "秘": "bi",
    "繁": "po",
    "黑": "he",
    "逄": "pang",
    "尉迟": "yu chi",
    "万俟": "mo qi",
    "长孙": "zhang sun",
    "单于": "chan yu",
    "澹台": "tan tai",
    "欧阳": "ou yang",
    "司马": "si ma",
    "上官": "shang guan",
    "诸葛": "zhu ge",
    "夏侯": "xia hou",
    "皇甫": "huang fu",
    "令狐": "ling hu",
}
