"""Rebuilding and verifying: what the journal gives, against the tables, the ledgers and their witnesses.

The journal is the source. ``verify_ledger`` compares what comes out of it with everything that stands in the store;
``rebuild`` puts what comes out in the place of the register's tables.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from hashlib import sha256

import msgspec

from comity.errors import Rejected
from comity.flows.exchanging.exchange import CONFLICT, COSIGNED, THEIR_CHECKPOINT
from comity.flows.exchanging.witnessing import Witnessing
from comity.flows.house import House
from comity.flows.indexing.upkeep import renew
from comity.flows.keeping.committed import scan_side
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.library import TEXT
from comity.flows.keeping.sequencer import TILE
from comity.flows.maintaining.digests import Digests, Finding
from comity.flows.maintaining.replaying import Replay
from comity.flows.vouching import cosigning
from comity.ledger.checkpoint import SignedCheckpoint
from comity.ledger.tree import TreeHead
from comity.ports import Put, Store
from comity.record.card import Card
from comity.register.rows import TABLES, AgreementRow, CopyRow, encode_row
from comity.register.rows.negotiation import ChannelRow


def _nobody(_done: int, _entries: int) -> None:
    """Whoever hears of a verification that nobody listens to."""


hears: ContextVar[Callable[[int, int], None]] = ContextVar("hears", default=_nobody)
"""Whom a verification that is begun in this context tells how far it is: entries checked, of how many at its begin."""


class VerifyLedger(msgspec.Struct, frozen=True):
    """Check everything this node keeps against its journal, its ledgers and what others have cosigned."""


class Rebuild(msgspec.Struct, frozen=True):
    """Make the register's tables anew from the journal."""


class LedgerVerified(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, and what was found.

    Attributes:
        entries: journal entries checked, each with its signatures.
        rows: rows of the register compared.
        chains: size of every chain whose ledger was recomputed.
        witnessed: for each own chain, how much the other party has cosigned.
        findings: what is wrong; empty when all is well.
        vouched: for each own chain, how far third parties have cosigned it, by name.
        counted: for each own chain with a policy, how much is under a checkpoint that meets it.
    """

    entries: int
    rows: int
    chains: dict[str, int]
    witnessed: dict[str, int]
    findings: tuple[Finding, ...]
    vouched: dict[str, dict[str, int]] = {}
    counted: dict[str, int] = {}


async def verify_ledger(house: House, _: VerifyLedger) -> LedgerVerified:
    """Check journal, chains, ledgers, cosignatures and tables against one another.

    The house works on while its journal is stepped again; it pauses for what came meanwhile and for the comparison.
    """
    replay, told = Replay(house), hears.get()
    entries = sum(head.size for head in (await house.store.heads()).values())
    told(0, entries)
    await replay.run(lambda done: told(min(done, entries), entries))
    return await house.sequencer.alone(lambda: compare(house, replay))


async def rebuild(house: House, _: Rebuild) -> LedgerVerified:
    """Replace the register's tables by what the journal gives, atomically, then verify.

    Raises:
        Rejected: the journal itself is damaged; nothing was replaced.
    """
    replay = Replay(house)

    async def puts() -> AsyncIterator[Put]:
        await replay.run()  # nothing is committed by now, so nothing is left out
        if replay.findings:
            first = replay.findings[0]
            raise Rejected(first.says, code="damaged-journal", place=first.place)
        for (table, key), row in replay.rows.items():
            if row is not None:
                yield Put(table, key, encode_row(row))

    await house.sequencer.alone(lambda: house.store.replace_rows(tuple(TABLES), puts()))
    await renew(house)
    return await verify_ledger(house, VerifyLedger())


async def compare(house: House, replay: Replay) -> LedgerVerified:
    """What a journal that was stepped again gives, against everything that stands in the store."""
    await replay.run()
    findings = replay.findings
    findings += await compare_ledgers(house.store, replay.ledgers)
    rows: dict[str, dict[str, bytes]] = {table: {} for table in TABLES}
    for (table, key), row in replay.rows.items():
        if row is not None:
            rows[table][key] = encode_row(row)
    for table, expected in rows.items():
        findings += await _differences(house.store, table, expected)
    destroyed = {
        row.header.hex() for row in replay.rows.values() if isinstance(row, CopyRow) and row.state == "destroyed"
    }
    for table in (HEADER, TEXT):
        async for key, value in scan_side(house.store, table):
            if sha256(value).hexdigest() != key:
                findings.append(Finding(f"{table} {key}", "what stands there is not what its digest says"))
            if table == HEADER and key in destroyed:
                findings.append(Finding(f"{table} {key}", "it opens a copy that was destroyed, and has to be erased"))
    async for key, proof in scan_side(house.store, CONFLICT):
        findings.append(Finding(key, f"two histories were signed; the proof has {len(proof)} bytes"))
    witnessed = await _notes(house, replay, findings)
    vouched, counted = await _vouched(house, replay, findings)
    return LedgerVerified(
        entries=replay.entries,
        rows=sum(map(len, rows.values())),
        chains={chain: head.size for chain, head in sorted(replay.ledgers.heads().items())},
        witnessed=witnessed,
        findings=tuple(findings),
        vouched=vouched,
        counted=counted,
    )


async def compare_ledgers(store: Store, ledgers: Digests) -> list[Finding]:
    """Heads and tiles of a store that the journal does not give, or gives differently."""
    given = ledgers.heads()
    stored = {chain: TreeHead(head.size, head.root) for chain, head in (await store.heads()).items()}
    found = [
        Finding(chain, "the head is not what the journal gives")
        for chain in sorted(given.keys() | stored.keys())
        if given.get(chain) != stored.get(chain)
    ]
    return found + await _differences(store, TILE, ledgers.tiles)


async def _differences(store: Store, table: str, expected: dict[str, bytes]) -> list[Finding]:
    """Rows of the store that the journal does not give, or gives differently."""
    left = dict(expected)
    found = []
    async for key, value in scan_side(store, table):
        if left.pop(key, None) != value:
            found.append(Finding(f"{table} {key}", "the row is not what the journal gives"))
    return found + [Finding(f"{table} {key}", "the row is missing") for key in sorted(left)]


async def _notes(house: House, replay: Replay, findings: list[Finding]) -> dict[str, int]:
    """Check every kept checkpoint; returns how much of each own chain is witnessed."""
    witnessing = Witnessing(house.party, house.keys, house.now, lambda: house.own_card)
    witnessed: dict[str, int] = {}
    for table, read in ((COSIGNED, witnessing.read_kept_cosigned), (THEIR_CHECKPOINT, witnessing.read_kept)):
        async for chain, note in scan_side(house.store, table):
            try:
                head = replay.ledgers.check_head(chain, _stated(read, note, chain, _cards(replay, chain)))
            except Rejected as error:
                says = f"the checkpoint kept there does not match the records here: {error.sentence}"
                findings.append(Finding(f"{table} {chain}", says))
            else:
                if table == COSIGNED:
                    witnessed[chain] = head.size
    return witnessed


async def _vouched(
    house: House, replay: Replay, findings: list[Finding]
) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Check what third parties cosigned; how far each did, and how much counts by a policy."""
    vouched: dict[str, dict[str, int]] = {}
    counted: dict[str, int] = {}
    for chain in sorted(replay.ledgers.heads()):
        if not chain.endswith(f"/{house.party}"):
            continue
        wrong = await cosigning.check_vouched(house, chain, partial(replay.ledgers.check_head, chain))
        findings += [Finding(f"{cosigning.VOUCHED} {chain}", says) for says in wrong]
        if wrong:
            continue
        if by := {each.witness: each.size for each in await cosigning.vouched(house, chain)}:
            vouched[chain] = by
        if (meets := await cosigning.counted(house, chain)) is not None:
            counted[chain] = meets
    return vouched, counted


def _stated(
    read: Callable[[bytes, str, Card], SignedCheckpoint], note: bytes, chain: str, cards: Sequence[Card]
) -> TreeHead:
    """What a note states, verified with the newest of ``cards`` that verifies it."""
    for card in cards[:-1]:
        with suppress(Rejected):
            return read(note, chain, card).checkpoint.head
    if not cards:
        raise Rejected("nobody is known who could have signed it", code="unknown-peer")
    return read(note, chain, cards[-1]).checkpoint.head


def _cards(replay: Replay, chain: str) -> list[Card]:
    """The cards of the other party in the relationship of ``chain``, newest first."""
    relationship = chain.rpartition("/")[0]
    rows = [replay.rows.get((kind.table, relationship)) for kind in (AgreementRow, ChannelRow)]
    peers = [row.peer for row in rows if isinstance(row, (AgreementRow, ChannelRow))]
    return [card for peer in peers for card in replay.cards.get(peer, [])[::-1]]
