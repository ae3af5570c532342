"""Time zones for the pure rooms, read from the ``tzdata`` package so that their version is known.

The zones of the operating system are not used: two machines would then answer a question about the same date from
different databases without saying so.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from zoneinfo import ZoneInfo

import tzdata

from comity.agreement.calendar import TimeZones
from comity.errors import Rejected


def time_zones(names: Iterable[str]) -> TimeZones:
    """The zones called ``names`` (IANA names), with the version of their database.

    Raises:
        Rejected: the database has no zone of that name.
    """
    return TimeZones(version=tzdata.IANA_VERSION, zones={name: _read(name) for name in names})


def _read(name: str) -> ZoneInfo:
    package = resources.files("tzdata")
    if name not in package.joinpath("zones").read_text(encoding="ascii").split("\n"):
        raise Rejected(f"there is no time zone {name!r} in database {tzdata.IANA_VERSION}", code="unknown-zone")
    with package.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
