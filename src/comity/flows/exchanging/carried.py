"""What a record carries beside itself: a sealed payload, and headers of it that travel apart."""

from __future__ import annotations

from typing import NamedTuple

from comity.record import bodies
from comity.record.bodies import Body
from comity.record.bodies.negotiation import DraftProposed
from comity.record.encoding import decode
from comity.record.statement import peek

CARRYING: dict[str, type[Body]] = {kind.kind: kind for kind in (bodies.Consigned, DraftProposed)}
"""Types of records that name a sealed payload, which goes with them."""


class Carried(NamedTuple):
    """A sealed payload, whose it is in words, and the headers that travel apart from it, each with what it opens."""

    payload: bytes
    size: int
    whose: str
    headers: tuple[tuple[str, bytes], ...] = ()


def carried(body: Body | None) -> Carried | None:
    """What goes with a record that says this; None where nothing does."""
    if isinstance(body, bodies.Consigned):
        headers = tuple((f"copy {copy.number}", copy.header) for copy in body.copies)
        return Carried(body.payload, body.size, f"item {body.item!r}", headers)
    if isinstance(body, DraftProposed):
        return Carried(body.payload, body.size, f"draft {body.draft!r}")
    return None


def carried_in(envelope: bytes) -> Carried | None:
    """What goes with the record in an envelope of our own journal."""
    statement = peek(envelope)
    kind = CARRYING.get(statement.type)
    return None if kind is None else carried(decode(bytes(statement.body), kind))
