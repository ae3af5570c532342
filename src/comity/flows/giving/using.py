"""Using: what was received serves the purpose it came for, and another one only by consent (Article 6(c)).

To open something is one thing, to make use of what it says another: a plan, an exercise, an assessment. Who wants to
use it asks here first; the decision is recorded, and where it permits, the conditions of the consent are told.
"""

from __future__ import annotations

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.cases import answer, check_reader, handling_case, outcome_word, record_decision
from comity.flows.deciding.consents import consents_used, live_consents
from comity.flows.deciding.lineage import relationships_of
from comity.flows.deciding.visibility import visible_item
from comity.flows.house import House
from comity.flows.keeping.work import Work


class UseItem(msgspec.Struct, frozen=True, kw_only=True):
    """Ask whether a person may use an item for a purpose; a permit is what he acts on."""

    item: str
    purpose: str
    actor: Actor


class UseTold(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided.

    Attributes:
        item: item id.
        purpose: what for.
        provided: what it came for.
        outcome: of the decision.
        decision: the decision.
        decision_record: its record id in hex.
        consents: the consents it rests on, if any.
        conditions: what they ask.
    """

    item: str
    purpose: str
    provided: str
    outcome: str
    decision: decision.Outcome
    decision_record: str
    consents: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


async def use_item(house: House, request: UseItem) -> UseTold:
    """Decide whether an item may be used for a purpose, and record the decision whatever it says.

    Raises:
        Misuse: there is no such item for him, or it is this house's own.
    """
    person = await house.person(request.actor.handle)
    check_reader(person)
    item = await visible_item(house, None, request.item, None)
    places = await relationships_of(house, item.item)
    if not places:
        await visible_item(house, None, request.item, person)
        raise Misuse(f"item {item.item!r} was not received from another party", code="own-item")
    row = await house.agreement_row(places[0])
    running = await house.library.load(row)

    async def decide(work: Work) -> UseTold:
        case = await handling_case(house, row, item, person, "use-for", request.purpose, work.at, read=work.facts)
        outcome = answer(running, case)
        record = await record_decision(work, row, case, outcome)
        used = consents_used(outcome, await live_consents(work.facts, row.relationship, item, work.at))
        return UseTold(
            item=item.item,
            purpose=request.purpose,
            provided=item.provided or "",
            outcome=outcome_word(outcome),
            decision=outcome,
            decision_record=record.id.hex(),
            consents=tuple(each.consent for each in used),
            conditions=tuple(condition for each in used for condition in each.conditions),
        )

    told = await house.sequencer.submit(decide)
    await visible_item(house, None, request.item, person)  # recorded in any case; told only of what he may know of
    return told
