"""Speaking: what a person of this house says to the other party in his own name, in one record.

For the acts by which parties deal with each other: designations, laws, disputes, deposits. The register says who may.
"""

from __future__ import annotations

from typing import TypeVar

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.house import ROOT, House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies import Body
from comity.record.statement import Record

B = TypeVar("B", bound=Body)


async def speaker(house: House, relationship: str, actor: Actor) -> str:
    """The pseudonym under which a person of this house speaks in a relationship.

    Raises:
        Misuse: nobody has that handle, or the root key was named, which speaks for no function.
        Refused: no agreement runs there, and it is no channel.
    """
    await house.peer_in(relationship)
    if actor.handle == ROOT:
        raise Misuse("the root key says nothing to the other party here; name a person with the role", code="root-act")
    return house.pseudonym(relationship, (await house.person(actor.handle)).person)


async def speak(house: House, relationship: str, body: B, actor: Actor) -> Record:
    """Sign ``body`` as ``actor`` and record it in a relationship; durable on return.

    Args:
        house: whose person speaks.
        relationship: to whom.
        body: with ``person_act.unsigned()`` where the signature goes, and ``by`` as ``speaker`` gives it.
        actor: who speaks.

    Raises:
        NeedsSignature: his key is in strict custody and he has not signed yet.
        Misuse: the register does not accept it; nothing was recorded.
    """
    signed = await house.sign(body, relationship, actor, await speaker(house, relationship, actor))
    function = (await house.person(actor.handle)).function

    async def say(work: Work) -> Record:
        return await work.say(Draft(relationship, signed, function))

    return await house.sequencer.submit(say)
