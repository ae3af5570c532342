"""Asking to open something, as somebody who may not even know of it: what he hears, and what the house has recorded."""

from __future__ import annotations

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.giving.opening import Open, OpenedItem, open_item
from comity.flows.house import House
from comity.record import bodies
from comity.record.statement import read
from comity.register.rows import DecisionRow


async def asked_to_open(house: House, request: Open) -> OpenedItem:
    """What came of it. Whoever may not know of the item hears that there is none; then it is told from the record."""
    try:
        return await open_item(house, request)
    except Misuse as error:
        if error.sentence != f"there is no item {request.item!r}":
            raise
    rows = [row async for _, row in house.rows(DecisionRow, f"{request.item}/")]
    entry = await house.store.find(rows[-1].record)
    assert entry is not None
    body = read(entry.envelope, [house.keys.record.public]).body
    assert isinstance(body, bodies.Decided)
    outcome = msgspec.json.decode(body.decision, type=decision.Outcome)
    assert body.outcome != "permit"
    return OpenedItem(item=request.item, outcome=body.outcome, decision=outcome, decision_record=rows[-1].record.hex())
