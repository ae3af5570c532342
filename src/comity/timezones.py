"""Time zones for the pure rooms, read from the ``tzdata`` package so that their version is known.

The zones of the operating system are not used: two machines would then answer a question about the same date from
different databases without saying so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import tzdata  # type: ignore[import-untyped]  # data only; it has no types to publish

from comity.agreement.calendar import TimeZones


def time_zones() -> TimeZones:
    """Every zone of the packaged database, each read when it is first asked for, with the database's version."""
    return TimeZones(version=tzdata.IANA_VERSION, zones=_PackagedZones())


class _PackagedZones(Mapping[str, ZoneInfo]):
    def __getitem__(self, name: str) -> ZoneInfo:
        if name not in _names():
            raise KeyError(name)
        return _read(name)

    def __contains__(self, name: object) -> bool:
        return name in _names()

    def __iter__(self) -> Iterator[str]:
        return iter(_names())

    def __len__(self) -> int:
        return len(_names())


@cache
def _names() -> tuple[str, ...]:
    return tuple(resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


@cache
def _read(name: str) -> ZoneInfo:
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
