"""Numbers and addresses as people type them and spreadsheets spoil them, in one normal form. Pure."""

import re
import unicodedata

import phonenumbers

from outreach.kernel.refusals import Refused
from outreach.kernel.wording import N_

CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")
PLAIN_MOBILE = re.compile(r"1[3-9][0-9]{9}")
SCIENTIFIC = re.compile(r"(?P<first>\d)(\.(?P<decimals>\d+))?[eE]\+?(?P<exponent>\d+)")
EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?(?:\.[a-z0-9-]{2,63})+")
LONGEST_EMAIL = 254


class NotAPhone(Refused):
    """A number that no mobile phone has."""

    message = N_("This is not a mobile number. In China it has 11 digits; abroad it begins with + and the country.")
    field = "phone"
    status = 422


class PhoneShortened(NotAPhone):
    """A spreadsheet turned the number into 1.9908E+10: its last digits are gone."""

    message = N_("A spreadsheet has shortened this number to %(text)s: its last digits are lost.")


class PhoneLengthWrong(NotAPhone):
    """Digits that begin like a mobile number, but too many or too few."""

    message = N_("A mobile number has 11 digits, this one has %(digits)s.")


class NotAnEmail(Refused):
    """An address that no mail reaches."""

    message = N_("This is not an e-mail address. It looks like name@example.com.")
    field = "email"
    status = 422


def normalised_phone(text: str) -> str:
    """Return a mobile number in E.164, "+8619908000036", however it was typed or a spreadsheet kept it.

    Full width, spaces, dashes, 86 and 0086 are understood, and the decimal of a number cell (19908000036.0). A number
    without + and country is China's; those must be mobile numbers (11 digits from 13 to 19).

    :raises PhoneShortened: for 1.9908E+10
    :raises PhoneLengthWrong: for digits that begin like a mobile number but are too many or too few
    :raises NotAPhone: for anything else that is none; the base of the two above
    """
    if PLAIN_MOBILE.fullmatch(text):  # nearly all of a long list
        return f"+86{text}"
    plain = _whole(unicodedata.normalize("NFKC", text).strip())
    digits = re.sub(r"\D", "", plain)
    national = re.sub(r"^(?:00)?86(?=1)", "", digits)
    abroad = plain.startswith("+") and not digits.startswith("86")  # +1 650 253 0000 has eleven digits too
    if CHINESE_MOBILE.fullmatch(national) and not abroad:
        return f"+86{national}"
    try:
        number = phonenumbers.parse(plain, "CN")
    except phonenumbers.NumberParseException:
        raise NotAPhone from None
    if number.country_code == 86 and re.match("1[3-9]", national):
        raise PhoneLengthWrong(digits=len(national))
    if number.country_code == 86 or not phonenumbers.is_valid_number(number):
        raise NotAPhone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalised_email(text: str) -> str:
    """Return an address in lower case and half width.

    :raises NotAnEmail: if it cannot be one
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if len(plain) > LONGEST_EMAIL or not EMAIL.fullmatch(plain):
        raise NotAnEmail
    return plain


def _whole(plain: str) -> str:
    scientific = SCIENTIFIC.fullmatch(plain)
    if scientific is None:
        return re.sub(r"(?<=\d{7})\.0+$", "", plain)
    if len(scientific["decimals"] or "") != int(scientific["exponent"]):
        raise PhoneShortened(text=plain)
    return scientific["first"] + (scientific["decimals"] or "")
