"""Recall, and the end of a purpose: what is asked of whoever holds copies, and who has answered (Article 6(h)).

``spec/ending.md`` steps 20 to 28. A recall is no article of the agreement of 2016: where an arrangement obliges the
other side to answer, its clause is named, and where nothing does, it is asked all the same and said so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from comity.agreement.model import Agreement, Layer
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.lineage import relationships_of
from comity.flows.deciding.visibility import asked_to_give, releases, sees_all, viewer, visible_item
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.ending import Asks, PurposeEnded, Recalled, RecallLifted
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC, chain_id
from comity.register.holdings import LEFT
from comity.register.roles import RELEASE_AUTHORITY
from comity.register.rows import AgreementRow, CopyRow, DirectoryRow, ItemRow, PersonRow
from comity.register.rows.ending import (
    EndedRow,
    EndingRow,
    HoldingRow,
    RecallRow,
    ended_key,
    ending_key,
    holding_key,
    recall_key,
)
from comity.register.rows.lineage import ChildRow

NOTHING = bytes(32)
OUT = LEFT | {"passed on"}
"""States of a copy that has not come to its end here."""
LINES_MAX = 10_000
"""Most copies named in one answer; how many there are beyond is said."""


class Recall(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for an item back, or for its destruction, from everybody who was given it.

    Attributes:
        item: the item.
        asks: for what.
        reason: why.
        actor: somebody with the role release-authority.
        answer_by: until when.
        relationship: only there; everywhere it was given, by default.
        recall: identifier, when somebody who signs elsewhere must know it beforehand.
    """

    item: str
    asks: Asks
    reason: str
    actor: Actor
    answer_by: datetime | None = None
    relationship: str | None = None
    recall: str | None = None


class LiftRecall(msgspec.Struct, frozen=True, kw_only=True):
    """No longer ask for an item back."""

    item: str
    reason: str
    actor: Actor
    relationship: str | None = None


class ShowRecall(msgspec.Struct, frozen=True, kw_only=True):
    """Who has answered a recall, or the end of a purpose, and who has not; as ``actor`` may see it."""

    item: str
    actor: Actor | None = None


class EndPurpose(msgspec.Struct, frozen=True, kw_only=True):
    """Say that an item is no longer needed for what it was given for; by somebody with the role registry."""

    item: str
    reason: str
    actor: Actor
    ended: str | None = None


class ReachedCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that a recall, or an ended purpose, reaches.

    Attributes:
        item: the item, or something made from it.
        number: of the copy.
        holder: pseudonym of its holder, and his function.
        function: of the holder.
        state: of the copy now.
        sent: when its holder sent it back; None where he has not.
        answered: when it was returned or destroyed since; None while nobody has answered for it.
        certificate: of its destruction, complete or not; empty where there is none.
    """

    item: str
    number: int
    holder: str
    function: str
    state: str
    sent: datetime | None
    answered: datetime | None
    certificate: str


class RecallShown(msgspec.Struct, frozen=True, kw_only=True):
    """A recall in one relationship, and what became of it.

    Attributes:
        item: the item.
        relationship: where.
        keeper: party id of the side that keeps the copies.
        recall: its id; empty where nothing was recalled and only the purpose has ended.
        by: party id of whoever asks.
        asks: for what.
        reason: why.
        clause: what obliges the other side, as ``instrument:clause``; empty where nothing does.
        at: since when it is asked; silence is counted from here.
        answer_by: until when an answer is asked.
        overdue: whether that day has passed, and something is unanswered.
        delivered: whether the other side has the recall.
        lifted: when it was taken back.
        ended: since when its recipient needs it no longer.
        ended_reason: why.
        reached: every copy of it and of what was made from it.
        unanswered: how many of them nobody has answered for.
        more: how many copies there are beyond those named.
    """

    item: str
    relationship: str
    keeper: str
    recall: str
    by: str
    asks: str
    reason: str
    clause: str
    at: datetime
    answer_by: datetime | None
    overdue: bool
    delivered: bool
    lifted: datetime | None
    ended: datetime | None
    ended_reason: str
    reached: tuple[ReachedCopy, ...]
    unanswered: int
    more: int


async def recall(house: House, request: Recall) -> list[RecallShown]:
    """Recall an item in every relationship it was given in.

    Raises:
        Misuse: there is no such item for him, it was given to nobody, it is recalled already, or he has not the role.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    person = await house.person(request.actor.handle)
    await visible_item(house, None, request.item, person)
    rows = await given_in(house, request.item, request.relationship)
    name = house.name("k", request.recall)
    said = []
    for row in rows:
        before = await house.row(RecallRow, recall_key(row.relationship, request.item)[1])
        pseudonym = house.pseudonym(row.relationship, person.person)
        body = Recalled(
            recall=name,
            item=request.item,
            asks=request.asks,
            reason=request.reason,
            answer_by=request.answer_by,
            clause=await obliging_clause(house, row),
            by=pseudonym,
            after=before.last if before is not None else NOTHING,
            signature=unsigned(),
        )
        said.append((row.relationship, await house.sign(body, row.relationship, request.actor, pseudonym)))

    async def say(work: Work) -> None:
        for relationship, body in said:
            await work.say(Draft(relationship, body, person.function))

    await house.sequencer.submit(say)
    return [await _shown(house, row, request.item, person) for row in rows]


async def lift(house: House, request: LiftRecall) -> list[RecallShown]:
    """Take a recall back wherever it stands.

    Raises:
        Misuse: there is no such item for him, none stands, or he has not the role.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    person = await house.person(request.actor.handle)
    await visible_item(house, None, request.item, person)
    rows, said = [], []
    for row in await given_in(house, request.item, request.relationship):
        before = await house.row(RecallRow, recall_key(row.relationship, request.item)[1])
        if before is None or not before.recalled:
            continue
        pseudonym = house.pseudonym(row.relationship, person.person)
        body = RecallLifted(
            recall=before.recall,
            item=request.item,
            reason=request.reason,
            by=pseudonym,
            after=before.last,
            signature=unsigned(),
        )
        rows.append(row)
        said.append((row.relationship, await house.sign(body, row.relationship, request.actor, pseudonym)))
    if not said:
        raise Misuse(f"no recall of item {request.item!r} stands", code="not-recalled")

    async def say(work: Work) -> None:
        for relationship, body in said:
            await work.say(Draft(relationship, body, person.function))

    await house.sequencer.submit(say)
    return [await _shown(house, row, request.item, person) for row in rows]


async def show_recall(house: House, request: ShowRecall) -> list[RecallShown]:
    """What was recalled, or is no longer needed, and who has answered for which copy.

    Raises:
        Misuse: there is no such item for whoever asks, or nobody asks for it back.
    """
    person = await viewer(house, request.actor)
    await visible_item(house, None, request.item, person)
    found: list[RecallShown] = []
    async for _, row in house.rows(AgreementRow):
        recalled = await house.row(RecallRow, recall_key(row.relationship, request.item)[1])
        ended = await house.row(EndedRow, ended_key(row.relationship, request.item)[1])
        if recalled is not None or ended is not None:
            found.append(await _shown(house, row, request.item, person))
    if not found:
        raise Misuse(f"nobody asks for item {request.item!r} back, and it is still needed", code="not-recalled")
    return found


async def end_purpose(house: House, request: EndPurpose) -> list[RecallShown]:
    """Say that an item is no longer needed: every copy of it is to be returned or destroyed, as appropriate.

    Raises:
        Misuse: there is no such item for him, it is this house's own, nothing is left of it, or he has not the role.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    person = await house.person(request.actor.handle)
    await visible_item(house, None, request.item, person)
    relationships = await relationships_of(house, request.item)
    if not relationships:
        raise Misuse(
            f"item {request.item!r} is this house's own; whoever it was given to says when it is needed no longer",
            code="own-item",
        )
    name = house.name("z", request.ended)
    said = []
    for relationship in relationships:
        before = await house.row(EndedRow, ended_key(relationship, request.item)[1])
        pseudonym = house.pseudonym(relationship, person.person)
        body = PurposeEnded(
            ended=name,
            item=request.item,
            reason=request.reason,
            by=pseudonym,
            after=before.record if before is not None else NOTHING,
            signature=unsigned(),
        )
        said.append((relationship, await house.sign(body, relationship, request.actor, pseudonym)))

    async def say(work: Work) -> None:
        for relationship, body in said:
            await work.say(Draft(relationship, body, person.function))

    await house.sequencer.submit(say)
    return [await _shown(house, await house.agreement_row(each), request.item, person) for each in relationships]


# ---- where it was given, and what obliges ---------------------------------------------------------------------------


async def given_in(house: House, item: str, relationship: str | None = None) -> list[AgreementRow]:
    """The agreements under which this house has given an item; only the one named, where one is.

    Raises:
        Misuse: it was given in none, or not in that one.
    """
    found = []
    async for _, row in house.rows(AgreementRow):
        holding = await house.row(HoldingRow, holding_key(row.relationship, item)[1])
        if holding is not None and holding.keeper != house.party and relationship in (None, row.relationship):
            found.append(row)
    if not found:
        where = f" in {relationship!r}" if relationship is not None else ""
        raise Misuse(f"item {item!r} was not given to anybody{where}", code="not-given")
    return found


async def obliging_clause(house: House, row: AgreementRow) -> str:
    """(24) What obliges the other side to answer a recall: ``instrument:clause``, empty where nothing does."""
    running = await house.library.load(row)
    texts: tuple[Agreement | Layer, ...] = (running.agreement, *running.layers)
    found = [f"{text.id}:{each.clause}" for text in texts for each in text.obligations if each.on == "recalled"]
    return found[0] if found else ""


# ---- who has answered -----------------------------------------------------------------------------------------------


async def _shown(house: House, row: AgreementRow, item: str, person: PersonRow | None) -> RecallShown:
    relationship = row.relationship
    recalled = await house.row(RecallRow, recall_key(relationship, item)[1])
    ended = await house.row(EndedRow, ended_key(relationship, item)[1])
    holding = await house.need(HoldingRow, holding_key(relationship, item)[1], "item given as")
    since = min(each.at for each in (recalled, ended) if each is not None)
    everything = sees_all(person) or await _gave(house, item, person)
    mine = "" if person is None else house.pseudonym(relationship, person.person)
    reached = [copy async for copy in _reached(house, row, item, since) if everything or copy.holder == mine]
    unanswered = sum(copy.state in LEFT for copy in reached)
    answer_by = recalled.answer_by if recalled is not None else None
    stands = recalled is not None and recalled.recalled
    return RecallShown(
        item=item,
        relationship=relationship,
        keeper=holding.keeper,
        recall=recalled.recall if recalled is not None else "",
        by=recalled.author if recalled is not None else "",
        asks=recalled.asks if recalled is not None else "either",
        reason=recalled.reason if recalled is not None else "",
        clause=recalled.clause if recalled is not None else "",
        at=recalled.at if recalled is not None else since,
        answer_by=answer_by,
        overdue=stands and bool(unanswered) and answer_by is not None and house.now() > answer_by,
        delivered=await _delivered(house, relationship, recalled),
        lifted=recalled.lifted if recalled is not None else None,
        ended=ended.at if ended is not None else None,
        ended_reason=ended.reason if ended is not None else "",
        reached=tuple(reached[:LINES_MAX]),
        unanswered=unanswered,
        more=max(0, len(reached) - LINES_MAX),
    )


async def _gave(house: House, item: str, person: PersonRow | None) -> bool:
    """Whether a person stands for the side that gave an item, which sees every copy (``spec/visibility.md`` step 6)."""
    row = await house.row(ItemRow, item)
    if person is None or row is None:
        return person is None
    made_here = row.relationship == DOMESTIC and RELEASE_AUTHORITY in person.roles
    return made_here or await releases(house, row, person) or await asked_to_give(house, row, person)


async def _delivered(house: House, relationship: str, recalled: RecallRow | None) -> bool:
    """Whether the other side says that it has the recall; one of its own it has."""
    if recalled is None or recalled.author != house.party:
        return True
    return await house.exchange.peer_has(chain_id(relationship, house.party)) > recalled.sequence


async def _reached(house: House, row: AgreementRow, item: str, since: datetime) -> AsyncIterator[ReachedCopy]:
    """Every copy of an item, and of everything made from it, that was not accounted for before."""
    relationship = row.relationship
    generation = {item: None}
    met = {item}
    while generation:
        below: dict[str, None] = {}
        for each in generation:
            async for _, copy in house.rows(CopyRow, f"{relationship}/{each}/"):
                line = await _line(house, row, copy)
                if copy.state in OUT or (line.answered is not None and line.answered >= since):
                    yield line
            async for _, child in house.rows(ChildRow, f"{relationship}/{each}/"):
                if child.item not in met:
                    met.add(child.item)
                    below[child.item] = None
        generation = below


async def _line(house: House, row: AgreementRow, copy: CopyRow) -> ReachedCopy:
    ending = await house.row(EndingRow, ending_key(row.relationship, copy.item, copy.number)[1])
    current = ending is not None and ending.void is None
    function = ""
    for party in (house.party, row.peer):
        entry = await house.row(DirectoryRow, f"{row.relationship}/{party}/{copy.holder}")
        function = function or (entry.function if entry is not None else "")
    return ReachedCopy(
        item=copy.item,
        number=copy.number,
        holder=copy.holder,
        function=function,
        state=copy.state,
        sent=ending.at if ending is not None and ending.way == "return" else None,
        answered=ending.done if ending is not None and current else None,
        certificate=ending.certificate if ending is not None and current else "",
    )
