"""Forwarding: what it takes to hand on an item that is another party's (``spec/routes.md`` steps 4 to 9).

The same sealed bytes go on, under the originator's letter; here are the letters that this house writes as originator,
the one that it shows as holder, and what it then tells the originator.
"""

from __future__ import annotations

from hashlib import sha256
from typing import cast

import msgspec

from comity.errors import Refused
from comity.flows.deciding.consents import live_consents
from comity.flows.deciding.marking import own_marking
from comity.flows.giving.marks import alternative_label
from comity.flows.giving.sealed import said_by
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.marking.label import Label
from comity.record import bodies
from comity.record.bodies.routes import ConsentLettered, HandedOn, Relayed
from comity.record.encoding import encode
from comity.record.letters import ConsentLetter, write_letter
from comity.record.statement import DOMESTIC, Record
from comity.register.routes import HANDS_ON
from comity.register.rows import AgreementRow, ConsignmentRow, ItemRow, PeerRow, RequestRow
from comity.register.rows.consents import ConsentRow
from comity.register.rows.routes import ForwardRow, LetterRow, forward_key, letter_key


class Onward(msgspec.Struct, frozen=True):
    """An item as it is handed on in one relationship: under which label, and how many copies went there before."""

    label: Label
    copies: int


async def onward(house: House, work: Work, row: AgreementRow, item: ItemRow) -> Onward | None:
    """How an item goes on to the other party of ``row``; None for what is this house's own to give.

    Raises:
        Refused: nobody has chosen this house's own mark for it yet.
    """
    if item.relationship == DOMESTIC:
        return None
    came = await work.need(AgreementRow, item.relationship, "agreement")
    marked = await own_marking(house, came, item)
    before = await work.row(ForwardRow, forward_key(row.relationship, item.item)[1])
    return Onward(marked.alternative, before.copies if before is not None else 0)


async def write_letters(house: House, work: Work, relationship: str, consent: ConsentRow) -> None:
    """(4) Put a consent to giving an item of this house into a letter for each peer that gains by it."""
    if not consent.granted or consent.until is None or consent.item is None or HANDS_ON not in consent.acts:
        return
    row = await work.need(AgreementRow, relationship, "agreement")
    item = await work.row(ItemRow, consent.item)
    if item is None or item.relationship != DOMESTIC:
        return
    given = await _given(house, work, relationship, item)
    for beneficiary in consent.beneficiaries:
        known = await work.row(PeerRow, beneficiary)
        if given is None or known is None or beneficiary == row.peer:
            continue
        letter = ConsentLetter(
            consent=consent.consent,
            originator=house.party,
            holder=row.peer,
            beneficiary=beneficiary,
            item=item.item,
            relationship=relationship,
            agreement=given.agreement,
            sealed_as=sha256(encode(given.label)).digest(),
            label=item.label,
            alternative=alternative_label((await house.library.load(row)).agreement, item.label, row.peer),
            payload=given.payload,
            content=item.content,
            purpose=consent.purpose,
            conditions=consent.conditions,
            until=consent.until,
        )
        signer = await work.signer()
        envelope = write_letter(letter, signer.public, signer.sign)
        said = ConsentLettered(consent=consent.consent, beneficiary=beneficiary, letter=envelope)
        await work.say(Draft(relationship, said))


async def _given(house: House, work: Work, relationship: str, item: ItemRow) -> bodies.Consigned | None:
    """The newest consignment of an item in a relationship, as it was said."""
    for record in reversed(item.consignments):
        row = await work.row(ConsignmentRow, record.hex())
        if row is not None and row.relationship == relationship and row.returned is None:
            return cast("bodies.Consigned", await said_by(house, record, house.party))
    return None


class Shown(msgspec.Struct, frozen=True):
    """The consent by which an item is handed on, and the letter that shows it."""

    consent: str
    letter: bytes


async def letter_for(work: Work, row: AgreementRow, item: ItemRow, purpose: str) -> Shown:
    """(6) The letter by which the other party of ``row`` can see that the originator consents.

    Raises:
        Refused: no consent that holds, to this item, party and purpose, is in one.
    """
    for consent in await live_consents(work.facts, item.relationship, item, work.at):
        if HANDS_ON not in consent.acts or consent.purpose != purpose:
            continue
        found = await work.row(LetterRow, letter_key(item.relationship, consent.consent, row.peer)[1])
        if found is not None:
            return Shown(consent.consent, found.letter)
    raise Refused(
        f"the consent of {item.originator!r} is in no letter that {row.peer!r} could be shown: {item.originator!r} has "
        f"to compare the card of {row.peer!r} first, and consent to this very item",
        code="no-letter",
    )


async def tell_originator(
    house: House, work: Work, item: ItemRow, asked: RequestRow, given: bodies.Consigned, to: str, consent: str
) -> None:
    """(7) Tell the originator what was given to whom; its decision is this house's."""
    body = HandedOn(
        request=asked.request,
        item=item.item,
        to=to,
        label=given.label,
        purpose=asked.purpose,
        copies=len(given.copies),
        consent=consent,
        basis=given.basis,
    )
    await work.say(Draft(item.relationship, body, (await house.person(asked.by)).function))


async def relay(_: House, work: Work, record: Record) -> None:
    """(9) Bring the originator the letter in a receipt; nothing else of the receipt is its business."""
    body = cast("bodies.Received", record.body)
    if not body.letter:
        return
    given = await work.need(ConsignmentRow, body.consignment.hex(), "consignment")
    row = await work.need(ForwardRow, forward_key(given.relationship, body.item)[1], "item handed on")
    await work.say(Draft(row.relationship, Relayed(request=given.request, item=body.item, letter=body.letter)))
