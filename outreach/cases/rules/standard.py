"""Answers that a unit gives again and again, and the documents they rest on (常用答复与依据). Pure."""

import re
from dataclasses import dataclass

from outreach.cases.rules.asking import Topic
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

LONGEST_TITLE = 120
LONGEST_DOCUMENT = 200
LONGEST_NUMBER = LONGEST_ARTICLE = 80
LONGEST_LINK = 500
WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)


class StandardTitleMissing(Refused):
    """It is chosen by its title."""

    message = N_("Give it a title by which your colleagues find it.")
    field = "title"


class NothingToTakeOver(Refused):
    """A standard answer has words, or a document, or both."""

    message = N_("Write the words, or name a document, or both.")
    field = "text"


class DocumentMissing(Refused):
    """A number, an article or a link belongs to a document."""

    message = N_("Name the document this belongs to.")
    field = "document"


class LinkOfAnotherKind(Refused):
    """A link of another kind could run a script in the reader's browser."""

    message = N_("A link begins with https:// or http://.")
    field = "link"


class LinkOfNoRule(Refused):
    """The person is shown a link as the place where the rule can be read."""

    message = N_("Name the rule that can be read there.")
    field = "rule"


class StandardChangedMeanwhile(Refused):
    """Two people wrote at once."""

    message = N_("A colleague changed this meanwhile. What you typed is still here: open the page again and compare.")


class StandardUnknown(Refused):
    """Only what the units of the request keep, and have not retired, can be taken over."""

    message = N_("This standard answer is not there any more.")


@dataclass(frozen=True)
class StandardText:
    """What is kept: words, and the document they rest on; either may be missing, not both. No topic is every topic."""

    title: str
    topic: Topic | None = None
    text: str = ""
    document: str | None = None  # its title, without 《》
    number: str | None = None  # 文号
    article: str | None = None  # 第几条
    link: str | None = None


def check_link(link: str | None) -> None:
    """Pass if there is no link, or one to a page of the web.

    :raises LinkOfAnotherKind: otherwise
    """
    if link and not WEB_ADDRESS.fullmatch(link):
        raise LinkOfAnotherKind


def check(kept: StandardText) -> None:
    """Pass if it can be chosen and taken over.

    :raises StandardTitleMissing: without a title
    :raises NothingToTakeOver: without words and without a document
    :raises DocumentMissing: if a number, an article or a link belongs to no document
    :raises LinkOfAnotherKind: if the link is no web address
    """
    if not kept.title:
        raise StandardTitleMissing
    if not kept.document and (kept.number or kept.article or kept.link):
        raise DocumentMissing
    if not (kept.text or kept.document):
        raise NothingToTakeOver
    check_link(kept.link)


def cited(kept: StandardText) -> str | None:
    """Return the document as an answer cites it: «《…办法》（雁人社发〔2025〕8 号）第六条»; None without one."""
    if not kept.document:
        return None
    name = kept.document if kept.document.startswith("《") else f"《{kept.document}》"
    return f"{name}{f'（{kept.number}）' if kept.number else ''}{kept.article or ''}"
