"""Recorded decisions: read back from this house's own chain, with the case they were made from."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.house import House
from comity.record import bodies
from comity.record.statement import DOMESTIC, chain_id, read_kept, understand


class Recorded(msgspec.Struct, frozen=True):
    """A decision as it was recorded: its record, the instant, the body verbatim, and what it says."""

    record: bytes
    at: datetime
    body: bodies.Decided
    case: decision.Case
    outcome: decision.Outcome

    @property
    def permits(self) -> bool:
        """Whether it permits what was asked."""
        return self.body.outcome == "permit"


async def recorded(house: House, record: bytes) -> Recorded | None:
    """The decision with this record id; None where this house has recorded none."""
    entry = await house.store.find(record)
    if entry is None or entry.chain != chain_id(DOMESTIC, house.party):
        return None
    said = understand(read_kept(entry.envelope, record))
    if not isinstance(said.body, bodies.Decided):
        return None
    case = msgspec.json.decode(said.body.case, type=decision.Case)
    outcome = msgspec.json.decode(said.body.decision, type=decision.Outcome)
    return Recorded(record, said.statement.at, said.body, case, outcome)


async def named_decision(house: House, digits: str, requester: str) -> Recorded:
    """The decision on what ``requester`` asked, which he names by its record id in hex.

    Raises:
        Misuse: there is none, or it is about somebody else; nobody can tell which.
    """
    found = None
    with suppress(ValueError):  # not hexadecimal: no record's id
        found = await recorded(house, bytes.fromhex(digits))
    if found is None or found.case.requester != requester:
        raise Misuse(f"there is no decision {digits!r}", code="unknown-decision")
    return found
