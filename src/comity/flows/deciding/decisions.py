"""Decisions as data: what was decided, and from what, to decide it again anywhere (``spec/decision.md``)."""

from __future__ import annotations

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import may_see_decision
from comity.flows.deciding.recorded import recorded
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.house import House


class AskDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Show a recorded decision as data, as ``actor`` may see it; ``record`` is its record id in hex."""

    record: str
    actor: Actor | None = None


class DecisionShown(msgspec.Struct, frozen=True, kw_only=True):
    """The question and the answer, as they were recorded."""

    record: str
    case: decision.Case
    outcome: decision.Outcome


async def ask_decision(house: House, request: AskDecision) -> DecisionShown:
    """A recorded decision with its case.

    Raises:
        Misuse: there is no decision with that id, or none that whoever asks may see.
    """
    if len(request.record) != 64 or not set(request.record) <= set("0123456789abcdef"):
        raise Misuse(f"{request.record!r} is not a record id: 64 hexadecimal digits", code="bad-record-id")
    found = await recorded(house, bytes.fromhex(request.record))
    sight = Sight(house, await viewer(house, request.actor))
    if found is None or not await may_see_decision(house, sight, found):
        raise Misuse(f"there is no decision {request.record[:16]}…", code="unknown-decision")
    return DecisionShown(record=request.record, case=found.case, outcome=found.outcome)
