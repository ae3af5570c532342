"""What no proof can show, and what a third party changes about it (``spec/threats.md`` steps 30 to 33)."""

from __future__ import annotations

from comity.evidence.comparing import compare_evidence, prove_refused
from comity.evidence.contradiction import verify_contradiction
from comity.evidence.model import Chain
from comity.ledger.proof import consistency_path
from comity.ledger.witness import AddCheckpoint
from comity.record.statement import DOMESTIC, Record
from evidence.signers import Signer, log_over, shown
from ledger.reference import StoredLog

KR, JP = Signer("kr", 10), Signer("jp", 30)
HONEST = KR.history(9)
TAIL = KR.history(11, "b", since=HONEST[:6])
"""The chain with all after its first six records written anew."""
WHOLE = KR.history(9, "c")
"""Another chain from its beginning."""


def by_kr(records: list[Record], log: StoredLog) -> bytes:
    chains = [shown(KR, records, log), Chain(JP.chain, b"", ()), Chain(f"{DOMESTIC}/kr", b"", ())]
    return KR.evidence(JP, chains)


def test_a_tail_that_nobody_was_shown_can_be_replaced() -> None:  # (31)
    """Six records were cosigned; what was signed after them went to nobody."""
    assert compare_evidence([by_kr(HONEST[:6], log_over(HONEST[:6])), by_kr(TAIL, log_over(TAIL))]) == []


def test_whoever_was_shown_the_tail_proves_it() -> None:  # (31)
    assert compare_evidence([by_kr(HONEST[:7], log_over(HONEST[:7])), by_kr(TAIL, log_over(TAIL))])


def test_two_parties_that_agree_on_another_history_are_found_out_by_a_third() -> None:  # (32)
    """Both rewrote all that they ever signed, and show nothing else: only a witness has seen the log as it was."""
    made_up = log_over(WHOLE)
    assert compare_evidence([by_kr(WHOLE, made_up), by_kr(WHOLE[:5], log_over(WHOLE[:5]))]) == []
    cosigned = KR.checkpoint(log_over(HONEST).heads[7])
    request = AddCheckpoint(7, consistency_path(made_up.read, 7, 9), KR.checkpoint(made_up.heads[9])).encode()
    proof = prove_refused(cosigned, request, [KR.log_key.text])
    assert proof is not None
    assert verify_contradiction(proof, [KR.log_key.text]).kind == "two-histories"
