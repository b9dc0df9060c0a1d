"""What of a ledger's own columns stands masked: a city writes what it likes there, so heading and value tell."""

import re

_WHERE_THEY_LIVE = re.compile(r"地址|住址|住所|住处|address", re.IGNORECASE)
_WHO_THEY_ARE = re.compile(r"identity|身份证|证件|护照|passport", re.IGNORECASE)
_WHEN_BORN = re.compile(r"birth|出生|生日|born", re.IGNORECASE)
_HOW_REACHED = re.compile(r"^(phone|email)$|电话|手机|微信|联系方式|邮箱|qq", re.IGNORECASE)
_UP_TO_THE_DISTRICT = re.compile(r"^.{0,20}?(?:区|县|旗|市(?!.{0,8}[区县]))")
_NUMBER = re.compile(r"\d[\d\s-]{5,}\d[xX]?")
_DAYS_AND_YEARS = re.compile(r"(?:19|20)\d\d(?:-\d{1,2}){1,2}|(?:19|20)\d\d\s*-\s*(?:19|20)\d\d")
_MAIL = re.compile(r"([\w.+-])[\w.+-]*[@＠]([\w.-]+)")


def masked_beside(of: str, text: str) -> str:
    """Return what a file said of somebody as a page shows it before a reason is given.

    Of a home the district stays, of a birth the year, of a paper's number the last two signs, of what reaches them the
    first three; in any other words every longer number and every mail address is masked.

    :param of: the field the value was meant for, or the heading it stood under
    """
    if _WHO_THEY_ARE.search(of):
        return f"****{text[-2:]}" if len(text) > 4 else "****"
    if _WHEN_BORN.search(of):
        year = re.match(r"\d{4}(?!\d)", text)
        return f"{year[0]}-**" if year else "****"
    if _WHERE_THEY_LIVE.search(of) and "@" not in text:
        district = _UP_TO_THE_DISTRICT.match(text)
        return f"{district[0] if district else text[:2]}****"
    if _HOW_REACHED.search(of) and "@" not in text:
        return f"{text[:3]}****"
    return _MAIL.sub(r"\1***@\2", _NUMBER.sub(_masked_number, text))


def _masked_number(found: re.Match[str]) -> str:
    return found[0] if _DAYS_AND_YEARS.fullmatch(found[0].strip()) else f"{found[0][:3]}****"
