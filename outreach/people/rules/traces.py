"""What tells one person in free words: found and struck out where words are about several people."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

STRUCK = "—"


@dataclass(frozen=True)
class Traces:
    """A person's names, numbers, addresses and identity number, as they may stand in somebody's words."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    """Numbers in E.164 form, mail addresses and identity numbers."""

    @cached_property
    def _anything(self) -> re.Pattern[str] | None:
        ways = [_as_written(number) for number in self.numbers if number] + [
            _called(name) for name in self.names if name
        ]
        return re.compile("|".join(f"(?:{way})" for way in ways), re.IGNORECASE) if ways else None

    @cached_property
    def _certain(self) -> re.Pattern[str] | None:
        ways = [_as_written(number) for number in self.numbers if number]
        return re.compile("|".join(f"(?:{way})" for way in ways), re.IGNORECASE) if ways else None

    def struck_from(self, text: str) -> str:
        """Return words without the person: each trace becomes a dash."""
        return self._anything.sub(STRUCK, text) if self._anything else text

    def stands_in(self, texts: Iterable[object]) -> bool:
        """Tell whether a trace stands in any of these."""
        return self._anything is not None and any(self._anything.search(str(text)) for text in texts)

    def certainly_stands_in(self, texts: Iterable[object]) -> bool:
        """Tell whether a number, an address or an identity number stands there: a name alone may be somebody else's."""
        return self._certain is not None and any(self._certain.search(str(text)) for text in texts)


def _called(name: str) -> str:
    """Return how a name is found: with spaces between its signs too, and a Latin one only as whole words."""
    signs = [re.escape(sign) for sign in name if not sign.isspace()]
    if name.isascii():
        return r"\b" + r"\s+".join(re.escape(word) for word in name.split()) + r"\b"
    return r"\s*".join(signs)


def _as_written(number: str) -> str:
    """Return how a number is found: with or without the country, in groups or not."""
    national = number.removeprefix("+86")
    if not national.lstrip("+").isdigit():
        return re.escape(national)
    return r"(?<!\d)" + r"[\s-]?".join(re.escape(sign) for sign in national) + r"(?!\d)"
