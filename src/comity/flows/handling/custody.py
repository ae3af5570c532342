"""Custody: a copy of an item as somebody of this house has it, wherever it is registered (``spec/custody.md``).

What was made here from received information belongs to several relationships, and what is done with a copy of it is
said in each (1). Everything that is done with a copy begins here: whether the person may see the item, which copy he
means, and whether it is his.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import msgspec

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deciding.lineage import registered
from comity.flows.deciding.visibility import Sight, may_see, viewer, visible_item
from comity.flows.handling.copy_references import REFERENCE_PREFIX, copy_by_reference, no_such_reference
from comity.flows.house import PSEUDONYM_OF, House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies import Body
from comity.record.statement import Record
from comity.register.keeping import sides_of_way
from comity.register.roles import REGISTRY
from comity.register.rows import AgreementRow, ConsignmentRow, CopyRow, DirectoryRow, ItemRow, PersonRow, copy_key
from comity.register.rows.lineage import DerivativeRow, derivative_key

B = TypeVar("B", bound=Body)
CUSTODY = "9"
"""The clause by which whoever holds something answers for it."""
TRANSIT = "12"
"""The clause about what is on its way."""


class Place(msgspec.Struct, frozen=True):
    """A copy in one relationship: the agreement, its row there, and whose people hold it.

    ``made`` is how it was made, where this house made it from received information.
    """

    row: AgreementRow
    copy: CopyRow
    keeper: str
    made: DerivativeRow | None = None

    @property
    def relationship(self) -> str:
        """Which one."""
        return self.row.relationship


class Found(msgspec.Struct, frozen=True):
    """A copy that somebody of this house names; the first place is the one under which things are decided."""

    item: ItemRow
    person: PersonRow
    places: tuple[Place, ...]

    @property
    def first(self) -> Place:
        """Where it is decided."""
        return self.places[0]

    @property
    def number(self) -> int:
        """Number of the copy."""
        return self.first.copy.number


def no_copy(item: str, number: int) -> Refused:
    """(20) The one answer about a copy that is not there, and about one that is somebody else's."""
    return Refused(
        f"there is no copy {number} of item {item!r} in these hands; 'comity copy list {item}' shows which there are",
        code="not-holder",
        place=CUSTODY,
    )


async def find_copy(
    house: House, item: str, number: int | None, actor: Actor, relationship: str | None = None, *, in_hand: bool = False
) -> Found:
    """The copy that somebody means: by item and number, or by the reference on its label.

    Args:
        house: this house.
        item: item id, or the reference of a copy.
        number: of the copy; not needed with a reference.
        actor: who means it; a person of this house.
        relationship: where it was given, when there are several.
        in_hand: whoever names the reference has the thing itself in his hands, and need not see what it is (18).

    Raises:
        Misuse: there is no such item or copy for him, or several are meant.
    """
    person = await house.person(actor.handle)
    if item.startswith(REFERENCE_PREFIX):
        relationship, copy = await copy_by_reference(house, item)
        known = await registered(house, copy.item)
        if known is None or (not in_hand and not await may_see(house, known, person)):
            raise no_such_reference(item)
        row, number = known, copy.number
    else:
        row = await visible_item(house, None, item, person)
    if number is None:
        raise await _which_copy(house, row, person)
    places = await _places(house, row.item, number)
    if not places:
        raise no_copy(row.item, number)
    if len(places) > 1 and any(place.made is None for place in places):
        named = [place for place in places if place.relationship == relationship]
        if not named:
            listed = ", ".join(place.relationship for place in places)
            raise Misuse(f"copy {number} of {row.item!r} is in {listed}; name one of them", code="which-relationship")
        places = named
    return Found(row, person, tuple(places))


async def _which_copy(house: House, item: ItemRow, person: PersonRow) -> Misuse:
    """Which numbers there are to choose from; it is not guessed, for what is done may be final."""
    sight = Sight(house, person)
    numbers = {copy.number for name, _ in await house.relationships() async for copy in sight.copies(name, item)}
    there = ", ".join(f"copy {number}" for number in sorted(numbers)) or "none that he sees"
    return Misuse(f"name the copy by its number, {item.item!r} has {there}", code="which-copy")


async def _places(house: House, item: str, number: int) -> list[Place]:
    """Where a copy of this number is registered; first where it was made here, if it was."""
    rows = [row async for _, row in house.rows(AgreementRow)]
    keys = [copy_key(row.relationship, item, number) for row in rows]
    keys += [derivative_key(row.relationship, item) for row in rows]
    facts = await house.sequencer.rows.get(keys)
    found: list[Place] = []
    for row in rows:
        copy = facts[copy_key(row.relationship, item, number)]
        made = facts[derivative_key(row.relationship, item)]
        if not isinstance(copy, CopyRow):
            continue
        if isinstance(made, DerivativeRow) and made.record == copy.consignment:
            found.append(Place(row, copy, made.maker, made))
            continue
        consignment = await house.need(ConsignmentRow, copy.consignment.hex(), "consignment")
        found.append(Place(row, copy, row.peer if consignment.author == house.party else house.party))
    made_here = [place for place in found if place.made is not None and place.keeper == house.party]
    return made_here or found


def pseudonym(house: House, place: Place, person: PersonRow) -> str:
    """How a person is known in the relationship of a place."""
    return house.pseudonym(place.relationship, person.person)


def is_holder(house: House, found: Found) -> bool:
    """Whether the person who means a copy holds it."""
    place = found.first
    return place.keeper == house.party and place.copy.holder == pseudonym(house, place, found.person)


def check_own(house: House, found: Found, *, registry: bool = False) -> None:
    """Check that it is his copy; ``registry`` lets the registry of this house act for the holder.

    Raises:
        Refused: it is not.
    """
    place = found.first
    acts_for = registry and REGISTRY in found.person.roles and place.keeper == house.party
    if not is_holder(house, found) and not acts_for:
        raise no_copy(found.item.item, found.number)


def check_state(found: Found, doing: str, *states: str) -> None:
    """Check that a copy is in one of some states.

    Raises:
        Refused: it is in another one.
    """
    copy = found.first.copy
    if copy.state not in states:
        raise Refused(f"copy {copy.number} is {copy.state}; {doing}", code="copy-state", place=CUSTODY)
    if copy.state == "held" and not copy.at_hand:
        raise Refused(
            f"copy {copy.number} is being destroyed; it stays closed until that is settled", code="copy-closed"
        )


def check_away(house: House, found: Found) -> None:
    """Check that people of this house may have the copy on its way (10).

    Raises:
        Refused: it is in the hands of the other party's people, or has nothing that travels.
    """
    place = found.first
    other = place.row.peer if place.keeper == house.party else house.party
    if house.party not in sides_of_way(place.copy, place.keeper, other):
        raise Refused(
            f"copy {found.number} is {place.copy.state}, but not on a way on which people of this house have it",
            code="copy-state",
            place=TRANSIT,
        )


async def entry_of(house: House, place: Place, person: PersonRow) -> DirectoryRow:
    """A person's entry in this house's directory of a relationship, for whom new things can be meant.

    Raises:
        Refused: he is not listed there, or not any more.
    """
    name = pseudonym(house, place, person)
    entry = await house.row(DirectoryRow, f"{place.relationship}/{house.party}/{name}")
    if entry is None or not entry.reachable:
        raise Refused(
            f"{await house.handle(person.person)!r} is not in this house's directory of {place.relationship!r}, and "
            "holds nothing there",
            code="unknown-holder",
            place=CUSTODY,
        )
    return entry


async def holder_of(house: House, place: Place) -> PersonRow | None:
    """The person of this house who holds a copy; None where that is not one of them."""
    person = await house.side(PSEUDONYM_OF, f"{place.relationship}/{place.copy.holder}")
    return None if person is None else await house.row(PersonRow, person.decode())


async def sign_in_each(
    house: House, found: Found, actor: Actor, body: Callable[[Place, str], B]
) -> list[tuple[str, B]]:
    """What a person says about a copy, signed, in each relationship that it belongs to (1).

    Args:
        house: this house.
        found: the copy.
        actor: who says it.
        body: what he says in one place, where he is known by a pseudonym.

    Raises:
        NeedsSignature: he signs with his own key, and has not yet.
    """
    said: list[tuple[str, B]] = []
    for place in found.places:
        name = pseudonym(house, place, found.person)
        said.append((place.relationship, await house.sign(body(place, name), place.relationship, actor, name)))
    return said


async def say_in_each(work: Work, said: Sequence[tuple[str, Body]], function: str) -> list[Record]:
    """Record it in each relationship, all of it or nothing."""
    return [await work.say(Draft(relationship, body, function)) for relationship, body in said]


async def copies_seen(house: House, item: str, actor: Actor | None) -> AsyncIterator[tuple[AgreementRow, CopyRow]]:
    """(20) The copies of an item that somebody may see, by relationship and number.

    Raises:
        Misuse: there is no such item for him.
    """
    person = await viewer(house, actor)
    row = await visible_item(house, None, item, person)
    made_here: set[int] = set()
    everything = await Sight(house, person).sees_all_copies(row)
    async for _, agreement in house.rows(AgreementRow):
        name = house.pseudonym(agreement.relationship, person.person) if person is not None else ""
        made = await house.row(DerivativeRow, f"{agreement.relationship}/{row.item}")
        own = made is not None and made.maker == house.party
        async for _, copy in house.rows(CopyRow, f"{agreement.relationship}/{row.item}/"):
            if made is not None and own and made.record == copy.consignment:  # one copy, said in several places
                if copy.number in made_here:
                    continue
                made_here.add(copy.number)
            if everything or name in (copy.holder, copy.taker):
                yield agreement, copy
