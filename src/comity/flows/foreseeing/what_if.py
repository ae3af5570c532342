"""What if: what would follow from an act, another text, a new law, other clearances (``spec/what-if.md``).

Read-only: nothing is recorded, and nothing is kept.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.decision.wording.words import AS_TYPED
from comity.flows.actors import Actor
from comity.flows.foreseeing.affected import Affected, affected
from comity.flows.house import House
from comity.foresight.consequences import Consequences, counted, foresee
from comity.foresight.supposition import Ground, suppose
from comity.foresight.written import Written, read_supposition


class AskWhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """Ask what would follow.

    Attributes:
        relationship: which agreement with whom.
        supposing: what is supposed; a notice is this house's own party's, unless another one is named.
        at: the instant of asking; now unless given.
        actor: who asks; the house itself unless given.
        language: of the reasons.
    """

    relationship: str
    supposing: Written
    at: datetime | None = None
    actor: Actor | None = None
    language: str = AS_TYPED


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What would follow: from the texts, and in the register of a house; None of a file alone."""

    follows: Consequences
    here: Affected | None = None


async def what_if(house: House, request: AskWhatIf) -> WhatIf:
    """What would follow; nothing is changed by asking.

    Raises:
        Misuse: nothing is supposed, or nobody has that handle.
        Rejected: a file has a mistake, or what is supposed cannot follow what stands before it.
        Refused: no agreement runs in that relationship.
    """
    row = await house.agreement_row(request.relationship)
    running = await house.library.load(row)
    ground = Ground(running.agreement, running.layers, running.compiled, running.chronicle)
    now, what = house.now(), request.supposing
    if not what.by and any(act.step == "notice" for act in what.acts):
        what = msgspec.structs.replace(what, by=house.party)
    supposition = read_supposition(what, ground, house.zones)
    supposed = suppose(ground, supposition, request.at or now, house.zones)
    follows = foresee(supposed, supposition)
    looked_at = max(now, follows.stops or counted(supposed))
    worth = supposition.clearances.worth if supposition.clearances else {}

    def becomes(mark: str) -> str | None:
        return worth.get((house.party, mark), mark)

    here = await affected(
        house, request.relationship, supposed, follows, looked_at, becomes, request.actor, request.language
    )
    return WhatIf(follows=follows, here=here)
