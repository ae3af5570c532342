"""Visibility: what a person may see of the register, and what the rest looks like to him (``spec/visibility.md``).

What somebody may not see reads exactly as if it were not there: the same lines, the same counts, the same error in the
same words. So every view and every act that names an item begins with ``visible_item``, and every list goes through
``may_see``. Acts by which somebody gets at what an item says end with it instead (7): they are decided, and a refusal
is recorded, before; the house knows that it was asked, the asker learns nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from comity.agreement.equivalence import level_of
from comity.decision import model as decision
from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.cases import answer, handling_case
from comity.flows.deciding.lineage import ancestors_of, is_own, registered, relationships_of
from comity.flows.house import ROOT, House
from comity.flows.keeping.work import Work
from comity.record.statement import DOMESTIC
from comity.register.roles import AUDITOR, OFFICER, REGISTRY, RELEASE_AUTHORITY, SECURITY_OFFICER, UNLISTED
from comity.register.rows import AgreementRow, CopyRow, ItemRequestRow, ItemRow, PersonRow
from comity.register.rows.custody import LinkRow
from comity.register.rows.routes import ForwardRow

OVERSIGHT = frozenset({REGISTRY, SECURITY_OFFICER, AUDITOR})
"""Roles that see the whole register: they answer for it, or for whoever does."""
_PERSONAL_STEPS = frozenset({13, 14, 15})
"""Steps of the decision about the person alone: clearance, lists, briefings (``spec/decision.md``)."""
_AGAINST = frozenset({"needs", "lacks", "forbids"})


async def viewer(house: House, actor: Actor | None) -> PersonRow | None:
    """(1) Who looks: a person of this house, or None for the house itself (its own desk, or its root key).

    Raises:
        Misuse: nobody has that handle.
    """
    return None if actor is None or actor.handle == ROOT else await house.person(actor.handle)


def sees_all(person: PersonRow | None) -> bool:
    """(2) Whether this viewer sees the whole register."""
    return person is None or not OVERSIGHT.isdisjoint(person.roles)


def check_role(person: PersonRow, actor: Actor, *roles: str) -> None:
    """(7) That somebody has not the role for a command, said of him before what he names is looked for.

    Raises:
        Misuse: he has none of these roles.
    """
    if not set(roles) & set(person.roles):
        raise Misuse(f"{actor.handle!r} does not have the role {' or '.join(map(repr, roles))}", code="no-role")


def no_item(item: str) -> Misuse:
    """(5) The one answer about an item that is not there, or not there for whoever asks."""
    return Misuse(f"there is no item {item!r}", code="unknown-item")


async def visible_item(house: House, work: Work | None, item: str, person: PersonRow | None) -> ItemRow:
    """The item, for somebody who may see it; call it before anything else is said about the item.

    Args:
        house: whose register it is.
        work: the change under way, whose facts and instant count; None outside one.
        item: item id, as it was typed.
        person: who looks, as ``viewer`` gives it.

    Raises:
        Misuse: there is no such item, or he may not see it; nobody can tell which (5).
    """
    row = await registered(house, item, read=work.facts if work is not None else None)
    if row is None or not await may_see(house, row, person, work):
        raise no_item(item)
    return row


async def may_see(house: House, item: ItemRow, person: PersonRow | None, work: Work | None = None) -> bool:
    """Whether a viewer may know that there is this item (2, 3, 4)."""
    if person is None or sees_all(person):
        return True
    if await releases(house, item, person) or await asked_to_give(house, item, person):
        return True
    if await _follows_his_own(house, item, person):
        return True
    if await holds_copy(house, item.item, person):
        return True
    return await sees_such(house, item, person, work)


async def sees_such(house: House, item: ItemRow, person: PersonRow, work: Work | None = None) -> bool:
    """(4) Whether somebody sees an item for what it is, whoever holds a copy: he is on its list and cleared for it."""
    if item.topic not in person.topics or UNLISTED.issuperset(person.roles):
        return False
    if is_own(item):
        return await _cleared_at_home(house, item, person)
    return await _cleared(house, item, person, work)


async def _follows_his_own(house: House, item: ItemRow, person: PersonRow) -> bool:
    """(9) Whether the other party made it from something that he may see among this house's own."""
    if await house.row(ItemRow, item.item) is not None:
        return False
    for ancestor in await ancestors_of(house, item.item):
        row = await house.row(ItemRow, ancestor)
        if row is not None and await may_see(house, row, person):
            return True
    return False


async def holds_copy(house: House, item: str, person: PersonRow) -> bool:
    """(3) Whether a copy of the item is in this person's name, or on its way to him, in any relationship."""
    async for relationship, copy in copies_of(house, item):
        if house.pseudonym(relationship, person.person) in (copy.holder, copy.taker):
            return True
    return False


async def releases(house: House, item: ItemRow, person: PersonRow) -> bool:
    """(2) Whether this person answers for its release: it is this house's own, or was handed on by this house."""
    if RELEASE_AUTHORITY not in person.roles:
        return False
    if is_own(item):
        return True
    for relationship, _peer in await house.relationships():
        row = await house.row(ForwardRow, f"{relationship}/{item.item}")
        if row is not None and row.holder == house.party:
            return True
    return False


async def asked_to_give(house: House, item: ItemRow, person: PersonRow) -> bool:
    """(2) Whether this person asked for the release of an item of this house."""
    if OFFICER not in person.roles or not is_own(item):
        return False
    return any([row.by == person.person async for _, row in house.rows(ItemRequestRow, f"{item.item}/")])


class Sight:
    """What one viewer sees, asked many times: for lists, and for whatever joins several of them."""

    def __init__(self, house: House, person: PersonRow | None) -> None:
        self._house = house
        self.person = person
        self._seen: dict[str, ItemRow | None] = {}
        self._all_copies: dict[str, bool] = {}

    @property
    def everything(self) -> bool:
        """(2) Whether it is the whole register."""
        return sees_all(self.person)

    def has(self, *roles: str) -> bool:
        """Whether he sees everything, or holds one of these roles."""
        return self.person is None or self.everything or not set(roles).isdisjoint(self.person.roles)

    def is_himself(self, person: str) -> bool:
        """Whether he sees everything, or is this person."""
        return self.person is None or self.everything or self.person.person == person

    async def item(self, item: str) -> ItemRow | None:
        """The item, if he may see it (3, 4)."""
        if item not in self._seen:
            row = await registered(self._house, item)
            seen = row is not None and await may_see(self._house, row, self.person)
            self._seen[item] = row if seen else None
        return self._seen[item]

    async def copies(self, relationship: str, item: ItemRow) -> AsyncIterator[CopyRow]:
        """(6) The copies of an item in one relationship that he may see."""
        everything = await self.sees_all_copies(item)
        name = "" if self.person is None else self._house.pseudonym(relationship, self.person.person)
        async for _key, copy in self._house.rows(CopyRow, f"{relationship}/{item.item}/"):
            if everything or name in (copy.holder, copy.taker):
                yield copy

    async def sees_all_copies(self, item: ItemRow) -> bool:
        """(6) Whether he sees every copy of an item, whoever holds it."""
        if self.person is None or self.everything:
            return True
        if item.item not in self._all_copies:
            released = await releases(self._house, item, self.person)
            gave = released or await asked_to_give(self._house, item, self.person)
            self._all_copies[item.item] = gave or await _follows_his_own(self._house, item, self.person)
        return self._all_copies[item.item]


async def about_his_copies(house: House, item: ItemRow, person: PersonRow, relationship: str, subject: str) -> bool:
    """(6) Whether something about an item, named by its consignment or by what was done with a copy, is about his."""
    if not subject.startswith(f"{item.item}/") or await Sight(house, person).sees_all_copies(item):
        return True
    named = subject.rpartition("/")[2]
    async for copy in Sight(house, person).copies(relationship, item):
        if copy.consignment.hex().startswith(named):
            return True
        async for _key, link in house.rows(LinkRow, f"{relationship}/{item.item}/{copy.number:06d}/"):
            if link.record.hex().startswith(named):
                return True
    return False


async def copies_of(house: House, item: str) -> AsyncIterator[tuple[str, CopyRow]]:
    """Every copy of an item with its relationship, in the order of relationships and numbers."""
    for relationship, _peer in await house.relationships():
        async for _key, copy in house.rows(CopyRow, f"{relationship}/{item}/"):
            yield relationship, copy


async def _cleared(house: House, item: ItemRow, person: PersonRow, work: Work | None) -> bool:
    """What the decision would say about the person himself, were he to open it for what it came for."""
    place = item.relationship
    if place == DOMESTIC:  # made here from what was received: as its agreements have it
        place = (await relationships_of(house, item.item))[0]
    row = await house.agreement_row(place)
    running = await house.library.load(row)
    at = work.at if work is not None else house.now()
    case = await handling_case(house, row, item, person, "open", item.provided or "", at)
    return not any(map(against_person, answer(running, case).reasons))


def against_person(reason: decision.Reason) -> bool:
    """Whether a reason stands against an act for what the person is: his clearance, a list, a briefing (4)."""
    step = reason.step
    if step == 18 and len(reason.parameters) > 1 and reason.parameters[1].isdecimal():  # an ancestor's own step
        step = int(reason.parameters[1])
    return step in _PERSONAL_STEPS and reason.effect in _AGAINST


async def _cleared_at_home(house: House, item: ItemRow, person: PersonRow) -> bool:
    """Whether a clearance of this party's own ladder covers an item of its own."""
    if person.clearance is None or person.clearance_until is None or house.now() >= person.clearance_until:
        return False
    async for _key, row in house.rows(AgreementRow):
        agreement = (await house.library.load(row)).agreement
        try:
            held, asked = (level_of(agreement, house.party, mark) for mark in (person.clearance, item.label.mark))
        except Rejected:  # another ladder's mark
            continue
        return held.rank >= asked.rank
    return False
