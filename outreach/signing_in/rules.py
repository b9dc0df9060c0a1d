"""Limits, the form of codes, links and passwords, and what is refused."""

import re
import secrets
import unicodedata
from datetime import datetime, timedelta
from enum import StrEnum

from outreach.kernel.limits import Limit
from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_


class AttemptKind(StrEnum):
    """What was attempted, and what the key of the attempt stands for."""

    PASSWORD = "password"  # noqa: S105 -- the name of a kind, not a password; key: an account, or a name nobody has
    PASSWORD_FROM = "password_from"  # noqa: S105 -- likewise; key: the address of the machine
    CODE_SENT = "code_sent"  # key: a number or mail address
    CODE_SENT_FROM = "code_sent_from"
    CODE_TRIED = "code_tried"
    CODE_TRIED_FROM = "code_tried_from"
    LINK_FROM = "link_from"
    NAME_TRIED = "name_tried"  # key: a number or mail address; whose data are behind it is asked for by name

    @property
    def label(self) -> str:
        """The kind itself; it is not shown to people."""
        return self.value


# Hard: what one number may cost its owner. A person who mistypes asks again after a minute.
BETWEEN_CODES = timedelta(seconds=60)
SENT_TO_ONE_NUMBER = (Limit(1, BETWEEN_CODES), Limit(5, timedelta(hours=1)), Limit(10, timedelta(days=1)))
TRIED_FOR_ONE_NUMBER = (Limit(10, timedelta(hours=1)),)
NAMES_FOR_ONE_NUMBER = (Limit(5, timedelta(hours=1)), Limit(10, timedelta(days=1)))
# Soft: a whole hall shares one address, and so do all phones of one mobile network's gateway.
SENT_FROM_ONE_ADDRESS = (Limit(200, timedelta(hours=1)),)
TRIED_FROM_ONE_ADDRESS = (Limit(600, timedelta(hours=1)),)
PASSWORDS_FROM_ONE_ADDRESS = (Limit(100, timedelta(minutes=15)),)
LINKS_FROM_ONE_ADDRESS = (Limit(60, timedelta(minutes=15)),)

FREE_FAILURES = 5
LONGEST_WAIT = timedelta(minutes=15)
FAILURES_COUNT_FOR = timedelta(hours=12)
ATTEMPTS_ARE_KEPT = timedelta(days=2)

CODE_DIGITS = 6
CODE_LASTS = timedelta(minutes=10)
TRIES_PER_CODE = 5

LINK_LASTS = timedelta(days=14)
WAY_IN_LASTS = timedelta(hours=12)
"""A link of this morning's mail is worth nothing tomorrow."""
TRUST_LASTS = timedelta(days=90)
"""A browser that was last signed in on by password longer ago is a stranger again."""
LINK_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that paper confuses: no 0 o, 1 i l
LINK_LENGTH = 16  # 79 bits

LINKS_ON_A_SHEET = 200

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
FEWEST_DIFFERENT_SIGNS = 5


class NotSignedIn(Refused):
    """One answer for a wrong password, an unknown name, a closed account and one not activated yet."""

    message = N_("That name and password do not belong together.")
    field = "password"
    status = 422


class AccountRests(Refused):
    """Too many wrong passwords for one account."""

    message = N_("Too many wrong passwords for this name. Try again in %(minutes)s min, or ask for a new link.")
    field = "password"
    status = 429


class AddressRests(Refused):
    """Too many failures from one machine or one network."""

    message = N_("Too many attempts from this network. Please wait a quarter of an hour.")
    status = 429


class PasswordWrong(Refused):
    """The present password, asked for before it is changed."""

    message = N_("This is not your present password.")
    field = "present"
    status = 422


class PasswordTooShort(Refused):
    """Length is what makes a password hard to guess."""

    message = N_("Please use at least %(least)s characters; a short sentence is easy to remember.")
    field = "password"
    status = 422


class PasswordTooPlain(Refused):
    """aaaaaaaaaa and 1212121212 are the first to be tried."""

    message = N_("This password repeats itself too much. Please use at least %(least)s different characters.")
    field = "password"
    status = 422


class PasswordTellsItself(Refused):
    """What everybody knows of somebody is the first to be tried."""

    message = N_("Your name or number is in this password; that is tried first. Please choose another one.")
    field = "password"
    status = 422


class LinkSpent(Refused):
    """Used, replaced by a newer one, run out, or never made: the answer does not say which."""

    message = N_("This link is no longer valid. Ask your administrator for a new one.")
    status = 410


class NotTrustedHere(Refused):
    """A link that was used or has run out, or a device nobody signed in on: the answer does not say which."""

    message = N_("This link signs in once, on the day it was sent, and only on a device on which you signed in before.")
    status = 410


class CodeOnItsWay(Refused):
    """A code was sent a moment ago."""

    message = N_("A code is on its way. You can ask for another one in %(seconds)s s.")
    field = "number"
    status = 429


class CodesSpent(Refused):
    """A number has been sent as many codes as it may be."""

    message = N_("This number has been sent too many codes. Please try again in %(minutes)s min.")
    field = "number"
    status = 429


class NetworkBusy(Refused):
    """Very many codes were asked for from one network."""

    message = N_("Very many codes were asked for from this network. Please try again in %(minutes)s min.")
    field = "number"
    status = 429


class CodeWrong(Refused):
    """Not the code that was sent."""

    message = N_("This is not the code we sent. Tries left: %(left)s.")
    field = "code"
    status = 422


class CodeSpent(Refused):
    """The code was tried too often, is too old or was used."""

    message = N_("This code is no longer valid. Please ask for a new one.")
    field = "code"
    status = 422


class TriesSpent(Refused):
    """Guessed in a loop."""

    message = N_("Too many wrong codes for this number. Please try again in %(minutes)s min.")
    field = "code"
    status = 429


class NotKnownHere(Refused):
    """The sentence tells nothing of who is."""

    message = N_("Nobody of this name is known at this number. Write the full name as it was given when registering.")
    field = "name"
    status = 422


class NamesSpent(Refused):
    """Guessed: whoever holds a number that was somebody else's does not know whose."""

    message = N_("Too many wrong names for this number. Please try again in %(minutes)s min, or ask the office.")
    field = "name"
    status = 429


def wait_after(failures: int) -> timedelta:
    """Return how long an account rests after so many failures in a row: nothing up to five, then 1, 2, 4 … 15 min."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    return min(timedelta(minutes=2 ** (failures - FREE_FAILURES)), LONGEST_WAIT)


def seconds_until(moment: datetime, now: datetime) -> int:
    """Return the whole seconds until a moment, none if it is past."""
    return max(0, -(-int((moment - now) / timedelta(milliseconds=1)) // 1000))


def fresh_code() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def plain_code(text: str) -> str:
    """Return the digits of a code as it was typed, full-width ones made plain."""
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text))


def fresh_link() -> str:
    """Return the secret of a one-time link, short enough to be typed from paper."""
    return "".join(secrets.choice(LINK_SIGNS) for _ in range(LINK_LENGTH))


def fresh_secret() -> str:
    """Return the secret of a browser or of a link that nobody types."""
    return secrets.token_urlsafe(24)


def plain_link(text: str) -> str:
    """Return the secret of a link as it was typed from paper."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).lower()


def check_password(password: str, *, known: tuple[str, ...]) -> None:
    """Refuse a password that is guessed first; `known` is what others know: name, username, number.

    :raises PasswordTooShort: under ten characters
    :raises PasswordTooPlain: with fewer than five different characters
    :raises PasswordTellsItself: if it holds what is known
    """
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort(least=SHORTEST_PASSWORD)
    if len(set(password)) < FEWEST_DIFFERENT_SIGNS:
        raise PasswordTooPlain(least=FEWEST_DIFFERENT_SIGNS)
    folded = password.casefold()
    if any(len(word) > 2 and word.casefold() in folded for word in known):
        raise PasswordTellsItself
