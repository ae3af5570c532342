"""The languages of the console: words from catalogues, and dates, numbers and lists in the manner of each.

Rules of this file:

- A message is its English text; a catalogue (``locale/ja.po``, ``locale/ko.po``) has it in another language. What a
  catalogue does not know is shown in English, and says that it is English.
- An instant is shown in the zone of the house, which is named; a date is written as the language writes dates.
- What people wrote themselves (marks, names, titles) does not pass through here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import cache

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit
from markupsafe import Markup

from comity.console.catalogues import CODES, CONTEXT, Code, catalogue
from comity.console.phrases import meaning, phrase
from comity.decision.wording.articles import article

NAMES: Mapping[Code, str] = {"en": "English", "ja": "日本語", "ko": "한국어"}
"""What each language calls itself."""
DATE_FORM: Mapping[Code, str] = {"en": "d MMMM y", "ja": "y年M月d日", "ko": "y년 M월 d일"}
SIZES = (("digital-gigabyte", 10**9), ("digital-megabyte", 10**6), ("digital-kilobyte", 10**3))
LANGUAGE_COOKIE = "comity-language"
"""Where a browser keeps the language that was chosen in it before anybody signed in."""


def N_(text: str) -> str:  # noqa: N802 - the name by which catalogues are made
    """Mark a message for the catalogues; it is translated where it is shown."""
    return text


class Language:
    """How the console speaks in one language.

    Args:
        code: which.
        zone: in which zone instants are shown.
    """

    def __init__(self, code: Code, zone: tzinfo) -> None:
        self.code = code
        self.zone = zone
        self._locale = _locale(code)
        self._messages = catalogue(code)

    def knows(self, text: str) -> bool:
        """Whether a message is there in this language."""
        return self.code == "en" or text in self._messages

    def message(self, text: str) -> str:
        """A message as its catalogue has it, with the places in it still open, as in ``%(name)s``."""
        return self._messages.get(text, (text,))[0]

    def form(self, one: str, many: str, number: int) -> str:
        """The form of a message that a number asks for, likewise."""
        forms = self._messages.get(one, (one, many))
        return forms[0] if number == 1 or len(forms) == 1 else forms[1]

    def in_context(self, context: str, text: str) -> str:
        """A message whose English text alone would mean several things, likewise."""
        return self._messages.get(context + CONTEXT + text, (text,))[0]

    def say(self, text: str, /, **given: object) -> str:
        """A message, with what is given put in its places."""
        return self.message(text) % given

    __call__ = say

    def count(self, one: str, many: str, number: int, /, **given: object) -> str:
        """A message that depends on a number, which is ``%(num)s`` in it."""
        return self.form(one, many, number) % {"num": self.number(number), **given}

    def date(self, day: date) -> str:
        """A date; of an instant, the date that it has in the zone of the house."""
        local = day.astimezone(self.zone) if isinstance(day, datetime) else day
        return format_date(local, DATE_FORM[self.code], locale=self._locale)

    def time(self, at: datetime) -> str:
        """The time of day of an instant, with minutes."""
        return format_time(at.astimezone(self.zone), "HH:mm", locale=self._locale)

    def instant(self, at: datetime) -> str:
        """An instant: date, time and zone."""
        local = at.astimezone(self.zone)
        written = format_datetime(local, f"{DATE_FORM[self.code]} HH:mm", locale=self._locale)
        return f"{written} {local.tzname()}"

    def exact(self, at: datetime) -> str:
        """An instant with seconds."""
        local = at.astimezone(self.zone)
        written = format_datetime(local, f"{DATE_FORM[self.code]} HH:mm:ss", locale=self._locale)
        return f"{written} {local.tzname()}"

    def since(self, span: timedelta) -> str:
        """How long, in the largest unit that fits."""
        return format_timedelta(span, locale=self._locale)

    def dated(self, written: str) -> str:
        """A day or an instant as flows write it (ISO 8601); anything else as it is."""
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            return written
        if len(written) == len("2026-12-01"):
            return self.date(at.date())
        if at.tzinfo is not None:
            return self.exact(at) if at.second or at.microsecond else self.instant(at)
        return format_datetime(at, f"{DATE_FORM[self.code]} HH:mm", locale=self._locale)  # its zone stands beside it

    def article(self, clause: str) -> str:
        """A clause as the language cites it."""
        return article(clause, self.code)

    def number(self, number: float) -> str:
        """A number with its groups of digits."""
        return format_decimal(number, locale=self._locale)

    def size(self, count: int) -> str:
        """A number of bytes, in the largest unit that fits."""
        for unit, worth in SIZES:
            if count >= worth:
                return format_unit(round(count / worth, 1), unit, length="short", locale=self._locale)
        return format_unit(count, "digital-byte", locale=self._locale)

    def listed(self, words: Sequence[str]) -> str:
        """Several things, as a sentence lists them."""
        return format_list(list(words), locale=self._locale)

    def told(self, text: str, error: str = "") -> Markup:
        """What a flow said in English: in this language where it is known, else in English, and marked as such.

        Of an error with a code (``error``) whose own words are not known it is said what the code means, and then what
        the flow said.
        """
        known = phrase(text, self.code, self.dated)
        if known is not None:
            return Markup("{}").format(known)
        english = Markup('<span lang="en">{}</span>').format(text)
        means = meaning(error, self.code)
        return english if means is None else Markup("{} ({})").format(means, english)


@cache
def _locale(code: Code) -> Locale:
    return Locale.parse(code)


def chosen_language(cookie: str | None, header: str) -> Code:
    """The language that was chosen in a browser, else the one that it asks for."""
    return known_code(cookie) or asked(header)


def known_code(word: str | None) -> Code | None:
    """A language of the console by its code; None for anything else."""
    return next((code for code in CODES if code == word), None)


def asked(header: str) -> Code:
    """The language that a browser asks for first among those there are (RFC 9110, 12.5.4); English if none."""
    wanted: list[tuple[float, int, Code]] = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        code = tag.split("-")[0].lower()
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        known = known_code(code)
        if known is not None and quality > 0:
            wanted.append((-quality, place, known))
    return min(wanted)[2] if wanted else "en"
