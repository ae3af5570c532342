"""Handing on: an item of another party's goes to a third, by way of this house and with its originator's consent.

It is asked for like any release: decided, under the agreement with the party to which it goes and under the one by
which it came; approved by somebody else; assured by that party as far as the agreement asks. The sealed bytes are those
of the originator; only the headers of the new copies are made here (``spec/routes.md``).
"""

from __future__ import annotations

from collections.abc import Sequence

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
from comity.flows.handling.rewrapping import Rewrap, Rewrapped, check_rewrapped
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, ConsignmentRow, CopyRow, DirectoryRow, ItemRow, PersonRow
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
        rewrapped: of an officer in strict custody, what he made on his side.
    """

    item: str
    relationship: str
    recipients: tuple[str, ...]
    purpose: str
    actor: Actor
    preview: bool = False
    request: str | None = None
    otherwise: tuple[Place, ...] = ()
    rewrapped: Rewrapped | None = None


class HandedOnward(Given, frozen=True, kw_only=True):
    """Where a handing on stands; ``rewrap`` is what an officer in strict custody has to do on his side first."""

    rewrap: Rewrap | None = None


async def hand_on(house: House, request: HandOn) -> HandedOnward:
    """Ask that a received item be handed on. What is refused is recorded as refused, and nothing is sealed.

    Raises:
        Misuse: no such item, it is this house's own, somebody unknown was named, or what an officer in strict custody
            made on his side is not what he was asked for.
        Refused: it would come back to where it is from, did not come from its originator, or whoever asks holds no
            copy.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    officer = await house.person(request.actor.handle)
    item = await visible_item(house, None, request.item, await viewer(house, request.actor))
    by, wishes = await _wishes(house, request, item, officer)
    wish, first = await decide_wish(house, wishes, by.agreement)
    if first.outcome not in POSSIBLE:
        return _told(first)
    if request.preview:
        return _told(msgspec.structs.replace(first, alternative=wish.alternative))
    copy = await _copy(house, by.relationship, item, officer)
    entries = await directory_entries(house.sequencer.rows.get, wish.row, wish.asked.recipients)
    keys = [each.recipient for each in entries]
    if officer.custody == "served":
        headers = await _wrapped(house, copy, keys)
    elif request.rewrapped is None:
        told = _told(first)
        return msgspec.structs.replace(
            told, rewrap=Rewrap(header=await header_of(house, copy.header), recipients=tuple(keys))
        )
    else:
        headers = check_rewrapped(request.rewrapped, keys)
    prepared = await _prepared(house, by, item, copy, entries, headers)
    signed = await house.sign(wish.requested, DOMESTIC, request.actor)

    async def ask(work: Work) -> HandedOnward:
        return _told(await ask_for(house, work, wish, signed, prepared, first))

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


def _told(given: Given) -> HandedOnward:
    return HandedOnward(**{name: getattr(given, name) for name in Given.__struct_fields__})


async def _wrapped(house: House, copy: CopyRow, keys: Sequence[str]) -> tuple[bytes, ...]:
    """A header for each recipient, made by the node from that of the officer's own copy."""
    identities = [parse_identity(secret) for secret in house.keys.registry()]
    file_key = open_header(await header_of(house, copy.header), identities)
    return tuple(seal_header(file_key, [parse_recipient(each)], house.entropy) for each in keys)


async def _prepared(
    house: House,
    by: AgreementRow,
    item: ItemRow,
    copy: CopyRow,
    entries: Sequence[DirectoryRow],
    headers: Sequence[bytes],
) -> Prepared:
    """The originator's sealed bytes, with a header for each recipient."""
    sealed = await sealed_content(house, by.relationship, copy)
    given = await house.need(ConsignmentRow, copy.consignment.hex(), "consignment")
    return Prepared(
        payload=sealed.payload,
        size=given.size,
        content=item.content,
        length=item.size,
        headers=tuple((each.pseudonym, each.recipient, header) for each, header in zip(entries, headers, strict=True)),
    )


async def _copy(house: House, relationship: str, item: ItemRow, officer: PersonRow) -> CopyRow:
    holder = house.pseudonym(relationship, officer.person)
    async for _, copy in house.rows(CopyRow, f"{relationship}/{item.item}/"):
        if copy.holder == holder and copy.at_hand:
            return copy
    raise Refused("whoever hands an item on holds a copy of it; this person holds none", code="not-holder")
