"""A record's place in a ledger as a file for anybody (tlog-proof; ``spec/witness.md`` step 50)."""

from __future__ import annotations

import msgspec

from comity.errors import Misuse
from comity.flows.exchanging.exchange import COSIGNED
from comity.flows.exchanging.witnessing import read_head
from comity.flows.house import House
from comity.flows.vouching.cosigning import COUNTED, newest_vouched, with_cosignatures
from comity.flows.vouching.witnesses import check_own
from comity.ledger.leaf import record_leaf
from comity.ledger.tlog_proof import TlogProof

RECORD_DIGITS_MIN = 16
"""Fewest digits of a record's id that name it."""
_RECORDS_READ = 512


class ProveRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Prove that a record stands at its place in a ledger of this house.

    Attributes:
        ledger: which.
        index: its place; found by ``record`` where there is none.
        record: its id in hexadecimal digits, or how it begins.
    """

    ledger: str
    index: int | None = None
    record: str = ""


class RecordProved(msgspec.Struct, frozen=True, kw_only=True):
    """A proof that shows nothing of the record but its place.

    Attributes:
        ledger, index: where it stands.
        record: its id in hex.
        leaf: its Merkle leaf hash in hex: what is proved to be there.
        size: records under the checkpoint of the proof.
        proof: the file.
    """

    ledger: str
    index: int
    record: str
    leaf: str
    size: int
    proof: bytes


async def prove_record(house: House, request: ProveRecord) -> RecordProved:
    """The proof, with the checkpoint that is worth most: one that met the policy, that others cosigned, or our own.

    Raises:
        Misuse: it is no ledger of this house, or has no such record that may leave.
    """
    ledger = request.ledger
    await check_own(house, ledger)
    await house.sequencer.raise_mark()
    index = await _place(house, ledger, request.record.lower()) if request.index is None else request.index
    if not 0 <= index < house.sequencer.marked(ledger).size:
        raise Misuse(f"{ledger!r} has no record {index}", code="unknown-record")
    kept = [await house.side(table, ledger) for table in (COUNTED, COSIGNED)]
    notes = [*kept, await newest_vouched(house, ledger), house.exchange.checkpoint(ledger)]
    note = next(note for note in notes if note and read_head(note).size > index)
    size = read_head(note).size
    (entry,) = await house.store.chain(ledger, index, 1)
    path = await house.ledgers.inclusion(ledger, index, size)
    return RecordProved(
        ledger=ledger,
        index=index,
        record=entry.record.hex(),
        leaf=record_leaf(entry.salt, entry.envelope).hash.hex(),
        size=size,
        proof=TlogProof(index, path, await with_cosignatures(house, ledger, note)).encode(),
    )


async def _place(house: House, ledger: str, record: str) -> int:
    """Where the record stands whose id begins with these digits.

    Raises:
        Misuse: there is none, or they are too few.
    """
    if len(record) < RECORD_DIGITS_MIN:
        raise Misuse(f"name a record by at least {RECORD_DIGITS_MIN} digits of its id", code="unknown-record")
    start = 0
    while entries := await house.store.chain(ledger, start, _RECORDS_READ):
        for number, entry in enumerate(entries, start):
            if entry.record.hex().startswith(record):
                return number
        start += len(entries)
    raise Misuse(f"{ledger!r} has no record {record!r}", code="unknown-record")
