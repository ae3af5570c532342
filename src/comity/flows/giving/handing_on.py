"""Handing on: an item of another party's goes to a third, by way of this house and with its originator's consent.

It is asked for like any release: decided, under the agreement with the party to which it goes and under the one by
which it came; approved by somebody else; assured by that party as far as the agreement asks. The sealed bytes are those
of the originator; only the headers of the new copies are made here (``spec/routes.md``).
"""

from __future__ import annotations

import msgspec

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deciding.cases import new_item
from comity.flows.deciding.marking import own_marking
from comity.flows.deciding.picking import Place
from comity.flows.deciding.visibility import viewer, visible_item
from comity.flows.giving.content import Prepared
from comity.flows.giving.content import recipient as parse_recipient
from comity.flows.giving.release import (
    POSSIBLE,
    Given,
    Wish,
    ask_for,
    check_one_party,
    decide_wish,
    directory_entries,
    request_row,
)
from comity.flows.giving.sealed import header_of, sealed_content
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, ConsignmentRow, CopyRow, ItemRow, PersonRow
from comity.seal.age import open_header, seal_header
from comity.seal.keys import parse_identity


class HandOn(msgspec.Struct, frozen=True, kw_only=True):
    """Ask that a received item be given to people of another party.

    Attributes:
        item: item id; whoever asks holds a copy of it.
        relationship: with whom, under which agreement.
        recipients: pseudonyms in that party's directory; never empty.
        purpose: what for, in the very words of the originator's consent.
        actor: the officer who asks.
        preview: only decide; nothing is sealed or asked for.
        request: identifier for the request, for an officer who signs elsewhere.
        otherwise: other agreements with the same party; it goes under the one by which it may (``spec/routes.md`` 13).
    """

    item: str
    relationship: str
    recipients: tuple[str, ...]
    purpose: str
    actor: Actor
    preview: bool = False
    request: str | None = None
    otherwise: tuple[Place, ...] = ()


async def hand_on(house: House, request: HandOn) -> Given:
    """Ask that a received item be handed on. What is refused is recorded as refused, and nothing is sealed.

    Raises:
        Misuse: no such item, it is this house's own, or somebody unknown was named.
        Refused: it would come back to where it is from, did not come from its originator, or whoever asks holds no copy
            that this node can open.
    """
    officer = await house.person(request.actor.handle)
    item = await visible_item(house, None, request.item, await viewer(house, request.actor))
    by, wishes = await _wishes(house, request, item, officer)
    wish, first = await decide_wish(house, wishes, by.agreement)
    if first.outcome not in POSSIBLE:
        return first
    if request.preview:
        return msgspec.structs.replace(first, alternative=wish.alternative)
    prepared = await _prepared(house, by, item, officer, wish)
    signed = await house.sign(wish.requested, DOMESTIC, request.actor)

    async def ask(work: Work) -> Given:
        return await ask_for(house, work, wish, signed, prepared, first)

    return await house.sequencer.submit(ask)


async def _wishes(house: House, request: HandOn, item: ItemRow, officer: PersonRow) -> tuple[AgreementRow, list[Wish]]:
    """The agreement by which an item came, and what is wanted under each by which it may go on."""
    places = (Place(relationship=request.relationship, recipients=request.recipients), *request.otherwise)
    rows = [await house.agreement_row(each.relationship) for each in places]
    check_one_party(rows)
    by = await came(house, item, rows[0])
    label = (await own_marking(house, by, item)).alternative
    name = request.request or house.new_name("r")
    return by, [
        Wish(
            row,
            await house.library.load(row),
            officer,
            new_item(item.item, row.agreement, label, item.form, item.subject, item.topic, item.provided or ""),
            request_row(house, name, item.item, row, place.recipients, request.purpose, officer.person),
        )
        for place, row in zip(places, rows, strict=True)
    ]


async def came(house: House, item: ItemRow, row: AgreementRow) -> AgreementRow:
    """The agreement by which an item came, once it is shown that it may go on to the other party of ``row``.

    Raises:
        Misuse: it is this house's own, or was made here.
        Refused: it would go round in a circle, came by another's hand, or is a thing that is not sealed.
    """
    if item.relationship == DOMESTIC:
        made = "made here from what was received" if item.contains else "this house's own; give it"
        raise Misuse(f"item {item.item!r} is {made}", code="derived" if item.contains else "own-item")
    by = await house.agreement_row(item.relationship)
    if row.peer in {item.originator, by.peer}:
        raise Refused(
            f"item {item.item!r} came from {row.peer!r}; it can be returned there, and not handed on",
            code="looped-route",
        )
    if by.peer != item.originator:
        raise Refused(
            f"item {item.item!r} is {item.originator!r}'s and came by way of {by.peer!r}; only who has it from its "
            "originator can hand it on",
            code="not-originator",
        )
    if item.form == "equipment":
        raise Refused(f"item {item.item!r} is equipment; what goes on is sealed content", code="form")
    return by


async def _prepared(house: House, by: AgreementRow, item: ItemRow, officer: PersonRow, wish: Wish) -> Prepared:
    """The originator's sealed bytes, with a header for each recipient, made from that of the officer's own copy.

    Raises:
        Refused: the officer holds no copy, or this node cannot open it.
    """
    copy = await _copy(house, by.relationship, item, officer)
    if officer.custody == "strict":
        raise Refused(
            "this person's copy opens with his own key only; it is handed on by somebody whose copy this node opens",
            code="strict-custody",
        )
    entries = await directory_entries(house.sequencer.rows.get, wish.row, wish.asked.recipients)
    sealed = await sealed_content(house, by.relationship, copy)
    given = await house.need(ConsignmentRow, copy.consignment.hex(), "consignment")
    identities = [parse_identity(secret) for secret in house.keys.registry()]
    file_key = open_header(await header_of(house, copy.header), identities)
    headers = tuple(
        (each.pseudonym, each.recipient, seal_header(file_key, [parse_recipient(each.recipient)], house.entropy))
        for each in entries
    )
    return Prepared(payload=sealed.payload, size=given.size, content=item.content, length=item.size, headers=headers)


async def _copy(house: House, relationship: str, item: ItemRow, officer: PersonRow) -> CopyRow:
    holder = house.pseudonym(relationship, officer.person)
    async for _, copy in house.rows(CopyRow, f"{relationship}/{item.item}/"):
        if copy.holder == holder and copy.at_hand:
            return copy
    raise Refused("whoever hands an item on holds a copy of it; this person holds none", code="not-holder")
