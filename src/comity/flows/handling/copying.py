"""Copying: further numbered copies of one that somebody holds (Article 14, ``spec/custody.md`` steps 6 to 8).

Decided for the person who copies together with everybody who is to hold one. Each copy has its own number and its own
key; the content is not sealed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import answer, handling_case, outcome_word, record_decision
from comity.flows.deciding.marking import own_marking
from comity.flows.handling.custody import (
    Found,
    Place,
    check_own,
    check_state,
    entry_of,
    find_copy,
    pseudonym,
    say_in_each,
    sign_in_each,
)
from comity.flows.handling.rewrapping import Rewrap, Rewrapped, new_headers, still_permitted, to_rewrap
from comity.flows.house import House
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.work import Work
from comity.record.bodies.custody import Reproduced
from comity.record.bodies.giving import CopyMade
from comity.record.encoding import LIST_ENTRIES_MAX
from comity.record.person_act import unsigned
from comity.register.marks import marks_more, marks_reads, possible_marks
from comity.register.rows import CopyRow, PersonRow
from comity.register.rows.custody import RECIPIENT_NUMBERS_FROM, ReproducedRow
from comity.register.rows.ending import RecallRow, recall_key

REPRODUCTION = "14"
"""The clause about copies."""


class MakeCopies(msgspec.Struct, frozen=True, kw_only=True):
    """Make further copies of a copy that one holds.

    Attributes:
        item: item id, or the reference of the copy.
        copy: number of the copy that is copied; not needed with a reference.
        holders: handles of the people of this house who get one each; the same may be named again.
        purpose: what for.
        actor: who holds the copy and copies it.
        relationship: where it was given, when there are several.
        rewrapped: of a holder in strict custody, what he made on his side.
    """

    item: str
    copy: int | None = None
    holders: tuple[str, ...]
    purpose: str
    actor: Actor
    relationship: str | None = None
    rewrapped: Rewrapped | None = None


class NewCopy(msgspec.Struct, frozen=True):
    """A copy that was made: its number, and whom it is for."""

    number: int
    holder: str
    handle: str


class CopiesMade(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        item: item id.
        copy: number of the copy that was copied.
        outcome: of the decision.
        decision: the decision.
        decision_record: its record id in hex.
        made: the copies; none when it was refused, or where the holder has still to do his part.
        marks: what stands on each of them.
        records: ids of the records in hex, by relationship.
        rewrap: what a holder in strict custody has to do on his side.
    """

    item: str
    copy: int
    outcome: str
    decision: decision.Outcome
    decision_record: str
    made: tuple[NewCopy, ...] = ()
    marks: tuple[str, ...] = ()
    records: dict[str, str] = {}
    rewrap: Rewrap | None = None


async def make_copies(house: House, request: MakeCopies) -> CopiesMade:
    """Make copies, or say why not. What is refused is recorded as refused.

    Raises:
        Misuse: no such item or person, nobody is to hold a copy, or too many are.
        Refused: it is not his copy, it is not held or recalled, a new holder is not listed, or its mark here was not
            chosen yet.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    if not 1 <= len(request.holders) <= LIST_ENTRIES_MAX:
        raise Misuse(f"name from 1 to {LIST_ENTRIES_MAX} people who are to hold a copy", code="holders")
    found = await find_copy(house, request.item, request.copy, request.actor, request.relationship)
    check_own(house, found)
    check_state(found, "only a held copy can be copied", "held")
    await _check_recall(house, found)
    holders = [await house.person(each) for each in request.holders]
    entries = [await entry_of(house, found.first, each) for each in holders]
    recipients = [entry.recipient for entry in entries]
    marks = await _marks(house, found)
    told = await _decide(house, found, request, holders)
    if told.outcome != "permit":
        return told
    headers = await new_headers(house, found, request.rewrapped, recipients)
    if headers is None:
        return msgspec.structs.replace(told, rewrap=await to_rewrap(house, found, recipients))
    numbers = await _numbers(house, found, len(holders))
    decided = bytes.fromhex(told.decision_record)

    def body(place: Place, name: str) -> Reproduced:
        made = zip(numbers, holders, headers, strict=True)
        return Reproduced(
            item=found.item.item,
            copy=found.number,
            copies=tuple(
                CopyMade(number, pseudonym(house, place, holder), sha256(header).digest())
                for number, holder, header in made
            ),
            marks=marks,
            purpose=request.purpose,
            basis=basis(house, decided),
            by=name,
            after=place.copy.last,
            signature=unsigned(),
        )

    said = await sign_in_each(house, found, request.actor, body)

    async def say(work: Work) -> dict[str, str]:
        records = await say_in_each(work, said, found.person.function)
        for header in headers:
            work.put_side(HEADER, sha256(header).hexdigest(), header)
        return {record.statement.relationship: record.id.hex() for record in records}

    records = await house.sequencer.submit(say)
    names = [await house.handle(each.person) for each in holders]
    copies = tuple(
        NewCopy(number, pseudonym(house, found.first, holder), handle)
        for number, holder, handle in zip(numbers, holders, names, strict=True)
    )
    return msgspec.structs.replace(told, made=copies, marks=marks, records=records)


async def _decide(house: House, found: Found, request: MakeCopies, holders: Sequence[PersonRow]) -> CopiesMade:
    """(6) For the one who copies and all who are to hold one; put again, and not recorded again, in strict custody."""
    row = found.first.row
    running = await house.library.load(row)
    item, person = found.item, found.person
    made = await house.row(ReproducedRow, f"{row.relationship}/{item.item}/{house.party}")
    copies = (made.copies if made is not None else 0) + len(holders)

    async def decide(work: Work) -> CopiesMade:
        case = await handling_case(
            house,
            row,
            item,
            person,
            "copy",
            request.purpose,
            work.at,
            read=work.facts,
            beside=holders,
            copies=copies,
        )
        outcome = answer(running, case)
        if request.rewrapped is not None:
            decided = await still_permitted(house, request.rewrapped, case, outcome)
        else:
            decided = (await record_decision(work, row, case, outcome)).id
        return CopiesMade(
            item=item.item,
            copy=found.number,
            outcome=outcome_word(outcome),
            decision=outcome,
            decision_record=decided.hex(),
        )

    return await house.sequencer.submit(decide)


async def _check_recall(house: House, found: Found) -> None:
    for place in found.places:
        recall = await house.row(RecallRow, recall_key(place.relationship, found.item.item)[1])
        if recall is not None and recall.recalled:
            raise Refused(
                f"item {found.item.item!r} is recalled; it is not copied any more", code="recalled", place=REPRODUCTION
            )


async def _marks(house: House, found: Found) -> tuple[str, ...]:
    """(8) The original mark as it is now, and this party's own beside it."""
    place, item = found.first, found.item.item
    facts = await house.sequencer.rows.get(marks_reads(place.relationship, item))
    facts |= await house.sequencer.rows.get(marks_more(facts, place.relationship, item))
    mark = possible_marks(facts, place.relationship, item)[0]
    if not mark:
        return ()
    if place.made is not None:
        return (mark,)
    return (mark, (await own_marking(house, place.row, found.item)).alternative.mark)


async def _numbers(house: House, found: Found, count: int) -> list[int]:
    """(7) The next numbers: from 1001 of what was received, below it of what was made here."""
    place = found.first
    if place.made is None:
        row = await house.row(ReproducedRow, f"{place.relationship}/{found.item.item}/{house.party}")
        first = RECIPIENT_NUMBERS_FROM + (row.copies if row is not None else 0)
        return list(range(first, first + count))
    taken = 0
    for each in found.places:
        async for _, copy in house.rows(CopyRow, f"{each.relationship}/{found.item.item}/"):
            taken = max(taken, copy.number if copy.number < RECIPIENT_NUMBERS_FROM else 0)
    if taken + count >= RECIPIENT_NUMBERS_FROM:
        raise Refused(
            f"at most {RECIPIENT_NUMBERS_FROM - 1} copies can be numbered by whoever made an item",
            code="copy-number",
            place=REPRODUCTION,
        )
    return list(range(taken + 1, taken + 1 + count))
