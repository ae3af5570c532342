"""Instants as people type them: a day, a local time, or a time with its offset from UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from comity.agreement.calendar import end_of_period, window
from comity.errors import Misuse, Rejected


class Bounded(Protocol):
    """Something whose time others bound, by their clocks."""

    @property
    def not_before(self) -> datetime | None:
        """After which instant it was."""
        ...

    @property
    def not_after(self) -> datetime | None:
        """Before which."""
        ...


class Typed(NamedTuple):
    """An instant that was typed, and how it was understood, to be said aloud."""

    at: datetime
    read_as: str


def read_instant(text: str, zone: str, *, end: bool = False) -> Typed:
    """(9) The instant in ``2020-11-23``, ``2020-11-23T12:00`` or ``2020-11-23T12:00+09:00``.

    Args:
        text: what was typed.
        zone: IANA name of the zone in which a time without an offset is read.
        end: a day means its last second, not its first.

    Raises:
        Misuse: it has another form, or no such local time exists.
    """
    from comity.timezones import time_zones

    try:
        exact = datetime.fromisoformat(text)
    except ValueError:
        exact = None
    if exact is not None and not 1 < exact.year < 9999:  # every zone can say it
        raise Misuse(f"{text!r} is at the end of the calendar; name a year from 0002 to 9998", code="bad-date")
    if exact is not None and exact.tzinfo is not None:
        return Typed(exact.astimezone(UTC), exact.isoformat())
    if len(text) < len("2020-11-23"):
        raise Misuse(f"{text!r} is not a day or an instant; write 2020-11-23 or 2020-11-23T12:00", code="bad-date")
    try:
        meant = window(text, time_zones().zone(zone))
    except Rejected:
        raise Misuse(
            f"{text!r} is not an instant; write 2020-11-23, 2020-11-23T12:00 (in {zone}), or with an offset, "
            "2020-11-23T12:00+09:00",
            code="bad-date",
        ) from None
    at = meant.latest if end else meant.earliest
    local = at.astimezone(time_zones().zone(zone))
    return Typed(at, f"{local:%Y-%m-%d %H:%M:%S} {zone}" if end else f"{local:%Y-%m-%d %H:%M} {zone}")


def read_period(text: str) -> datetime:
    """The end of the last day of a period, such as ``P30D``, that begins today (UTC).

    Raises:
        Misuse: it has another form, or leads out of the calendar.
    """
    from comity.timezones import time_zones

    try:
        return end_of_period(datetime.now(UTC), text, time_zones().zone("UTC"))
    except Rejected:
        raise Misuse(f"{text!r} is not a period; write P30D, P6M or P1Y", code="bad-date") from None


_UNITS = {"Y": "year", "M": "month", "W": "week", "D": "day", "H": "hour"}
_PERIOD = re.compile(r"P(?:([0-9]+)([YMWD])|T([0-9]+)(H))")


def told_period(period: str) -> str:
    """A period of one unit for people; another one, or a word, as it is written.

    >>> told_period("P30D"), told_period("PT24H"), told_period("P1Y"), told_period("at-receipt")
    ('30 days', '24 hours', '1 year', 'at-receipt')
    """
    found = _PERIOD.fullmatch(period)
    if found is None:
        return period
    number, unit = found[1] or found[3], _UNITS[found[2] or found[4]]
    return f"{number} {unit}" + ("" if number == "1" else "s")


def told_instant(at: datetime) -> str:
    """An instant for people, in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def told_bounds(told: Bounded) -> str:
    """What goes on after an instant: the bounds of a record's time; nothing where nothing bounds it."""
    bounds = [("not before", told.not_before), ("not after", told.not_after)]
    return "".join(f", {word} {told_instant(at)}" for word, at in bounds if at is not None)
