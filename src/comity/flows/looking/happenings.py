"""What happened here, in order: the records of the journal by number, without what is in them (``spec/api.md`` step 4).

Whoever keeps another system in step reads on from the last number that he has; a webhook is told the same.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import sees_all, viewer
from comity.flows.house import House
from comity.record.statement import peek

LINES_MAX = 500
"""Most lines of one answer."""


class ListEvents(msgspec.Struct, frozen=True, kw_only=True):
    """List what happened, after a number; for whoever answers for the register."""

    actor: Actor | None = None
    after: int = 0
    limit: int = 100


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the journal.

    Attributes:
        sequence: its number in the journal, from 1.
        kind: the kind of the record, such as ``receipt/1``; empty where this program does not know how to read it.
        chain: the chain that it stands in: relationship and author.
        record: its id in hex.
        verdict: ``changes``, ``held`` or ``rejected``.
        at: when the verdict was given.
    """

    sequence: int
    kind: str
    chain: str
    record: str
    verdict: str
    at: datetime


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines, and the number to go on from: the same as before, where there are no more."""

    lines: tuple[EventLine, ...]
    next: int


async def list_events(house: House, request: ListEvents) -> Events:
    """What happened after a number, oldest first.

    Raises:
        Refused: it is not for whoever asks.
        Misuse: a number is none.
    """
    if not sees_all(await viewer(house, request.actor)):
        raise Refused("what happened is listed for whoever answers for the whole register", code="no-role")
    if request.after < 0 or not 1 <= request.limit <= LINES_MAX:
        raise Misuse(f"after is 0 or more, and limit from 1 to {LINES_MAX}", code="bad-cursor")
    entries = await house.store.journal(request.after, request.limit)
    lines = tuple(
        EventLine(
            sequence=number,
            kind=_kind(entry.envelope),
            chain=entry.chain,
            record=entry.record.hex(),
            verdict=entry.verdict,
            at=entry.at,
        )
        for number, entry in enumerate(entries, start=request.after + 1)
    )
    return Events(lines=lines, next=lines[-1].sequence if lines else request.after)


def _kind(envelope: bytes) -> str:
    try:
        return peek(envelope).type
    except Rejected:
        return ""
