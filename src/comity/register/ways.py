"""On its way: carried, lost and found again (Articles 12, 17; ``spec/custody.md`` steps 10 and 12 to 14).

Two things may be said by either party while a copy is on its way between them, because either's carrier may have it:
that it was carried, and that it is lost. So the carriers of each side follow on their own, and who has it follows from
the receipts that there are, not from the order in which a side heard of them. What comes too late, because its author
could not know that the way had ended, is kept in the chain of custody and changes nothing else.
"""

from __future__ import annotations

from typing import cast

import msgspec

from comity.record import bodies
from comity.record.bodies.custody import Carried, CopyFound, CopyLost
from comity.record.statement import Record
from comity.register.keeping import (
    Held,
    check_holder,
    check_keeper,
    check_state,
    copy_of,
    held_copy,
    more,
    reads,
    sides_of_way,
)
from comity.register.officers import check_officer
from comity.register.rows import Carrier, Facts
from comity.register.verdict import Context, Put, Rule, check_after, no


def _carried(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, author = cast("Carried", record.body), record.statement.author
    held = held_copy(context, facts, record)
    carrier = check_officer(facts, record).pseudonym
    copy, abroad = held.copy, author != context.party
    sides, before = sides_of_way(copy, held.keeper, held.other), copy.carrier(author)
    newest = copy.last if before is None else before.record
    if abroad and body.after != newest and _late(held, record):
        return []
    if author not in sides or not (abroad or copy.state == "in transit"):
        raise no("copy-state", f"copy {copy.number} is {copy.state}; it is not on a way on which {author!r} carries it")
    if carrier == copy.taker or (before is not None and carrier == before.by):  # (10)
        raise no("same-hands", f"{carrier!r} has copy {copy.number} already, or is the one who signs for it at the end")
    check_after(body.after, newest)
    beyond = next((each for each in copy.carriers if sides.index(each.party) > sides.index(author)), None)
    if beyond is not None and not abroad:  # the other side could not know; then his receipt counts none the less
        raise no("gone-over", f"copy {copy.number} has gone over to {beyond.by!r}, a carrier of {beyond.party!r}")
    others = (each for each in copy.carriers if each.party != author)
    newly = (Carrier(author, carrier, record.id), *others)
    carriers = tuple(sorted(newly, key=lambda each: sides.index(each.party)))
    return [Put(copy_of(record), msgspec.structs.replace(copy, carriers=carriers))]


def _late(held: Held, record: Record) -> bool:
    """(12) Whether the other side may have ended the way, or begun another, before the author could know."""
    copy = held.copy
    if record.statement.author == held.keeper:
        return copy.state == "returned"
    return copy.last != copy.consignment and copy.state != "returned"


# ---- lost and found -------------------------------------------------------------------------------------------------


def _lost(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, author = cast("CopyLost", record.body), record.statement.author
    held = held_copy(context, facts, record)
    check_officer(facts, record)
    copy, abroad = held.copy, author != context.party
    sides = sides_of_way(copy, held.keeper, held.other)
    if abroad and body.after != copy.last and _late(held, record):
        return []
    if abroad and author in sides and copy.state == "lost" and body.after == copy.last:  # (13) both said so
        return []
    if author != held.keeper and author not in sides:  # (13) else a carrier of its own had it
        raise no("copy-state", f"copy {copy.number} is {copy.state}; it is not on a way on which {author!r} carries it")
    check_state(copy, "held", "in transit")
    check_after(body.after, copy.last)
    last = copy.last if copy.sent is not None else record.id  # on its way, its taker names the record that sent it off
    return [Put(copy_of(record), msgspec.structs.replace(copy, state="lost", last=last))]


def _found(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, author = cast("CopyFound", record.body), record.statement.author
    held = held_copy(context, facts, record)
    check_keeper(held, record)
    check_holder(held, check_officer(facts, record))
    copy = held.copy
    if author != context.party and body.after != copy.last and _late(held, record):  # (14) it has come back meanwhile
        return [Put(copy_of(record), msgspec.structs.replace(copy, found=record.id))]
    check_state(copy, "lost")
    check_after(body.after, copy.last)
    state = "held" if copy.sent is None else "in transit"
    there = msgspec.structs.replace(copy, state=state, carriers=(), found=record.id, last=record.id)
    return [Put(copy_of(record), there)]  # who carried it has lost it


WAY_RULES: dict[type[bodies.Body], Rule] = {
    Carried: Rule(reads, _carried, more),
    CopyLost: Rule(reads, _lost, more),
    CopyFound: Rule(reads, _found, more),
}
"""The rule of every record type about what is on its way, lost or found."""
