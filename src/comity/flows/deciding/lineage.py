"""Lineage: what an item came from and what was made from it, over all relationships (``spec/lineage.md``).

Something made from received information is registered in every relationship that one of its ancestors came by, and
nowhere else. So all that the agreement of one relationship protects stands in that relationship's rows, and a walk that
stays within them finds all of it; a walk over the whole house goes through each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, cast

import msgspec

from comity.agreement.vocabulary import Relation
from comity.decision import model as decision
from comity.errors import Refused
from comity.flows.deciding.marking import own_marking
from comity.flows.house import House
from comity.flows.keeping.committed import ReadRows
from comity.marking.label import Label
from comity.record.bodies.lineage import ANCESTORS_MAX
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, ItemRow, Key, Row
from comity.register.rows.ending import RecallRow, recall_key
from comity.register.rows.incidents import SuspicionRow, suspicion_key
from comity.register.rows.lineage import DerivativeRow, derivative_key


class Known(NamedTuple):
    """What one relationship knows of an item.

    Attributes:
        row: the item itself; None at a party that never had it.
        made: how it was made, where it was made from that relationship's items.
        recalled: whoever gave it has asked for it back.
        suspected: an incident about it is open there.
    """

    row: ItemRow | None
    made: DerivativeRow | None
    recalled: bool
    suspected: bool


async def agreements(house: House) -> dict[str, AgreementRow]:
    """Every running agreement of this house by its relationship, in ascending order."""
    return {relationship: row async for relationship, row in house.rows(AgreementRow)}


async def relationships_of(house: House, item: str, *, read: ReadRows | None = None) -> tuple[str, ...]:
    """The relationships whose agreements protect an item: where an act about it or a copy of it is recorded.

    For what was received the one it came by; for what was made here from received information each that an ancestor
    came by, ascending; none for what is this house's own. An act about a copy is recorded once in each (9).
    """
    read = read or house.sequencer.rows.get
    known = await _known(read, list(await agreements(house)), item)
    return tuple(each for each, of in known.items() if _protects(each, of))


def _protects(relationship: str, known: Known) -> bool:
    return known.made is not None or (known.row is not None and known.row.relationship == relationship)


async def _known(read: ReadRows, relationships: Iterable[str], item: str) -> dict[str, Known]:
    """What each relationship knows of one item."""
    places = list(relationships)
    facts = await read(
        [
            (ItemRow.table, item),
            *(derivative_key(each, item) for each in places),
            *(recall_key(each, item) for each in places),
            *(suspicion_key(each, item) for each in places),
        ]
    )
    return {each: _of(facts, each, item) for each in places}


def _of(facts: dict[Key, Row | None], relationship: str, item: str) -> Known:
    recall = cast("RecallRow | None", facts[recall_key(relationship, item)])
    suspicion = cast("SuspicionRow | None", facts[suspicion_key(relationship, item)])
    return Known(
        cast("ItemRow | None", facts[ItemRow.table, item]),
        cast("DerivativeRow | None", facts[derivative_key(relationship, item)]),
        recalled=recall is not None and recall.recalled,
        suspected=suspicion is not None,
    )


async def ancestors_of(house: House, item: str) -> list[str]:
    """Everything an item was made from, in whatever relationship, nearest first."""
    running = tuple(await agreements(house))
    found: dict[str, None] = {}
    generation = [item]
    while generation:
        facts = await house.sequencer.rows.get(derivative_key(place, each) for each in generation for place in running)
        above = [each for row in facts.values() if isinstance(row, DerivativeRow) for each in row.ancestors]
        generation = [each for each in dict.fromkeys(above) if each not in found and each != item]
        found.update(dict.fromkeys(generation))
    return list(found)


async def registered(house: House, item: str, *, read: ReadRows | None = None) -> ItemRow | None:
    """The row of an item, whichever side registered it: what the other party made from ours has only its derivation."""
    read = read or house.sequencer.rows.get
    row = (await read([(ItemRow.table, item)]))[ItemRow.table, item]
    if isinstance(row, ItemRow):
        return row
    facts = await read([derivative_key(place, item) for place in await agreements(house)])
    return next((as_item(None, made) for made in facts.values() if isinstance(made, DerivativeRow)), None)


def is_own(item: ItemRow) -> bool:
    """Whether it is this house's own: neither received, nor made from what was received."""
    return item.relationship == DOMESTIC and not item.contains


async def originals(house: House, relationship: str, made: DerivativeRow) -> list[ItemRow]:
    """What was given by the other party of a relationship, of all that ``made`` came from, nearest first."""
    walk = _Walk(house.sequencer.rows.get, await house.agreement_row(relationship), "")
    await walk.up(made)
    return [each for each in reversed(walk.rows) if not each.contains]


class Ancestry(msgspec.Struct, frozen=True, kw_only=True):
    """An item with all it came from, as the decision sees it.

    Attributes:
        item: with its lineage.
        agreements: the rows of every agreement that takes part, by relationship; the first is the item's own.
        rows: of the item and of each ancestor the row its consents are looked up by, with its relationship.
    """

    item: decision.Item
    agreements: dict[str, AgreementRow]
    rows: tuple[tuple[str, ItemRow], ...]


async def ancestry(house: House, read: ReadRows, row: AgreementRow, item: ItemRow, purpose: str) -> Ancestry:
    """An item, and every ancestor under the agreement it was provided under (``spec/decision.md`` step 18).

    Args:
        house: this house.
        read: where the rows come from.
        row: the agreement under which it is decided.
        item: the item, ours, received, or made from what was received.
        purpose: what it is given for, where it did not come to us for another.

    Raises:
        Refused: it has more ancestors than one decision can name.
    """
    running = {row.relationship: row, **await agreements(house)}
    known = await _known(read, running, item.item)
    rows: list[tuple[str, ItemRow]] = [(row.relationship, as_item(item, known[row.relationship].made))]
    top = _described(row, item.item, known[row.relationship], item, purpose)
    beside: list[decision.Item] = []
    taking_part = [row.relationship]
    if item.relationship not in (DOMESTIC, row.relationship):  # it is handed on: as it is marked here, and as it came
        came = running[item.relationship]
        marked = await own_marking(house, came, item)
        top = msgspec.structs.replace(top, label=marked.alternative, relation="copy")
        beside.append(_described(came, item.item, known[came.relationship], item, purpose))
        rows.append((came.relationship, item))
        taking_part.append(came.relationship)
    for relationship, of in known.items():
        if of.made is None:
            continue
        walk = _Walk(read, running[relationship], purpose)
        ancestors = await walk.up(of.made)
        rows += [(relationship, each) for each in walk.rows]
        if relationship == row.relationship:
            top = msgspec.structs.replace(top, lineage=ancestors)
        else:
            here = _described(running[relationship], item.item, of, item, purpose)
            beside.append(msgspec.structs.replace(here, lineage=ancestors))
            rows.append((relationship, as_item(item, of.made)))
    if sum(each.item != item.item for _, each in rows) > ANCESTORS_MAX:
        raise too_many(item.item)
    taking_part += (each for each, of in known.items() if of.made is not None and each != row.relationship)
    return Ancestry(
        item=msgspec.structs.replace(top, lineage=(*top.lineage, *beside)),
        agreements={each: running[each] for each in taking_part},
        rows=tuple(rows),
    )


class _Walk:
    """Up from something made, within one relationship, a generation at a time; each ancestor is met once."""

    def __init__(self, read: ReadRows, row: AgreementRow, purpose: str) -> None:
        self.rows: list[ItemRow] = []
        self._read = read
        self._row = row
        self._purpose = purpose

    async def up(self, made: DerivativeRow) -> tuple[decision.Item, ...]:
        """The ancestors of ``made``, each with its own."""
        relationship = self._row.relationship
        found: dict[str, Known] = {}
        below: dict[str, list[str]] = {made.item: list(made.ancestors)}
        generation = list(made.ancestors)
        while generation:
            if len(found) + len(generation) > ANCESTORS_MAX:
                raise too_many(made.item)
            facts = await self._read([key for each in generation for key in _keys(relationship, each)])
            for each in generation:
                found[each] = _of(facts, relationship, each)
            following: list[str] = []
            for each in generation:
                of = found[each].made
                new = [above for above in (of.ancestors if of else ()) if above not in found and above not in following]
                below[each] = new
                following += new
            generation = following
        items: dict[str, decision.Item] = {}
        for each in reversed(found):  # a generation is met before the ones above it
            known = found[each]
            described = _described(self._row, each, known, known.row, self._purpose)
            items[each] = msgspec.structs.replace(described, lineage=tuple(items[above] for above in below[each]))
            if known.row is not None or known.made is not None:
                self.rows.append(as_item(known.row, known.made))
        return tuple(items[each] for each in made.ancestors)


def too_many(item: str) -> Refused:
    """The error about an item of which one decision cannot name all ancestors."""
    return Refused(
        f"item {item!r} has more than {ANCESTORS_MAX} ancestors, and a decision cannot name them all; make something "
        "from fewer of them",
        code="lineage-too-long",
    )


def _keys(relationship: str, item: str) -> tuple[Key, ...]:
    return (
        (ItemRow.table, item),
        derivative_key(relationship, item),
        recall_key(relationship, item),
        suspicion_key(relationship, item),
    )


def _described(row: AgreementRow, item: str, known: Known, own: ItemRow | None, purpose: str) -> decision.Item:
    """An item as the decision under one agreement sees it; its label is the one that relationship knows."""
    shape = known.made or own
    assert shape is not None  # a derivation names only ancestors that are registered
    provided = known.made.purpose if known.made is not None else own.provided if own is not None else None
    relation: Relation = known.made.relation if known.made is not None else "original"
    return decision.Item(
        id=item,
        agreement=row.agreement,
        label=shape.label,
        form=shape.form,  # type: ignore[arg-type]  # the register keeps the word as it came; step 5 checks it
        subject=shape.subject,
        purpose=provided or purpose,
        need_to_know=(shape.topic,),
        relation=relation,
        recalled=known.recalled,
        suspected=known.suspected,
    )


def as_item(item: ItemRow | None, made: DerivativeRow | None) -> ItemRow:
    """The row of an item as one relationship knows it: of what was made there, with the label it has there."""
    if made is None:
        assert item is not None  # one of the two is there
        return item
    label: Label = made.label
    return ItemRow(
        item=made.item,
        label=label,
        form=made.form,
        topic=made.topic,
        subject=made.subject,
        size=0 if item is None else item.size,
        content=made.content,
        originator=label.originator,
        registered=made.at,
        provided=made.purpose,
        contains=made.ancestors,
    )
