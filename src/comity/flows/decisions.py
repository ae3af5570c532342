"""Decisions as data: what was decided, and from what, to decide it again anywhere (``spec/decision.md``)."""

from __future__ import annotations

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.house import House
from comity.record import bodies
from comity.record.statement import read


class AskDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Show a recorded decision as data; ``record`` is its record id in hex."""

    record: str


class DecisionShown(msgspec.Struct, frozen=True, kw_only=True):
    """The question and the answer, as they were recorded."""

    record: str
    case: decision.Case
    outcome: decision.Outcome


async def ask_decision(house: House, request: AskDecision) -> DecisionShown:
    """A recorded decision with its case.

    Raises:
        Misuse: there is no decision with that id.
    """
    if len(request.record) != 64 or not set(request.record) <= set("0123456789abcdef"):
        raise Misuse(f"{request.record!r} is not a record id: 64 hexadecimal digits", code="bad-record-id")
    entry = await house.store.find(bytes.fromhex(request.record))
    body = read(entry.envelope, [house.keys.record.public]).body if entry is not None else None
    if not isinstance(body, bodies.Decided):
        raise Misuse(f"there is no decision {request.record[:16]}…", code="unknown-decision")
    return DecisionShown(
        record=request.record,
        case=msgspec.json.decode(body.case, type=decision.Case),
        outcome=msgspec.json.decode(body.decision, type=decision.Outcome),
    )
