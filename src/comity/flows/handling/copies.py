"""Copies as people look at them: all that somebody may see of an item, and the chain of custody of one.

``spec/custody.md`` steps 2, 17, 18 and 20. The chain is read from the register; what was signed and with which key is
read from the records themselves.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.lineage import registered
from comity.flows.deciding.said import Said, said_in
from comity.flows.deciding.visibility import may_see, viewer
from comity.flows.handling.copy_references import (
    COPY_LABELLED,
    copy_by_reference,
    no_such_reference,
    reference_of,
    remember,
)
from comity.flows.handling.custody import copies_seen, no_copy
from comity.flows.handling.hands import to_hand_over
from comity.flows.house import House
from comity.record.bodies import Body
from comity.record.bodies.custody import Packing
from comity.record.bodies.giving import Consigned
from comity.record.dsse import key_id
from comity.record.statement import read_kept, understand
from comity.register.occasions import BY_HAND
from comity.register.rows import AgreementRow, ConsignmentRow, CopyRow, DirectoryRow, ItemRow, copy_key
from comity.register.rows.custody import LinkRow
from comity.register.rows.lineage import DerivativeRow

ANSWERING = frozenset({"take-over/1", "reproduction/1", "derivation/1", "copy-found/1"})
"""Links with which somebody answers for the copy; the others are ways, and ends."""


class ListCopies(msgspec.Struct, frozen=True, kw_only=True):
    """The copies of an item that ``actor`` may see; all of them for the house itself."""

    item: str
    actor: Actor | None = None


class ShowCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One copy with its chain of custody: by number, or by the reference on its label."""

    item: str
    copy: int | None = None
    actor: Actor | None = None
    relationship: str | None = None


class ScanCopy(msgspec.Struct, frozen=True, kw_only=True):
    """Which copy a label stands on."""

    reference: str
    actor: Actor | None = None


class LabelCopy(msgspec.Struct, frozen=True, kw_only=True):
    """What to print on the label of a copy."""

    item: str
    copy: int | None = None
    actor: Actor | None = None
    relationship: str | None = None


class CopyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A copy as it stands.

    Attributes:
        item: item id.
        number: of the copy.
        relationship: where it is registered.
        holder: pseudonym of whoever answers for it.
        state: one of the states of ``spec/custody.md`` step 1.
        taker: who is to sign for it, while it is on its way.
        custodian: who has it on its way, once a carrier has signed.
        made_from: number of the copy it was made from.
        found: whether it was lost and found again.
        openings: how often it was opened, as far as the register counts.
        trouble: what somebody found amiss with it.
        reference: what its label says.
        last: who said the last of it.
        to_hand_over: whether its holder, of this house, holds no clearance any more (``spec/places.md`` step 5).
    """

    item: str
    number: int
    relationship: str
    holder: str
    state: str
    taker: str | None
    custodian: str | None
    made_from: int | None
    found: bool
    openings: int
    trouble: str | None
    reference: str
    to_hand_over: bool = False
    last: Said | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link of the chain of custody.

    Attributes:
        at: when, by its author's clock.
        kind: the record type.
        party: whose node said it.
        by: pseudonym of whoever signed it; empty for what a node says by itself.
        to: pseudonym of whom it names as the next to have it.
        answers: whether somebody answers for the copy from here on.
        record: its id in hex.
        key: short name of the key it is signed with.
        says: circumstances, or what was found amiss, in the signer's words.
        packing: how it was packed, as its carrier saw it.
    """

    at: datetime
    kind: str
    party: str
    by: str = ""
    to: str = ""
    answers: bool = False
    record: str
    key: str = ""
    says: str = ""
    packing: Packing | None = None


class CopyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A copy with its chain of custody, oldest first."""

    copy: CopyLine
    chain: tuple[Link, ...]


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on the label of a copy.

    Attributes:
        item: item id.
        number: of the copy.
        holder: function of whoever holds it, or is to take it over.
        body: the body that this function belongs to.
        marks: the marks that stand on it, each in its own script.
        reference: what its code says.
    """

    item: str
    number: int
    holder: str
    body: str
    marks: tuple[str, ...]
    reference: str


async def list_copies(house: House, request: ListCopies) -> list[CopyLine]:
    """The copies of an item, by relationship and number.

    Raises:
        Misuse: there is no such item for whoever asks.
    """
    found = copies_seen(house, request.item, request.actor)
    return [await _line(house, agreement.relationship, copy) async for agreement, copy in found]


async def show_copy(house: House, request: ShowCopy) -> CopyShown:
    """One copy, and in whose hands it was.

    Raises:
        Misuse: there is no such item for whoever asks, or several copies are meant.
        Refused: it is no copy of his.
    """
    agreement, copy = await _seen(house, request)
    return CopyShown(
        copy=await _line(house, agreement.relationship, copy),
        chain=tuple(await _chain(house, agreement.relationship, copy)),
    )


async def scan_copy(house: House, request: ScanCopy) -> CopyLine:
    """The copy whose label says a reference.

    Raises:
        Misuse: none has it, or none that whoever asks may see.
    """
    relationship, copy = await _scanned(house, request.reference, request.actor)
    return await _line(house, relationship, copy)


async def label_copy(house: House, request: LabelCopy) -> Label:
    """What to print on the label of a copy.

    Raises:
        Misuse: there is no such item for whoever asks, or several copies are meant.
        Refused: it is no copy of his.
    """
    agreement, copy = await _seen(house, request)
    relationship = agreement.relationship
    reference = reference_of(copy)
    if await house.side(COPY_LABELLED, reference) is None:
        await remember(house, reference, copy_key(relationship, copy.item, copy.number)[1])
    entry = await _entry(house, agreement, copy.taker or copy.holder)
    return Label(
        item=copy.item,
        number=copy.number,
        holder=entry.function if entry is not None else "",
        body=entry.body if entry is not None else "",
        marks=await _marks(house, relationship, copy),
        reference=reference,
    )


async def _seen(house: House, request: ShowCopy | LabelCopy) -> tuple[AgreementRow, CopyRow]:
    if request.copy is None:
        relationship, copy = await _scanned(house, request.item, request.actor)
        return await house.agreement_row(relationship), copy
    wanted = (request.copy, request.relationship)
    found = [
        (agreement, copy)
        async for agreement, copy in copies_seen(house, request.item, request.actor)
        if wanted in ((copy.number, None), (copy.number, agreement.relationship))
    ]
    if not found:
        raise no_copy(request.item, request.copy)
    made = [await house.row(DerivativeRow, f"{each.relationship}/{request.item}") for each, _ in found]
    if len(found) > 1 and not all(row is not None and row.maker == house.party for row in made):
        listed = ", ".join(each.relationship for each, _ in found)
        raise Misuse(
            f"copy {request.copy} of {request.item!r} is in {listed}; name one of them", code="which-relationship"
        )
    return found[0]


async def _scanned(house: House, reference: str, actor: Actor | None) -> tuple[str, CopyRow]:
    relationship, copy = await copy_by_reference(house, reference)
    person = await viewer(house, actor)
    item = await registered(house, copy.item)
    if item is None or not await may_see(house, item, person):
        raise no_such_reference(reference)
    found = [each async for _, each in copies_seen(house, copy.item, actor) if each == copy]
    if not found:
        raise no_such_reference(reference)
    return relationship, copy


async def _line(house: House, relationship: str, copy: CopyRow) -> CopyLine:
    return CopyLine(
        item=copy.item,
        number=copy.number,
        relationship=relationship,
        holder=copy.holder,
        state=copy.state,
        taker=copy.taker,
        custodian=copy.custodian,
        made_from=copy.made_from,
        found=copy.found is not None,
        openings=len(copy.openings),
        trouble=copy.trouble,
        reference=reference_of(copy),
        to_hand_over=await to_hand_over(house, relationship, copy),
        last=await said_in(house, copy.last),
    )


async def _chain(house: House, relationship: str, copy: CopyRow) -> list[Link]:
    """(2) How it was given, or made, and every link since."""
    links: list[Link] = []
    consignment = await house.row(ConsignmentRow, copy.consignment.hex())
    if consignment is not None and copy.made_from is None:
        first = Link(
            at=consignment.at,
            kind="consignment/1",
            party=consignment.author,
            to=await _given_to(house, consignment.record, copy.number),
            answers=True,
            record=consignment.record.hex(),
        )
        links.append(first)
        if consignment.receipt is not None and consignment.received is not None:
            agreement = await house.agreement_row(relationship)
            receiver = agreement.peer if consignment.author == house.party else house.party
            receipt = Link(
                at=consignment.received,
                kind="receipt/1",
                party=receiver,
                answers=consignment.form not in BY_HAND,
                record=consignment.receipt.hex(),
            )
            links.append(receipt)
    prefix = f"{relationship}/{copy.item}/{copy.number:06d}/"
    links += [await _link(house, row) async for _, row in house.rows(LinkRow, prefix)]
    return sorted(links, key=lambda link: link.at)


async def _given_to(house: House, consignment: bytes, number: int) -> str:
    """To whom a copy was given to begin with."""
    body = await _said(house, consignment)
    copies = body.copies if isinstance(body, Consigned) else ()
    return next((copy.holder for copy in copies if copy.number == number), "")


async def _said(house: House, record: bytes) -> Body | None:
    entry = await house.store.find(record)
    return None if entry is None else understand(read_kept(entry.envelope, record)).body


async def _link(house: House, row: LinkRow) -> Link:
    body: Any = await _said(house, row.record)
    signature = getattr(body, "signature", None)
    return Link(
        at=row.at,
        kind=row.kind,
        party=row.author,
        by=row.by,
        to=row.to,
        answers=row.kind in ANSWERING,
        record=row.record.hex(),
        key=key_id(signature.key) if signature is not None else "",
        says=getattr(body, "circumstances", "") or getattr(body, "condition", "") or getattr(body, "reason", ""),
        packing=getattr(body, "packing", None),
    )


async def _entry(house: House, agreement: AgreementRow, pseudonym: str) -> DirectoryRow | None:
    for party in (house.party, agreement.peer):
        entry = await house.row(DirectoryRow, f"{agreement.relationship}/{party}/{pseudonym}")
        if entry is not None:
            return entry
    return None


async def _marks(house: House, relationship: str, copy: CopyRow) -> tuple[str, ...]:
    """The originator's mark, and the one of the party whose people hold the copy, where it is known here."""
    made = await house.row(DerivativeRow, f"{relationship}/{copy.item}")
    if made is not None and made.record == copy.consignment:
        return (made.label.mark,) if made.label.mark else ()
    item = await house.need(ItemRow, copy.item, "item")
    consignment = await house.need(ConsignmentRow, copy.consignment.hex(), "consignment")
    own = item.alternative.mark if item.alternative is not None else consignment.mark
    return tuple(dict.fromkeys(mark for mark in (item.label.mark, own) if mark))
