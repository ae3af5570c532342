"""Dates as short as a picture needs them, in the manner of a language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from babel.dates import format_datetime

from comity.console.catalogues import Code
from comity.console.languages import Language
from comity.console.pictures.axis import Precision, Say

_FORMS: Mapping[Code, Mapping[Precision, str]] = {
    "en": {"year": "y", "month": "MMM y", "day": "d MMM y", "hour": "HH:mm", "minute": "d MMM y HH:mm"},
    "ja": {"year": "y年", "month": "y年M月", "day": "y年M月d日", "hour": "HH:mm", "minute": "y年M月d日 HH:mm"},
    "ko": {"year": "y년", "month": "y년 M월", "day": "y년 M월 d일", "hour": "HH:mm", "minute": "y년 M월 d일 HH:mm"},
}


def sayer(words: Language) -> Say:
    """How a picture writes instants for a reader, in the zone of the house."""

    def say(at: datetime, precision: Precision) -> str:
        if precision == "zone":
            return at.astimezone(words.zone).tzname() or str(words.zone)
        form = _FORMS[words.code][precision]
        return format_datetime(at, form, tzinfo=words.zone, locale=words.code)

    return say
