"""Whether a copy may be destroyed or sent back: the question, what names it, and its answer, recorded once."""

from __future__ import annotations

from collections.abc import Sequence

from comity.agreement.vocabulary import Act
from comity.decision import model as decision
from comity.flows.actors import Actor
from comity.flows.deciding.cases import handling_case
from comity.flows.deciding.once import Decided, decide_once
from comity.flows.handling.custody import Found
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.register.rows import PersonRow


def request_name(act: str, found: Found, *more: str) -> str:
    """What a decision about a copy, its approvals and its witnesses name."""
    return "/".join((act, found.item.item, str(found.number), *more))


def purpose_of(found: Found) -> str:
    """What the item of a copy came for."""
    return found.first.made.purpose if found.first.made is not None else found.item.provided or ""


async def decide_about_copy(
    house: House,
    found: Found,
    act: Act,
    actor: Actor,
    *,
    request: str,
    person: PersonRow | None = None,
    purpose: str | None = None,
    method: str = "",
    witnesses: Sequence[str] = (),
) -> Decided:
    """Decide about an act that ends a copy, under the agreement it came by first, and record it.

    Args:
        house: this house.
        found: the copy.
        act: what is to be done with it.
        actor: who asks, and may come back with his signature.
        request: what approvals and witnesses name.
        person: whose act it is; whoever was found to hold the copy, by default.
        purpose: what for; what the item came for, by default.
        method: how it is to be done, where that matters.
        witnesses: who has witnessed it, by pseudonym.
    """
    place = found.first
    running = await house.library.load(place.row)

    async def decide(work: Work) -> Decided:
        case = await handling_case(
            house,
            place.row,
            found.item,
            person or found.person,
            act,
            purpose if purpose is not None else purpose_of(found),
            work.at,
            read=work.facts,
            method=method,
            request=request,
            witnesses=[decision.Witness(request=request, by=by) for by in witnesses],
        )
        return await decide_once(house, work, place.row, running, case, actor)

    return await house.sequencer.submit(decide)
