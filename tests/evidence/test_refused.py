"""What a third-party witness refused, as a proof (``spec/contradictions.md`` steps 11 and 16, ``spec/witness.md``)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.evidence.comparing import prove_refused
from comity.evidence.contradiction import verify_contradiction
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.proof import consistency_path
from comity.ledger.tree import TreeHead
from comity.ledger.witness import AddCheckpoint
from comity.stores.memory import MemoryHighWaterMark, MemoryStore
from comity.stores.memory_disk import MemoryDisk
from ledger.reference import Key, StoredLog, entries, log_of
from witness.stand import started

ORIGIN = "comity/jp-kr-2016/jp.kr/jp"
LOG = Key(1)
KEY = LOG.verifier(ORIGIN)
TRUE = log_of(40)
REWRITTEN = StoredLog()
"""The same log with its entry 5 written anew."""
for number, entry in enumerate(entries(40)):
    REWRITTEN.append([b"rewritten" if number == 5 else entry])


def signed(head: TreeHead, key: Key = LOG) -> bytes:
    return sign_checkpoint(Checkpoint(ORIGIN, head), key).encode()


def request(log: StoredLog, old: int, new: int) -> bytes:
    return AddCheckpoint(old, consistency_path(log.read, old, new), signed(log.heads[new])).encode()


@pytest.mark.parametrize(("old", "new"), [(7, 12), (12, 12), (11, 40), (39, 40)])
async def test_a_rewritten_log_is_refused_and_proved_by_a_witness(old: int, new: int) -> None:  # (11)
    """It never saw a record, and its proof convinces whoever has the log's key."""
    disk = MemoryDisk()
    witness = await started(MemoryStore(disk), MemoryHighWaterMark(disk), None, 1)
    await witness.follow(KEY)
    assert (await witness.add_checkpoint(request(TRUE, 0, old))).status == 200
    assert (await witness.add_checkpoint(request(REWRITTEN, old, new))).status in {409, 422}
    (kept,) = await witness.contradictions(ORIGIN)
    proof = prove_refused(kept.recorded, kept.request, [KEY.text])
    assert proof is not None
    told = verify_contradiction(proof, [KEY.text])
    assert (told.signer, told.kind, told.trusted) == (ORIGIN, "two-histories", True)


@settings(max_examples=40, deadline=None)
@given(st.integers(6, 40), st.integers(6, 40))
def test_every_rewriting_is_proved_but_from_a_power_of_two(old: int, new: int) -> None:  # (16)
    """From a power of two a consistency proof leaves the older root out: nobody is accused of what is not shown."""
    if old > new:
        return
    proof = prove_refused(signed(TRUE.heads[old]), request(REWRITTEN, old, new), [KEY.text])
    assert (proof is None) == (old != new and old & old - 1 == 0)
    assert prove_refused(signed(TRUE.heads[old]), request(TRUE, old, new), [KEY.text]) is None


def test_what_proves_nothing() -> None:
    other = signed(REWRITTEN.heads[12])
    assert prove_refused(b"", request(TRUE, 7, 12), [KEY.text]) is None
    assert prove_refused(signed(TRUE.heads[7]), b"old 7\n", [KEY.text]) is None
    assert prove_refused(signed(TRUE.heads[7]), request(REWRITTEN, 7, 12), []) is None
    assert prove_refused(signed(TRUE.heads[7]), request(REWRITTEN, 7, 12), [Key(9).verifier(ORIGIN).text]) is None
    assert prove_refused(signed(TRUE.heads[20]), request(REWRITTEN, 7, 12), [KEY.text]) is None
    made_up = AddCheckpoint(7, (bytes(32),) * 4, other).encode()
    assert prove_refused(signed(TRUE.heads[7]), made_up, [KEY.text]) is None
    too_long = AddCheckpoint(7, (bytes(32),) * 63, other).encode()
    assert prove_refused(signed(TRUE.heads[7]), too_long, [KEY.text]) is None
    bare = AddCheckpoint(7, (), other).encode()
    assert prove_refused(signed(TRUE.heads[7]), bare, [KEY.text]) is None
