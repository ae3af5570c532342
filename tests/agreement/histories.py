"""The packaged agreement and histories, and small histories written in a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from comity.agreement.history import Event, History, HistoryFile, HistoryHeader, ReadingClaim, history_of
from comity.agreement.lifecycle import ACTS
from comity.agreement.load import parse_agreement
from comity.agreement.load_history import parse_history
from comity.agreement.model import Agreement, Notice, Term
from comity.agreement.term import Chronicle
from comity.errors import Rejected
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


MINUTES_IN_A_DECADE = 10 * 365 * 24 * 60
KINDS = [*sorted(ACTS - {"amendment", "deposit", "renewal", "entry"}), "announcement", "pledge", "statement"]


@st.composite
def attempts(draw: st.DrawFn) -> list[Event]:
    """Acts in any order, many of which contradict what stands before them."""
    events: list[Event] = list(ENTRY) if draw(st.integers(0, 2)) else []
    at = datetime(2016, 11, 25)  # noqa: DTZ001 - without a zone on purpose, as a history is written
    for number in range(draw(st.integers(0, 12))):
        at += timedelta(minutes=draw(st.integers(0, MINUTES_IN_A_DECADE // 8)))
        kind = draw(st.sampled_from(KINDS))
        party = draw(st.sampled_from(["jp", "kr"]))
        readings: tuple[ReadingClaim, ...] = ()
        if kind == "statement":
            holds = draw(st.sampled_from(["at-any-time", "notice-before-renewal"]))
            readings = (ReadingClaim(party, "said", "suspended-notice", holds, "Thus."),)
        targets = [e.id for e in events if e.kind in {"notice", "suspension"} and e.by == (party,)]
        acts_on = targets and kind in {"suspension", "reactivation", "withdrawal"}
        new = event(
            draw(st.sampled_from([at.isoformat("T", "minutes"), at.date().isoformat()])),
            kind,
            "jp kr" if kind in {"signature", "end-by-consent"} else party,
            id=f"e{number}",
            of=draw(st.sampled_from(targets)) if acts_on else None,
            readings=readings,
        )
        events.append(new)
    return events


def possible(events: Sequence[Event]) -> list[Event]:
    """The events without those that cannot follow what stands before them."""
    kept: list[Event] = []
    for each in events:
        try:
            run([*kept, each])
        except Rejected:
            continue
        kept.append(each)
    return kept


histories = attempts().map(possible)
"""Acts in any order, of which those that contradict what stands before them are left out."""


def instants(chronicle: Chronicle) -> list[datetime]:
    """Around every event, and between them all."""
    found = {datetime(2016, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)}
    for dated in chronicle.history.events:
        found |= {dated.effective + timedelta(seconds=shift) for shift in (-1, 0, 1)}
        found |= {dated.effective + timedelta(days=shift) for shift in (30, 400)}
    return sorted(found)
