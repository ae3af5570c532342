"""How a text came about, as the beginning of its history file (``spec/lifecycle.md`` step 18).

What is recounted are records: when each side said what. The history file says what happened, and when: whoever keeps it
goes over it, and adds the hours and the sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from comity.agreement.calendar import TimeZones
from comity.agreement.history import Event, HistoryFile, HistoryHeader, write_history
from comity.agreement.lifecycle import Act, NoEffect
from comity.agreement.model import FORMAT_VERSION, Agreement
from comity.agreement.negotiation import Move

KINDS: Mapping[Move, Act | NoEffect] = {
    "draft": "draft",
    "initials": "draft",
    "approval": "approval",
    "postponement": "signature-called-off",
    "withdrawal": "signature-called-off",
    "entry-note": "entry-note",
}
"""As what each act stands in a history; signatures are one, of all parties together."""
DAYS_NAMED: frozenset[Move] = frozenset({"approval", "entry-note"})
"""Acts that name the day on which what they tell was done."""


class Told(NamedTuple):
    """What a side said that it did, at an instant; the day that it named, and its words."""

    move: Move
    party: str
    at: datetime
    day: str
    says: str


def recounted(agreement: Agreement, told: Sequence[Told], signed: Sequence[str], zones: TimeZones) -> str:
    """A history file that tells of a negotiation.

    Args:
        agreement: the text.
        told: what each side did, in order.
        signed: the sides whose signatures count.
        zones: the zone in which the text's term is counted, among others.
    """
    zone = agreement.term.timezone
    events: list[Event] = []
    last = ""
    for number, each in enumerate(told, start=1):
        day = each.at.astimezone(zones.zone(zone)).date().isoformat()
        last = day if each.move == "signature" else last
        if (kind := KINDS.get(each.move)) is not None:
            when = each.day if each.move in DAYS_NAMED else day
            said = Event(id=f"{number}-{kind}", when=when, zone=zone, kind=kind, says=each.says, by=(each.party,))
            events.append(said)
    if len(signed) > 1:
        parties = tuple(party.id for party in agreement.parties)
        says = "Signed by all parties."
        events.append(Event(id="signature", when=last, zone=zone, kind="signature", says=says, by=parties))
    after = {"signature": 1, "entry-note": 2}  # of one day, the signature comes before what follows on it
    events.sort(key=lambda event: (event.when, after.get(event.kind, 0)))
    title = f"How it came to {agreement.header.title.en}"
    return write_history(HistoryFile(header=HistoryHeader(FORMAT_VERSION, agreement.id, title), events=tuple(events)))
