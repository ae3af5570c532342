"""How long what can be erased is kept: by this house's settings and by agreements (``spec/keys.md`` steps 75, 76).

An agreement or a layer may say how long something is kept at least (``keep-names``), and when it is gone at the latest
(``erase-names``). Within these a house says it itself; where they contradict each other it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from comity.agreement.calendar import TimeZones, end_of_period
from comity.agreement.intervals import Found, interval
from comity.agreement.model import PERIOD_PATTERN
from comity.agreement.vocabulary import Measured
from comity.flows.keeping.library import Running
from comity.record.bodies.retention import Erasable

AT_ONCE = "at-once"
FOR_EVER = "for-ever"
Kept = Annotated[str, msgspec.Meta(pattern=rf"^(?:{AT_ONCE}|{FOR_EVER})(?!\n)$|{PERIOD_PATTERN}")]
"""How long: a period as agreements write it, or one of the two words."""
LEAST: dict[Erasable, Measured] = {"names": "keep-names", "titles": "keep-titles", "payloads": "keep-payloads"}
MOST: dict[Erasable, Measured] = {"names": "erase-names", "titles": "erase-titles", "payloads": "erase-payloads"}


class Periods(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """The ``[retention]`` table of ``node.toml``: how long this house keeps what is its own.

    Attributes:
        names: names of people, from the instant at which they left.
        titles: titles of items, from the end of the last copy.
        payloads: sealed payloads of items, likewise.
    """

    names: Kept = AT_ONCE
    titles: Kept = FOR_EVER
    payloads: Kept = FOR_EVER


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """Until when something is kept, and what says so.

    Attributes:
        end: the instant from which it is to be erased; None for never.
        because: the clause or the setting.
    """

    end: datetime | None
    because: str


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What one text says of how long something is kept.

    Attributes:
        least: it is kept at least so long; otherwise at most.
        length: the period.
        place: instrument and clause.
        unchecked: that clause was not checked against its text: it binds nobody.
        zone: by whose calendar it is counted.
    """

    least: bool
    length: str
    place: str
    unchecked: bool
    zone: str


def bounds(what: Erasable, running: Running, party: str) -> list[Bound]:
    """What an agreement and its layers say of ``what``."""
    texts, zone = (running.agreement, running.layers), running.agreement.term.timezone
    least, most = (interval(*texts, of, party) for of in (LEAST[what], MOST[what]))
    told: list[tuple[bool, Found | None]] = [(True, least), (False, most)]
    return [
        Bound(
            least=is_least,
            length=found.length,
            place=f"{found.instrument}:{found.clause}",
            unchecked=found.provenance == "K",
            zone=zone,
        )
        for is_least, found in told
        if found is not None
    ]


def limit(since: datetime, setting: str, what: Erasable, found: Iterable[Bound], zones: TimeZones) -> Limit:
    """(76) Until when what ended at ``since`` is kept: as the setting says, within what the texts say."""
    said = f"[retention] {what} = {setting!r}"
    limited = Limit(end=_end(since, setting, zones.zone("UTC")), because=said)
    counted = [
        (each.least, Limit(end=end_of_period(since, each.length, zones.zone(each.zone)), because=each.place))
        for each in found
        if not each.unchecked
    ]
    sooner = min((each for least, each in counted if not least), key=_instant, default=limited)
    limited = min(limited, sooner, key=_instant)
    later = max((each for least, each in counted if least), key=_instant, default=limited)
    return max(limited, later, key=_instant)


def _end(since: datetime, setting: str, zone: ZoneInfo) -> datetime | None:
    if setting == FOR_EVER:
        return None
    return since if setting == AT_ONCE else end_of_period(since, setting, zone)


def _instant(limited: Limit) -> datetime:
    return limited.end or datetime.max.replace(tzinfo=UTC)
