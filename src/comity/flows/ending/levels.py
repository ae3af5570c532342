"""Change of level: the originator changes the mark of what it made, and whoever was given it hears (Article 6(g)).

``spec/ending.md`` steps 10 to 18. In one commit the house records the change and says the notice in every relationship
in which the item was given; what becomes of it there comes back as a proof (``remarking.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from comity.agreement.equivalence import level_of
from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.cases import handling_case
from comity.flows.deciding.lineage import relationships_of
from comity.flows.deciding.once import Decided, decide_once
from comity.flows.deciding.visibility import visible_item
from comity.flows.ending.level_books import LevelsShown, ShowLevels, show_levels
from comity.flows.ending.recalls import given_in
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.ending import LevelChanged, Reclassified
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, ConsignmentRow, ItemRow, PersonRow
from comity.register.rows.ending import HoldingRow, LevelRow, holding_key, level_key
from comity.register.rows.routes import ForwardRow

NOTHING = bytes(32)


class Reclassify(msgspec.Struct, frozen=True, kw_only=True):
    """Change the level of an item of this house, or review it and keep it.

    Attributes:
        item: the item.
        mark: the new mark, on this party's own ladder; empty to declassify.
        reason: why.
        actor: somebody with the role release-authority.
        review: when it is to be looked at again.
        change: identifier, when somebody who signs elsewhere must know it beforehand.
    """

    item: str
    mark: str
    reason: str
    actor: Actor
    review: datetime | None = None
    change: str | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The decision under one agreement whether the level may be changed so."""

    relationship: str
    outcome: str
    decision: decision.Outcome
    record: str


class Reclassification(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        item: the item.
        asked: the decision under each agreement by which it was given.
        change: id of the change; empty when it was refused.
        notified: relationships in which the notice was said.
        levels: where the item stands now.
    """

    item: str
    asked: tuple[Asked, ...]
    change: str
    notified: tuple[str, ...]
    levels: LevelsShown | None = None

    @property
    def done(self) -> bool:
        """Whether anything was changed."""
        return bool(self.change)


class _Given(NamedTuple):
    """One relationship that hears of a change: the mark there, its newest record, and what it was given for."""

    row: AgreementRow
    mark: str
    last: bytes
    purpose: str


async def reclassify(house: House, request: Reclassify) -> Reclassification:
    """Change the level of an item, or say under which agreement it cannot be; a refusal is recorded.

    What this house holds of a third originator, and has given on with its label, it passes on here once its own mark
    has followed (step 11).

    Raises:
        Misuse: there is no such item for him, the mark is not on this party's ladder, nothing would change, or he has
            not the role.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    person = await house.person(request.actor.handle)
    item = await visible_item(house, None, request.item, person)
    places = [await _place(house, row, item) for row in await _given_to(house, item)]
    own = item.relationship == DOMESTIC and item.originator == house.party and not item.contains
    if own or places:
        await _check_mark(house, item, [each.row for each in places], request.mark)
    asked: list[Asked] = []
    if own or not places:
        asked = await _decide(house, item, person, places, request)
    if any(each.outcome != "permit" for each in asked):
        return Reclassification(item=item.item, asked=tuple(asked), change="", notified=())
    change = house.name("l", request.change)
    twin = await _twin(house, request, item, person, change) if own or not places else None
    told = [place for place in places if place.mark != request.mark or request.review is not None]
    notices = []
    for place in told:
        pseudonym = house.pseudonym(place.row.relationship, person.person)
        body = LevelChanged(
            change=change,
            item=item.item,
            mark=request.mark,
            reason=request.reason,
            review=request.review,
            by=pseudonym,
            after=place.last,
            signature=unsigned(),
        )
        notices.append(
            (place.row.relationship, await house.sign(body, place.row.relationship, request.actor, pseudonym))
        )

    async def say(work: Work) -> None:
        if twin is not None:
            await work.say(Draft(DOMESTIC, twin))
        for relationship, body in notices:
            await work.say(Draft(relationship, body, person.function))

    await house.sequencer.submit(say)
    return Reclassification(
        item=item.item,
        asked=tuple(asked),
        change=change,
        notified=tuple(relationship for relationship, _ in notices),
        levels=await show_levels(house, ShowLevels(item=item.item, actor=request.actor)),
    )


# ---- what a change needs --------------------------------------------------------------------------------------------


async def _given_to(house: House, item: ItemRow) -> list[AgreementRow]:
    """Where the item was given by this house, or handed on (``spec/routes.md`` step 16)."""
    try:
        given = await given_in(house, item.item)
    except Misuse:
        return []
    if item.relationship == DOMESTIC:
        return given
    return [row for row in given if await house.row(ForwardRow, f"{row.relationship}/{item.item}") is not None]


async def _place(house: House, row: AgreementRow, item: ItemRow) -> _Given:
    level = await house.row(LevelRow, level_key(row.relationship, item.item)[1])
    holding = await house.need(HoldingRow, holding_key(row.relationship, item.item)[1], "item given as")
    purpose = ""
    for record in item.consignments:
        consignment = await house.need(ConsignmentRow, record.hex(), "consignment")
        if consignment.relationship == row.relationship:
            purpose = consignment.purpose
    if level is None:
        return _Given(row, holding.given, NOTHING, purpose)
    return _Given(row, level.mark, level.last, purpose)


async def _check_mark(house: House, item: ItemRow, rows: Sequence[AgreementRow], mark: str) -> None:
    """A mark that no ladder of this party has is mistyped, and the error names the nearest one.

    Raises:
        Rejected: it is on none.
    """
    if not mark:
        return
    if not rows:
        rows = [row async for _, row in house.rows(AgreementRow)]
    policy = item.label.policy if item.relationship == DOMESTIC else house.party
    for row in rows:
        level_of(house.library.agreement(row.digest), policy, mark)


async def _decide(
    house: House, item: ItemRow, person: PersonRow, places: Sequence[_Given], request: Reclassify
) -> list[Asked]:
    """One decision under each agreement that the item was given under, with the label it would have."""
    changed = msgspec.structs.replace(item, label=msgspec.structs.replace(item.label, mark=request.mark))
    rows = [(place.row, place.purpose) for place in places]
    if not rows:  # it is not this house's own, or was given to nobody
        protecting = await relationships_of(house, item.item)
        rows = [(await house.agreement_row(each), item.provided or "") for each in protecting]

    async def decide(work: Work) -> list[tuple[AgreementRow, Decided]]:
        found = []
        for row, purpose in rows:
            case = await handling_case(
                house,
                row,
                changed,
                person,
                "reclassify",
                purpose,
                work.at,
                read=work.facts,
                request=f"reclassify/{item.item}/{request.mark or 'declassified'}",
            )
            running = await house.library.load(row)
            found.append((row, await decide_once(house, work, row, running, case, request.actor)))
        return found

    return [
        Asked(relationship=row.relationship, outcome=each.word, decision=each.outcome, record=each.record.hex())
        for row, each in await house.sequencer.submit(decide)
    ]


async def _twin(house: House, request: Reclassify, item: ItemRow, person: PersonRow, change: str) -> Reclassified:
    before = await house.row(LevelRow, level_key(DOMESTIC, item.item)[1])
    body = Reclassified(
        change=change,
        item=item.item,
        mark=request.mark,
        reason=request.reason,
        review=request.review,
        by=person.person,
        after=before.last if before is not None else NOTHING,
        signature=unsigned(),
    )
    return await house.sign(body, DOMESTIC, request.actor)
