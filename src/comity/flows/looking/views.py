"""Views: what passed, what waits, and for what; read-only (Articles 6(e), 6(f))."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal

import msgspec

from comity.agreement.vocabulary import GIVING_ACTS
from comity.decision.wording.words import AS_TYPED
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import ReasonTold, told_reason
from comity.flows.deciding.standings import halted
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.exchanging.exchange import COSIGNED
from comity.flows.exchanging.witnessing import read_head
from comity.flows.giving.release import ITEM_TITLE
from comity.flows.house import House
from comity.flows.vouching.cosigning import Vouched, counted, vouched
from comity.flows.vouching.stamping import newest_stamp
from comity.marking.label import Label
from comity.record.statement import DOMESTIC, chain_id
from comity.register.roles import ASSURANCE_OFFICER, RELEASE_AUTHORITY
from comity.register.rows import (
    AskedRow,
    AssuranceRow,
    ConsignmentRow,
    CopyRow,
    ItemRow,
    PassageRow,
    RequestRow,
)
from comity.register.rows.consents import ShownRow
from comity.register.rows.feeding import FeedWantedRow
from comity.register.rows.lineage import ChildRow, DerivativeRow

LINES_MAX = 10_000
"""Most lines of one view; a longer one is asked for in parts."""


class ShowInbox(msgspec.Struct, frozen=True, kw_only=True):
    """What other parties gave us, and which assurances they wait for; as ``actor`` may see it, or the house itself."""

    actor: Actor | None = None
    language: str = AS_TYPED


class ShowOutbox(msgspec.Struct, frozen=True, kw_only=True):
    """What we asked to give, what it waits for, and how far the other party has our records; likewise."""

    actor: Actor | None = None
    language: str = AS_TYPED


class ShowRegister(msgspec.Struct, frozen=True, kw_only=True):
    """Every item with its copies; likewise."""

    actor: Actor | None = None


class CopyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A copy: its number, who holds it, its state, and how often it was opened."""

    number: int
    holder: str
    state: str
    openings: int
    trouble: str | None


class ShownLine(msgspec.Struct, frozen=True, kw_only=True):
    """A showing of an item, of which no copy was made: how, to whom, when, and during which visit."""

    manner: str
    to: tuple[str, ...]
    purpose: str
    at: datetime
    visit: str | None


class PassageLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something that passed, in either direction."""

    item: str
    title: str
    label: Label
    alternative: Label | None
    purpose: str
    relationship: str
    author: str
    at: datetime
    received: datetime | None
    returned: str | None
    size: int
    consignment: str
    copies: tuple[CopyLine, ...]
    rights: str = ""
    originator: str = ""


class AskedLine(msgspec.Struct, frozen=True, kw_only=True):
    """An assurance that the other party asks of us; ``halted`` says why what it is for can not be given any more."""

    request: str
    relationship: str
    item: str
    label: Label
    form: str
    topic: str
    purpose: str
    recipients: tuple[str, ...]
    answered: tuple[str, ...]
    at: datetime
    act: str = "give"
    halted: ReasonTold | None = None


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """A request of ours: who approved, whom the other party assured or would not, and whether it was carried out.

    ``act`` is what is asked for; ``manner`` how something is to be shown, ``copy`` which copy is to be passed on.
    ``halted`` says why it does not go, whatever anybody approves: the agreement is not in force.
    """

    request: str
    item: str
    title: str
    label: Label
    relationship: str
    recipients: tuple[str, ...]
    purpose: str
    by: str
    at: datetime
    approved_by: tuple[str, ...]
    refused_by: tuple[str, ...]
    assured: tuple[str, ...]
    assurance_refused: dict[str, str]
    given: bool
    act: str = "give"
    manner: str | None = None
    copy: int | None = None
    halted: ReasonTold | None = None


class ChainLine(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger of ours or of the other party, and how much of it is witnessed.

    Attributes:
        chain: which.
        size: records.
        root: RFC 6962 root in hex.
        witnessed: records of our own chain that the other party has cosigned; None for its own.
        delivered: records of our own chain that the other party says it has; None for its own.
        vouched: how far third parties have cosigned it (``spec/witness.md`` step 37).
        counted: records under a checkpoint that meets its policy; None where it has none.
        stamped, stamped_at: records under the newest time-stamp, and when, by the authority's clock; None without one.
    """

    chain: str
    size: int
    root: str
    witnessed: int | None
    delivered: int | None
    vouched: tuple[Vouched, ...] = ()
    counted: int | None = None
    stamped: int | None = None
    stamped_at: datetime | None = None


CallKind = Literal[
    "consent",
    "visit",
    "recall",
    "incident",
    "dispute",
    "negotiation",
    "note",
    "amendment",
    "feed",
    "contradiction",
]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Something that another party asks of us, or tells us, and that is not over.

    Attributes:
        kind: what it is.
        subject: its id; of a recall, the item.
        relationship: where it was said.
        at: when.
        says: what it is about, in one phrase.
        next: what to type to answer it, or to read all of it.
    """

    kind: CallKind
    subject: str
    relationship: str
    at: datetime
    says: str
    next: str


class Inbox(msgspec.Struct, frozen=True, kw_only=True):
    """What came, and what is asked of us.

    Attributes:
        received: what was given to us.
        asked: the assurances that are waited for.
        calls: what else is asked or told, oldest first.
        duties: how many of our duties are open.
        overdue: how many of them are overdue and rest on a checked clause.
    """

    received: tuple[PassageLine, ...]
    asked: tuple[AskedLine, ...]
    calls: tuple[Call, ...] = ()
    duties: int = 0
    overdue: int = 0


class Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """What waits here, what was given, and the state of delivery."""

    waiting: tuple[RequestLine, ...]
    given: tuple[PassageLine, ...]
    chains: tuple[ChainLine, ...]


class MadeLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was made from an item, here or by the other party, and how many copies it has in each state."""

    item: str
    relation: str
    language: str
    copies: dict[str, int]


class RegisterLine(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the register; ``made`` is what was made from it and from nothing between."""

    item: str
    title: str
    label: Label
    alternative: Label | None
    originator: str
    form: str
    topic: str
    subject: str
    relationship: str
    provided: str | None
    registered: datetime
    copies: tuple[CopyLine, ...]
    rights: str = ""
    shown: tuple[ShownLine, ...] = ()
    made: tuple[MadeLine, ...] = ()


async def show_inbox(house: House, request: ShowInbox) -> Inbox:
    """What other parties gave us, newest last, and the assurances they wait for."""
    sight = Sight(house, await viewer(house, request.actor))
    received: list[PassageLine] = []
    asked: list[AskedLine] = []
    for relationship, peer in await house.relationships():
        received += await passages(house, relationship, peer, sight)
        if not sight.has(ASSURANCE_OFFICER):
            continue
        stop = await _halted(house, relationship, request.language)
        async for _key, row in house.rows(AskedRow, f"{relationship}/"):
            if row.author == peer and row.consignment is None:
                asked.append(_asked(relationship, row, stop))
    return Inbox(received=tuple(received), asked=tuple(asked))


async def show_outbox(house: House, request: ShowOutbox) -> Outbox:
    """What waits, what was given, and how far the other party has it."""
    sight = Sight(house, await viewer(house, request.actor))
    given: list[PassageLine] = []
    stops: dict[str, ReasonTold | None] = {}
    for relationship, _peer in await house.relationships():
        given += await passages(house, relationship, house.party, sight)
        stops[relationship] = await _halted(house, relationship, request.language)
    waiting = [
        await _request(house, row, stops[row.relationship] if row.act in GIVING_ACTS else None)
        async for _key, row in house.rows(RequestRow)
        if row.consignment is None and (sight.has(RELEASE_AUTHORITY) or sight.is_himself(row.by))
    ]
    shown = await chains(house) if sight.everything else []
    return Outbox(waiting=tuple(waiting), given=tuple(given), chains=tuple(shown))


async def show_register(house: House, request: ShowRegister) -> list[RegisterLine]:
    """Every item with its copies, by item id."""
    sight = Sight(house, await viewer(house, request.actor))
    lines = []
    async for _key, each in house.rows(ItemRow):
        row = await sight.item(each.item)
        if row is None:
            continue
        copies: list[CopyLine] = []
        shown: list[ShownLine] = []
        for relationship, _peer in await house.relationships():
            copies += [_copy(copy) async for copy in sight.copies(relationship, row)]
            shown += await _shown(house, relationship, row.item, sight)
        lines.append(
            RegisterLine(
                title=await title_of(house, row.item),
                copies=tuple(copies),
                shown=tuple(shown),
                made=tuple([line async for line in _made(house, row.item, sight)]),
                **{name: getattr(row, name) for name in _ITEM_FIELDS},
            )
        )
        if len(lines) > LINES_MAX:
            raise Misuse(f"more than {LINES_MAX} items; export the register in parts", code="too-many-lines")
    return lines


async def _made(house: House, item: str, sight: Sight) -> AsyncIterator[MadeLine]:
    """What was made from an item, as far as somebody may see it."""
    told: set[str] = set()
    for relationship, _peer in await house.relationships():
        async for _key, child in house.rows(ChildRow, f"{relationship}/{item}/"):
            row = await sight.item(child.item)
            made = await house.row(DerivativeRow, f"{relationship}/{child.item}")
            if child.item in told or row is None or made is None:
                continue
            told.add(child.item)
            states: dict[str, int] = {}
            async for copy in sight.copies(relationship, row):
                states[copy.state] = states.get(copy.state, 0) + 1
            yield MadeLine(item=child.item, relation=made.relation, language=made.language, copies=states)


async def passages(house: House, relationship: str, author: str, sight: Sight) -> list[PassageLine]:
    """What ``author`` gave in a relationship, in order, as far as somebody may see it."""
    lines = []
    async for _key, passage in house.rows(PassageRow, f"{relationship}/{author}/"):
        row = await house.need(ConsignmentRow, passage.consignment.hex(), "consignment")
        item = await sight.item(row.item)
        if item is None:
            continue
        copies = [_copy(copy) async for copy in sight.copies(relationship, item) if copy.number in row.copies]
        if not copies and not await sight.sees_all_copies(item):  # it carried other people's copies
            continue
        label, alternative = item.label, item.alternative
        if item.relationship not in (DOMESTIC, relationship):  # handed on: as it was marked here, and is there
            label = alternative or label
            peer = (await house.agreement_row(relationship)).peer
            alternative = None if row.mark is None else msgspec.structs.replace(label, policy=peer, mark=row.mark)
        lines.append(
            PassageLine(
                item=row.item,
                title=await title_of(house, row.item),
                label=label,
                alternative=alternative,
                originator=item.originator,
                purpose=row.purpose,
                relationship=relationship,
                author=author,
                at=row.at,
                received=row.received,
                returned=row.returned,
                size=row.size,
                consignment=row.record.hex(),
                copies=tuple(copies),
                rights=item.rights,
            )
        )
    return lines


async def chains(house: House) -> list[ChainLine]:
    """Every ledger here, with how much of our own the other parties have and have cosigned."""
    lines = [await chain_line(house, chain_id(DOMESTIC, house.party), witnessed=False)]
    for relationship, peer in await house.correspondence():
        lines.append(await chain_line(house, chain_id(relationship, house.party), witnessed=True))
        lines.append(await chain_line(house, chain_id(relationship, peer), witnessed=False))
    return lines


async def chain_line(house: House, chain: str, *, witnessed: bool) -> ChainLine:
    """One ledger; ``witnessed`` when the other party cosigns it."""
    head = house.sequencer.head(chain)
    cosigned = await house.side(COSIGNED, chain) if witnessed else None
    stamp = await newest_stamp(house, chain)
    return ChainLine(
        chain=chain,
        size=head.size,
        root=head.root.hex(),
        witnessed=(read_head(cosigned).size if cosigned else 0) if witnessed else None,
        delivered=await house.exchange.peer_has(chain) if witnessed else None,
        vouched=tuple(await vouched(house, chain)),
        counted=await counted(house, chain),
        stamped=None if stamp is None else stamp.size,
        stamped_at=None if stamp is None else stamp.at,
    )


async def title_of(house: House, item: str) -> str:
    """What this house calls an item; empty where it gave it no title, or erased it."""
    return (await house.side(ITEM_TITLE, item) or b"").decode()


def _copy(row: CopyRow) -> CopyLine:
    return CopyLine(
        number=row.number, holder=row.holder, state=row.state, openings=len(row.openings), trouble=row.trouble
    )


async def _shown(house: House, relationship: str, item: str, sight: Sight) -> list[ShownLine]:
    """What was shown of an item; a reader sees what was shown to him."""
    name = "" if sight.person is None else house.pseudonym(relationship, sight.person.person)
    return [
        ShownLine(manner=row.manner, to=row.to if wide else (name,), purpose=row.purpose, at=row.shown, visit=row.visit)
        async for _, row in house.rows(ShownRow, f"{relationship}/{item}/")
        if (wide := sight.has(RELEASE_AUTHORITY)) or name in row.to
    ]


async def _halted(house: House, relationship: str, language: str) -> ReasonTold | None:
    """Why nothing new can be provided there now; None while it can."""
    reason = await halted(house, relationship, house.now())
    return None if reason is None else told_reason(reason, language)


async def request_line(house: House, row: RequestRow, language: str = AS_TYPED) -> RequestLine:
    """A request of this house; whoever is told it may see it."""
    return await _request(
        house, row, await _halted(house, row.relationship, language) if row.act in GIVING_ACTS else None
    )


async def _request(house: House, row: RequestRow, stop: ReasonTold | None) -> RequestLine:
    wanted = await house.row(FeedWantedRow, row.request)
    item = wanted or await house.need(ItemRow, row.item, "item")
    assured: list[str] = []
    refused: dict[str, str] = {}
    for recipient in row.recipients:
        answer = await house.row(AssuranceRow, f"{row.relationship}/{row.request}/{recipient}")
        if answer is not None and answer.conditions:
            assured.append(recipient)
        elif answer is not None:
            refused[recipient] = answer.reason
    return RequestLine(
        request=row.request,
        item=row.item,
        title=row.item if wanted is not None else await title_of(house, row.item),
        label=item.label,
        relationship=row.relationship,
        recipients=row.recipients,
        purpose=row.purpose,
        by=await house.handle(row.by),
        at=row.at,
        approved_by=tuple([await house.handle(each.by) for each in row.approvals if each.granted]),
        refused_by=tuple([await house.handle(each.by) for each in row.approvals if not each.granted]),
        assured=tuple(assured),
        assurance_refused=refused,
        given=row.consignment is not None,
        act=row.act,
        manner=row.manner,
        copy=row.copy,
        halted=stop,
    )


async def asked_line(house: House, relationship: str, row: AskedRow, language: str = AS_TYPED) -> AskedLine:
    """An assurance that the other party asks of us; whoever is told it may see it."""
    return _asked(relationship, row, await _halted(house, relationship, language))


def _asked(relationship: str, row: AskedRow, stop: ReasonTold | None) -> AskedLine:
    fields = {name: getattr(row, name) for name in AskedLine.__struct_fields__ if name in AskedRow.__struct_fields__}
    return AskedLine(relationship=relationship, halted=stop, **fields)


_ITEM_FIELDS = tuple(
    name for name in RegisterLine.__struct_fields__ if name not in ("made", "title", "copies", "shown")
)
