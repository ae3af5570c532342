"""What was passed on: who has it outside the parties, and where his receipt is (Articles 6(a), 12)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.flows.actors import Actor
from comity.flows.consenting.passing_on import protecting
from comity.flows.deciding.visibility import may_see, sees_all, viewer, visible_item
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.consents import BeneficiaryKind, PassOnReceipted
from comity.record.person_act import unsigned
from comity.register.rows import DirectoryRow, ItemRow
from comity.register.rows.consents import PassedOnRow


class ReceiptPassOn(msgspec.Struct, frozen=True, kw_only=True):
    """Record the receipt of the body that got a copy: where it can be found, in words."""

    item: str
    copy: int
    receipt: str
    actor: Actor


class PassOnReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt that was recorded."""

    item: str
    copy: int
    beneficiary: str
    receipt: str
    record: str


class ListPassedOn(msgspec.Struct, frozen=True, kw_only=True):
    """Every copy that went to somebody outside the parties, as ``actor`` may see them."""

    actor: Actor | None = None


class PassedOnLine(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that was passed on; ``ours`` where this house did it."""

    relationship: str
    ours: bool
    item: str
    copy: int
    beneficiary: str
    beneficiary_kind: BeneficiaryKind
    nationality: str
    purpose: str
    consents: tuple[str, ...]
    by: str
    at: datetime
    receipt: str | None


async def receipt_pass_on(house: House, request: ReceiptPassOn) -> PassOnReceipt:
    """Record where the receipt of the body that got a copy can be found (Article 12).

    Raises:
        Misuse: that copy was not passed on, was receipted before, or the actor neither passed it on nor keeps the
            register.
    """
    person = await house.person(request.actor.handle)
    item = await visible_item(house, None, request.item, await viewer(house, request.actor))
    said = []
    for relationship in await protecting(house, item):
        row = await house.need(PassedOnRow, f"{relationship}/{item.item}/{request.copy:06d}", "copy passed on")
        signer = house.pseudonym(relationship, person.person)
        body = PassOnReceipted(
            item=item.item,
            copy=request.copy,
            receipt=request.receipt,
            by=signer,
            after=row.record,
            signature=unsigned(),
        )
        said.append((relationship, await house.sign(body, relationship, request.actor, signer), row))

    async def say(work: Work) -> PassOnReceipt:
        records = [await work.say(Draft(place, body, person.function)) for place, body, _ in said]
        return PassOnReceipt(
            item=item.item,
            copy=request.copy,
            beneficiary=said[0][2].beneficiary,
            receipt=request.receipt,
            record=records[0].id.hex(),
        )

    return await house.sequencer.submit(say)


async def list_passed_on(house: House, request: ListPassedOn) -> list[PassedOnLine]:
    """What was passed on, by either party, oldest first."""
    person = await viewer(house, request.actor)
    lines = []
    for relationship, _ in await house.relationships():
        async for _, row in house.rows(PassedOnRow, f"{relationship}/"):
            item = await house.row(ItemRow, row.item)
            if not (sees_all(person) if item is None else await may_see(house, item, person)):
                continue
            own = await house.row(DirectoryRow, f"{relationship}/{house.party}/{row.by}")
            fields = {name: getattr(row, name) for name in PassedOnLine.__struct_fields__ if hasattr(row, name)}
            lines.append(PassedOnLine(relationship=relationship, ours=own is not None, copy=row.number, **fields))
    return sorted(lines, key=lambda line: line.at)
