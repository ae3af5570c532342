"""Exporting evidence: a decided act, and a file that shows one item's story to a stranger (``spec/evidence.md``).

Who may export is for the agreement to say, under the act ``export-evidence``; the decision is recorded whatever it
says. The journal's chains are read from their beginning, because what an item rests on (who was listed when, which
text was acknowledged) may stand long before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

import msgspec

from comity.decision import model as decision
from comity.errors import Misuse, Refused, Rejected
from comity.evidence.model import (
    EXPORT,
    STAMPS_MAX,
    WITHHELD_BY_DEFAULT,
    Anchor,
    Chain,
    Evidence,
    Group,
    Shown,
    Stamped,
    Text,
    Withheld,
    group_of,
    write_evidence,
)
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis, basis_salt
from comity.flows.deciding.cases import answer, handling_case, outcome_word, record_decision
from comity.flows.deciding.visibility import Sight, may_see, no_item, visible_item
from comity.flows.exchanging.exchange import COSIGNED
from comity.flows.exchanging.witnessing import read_head
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.flows.vouching.cosigning import newest_vouched, with_cosignatures
from comity.flows.vouching.stamping import stamps
from comity.ledger.leaf import record_leaf
from comity.ports import JournalEntry
from comity.record import bodies
from comity.record.bodies.keys import KeysRenewed, KeysRotated
from comity.record.card import known_card
from comity.record.statement import DOMESTIC, chain_id, read_kept, understand
from comity.register.rows import AgreementRow, ConsignmentRow, CopyRow, ItemRow, PeerRow

CHAIN_READ = 1_000
"""Journal entries of a chain read at once."""


class ExportEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Export the evidence about an item into a new file.

    Attributes:
        item: item id.
        path: the file to write; it must not exist yet.
        actor: who exports, and who is answerable for whom he hands it to.
        relationship: in which relationship it was given, when there are several.
        withhold: groups of records of which only the salted leaf is given (``model.Group``).
    """

    item: str
    path: str
    actor: Actor
    relationship: str | None = None
    withhold: tuple[Group, ...] = WITHHELD_BY_DEFAULT


class EvidenceExported(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        item: item id.
        outcome: of the decision to export.
        decision: the decision.
        decision_record: its record id in hex.
        path: the file; empty when the export was refused.
        size: of the file, in bytes.
        shown: records in it.
        withheld: records of which only a leaf is in it.
        unwitnessed: records of both crossing chains that the other party has not cosigned yet, or we not theirs.
    """

    item: str
    outcome: str
    decision: decision.Outcome
    decision_record: str
    path: str = ""
    size: int = 0
    shown: int = 0
    withheld: int = 0
    unwitnessed: int = 0


class _Found(msgspec.Struct, frozen=True):
    """A record of the journal, read; its signature was verified when it was journalled."""

    entry: JournalEntry
    body: bodies.Body


async def export_evidence(house: House, request: ExportEvidence) -> EvidenceExported:
    """Decide whether evidence may leave, record that, and write the file.

    Raises:
        Misuse: no such item, none that he may know of, it never crossed, or the file cannot be written there.
        Refused: he sees no more of the item than his own copies.
    """
    person = await house.person(request.actor.handle)
    item = await visible_item(house, None, request.item, None)
    sees = await may_see(house, item, person)
    try:
        consignment = await _consignment(house, item.item, request.relationship)
    except Misuse:
        if not sees:
            raise no_item(request.item) from None
        raise
    row = await house.agreement_row(consignment.relationship)
    running = await house.library.load(row)

    async def decide(work: Work) -> tuple[decision.Outcome, bytes, datetime]:
        case = await handling_case(house, row, item, person, EXPORT, consignment.purpose, work.at)
        outcome = answer(running, case)
        if not sees and outcome_word(outcome) == "permit":  # what is not done is not permitted in the books either
            raise no_item(request.item)
        record = await record_decision(work, row, case, outcome)
        return outcome, record.id, record.statement.at

    outcome, decided, at = await house.sequencer.submit(decide)
    if not sees:
        raise no_item(request.item)
    told = EvidenceExported(
        item=item.item, outcome=outcome_word(outcome), decision=outcome, decision_record=decided.hex()
    )
    if told.outcome != "permit":
        return told
    if not await Sight(house, person).sees_all_copies(item):
        raise Refused(
            "evidence shows every copy and every hand; whoever gave the item exports it, or the registry",
            code="not-his-to-show",
            place="6.f",
        )
    await house.sequencer.raise_mark()
    evidence = await _gather(house, row, item, decided, at, frozenset(request.withhold))
    signer = house.keys.record
    data = write_evidence(evidence, [(signer.public, signer.sign)])
    with house.files.whole(request.path) as sink:
        sink.write(data)
    entries = [(chain, each) for chain in evidence.chains for each in chain.records]
    heads = {chain.name: read_head(chain.checkpoint).size if chain.checkpoint else 0 for chain in evidence.chains}
    return msgspec.structs.replace(
        told,
        path=request.path,
        size=len(data),
        shown=sum(isinstance(each, Shown) for _, each in entries),
        withheld=sum(isinstance(each, Withheld) for _, each in entries),
        unwitnessed=sum(each.index >= heads[chain.name] for chain, each in entries),
    )


async def _consignment(house: House, item: str, relationship: str | None) -> ConsignmentRow:
    """The newest consignment of an item in the named relationship, or in the only one there is."""
    newest: dict[str, ConsignmentRow] = {}
    for known, _ in await house.relationships():
        if relationship in {None, known}:
            async for _, copy in house.rows(CopyRow, f"{known}/{item}/"):
                consignment = await house.row(ConsignmentRow, copy.consignment.hex())
                if consignment is None:
                    raise Misuse(
                        f"item {item!r} was made from received information; evidence is exported of what it was made "
                        f"from, which 'comity lineage {item}' shows",
                        code="not-given",
                    )
                newest[known] = consignment
    if not newest:
        raise Misuse(f"item {item!r} was never given; there is nothing to show", code="not-given")
    if len(newest) > 1:
        raise Misuse(
            f"item {item!r} was given in {', '.join(sorted(newest))}; name one of them", code="which-relationship"
        )
    return newest.popitem()[1]


async def _gather(
    house: House, row: AgreementRow, item: ItemRow, decided: bytes, at: datetime, withhold: frozenset[Group]
) -> Evidence:
    own, theirs = chain_id(row.relationship, house.party), chain_id(row.relationship, row.peer)
    domestic = chain_id(DOMESTIC, house.party)
    own_card, their_card = await house.card(), (await house.need(PeerRow, row.peer, "peer")).card
    revoking = {
        card.party for card in map(known_card, (own_card, their_card)) if card.revoked("record") or card.revoked("log")
    }
    crossing = _CrossingChoice(item.item, revoking)
    inside = _HouseChoice(item.item, row, told=house.party in revoking)
    for chain in (own, theirs):
        await _read(house, chain, crossing)
    await _read(house, domestic, inside)
    chosen = crossing.chosen()
    house_records = inside.chosen()
    mine = [found for found in chosen if found.entry.chain == own]
    chains = (
        await _chain(
            house, own, await _own_checkpoint(house, own, crossing.changed(house.party)), mine, withhold, decided
        ),
        await _chain(
            house,
            theirs,
            await house.exchange.cosign_theirs(theirs),
            [found for found in chosen if found.entry.chain == theirs],
            withhold,
            decided,
        ),
        await _chain(house, domestic, await _domestic_checkpoint(house, domestic), house_records, withhold, decided),
    )
    return Evidence(
        format="comity-evidence/1",
        exporter=house.party,
        relationship=row.relationship,
        item=item.item,
        at=at,
        decision=decided,
        cards=tuple(dict.fromkeys((own_card, their_card, *inside.cards()))),
        texts=await _texts(house, house_records),
        chains=chains,
        anchors=_anchors(house, mine, house_records, withhold),
        stamps=tuple([each for chain in chains for each in await _stamps(house, chain)][:STAMPS_MAX]),
    )


async def _stamps(house: House, chain: Chain) -> list[Stamped]:
    """The time-stamps that first cover one of the records shown of a ledger of ours."""
    head = read_head(chain.checkpoint).size if chain.checkpoint else 0
    indexes = [each.index for each in chain.records if each.index < head]
    found: list[Stamped] = []
    covered = 0
    async for stamp in stamps(house, chain.name):
        size = stamp.size
        if size <= head and any(covered <= index < size for index in indexes):
            path = await house.ledgers.consistency(chain.name, size, head)
            found.append(Stamped(chain.name, stamp.note, path, stamp.token))
            covered = size
    return found


async def _read(house: House, chain: str, choice: _Choice) -> None:
    """Offer every record of a chain that this program can read to ``choice``; what it leaves is not kept in memory."""
    start = 0
    while entries := await house.store.chain(chain, start, CHAIN_READ):
        for entry in entries:
            with suppress(Rejected):  # what cannot be read was returned, and says nothing about an item
                record = understand(read_kept(entry.envelope, entry.record))
                if record.body is not None:
                    choice.offer(_Found(entry, record.body))
        start += len(entries)


class _Choice(Protocol):
    """Which of the records offered belong in the file."""

    def offer(self, found: _Found) -> None:
        """Look at the next record of a chain."""


class _CrossingChoice:
    """What is about the item in either chain, what those records rest on, and all acknowledgements (5).

    Of the parties in ``revoking``, which revoked a key, their newest change of keys too (31, 32).
    """

    def __init__(self, item: str, revoking: Collection[str]) -> None:
        self._item = item
        self._changes: dict[str, _Found | None] = dict.fromkeys(revoking)
        self._about: list[_Found] = []
        self._beside: list[_Found] = []

    def offer(self, found: _Found) -> None:
        """Keep what is about the item, and what may turn out to be needed."""
        if getattr(found.body, "item", None) == self._item or isinstance(found.body, bodies.Acknowledged):
            self._about.append(found)
        elif isinstance(found.body, bodies.Listed | bodies.Returned):
            self._beside.append(found)
        elif isinstance(found.body, KeysRotated) and (author := found.entry.chain.rpartition("/")[2]) in self._changes:
            self._changes[author] = found

    def changed(self, author: str) -> int:
        """How many records of an author's chain there are up to the change of keys that is in the file."""
        found = self._changes.get(author)
        return 0 if found is None else found.entry.sequence + 1

    def chosen(self) -> list[_Found]:
        """In the order of each chain."""
        records = {each.entry.record for each in self._about}
        people = {name for each in self._about for name in _named(each.body)}
        needed = [
            each
            for each in self._beside
            if (isinstance(each.body, bodies.Listed) and each.body.pseudonym in people)
            or (isinstance(each.body, bodies.Returned) and each.body.record in records)
        ]
        changes = [each for each in self._changes.values() if each is not None]
        return sorted([*self._about, *needed, *changes], key=_place)


class _HouseChoice:
    """The item's own house records, the adoptions of the agreement, and the people who signed (5); the peer's cards."""

    def __init__(self, item: str, row: AgreementRow, *, told: bool) -> None:
        self._item = item
        self._row = row
        self._told = told
        self._change: _Found | None = None
        self._requests: set[str] = set()
        self._about: list[_Found] = []
        self._people: list[_Found] = []
        self._cards: list[bytes] = []

    def offer(self, found: _Found) -> None:
        """Keep what is about the item, and who may turn out to be needed."""
        match found.body:
            case bodies.PersonEnrolled():
                self._people.append(found)
            case bodies.PeerAdded(party=self._row.peer, card=card):
                self._cards.append(card)
            case KeysRenewed() if self._told:
                self._change = found
            case bodies.Approved(request=request):
                if request in self._requests:
                    self._about.append(found)
            case bodies.AgreementAdopted(relationship=relationship):
                if relationship == self._row.relationship:
                    self._about.append(found)
            case body if getattr(body, "item", None) == self._item:
                self._about.append(found)
                if isinstance(body, bodies.ReleaseRequested):
                    self._requests.add(body.request)

    def chosen(self) -> list[_Found]:
        """In the order of the chain; who enrolled somebody stands before him."""
        people = {name for each in self._about for name in _named(each.body)}
        needed = []
        for each in reversed(self._people):
            if isinstance(each.body, bodies.PersonEnrolled) and each.body.person in people:
                needed.append(each)
                people |= _named(each.body)
        change = [] if self._change is None else [self._change]
        return sorted([*self._about, *needed, *change], key=_place)

    def cards(self) -> tuple[bytes, ...]:
        """The peer's cards, the newest first."""
        return tuple(dict.fromkeys(reversed(self._cards)))


def _place(found: _Found) -> int:
    return found.entry.sequence


def _named(body: Any) -> set[str]:
    """People whose enrolment or directory entry a reader of the record needs."""
    signature = getattr(body, "signature", None)
    names = {signature.signer} if signature is not None else set()
    names |= set(getattr(body, "recipients", ()))
    names |= {copy.holder for copy in getattr(body, "copies", ()) if isinstance(copy, bodies.CopyMade)}
    names |= {name for name in (getattr(body, "taker", None), getattr(body, "holder", None)) if name}
    return names


async def _own_checkpoint(house: House, chain: str, most: int) -> bytes:
    """Our newest checkpoint that the other party cosigned; our own newest while none covers that many records."""
    cosigned = await house.side(COSIGNED, chain)
    covers = cosigned is not None and read_head(cosigned).size >= most
    note = cosigned if cosigned is not None and covers else house.exchange.checkpoint(chain)
    return await with_cosignatures(house, chain, note)


async def _domestic_checkpoint(house: House, chain: str) -> bytes:
    """The newest that a third party cosigned; our own newest while none did."""
    note = await newest_vouched(house, chain) or house.exchange.checkpoint(chain)
    return await with_cosignatures(house, chain, note)


async def _chain(
    house: House, name: str, checkpoint: bytes, chosen: Iterable[_Found], withhold: frozenset[Group], decided: bytes
) -> Chain:
    size = read_head(checkpoint).size if checkpoint else 0
    records: list[Shown | Withheld] = []
    for each in chosen:
        entry = each.entry
        path = await _path(house, name, entry.sequence, size)
        group = group_of(each.body)
        if group is not None and group in withhold and entry.record != decided:
            leaf = record_leaf(entry.salt, entry.envelope).data
            records.append(Withheld(entry.sequence, leaf, group, path))
        else:
            records.append(Shown(entry.sequence, entry.envelope, entry.salt, path))
    return Chain(name, checkpoint, tuple(records))


async def _path(house: House, chain: str, index: int, size: int) -> tuple[bytes, ...]:
    """Inclusion proof of a record in the tree of ``size`` leaves; empty beyond it."""
    if index >= size:
        return ()
    return await house.ledgers.inclusion(chain, index, size)


async def _texts(house: House, chosen: Iterable[_Found]) -> tuple[Text, ...]:
    texts: dict[bytes, Text] = {}
    for each in chosen:
        body = each.body
        if isinstance(body, bodies.AgreementAdopted):
            texts[body.text] = Text("agreement", (await house.library.text(body.text)).encode())
            texts[body.history] = Text("history", (await house.library.text(body.history)).encode())
            for layer in body.layers:
                texts[layer] = Text("layer", (await house.library.text(layer)).encode())
    return tuple(texts.values())


def _anchors(
    house: House, crossing: Iterable[_Found], domestic: Iterable[_Found], withhold: frozenset[Group]
) -> tuple[Anchor, ...]:
    """The salts by which our crossing records open to decisions that are shown."""
    decided = {
        basis(house, each.entry.record): each.entry.record
        for each in domestic
        if isinstance(each.body, bodies.Decided) and group_of(each.body) not in withhold
    }
    return tuple(
        Anchor(each.entry.record, decided[each.body.basis], basis_salt(house, decided[each.body.basis]))
        for each in crossing
        if isinstance(each.body, bodies.Consigned | bodies.Opened) and each.body.basis in decided
    )
