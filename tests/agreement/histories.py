"""The packaged agreement and histories, and small histories written in a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from typing import Any

from msgspec.structs import replace

from comity.agreement.history import Event, History, HistoryFile, HistoryHeader, history_of
from comity.agreement.load import parse_agreement
from comity.agreement.load_history import parse_history
from comity.agreement.model import Agreement, Notice, Term
from comity.agreement.term import Chronicle
from comity.timezones import time_zones

ZONES = time_zones()
SEOUL = ZONES.zone("Asia/Seoul")
LIBRARY = resources.files("comity").joinpath("agreements")


def packaged(name: str) -> str:
    return LIBRARY.joinpath(name).read_text(encoding="utf-8")


AGREEMENT = parse_agreement(packaged("jp-kr-2016.toml"), "jp-kr-2016.toml")
UNDATED = replace(AGREEMENT, header=replace(AGREEMENT.header, signed=None, in_force=None))
"""The same without the dates that a made-up history would contradict."""


def packaged_chronicle(name: str) -> Chronicle:
    return Chronicle(AGREEMENT, parse_history(packaged(name), name, AGREEMENT, ZONES), ZONES)


def seoul(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=SEOUL)


def term(**changes: Any) -> Agreement:
    """The agreement with another term; ``counting`` and ``period`` go to its notice."""
    mine: Term = UNDATED.term
    notice = {key: changes.pop(key) for key in ("counting", "counting_disputed", "period") if key in changes}
    if notice:
        assert isinstance(mine.notice, Notice)
        mine = replace(mine, notice=replace(mine.notice, **notice))
    return replace(UNDATED, term=replace(mine, **changes))


def event(when: str, kind: str, by: str = "jp kr", **more: Any) -> Event:
    more.setdefault("id", f"{when}-{kind}-{by.replace(' ', '-')}".lower().replace(":", "-"))
    more.setdefault("zone", "Asia/Seoul")
    return Event(when=when, kind=kind, by=tuple(by.split()), says="Something.", **more)


def written(events: Sequence[Event], agreement: Agreement = UNDATED) -> History:
    header = HistoryHeader(format=1, agreement=agreement.id, title="A history")
    return history_of(HistoryFile(header=header, events=tuple(events)), agreement, ZONES)


def run(events: Sequence[Event], agreement: Agreement = UNDATED) -> Chronicle:
    return Chronicle(agreement, written(events, agreement), ZONES)


ENTRY = (
    event("2016-11-23T10:00", "signature", id="signature"),
    event("2016-11-23", "entry-note", "kr", id="note-kr"),
    event("2016-11-23", "entry-note", "jp", id="note-jp"),
)
"""Signed and in force on 23 November 2016."""
