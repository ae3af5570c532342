"""Calendar arithmetic for a term: written dates, periods, anniversaries and the last day for a notice.

Rules of this file (``spec/term.md`` steps 2 to 4):

- Time zones are an argument and carry the version of the database they come from; nothing here reads a file.
- What a source wrote has the precision it was written with: a month, a day, a minute. It becomes a window, from the
  earliest to the latest instant it can mean, and is never silently sharpened.
- Years and months count on the calendar of the zone the agreement names, always from the first day, so that an
  anniversary of 29 February does not drift.
- How days are counted back from a renewal is a named rule, because texts leave it open:

    >>> last_day_for_notice(date(2019, 11, 23), "P90D", "before-anniversary")
    datetime.date(2019, 8, 25)
    >>> last_day_for_notice(date(2019, 11, 23), "P90D", "before-last-day")
    datetime.date(2019, 8, 24)
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from comity.agreement.model import PERIOD_PATTERN
from comity.errors import Misuse, Rejected

LAST_MOMENT_OF_DAY = timedelta(seconds=1)
"""A day ends one second before the next; sources never write anything finer."""
COUNTING_RULES: Mapping[str, int] = {
    "before-last-day": -1,
    "before-anniversary": 0,
    "both-days-count": 1,
}
"""Days to add to (anniversary - period) to find the last day for a notice.

``before-last-day`` counts back from the last day of the running year, ``before-anniversary`` from the day of renewal
itself, and ``both-days-count`` counts the day of the notice and the day of renewal as days of the period.
"""

PERIODS_REMEMBERED_MAX = 256
"""Periods that need not be read again: an agreement has a few."""

_MONTHS_AND_DAYS = {"Y": (12, 0), "M": (1, 0), "D": (0, 1)}
_FORM_PRECISION = {
    len("2011-01"): "month",
    len("2011-01-10"): "day",
    len("2019-11-22T18:00"): "minute",
}


class TimeZones(msgspec.Struct, frozen=True):
    """The zones an evaluation may use, and the version of the database they were read from.

    Attributes:
        version: IANA version, such as ``2026f``; recorded in every result.
        zones: zone by IANA name.
    """

    version: str
    zones: Mapping[str, ZoneInfo]

    def zone(self, name: str) -> ZoneInfo:
        """The zone called ``name``.

        Raises:
            Rejected: it was not supplied, or is not in the database.
        """
        if name not in self.zones:
            raise Rejected(
                f"time zone {name!r} is not among those supplied from database {self.version}",
                code="unknown-zone",
            )
        return self.zones[name]


class Window(msgspec.Struct, frozen=True):
    """When something happened, as exactly as it was written: both ends are inclusive and in UTC."""

    earliest: datetime
    latest: datetime
    precision: str


def window(written: str, zone: ZoneInfo) -> Window:
    """What ``2011-01``, ``2011-01-10`` or ``2019-11-22T18:00`` can mean in ``zone``.

    Raises:
        Rejected: it has another form, is no date, or names a local time that the zone skipped or had twice; or the
            calendar ends there.
    """
    try:
        return _window(written, zone)
    except OverflowError:
        raise Rejected(f"{written!r} is at the end of the calendar; name a day within it", code="bad-date") from None


def _window(written: str, zone: ZoneInfo) -> Window:
    precision = _FORM_PRECISION.get(len(written), "")
    try:
        moment = datetime.fromisoformat(written + "-01" if precision == "month" else written)
    except ValueError:
        precision, moment = "", datetime.min  # noqa: DTZ901  a placeholder for the refusal below
    if not precision or moment.tzinfo or not moment.isoformat().startswith(written):
        raise Rejected(
            f"{written!r} is not a date; write YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM in the zone's local time",
            code="bad-date",
        )
    if precision == "minute":
        once, again = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if once != again:
            raise Rejected(f"{written!r} did not happen exactly once in {zone.key}", code="bad-date")
        return Window(once, once, precision)
    first = moment.date()
    last = first if precision == "day" else shift(first, "P1M") - timedelta(days=1)
    return Window(day_start(first, zone), day_end(last, zone), precision)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of ``day`` in ``zone``, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """The last second of ``day`` in ``zone``, in UTC."""
    return day_start(day + timedelta(days=1), zone) - LAST_MOMENT_OF_DAY


def shift(day: date, period: str, times: int = 1) -> date:
    """``day`` moved by ``times`` periods (``P1Y``, ``P6M``, ``P90D``); a day a month lacks becomes its last.

    Raises:
        Rejected: the period is not one of whole days, or is zero.
        Misuse: the result is outside the calendar.
    """
    months, days = _months_and_days(period)
    try:
        year, month = divmod(day.year * 12 + day.month - 1 + months * times, 12)
        moved = date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
        return moved + timedelta(days=days * times)
    except (OverflowError, ValueError) as error:
        raise Misuse(f"{times} times {period} from {day} is outside the calendar", code="bad-date") from error


def end_of_period(at: datetime, period: str, zone: ZoneInfo) -> datetime:
    """The end of the last day of a period that begins at an instant, counted on the calendar of ``zone``."""
    return day_end(shift(at.astimezone(zone).date(), period), zone)


def anniversary_after(first: date, duration: str, day: date) -> date:
    """The first renewal, counted from ``first`` in steps of ``duration``, that is later than ``day``."""
    months, days = _months_and_days(duration)
    times = max(1, (day - first).days // (months * 31 + days))
    while shift(first, duration, times) <= day:
        times += 1
    return shift(first, duration, times)


@lru_cache(maxsize=PERIODS_REMEMBERED_MAX)
def _months_and_days(period: str) -> tuple[int, int]:
    if not re.fullmatch(PERIOD_PATTERN, period):
        raise Rejected(f"{period!r} is not a period; write one number of years, months or days", code="bad-period")
    months, days = _MONTHS_AND_DAYS[period[-1]]
    return months * int(period[1:-1]), days * int(period[1:-1])


def last_day_for_notice(renewal: date, period: str, counting: str) -> date:
    """The last local day on which notice of ``period`` still prevents the renewal of ``renewal``.

    Raises:
        Misuse: no counting rule has that name.
    """
    if counting not in COUNTING_RULES:
        raise Misuse(
            f"no counting rule is called {counting!r}; there are {', '.join(COUNTING_RULES)}",
            code="unknown-counting",
        )
    return shift(renewal, period, -1) + timedelta(days=COUNTING_RULES[counting])
