"""What requests are about, where they come from, and how ledgers name both."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class Topic(StrEnum):
    """What a request is about (三后 and 关键小事)."""

    HOUSING = "housing"
    RESIDENCE = "residence"
    SCHOOLING = "schooling"
    SPOUSE = "spouse"
    MEDICAL = "medical"
    INSURANCE = "insurance"
    PROJECT = "project"
    FINANCE = "finance"
    PLATFORM = "platform"
    HIRING = "hiring"
    POLICY = "policy"
    ADVICE = "advice"  # 问策: needs an answer as much as a request does
    OTHER = "other"

    @property
    def label(self) -> str:
        """The name of the topic, to be translated."""
        return TOPICS[self]


TOPICS = {
    Topic.HOUSING: N_("Housing"),
    Topic.RESIDENCE: N_("Household registration"),
    Topic.SCHOOLING: N_("Schooling of children"),
    Topic.SPOUSE: N_("Work for the spouse"),
    Topic.MEDICAL: N_("Medical care"),
    Topic.INSURANCE: N_("Social insurance"),
    Topic.PROJECT: N_("Project applications"),
    Topic.FINANCE: N_("Financing"),
    Topic.PLATFORM: N_("Research facilities"),
    Topic.HIRING: N_("Hiring"),
    Topic.POLICY: N_("Policy advice"),
    Topic.ADVICE: N_("A suggestion"),
    Topic.OTHER: N_("Something else"),
}


class CaseSource(StrEnum):
    """Where a request came from."""

    VISIT = "visit"
    MINUTES = "minutes"
    FEEDBACK = "feedback"
    SURVEY = "survey"
    PUBLIC_FORM = "public_form"
    PHONE = "phone"
    OFFICIAL = "official"
    IMPORT = "import"

    @property
    def label(self) -> str:
        """The name of the source, to be translated."""
        return CASE_SOURCES[self]


CASE_SOURCES = {
    CaseSource.VISIT: N_("a visit"),
    CaseSource.MINUTES: N_("the minutes of an event"),
    CaseSource.FEEDBACK: N_("a feedback form"),
    CaseSource.SURVEY: N_("a survey"),
    CaseSource.PUBLIC_FORM: N_("the public form"),
    CaseSource.PHONE: N_("a telephone call"),
    CaseSource.OFFICIAL: N_("an official's hand"),
    CaseSource.IMPORT: N_("an earlier ledger"),
}


UNIT_WORDS: dict[Topic, tuple[str, ...]] = {
    Topic.HOUSING: ("住建", "住房"),
    Topic.RESIDENCE: ("公安",),
    Topic.SCHOOLING: ("教育",),
    Topic.SPOUSE: ("人社", "人力资源"),
    Topic.MEDICAL: ("卫健", "卫生健康", "医保"),
    Topic.INSURANCE: ("人社", "人力资源"),
    Topic.PROJECT: ("科技", "科学技术"),
    Topic.FINANCE: ("金融",),
    Topic.PLATFORM: ("科技", "科学技术"),
    Topic.HIRING: ("人社", "人力资源"),
}
"""What the name of the unit that usually handles a topic contains; a topic that is not here stays with the intake desk
(policy advice, suggestions, everything else)."""


def suggested_unit(topic: Topic, names: Sequence[str]) -> int | None:
    """Return the place, in a list of units' names, of the one that usually handles a topic; None if none does.

    It is only proposed: nothing is routed before a person has saved it.
    """
    for word in UNIT_WORDS.get(topic, ()):
        for place, name in enumerate(names):
            if word in name:
                return place
    return None


LONGEST_TITLE = 40


def title_of(words: str) -> str:
    """Return a title for what somebody said: the first sentence, or as much of it as fits, in one line."""
    line = " ".join(words.split())
    first = re.split(r"(?<=[。！？!?；;])|(?<=\.)\s", line, maxsplit=1)[0].rstrip("。；;. ")
    first = first or line
    return first if len(first) <= LONGEST_TITLE else first[: LONGEST_TITLE - 1].rstrip("，、, ") + "…"


TOPIC_SAID: tuple[tuple[str, Topic], ...] = (
    ("住房", Topic.HOUSING),
    ("公寓", Topic.HOUSING),
    ("安居", Topic.HOUSING),
    ("落户", Topic.RESIDENCE),
    ("户口", Topic.RESIDENCE),
    ("户籍", Topic.RESIDENCE),
    ("子女", Topic.SCHOOLING),
    ("入学", Topic.SCHOOLING),
    ("教育", Topic.SCHOOLING),
    ("配偶", Topic.SPOUSE),
    ("家属", Topic.SPOUSE),
    ("医疗", Topic.MEDICAL),
    ("医保", Topic.MEDICAL),
    ("就医", Topic.MEDICAL),
    ("社保", Topic.INSURANCE),
    ("社会保险", Topic.INSURANCE),
    ("项目", Topic.PROJECT),
    ("申报", Topic.PROJECT),
    ("融资", Topic.FINANCE),
    ("贷款", Topic.FINANCE),
    ("资金", Topic.FINANCE),
    ("平台", Topic.PLATFORM),
    ("科研", Topic.PLATFORM),
    ("仪器", Topic.PLATFORM),
    ("用工", Topic.HIRING),
    ("招聘", Topic.HIRING),
    ("招工", Topic.HIRING),
    ("政策", Topic.POLICY),
    ("建议", Topic.ADVICE),
    ("问策", Topic.ADVICE),
    ("其他", Topic.OTHER),
    ("其它", Topic.OTHER),
)
"""Words by which ledgers name a topic, the surest first."""


def topic_said(text: str) -> Topic | None:
    """Return the topic that a ledger's word names; None if it names none."""
    return next((topic for word, topic in TOPIC_SAID if word in text), None)


@dataclass(frozen=True)
class Origin:
    """Where a request was made, for those who may go there: a sentence to be translated, and a page."""

    sentence: str
    values: dict[str, object]
    endpoint: str
    arguments: dict[str, object]


CODE_SIGNS = 8
"""The last signs of the secret link in every message about a request, by which whoever has no link finds it again."""


class FoundByNobody(Refused):
    """One sentence for a number that does not exist and for a code that does not fit: neither tells of the other."""

    message = N_("Number and code do not fit together. Both stand in the message we sent you.")
    field = "code"


def request_number(typed: str) -> str | None:
    """Return a request's number as it is kept («2026-0418»), however it was typed; None for what is no number."""
    parts = re.fullmatch(r"(\d{4})\D{0,2}(\d{4,7})", unicodedata.normalize("NFKC", typed).strip(), re.ASCII)
    return f"{parts[1]}-{parts[2]}" if parts else None
